"""Rooms of several machines, in Redis or Valkey. Each operation is one script there, so nobody sees half of it."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from itertools import chain
from typing import Any

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from explorer.classroom.store import NOTHING, TTL, Change, Conflict, NoRoom, Part, StoreAway

PREFIX = "explorer:"
CHANNEL = PREFIX + "changed"
TIMEOUT = 1.5  # seconds until an operation is given up
PAUSES = (0.05, 1.0)  # seconds between attempts to connect, from the first to the longest
# Of a room: its version; the version of each part, erased ones too (sorted set); the contents (hash).
KEYS = ("version", "versions", "contents")

OPEN = """
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
redis.call('DEL', KEYS[2], KEYS[3])
redis.call('SET', KEYS[1], 1)
for i = 4, #ARGV, 2 do
  redis.call('ZADD', KEYS[2], 1, ARGV[i])
  redis.call('HSET', KEYS[3], ARGV[i], ARGV[i + 1])
end
for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, ARGV[1]) end
redis.call('PUBLISH', ARGV[2], ARGV[3])
return 1
"""
# Answers version, milliseconds to live, names and versions in turn, contents. In portions: Lua passes only so many arguments.
READ = """
local version = redis.call('GET', KEYS[1])
if not version then return false end
local newer = redis.call('ZRANGEBYSCORE', KEYS[2], '(' .. ARGV[1], '+inf', 'WITHSCORES')
local contents = {}
for first = 1, #newer, 2000 do
  local names = {}
  for i = first, math.min(first + 1999, #newer), 2 do names[#names + 1] = newer[i] end
  local found = redis.call('HMGET', KEYS[3], unpack(names))
  for i = 1, #names do contents[(first - 1) / 2 + i] = found[i] end
end
return {tonumber(version), redis.call('PTTL', KEYS[1]), newer, contents}
"""
# ARGV: milliseconds to live, whether they begin again, channel, code, number of expected parts, these (name, version), then what is
# written (name, 1, content) or erased (name, 0, nothing). Answers 0 if there is no room, -1 in conflict.
WRITE = """
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
local at = 6 + 2 * tonumber(ARGV[5])
for i = 6, at - 1, 2 do
  if tonumber(redis.call('ZSCORE', KEYS[2], ARGV[i]) or 0) ~= tonumber(ARGV[i + 1]) then return -1 end
end
local lives = ARGV[1]
if ARGV[2] == '0' then lives = math.max(1, redis.call('PTTL', KEYS[1])) end
local version = redis.call('INCR', KEYS[1])
for i = at, #ARGV, 3 do
  redis.call('ZADD', KEYS[2], version, ARGV[i])
  if ARGV[i + 1] == '1' then redis.call('HSET', KEYS[3], ARGV[i], ARGV[i + 2]) else redis.call('HDEL', KEYS[3], ARGV[i]) end
end
for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, lives) end
redis.call('PUBLISH', ARGV[3], ARGV[4])
return version
"""
CLOSE = """
redis.call('DEL', KEYS[1], KEYS[2], KEYS[3])
redis.call('PUBLISH', ARGV[1], ARGV[2])
"""


class RedisStore:
    """Rooms in the Redis at ``url``; all keys begin with ``explorer:``."""

    def __init__(self, url: str, ttl: float = TTL) -> None:
        self._ttl = max(1, round(ttl * 1000))
        # A write whose answer was lost is not repeated here: who sent it decides.
        self._redis = Redis.from_pool(
            BlockingConnectionPool.from_url(
                url, max_connections=16, timeout=TIMEOUT, socket_timeout=TIMEOUT, socket_connect_timeout=TIMEOUT, retry=Retry(NoBackoff(), 0)
            )
        )
        self._scripts = {text: self._redis.register_script(text) for text in (OPEN, READ, WRITE, CLOSE)}
        self._ends: dict[str, float] = {}  # when rooms that were used here end, unless somebody renews them
        self._away = False
        self._watcher: asyncio.Task[None] | None = None

    async def start(self, changed: Callable[[str], None], away: Callable[[bool], None]) -> None:
        self._changed, self._tell_away = changed, away
        tried = asyncio.Event()
        self._watcher = asyncio.create_task(self._watch(tried))
        await tried.wait()

    async def stop(self) -> None:
        if self._watcher:
            self._watcher.cancel()
            await asyncio.wait([self._watcher])
            self._watcher = None
        await self._redis.aclose()

    async def open(self, code: str, parts: Mapping[str, bytes]) -> bool:
        opened = await self._run(OPEN, code, self._ttl, CHANNEL, code, *chain.from_iterable(parts.items()))
        if opened:
            self._ends[code] = time.monotonic() + self._ttl / 1000
        return bool(opened)

    async def read(self, code: str, since: int = 0) -> Change:
        answer = await self._run(READ, code, since)
        if answer is None:
            raise NoRoom(code)
        version, lives, newer, contents = answer
        self._ends[code] = time.monotonic() + lives / 1000
        names_versions = zip(newer[::2], newer[1::2], contents, strict=True)
        return Change(version, {name.decode(): Part(int(float(written)), content) for name, written, content in names_versions})

    async def write(self, code: str, parts: Mapping[str, bytes | None], expected: Mapping[str, int] = NOTHING, *, action: bool = True) -> int:
        written = chain.from_iterable((name, 0, b"") if content is None else (name, 1, content) for name, content in parts.items())
        wanted = chain.from_iterable(expected.items())
        version = int(await self._run(WRITE, code, self._ttl, int(action), CHANNEL, code, len(expected), *wanted, *written))
        if version == 0:
            raise NoRoom(code)
        if version < 0:
            raise Conflict(code)
        self._ends.setdefault(code, time.monotonic() + self._ttl / 1000)  # others may renew it: the watcher asks when it is due
        return version

    async def close(self, code: str) -> None:
        await self._run(CLOSE, code, CHANNEL, code)

    async def _run(self, script: str, code: str, *arguments: Any) -> Any:
        return await self._within(self._scripts[script](keys=_keys(code), args=list(arguments)))

    async def _within(self, answer: Awaitable[Any]) -> Any:
        try:
            async with asyncio.timeout(TIMEOUT):
                return await answer
        except (RedisError, OSError) as error:  # TimeoutError is an OSError
            raise StoreAway(str(error)) from error

    def _set_away(self, away: bool) -> None:
        if away != self._away:
            self._away = away
            self._tell_away(away)

    async def _watch(self, tried: asyncio.Event) -> None:
        pause = PAUSES[0]
        while True:
            hears = self._redis.pubsub()
            try:
                async with asyncio.timeout(TIMEOUT):
                    await hears.subscribe(CHANNEL)
                    while await hears.get_message(timeout=TIMEOUT) is None:
                        pass  # until the subscription is confirmed
                if self._away:  # connections from before would each fail once
                    await self._redis.connection_pool.disconnect(inuse_connections=False)
                pause = PAUSES[0]
                self._set_away(False)
                tried.set()
                for code in list(self._ends):  # what was written meanwhile was not heard
                    self._changed(code)
                await self._hear(hears)
            except (RedisError, OSError, StoreAway):
                self._set_away(True)
                tried.set()
            finally:
                with suppress(RedisError, OSError):
                    await hears.aclose()  # type: ignore[no-untyped-call]
            await asyncio.sleep(pause * random.uniform(0.5, 1))
            pause = min(2 * pause, PAUSES[1])

    async def _hear(self, hears: Any) -> None:
        """Tell what others write, until the connection is lost: which an unanswered ping shows if nothing else does."""
        asked = False
        due = time.monotonic()
        while True:
            message = await hears.get_message(timeout=min(1.0, self._ttl / 4000))
            now = time.monotonic()
            if message is not None:
                asked, due = False, now + 1
                if message["type"] == "message":
                    self._changed(message["data"].decode())
            elif now >= due:
                if asked:
                    raise TimeoutError("Redis does not answer")
                async with asyncio.timeout(TIMEOUT):
                    await hears.ping()
                asked, due = True, now + 1
            await self._tell_expired(now)

    async def _tell_expired(self, now: float) -> None:
        for code in [code for code, ends in self._ends.items() if ends <= now]:
            lives = await self._within(self._redis.pttl(_keys(code)[0]))
            if lives > 0:
                self._ends[code] = time.monotonic() + lives / 1000
            else:
                del self._ends[code]
                self._changed(code)


def _keys(code: str) -> list[str]:
    """The keys of a room; by the braces, Redis Cluster keeps them together."""
    return [f"{PREFIX}{{{code}}}:{key}" for key in KEYS]
