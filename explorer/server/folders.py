"""Private folders of a server, in memory where that can be. They are erased at its end; those of one that was killed, by the next."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PREFIX, LOCK = "explorer-", "lock"
JUST_MADE = 60.0  # seconds in which a folder may not be locked yet


@contextmanager
def private_folder(what: str, parent: str | None = None) -> Iterator[str]:
    """A folder that only this user may read, for as long as this process lives.

    Args:
        what: what it is for, as a part of its name.
        parent: where it is made; by default in memory, which works with a read-only root, too.
    """
    parent = parent or ("/dev/shm" if os.access("/dev/shm", os.W_OK) else tempfile.gettempdir())
    erase_left(Path(parent), what)
    with tempfile.TemporaryDirectory(prefix=f"{PREFIX}{what}-", dir=parent, ignore_cleanup_errors=True) as folder:
        lock = _locked(Path(folder) / LOCK, os.O_CREAT)
        try:
            yield folder
        finally:
            if lock is not None:
                os.close(lock)


def erase_left(parent: Path, what: str) -> None:
    """Erase the folders of servers that are gone: the system lets go of the lock of a process that was killed."""
    for folder in parent.glob(f"{PREFIX}{what}-*"):
        with suppress(OSError):  # no lock is in it: it is of something else
            about = folder.lstat()
            if about.st_uid != os.getuid() or folder.is_symlink() or time.time() - about.st_mtime < JUST_MADE:
                continue
            if (lock := _locked(folder / LOCK)) is not None:
                shutil.rmtree(folder, ignore_errors=True)
                os.close(lock)


def _locked(file: Path, how: int = 0) -> int | None:
    """The open file, with a lock on it; None if another process has the lock, or where the system has no such locks."""
    try:
        import fcntl
    except ImportError:
        return None
    handle = os.open(file, os.O_RDWR | os.O_NOFOLLOW | how, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        return None
    return handle
