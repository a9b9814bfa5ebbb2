"""Both kinds of store keep rooms alike: whole writes, versions without gaps, the time to live, and news for every worker."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from explorer.classroom.redis_store import RedisStore
from explorer.classroom.sqlite_store import FILE, SqliteStore
from explorer.classroom.store import TTL, Conflict, NoRoom, Part, Store, StoreAway
from tests.classroom.redis_server import RedisServer, needs_redis

Make = Callable[[float], Store]


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    yield server
    server.kill()


@pytest.fixture(params=["sqlite", pytest.param("redis", marks=needs_redis)])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Make:
    if request.param == "sqlite":
        return lambda ttl: SqliteStore(tmp_path, ttl)
    url = request.getfixturevalue("redis").url
    return lambda ttl: RedisStore(url, ttl)


def code() -> str:
    """A code that no other test has."""
    return f"room{random.SystemRandom().randrange(10**9)}"


@asynccontextmanager
async def started(make: Make, count: int = 1, ttl: float = TTL) -> AsyncIterator[tuple[list[Store], list[Counter[str]]]]:
    """Stores as of several workers, and how often each was told of a room."""
    stores, told = [make(ttl) for _ in range(count)], [Counter[str]() for _ in range(count)]
    for store, heard in zip(stores, told, strict=True):
        await store.start(lambda changed, heard=heard: heard.update([changed]), lambda away: None)  # type: ignore[misc]
    try:
        yield stores, told
    finally:
        for store in stores:
            await store.stop()


async def until(true: Callable[[], bool], seconds: float) -> float:
    """Seconds until it is so; fails after ``seconds``."""
    begun = time.monotonic()
    while not true():
        assert time.monotonic() - begun < seconds, "not in time"
        await asyncio.sleep(0.002)
    return time.monotonic() - begun


def run(test: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(30):
            await test()

    asyncio.run(bounded())


def test_a_random_sequence_of_operations_agrees_with_a_dictionary(make: Make) -> None:
    async def test() -> None:
        draw = random.Random(16)
        codes = [code() for _ in range(3)]
        rooms: dict[str, tuple[int, dict[str, Part]]] = {}
        async with started(make, 2) as (stores, _):
            for _ in range(600):
                store, room = draw.choice(stores), draw.choice(codes)
                version, parts = rooms.get(room, (0, {}))
                names = draw.sample(["lead", "poll", "picture/é", "vote/a/b"], draw.randint(0, 3))
                contents = {name: draw.choice([None, b"", b"\xff\x00\r\n", b"{}" * 40]) for name in names}
                match draw.choice(["open", "read", "write", "write", "expect", "close"] if draw.random() < 0.3 else ["write", "read", "expect"]):
                    case "open":
                        first = {name: content or b"1" for name, content in contents.items()}
                        assert await store.open(room, first) == (room not in rooms)
                        if room not in rooms:
                            rooms[room] = (1, {name: Part(1, content) for name, content in first.items()})
                    case "close":
                        await store.close(room)
                        rooms.pop(room, None)
                    case _ if room not in rooms:
                        with pytest.raises(NoRoom):
                            await store.read(room)
                        with pytest.raises(NoRoom):
                            await store.write(room, contents)
                    case "read":
                        since = draw.randint(0, version + 1)
                        change = await store.read(room, since)
                        assert change.version == version
                        assert dict(change.parts) == {name: part for name, part in parts.items() if part.version > since}
                    case kind:
                        expected = {}
                        if kind == "expect":
                            name = draw.choice(["lead", "poll", "never"])
                            expected = {name: parts[name].version if name in parts else 0}
                            if draw.random() < 0.5:
                                with pytest.raises(Conflict):
                                    await store.write(room, contents, {name: expected[name] + 1})
                        assert await store.write(room, contents, expected, action=draw.random() < 0.5) == version + 1
                        rooms[room] = (version + 1, parts | {name: Part(version + 1, content) for name, content in contents.items()})

    run(test)


def test_concurrent_writers_lose_nothing_and_versions_have_no_gaps(make: Make) -> None:
    async def add(store: Store, room: str, versions: list[int]) -> None:
        for _ in range(10):
            while True:
                part = (await store.read(room)).parts["count"]
                assert part.content is not None
                try:
                    versions.append(await store.write(room, {"count": b"%d" % (int(part.content) + 1)}, {"count": part.version}))
                    break
                except Conflict:
                    pass

    async def test() -> None:
        room, versions = code(), list[int]()
        async with started(make, 3) as (stores, _):
            assert sum(await asyncio.gather(*(store.open(room, {"count": b"0"}) for store in stores * 3))) == 1
            await asyncio.gather(*(add(store, room, versions) for store in stores * 2))
            assert sorted(versions) == list(range(2, 62))
            assert (await stores[0].read(room)).parts == {"count": Part(61, b"60")}
            # A conflict in one part leaves all others as they were.
            with pytest.raises(Conflict):
                await stores[1].write(room, {"count": None, "more": b"1"}, {"count": 61, "more": 1})
            assert (await stores[2].read(room)).parts == {"count": Part(61, b"60")}

    run(test)


def test_other_workers_are_told_soon_of_a_write_and_of_the_end(make: Make) -> None:
    async def test() -> None:
        room, waits = code(), list[float]()
        async with started(make, 2) as ((one, other), (heard_one, heard)):
            await one.open(room, {})
            await other.read(room)
            await asyncio.sleep(0.2)
            for i in range(10):
                heard.clear()
                heard_one.clear()
                await one.write(room, {"lead": b"%d" % i})
                waits.append(await until(lambda: heard[room] > 0 and heard_one[room] > 0, 2))
                await asyncio.sleep(0.013 * i)
            assert sorted(waits)[7] < 0.1, waits  # a busy machine may delay some
            heard.clear()
            await one.close(room)
            await until(lambda: heard[room] > 0, 2)
            with pytest.raises(NoRoom):
                await other.read(room)
            assert await other.open(room, {"lead": b"again"})
            assert (await one.read(room)).parts == {"lead": Part(1, b"again")}

    run(test)


def test_a_room_ends_its_time_to_live_after_the_last_action(make: Make) -> None:
    async def test() -> None:
        room, still = code(), code()
        async with started(make, 2, 0.8) as ((one, other), (_, heard)):
            await one.open(room, {"lead": b"1"})
            await one.open(still, {"lead": b"1"})
            await other.read(room)
            begun = time.monotonic()
            while time.monotonic() - begun < 1.2:
                await other.write(still, {"lead": b"2"})
                if time.monotonic() - begun < 0.5:
                    await one.write(room, {"lead": None, "more": b"3"}, action=False)
                    heard.clear()
                await asyncio.sleep(0.05)
            with pytest.raises(NoRoom):
                await one.read(room)
            with pytest.raises(NoRoom):
                await other.write(room, {})
            await one.read(still)
            await until(lambda: heard[room] > 0, 2)
            assert await one.open(room, {})
            assert (await one.read(room)).parts == {}

    run(test)


def test_sqlite_erases_what_ended_from_its_files(tmp_path: Path) -> None:
    async def test() -> None:
        def kept(word: bytes) -> bool:
            return any(word in file.read_bytes() for file in tmp_path.iterdir())

        async with started(lambda ttl: SqliteStore(tmp_path, ttl), 2, 0.6) as ((one, other), _):
            await one.open("a", {"lead": b"closed-room" * 900})
            assert kept(b"closed-room")
            await other.close("a")
            assert not kept(b"closed-room")
            await one.open("b", {"lead": b"expired-room" * 900})
            assert kept(b"expired-room")
            await until(lambda: not kept(b"expired-room"), 5)
            assert (tmp_path / FILE).stat().st_mode & 0o077 == 0

    run(test)


@needs_redis
def test_redis_is_killed_and_comes_back(tmp_path: Path) -> None:
    async def test() -> None:
        server, told, away = RedisServer(tmp_path), Counter[str](), list[bool]()
        store = RedisStore(server.url)
        try:
            await store.start(lambda room: told.update([room]), away.append)
            await store.open("a", {"lead": b"1"})
            assert away == []
            await asyncio.to_thread(server.kill)
            await until(lambda: away == [True], 2)
            for attempt in (store.read("a"), store.write("a", {"lead": b"lost"}), store.open("b", {}), store.close("a")):
                begun = time.monotonic()
                with pytest.raises(StoreAway):
                    await attempt
                assert time.monotonic() - begun < 2
            told.clear()
            await asyncio.to_thread(server.start)
            await until(lambda: away == [True, False] and told["a"] > 0, 5)
            assert await store.write("a", {"poll": b"2"}, {"lead": 1}) == 2
            assert (await store.read("a")).parts == {"lead": Part(1, b"1"), "poll": Part(2, b"2")}
            told.clear()
            await store.write("a", {})
            await until(lambda: told["a"] > 0, 2)
        finally:
            await store.stop()
            server.kill()

    run(test)
