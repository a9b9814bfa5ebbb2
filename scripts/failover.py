"""``make failover``: are requests lost when replicas die or are replaced?

Two replicas and nginx with the configuration of deploy/ serve a class of students who send a request every two seconds and
compare each answer byte by byte. Meanwhile a worker is killed, a replica is killed, and both are replaced in turn. Students
do not retry: a request without the expected answer within the page's timeout is lost, and one lost request makes the exit code 1.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import re
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # for calls by path

from bench.asking import callback_request  # noqa: E402
from bench.students import STROKE_TIMEOUT  # noqa: E402
from bench.wire import read_reply  # noqa: E402
from explorer.state import State  # noqa: E402
from scripts.replicas import TIMEOUT, Nginx, Replica, find_nginx  # noqa: E402

NO_NGINX = "nginx was not found. On Debian: apt-get install nginx-light"
NUMBER = re.compile(rb'(\\?"ask\\?": ?)\d+')  # within a response it is JSON text within JSON
UPDATE = "/_dash-update-component"


@dataclass(slots=True)
class Phase:
    """One phase of the run, and the results of its requests."""

    name: str
    sent: int = 0
    seconds: list[float] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    retried: int = 0

    @property
    def finished(self) -> int:
        """Requests that were answered or lost."""
        return len(self.seconds) + len(self.lost)


class Student:
    """One connection that sends requests and compares the answers."""

    def __init__(self, port: int, expected: bytes, timeout: float = TIMEOUT) -> None:
        self.port = port
        self.expected = expected
        self.timeout = timeout
        self.streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, number: int) -> None:
        """Send the request of this number.

        Raises:
            RuntimeError: the answer is wrong.
            OSError, TimeoutError: there is no answer.
        """
        async with asyncio.timeout(self.timeout):
            status, body = await self.exchange(request_body(number))
        if status != 200:
            raise RuntimeError(f"{status} {body[:80]!r}")
        if body != numbered(self.expected, number):
            raise RuntimeError("a wrong answer")

    async def exchange(self, body: bytes) -> tuple[int, bytes]:
        """Send a body; status and body of the response."""
        if self.streams is None:
            self.streams = await asyncio.open_connection("127.0.0.1", self.port)
        reader, writer = self.streams
        head = f"POST {UPDATE} HTTP/1.1\r\nHost: explorer\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        reply = await read_reply(reader)
        if reply.headers.get("connection", "").lower() == "close":
            self.close()
        return reply.status, reply.raw

    def close(self) -> None:
        """Close the connection; the next request opens another."""
        if self.streams is not None:
            self.streams[1].close()
            self.streams = None


class FailoverRun:
    """A class and the failures of its servers, in phases."""

    def __init__(self, nginx: Nginx, expected: bytes, *, students: int, pause: float, timeout: float = STROKE_TIMEOUT) -> None:
        self.nginx = nginx
        self.expected = expected
        self.students = students
        self.pause = pause
        self.timeout = timeout
        self.number = 0
        self.stopping = asyncio.Event()
        self.phases: list[Phase] = []

    @asynccontextmanager
    async def phase(self, name: str) -> AsyncIterator[Phase]:
        """Count the requests of the block under this name."""
        phase, before = Phase(name), self.nginx.retried()
        self.phases.append(phase)
        yield phase
        phase.retried = self.nginx.retried() - before

    @asynccontextmanager
    async def class_present(self) -> AsyncIterator[None]:
        """Run the class during the block. At its end no new requests are sent, and those in flight are answered or lost."""
        students = [asyncio.create_task(self.run_student(seed)) for seed in range(self.students)]
        try:
            yield
            self.stopping.set()
            await asyncio.gather(*students)
        finally:
            for task in students:
                task.cancel()

    async def run_student(self, seed: int) -> None:
        """One student, until the end."""
        rng, student = random.Random(seed), Student(self.nginx.port, self.expected, self.timeout)
        await self.pause_for(rng.uniform(0, self.pause))
        while not self.stopping.is_set():
            await self.ask(student)
            await self.pause_for(self.pause * rng.uniform(0.5, 1.5))
        student.close()

    async def ask(self, student: Student) -> None:
        """Send one request; it counts for the phase in which it was sent."""
        self.number += 1
        phase, begin = self.phases[-1], time.perf_counter()
        phase.sent += 1
        try:
            await student.ask(self.number)
            phase.seconds.append(time.perf_counter() - begin)
        except (OSError, RuntimeError) as error:
            phase.lost.append(f"{type(error).__name__}: {error}")
            student.close()

    async def pause_for(self, seconds: float) -> None:
        """Wait for some seconds, or until the end."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self.stopping.wait(), seconds)

    async def rounds(self, count: int) -> None:
        """Wait until the class has finished this many rounds of requests."""
        goal = sum(phase.finished for phase in self.phases) + count * self.students
        await wait_until(lambda: sum(phase.finished for phase in self.phases) >= goal)

    async def run_phases(self, replicas: list[Replica]) -> None:
        """All phases in order, with the class present."""
        async with self.class_present():
            async with self.phase("normal operation"):
                await self.rounds(2)
            async with self.phase("a worker is killed and replaced"):
                await kill_worker(replicas[0])
                await self.rounds(1)
            async with self.phase("a replica is killed"):
                replicas[0].kill()
                await self.rounds(2)
            async with self.phase("the replica is started again"):
                replicas[0].start()
                await wait_until(replicas[0].healthy)
                await self.rounds(1)
            for name, replica in zip(("the first replica is replaced", "the second replica is replaced"), replicas, strict=True):
                async with self.phase(name):
                    await replace(replica)
                    await self.rounds(1)
            async with self.phase("normal operation again"):
                await self.rounds(1)


