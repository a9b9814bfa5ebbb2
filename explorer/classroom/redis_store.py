"""Rooms of several machines, in Redis or Valkey: hashes that scripts change in one step, and a channel that tells who wrote."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any, TypeVar

from redis.asyncio import Redis
from redis.exceptions import RedisError

from explorer.classroom.store import NOTHING, TTL, Change, Conflict, NoRoom, Part, StoreAway

PREFIX, CHANNEL = "explorer:room:", "explorer:rooms"
TIMEOUT = 1.5  # seconds for an answer
BACK_OFF = 0.25, 2.0  # seconds between two attempts to reach it again, the first and the longest
PULSE = 1.0  # seconds between two signs of life on the channel
# A room is three keys: versions of its parts as a sorted set, contents as a hash, and its own version. An erased part has no content.
OPEN = """
if redis.call('EXISTS', KEYS[3]) == 1 then return 0 end
redis.call('DEL', KEYS[1], KEYS[2])
redis.call('SET', KEYS[3], 1)
for i = 2, #ARGV, 2 do
  redis.call('ZADD', KEYS[1], 1, ARGV[i])
  redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 1])
end
for i = 1, 3 do redis.call('PEXPIRE', KEYS[i], ARGV[1]) end
return 1
"""
READ = """
local version = redis.call('GET', KEYS[3])
if not version then return false end
local found = {version}
local newer = redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. ARGV[1], '+inf', 'WITHSCORES')
for i = 1, #newer, 2 do
  found[#found + 1] = newer[i]
  found[#found + 1] = newer[i + 1]
  found[#found + 1] = redis.call('HGET', KEYS[2], newer[i])
end
return found
"""
WRITE = """
if redis.call('EXISTS', KEYS[3]) == 0 then return -1 end
local at = 5
for i = 1, tonumber(ARGV[3]) do
  if tonumber(redis.call('ZSCORE', KEYS[1], ARGV[at]) or 0) ~= tonumber(ARGV[at + 1]) then return -2 end
  at = at + 2
end
local version = redis.call('INCR', KEYS[3])
while at <= #ARGV do
  redis.call('ZADD', KEYS[1], version, ARGV[at])
  if ARGV[at + 1] == '1' then redis.call('HSET', KEYS[2], ARGV[at], ARGV[at + 2]) else redis.call('HDEL', KEYS[2], ARGV[at]) end
  at = at + 3
end
local left = tonumber(ARGV[1])
if ARGV[2] == '0' then left = redis.call('PTTL', KEYS[3]) end
for i = 1, 3 do redis.call('PEXPIRE', KEYS[i], left) end
redis.call('PUBLISH', '""" + CHANNEL + """', ARGV[4])
return version
"""  # fmt: skip
Result = TypeVar("Result")


class RedisStore:
    """Redis at an address such as ``redis://127.0.0.1:6379/0``; ``ttl`` as in ``SqliteStore``."""

    def __init__(self, url: str, ttl: float = TTL) -> None:
        self._redis: Redis = Redis.from_url(url, socket_timeout=TIMEOUT, socket_connect_timeout=TIMEOUT, protocol=2, health_check_interval=10)
        self._ttl = round(1000 * ttl)
        self._scripts = {name: self._redis.register_script(text) for name, text in (("open", OPEN), ("read", READ), ("write", WRITE))}
        self._watching: asyncio.Task[None] | None = None
        self._changed: Callable[[str], None] = lambda _: None
        self._versions: dict[str, int] = {}

    async def start(self, changed: Callable[[str], None], away: Callable[[bool], None]) -> None:
        """See ``Store``."""
        self._changed = changed
        self._watching = asyncio.create_task(self._watch(away))

    async def stop(self) -> None:
        """See ``Store``."""
        if self._watching:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)
        with suppress(RedisError, OSError):
            await self._redis.aclose()

    async def open(self, code: str, parts: Mapping[str, bytes]) -> bool:
        """See ``Store``."""
        return bool(await self._call("open", code, [self._ttl, *(word for part in parts.items() for word in part)]))

    async def read(self, code: str, since: int = 0) -> Change:
        """See ``Store``."""
        found = await self._call("read", code, [since])
        if not found:
            raise NoRoom
        version, *rest = found
        triples = zip(rest[::3], rest[1::3], rest[2::3], strict=True)
        return Change(int(version), {name.decode(): Part(int(of), content) for name, of, content in triples})

    async def write(self, code: str, parts: Mapping[str, bytes | None], expected: Mapping[str, int] = NOTHING, *, action: bool = True) -> int:
        """See ``Store``."""
        words: list[Any] = [self._ttl, int(action), len(expected), code]
        words += [word for pair in expected.items() for word in pair]
        for name, content in parts.items():
            words += [name, int(content is not None), content or b""]
        version = int(await self._call("write", code, words))
        if version == -1:
            raise NoRoom
        if version == -2:
            raise Conflict
        return version

    async def close(self, code: str) -> None:
        """See ``Store``."""
        await self._reached(self._redis.unlink(*_keys(code)))
        await self._reached(self._redis.publish(CHANNEL, code))

    async def _call(self, script: str, code: str, words: list[Any]) -> Any:
        return await self._reached(self._scripts[script](_keys(code), words))

    async def _reached(self, answer: Awaitable[Result]) -> Result:
        try:
            return await answer
        except (RedisError, OSError, TimeoutError) as error:
            raise StoreAway from error

    # ---- watching

    async def _watch(self, away: Callable[[bool], None]) -> None:
        first, longest = BACK_OFF
        pause, lost = first, False
        while True:
            try:
                async with self._redis.pubsub(ignore_subscribe_messages=True) as channel:
                    await channel.subscribe(CHANNEL)
                    await self._redis.ping()
                    if lost:
                        lost = False
                        away(False)
                    pause = first
                    while True:
                        message = await channel.get_message(timeout=PULSE)
                        if message is None:
                            await self._redis.ping()  # rooms whose time is over are found by whoever reads them next
                        elif message["type"] == "message":
                            self._changed(message["data"].decode())
            except (RedisError, OSError, TimeoutError):
                if not lost:
                    lost = True
                    away(True)
                await asyncio.sleep(pause)
                pause = min(longest, 2 * pause)


def _keys(code: str) -> list[str]:
    # the braces put the keys of a room into one slot of a cluster
    return [f"{PREFIX}{{{code}}}:{kind}" for kind in ("versions", "contents", "version")]
