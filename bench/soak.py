"""``make soak``: 150 students for 20 minutes, while memory, descriptors and threads of the server are measured.

    make soak ARGS='--minutes 5 --students 50'

The server's cache is off, so every answer is computed. Growth compares the maximum memory (PSS) of the second half after the
warm-up with that of the first half: the allocator returns some 40 MB now and then, so a single sample may be low. Descriptors are
compared without clients, before the class arrives and after it has left; threads with their maximum in the warm-up.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field

from bench import processes
from bench.answers import KnownAnswers
from bench.bodies import Session, sessions
from bench.load import record_answers
from bench.pairs import percentile
from bench.processes import Usage
from bench.serving import running
from bench.students import Log, classroom, now
from bench.wire import Endpoint

WARM_UP = 300  # seconds, or a quarter of the time if that is less
MAX_GROWTH = 0.05
IDLE = 0.05  # seconds of CPU between two samples
CLOSE_TIMEOUT = 60  # seconds for the server to close the connections of the class (an idle one: 30)


@dataclass(slots=True)
class Soak:
    """The resource usage of a server during a class.

    Attributes:
        before, after: without clients.
        samples: seconds since the start of the class, and the usage.
        log: the results of the class.
    """

    before: Usage
    samples: list[tuple[float, Usage]] = field(default_factory=list)
    after: Usage | None = None
    log: Log = field(default_factory=Log)

    @property
    def warm_up(self) -> float:
        """Seconds until the end of the warm-up."""
        return min(float(WARM_UP), self.samples[-1][0] / 4)

    def growth(self) -> float:
        """Growth of memory from the first to the second half after the warm-up, as a share."""
        middle = (self.warm_up + self.samples[-1][0]) / 2
        first = max(use.memory for at, use in self.samples if self.warm_up <= at <= middle)
        return max(use.memory for at, use in self.samples if at >= middle) / first - 1

    def leaks(self) -> list[str]:
        """What was not released after the class has left; one sentence for each."""
        if self.after is None:
            return []
        early = [use.threads for at, use in self.samples if at <= self.warm_up]
        counts = [
            ("processes", self.before.processes, self.after.processes),
            ("descriptors", self.before.descriptors, self.after.descriptors),
            ("threads", max([self.before.threads, *early]), self.after.threads),  # a thread pool starts its threads on first use
        ]
        return [f"{name} grew from {before} to {after}" for name, before, after in counts if after > before]


async def soak(
    endpoint: Endpoint, server: int, *, students: int, seconds: float, every: float, seed: int, visits: Sequence[Session], verbose: bool = False
) -> Soak:
    """Run a class for some seconds and sample the usage; then wait until the server has closed its connections."""
    known = KnownAnswers()
    await record_answers(endpoint, visits, known)
    result = Soak(await idle_usage(server, None))
    began = now()
    async with classroom(endpoint, students, ramp=min(20, seconds / 10), seed=seed, sessions=visits, known=known, log=result.log):
        while (passed := now() - began) < seconds:
            await asyncio.sleep(min(every, seconds - passed))
            use = await asyncio.to_thread(lambda: processes.usage(processes.process_tree(server)))
            result.samples.append((now() - began, use))
            if verbose and len(result.samples) % 12 == 1:
                print(f"{result.samples[-1][0] / 60:6.1f} min  {use}  {result.log}", flush=True)
    result.after = await idle_usage(server, result.before)
    return result


async def idle_usage(server: int, before: Usage | None) -> Usage:
    """The usage of the idle server: with at most the descriptors of `before`, or of the previous sample if it is None."""
    last, end = processes.usage(processes.process_tree(server)), now() + CLOSE_TIMEOUT
    while now() < end:
        await asyncio.sleep(0.5)
        use = processes.usage(processes.process_tree(server))
        most = last if before is None else before
        if use.descriptors <= most.descriptors and use.cpu < last.cpu + IDLE:  # a worker that is starting is not idle
            return use
        last = use
    return last


def report(result: Soak) -> None:
    """Print the growth and the results of the class."""
    waits = [1000 * took for kind in ("stroke", "methods") for _, took in result.log.waits[kind]]
    most_descriptors, most_threads = (max(getattr(use, name) for _, use in result.samples) for name in ("descriptors", "threads"))
    print(f"\nbefore:     {result.before}\nat the end: {result.samples[-1][1]}\nafterwards: {result.after}")
    print(f"maximum: {most_descriptors} descriptors, {most_threads} threads")
    print(f"memory grew by {100 * result.growth():+.1f} % since the warm-up (aim: less than {100 * MAX_GROWTH:.0f} %)")
    print(f"{result.log}; " + ", ".join(f"p{100 * share:.0f} {percentile(waits, share):.0f} ms" for share in (0.5, 0.95, 0.99)))
    result.log.print_errors()
    for leak in result.leaks():
        print(f"LEAK: {leak}")


def main(arguments: Sequence[str]) -> None:
    """Soak a server; exits with 1 if something leaked, grew too much or failed."""
    parser = argparse.ArgumentParser(prog="make soak", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--students", type=int, default=150)
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--every", type=float, default=5, help="seconds between samples")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(arguments)
    with running("app.py", WORKERS="2", CACHE_MB="0") as (port, server):
        endpoint, seconds = Endpoint("127.0.0.1", port), 60 * given.minutes
        result = asyncio.run(
            soak(endpoint, server, students=given.students, seconds=seconds, every=given.every, seed=given.seed, visits=sessions(), verbose=True)
        )
    report(result)
    sys.exit(bool(result.leaks() or result.log.counts["errors"] or result.growth() >= MAX_GROWTH))
