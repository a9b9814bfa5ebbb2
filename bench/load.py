"""``make load``: a class of students on loopback against ``python app.py`` with two workers, beside an empty Dash callback.

    make load                                   50, 150, 300 and 600 students
    make load ARGS='300 600 --seconds 60'       these, measured for a minute
    make load ARGS='150 --url http://host/x/'   a server that runs already
    make load ARGS='300 --cache 32'             with the server's cache of answers

The recorded class asks the same again and again, which a cache would answer at no cost. So there is none unless it is asked for.
What is measured: from the moment when the page would have sent a question (which is decided beforehand, so a slow server is
asked no less) to the moment when the whole answer was read and checked; waiting behind the student's own earlier question,
being shed and asking again are part of it. A stroke that was superseded waits for the answer to the one that did so.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from bench import processes
from bench.answers import Key
from bench.bodies import Session, sessions
from bench.pairs import percentile
from bench.serving import running
from bench.students import UPDATE, Log, classroom, now
from bench.wire import Connection, Place

STUDENTS = (50, 150, 300, 600)
EXPLORER, EMPTY = "explorer", "empty callback"
LATE = 60  # seconds that the last to come in are waited for
LAG_EVERY = 0.02
SLOW_GENERATOR = 0.05  # seconds of lag, at the 99th percentile, from which the generator itself is to be doubted


@dataclass(frozen=True, slots=True)
class Plan:
    """How many students, how soon they come in, how long they are measured, and the seed of what they do."""

    students: int
    ramp: float
    seconds: float
    seed: int


@dataclass(slots=True)
class Result:
    """What one class met, and what it took."""

    plan: Plan
    log: Log
    came_in: float  # seconds until all had their first numbers
    during: Counter[str] = field(default_factory=Counter)  # counts in the measured time
    waits: dict[str, list[float]] = field(default_factory=dict)  # ms, wanted in the measured time
    server: float | None = None  # cores
    memory: int | None = None  # bytes
    generator: float = 0.0  # cores
    others: float = 0.0  # cores, of everything else on this machine
    lag: float = 0.0  # seconds, 99th percentile


async def learn(place: Place, known: Sequence[Session], key: Key) -> None:
    """Ask each question once, alone: what later answers are compared with. It warms the server up, too."""
    connection = Connection(place)
    for number, body in enumerate({(b.output, b.after): b for session in known for b in session.bodies()}.values()):
        key.check(body, number, await connection.post(f"{place.prefix}{UPDATE}", body.asking(number)))
    connection.close()


async def measure(place: Place, plan: Plan, known: Sequence[Session], key: Key, server: int | None) -> Result:
    """Let a class in, and measure it from when all are in."""
    log = Log()
    began = now()
    async with classroom(place, plan.students, ramp=plan.ramp, seed=plan.seed, sessions=known, key=key, log=log) as students:
        await asyncio.sleep(plan.ramp)
        opened = [asyncio.create_task(student.opened.wait()) for student in students]
        _, missing = await asyncio.wait(opened, timeout=LATE)
        for task in missing:
            task.cancel()
            log.fault(f"a student had no numbers {LATE} s after the ramp")
        result = Result(plan, log, now() - began)
        start, before = now(), Counter(log.counts)
        with _meters(result, server):
            lags = await _lags(plan.seconds)
        end = now()
        result.during = Counter(log.counts)
        result.during.subtract(before)
        result.lag = percentile(lags, 0.99)
    result.waits = {
        kind: [1000 * took for wanted, took in waits if start <= wanted < end or kind == "opening"]
        for kind, waits in log.waits.items()
    }
    return result


async def _lags(seconds: float) -> list[float]:
    """Let time pass; tells how late the event loop woke up, again and again."""
    lags = []
    end = now() + seconds
    while (due := now() + LAG_EVERY) < end:
        await asyncio.sleep(LAG_EVERY)
        lags.append(now() - due)
    return lags


@contextmanager
def _meters(result: Result, server: int | None) -> Iterator[None]:
    """Who used how much of the processor meanwhile."""
    family = [] if server is None else processes.family(server)
    start, own, theirs, busy = time.monotonic(), time.process_time(), processes.cpu(family), processes.busy()
    yield
    took = time.monotonic() - start
    result.generator = (time.process_time() - own) / took
    if server is not None:
        family = processes.family(server)
        result.server = (processes.cpu(family) - theirs) / took
        result.memory = processes.usage(family).memory
    result.others = max(0.0, (processes.busy() - busy) / took - result.generator - (result.server or 0))


# ---------------------------------------------------------------- telling


def tell(result: Result, empty: Result | None) -> None:
    """Print what one class met, in lines."""
    plan, counts = result.plan, result.during
    print(f"\n{plan.students} students, measured for {plan.seconds:g} s, seed {plan.seed}")
    print(f"  {'ms':<34} {'per s':>7} {'p50':>7} {'p95':>7} {'p99':>7} {'max':>7}")
    for what, found in ((EXPLORER, result), (EMPTY, empty)):
        if found is None:
            continue
        kinds = {"strokes": ["stroke"], "method portions": ["methods"], "both": ["stroke", "methods"]}
        for title, names in kinds.items():
            _line(f"{title}, {what}", [wait for name in names for wait in found.waits[name]], plan.seconds)
    _line(f"first numbers (in after {result.came_in:.0f} s)", result.waits["opening"], result.came_in)
    for what, found in ((EXPLORER, result), (EMPTY, empty)):
        if found is not None:
            print(f"  {what}: {_used(found)}")
    size = counts["answer bytes"] / max(1, counts["answers"])
    print(
        f"  requests answered {counts['answers'] / plan.seconds:.1f}/s of {size / 1000:.1f} kB, superseded strokes {counts['superseded']},"
        f" dropped looks at methods {counts['dropped']}, opening {result.log.counts['bytes'] / plan.students / 1000:.0f} kB a student"
    )
    print(f"  shed {result.log.counts['shed']}, of these {counts['shed']} while measured; errors {result.log.counts['errors']}", flush=True)
    for fault, times in result.log.faults.most_common(10):
        print(f"    {times} × {fault}")


def _line(title: str, waits: Sequence[float], seconds: float) -> None:
    figures = [percentile(waits, share) for share in (0.5, 0.95, 0.99)] + [max(waits)] if waits else [math.nan] * 4
    print(f"  {title:<34} {len(waits) / seconds:7.1f} " + " ".join(f"{figure:7.1f}" for figure in figures))


def _used(found: Result) -> str:
    server = "server elsewhere" if found.server is None else f"server {found.server:.2f} cores, {(found.memory or 0) / 2**20:.0f} MB (PSS)"
    doubt = "; THE GENERATOR WAS LATE ITSELF: these figures are too high" if found.lag > SLOW_GENERATOR or found.generator > 0.8 else ""
    return f"{server}; generator {found.generator:.2f} cores, late by {1000 * found.lag:.0f} ms (p99); others {found.others:.2f} cores{doubt}"


def summary(pairs: Sequence[tuple[Result, Result | None]]) -> None:
    """Print a line for each class."""
    print("\nstudents  strokes p50/p95/p99    all p50/p95/p99        empty p95   requests/s  shed  errors  server        memory  generator")
    for result, empty in pairs:
        strokes, both = result.waits["stroke"], result.waits["stroke"] + result.waits["methods"]
        against = f"{percentile(empty.waits['stroke'] + empty.waits['methods'], 0.95):.0f} ms" if empty else "–"
        server = "–" if result.server is None else f"{result.server:.2f} cores"
        memory = "–" if result.memory is None else f"{result.memory / 2**20:.0f} MB"
        print(
            f"{result.plan.students:>8}  {_three(strokes):<21}  {_three(both):<21}  {against:<10}  {result.during['answers'] / result.plan.seconds:<10.1f}"
            f"  {result.during['shed']:<4}  {result.log.counts['errors']:<6}  {server:<12}  {memory:<6}  {result.generator:.2f} cores"
        )


def _three(waits: Sequence[float]) -> str:
    return "/".join(f"{percentile(waits, share):.0f}" for share in (0.5, 0.95, 0.99)) + " ms" if waits else "–"


# ---------------------------------------------------------------- running


def run(plan: Plan, url: str | None, empty: bool, **settings: str) -> tuple[Result, Result | None]:
    """One class at the explorer, then the same one at the empty callback; each at a server of its own."""
    known = sessions()
    if url is not None:
        return asyncio.run(_run(Place.of(url), plan, known, None)), None
    found: list[Result] = []
    for command, asked in ((("app.py",), known), (("-m", "bench.served"), tuple(s.emptied() for s in known))):
        if len(found) == 0 or empty:
            with running(*command, said=None, **settings) as (port, server):
                found.append(asyncio.run(_run(Place("127.0.0.1", port), plan, asked, server)))
    return found[0], found[1] if empty else None


async def _run(place: Place, plan: Plan, known: Sequence[Session], server: int | None) -> Result:
    key = Key()
    await learn(place, known, key)
    return await measure(place, plan, known, key, server)


def main(arguments: Sequence[str]) -> None:
    """Measure the classes asked for; ends with 1 if there was an error."""
    parser = argparse.ArgumentParser(prog="make load", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("students", nargs="*", type=int, default=list(STUDENTS), help="how many, one or more numbers")
    parser.add_argument("--seconds", type=float, default=30, help="how long each class is measured")
    parser.add_argument("--ramp", type=float, default=20, help="seconds in which a class comes in")
    parser.add_argument("--seed", type=int, default=1, help="of what the students do, and when")
    parser.add_argument("--workers", default="2", help="of the server")
    parser.add_argument("--cache", default="0", help="megabytes of answers that each of them keeps")
    parser.add_argument("--url", help="of a server that runs already, with its prefix")
    parser.add_argument("--no-empty", action="store_true", help="leave the empty callback out")
    given = parser.parse_args(arguments)
    pairs = []
    for count in given.students:
        plan = Plan(count, given.ramp, given.seconds, given.seed)
        pairs.append(run(plan, given.url, not given.no_empty, WORKERS=given.workers, CACHE_MB=given.cache))
        tell(*pairs[-1])
    summary(pairs)
    if any(result.log.counts["errors"] for result, _ in pairs):
        sys.exit(1)


if __name__ == "__main__":
    main(sys.argv[1:])
