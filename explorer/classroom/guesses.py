"""Slows down whoever tries codes: right ones are not refused, but after many wrong ones from a client each of its codes takes its turn."""

from __future__ import annotations

import asyncio
import time
from collections import deque

from cachetools import TTLCache

FREE, WITHIN = 30, 60.0  # wrong codes of a client within so many seconds, before its codes take turns
TURN = 0.5  # seconds of a turn
MOST_WAITING = 60  # of one client: a whole class, for as long as its pages wait (assets/classroom/connection.js)
CLIENTS = 10_000


class Often:
    """Which clients did something ``most`` times within so many seconds, in one worker."""

    def __init__(self, most: int, within: float) -> None:
        self.most, self.within = most, within
        self._times: TTLCache[str, deque[float]] = TTLCache(CLIENTS, within)

    def did(self, client: str) -> bool:
        """Whether this client is one of them just now."""
        times = self._times.get(client) or deque()
        return len(times) == self.most and time.monotonic() - times[0] < self.within

    def note(self, client: str) -> None:
        """It did it once more."""
        times = self._times.get(client) or deque(maxlen=self.most)
        times.append(time.monotonic())
        self._times[client] = times


class Guesses:
    """Counts wrong codes by client, in one worker."""

    def __init__(self) -> None:
        self._wrong = Often(FREE, WITHIN)
        self._turns: TTLCache[str, asyncio.Lock] = TTLCache(CLIENTS, 10 * WITHIN)
        self._waiting: dict[str, int] = {}

    def suspects(self, client: str) -> bool:
        """Whether a client sent many wrong codes lately."""
        return self._wrong.did(client)

    async def turn(self, client: str) -> bool:
        """Wait for this client's turn, if it is suspected; False if too many of its codes wait."""
        if not self.suspects(client):
            return True
        if self._waiting.get(client, 0) >= MOST_WAITING:
            return False
        self._waiting[client] = self._waiting.get(client, 0) + 1
        try:
            async with self._turns.setdefault(client, asyncio.Lock()):
                await asyncio.sleep(TURN)
        finally:
            self._waiting[client] -= 1
            if not self._waiting[client]:
                del self._waiting[client]
        return True

    def wrong(self, client: str) -> None:
        """A code of this client was wrong."""
        self._wrong.note(client)
