"""``make load``: a class of students on loopback against ``python app.py`` with two workers, and against an empty Dash callback.

    make load                                   50, 150, 300 and 600 students
    make load ARGS='300 600 --seconds 60'       300 and 600, measured for a minute
    make load ARGS='300 --cache 32'             with the server's cache of answers

The recorded class repeats its requests, which a cache would answer at no cost, so the cache is off by default.
A waiting time starts when the page would have sent the request, which is scheduled beforehand, and ends when the complete
answer was read and checked. It includes waiting for the student's own earlier request, 503 answers and retries.
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
from bench.answers import KnownAnswers
from bench.bodies import Session, sessions
from bench.pairs import percentile
from bench.serving import running
from bench.students import UPDATE, Log, classroom, now
from bench.wire import Connection, Endpoint

STUDENTS = (50, 150, 300, 600)
OPEN_TIMEOUT = 60  # seconds to wait for the last student to open the page
LAG_EVERY = 0.02
SLOW_GENERATOR = 0.05  # seconds of lag (p99) above which the generator itself is too slow


@dataclass(frozen=True, slots=True)
class Plan:
    """Number of students, seconds in which they arrive, seconds of measurement, and the random seed."""

    students: int
    ramp: float
    seconds: float
    seed: int


@dataclass(slots=True)
class Result:
    """Results of one class, and the resources used."""

    plan: Plan
    log: Log = field(default_factory=Log)
    all_open: float = 0.0  # seconds until all had their first answer
    counts: Counter[str] = field(default_factory=Counter)  # in the measured time
    waits: dict[str, list[float]] = field(default_factory=dict)  # ms, for requests due in the measured time
    server: float = 0.0  # cores
    memory: int = 0  # bytes, PSS
    generator: float = 0.0  # cores
    others: float = 0.0  # cores, of all other programs
    lag: float = 0.0  # seconds, 99th percentile


async def record_answers(endpoint: Endpoint, visits: Sequence[Session], known: KnownAnswers) -> None:
    """Send each request once, alone: later answers are compared with these. It also warms the server up."""
    connection = Connection(endpoint)
    for number, body in enumerate({(b.output, b.after): b for session in visits for b in session.bodies()}.values()):
        known.check(body, number, await connection.post(f"{endpoint.prefix}{UPDATE}", body.with_number(number)))
    connection.close()


async def measure(endpoint: Endpoint, plan: Plan, visits: Sequence[Session], server: int) -> Result:
    """Start a class, and measure it from when all have opened the page."""
    result, known = Result(plan), KnownAnswers()
    log = result.log
    await record_answers(endpoint, visits, known)
    began = now()
    async with classroom(endpoint, plan.students, ramp=plan.ramp, seed=plan.seed, sessions=visits, known=known, log=log) as students:
        await asyncio.sleep(plan.ramp)
        opened = [asyncio.create_task(student.opened.wait()) for student in students]
        _, missing = await asyncio.wait(opened, timeout=OPEN_TIMEOUT)
        for task in missing:
            task.cancel()
            log.error(f"a student had no answer {OPEN_TIMEOUT} s after the ramp")
        result.all_open = now() - began
        start, before = now(), Counter(log.counts)
        with _meters(result, server):
            result.lag = percentile(await _lags(plan.seconds), 0.99)
        end = now()
        result.counts = Counter(log.counts)
        result.counts.subtract(before)
    result.waits = {
        kind: [1000 * took for wanted, took in waits if start <= wanted < end or kind == "opening"]
        for kind, waits in log.waits.items()
    }
    return result


async def _lags(seconds: float) -> list[float]:
    """Sleep for some seconds in short steps; returns how late the event loop woke up at each."""
    lags = []
    end = now() + seconds
    while (due := now() + LAG_EVERY) < end:
        await asyncio.sleep(LAG_EVERY)
        lags.append(now() - due)
    return lags


@contextmanager
def _meters(result: Result, server: int) -> Iterator[None]:
    """Measure the processor time and memory used in the block."""
    pids = processes.process_tree(server)
    start, own, theirs, busy = time.monotonic(), time.process_time(), processes.cpu_seconds(pids), processes.machine_cpu_seconds()
    yield
    took, pids = time.monotonic() - start, processes.process_tree(server)
    result.generator = (time.process_time() - own) / took
    result.server = (processes.cpu_seconds(pids) - theirs) / took
    result.memory = processes.usage(pids).memory
    result.others = max(0.0, (processes.machine_cpu_seconds() - busy) / took - result.generator - result.server)


# ---------------------------------------------------------------- reporting


def report(found: dict[str, Result]) -> None:
    """Print the results of one class at the explorer and, if measured, at the empty callback."""
    result, *_ = found.values()
    plan, log, counts = result.plan, result.log, result.counts
    print(f"\n{plan.students} students, measured for {plan.seconds:g} s, seed {plan.seed}")
    print(f"  {'ms':<34} {'per s':>7} {'p50':>7} {'p95':>7} {'p99':>7} {'max':>7}")
    for what, one in found.items():
        strokes, methods = one.waits["stroke"], one.waits["methods"]
        for title, waits in (("strokes", strokes), ("method portions", methods), ("both", strokes + methods)):
            _line(f"{title}, {what}", waits, plan.seconds)
    _line(f"first answer (all open after {result.all_open:.0f} s)", result.waits["opening"], result.all_open)
    for what, one in found.items():
        warning = "; THE LOAD GENERATOR WAS TOO SLOW: these figures are too high" if one.lag > SLOW_GENERATOR or one.generator > 0.8 else ""
        print(
            f"  {what}: server {one.server:.2f} cores, {one.memory / 2**20:.0f} MB (PSS); generator {one.generator:.2f} cores,"
            f" late by {1000 * one.lag:.0f} ms (p99); others {one.others:.2f} cores{warning}"
        )
    size = counts["answer bytes"] / max(1, counts["answers"])
    print(
        f"  requests answered {counts['answers'] / plan.seconds:.1f}/s of {size / 1000:.1f} kB, superseded strokes {counts['superseded']},"
        f" dropped looks at methods {counts['dropped']}, opening {log.counts['bytes'] / plan.students / 1000:.0f} kB a student"
    )
    print(f"  shed {log.counts['shed']}, of these {counts['shed']} while measured; errors {log.counts['errors']}", flush=True)
    log.print_errors()


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
            f"{result.plan.students:>8}  {_three(strokes):<21}  {_three(both):<21}  {against:<10}  {result.counts['answers'] / result.plan.seconds:<10.1f}"
            f"  {result.counts['shed']:<4}  {result.log.counts['errors']:<6}  {f'{result.server:.2f} cores':<12}"
            f"  {f'{result.memory / 2**20:.0f} MB':<6}  {result.generator:.2f} cores"
        )


def _three(waits: Sequence[float]) -> str:
    return "/".join(f"{percentile(waits, share):.0f}" for share in (0.5, 0.95, 0.99)) + " ms" if waits else "–"


def main(arguments: Sequence[str]) -> None:
    """Measure the requested classes, each with its own server; exits with 1 if there was an error."""
    parser = argparse.ArgumentParser(prog="make load", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("students", nargs="*", type=int, default=list(STUDENTS), help="how many, one or more numbers")
    parser.add_argument("--seconds", type=float, default=30, help="how long each class is measured")
    parser.add_argument("--ramp", type=float, default=20, help="seconds in which a class arrives")
    parser.add_argument("--seed", type=int, default=1, help="random seed of the students")
    parser.add_argument("--workers", default="2", help="of the server")
    parser.add_argument("--cache", default="0", help="megabytes of cached answers in each worker")
    parser.add_argument("--no-empty", action="store_true", help="without the empty callback")
    given = parser.parse_args(arguments)
    targets = {"explorer": (["app.py"], sessions())}
    if not given.no_empty:
        targets["empty callback"] = (["-m", "bench.served"], tuple(session.for_empty_callback() for session in sessions()))
    classes = []
    for count in given.students:
        plan, found = Plan(count, given.ramp, given.seconds, given.seed), {}
        for what, (command, visits) in targets.items():
            with running(*command, WORKERS=given.workers, CACHE_MB=given.cache) as (port, server):
                found[what] = asyncio.run(measure(Endpoint("127.0.0.1", port), plan, visits, server))
        report(found)
        classes.append(found)
    summary(classes)
    sys.exit(any(found["explorer"].log.counts["errors"] for found in classes))
