"""``make load``: a class of students on loopback against ``python app.py`` with two workers, beside an empty Dash callback.

    make load                                   50, 150, 300 and 600 students
    make load ARGS='300 600 --seconds 60'       these, measured for a minute
    make load ARGS='300 --cache 32'             with the server's cache of answers

The recorded class asks the same again and again, which a cache would answer at no cost, so there is none by default.
A wait is from the moment when the page would have sent a question, which is decided beforehand, to the moment when the whole
answer was read and checked. It includes waiting behind the student's own earlier question, and being shed and asking again.
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
    log: Log = field(default_factory=Log)
    came_in: float = 0.0  # seconds until all had their first numbers
    during: Counter[str] = field(default_factory=Counter)  # counts in the measured time
    waits: dict[str, list[float]] = field(default_factory=dict)  # ms, wanted in the measured time
    server: float = 0.0  # cores
    memory: int = 0  # bytes, PSS
    generator: float = 0.0  # cores
    others: float = 0.0  # cores, of everything else on this machine
    lag: float = 0.0  # seconds, 99th percentile


async def learn(place: Place, known: Sequence[Session], key: Key) -> None:
    """Ask each question once, alone: what later answers are compared with. It warms the server up, too."""
    connection = Connection(place)
    for number, body in enumerate({(b.output, b.after): b for session in known for b in session.bodies()}.values()):
        key.check(body, number, await connection.post(f"{place.prefix}{UPDATE}", body.asking(number)))
    connection.close()


async def measure(place: Place, plan: Plan, known: Sequence[Session], server: int) -> Result:
    """Let a class in, and measure it from when all are in."""
    result, key = Result(plan), Key()
    log = result.log
    await learn(place, known, key)
    began = now()
    async with classroom(place, plan.students, ramp=plan.ramp, seed=plan.seed, sessions=known, key=key, log=log) as students:
        await asyncio.sleep(plan.ramp)
        opened = [asyncio.create_task(student.opened.wait()) for student in students]
        _, missing = await asyncio.wait(opened, timeout=LATE)
        for task in missing:
            task.cancel()
            log.fault(f"a student had no numbers {LATE} s after the ramp")
        result.came_in = now() - began
        start, before = now(), Counter(log.counts)
        with _meters(result, server):
            result.lag = percentile(await _lags(plan.seconds), 0.99)
        end = now()
        result.during = Counter(log.counts)
        result.during.subtract(before)
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
def _meters(result: Result, server: int) -> Iterator[None]:
    """Who used how much of the processor meanwhile."""
    family = processes.family(server)
    start, own, theirs, busy = time.monotonic(), time.process_time(), processes.cpu(family), processes.busy()
    yield
    took, family = time.monotonic() - start, processes.family(server)
    result.generator = (time.process_time() - own) / took
    result.server = (processes.cpu(family) - theirs) / took
    result.memory = processes.usage(family).memory
    result.others = max(0.0, (processes.busy() - busy) / took - result.generator - result.server)


# ---------------------------------------------------------------- telling


def tell(found: dict[str, Result]) -> None:
    """Print what one class met, in lines; at the explorer, and where it was asked for at the empty callback."""
    result, *_ = found.values()
    plan, log, counts = result.plan, result.log, result.during
    print(f"\n{plan.students} students, measured for {plan.seconds:g} s, seed {plan.seed}")
    print(f"  {'ms':<34} {'per s':>7} {'p50':>7} {'p95':>7} {'p99':>7} {'max':>7}")
    for what, one in found.items():
        strokes, methods = one.waits["stroke"], one.waits["methods"]
        for title, waits in (("strokes", strokes), ("method portions", methods), ("both", strokes + methods)):
            _line(f"{title}, {what}", waits, plan.seconds)
    _line(f"first numbers (in after {result.came_in:.0f} s)", result.waits["opening"], result.came_in)
    for what, one in found.items():
        doubt = "; THE GENERATOR WAS LATE ITSELF: these figures are too high" if one.lag > SLOW_GENERATOR or one.generator > 0.8 else ""
        print(
            f"  {what}: server {one.server:.2f} cores, {one.memory / 2**20:.0f} MB (PSS); generator {one.generator:.2f} cores,"
            f" late by {1000 * one.lag:.0f} ms (p99); others {one.others:.2f} cores{doubt}"
        )
    size = counts["answer bytes"] / max(1, counts["answers"])
    print(
        f"  requests answered {counts['answers'] / plan.seconds:.1f}/s of {size / 1000:.1f} kB, superseded strokes {counts['superseded']},"
        f" dropped looks at methods {counts['dropped']}, opening {log.counts['bytes'] / plan.students / 1000:.0f} kB a student"
    )
    print(f"  shed {log.counts['shed']}, of these {counts['shed']} while measured; errors {log.counts['errors']}", flush=True)
    log.print_faults()


def _line(title: str, waits: Sequence[float], seconds: float) -> None:
    figures = [percentile(waits, share) for share in (0.5, 0.95, 0.99)] + [max(waits)] if waits else [math.nan] * 4
    print(f"  {title:<34} {len(waits) / seconds:7.1f} " + " ".join(f"{figure:7.1f}" for figure in figures))


def summary(classes: Sequence[dict[str, Result]]) -> None:
    """Print a line for each class."""
    print("\nstudents  strokes p50/p95/p99    all p50/p95/p99        empty p95   requests/s  shed  errors  server        memory  generator")
    for result, *empty in (found.values() for found in classes):
        strokes, both = result.waits["stroke"], result.waits["stroke"] + result.waits["methods"]
        against = f"{percentile(empty[0].waits['stroke'] + empty[0].waits['methods'], 0.95):.0f} ms" if empty else "–"
        print(
            f"{result.plan.students:>8}  {_three(strokes):<21}  {_three(both):<21}  {against:<10}  {result.during['answers'] / result.plan.seconds:<10.1f}"
            f"  {result.during['shed']:<4}  {result.log.counts['errors']:<6}  {f'{result.server:.2f} cores':<12}"
            f"  {f'{result.memory / 2**20:.0f} MB':<6}  {result.generator:.2f} cores"
        )


def _three(waits: Sequence[float]) -> str:
    return "/".join(f"{percentile(waits, share):.0f}" for share in (0.5, 0.95, 0.99)) + " ms" if waits else "–"


def main(arguments: Sequence[str]) -> None:
    """Measure the classes asked for, each at a server of its own; ends with 1 if there was an error."""
    parser = argparse.ArgumentParser(prog="make load", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("students", nargs="*", type=int, default=list(STUDENTS), help="how many, one or more numbers")
    parser.add_argument("--seconds", type=float, default=30, help="how long each class is measured")
    parser.add_argument("--ramp", type=float, default=20, help="seconds in which a class comes in")
    parser.add_argument("--seed", type=int, default=1, help="of what the students do, and when")
    parser.add_argument("--workers", default="2", help="of the server")
    parser.add_argument("--cache", default="0", help="megabytes of answers that each of them keeps")
    parser.add_argument("--no-empty", action="store_true", help="leave the empty callback out")
    given = parser.parse_args(arguments)
    asked = {"explorer": (["app.py"], sessions())}
    if not given.no_empty:
        asked["empty callback"] = (["-m", "bench.served"], tuple(session.emptied() for session in sessions()))
    classes = []
    for count in given.students:
        plan, found = Plan(count, given.ramp, given.seconds, given.seed), {}
        for what, (command, known) in asked.items():
            with running(*command, WORKERS=given.workers, CACHE_MB=given.cache) as (port, server):
                found[what] = asyncio.run(measure(Place("127.0.0.1", port), plan, known, server))
        tell(found)
        classes.append(found)
    summary(classes)
    sys.exit(any(found["explorer"].log.counts["errors"] for found in classes))
