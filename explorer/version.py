"""The version of the explorer: a hash of its files, equal on every machine that has the same files."""

from __future__ import annotations

import hashlib
from pathlib import Path

from explorer.places import PACKAGE, ROOT

FILES = ("app.py", "explorer/**/*.py", "explorer/**/*.md", "assets/**/*", "models/*.npz", "requirements.txt", "constraints.txt")


def version(root: Path = ROOT) -> str:
    """Twelve hex digits that depend on the names and contents of the program's files, and on nothing else.

    Args:
        root: the folder of app.py.
    """
    installed = PACKAGE.parent if root.parent == PACKAGE else root  # there the folder of app.py lies inside the package
    paths = {
        path.relative_to(base).as_posix(): path
        for pattern in FILES
        for base in [installed if pattern.startswith("explorer/") else root]
        for path in base.glob(pattern)
        if path.is_file() and (base == root or root not in path.parents)
    }
    digest = hashlib.sha256()
    for name in sorted(paths):
        if not any(part.startswith(".") for part in name.split("/")):  # files of editors and of the system
            digest.update(name.encode() + b"\0" + hashlib.sha256(paths[name].read_bytes()).digest())
    return digest.hexdigest()[:12]
