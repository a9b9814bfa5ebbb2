"""What a program and the processes it started use: time, memory, descriptors and threads. Linux only."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import NamedTuple

import psutil


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
    """A process and all that descend from it; none once it has ended."""
    return [process.pid for process in _family(pid)]


def _family(pid: int) -> list[psutil.Process]:
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    return []


def workers(pid: int) -> set[int]:
    """The workers of a server; multiprocessing has a helper beside them."""
    found = set()
    for child in _family(pid)[1:]:
        with suppress(psutil.Error):
            if "spawn_main" in " ".join(child.cmdline()):
                found.add(child.pid)
    return found


def usage(pids: Iterable[int]) -> Usage:
    """What these processes use; those that have ended meanwhile are left out."""
    found = []
    for pid in pids:
        with suppress(psutil.Error):
            process = psutil.Process(pid)
            found.append((1, sum(process.cpu_times()[:4]), process.memory_full_info().pss, process.num_fds(), process.num_threads()))
    return Usage(*(sum(column) for column in zip(*found, strict=True))) if found else Usage(0, 0, 0, 0, 0)


def cpu(pids: Iterable[int]) -> float:
    """Seconds of processor time only, which is cheap to read."""
    seconds = 0.0
    for pid in pids:
        with suppress(psutil.Error):
            seconds += sum(psutil.Process(pid).cpu_times()[:4])
    return seconds


def busy() -> float:
    """Seconds that this machine's processors were not idle, all programs together."""
    times = psutil.cpu_times()
    return float(times.user + times.nice + times.system + times.irq + times.softirq)
