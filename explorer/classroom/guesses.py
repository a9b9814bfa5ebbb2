"""Slows down whoever tries codes: right ones are never refused, and after many wrong ones from a client each of its codes takes its turn."""

from __future__ import annotations

import asyncio

from cachetools import TTLCache

FREE, WITHIN = 30, 60.0  # wrong codes of a client within so many seconds, before its codes take turns
TURN = 0.5  # seconds of a turn
MOST_WAITING = 100  # of one client
CLIENTS = 10_000


class Guesses:
    """Counts wrong codes by client, in one worker."""

    def __init__(self) -> None:
        self._wrong: TTLCache[str, int] = TTLCache(CLIENTS, WITHIN)
        self._turns: TTLCache[str, asyncio.Lock] = TTLCache(CLIENTS, 10 * WITHIN)
        self._waiting: dict[str, int] = {}

    def suspects(self, client: str) -> bool:
        """Whether a client sent many wrong codes lately."""
        return self._wrong.get(client, 0) >= FREE

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
        self._wrong[client] = self._wrong.get(client, 0) + 1
