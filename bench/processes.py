"""What a program and the processes it started use, read from Linux's /proc: time, memory, descriptors and threads."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

PROC = Path("/proc")
TICK = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100


class Usage(NamedTuple):
    """What some processes use together.

    Attributes:
        processes: how many they are.
        cpu: seconds of processor time since they started, those of children that have ended included.
        memory: bytes of memory as PSS: what several share is counted once. (RSS counts it for each.)
        descriptors, threads: how many are open, how many run.
    """

    processes: int
    cpu: float
    memory: int
    descriptors: int
    threads: int

    def __str__(self) -> str:
        return (
            f"{self.memory / 2**20:.1f} MB (PSS), {self.descriptors} descriptors, {self.threads} threads,"
            f" {self.processes} processes, {self.cpu:.1f} s of CPU"
        )


def family(pid: int) -> list[int]:
    """A process and all that descend from it."""
    stats = {int(entry.name): _stat(int(entry.name)) for entry in PROC.iterdir() if entry.name.isdigit()}
    found = [pid]
    for member in found:
        found += [child for child, stat in stats.items() if stat and int(stat[1]) == member]
    return found


def workers(pid: int) -> set[int]:
    """The workers of a server; multiprocessing has a helper beside them."""
    return {child for child in family(pid)[1:] if b"spawn_main" in _read(child, "cmdline")}


def usage(pids: Iterable[int]) -> Usage:
    """What these processes use; those that have ended meanwhile are left out."""
    found = [one for one in map(_usage_of, pids) if one is not None]
    return Usage(*(sum(column) for column in zip(*found, strict=True))) if found else Usage(0, 0, 0, 0, 0)


def cpu(pids: Iterable[int]) -> float:
    """Seconds of processor time only, which is cheap to read."""
    return sum(_cpu(stat) for stat in map(_stat, pids) if stat)


def busy() -> float:
    """Seconds that this machine's processors were not idle, all programs together."""
    user, nice, system, _, _, irq, softirq, *_ = map(int, (PROC / "stat").read_text().split("\n", 1)[0].split()[1:])
    return (user + nice + system + irq + softirq) / TICK


def _usage_of(pid: int) -> Usage | None:
    stat, rollup = _stat(pid), _read(pid, "smaps_rollup")
    try:
        descriptors = len(os.listdir(PROC / str(pid) / "fd"))
    except OSError:
        return None
    kilobytes = next((int(line.split()[1]) for line in rollup.splitlines() if line.startswith(b"Pss:")), 0)
    return Usage(1, _cpu(stat), 1024 * kilobytes, descriptors, int(stat[17])) if stat and rollup else None


def _read(pid: int, name: str) -> bytes:
    """A file about a process; nothing once it has ended."""
    try:
        return (PROC / str(pid) / name).read_bytes()
    except OSError:
        return b""


def _stat(pid: int) -> list[bytes]:
    """The fields of /proc/PID/stat after the name (which may hold spaces): the state is the first, the parent the second."""
    return _read(pid, "stat").rpartition(b")")[2].split()


def _cpu(stat: list[bytes]) -> float:
    return sum(map(int, stat[11:15])) / TICK
