"""``make classroom``: rooms on loopback, on ``ROOMS=1 WORKERS=2 python app.py``, with classes of simulated pages.

    make classroom                              everything, with 300 students
    make classroom ARGS='100 --only follow'     one of: follow, scrub, idle, rooms, polling, kill, redis
    make classroom ARGS='--redis'               the rooms are in a redis-server of its own instead of SQLite

A delay starts when the teacher's page sends, and ends when a student's page has read the whole message. News is lost for a student
whose page read neither it nor newer news. The pages that listen run in this program, those that paint in another, all on the server's processors.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from random import Random

import uvloop

from bench import processes
from bench.asking import free_port
from bench.painting import painting
from bench.pairs import percentile
from bench.rooms import Page, Room, attending, new_id, new_room, some_picture, some_state
from bench.serving import running
from bench.soak import idle_usage
from bench.students import now, sleep_until
from bench.wire import Endpoint

EVERY = 2.0  # seconds between two changes of a teacher: a second of painting, the change itself, a pause
PAINTED = 10  # pictures a second that a teacher's page sends while a stroke lasts
SETTLE = 5.0  # seconds after the last change in which it still counts as late, not lost
MOST_DELAY, MOST_RATIO, MOST_MESSAGES = 500.0, 1.3, 10.0  # the aims: ms (p95), strokes' p95 with and without a room, messages a second
PAIRS, WINDOW, QUIET = 16, 6.0, 2.5  # windows of strokes without and with a room, their seconds, and those after the pages came or went
RESAMPLED = 500  # times
SCRUB = 60  # changes of the playhead a second
DOWN = 3.0  # seconds until a killed Redis is started again


@dataclass(slots=True)
class Sent:
    """What teachers sent: the room's pages, the part, the number, and when."""

    news: list[tuple[list[Page], str, int, float]] = field(default_factory=list)

    def delays(self, *parts: str) -> tuple[list[float], int]:
        """The delays in ms of these parts at all pages, and how many were lost."""
        delays, lost = [], 0
        for pages, part, number, at in self.news:
            if part in parts:
                for page in pages:
                    arrived = page.heard.arrived(part, number)
                    lost += arrived is None
                    delays += [] if arrived is None else [1000 * (arrived - at)]
        return delays, lost


@dataclass(slots=True)
class Meter:
    """Processor time of a server, of the simulated pages and of all others in a block, in cores."""

    server: float = 0.0
    pages: float = 0.0
    others: float = 0.0

    def __str__(self) -> str:
        busy = "; OTHERS HAD MUCH OF THE MACHINE: delays are too high" if self.others > 0.5 else ""
        return f"server {self.server:.2f} cores, pages {self.pages:.2f}, others {self.others:.2f}{busy}"


@contextmanager
def metered(pid: int, *painting: int) -> Iterator[Meter]:
    """Measure in the block; ``painting`` are other processes of simulated pages."""
    meter, pids, pages = Meter(), processes.process_tree(pid), [os.getpid(), *painting]
    start, own, theirs, busy = time.monotonic(), processes.cpu_seconds(pages), processes.cpu_seconds(pids), processes.machine_cpu_seconds()
    yield meter
    took = time.monotonic() - start
    meter.server, meter.pages = (processes.cpu_seconds(pids) - theirs) / took, (processes.cpu_seconds(pages) - own) / took
    meter.others = max(0.0, (processes.machine_cpu_seconds() - busy) / took - meter.server - meter.pages)


# ---------------------------------------------------------------- teachers


async def teach(room: Room, sent: Sent, seconds: float, rng: Random, *, every: float = EVERY, painting: bool = True) -> None:
    """Change something now and then: paint for half of the time, then send the state, as the page does."""
    begin = now()
    teacher = room.teacher
    for turn in range(int(seconds / every)):
        await sleep_until(begin + turn * every)
        for stroke in range(int(PAINTED * every / 2) if painting else 0):
            await sleep_until(begin + turn * every + stroke / PAINTED)
            number = teacher.number()
            sent.news.append((room.students, "paint", number, now()))
            await teacher.done("lead", n=number, pixels=some_picture(rng))
        number, at = teacher.number(), now()
        sent.news += [(room.students, part, number, at) for part in ("lead", "answer")]
        await teacher.done("lead", n=number, state=some_state(rng))
    await sleep_until(begin + seconds)
    await settled(sent)


async def settled(sent: Sent) -> None:
    """Wait until all pages have the newest news, or it counts as lost."""
    newest = {(id(pages), part): (pages, part, number) for pages, part, number, _ in sent.news}
    end = now() + SETTLE
    while now() < end and any(page.heard.newest(part) < number for pages, part, number in newest.values() for page in pages):
        await asyncio.sleep(0.05)


