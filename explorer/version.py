"""The version of the explorer: a hash of its files, equal on every machine that has the same files."""

from __future__ import annotations

import hashlib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FILES = ("app.py", "explorer/**/*.py", "explorer/**/*.md", "assets/**/*", "models/*.npz", "requirements.txt", "constraints.txt")


def version(root: Path = ROOT) -> str:
    """Twelve hex digits that depend on the names and contents of the program's files, and on nothing else.

    Args:
        root: the folder of app.py.
    """
    found = {path for pattern in FILES for path in root.glob(pattern) if path.is_file()}
    paths = {path.relative_to(root).as_posix(): path for path in found}
    digest = hashlib.sha256()
    for name in sorted(paths):
        if not any(part.startswith(".") for part in name.split("/")):  # files of editors and of the system
            digest.update(name.encode() + b"\0" + hashlib.sha256(paths[name].read_bytes()).digest())
    return digest.hexdigest()[:12]
