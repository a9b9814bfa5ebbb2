"""Rooms as pages use them: a teacher, students who listen or poll, and what each of them heard and when."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any

from bench import retry
from bench.students import now
from bench.wire import BrokenResponse, Connection, Endpoint, Reply
from explorer.state import State

SAID = {part: b'"%b":{"n":' % part.encode() for part in ("lead", "paint", "look", "answer")}  # how the parts that a teacher's page writes begin
VERSION = b'"v":'
POLL_EVERY = (1.5, 2.5)  # seconds, at random between these
TIMEOUT = 10.0  # seconds for an answer
JOINING = 8  # connections by which a class joins


class RoomError(RuntimeError):
    """The server refused what must work; the message has its answer."""


@dataclass(slots=True)
class Heard:
    """What one page heard of its room. It is taken apart only by ``read``: one program listens for a whole class, on the server's processors.

    Attributes:
        news: by part, the number that the teacher's page gave to it, and when it came.
        messages: when each message came.
        size: bytes of all messages.
        breaks: when the connection broke, and when the first message came again.
        away: when the server said that the store is away, or is back.
        waits: ms for the answer to each poll.
    """

    news: dict[str, list[tuple[int, float]]] = field(default_factory=lambda: {part: [] for part in SAID})
    messages: list[float] = field(default_factory=list)
    size: int = 0
    version: int = 0
    breaks: list[tuple[float, float]] = field(default_factory=list)
    away: list[tuple[float, bool]] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    over: bool = False
    _came: list[tuple[float, bytes]] = field(default_factory=list)
    _rest: bytes = b""

    def came(self, data: bytes) -> None:
        """Note bytes of a stream, and when they came."""
        self._came.append((now(), data))

    def read(self) -> Heard:
        """Itself, with all that came by now taken apart. A message came with its last byte."""
        for at, data in self._came:
            *messages, self._rest = (self._rest + data).split(b"\n\n")
            for message in messages:
                if b"data: " in message:
                    self.take(message, at)
        self._came.clear()
        return self

    def broke(self) -> None:
        """The stream ended: the rest of a message never comes."""
        self.read()._rest = b""

    def take(self, message: bytes, at: float) -> None:
        """Note a message."""
        self.size += len(message)
        if message.endswith((b'{"away":true}', b'{"away":false}')):
            self.away.append((at, message.endswith(b"true}")))
            return
        if message.endswith(b'{"over":true}'):
            self.over = True
            return
        self.messages.append(at)
        for part, beginning in SAID.items():
            if number := _number_after(message, beginning):
                self.news[part].append((number, at))
        self.version = _number_after(message, VERSION) or self.version

    def newest(self, part: str) -> int:
        """The number of the newest news of a part; 0 for none."""
        return max((number for number, _ in self.read().news[part]), default=0)

    def arrived(self, part: str, number: int) -> float | None:
        """When the news with this number, or a newer one, came; None: never."""
        return min((at for found, at in self.read().news[part] if found >= number), default=None)


def _number_after(message: bytes, text: bytes) -> int:
    """The number after a text; 0 where there is none."""
    start = message.find(text) + len(text)
    return int(message[start : start + 15].split(b",")[0].rstrip(b"}")) if start >= len(text) else 0


class _Stream(asyncio.Protocol):
    """Has what comes on a stream noted, and tells when the first message is there."""

    def __init__(self, request: bytes, heard: Heard, began: asyncio.Event) -> None:
        self.request, self.heard, self.began = request, heard, began
        self.ended = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        transport.write(self.request)  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        self.heard.came(data)
        if not self.began.is_set() and b"data: " in data:
            self.began.set()

    def connection_lost(self, error: Exception | None) -> None:
        self.heard.broke()
        self.ended.set()


@dataclass(slots=True)
class Page:
    """The page of somebody in a room."""

    endpoint: Endpoint
    code: str
    token: str
    alias: str | None
    rng: Random
    heard: Heard = field(default_factory=Heard)
    began: asyncio.Event = field(default_factory=asyncio.Event)
    counts: Counter[str] = field(default_factory=Counter)
    connection: Connection = field(init=False)
    _last: int = 0

    def __post_init__(self) -> None:
        self.connection = Connection(self.endpoint, self.credential)

    @property
    def credential(self) -> bytes:
        """The header by which the server knows this page."""
        return b"Authorization: Bearer %b.%b\r\n" % (self.code.encode(), self.token.encode())

    # ---- listening

    async def listen(self) -> None:
        """Hold a stream, and open it again when it broke, until the task is cancelled or the room has ended."""
        failures, broke = 0, None
        path = f"{self.endpoint.prefix}room/stream".encode()
        while not self.heard.over:
            request = b"GET %b HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n%bRoom-Since: %d\r\n\r\n" % (path, self.credential, self.heard.version)
            self.began.clear()
            stream = _Stream(request, self.heard, self.began)
            try:
                await asyncio.get_running_loop().create_connection(lambda stream=stream: stream, self.endpoint.host, self.endpoint.port)  # type: ignore[misc]
                beginning = asyncio.ensure_future(self.began.wait())
                ending = asyncio.ensure_future(stream.ended.wait())
                await asyncio.wait((beginning, ending), timeout=TIMEOUT, return_when=asyncio.FIRST_COMPLETED)
                if self.began.is_set():
                    failures = 0
                    if broke is not None:
                        self.heard.breaks.append((broke, now()))
                    broke = None
                    await ending
                beginning.cancel()
                ending.cancel()
            except OSError:
                pass
            finally:
                if hasattr(stream, "transport"):
                    stream.transport.close()
            self.counts["broken" if broke is None else "tried"] += 1
            broke = now() if broke is None else broke
            await asyncio.sleep(retry.pause_after(None, failures, self.rng))
            failures += 1

    async def poll(self) -> None:
        """Ask now and then instead, until the task is cancelled."""
        connection = Connection(self.endpoint)
        await asyncio.sleep(self.rng.uniform(0, POLL_EVERY[1]))
        while True:
            connection.headers = self.credential + (b'If-None-Match: "%d"\r\n' % self.heard.version if self.heard.version else b"")
            asked = now()
            reply = await connection.get(f"{self.endpoint.prefix}room/now")
            self.heard.waits.append(1000 * (now() - asked))
            self.counts[str(reply.status)] += 1
            if reply.status == 200:
                self.heard.take(reply.body, now())
                self.began.set()
            await asyncio.sleep(self.rng.uniform(*POLL_EVERY))

    # ---- doing

    async def do(self, name: str, **more: Any) -> Reply:
        """Do something once. Raises OSError or TimeoutError without an answer."""
        async with asyncio.timeout(TIMEOUT):
            return await self.connection.post(f"{self.endpoint.prefix}room/do", json.dumps({"do": name, **more}).encode())

    async def done(self, name: str, **more: Any) -> int:
        """Do something until it is done, as the page does; returns how many times it was sent.

        Raises:
            RoomError: it was refused for good.
        """
        for failures in range(60):
            after: int | None = None
            try:
                reply = await self.do(name, **more)
                if reply.status == 200:
                    return failures + 1
                if reply.status not in (429, 503):
                    raise RoomError(f"{name}: {reply.status}: {reply.body[:100]!r}")
                after = int(reply.headers.get("retry-after", "1"))
                self.counts[f"answer {reply.status}"] += 1
            except (BrokenResponse, OSError, TimeoutError):
                self.counts["no answer"] += 1
            await asyncio.sleep(retry.pause_after(after, failures, self.rng))
        raise RoomError(f"{name}: never done")

    async def parts(self) -> dict[str, Any]:
        """All parts that this page sees now."""
        reply = await self.connection.get(f"{self.endpoint.prefix}room/now")
        if reply.status != 200:
            raise RoomError(f"{reply.status}: {reply.body[:100]!r}")
        parts: dict[str, Any] = json.loads(reply.body)["parts"]
        return parts

    def number(self) -> int:
        """The next number of what this teacher's page sends."""
        self._last += 1
        return self._last