# ---------------------------------------------------------------- what is measured; each returns what missed its aim


async def follow(endpoint: Endpoint, server: int, students: int, seconds: float) -> list[str]:
    """Strokes of a class without and with a room, in turn in one run, and how soon the teacher's changes come."""
    sent, sizes = Sent(), list[float]()
    windows: dict[bool, list[tuple[float, float]]] = {False: [], True: []}
    use: dict[bool, list[Meter]] = {False: [], True: []}
    async with painting(endpoint, students) as (log, others):
        room, rng = await new_room(endpoint, students, "follow"), Random(1)
        for turn in range(2 * PAIRS):
            with_room = turn % 4 in (1, 2)
            async with attending([room] if with_room else []) as pages:
                await asyncio.sleep(QUIET)
                before = sum(page.heard.read().size for page in pages)
                with metered(server, others) as meter:
                    start = now()
                    await (teach(room, sent, WINDOW, rng) if with_room else asyncio.sleep(WINDOW))
                windows[with_room].append((start, start + WINDOW))
                use[with_room].append(meter)
                sizes += [sum(page.heard.read().size for page in pages) - before]
        await room.teacher.done("end")
    missed = _told(sent, f"{students} students, beside their own strokes", {"picture while painted": ("paint",), "state": ("lead",), "its answer": ("answer",)})
    strokes = {on: [[1000 * took for due, took in log.waits["stroke"] if a <= due < b] for a, b in windows[on]] for on in windows}
    for on, title in ((False, "without a room"), (True, "with it")):
        mean = Meter(*(sum(getattr(meter, name) for meter in use[on]) / PAIRS for name in ("server", "pages", "others")))
        line(f"their strokes {title}", [wait for waits in strokes[on] for wait in waits], after=f"   {mean}")
    ratio, low, high = ratio_of_percentiles(strokes[True], strokes[False], 0.95)
    print(f"  strokes' p95 with a room: {ratio:.2f} × that without (90 % of resampled windows: {low:.2f} to {high:.2f}; aim: ≤ {MOST_RATIO:g})")
    print(f"  {sum(sizes) / PAIRS / WINDOW / students / 1000:.1f} kB/s a student; {log}", flush=True)
    log.print_errors()
    missed += [f"strokes' p95 is {ratio:.2f} × that without a room"] if ratio > MOST_RATIO else []
    return missed + ([f"{log.counts['errors']} errors of students"] if log.counts["errors"] else [])


def ratio_of_percentiles(some: Sequence[Sequence[float]], others: Sequence[Sequence[float]], share: float) -> tuple[float, float, float]:
    """The percentile of all values of some windows by that of the others, and the range of 90 % of it when pairs of windows are drawn again (bootstrap)."""

    def ratio(pairs: Sequence[int]) -> float:
        above, below = (percentile([value for pair in pairs for value in windows[pair]], share) for windows in (some, others))
        return above / below

    pairs, rng = range(len(some)), Random(1)
    drawn = [ratio(rng.choices(pairs, k=len(pairs))) for _ in range(RESAMPLED)]
    return ratio(pairs), percentile(drawn, 0.05), percentile(drawn, 0.95)


async def scrub(endpoint: Endpoint, server: int, students: int, seconds: float) -> list[str]:
    """A teacher who scrubs at 60 Hz; its page would send 10 a second, but here each is sent."""
    room, sent, count = await new_room(endpoint, students, "scrub"), Sent(), 0
    async with attending([room]) as pages:
        await asyncio.sleep(1)
        before = [len(page.heard.read().messages) for page in pages]
        with metered(server) as meter:
            begin, step = now(), 0
            while (at := now()) < begin + seconds:
                number, count = room.teacher.number(), count + 1
                await room.teacher.done("lead", n=number, look={"step": step % 50, "count": 50})
                sent.news.append((room.students, "look", number, at))
                step += 1
                await sleep_until(max(now(), begin + count / SCRUB))
        took = now() - begin
        await settled(sent)
        messages = [(len(page.heard.read().messages) - old) / took for page, old in zip(pages, before, strict=True)]
    await room.teacher.done("end")
    missed = _told(sent, f"{students} students, a teacher who scrubs: {count / took:.0f} changes a second", {"playhead": ("look",)})
    print(f"  messages a second a student: {sum(messages) / len(messages):.1f}, at most {max(messages):.1f} (aim: ≤ {MOST_MESSAGES:g}); {meter}", flush=True)
    return missed + ([f"{max(messages):.1f} messages a second"] if max(messages) > 1.02 * MOST_MESSAGES else [])  # the last may be just inside


