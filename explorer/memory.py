"""How the C library keeps memory for a process of a hundred threads, so that it does not grow for as long as it is asked.

glibc is made for the other case: each thread keeps what it freed for itself, and holds on to the memory around it. With all the
threads that wait for their turn that is tens of megabytes, which fill over the better part of an hour.
"""

from __future__ import annotations

import ctypes
import os
import sys
from contextlib import suppress

TUNABLES = "GLIBC_TUNABLES"  # read by the C library when a program starts, and never again
FRUGAL = {
    "tcache_count": 0,  # no thread keeps anything for itself
    "arena_max": 2,  # few compute at once, so they hardly ever wait for each other's memory
    # what a question frees is there for the next: without its own bounds glibc would move the end of the heap at every step
    "trim_threshold": 64 << 20,
    "mmap_threshold": 32 << 20,
}


def restart_frugally() -> None:
    """Become the same program, in the same process, with the memory kept as it should be; nothing where that has been set already."""
    if sys.platform != "linux" or TUNABLES in os.environ:
        return
    os.environ[TUNABLES] = ":".join(f"glibc.malloc.{name}={value}" for name, value in FRUGAL.items())
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])


def give_back() -> None:
    """Give free memory back to the system, where glibc has it: by itself it keeps what the largest questions took."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").malloc_trim(0)
