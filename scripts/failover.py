"""``make failover``: does anybody notice when replicas die or are replaced?

Two replicas and nginx with the configuration of deploy/ serve a class of students who ask a question every two seconds and
check each answer to the last byte. Meanwhile a worker is killed, a replica is killed, and both are replaced in turn. Students
never ask again, so each question without its right answer in the time that the page waits for it is lost, and one lost makes
the exit code 1.
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
sys.path.insert(0, str(ROOT))  # when it is called by its path

from bench.asking import callback_request  # noqa: E402
from bench.students import STROKE_LOST  # noqa: E402
from bench.wire import read_reply  # noqa: E402
from explorer.state import State  # noqa: E402
from scripts.replicas import PATIENCE, Nginx, Replica, find_nginx  # noqa: E402

NO_NGINX = "nginx was not found. On Debian: apt-get install nginx-light"
ASK = re.compile(rb'(\\?"ask\\?": ?)\d+')  # in an answer its JSON is text within JSON
UPDATE = "/_dash-update-component"


@dataclass(slots=True)
class Scene:
    """What happened, and how its questions fared."""

    name: str
    sent: int = 0
    seconds: list[float] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    asked_again: int = 0

    @property
    def ended(self) -> int:
        """Questions that have an end, good or bad."""
        return len(self.seconds) + len(self.lost)


class Student:
    """Keeps one connection, asks, and knows the right answer."""

    def __init__(self, port: int, right: bytes, patience: float = PATIENCE) -> None:
        self.port = port
        self.right = right
        self.patience = patience
        self.streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, number: int) -> None:
        """Ask the question of this number.

        Raises:
            RuntimeError: the answer is not the right one.
            OSError, TimeoutError: there is none.
        """
        async with asyncio.timeout(self.patience):
            status, body = await self.exchange(question(number))
        if status != 200:
            raise RuntimeError(f"{status} {body[:80]!r}")
        if body != numbered(self.right, number):
            raise RuntimeError("a wrong answer")

    async def exchange(self, body: bytes) -> tuple[int, bytes]:
        """Status and body of the answer, whatever they are."""
        if self.streams is None:
            self.streams = await asyncio.open_connection("127.0.0.1", self.port)
        reader, writer = self.streams
        head = f"POST {UPDATE} HTTP/1.1\r\nHost: explorer\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        reply = await read_reply(reader)
        if reply.headers.get("connection", "").lower() == "close":
            self.leave()
        return reply.status, reply.raw

    def leave(self) -> None:
        """Close the connection; the next question opens another."""
        if self.streams is not None:
            self.streams[1].close()
            self.streams = None


class Lecture:
    """The class, and what is done to its servers: one scene after another."""

    def __init__(self, nginx: Nginx, right: bytes, *, students: int, pause: float, patience: float = STROKE_LOST) -> None:
        self.nginx = nginx
        self.right = right
        self.students = students
        self.pause = pause
        self.patience = patience
        self.number = 0
        self.over = asyncio.Event()
        self.scenes: list[Scene] = []

    @asynccontextmanager
    async def scene(self, name: str) -> AsyncIterator[Scene]:
        """Count what is asked from here on under this name."""
        scene, before = Scene(name), self.nginx.asked_again()
        self.scenes.append(scene)
        yield scene
        scene.asked_again = self.nginx.asked_again() - before

    @asynccontextmanager
    async def attended(self) -> AsyncIterator[None]:
        """The class is there. At the end nobody asks anew, and whatever was asked is answered or lost."""
        attending = [asyncio.create_task(self.attend(seed)) for seed in range(self.students)]
        try:
            yield
            self.over.set()
            await asyncio.gather(*attending)
        finally:
            for task in attending:
                task.cancel()

    async def attend(self, seed: int) -> None:
        """One student, until the end."""
        chance, student = random.Random(seed), Student(self.nginx.port, self.right, self.patience)
        await self.rest(chance.uniform(0, self.pause))
        while not self.over.is_set():
            await self.ask(student)
            await self.rest(self.pause * chance.uniform(0.5, 1.5))
        student.leave()

    async def ask(self, student: Student) -> None:
        """A question of this student; it belongs to the scene that it was asked in."""
        self.number += 1
        scene, begin = self.scenes[-1], time.perf_counter()
        scene.sent += 1
        try:
            await student.ask(self.number)
            scene.seconds.append(time.perf_counter() - begin)
        except (OSError, RuntimeError) as error:
            scene.lost.append(f"{type(error).__name__}: {error}")
            student.leave()

    async def rest(self, seconds: float) -> None:
        """Wait so long, or until the end."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self.over.wait(), seconds)

    async def rounds(self, count: int) -> None:
        """Go on until as many further questions have an end as make these rounds of the class."""
        goal = sum(scene.ended for scene in self.scenes) + count * self.students
        await until(lambda: sum(scene.ended for scene in self.scenes) >= goal)

    async def give(self, replicas: list[Replica]) -> None:
        """All scenes, with the class before the servers from the first to the last."""
        async with self.attended():
            async with self.scene("all is well"):
                await self.rounds(2)
            async with self.scene("a worker is killed, and comes back"):
                await kill_worker(replicas[0])
                await self.rounds(1)
            async with self.scene("a replica is killed"):
                replicas[0].kill()
                await self.rounds(2)
            async with self.scene("it comes back"):
                replicas[0].start()
                await until(replicas[0].healthy)
                await self.rounds(1)
            for name, replica in zip(("one replica is replaced", "and the other one"), replicas, strict=True):
                async with self.scene(name):
                    await replace(replica)
                    await self.rounds(1)
            async with self.scene("all is well again"):
                await self.rounds(1)