@dataclass(slots=True)
class Room:
    """A room with its teacher and its students."""

    teacher: Page
    students: list[Page]


async def new_room(endpoint: Endpoint, count: int, seed: str) -> Room:
    """Open a room, and have so many students join."""
    connection = Connection(endpoint)
    teacher = _page(endpoint, await connection.post(f"{endpoint.prefix}room/open", b"{}"), f"{seed} teacher")
    connection.close()

    async def join(numbers: Sequence[int]) -> list[Page]:
        connection = Connection(endpoint)
        body = json.dumps({"code": teacher.code}).encode()
        pages = [_page(endpoint, await connection.post(f"{endpoint.prefix}room/join", body), f"{seed} {number}") for number in numbers]
        connection.close()
        return pages

    joined = await asyncio.gather(*(join(range(first, count, JOINING)) for first in range(JOINING)))
    return Room(teacher, [page for pages in joined for page in pages])


def _page(endpoint: Endpoint, reply: Reply, seed: str) -> Page:
    if reply.status != 200:
        raise RoomError(f"{reply.status}: {reply.body[:100]!r}")
    given = json.loads(reply.body)
    return Page(endpoint, given["code"], given["token"], given.get("alias"), Random(seed))


@asynccontextmanager
async def attending(rooms: Sequence[Room], *, polling: bool = False) -> AsyncIterator[list[Page]]:
    """All students of these rooms listen while the block lasts."""
    pages = [page for room in rooms for page in room.students]
    tasks = [asyncio.create_task(page.poll() if polling else page.listen()) for page in pages]
    try:
        async with asyncio.timeout(60):
            await asyncio.gather(*(page.began.wait() for page in pages))
        yield pages
        for task in tasks:
            if task.done() and not task.cancelled() and task.exception():
                raise task.exception()  # type: ignore[misc]
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for page in (*pages, *(room.teacher for room in rooms)):
            page.connection.close()


def some_picture(rng: Random) -> list[float]:
    """A picture that nobody had before: strokes of several levels on black."""
    return [rng.randrange(21) / 20 if rng.random() < 0.4 else 0.0 for _ in range(64)]


def some_state(rng: Random) -> dict[str, Any]:
    """The opening state with such a picture."""
    return State(pixels=tuple(some_picture(rng))).to_json()


def new_id() -> str:
    """The id that a page makes for a picture."""
    return secrets.token_hex(6)
