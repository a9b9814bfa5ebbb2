"""Which version of the explorer this is: a fingerprint of its own files, the same on every machine that has the same."""

from __future__ import annotations

import hashlib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FILES = ("app.py", "explorer/**/*.py", "assets/**/*", "models/*.npz", "requirements.txt", "constraints.txt")


def version(root: Path = ROOT) -> str:
    """Twelve hex digits that change with any byte or name of the program's files, and with nothing else.

    Args:
        root: the folder that app.py lies in.
    """
    found = {path for pattern in FILES for path in root.glob(pattern) if path.is_file()}
    named = {path.relative_to(root).as_posix(): path for path in found}
    total = hashlib.sha256()
    for name in sorted(named):
        if not any(part.startswith(".") for part in name.split("/")):  # what editors and systems leave lying about
            total.update(name.encode() + b"\0" + hashlib.sha256(named[name].read_bytes()).digest())
    return total.hexdigest()[:12]
