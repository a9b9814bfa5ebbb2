"""What a program and the processes it started use, read from Linux's /proc: time, memory, descriptors and threads."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
TICK = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100


@dataclass(frozen=True, slots=True)
class Usage:
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


def family(pid: int) -> list[int]:
    """A process and all that descend from it."""
    parents = {int(entry.name): _parent(int(entry.name)) for entry in PROC.iterdir() if entry.name.isdigit()}
    found = [pid]
    for member in found:
        found += [child for child, parent in parents.items() if parent == member]
    return found


def workers(pid: int) -> set[int]:
    """The workers of a server; multiprocessing has a helper beside them."""
    return {child for child in family(pid)[1:] if "spawn_main" in _command(child)}


def usage(pids: Iterable[int]) -> Usage:
    """What these processes use; those that have ended meanwhile are left out."""
    found = [one for one in map(_usage_of, pids) if one is not None]
    return Usage(
        len(found),
        sum(one.cpu for one in found),
        sum(one.memory for one in found),
        sum(one.descriptors for one in found),
        sum(one.threads for one in found),
    )


def cpu(pids: Iterable[int]) -> float:
    """Seconds of processor time only, which is cheap to read."""
    return sum(_cpu(stat) for stat in map(_stat, pids) if stat)


def busy() -> float:
    """Seconds that this machine's processors were not idle, all programs together."""
    user, nice, system, _, _, irq, softirq, *_ = map(int, (PROC / "stat").read_text().split("\n", 1)[0].split()[1:])
    return (user + nice + system + irq + softirq) / TICK


def _usage_of(pid: int) -> Usage | None:
    stat = _stat(pid)
    try:
        rollup = (PROC / str(pid) / "smaps_rollup").read_text()
        descriptors = len(os.listdir(PROC / str(pid) / "fd"))
    except (OSError, ValueError):
        return None
    kilobytes = next((int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:")), 0)
    return Usage(1, _cpu(stat), 1024 * kilobytes, descriptors, int(stat[17])) if stat else None


def _command(pid: int) -> str:
    try:
        return (PROC / str(pid) / "cmdline").read_text()
    except OSError:
        return ""


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat after the name (which may hold spaces): the state is the first."""
    try:
        return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _cpu(stat: list[str]) -> float:
    return sum(map(int, stat[11:15])) / TICK


def _parent(pid: int) -> int:
    stat = _stat(pid)
    return int(stat[1]) if stat else 0