async def idle(endpoint: Endpoint, server: int, students: int, seconds: float) -> list[str]:
    """1,000 pages that listen while nothing happens."""
    rooms = [await new_room(endpoint, 250, f"idle {number}") for number in range(4)]
    await asyncio.sleep(3)
    pids = processes.workers(server)
    before = processes.usage(pids)
    async with attending(rooms) as pages:
        await asyncio.sleep(5)
        with metered(server) as meter:
            await asyncio.sleep(seconds)
        after = processes.usage(pids)
        broken = sum(page.counts["broken"] for page in pages)
    growth = after.memory - before.memory
    print(f"\n1,000 pages that listen, in 4 rooms, for {seconds:g} s")
    print(f"  workers' memory {before.memory / 2**20:.0f} → {after.memory / 2**20:.0f} MB (PSS): {growth / len(pages) / 1024:.0f} kB a page; {meter}; {broken} streams broke", flush=True)
    for room in rooms:
        await room.teacher.done("end")
    return [f"{broken} idle streams broke"] if broken else []


async def many(endpoint: Endpoint, server: int, students: int, seconds: float) -> list[str]:
    """Ten rooms of thirty at once."""
    rooms, sent = [await new_room(endpoint, 30, f"room {number}") for number in range(10)], Sent()
    async with attending(rooms):
        with metered(server) as meter:
            await asyncio.gather(*(teach(room, sent, seconds, Random(number)) for number, room in enumerate(rooms)))
    missed = _told(sent, "10 rooms of 30", {"picture while painted": ("paint",), "state": ("lead",), "its answer": ("answer",)})
    print(f"  {meter}", flush=True)
    for room in rooms:
        await room.teacher.done("end")
    return missed


async def polling(endpoint: Endpoint, server: int, students: int, seconds: float) -> list[str]:
    """A class behind a proxy that lets no stream through."""
    room, sent = await new_room(endpoint, students, "polling"), Sent()
    async with attending([room], polling=True) as pages:
        with metered(server) as quiet:
            await asyncio.sleep(seconds)
        with metered(server) as meter:
            await teach(room, sent, seconds, Random(1))
        counts = sum((page.counts for page in pages), Counter[str]())
        waits = [wait for page in pages for wait in page.heard.waits]
    await room.teacher.done("end")
    _, lost = sent.delays("lead")
    _told(sent, f"{students} students who poll every 2 s", {"state": ("lead",), "its answer": ("answer",)}, most=None)
    line("one poll", waits)
    print(f"  quiet: {quiet}; teaching: {meter}; {dict(counts)}", flush=True)
    return [f"{lost} lost by polling"] if lost else []


async def killed(endpoint: Endpoint, server: int, students: int, seconds: float) -> list[str]:
    """One of two workers is killed while the class follows and sends pictures."""

    async def strike() -> None:
        os.kill(min(processes.workers(server)), signal.SIGKILL)

    return await struck(endpoint, students, strike, f"{students} students, one of two workers killed")


async def redis_killed(endpoint: Endpoint, redis: Redis, students: int) -> list[str]:
    """Redis is killed and started again while the class follows and sends pictures."""

    async def strike() -> None:
        redis.kill()
        await asyncio.sleep(DOWN)
        redis.start()

    return await struck(endpoint, students, strike, f"{students} students, Redis killed, and started again after {DOWN:g} s")


async def struck(endpoint: Endpoint, students: int, strike: Callable[[], Awaitable[None]], title: str) -> list[str]:
    """Have something die at the third second of ten, in which each student sends a picture and the teacher changes something each second."""
    room, sent, rng = await new_room(endpoint, students, "struck"), Sent(), Random(3)
    waits: list[tuple[float, float, int]] = []
    ids: list[str] = []

    async def send(page: Page, pause: float) -> None:
        await asyncio.sleep(pause)
        picture, due = new_id(), now()
        tries = await page.done("send", id=picture, state=some_state(page.rng))
        ids.append(picture)
        waits.append((due, now(), tries))

    async with attending([room]) as pages:
        await asyncio.sleep(1)
        begin = now()
        sending = [asyncio.create_task(send(page, rng.uniform(0, 10))) for page in pages]
        teaching = asyncio.create_task(teach(room, sent, 10, rng, every=1.0, painting=False))
        await sleep_until(begin + 3)
        at = now()
        await strike()
        await asyncio.gather(*sending, teaching)
        last = room.teacher.number()
        sent.news.append((room.students, "lead", last, now()))
        await room.teacher.done("lead", n=last, state=some_state(rng))
        await settled(sent)
        wall = {name.removeprefix("picture/") for name in await room.teacher.parts() if name.startswith("picture/")}
        broken = [(broke, back) for page in pages for broke, back in page.heard.breaks]
        away = [when - at for page in pages for when, on in page.heard.away if on]
        again = [when - at for page in pages for when, on in page.heard.away if not on]
        counts = sum((page.counts for page in pages), Counter[str]())
    await room.teacher.done("end")
    lost = len(set(ids) - wall)
    behind = sum(page.heard.newest("lead") < last for page in pages)
    delays, never = sent.delays("lead")
    print(f"\n{title}")
    print(f"  streams that broke {len(broken)}; again after " + _seconds([back - broke for broke, back in broken]))
    if away:
        print(f"  the store is away: said to {len(away)} pages after " + _seconds(away) + "; that it is back after " + _seconds(again))
    print(f"  pictures sent {len(ids)}, taken and not on the wall {lost}; sent again {sum(tries > 1 for *_, tries in waits)}; taken after " + _seconds([end - due for due, end, _ in waits]))
    print(f"  state at the pages after {_seconds([delay / 1000 for delay in delays])}; lost {never}; pages without the last one {behind}; {dict(counts)}", flush=True)
    return [f"{title}: {lost} pictures, {never} states lost"] if lost or never or behind else []