async def until(true: Callable[[], bool]) -> None:
    """Wait for it to be true."""
    end = time.monotonic() + PATIENCE
    while not await asyncio.to_thread(true):
        if time.monotonic() > end:
            raise TimeoutError("it takes too long")
        await asyncio.sleep(0.02)


async def kill_worker(replica: Replica) -> None:
    """SIGKILL one worker of two, and wait for its successor."""
    before = replica.workers()
    os.kill(min(before), signal.SIGKILL)
    await until(lambda: len(replica.workers() - before) == 1)


async def replace(replica: Replica) -> None:
    """As a supervisor does it: SIGTERM, the end, a start, the first healthy answer."""
    replica.stop()
    await until(lambda: replica.process.poll() is not None)
    replica.start()
    await until(replica.healthy)


def question(number: int) -> bytes:
    """What the page asks when its default state is changed."""
    return json.dumps(callback_request("explanation", "state", {"ask": number, "state": State().to_json()})).encode()


def numbered(answer: bytes, number: int) -> bytes:
    """The same answer to the question of another number."""
    return ASK.sub(rb"\g<1>%d" % number, answer, count=1)


async def right_answer(replica: Replica) -> bytes:
    """What a replica says by itself, when nothing goes wrong."""
    student = Student(replica.port, b"")
    status, body = await student.exchange(question(0))
    student.leave()
    if status != 200 or not ASK.search(body):
        raise RuntimeError(f"the question is not understood: {status} {body[:200]!r}")
    return body


def table(scenes: list[Scene]) -> str:
    """The figures, a line for each scene."""
    head = f"{'':36}{'sent':>7}{'right':>7}{'lost':>6}{'second replica':>16}{'median':>10}{'p95':>10}{'slowest':>10}"
    return "\n".join([head, *map(_line, scenes)])


def _line(scene: Scene) -> str:
    times = [1000 * seconds for seconds in scene.seconds] or [0.0]
    p95 = quantiles(times, n=20)[-1] if len(times) > 1 else times[0]
    shown = "".join(f"{time:>7.0f} ms" for time in (median(times), p95, max(times)))
    return f"{scene.name:36}{scene.sent:>7}{len(scene.seconds):>7}{len(scene.lost):>6}{scene.asked_again:>16}{shown}"


async def run(students: int, pause: float, folder: Path, program: str) -> list[Scene]:
    """Everything, from the first start to the last stop."""
    replicas = [Replica(folder), Replica(folder)]
    try:
        for replica in replicas:
            await until(replica.healthy)
        with closing(Nginx(program, folder, replicas)) as nginx:
            lecture = Lecture(nginx, await right_answer(replicas[0]), students=students, pause=pause)
            await lecture.give(replicas)
            return lecture.scenes
    finally:
        for replica in replicas:
            with suppress(OSError):
                replica.close()


def main() -> None:
    """Run it, print the table, and fail when a question was lost."""
    parser = argparse.ArgumentParser(description="Kill and replace replicas behind nginx under a class of students.")
    parser.add_argument("--students", type=int, default=150)
    parser.add_argument("--pause", type=float, default=2.0, help="mean seconds from a student's answer to the next question")
    chosen = parser.parse_args()
    program = find_nginx() or sys.exit(NO_NGINX)
    with tempfile.TemporaryDirectory(prefix="failover-") as folder:
        scenes = asyncio.run(run(chosen.students, chosen.pause, Path(folder), program))
    print(f"{chosen.students} students, a question each {chosen.pause:g} s, two replicas of two workers behind nginx\n")
    print(table(scenes))
    for why in [why for scene in scenes for why in scene.lost][:10]:
        print(f"lost: {why}")
    sys.exit(any(scene.lost for scene in scenes))


if __name__ == "__main__":
    main()
