"""Which question is computed next: a bounded queue, clients served in turn, in front of a bounded thread pool."""

from __future__ import annotations

import asyncio
import math
import os
import sys
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

MAX_WAIT = 4.0  # seconds in the queue; with the longest computation a request ends within the 8 s of a graceful stop
MAX_RETRY_AFTER = 5  # seconds
Result = TypeVar("Result")


class Busy(Exception):
    """The question cannot be answered now.

    Attributes:
        retry_after: whole seconds after which to ask again.
        reason: ``"full"`` when the queue was full, ``"late"`` when the wait took too long.
    """

    def __init__(self, retry_after: int, reason: str) -> None:
        super().__init__(f"busy: {reason}")
        self.retry_after, self.reason = retry_after, reason


class FairQueue:
    """A thread pool whose questions wait in a queue for each client; the clients take turns.

    It is used from one event loop only, so it needs no locks.

    Args:
        threads: how many questions are computed at once.
        places: how many may wait.
        max_wait: seconds for which each of them may.
        niceness: by how much the threads' priority is lowered, as in ``nice``.
    """

    def __init__(self, threads: int, places: int, *, max_wait: float = MAX_WAIT, niceness: int = 0) -> None:
        self.threads, self.places, self.max_wait = threads, places, max_wait
        self._pool = ThreadPoolExecutor(threads, "compute", initializer=lower_priority, initargs=(niceness,))
        self._free = threads
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}  # by client, the next client first
        self._mean = 0.0  # seconds that a computation takes, a running mean

    async def run(self, work: Callable[[], Result], client: str = "") -> Result:
        """Compute ``work()`` in a thread, when it is this client's turn.

        A caller that is cancelled leaves the queue. A computation that has begun runs to its end and holds its thread.

        Raises:
            Busy: the queue is full of other clients' questions, or the turn did not come in time.
        """
        await self._turn(client)
        loop = asyncio.get_running_loop()
        begin = loop.time()
        running = loop.run_in_executor(self._pool, work)
        running.add_done_callback(lambda done: self._finished(done, loop.time() - begin))
        return await asyncio.shield(running)

    async def _turn(self, client: str) -> None:
        if self._free:
            self._free -= 1
            return
        if sum(map(len, self._waiting.values())) >= self.places:
            self._displace(client)
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(client, deque()).append(turn)
        try:
            async with asyncio.timeout(self.max_wait):
                await turn
        except (TimeoutError, asyncio.CancelledError) as ended:
            if turn.done() and not turn.cancelled() and not turn.exception():
                self._next()  # the turn came, but nobody takes it
            self._withdraw(client, turn)
            if isinstance(ended, TimeoutError):
                raise Busy(self._retry_after(), "late") from None
            raise

    def _displace(self, client: str) -> None:
        """Make room in a full queue: the newest question of the client with the most goes, if that is another one."""
        largest = max(self._waiting, key=lambda name: len(self._waiting[name]), default=client)
        if len(self._waiting.get(largest, ())) <= len(self._waiting.get(client, ())) + 1:
            raise Busy(self._retry_after(), "full")
        turn = self._waiting[largest][-1]
        self._withdraw(largest, turn)
        turn.set_exception(Busy(self._retry_after(), "full"))

    def _withdraw(self, client: str, turn: asyncio.Future[None]) -> None:
        turns = self._waiting.get(client, deque())
        if turn in turns:
            turns.remove(turn)
            if not turns:
                del self._waiting[client]

    def _finished(self, running: asyncio.Future[Result], seconds: float) -> None:
        if not running.cancelled():
            running.exception()  # seen, even where nobody waits for it any more
        self._mean += (seconds - self._mean) / 16
        self._next()

    def _next(self) -> None:
        """Give the free thread to the next client, who then waits after all others."""
        while self._waiting:
            client = next(iter(self._waiting))
            turns = self._waiting.pop(client)
            turn = turns.popleft()
            if turns:
                self._waiting[client] = turns
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1

    def _retry_after(self) -> int:
        """How long the queue takes as it stands, in whole seconds from 1 to ``MAX_RETRY_AFTER``."""
        inside = self.threads + sum(map(len, self._waiting.values()))
        return min(MAX_RETRY_AFTER, max(1, math.ceil(inside * self._mean / self.threads)))


def lower_priority(niceness: int) -> None:
    """Let this thread run after all others, where a thread has a priority of its own: on Linux."""
    if niceness and sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), niceness)
