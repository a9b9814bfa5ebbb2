"""``make fuzz``: thousands of hostile requests against a real server, beside a class that must notice nothing of it.

    make fuzz                                  12,000 shots, seed 1
    make fuzz ARGS='50000 --seed 7'            more of others

Every answer is checked (refusals.py), and each that the class beside gets. The server must not grow,
log an error or lose a worker.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from bench import processes
from bench.answers import Key
from bench.bodies import Session, sessions
from bench.load import learn
from bench.processes import Usage
from bench.serving import running
from bench.soak import at_rest
from bench.students import Log, classroom
from bench.wire import LONGEST_HEAD, Broken, Place, Reply, read_reply
from tests.fuzz.refusals import complaints, is_shed
from tests.fuzz.shots import Shot, shot

SHOTS = 12_000
AT_ONCE = 6
CLASS = 12
PATIENCE = 60  # seconds for one answer, on a busy machine
WARM_UP = 0.25  # the share of the shots after which memory is compared
MOST_GROWTH = 0.05
SLACK = 16 * 2**20  # bytes by which three processes may grow besides


@dataclass(slots=True)
class Report:
    """What was answered: statuses by kind, what was wrong, and how often a shot was shed."""

    statuses: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    wrong: list[str] = field(default_factory=list)
    shed: int = 0

    def fault(self, number: int, what: Shot, wrong: str) -> None:
        """Note what was wrong, and enough of the shot to send it again."""
        self.wrong.append(f"{number} {what.kind}: {wrong}; sent {what.wire('/', 'host')[:500]!r}")


async def fire(place: Place, what: Shot) -> Reply | None:
    """Send one shot over a connection of its own; None when the server closed it without an answer."""
    reader, writer = await asyncio.open_connection(place.host, place.port, limit=LONGEST_HEAD)
    try:
        async with asyncio.timeout(PATIENCE):
            writer.write(what.wire(place.prefix, f"{place.host}:{place.port}"))
            with suppress(ConnectionError):  # it need not read to the end what it refuses
                await writer.drain()
            if what.raw is not None:
                with suppress(OSError):
                    writer.write_eof()  # or it would rightly wait for the rest
            reply = await read_reply(reader, bodiless=what.method == "HEAD")
            while reply.status == 100:
                reply = await read_reply(reader, bodiless=what.method == "HEAD")
            return reply
    except Broken:
        return None
    finally:
        writer.close()


async def judge(place: Place, number: int, what: Shot, report: Report) -> None:
    """Send one shot, again when it is shed, and note what is wrong with the answer."""
    for _ in range(5):
        try:
            reply = await fire(place, what)
        except TimeoutError:
            report.statuses[what.kind]["silent"] += 1
            report.fault(number, what, f"no answer in {PATIENCE} s")
            return
        if reply is None or not is_shed(reply):
            break
        report.shed += 1
        await asyncio.sleep(int(reply.headers["retry-after"]))
    if reply is None:
        report.statuses[what.kind]["closed"] += 1
        if not what.may_close:
            report.fault(number, what, "closed without an answer")
        return
    report.statuses[what.kind][str(reply.status)] += 1
    for complaint in complaints(reply, bodiless=what.method == "HEAD"):
        report.fault(number, what, complaint)


# ---------------------------------------------------------------- the whole


@dataclass(frozen=True, slots=True)
class Outcome:
    """All that was seen: the answers, the class beside, what the server used when it was warm and in the end."""

    report: Report
    log: Log
    warm: Usage
    end: Usage
    same: bool  # whether its processes are those of the beginning

    def failures(self) -> list[str]:
        """Everything that must not be, in words."""
        found = [*self.report.wrong, *(f"the class beside: {fault}" for fault in self.log.faults)]
        rules = {
            "the class beside was never answered": self.log.counts["answers"] == 0,
            f"memory grew from {self.warm} to {self.end}": self.end.memory > (1 + MOST_GROWTH) * self.warm.memory + SLACK,
            f"descriptors grew from {self.warm} to {self.end}": self.end.descriptors > self.warm.descriptors,
            "a process of the server ended": not self.same,
        }
        return found + [what for what, broken in rules.items() if broken]


async def fuzz(place: Place, server: int, *, shots: int, seed: int, source: Sequence[Session], students: int = CLASS) -> Outcome:
    """Fire all the shots at a server, beside a class."""
    report, log, key = Report(), Log(), Key()
    await learn(place, source, key)
    first = processes.family(server)

    async def part(numbers: range, class_seed: int) -> None:
        left = iter(numbers)

        async def one_after_another() -> None:
            for number in left:
                await judge(place, number, shot(seed, number, source), report)

        async with classroom(place, students, ramp=1, seed=class_seed, sessions=source, key=key, log=log):
            await asyncio.gather(*(one_after_another() for _ in range(AT_ONCE)))

    warm_up = int(WARM_UP * shots)
    await part(range(warm_up), seed)
    warm = await at_rest(server, None)
    await part(range(warm_up, shots), seed + 1)
    end = await at_rest(server, warm)
    return Outcome(report, log, warm, end, processes.family(server) == first)


def tell(outcome: Outcome, failures: Sequence[str]) -> None:
    """Print the answers by kind and status, then what failed."""
    print(f"\n{'kind':<12} {'shots':>7}  answers by status")
    for kind, statuses in sorted(outcome.report.statuses.items()):
        print(f"{kind:<12} {statuses.total():>7}  " + ", ".join(f"{count} × {status}" for status, count in sorted(statuses.items())))
    print(f"shed and asked again: {outcome.report.shed}\nthe class beside: {outcome.log}")
    print(f"warm:       {outcome.warm}\nin the end: {outcome.end}\n\n{len(failures)} failures")
    for failure in failures[:60]:
        print(f"  {failure}")


def main(arguments: Sequence[str]) -> None:
    """Fuzz a server of its own; ends with 1 if anything failed."""
    parser = argparse.ArgumentParser(prog="make fuzz", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("shots", nargs="?", type=int, default=SHOTS)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(arguments)
    with tempfile.TemporaryFile() as log:
        with running("app.py", said=log, WORKERS="2", CACHE_MB="4") as (port, server):
            place = Place("127.0.0.1", port)
            outcome = asyncio.run(fuzz(place, server, shots=given.shots, seed=given.seed, source=sessions()))
        log.seek(0)
        said = log.read().decode("utf-8", "replace")
    failures = outcome.failures()
    if "Traceback" in said or "unexpected error" in said:
        failures.append(f"the server logged an error: {said[-2000:]}")
    tell(outcome, failures)
    sys.exit(bool(failures))


if __name__ == "__main__":
    main(sys.argv[1:])
