"""``make fuzz``: thousands of hostile requests against a real server; a class that uses it at the same time must not be affected.

    make fuzz                                  12,000 requests, seed 1
    make fuzz ARGS='50000 --seed 7'            50,000, another seed

Every response is checked (checks.py), and every answer to the class. The server must not grow, log an error or lose a worker.
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
from bench.answers import KnownAnswers
from bench.bodies import Session, sessions
from bench.load import record_answers
from bench.processes import Usage
from bench.serving import running
from bench.soak import idle_usage
from bench.students import Log, classroom
from bench.wire import MAX_HEAD, BrokenResponse, Endpoint, Reply, read_reply
from tests.fuzz.checks import is_shed, violations
from tests.fuzz.requests import FuzzRequest, fuzz_request

REQUESTS = 12_000
CONCURRENT = 6
CLASS = 12
TIMEOUT = 60  # seconds for one response, on a busy machine
WARM_UP = 0.25  # share of the requests after which memory is compared
MAX_GROWTH = 0.05
SLACK = 16 * 2**20  # bytes by which the three processes may grow in addition


@dataclass(slots=True)
class Report:
    """The results: statuses by kind of request, problems, and how often a request was shed."""

    statuses: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    problems: list[str] = field(default_factory=list)
    shed: int = 0

    def add(self, number: int, request: FuzzRequest, problem: str) -> None:
        """Record a problem, with enough of the request to send it again."""
        self.problems.append(f"{number} {request.kind}: {problem}; sent {request.wire('/', 'host')[:500]!r}")


async def send(endpoint: Endpoint, request: FuzzRequest) -> Reply | None:
    """Send one request over a new connection; None if the server closed it without a response."""
    reader, writer = await asyncio.open_connection(endpoint.host, endpoint.port, limit=MAX_HEAD)
    try:
        async with asyncio.timeout(TIMEOUT):
            writer.write(request.wire(endpoint.prefix, f"{endpoint.host}:{endpoint.port}"))
            with suppress(ConnectionError):  # the server may close before it has read a refused request
                await writer.drain()
            if request.raw is not None:
                with suppress(OSError):
                    writer.write_eof()  # otherwise the server waits for the rest
            reply = await read_reply(reader, bodiless=request.method == "HEAD")
            while reply.status == 100:
                reply = await read_reply(reader, bodiless=request.method == "HEAD")
            return reply
    except BrokenResponse:
        return None
    finally:
        writer.close()


async def check(endpoint: Endpoint, number: int, request: FuzzRequest, report: Report) -> None:
    """Send one request, retry it when it is shed, and record the problems of the response."""
    for _ in range(5):
        try:
            reply = await send(endpoint, request)
        except TimeoutError:
            report.statuses[request.kind]["silent"] += 1
            report.add(number, request, f"no answer in {TIMEOUT} s")
            return
        if reply is None or not is_shed(reply):
            break
        report.shed += 1
        await asyncio.sleep(int(reply.headers["retry-after"]))
    if reply is None:
        report.statuses[request.kind]["closed"] += 1
        if not request.may_close:
            report.add(number, request, "closed without an answer")
        return
    report.statuses[request.kind][str(reply.status)] += 1
    for problem in violations(reply, bodiless=request.method == "HEAD"):
        report.add(number, request, problem)


# ---------------------------------------------------------------- a run


@dataclass(frozen=True, slots=True)
class Outcome:
    """The results of a run: responses, the class, the server's usage after the warm-up and at the end."""

    report: Report
    log: Log
    warm: Usage
    end: Usage
    same: bool  # whether the server still has the processes of the start

    def failures(self) -> list[str]:
        """A sentence for each failure."""
        found = [*self.report.problems, *(f"the class: {error}" for error in self.log.errors)]
        rules = {
            "the class got no answer": self.log.counts["answers"] == 0,
            f"memory grew from {self.warm} to {self.end}": self.end.memory > (1 + MAX_GROWTH) * self.warm.memory + SLACK,
            f"descriptors grew from {self.warm} to {self.end}": self.end.descriptors > self.warm.descriptors,
            "a process of the server ended": not self.same,
        }
        return found + [rule for rule, broken in rules.items() if broken]


async def fuzz(endpoint: Endpoint, server: int, *, requests: int, seed: int, source: Sequence[Session], students: int = CLASS) -> Outcome:
    """Send all the requests to a server that a class uses at the same time."""
    report, log, known = Report(), Log(), KnownAnswers()
    await record_answers(endpoint, source, known)
    first = processes.process_tree(server)

    async def run_part(numbers: range, class_seed: int) -> None:
        remaining = iter(numbers)

        async def send_in_turn() -> None:
            for number in remaining:
                await check(endpoint, number, fuzz_request(seed, number, source), report)

        async with classroom(endpoint, students, ramp=1, seed=class_seed, sessions=source, known=known, log=log):
            await asyncio.gather(*(send_in_turn() for _ in range(CONCURRENT)))

    warm_up = int(WARM_UP * requests)
    await run_part(range(warm_up), seed)
    warm = await idle_usage(server, None)
    await run_part(range(warm_up, requests), seed + 1)
    end = await idle_usage(server, warm)
    return Outcome(report, log, warm, end, processes.process_tree(server) == first)


def report_outcome(outcome: Outcome, failures: Sequence[str]) -> None:
    """Print the responses by kind and status, then the failures."""
    print(f"\n{'kind':<12} {'requests':>8}  responses by status")
    for kind, statuses in sorted(outcome.report.statuses.items()):
        print(f"{kind:<12} {statuses.total():>8}  " + ", ".join(f"{count} × {status}" for status, count in sorted(statuses.items())))
    print(f"shed and retried: {outcome.report.shed}\nthe class: {outcome.log}")
    print(f"warm:   {outcome.warm}\nat end: {outcome.end}\n\n{len(failures)} failures")
    for failure in failures[:60]:
        print(f"  {failure}")


def main(arguments: Sequence[str]) -> None:
    """Fuzz a new server; exits with 1 if anything failed."""
    parser = argparse.ArgumentParser(prog="make fuzz", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("requests", nargs="?", type=int, default=REQUESTS)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(arguments)
    with tempfile.TemporaryFile() as log:
        with running("app.py", stderr=log, WORKERS="2", CACHE_MB="4") as (port, server):
            endpoint = Endpoint("127.0.0.1", port)
            outcome = asyncio.run(fuzz(endpoint, server, requests=given.requests, seed=given.seed, source=sessions()))
        log.seek(0)
        output = log.read().decode("utf-8", "replace")
    failures = outcome.failures()
    if "Traceback" in output or "unexpected error" in output:
        failures.append(f"the server logged an error: {output[-2000:]}")
    report_outcome(outcome, failures)
    sys.exit(bool(failures))


if __name__ == "__main__":
    main(sys.argv[1:])
