"""Students of a class, played back from recorded visits: each asks as the page does, and checks what is answered.

When a student asks is decided beforehand, so a slow server is asked no less. Like the page a student has one question in
flight and the newest pending; on 503, or without an answer, it waits as patience.py says and asks the newest then.
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

from bench import patience
from bench.answers import Key, Wrong
from bench.bodies import Body, Session
from bench.wire import Broken, Connection, Place, Reply

UPDATE = "_dash-update-component"
FILES = re.compile(r"""<(?:script|link|img)\b[^>]*?\b(?:src|href)=["'](?!data:)([^"'#]+)""")
STROKE_LOST, PORTION_LOST, FILE_LOST = 10.0, 20.0, 30.0  # seconds after which the page gives a request up
QUIET = 0.2  # seconds after the last change before methods are asked for
LIVE_SHARE = 8  # so many times what the last answer took lie between questions while a stroke lasts, as in session.js


@dataclass(frozen=True, slots=True)
class Habits:
    """How often a student does what: seconds between strokes on average, and between looks at the Methods tab."""

    stroke: float
    methods: float | None = None


PAINTS = Habits(stroke=2)
LOOKS = Habits(stroke=2, methods=30)
IDLES = Habits(stroke=30)
CLASS = (PAINTS,) * 7 + (IDLES, LOOKS, IDLES, PAINTS, LOOKS, PAINTS) + (PAINTS,) * 7  # in turn: 80 %, 10 % and 10 %


@dataclass(slots=True)
class Log:
    """What a class met.

    Attributes:
        waits: by kind ("opening", "stroke", "methods"), when it was wanted and how long it took, in seconds.
        counts: answers, shed, errors, superseded strokes, dropped portions, bytes.
        faults: the errors in words, and how often each was met.
    """

    waits: dict[str, list[tuple[float, float]]] = field(default_factory=lambda: {"opening": [], "stroke": [], "methods": []})
    counts: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)

    def fault(self, what: str) -> None:
        """Count an error."""
        self.counts["errors"] += 1
        self.faults[what] += 1

    def __str__(self) -> str:
        return ", ".join(f"{self.counts[name]} {name}" for name in ("answers", "shed", "superseded", "errors"))

    def print_faults(self) -> None:
        """Those that were met most often."""
        for fault, times in self.faults.most_common(10):
            print(f"    {times} × {fault}")


@dataclass(slots=True)
class Line:
    """What a page asks one of its callbacks over.

    Attributes:
        connection: whatever is asked before the page is open takes it too.
        lost_after: seconds after which a question is given up.
        failures: how many in a row.
        busy: whether the last of them was a 503.
        not_before: until when it has to wait.
    """

    connection: Connection
    lost_after: float
    failures: int = 0
    busy: bool = False
    not_before: float = 0.0


