"""Simulated students who replay recorded visits: they send requests as the page does, and check the answers.

The schedule is fixed beforehand, so a slow server does not get fewer requests. Like the page a student has one request in
flight and keeps the newest pending; after a 503, or without an answer, it waits as retry.py says and sends the newest.
"""

from __future__ import annotations

import asyncio
import random
import re
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urljoin

from bench import retry
from bench.answers import KnownAnswers, WrongAnswer
from bench.bodies import Body, Session
from bench.wire import BrokenResponse, Connection, Endpoint, Reply

UPDATE = "_dash-update-component"
FILES = re.compile(r"""<(?:script|link|img)\b[^>]*?\b(?:src|href)=["'](?!data:)([^"'#]+)""")
STROKE_TIMEOUT, PORTION_TIMEOUT, FILE_TIMEOUT = 10.0, 20.0, 30.0  # seconds after which the page gives up a request
METHODS_DELAY = 0.2  # seconds from the last change to the request of methods
LIVE_SHARE = 8  # while a stroke lasts, the page waits this many times the last response time, as in session.js


@dataclass(frozen=True, slots=True)
class Behaviour:
    """A student's behaviour: mean seconds between strokes, and between looks at the Methods tab."""

    stroke: float
    methods: float | None = None


PAINTING = Behaviour(stroke=2)
COMPARING = Behaviour(stroke=2, methods=30)
IDLE = Behaviour(stroke=30)
CLASS = (PAINTING,) * 7 + (IDLE, COMPARING, IDLE, PAINTING, COMPARING, PAINTING) + (PAINTING,) * 7  # in turn: 80 %, 10 % and 10 %


@dataclass(slots=True)
class Log:
    """The results of a class.

    Attributes:
        waits: by kind ("opening", "stroke", "methods"): when the request was due and how long it took, in seconds.
        counts: answers, shed, errors, superseded strokes, dropped portions, bytes.
        errors: messages of the errors, and how often each occurred.
    """

    waits: dict[str, list[tuple[float, float]]] = field(default_factory=lambda: {"opening": [], "stroke": [], "methods": []})
    counts: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)

    def error(self, message: str) -> None:
        """Count an error."""
        self.counts["errors"] += 1
        self.errors[message] += 1

    def __str__(self) -> str:
        return ", ".join(f"{self.counts[name]} {name}" for name in ("answers", "shed", "superseded", "errors"))

    def print_errors(self) -> None:
        """Print the most frequent errors."""
        for message, times in self.errors.most_common(10):
            print(f"    {times} × {message}")


@dataclass(slots=True)
class Channel:
    """The connection for one of the callbacks, and the state of its retries.

    Attributes:
        connection: also used to load the page.
        timeout: seconds after which a request is given up.
        failures: consecutive failures.
        busy: whether the last failure was a 503.
        not_before: time of the next retry.
    """

    connection: Connection
    timeout: float
    failures: int = 0
    busy: bool = False
    not_before: float = 0.0


