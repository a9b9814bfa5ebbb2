"""What one worker holds of rooms: a replica of each room that it is asked for, and the listeners that are told what changed."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from typing import Any, Literal

import anyio
import orjson

from explorer.classroom.store import NOTHING, NoRoom, Part, Store, StoreAway

Role = Literal["teacher", "student"]

FOR_ALL = frozenset({"lead", "paint", "look", "answer", "methods", "lab", "screens", "poll", "challenge", "shown"})  # by the first word of a part's name
AUDIENCE: Mapping[Role, frozenset[str]] = {"student": FOR_ALL, "teacher": FOR_ALL | {"student", "here", "picture", "vote", "score"}}
PACE = 0.1  # seconds between two messages to a listener, at least
MOVING = frozenset({"paint", "look"})  # parts of which a newer one comes soon: telling a large class of each costs its own strokes time
EACH, SLOW = 0.002, 0.25  # seconds for each listener of this worker, and at most, between two such parts
AGAIN, LATEST = 0.02, 0.4  # seconds after which one that met waiting strokes tries again, and those after the last one when it waits no longer
UNUSED_AFTER = 600.0  # seconds after which a worker forgets its replica of a room that nobody listens to
HERE_EVERY, HERE_AFTER = 10.0, 1.0  # seconds between two counts of a room's listeners, and after a change of it
POLLS = 6.0  # seconds for which a page that polls counts as listening


class Room:
    """A replica of a room in this worker; it is changed only by ``Hub``. ``busy`` tells whether strokes wait to be computed."""

    def __init__(self, code: str, version: int, parts: Mapping[str, Part], busy: Callable[[], bool]) -> None:
        self._busy = busy
        self.code, self.version, self.parts = code, version, dict(parts)
        self.over = False
        self.listening = 0
        self.polled: dict[str, float] = {}  # by alias
        self.used = time.monotonic()
        self.refreshing: asyncio.Task[None] | None = None
        self._events: dict[Role, asyncio.Event] = {role: asyncio.Event() for role in AUDIENCE}
        self._said: dict[Role, float] = dict.fromkeys(AUDIENCE, 0.0)
        self._later: dict[Role, asyncio.TimerHandle] = {}
        self._messages: dict[tuple[Role, int], bytes] = {}

    def content(self, name: str) -> Any:
        """The content of a part; None where it was never written, or was erased."""
        part = self.parts.get(name)
        return None if part is None or part.content is None else orjson.loads(part.content)

    def version_of(self, name: str) -> int:
        """The version that a part was written with; 0 for never."""
        part = self.parts.get(name)
        return part.version if part else 0

    def names(self, prefix: str) -> list[str]:
        """The names of the parts below a prefix that are not erased."""
        return [name for name, part in self.parts.items() if part.content is not None and name.startswith(prefix)]

    def take(self, version: int, parts: Mapping[str, Part]) -> None:
        """Take over what the store has that is newer."""
        self.version = max(self.version, version)
        self.parts |= parts
        self._messages.clear()
        kinds = {name.partition("/")[0] for name in parts}
        for role, audience in AUDIENCE.items():
            if kinds & audience:
                self._tell(role, moving=not kinds & audience - MOVING)

    def _tell(self, role: Role, moving: bool) -> None:
        """Wake the listeners of a role, at most once in ``PACE``: one timer for all of them."""
        timer, said = self._later.get(role), self._said[role]
        if moving and timer:
            return
        if timer:
            timer.cancel()
        if moving:
            self._wake_at(role, said + min(SLOW, max(PACE, EACH * self.listening)), said + LATEST)
        else:
            self._wake_at(role, said + PACE, 0.0)

    def _wake_at(self, role: Role, due: float, latest: float) -> None:
        """Wake the listeners of a role when it is due; later while strokes wait, but not after ``latest``."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        if due <= now < latest and self._busy():
            due = now + AGAIN
        if due <= now:
            self._wake(role)
        else:
            self._later[role] = loop.call_at(due, self._wake_at, role, due, latest)

    def tell_now(self) -> None:
        """Wake all listeners at once."""
        for role in AUDIENCE:
            self._wake(role)

    def _wake(self, role: Role) -> None:
        if timer := self._later.pop(role, None):
            timer.cancel()
        self._said[role] = asyncio.get_running_loop().time()
        woken, self._events[role] = self._events[role], asyncio.Event()
        woken.set()

    def next_change(self, role: Role) -> asyncio.Event:
        """What is set when something changes for a role; taken before one looks whether something did."""
        return self._events[role]

    def parts_since(self, role: Role, since: int) -> bytes:
        """The members ``v``, ``now`` and ``parts`` of a message, without its opening brace. All listeners at one version share it."""
        key = (role, since)
        if key not in self._messages:
            audience = AUDIENCE[role]
            new = {
                name: None if part.content is None else orjson.Fragment(part.content)
                for name, part in self.parts.items()
                if part.version > since and (since or part.content is not None) and name.partition("/")[0] in audience
            }
            self._messages[key] = orjson.dumps({"v": self.version, "now": round(time.time(), 3), "parts": new})[1:]
        return self._messages[key]

    def has_news(self, role: Role, since: int) -> bool:
        """Whether a listener of a role lacks something."""
        return since < self.version and not self.parts_since(role, since).endswith(b'"parts":{}}')

    def count_here(self) -> int:
        """How many students' pages listen at this worker, or poll."""
        now = time.monotonic()
        self.polled = {alias: at for alias, at in self.polled.items() if now - at < POLLS}
        return self.listening + len(self.polled)


