"""Both kinds of store keep the same promises, under several workers at once; Redis also when it goes away and comes back."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from bench.asking import free_port
from explorer.classroom.redis_store import RedisStore
from explorer.classroom.sqlite_store import SqliteStore
from explorer.classroom.store import TTL, Conflict, NoRoom, Store, StoreAway

REDIS = shutil.which("redis-server")
needs_redis = pytest.mark.skipif(REDIS is None and os.environ.get("CI") != "true", reason="no redis-server")
Make = Callable[[float], Store]
SOON = 3.0  # seconds, on a slow machine


class RedisServer:
    """A Redis of its own, which can be killed and started again; it keeps nothing on disk."""

    def __init__(self, folder: Path) -> None:
        self.port, self.folder = free_port(), folder
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        assert REDIS, "redis-server is needed (on Debian: apt-get install redis-server)"
        self.process = subprocess.Popen(
            [REDIS, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", str(self.folder)], stdout=subprocess.DEVNULL
        )

    def kill(self) -> None:
        if self.process:
            self.process.kill()
            self.process.wait()


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.kill()


@pytest.fixture(params=["sqlite", pytest.param("redis", marks=needs_redis)])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Make:
    """Makes stores that share their rooms, as those of several workers do."""
    if request.param == "sqlite":
        return lambda ttl: SqliteStore(tmp_path, ttl)
    url = request.getfixturevalue("redis").url
    return lambda ttl: RedisStore(url, ttl)


class Watcher:
    """A store that runs, and what it told."""

    def __init__(self, store: Store) -> None:
        self.store, self.changed, self.away = store, asyncio.Queue[str](), list[bool]()

    async def told(self, code: str) -> None:
        """Wait until it told of a room."""
        async with asyncio.timeout(SOON):
            while await self.changed.get() != code:
                pass


@asynccontextmanager
async def running(*stores: Store) -> AsyncIterator[list[Watcher]]:
    watchers = [Watcher(store) for store in stores]
    for one in watchers:
        await one.store.start(one.changed.put_nowait, one.away.append)
    for one in watchers:
        await eventually(one.store.read, "-----")
    try:
        yield watchers
    finally:
        for one in watchers:
            await one.store.stop()


async def eventually(ask: Callable[[str], Awaitable[Any]], code: str) -> None:
    """Wait until a store can be reached."""
    async with asyncio.timeout(20):
        while True:
            try:
                await ask(code)
            except NoRoom:
                return
            except StoreAway:
                await asyncio.sleep(0.02)


def code() -> str:
    return "".join(random.choices("BCDFGH", k=12))


def test_what_is_written_is_read_with_the_version_that_it_was_written_with(make: Make) -> None:
    async def check() -> None:
        async with running(make(TTL), make(TTL)) as (one, other):
            room = code()
            assert await one.store.open(room, {"a": b"1", "b": b"\x00\xff"}) and not await other.store.open(room, {})
            assert await other.store.write(room, {"a": b"2", "c": b""}) == 2
            assert await one.store.write(room, {"b": None}) == 3
            whole = await one.store.read(room)
            assert (whole.version, {name: (part.version, part.content) for name, part in whole.parts.items()}) == (3, {"a": (2, b"2"), "b": (3, None), "c": (2, b"")})
            assert set((await other.store.read(room, 2)).parts) == {"b"} and not (await other.store.read(room, 3)).parts

    asyncio.run(check())


def test_a_write_that_expects_another_version_writes_nothing(make: Make) -> None:
    async def check() -> None:
        async with running(make(TTL)) as (one,):
            room = code()
            await one.store.open(room, {"a": b"1"})
            for expected in ({"a": 0}, {"a": 2}, {"new": 1}, {"a": 1, "new": 1}):
                with pytest.raises(Conflict):
                    await one.store.write(room, {"a": b"2", "new": b"2"}, expected)
            assert (await one.store.read(room)).version == 1
            assert await one.store.write(room, {"a": b"2"}, {"a": 1, "new": 0}) == 2

    asyncio.run(check())


def test_of_writers_that_race_each_counts_once(make: Make) -> None:
    async def add(store: Store, room: str) -> None:
        while True:
            part = (await store.read(room)).parts["sum"]
            try:
                await store.write(room, {"sum": str(int(part.content or b"") + 1).encode()}, {"sum": part.version})
            except Conflict:
                continue
            return

    async def check() -> None:
        async with running(make(TTL), make(TTL), make(TTL)) as watchers:
            room = code()
            await watchers[0].store.open(room, {"sum": b"0"})
            await asyncio.gather(*(add(one.store, room) for one in watchers for _ in range(8)))
            found = await watchers[1].store.read(room)
            assert (found.version, found.parts["sum"].content) == (25, b"24")

    asyncio.run(check())


def test_others_are_told_of_writes_and_of_the_end(make: Make) -> None:
    async def check() -> None:
        async with running(make(TTL), make(TTL)) as (one, other):
            room = code()
            await one.store.open(room, {"a": b"1"})
            await other.store.read(room)
            await one.store.write(room, {"a": b"2"})
            await other.told(room)
            await one.store.close(room)
            await other.told(room)
            for store in (one.store, other.store):
                for act in (store.read(room), store.write(room, {"a": b"3"})):
                    with pytest.raises(NoRoom):
                        await act

    asyncio.run(check())


def test_a_room_lives_for_a_time_after_its_last_action_only(make: Make) -> None:
    async def check() -> None:
        async with running(make(0.8)) as (one,):
            kept, left = code(), code()
            await one.store.open(kept, {"a": b"1"})
            await one.store.open(left, {"a": b"1"})
            async with asyncio.timeout(10):
                while True:
                    await one.store.write(kept, {"a": b"2"})
                    try:
                        await one.store.write(left, {"here": b"1"}, action=False)
                    except NoRoom:
                        break
                    await asyncio.sleep(0.05)
            assert (await one.store.read(kept)).parts["a"].content == b"2"
            assert await one.store.open(left, {"b": b"1"})
            assert set((await one.store.read(left)).parts) == {"b"}

    asyncio.run(check())


def test_any_sequence_of_writes_leaves_what_a_dict_would_hold(make: Make) -> None:
    async def check() -> None:
        async with running(make(TTL), make(TTL)) as watchers:
            draw, room, version = random.Random(5), code(), 1
            model: dict[str, bytes | None] = {"a": b"0"}
            await watchers[0].store.open(room, {"a": b"0"})
            replica: dict[str, bytes | None] = {}
            seen = 0
            for i in range(120):
                store = draw.choice(watchers).store
                parts = {draw.choice("abcdefg"): draw.choice([None, str(i).encode()]) for _ in range(draw.randint(1, 3))}
                version += 1
                assert await store.write(room, parts) == version
                model.update(parts)
                if draw.random() < 0.3:  # a reader who asks only for what is newer
                    change = await draw.choice(watchers).store.read(room, seen)
                    seen, replica = change.version, replica | {name: part.content for name, part in change.parts.items()}
                    assert replica == model

    asyncio.run(check())


@needs_redis
def test_redis_that_goes_away_is_told_and_everything_goes_on_when_it_is_back(tmp_path: Path) -> None:
    async def check() -> None:
        server = RedisServer(tmp_path)
        server.start()
        try:
            async with running(RedisStore(server.url)) as (one,):
                room = code()
                await one.store.open(room, {"a": b"1"})
                server.kill()
                with pytest.raises(StoreAway):
                    await asyncio.wait_for(one.store.write(room, {"a": b"2"}), 5)
                async with asyncio.timeout(20):
                    while one.away != [True]:
                        await asyncio.sleep(0.02)
                    server.start()
                    while one.away != [True, False]:
                        await asyncio.sleep(0.02)
                with pytest.raises(NoRoom):  # this Redis kept nothing
                    await one.store.read(room)
                assert await one.store.open(room, {"a": b"3"})
        finally:
            server.kill()

    asyncio.run(check())