class Student:
    """One seeded visitor, with a browser of two connections and an unused spare one."""

    def __init__(self, endpoint: Endpoint, session: Session, behaviour: Behaviour, known: KnownAnswers, log: Log, seed: str) -> None:
        self.rng = random.Random(seed)
        self.behaviour, self.session, self.known, self.log = behaviour, session, known, log
        self.strokes = Channel(Connection(endpoint), STROKE_TIMEOUT)
        self.methods = Channel(Connection(endpoint), PORTION_TIMEOUT)
        self.spare = Connection(endpoint)
        self.endpoint, self.update = endpoint, f"{endpoint.prefix}{UPDATE}"
        self.opened = asyncio.Event()
        self._sent = 0
        self._pending: Body | None = None  # the next request
        self.unanswered: list[float] = []  # due times of it and of the requests that it superseded
        self._live_after = 0.0  # when an intermediate request of a stroke may be sent again
        self._sending: asyncio.Task[None] | None = None
        self._methods_task: asyncio.Task[None] | None = None

    async def visit(self, pause: float) -> None:
        """Open the page after a pause, and use it until the task is cancelled."""
        await asyncio.sleep(pause)
        await self._open()
        await self._stay()

    async def finish(self) -> None:
        """Wait for the answers to requests that were sent, as long as the page would."""
        tasks = [task for task in (self._sending, self._methods_task) if task is not None]
        if tasks:
            await asyncio.wait(tasks, timeout=STROKE_TIMEOUT)

    def close(self) -> None:
        """Close the page and drop requests in flight."""
        for task in (self._sending, self._methods_task):
            if task is not None:
                task.cancel()
        for connection in (self.strokes.connection, self.methods.connection, self.spare):
            connection.close()

    # ---- opening

    async def _open(self) -> None:
        began = now()
        with suppress(OSError):
            await self.spare.open()
        prefix, connections = self.endpoint.prefix, (self.strokes.connection, self.methods.connection)
        page = (await self._fetch(connections[0], prefix)).body.decode()
        files = list(dict.fromkeys(urljoin(prefix, address) for address in FILES.findall(page)))
        late = [prefix + name for name in ("_dash-layout", "_dash-dependencies")]
        for paths in (files, late):
            await asyncio.gather(*(self._fetch_all(connection, paths[i::2]) for i, connection in enumerate(connections)))
        while not await self._send(self.strokes, self.session.opening):
            pass
        self.log.waits["opening"].append((began, now() - began))
        self.opened.set()

    async def _fetch_all(self, connection: Connection, paths: list[str]) -> None:
        for path in paths:
            await self._fetch(connection, path)

    async def _fetch(self, connection: Connection, path: str) -> Reply:
        """Load a file of the page; a failure is an error, and is retried as by a reload."""
        while True:
            try:
                async with asyncio.timeout(FILE_TIMEOUT):
                    reply = await connection.get(path)
                if reply.status == 200 and reply.raw:
                    self.log.counts["files"] += 1
                    self.log.counts["bytes"] += len(reply.raw) + len(reply.head)
                    return reply
                self.log.error(f"{path}: status {reply.status}, {len(reply.raw)} bytes")
            except (OSError, TimeoutError) as failure:
                self.log.error(f"{path}: {str(failure) or f'no answer in {FILE_TIMEOUT:g} s'}")
            await asyncio.sleep(self.rng.uniform(0.75, 1.25))

    # ---- staying

    async def _stay(self) -> None:
        number = self.rng.randrange(len(self.session.strokes))
        when = now() + self.rng.uniform(0, self.behaviour.stroke)
        while True:
            await sleep_until(when)
            stroke = self.session.strokes[number % len(self.session.strokes)]
            for offset, body in stroke.requests:
                await sleep_until(when + offset)
                if now() >= self._live_after or body is stroke.requests[-1][1]:
                    self.request(body, when + offset)
            number += 1
            stroke_end = when + stroke.requests[-1][0]
            when = max(stroke_end, when) + self._pause(self.behaviour.stroke)
            if self.behaviour.methods and self.rng.random() < self.behaviour.stroke / self.behaviour.methods:
                when = stroke_end + self.rng.uniform(6, 14)  # looks, does not paint
                self._methods_task = asyncio.create_task(self._request_methods(stroke_end + METHODS_DELAY))
                await sleep_until(when)
                await self._leave_methods()

    def _pause(self, mean: float) -> float:
        """A random pause: a fifth of the mean plus an exponential part."""
        return 0.2 * mean + self.rng.expovariate(1 / (0.8 * mean))

    def request(self, body: Body, due: float) -> None:
        """Request an explanation of the newest picture, now or after the request in flight."""
        self._pending = body
        self.unanswered.append(due)
        if self._sending is None or self._sending.done():
            self._sending = asyncio.create_task(self._send_newest())

    async def _send_newest(self) -> None:
        while self._pending is not None:
            body, covered, sent = self._pending, len(self.unanswered), now()
            self._pending = None
            while not await self._send(self.strokes, body):
                if self._pending is not None:
                    body, covered, self._pending = self._pending, len(self.unanswered), None
            done = now()
            self._live_after = sent + LIVE_SHARE * (done - sent)
            if not self.methods.busy:
                self.methods.not_before = 0.0  # the server is reachable again
            self.log.waits["stroke"] += [(due, done - due) for due in self.unanswered[:covered]]
            self.log.counts["superseded"] += covered - 1
            del self.unanswered[:covered]

    # ---- the Methods tab

    async def _request_methods(self, due: float) -> None:
        await sleep_until(max(due, self.methods.not_before))
        portions = list(self.session.portions)
        while portions:
            if await self._send(self.methods, portions[0]):
                portions.pop(0)
                self.log.waits["methods"].append((due, now() - due))
                due = now()
            else:
                portions.append(portions.pop(0))  # continue with the others

    async def _leave_methods(self) -> None:
        if self._methods_task is not None and not self._methods_task.done():
            self._methods_task.cancel()
            self.log.counts["dropped"] += 1
            await asyncio.wait([self._methods_task])

    # ---- one request

    async def _send(self, channel: Channel, body: Body) -> bool:
        """Send a request once. Without an answer: wait as the page does, and return False so that the caller can retry."""
        self._sent += 1
        number = self._sent
        retry_after: int | None = None
        try:
            async with asyncio.timeout(channel.timeout):
                reply = await channel.connection.post(self.update, body.with_number(number))
            if reply.status == 503 and (after := reply.headers.get("retry-after", "")).isdigit():
                self.log.counts["shed"] += 1
                retry_after = int(after)
            else:
                self.known.check(body, number, reply)
                channel.failures = 0
                self.log.counts["answers"] += 1
                self.log.counts["answer bytes"] += len(reply.raw)
                return True
        except (WrongAnswer, BrokenResponse, OSError, TimeoutError) as failure:
            self.log.error(f"{body.output}: {str(failure) or f'no answer in {channel.timeout:g} s'}")
        channel.busy = retry_after is not None
        channel.not_before = now() + retry.pause_after(retry_after, channel.failures, self.rng)
        channel.failures += 1
        await sleep_until(channel.not_before)
        return False


def now() -> float:
    """The event loop's clock, in seconds."""
    return asyncio.get_running_loop().time()


async def sleep_until(moment: float) -> None:
    """Sleep until a moment of the event loop's clock; return at once if it is past."""
    await asyncio.sleep(max(0.0, moment - now()))


@asynccontextmanager
async def classroom(
    endpoint: Endpoint, count: int, *, ramp: float, seed: int, sessions: Sequence[Session], known: KnownAnswers, log: Log
) -> AsyncIterator[list[Student]]:
    """A class that arrives within ``ramp`` seconds and stays while the block lasts; then its requests in flight are awaited."""
    students = [
        Student(endpoint, sessions[i % len(sessions)], CLASS[i % len(CLASS)], known, log, f"{seed} {i}") for i in range(count)
    ]
    visits = [asyncio.create_task(student.visit(ramp * i / count)) for i, student in enumerate(students)]
    try:
        yield students
        for visit in visits:
            visit.cancel()
        results = await asyncio.gather(*visits, return_exceptions=True)
        await asyncio.gather(*(student.finish() for student in students))
        for student in students:
            for _ in student.unanswered:
                log.error("a stroke was never answered")
        for result in results:
            if isinstance(result, Exception):  # an error of the generator itself
                raise result
    finally:
        for task in visits:
            task.cancel()
        for student in students:
            student.close()