class Hub:
    """The rooms of one worker. It is used from one event loop only, so it needs no locks."""

    def __init__(self, store: Store, busy: Callable[[], bool] = lambda: False) -> None:
        self.store, self.busy, self.away = store, busy, False
        self.stopping: anyio.Event | None = None  # set by sse-starlette when the server is about to stop
        self.worker = secrets.token_hex(4)
        self._rooms: dict[str, Room] = {}
        self._loading: dict[str, asyncio.Task[Room]] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._counted: dict[str, int] = {}

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """The time in which the worker serves."""
        self.stopping = anyio.Event()
        await self.store.start(self._changed, self._is_away)
        keeping = asyncio.create_task(self._keep())
        self.begin(self._end_streams(self.stopping))
        try:
            yield
        finally:
            for task in (keeping, *self._tasks):
                task.cancel()
            await asyncio.gather(keeping, *self._tasks, return_exceptions=True)
            await self.store.stop()

    async def room(self, code: str) -> Room:
        """The replica of a room.

        Raises:
            NoRoom, StoreAway: see ``store``.
        """
        if (room := self._rooms.get(code)) is None:
            if code not in self._loading:
                self._loading[code] = asyncio.create_task(self._load(code))
                self._loading[code].add_done_callback(lambda _: self._loading.pop(code))
            room = await asyncio.shield(self._loading[code])
        room.used = time.monotonic()
        return room

    async def _load(self, code: str) -> Room:
        change = await self.store.read(code)
        room = self._rooms[code] = Room(code, change.version, change.parts, self.busy)
        self._changed(code)  # what was written between the reading and the watching
        return room

    async def write(self, room: Room, parts: Mapping[str, Any], expected: Mapping[str, int] = NOTHING, *, action: bool = True) -> None:
        """Write parts, and have the replica take them over; None erases a part.

        Raises:
            NoRoom, Conflict, StoreAway: nothing was written.
        """
        encoded = {name: None if content is None else orjson.dumps(content) for name, content in parts.items()}
        await self.store.write(room.code, encoded, expected, action=action)
        await self.refresh(room)

    async def refresh(self, room: Room) -> None:
        """Take over what is new in the store."""
        try:
            change = await self.store.read(room.code, room.version)
        except NoRoom:
            self._forget(room)
            raise
        room.take(change.version, change.parts)

    def polled(self, room: Room, alias: str) -> None:
        """Note that a page asked instead of listening."""
        if alias not in room.polled:
            self._count_soon(room)
        room.polled[alias] = time.monotonic()

    async def close(self, room: Room) -> None:
        """End a room: its parts are erased, and its listeners told."""
        await self.store.close(room.code)
        self._forget(room)

    async def listen(self, room: Room, role: Role, head: bytes, since: int) -> AsyncIterator[bytes]:
        """Messages, each as JSON: the first one at once, then whenever something changed.

        Args:
            head: the members of a message that are the listener's own, without braces.
            since: the version that the listener has; 0 for none.
        """
        first, away = True, False
        if role == "student":
            room.listening += 1
            self._count_soon(room)
        try:
            while not room.over and not (self.stopping and self.stopping.is_set()):
                changed = room.next_change(role)
                if self.away != away:
                    away = self.away
                    yield b'{"away":%s}' % (b"true" if away else b"false")
                if since > room.version:  # of another room that had this code
                    since, first = 0, True
                if first or room.has_news(role, since):
                    message = b"{" + head + b"," + room.parts_since(role, since)
                    since, first = room.version, False
                    yield message
                else:
                    since = room.version
                    await changed.wait()
            if room.over:
                yield b'{"over":true}'
        finally:
            if role == "student":
                room.listening -= 1
                self._count_soon(room)

    async def _end_streams(self, stopping: anyio.Event) -> None:
        await stopping.wait()
        for room in self._rooms.values():
            room.tell_now()

    # ---- what the store tells

    def _changed(self, code: str) -> None:
        room = self._rooms.get(code)
        if room and not room.over:
            if room.refreshing is None:
                room.refreshing = self.begin(self._refresh_told(room))
            else:
                room.refreshing = self.begin(self._after(room.refreshing, room))

    async def _after(self, task: asyncio.Task[None], room: Room) -> None:
        await asyncio.gather(task, return_exceptions=True)
        await self._refresh_told(room)

    async def _refresh_told(self, room: Room) -> None:
        with contextlib.suppress(NoRoom, StoreAway):  # when the store is back, all rooms are read again
            await self.refresh(room)
        if room.refreshing is asyncio.current_task():
            room.refreshing = None

    def _is_away(self, away: bool) -> None:
        self.away = away
        for room in list(self._rooms.values()):
            if not away:
                self._changed(room.code)
            room.tell_now()

    def _forget(self, room: Room) -> None:
        room.over = True
        self._forget_replica(room)
        room.tell_now()

    def _forget_replica(self, room: Room) -> None:
        if self._rooms.get(room.code) is room:
            del self._rooms[room.code]
            self._counted.pop(room.code, None)

    def begin(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Begin something that ends with the worker at the latest."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    # ---- how many listen

    def _count_soon(self, room: Room) -> None:
        asyncio.get_running_loop().call_later(HERE_AFTER, lambda: room.over or self.begin(self._count(room)))

    async def _count(self, room: Room, *, again: bool = False) -> None:
        count = room.count_here()
        if count == self._counted.get(room.code, 0) and not (again and count):
            return
        self._counted[room.code] = count
        with contextlib.suppress(NoRoom, StoreAway):
            await self.write(room, {f"here/{self.worker}": {"count": count, "at": round(time.time())}}, action=False)

    async def _keep(self) -> None:
        """Count again now and then, and forget replicas that nobody uses."""
        while True:
            await asyncio.sleep(HERE_EVERY)
            for room in list(self._rooms.values()):
                if room.count_here() == 0 and time.monotonic() - room.used > UNUSED_AFTER:
                    self._forget_replica(room)  # it may be gone by now: each count waits
                else:
                    await self._count(room, again=True)
                    self._changed(room.code)  # its time may be over, of which no store tells