def _told(sent: Sent, title: str, what: dict[str, tuple[str, ...]], most: float | None = MOST_DELAY) -> list[str]:
    print(f"\n{title}\n  {'ms':<34} {'number':>8} {'p50':>7} {'p95':>7} {'max':>7}")
    missed = []
    for name, parts in what.items():
        delays, lost = sent.delays(*parts)
        line(f"{name} at all pages", delays, after=f"   lost {lost}")
        missed += [f"{title}: {lost} lost of: {name}"] if lost else []
        if most and delays and (slow := percentile(delays, 0.95)) > most:
            missed.append(f"{title}: {name} after {slow:.0f} ms (p95)")
    return missed


def line(title: str, waits: Sequence[float], after: str = "") -> None:
    """Print a line of a table, in ms."""
    figures = [percentile(waits, 0.5), percentile(waits, 0.95), max(waits)] if waits else [float("nan")] * 3
    print(f"  {title:<34} {len(waits):>8} " + " ".join(f"{figure:7.1f}" for figure in figures) + after, flush=True)


def _seconds(values: Sequence[float]) -> str:
    return f"{percentile(values, 0.5):.2f}/{percentile(values, 0.95):.2f}/{max(values):.2f} s (p50/p95/max)" if values else "–"


# ---------------------------------------------------------------- servers


class Redis:
    """A redis-server of this program's own, whose files end with it. It writes each change to its file before it answers."""

    def __init__(self, folder: str) -> None:
        self.port, self._folder = free_port(), folder
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it is."""
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start it, with what was there when it ended."""
        command = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--dir", self._folder, "--appendonly", "yes", "--save", ""]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)

    def kill(self) -> None:
        """End it at once."""
        if self._process:
            self._process.kill()
            self._process.wait()


@contextmanager
def own_redis() -> Iterator[Redis]:
    """Redis while the block lasts."""
    with tempfile.TemporaryDirectory() as folder:
        redis = Redis(folder)
        redis.start()
        time.sleep(0.5)
        try:
            yield redis
        finally:
            redis.kill()


MEASURES = {"follow": follow, "scrub": scrub, "idle": idle, "rooms": many, "polling": polling, "kill": killed}


def main(arguments: Sequence[str]) -> None:
    """Measure what is asked for, each with a server of its own; exits with 1 if an aim was missed."""
    parser = argparse.ArgumentParser(prog="make classroom", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("students", nargs="?", type=int, default=300)
    parser.add_argument("--seconds", type=float, default=20, help="how long each is measured, but for follow")
    parser.add_argument("--only", nargs="*", choices=[*MEASURES, "redis"], default=[*MEASURES, "redis"])
    parser.add_argument("--workers", default="2", help="of the server")
    parser.add_argument("--redis", action="store_true", help="rooms are in Redis instead of SQLite")
    given = parser.parse_args(arguments)
    with suppress(ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    missed: list[str] = []
    for name in given.only:
        if (given.redis or name == "redis") and not shutil.which("redis-server"):
            print(f"\n{name}: there is no redis-server here")
            continue
        with ExitStack() as stack:
            redis = stack.enter_context(own_redis()) if given.redis or name == "redis" else None
            settings = {"ROOMS": "1", "WORKERS": given.workers, "CACHE_MB": "0", "REDIS_URL": redis.url if redis else ""}
            port, server = stack.enter_context(running("app.py", **settings))
            endpoint = Endpoint("127.0.0.1", port)
            uvloop.run(idle_usage(server, None))  # all workers have started
            if name == "redis" and redis:
                missed += uvloop.run(redis_killed(endpoint, redis, given.students))
            else:
                missed += uvloop.run(MEASURES[name](endpoint, server, given.students, given.seconds))
    print("\n" + ("\n".join(f"MISSED: {one}" for one in missed) or "all aims were met"))
    sys.exit(bool(missed))
