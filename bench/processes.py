"""Processor time, memory, descriptors and threads of a program and its child processes. Linux only."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import NamedTuple

import psutil


class Usage(NamedTuple):
    """The total resource usage of some processes.

    Attributes:
        processes: their number.
        cpu: seconds of processor time since their start, with that of children that have ended.
        memory: bytes as PSS, which counts shared memory once. (RSS counts it for each process.)
        descriptors, threads: open descriptors, running threads.
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


def process_tree(pid: int) -> list[int]:
    """The pids of a process and its descendants; empty if it has ended."""
    return [process.pid for process in _process_tree(pid)]


def _process_tree(pid: int) -> list[psutil.Process]:
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    return []


def workers(pid: int) -> set[int]:
    """The pids of a server's workers, without multiprocessing's helper process."""
    found = set()
    for child in _process_tree(pid)[1:]:
        with suppress(psutil.Error):
            if "spawn_main" in " ".join(child.cmdline()):
                found.add(child.pid)
    return found


def usage(pids: Iterable[int]) -> Usage:
    """The usage of these processes; those that have ended are left out."""
    found = []
    for pid in pids:
        with suppress(psutil.Error):
            process = psutil.Process(pid)
            found.append((1, sum(process.cpu_times()[:4]), process.memory_full_info().pss, process.num_fds(), process.num_threads()))
    return Usage(*(sum(column) for column in zip(*found, strict=True))) if found else Usage(0, 0, 0, 0, 0)


def cpu_seconds(pids: Iterable[int]) -> float:
    """Seconds of processor time only, which is cheap to read."""
    seconds = 0.0
    for pid in pids:
        with suppress(psutil.Error):
            seconds += sum(psutil.Process(pid).cpu_times()[:4])
    return seconds


def machine_cpu_seconds() -> float:
    """Seconds that this machine's processors were not idle, over all programs."""
    times = psutil.cpu_times()
    return float(times.user + times.nice + times.system + times.irq + times.softirq)