async def wait_until(condition: Callable[[], bool]) -> None:
    """Poll a condition until it is true."""
    end = time.monotonic() + TIMEOUT
    while not await asyncio.to_thread(condition):
        if time.monotonic() > end:
            raise TimeoutError("timed out")
        await asyncio.sleep(0.02)


async def kill_worker(replica: Replica) -> None:
    """SIGKILL one of two workers, and wait for its successor."""
    before = replica.workers()
    os.kill(min(before), signal.SIGKILL)
    await wait_until(lambda: len(replica.workers() - before) == 1)


async def replace(replica: Replica) -> None:
    """Replace a replica as a supervisor does: SIGTERM, the end, a start, the first healthy response."""
    replica.stop()
    await wait_until(lambda: replica.process.poll() is not None)
    replica.start()
    await wait_until(replica.healthy)


def request_body(number: int) -> bytes:
    """The body of a request that the page sends, in its default state."""
    return json.dumps(callback_request("explanation", "state", {"ask": number, "state": State().to_json()})).encode()


def numbered(answer: bytes, number: int) -> bytes:
    """The same answer with another request number."""
    return NUMBER.sub(rb"\g<1>%d" % number, answer, count=1)


async def reference_answer(replica: Replica) -> bytes:
    """The answer of a replica without any failure."""
    student = Student(replica.port, b"")
    status, body = await student.exchange(request_body(0))
    student.close()
    if status != 200 or not NUMBER.search(body):
        raise RuntimeError(f"the request was refused: {status} {body[:200]!r}")
    return body


def table(phases: list[Phase]) -> str:
    """The results, one line per phase."""
    head = f"{'':36}{'sent':>7}{'right':>7}{'lost':>6}{'second replica':>16}{'median':>10}{'p95':>10}{'slowest':>10}"
    return "\n".join([head, *map(_line, phases)])


def _line(phase: Phase) -> str:
    times = [1000 * seconds for seconds in phase.seconds] or [0.0]
    p95 = quantiles(times, n=20)[-1] if len(times) > 1 else times[0]
    shown = "".join(f"{time:>7.0f} ms" for time in (median(times), p95, max(times)))
    return f"{phase.name:36}{phase.sent:>7}{len(phase.seconds):>7}{len(phase.lost):>6}{phase.retried:>16}{shown}"


async def run(students: int, pause: float, folder: Path, program: str) -> list[Phase]:
    """Start the servers, run all phases, stop the servers."""
    replicas = [Replica(folder), Replica(folder)]
    try:
        for replica in replicas:
            await wait_until(replica.healthy)
        with closing(Nginx(program, folder, replicas)) as nginx:
            failover_run = FailoverRun(nginx, await reference_answer(replicas[0]), students=students, pause=pause)
            await failover_run.run_phases(replicas)
            return failover_run.phases
    finally:
        for replica in replicas:
            with suppress(OSError):
                replica.close()


def main() -> None:
    """Run it, print the table, and exit with 1 if a request was lost."""
    parser = argparse.ArgumentParser(description="Kill and replace replicas behind nginx under a class of students.")
    parser.add_argument("--students", type=int, default=150)
    parser.add_argument("--pause", type=float, default=2.0, help="mean seconds from a student's answer to the next request")
    chosen = parser.parse_args()
    program = find_nginx() or sys.exit(NO_NGINX)
    with tempfile.TemporaryDirectory(prefix="failover-") as folder:
        phases = asyncio.run(run(chosen.students, chosen.pause, Path(folder), program))
    print(f"{chosen.students} students, a request each {chosen.pause:g} s, two replicas of two workers behind nginx\n")
    print(table(phases))
    for reason in [reason for phase in phases for reason in phase.lost][:10]:
        print(f"lost: {reason}")
    sys.exit(any(phase.lost for phase in phases))


if __name__ == "__main__":
    main()