class Student:
    """One visitor with a seeded mind of their own, and a browser with two connections, and one that it opened in vain."""

    def __init__(self, place: Place, session: Session, habits: Habits, key: Key, log: Log, seed: str) -> None:
        self.chance = random.Random(seed)
        self.habits, self.session, self.key, self.log = habits, session, key, log
        self.strokes = Line(Connection(place), STROKE_LOST)
        self.methods = Line(Connection(place), PORTION_LOST)
        self.spare = Connection(place)
        self.place, self.update = place, f"{place.prefix}{UPDATE}"
        self.opened = asyncio.Event()
        self._asked = 0
        self._newest: Body | None = None  # what is to be asked next
        self.unanswered: list[float] = []  # when it and those that it superseded were wanted
        self._live_from = 0.0  # when something passing may be asked again
        self._asking: asyncio.Task[None] | None = None
        self._looking: asyncio.Task[None] | None = None

    async def visit(self, pause: float) -> None:
        """Open the page after a pause, and stay until the task is cancelled."""
        await asyncio.sleep(pause)
        await self._open()
        await self._stay()

    async def settle(self) -> None:
        """Wait for the answer to what was already asked, for as long as the page would."""
        asked = [task for task in (self._asking, self._looking) if task is not None]
        if asked:
            await asyncio.wait(asked, timeout=STROKE_LOST)

    def leave(self) -> None:
        """Close the page, whatever is on its way."""
        for task in (self._asking, self._looking):
            if task is not None:
                task.cancel()
        for connection in (self.strokes.connection, self.methods.connection, self.spare):
            connection.close()

    # ---- opening

    async def _open(self) -> None:
        began = now()
        with suppress(OSError):
            await self.spare.open()
        prefix, connections = self.place.prefix, (self.strokes.connection, self.methods.connection)
        page = (await self._fetch(connections[0], prefix)).body.decode()
        files = list(dict.fromkeys(urljoin(prefix, address) for address in FILES.findall(page)))
        late = [prefix + name for name in ("_dash-layout", "_dash-dependencies")]
        for paths in (files, late):
            await asyncio.gather(*(self._fetch_all(connection, paths[i::2]) for i, connection in enumerate(connections)))
        while not await self._try(self.strokes, self.session.opening):
            pass
        self.log.waits["opening"].append((began, now() - began))
        self.opened.set()

    async def _fetch_all(self, connection: Connection, paths: list[str]) -> None:
        for path in paths:
            await self._fetch(connection, path)

    async def _fetch(self, connection: Connection, path: str) -> Reply:
        """A file of the page; one that does not come is an error, and asked for again as by a reload."""
        while True:
            try:
                async with asyncio.timeout(FILE_LOST):
                    reply = await connection.get(path)
                if reply.status == 200 and reply.raw:
                    self.log.counts["files"] += 1
                    self.log.counts["bytes"] += len(reply.raw) + len(reply.head)
                    return reply
                self.log.fault(f"{path}: status {reply.status}, {len(reply.raw)} bytes")
            except (OSError, TimeoutError) as broken:
                self.log.fault(f"{path}: {str(broken) or f'no answer in {FILE_LOST:g} s'}")
            await asyncio.sleep(self.chance.uniform(0.75, 1.25))

    # ---- staying

    async def _stay(self) -> None:
        number = self.chance.randrange(len(self.session.strokes))
        when = now() + self.chance.uniform(0, self.habits.stroke)
        while True:
            await until(when)
            stroke = self.session.strokes[number % len(self.session.strokes)]
            for offset, body in stroke.questions:
                await until(when + offset)
                if now() >= self._live_from or body is stroke.questions[-1][1]:
                    self.want(body, when + offset)
            number += 1
            painted = when + stroke.questions[-1][0]
            when = max(painted, when) + self._pause(self.habits.stroke)
            if self.habits.methods and self.chance.random() < self.habits.stroke / self.habits.methods:
                when = painted + self.chance.uniform(6, 14)  # looking, not painting
                self._looking = asyncio.create_task(self._look(painted + QUIET))
                await until(when)
                await self._stop_looking()

    def _pause(self, mean: float) -> float:
        """A fifth of the mean at least; the rest is as random as radioactive decay."""
        return 0.2 * mean + self.chance.expovariate(1 / (0.8 * mean))

    def want(self, body: Body, wanted: float) -> None:
        """Ask about the newest picture, now or as soon as the question in flight is answered."""
        self._newest = body
        self.unanswered.append(wanted)
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._pursue())

    async def _pursue(self) -> None:
        while self._newest is not None:
            body, covered, sent = self._newest, len(self.unanswered), now()
            self._newest = None
            while not await self._try(self.strokes, body):
                if self._newest is not None:
                    body, covered, self._newest = self._newest, len(self.unanswered), None
            done = now()
            self._live_from = sent + LIVE_SHARE * (done - sent)
            if not self.methods.busy:
                self.methods.not_before = 0.0  # the server was away, and is back
            self.log.waits["stroke"] += [(wanted, done - wanted) for wanted in self.unanswered[:covered]]
            self.log.counts["superseded"] += covered - 1
            del self.unanswered[:covered]

    # ---- the Methods tab

    async def _look(self, wanted: float) -> None:
        await until(max(wanted, self.methods.not_before))
        portions = list(self.session.portions)
        while portions:
            if await self._try(self.methods, portions[0]):
                portions.pop(0)
                self.log.waits["methods"].append((wanted, now() - wanted))
                wanted = now()
            else:
                portions.append(portions.pop(0))  # the others need not wait for it

    async def _stop_looking(self) -> None:
        if self._looking is not None and not self._looking.done():
            self._looking.cancel()
            self.log.counts["dropped"] += 1
            await asyncio.wait([self._looking])

    # ---- one question

    async def _try(self, line: Line, body: Body) -> bool:
        """Ask once. Not answered: wait as the page does, so that the caller may ask again."""
        self._asked += 1
        number = self._asked
        told: int | None = None
        try:
            async with asyncio.timeout(line.lost_after):
                reply = await line.connection.post(self.update, body.asking(number))
            if reply.status == 503 and (after := reply.headers.get("retry-after", "")).isdigit():
                self.log.counts["shed"] += 1
                told = int(after)
            else:
                self.key.check(body, number, reply)
                line.failures = 0
                self.log.counts["answers"] += 1
                self.log.counts["answer bytes"] += len(reply.raw)
                return True
        except (Wrong, Broken, OSError, TimeoutError) as wrong:
            self.log.fault(f"{body.output}: {str(wrong) or f'no answer in {line.lost_after:g} s'}")
        line.busy = told is not None
        line.not_before = now() + patience.pause_after(told, line.failures, self.chance)
        line.failures += 1
        await until(line.not_before)
        return False


def now() -> float:
    """The event loop's clock, in seconds."""
    return asyncio.get_running_loop().time()


async def until(moment: float) -> None:
    """Wait for a moment of the event loop's clock; the past is no wait."""
    await asyncio.sleep(max(0.0, moment - now()))


@asynccontextmanager
async def classroom(
    place: Place, count: int, *, ramp: float, seed: int, sessions: Sequence[Session], key: Key, log: Log
) -> AsyncIterator[list[Student]]:
    """A class that comes in within ``ramp`` seconds and stays as long as the block lasts; what it asked is then waited for."""
    students = [
        Student(place, sessions[i % len(sessions)], CLASS[i % len(CLASS)], key, log, f"{seed} {i}") for i in range(count)
    ]
    visits = [asyncio.create_task(student.visit(ramp * i / count)) for i, student in enumerate(students)]
    try:
        yield students
        for visit in visits:
            visit.cancel()
        ends = await asyncio.gather(*visits, return_exceptions=True)
        await asyncio.gather(*(student.settle() for student in students))
        for student in students:
            for _ in student.unanswered:
                log.fault("a stroke was never answered")
        for end in ends:
            if isinstance(end, Exception):  # the generator's own mistake
                raise end
    finally:
        for task in visits:
            task.cancel()
        for student in students:
            student.leave()
