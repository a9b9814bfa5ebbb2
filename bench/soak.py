"""``make soak``: 150 students for 20 minutes, while the server's memory, descriptors and threads are watched.

    make soak ARGS='--minutes 5 --students 50'

The server keeps no answers, so that each is computed. Growth is the most memory (PSS) of the second half after the
warm-up against the most of the first: the allocator gives back some 40 MB now and then, so a single sample may be low. Descriptors are compared when nobody is there, before the class comes and after it
has left; threads with the most there were in the warm-up.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field

from bench import processes
from bench.answers import Key
from bench.bodies import Session, sessions
from bench.load import learn
from bench.pairs import percentile
from bench.processes import Usage
from bench.serving import running
from bench.students import Log, classroom, now
from bench.wire import Place

WARM_UP = 300  # seconds, or a quarter of the time if that is less
MOST_GROWTH = 0.05
IDLE = 0.05  # seconds of CPU between two looks
LEAVING = 60  # seconds in which a server has to close the connections of those who have left (it keeps a quiet one for 30)


@dataclass(slots=True)
class Soak:
    """What a server used while a class was there.

    Attributes:
        before, after: with nobody there.
        samples: seconds since the class began to come in, and what was used.
        log: what the class met.
    """

    before: Usage
    samples: list[tuple[float, Usage]] = field(default_factory=list)
    after: Usage | None = None
    log: Log = field(default_factory=Log)

    @property
    def warm(self) -> float:
        """When the warm-up is over, in seconds."""
        return min(float(WARM_UP), self.samples[-1][0] / 4)

    def growth(self) -> float:
        """How much more memory at the end than after the warm-up, as a share."""
        middle = (self.warm + self.samples[-1][0]) / 2
        first = max(use.memory for at, use in self.samples if self.warm <= at <= middle)
        return max(use.memory for at, use in self.samples if at >= middle) / first - 1

    def leaks(self) -> list[str]:
        """What is still there after the class has left, in words."""
        if self.after is None:
            return []
        early = [use.threads for at, use in self.samples if at <= self.warm]
        counts = [
            ("processes", self.before.processes, self.after.processes),
            ("descriptors", self.before.descriptors, self.after.descriptors),
            ("threads", max([self.before.threads, *early]), self.after.threads),  # a pool fills when it is first needed
        ]
        return [f"{name} grew from {before} to {after}" for name, before, after in counts if after > before]


async def soak(
    place: Place, server: int, *, students: int, seconds: float, every: float, seed: int, known: Sequence[Session], tell: bool = False
) -> Soak:
    """Let a class stay for some seconds, sampling; then wait until the server has closed its connections."""
    key = Key()
    await learn(place, known, key)
    kept = Soak(await at_rest(server, None))
    began = now()
    async with classroom(place, students, ramp=min(20, seconds / 10), seed=seed, sessions=known, key=key, log=kept.log):
        while (passed := now() - began) < seconds:
            await asyncio.sleep(min(every, seconds - passed))
            use = await asyncio.to_thread(lambda: processes.usage(processes.family(server)))
            kept.samples.append((now() - began, use))
            if tell and len(kept.samples) % 12 == 1:
                print(f"{kept.samples[-1][0] / 60:6.1f} min  {use}  {kept.log}", flush=True)
    kept.after = await at_rest(server, kept.before)
    return kept


async def at_rest(server: int, before: Usage | None) -> Usage:
    """What the server uses once it is idle: no more descriptors than before, or without a `before` than a moment ago."""
    last, end = processes.usage(processes.family(server)), now() + LEAVING
    while now() < end:
        await asyncio.sleep(0.5)
        use = processes.usage(processes.family(server))
        most = last if before is None else before
        if use.descriptors <= most.descriptors and use.cpu < last.cpu + IDLE:  # a worker that still starts is not idle
            return use
        last = use
    return last


def tell(kept: Soak) -> None:
    """Print what grew, and what the class met."""
    waits = [1000 * took for kind in ("stroke", "methods") for _, took in kept.log.waits[kind]]
    most_descriptors, most_threads = (max(getattr(use, name) for _, use in kept.samples) for name in ("descriptors", "threads"))
    print(f"\nnobody there:  {kept.before}\nat the end:    {kept.samples[-1][1]}\nall have left: {kept.after}")
    print(f"at most {most_descriptors} descriptors, {most_threads} threads")
    print(f"memory grew by {100 * kept.growth():+.1f} % since the warm-up (aim: less than {100 * MOST_GROWTH:.0f} %)")
    print(f"{kept.log}; " + ", ".join(f"p{100 * share:.0f} {percentile(waits, share):.0f} ms" for share in (0.5, 0.95, 0.99)))
    kept.log.print_faults()
    for leak in kept.leaks():
        print(f"LEAK: {leak}")


def main(arguments: Sequence[str]) -> None:
    """Soak a server; ends with 1 if something leaked, grew too much or failed."""
    parser = argparse.ArgumentParser(prog="make soak", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--students", type=int, default=150)
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--every", type=float, default=5, help="seconds between samples")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(arguments)
    with running("app.py", WORKERS="2", CACHE_MB="0") as (port, server):
        place, seconds = Place("127.0.0.1", port), 60 * given.minutes
        kept = asyncio.run(
            soak(place, server, students=given.students, seconds=seconds, every=given.every, seed=given.seed, known=sessions(), tell=True)
        )
    tell(kept)
    sys.exit(bool(kept.leaks() or kept.log.counts["errors"] or kept.growth() >= MOST_GROWTH))
