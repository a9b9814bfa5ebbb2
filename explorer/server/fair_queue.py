"""Which question is computed next: a bounded queue in which clients take turns, in front of a small thread pool."""

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
    """The question cannot be answered now: the queue was ``"full"``, or the wait took until it was too ``"late"``."""

    def __init__(self, retry_after: int, reason: str) -> None:
        super().__init__(f"{reason}; ask again after {retry_after} s")
        self.retry_after, self.reason = retry_after, reason


class FairQueue:
    """A thread pool whose questions wait by client; used from one event loop only, so it needs no locks.

    Args:
        threads, places: how many questions are computed at once, and how many may wait.
        max_wait: seconds for which each of them may.
        niceness: by how much the threads' priority is lowered, as in ``nice``.
    """

    def __init__(self, threads: int, places: int, *, max_wait: float = MAX_WAIT, niceness: int = 0) -> None:
        self.threads, self.places, self.max_wait = threads, places, max_wait
        self._pool = ThreadPoolExecutor(threads, "compute", initializer=_lower_priority, initargs=(niceness,))
        self._free = threads
        self._turns: dict[str, deque[asyncio.Future[None]]] = {}  # of those who wait, by client; the next client first
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
        if sum(map(len, self._turns.values())) >= self.places:
            self._displace(client)
        loop = asyncio.get_running_loop()
        turn = loop.create_future()
        self._turns.setdefault(client, deque()).append(turn)
        timeout = loop.call_later(self.max_wait, self._end, turn, "late")
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and not turn.exception():
                self._next()  # the turn came in the same moment, and nobody takes it
            raise
        finally:
            timeout.cancel()
            if turn in self._turns.get(client, ()):
                self._turns[client].remove(turn)

    def _displace(self, client: str) -> None:
        """Make room in a full queue: the newest question of the client with the most goes, if that is another one."""
        most = max(self._turns, key=lambda name: len(self._turns[name]), default=client)
        if len(self._turns.get(most, ())) <= len(self._turns.get(client, ())) + 1:
            raise self._busy("full")
        self._end(self._turns[most].pop(), "full")

    def _next(self) -> None:
        """Give a free thread to the next client, who then waits after all others."""
        while self._turns:
            client = next(iter(self._turns))
            turns = self._turns.pop(client)
            turn = turns.popleft() if turns else None
            if turns:
                self._turns[client] = turns
            if turn and not turn.done():
                turn.set_result(None)
                return
        self._free += 1

    def _finished(self, running: asyncio.Future[Result], seconds: float) -> None:
        running.exception()  # seen, even where nobody waits for it any more
        self._mean += (seconds - self._mean) / 16
        self._next()

    def _end(self, turn: asyncio.Future[None], reason: str) -> None:
        if not turn.done():
            turn.set_exception(self._busy(reason))

    def _busy(self, reason: str) -> Busy:
        inside = self.threads + sum(map(len, self._turns.values()))
        seconds = inside * self._mean / self.threads  # that the queue takes as it stands
        return Busy(min(MAX_RETRY_AFTER, max(1, math.ceil(seconds))), reason)


def _lower_priority(niceness: int) -> None:
    # on Linux a thread has a priority of its own
    if niceness and sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), niceness)
