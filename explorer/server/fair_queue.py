"""A bounded queue in front of a small thread pool; it serves the clients round robin."""

import asyncio
import math
import os
import sys
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

MAX_WAIT = 4.0  # seconds in the queue; with the longest computation a request ends within the 8 s of a graceful shutdown
MAX_RETRY_AFTER = 5  # seconds
Result = TypeVar("Result")


class Busy(Exception):
    """The request is shed: the queue is ``"full"``, or the maximum wait has passed (``"late"``)."""

    def __init__(self, retry_after: int, reason: str) -> None:
        super().__init__(f"{reason}; retry after {retry_after} s")
        self.retry_after, self.reason = retry_after, reason


class FairQueue:
    """A thread pool with one queue per client. It is used from one event loop only, so it needs no locks.

    Args:
        threads, capacity: how many tasks run at once, and how many may wait.
        max_wait: seconds that a task may wait.
        niceness: how much the threads' priority is lowered, as in ``nice``.
    """

    def __init__(self, threads: int, capacity: int, *, max_wait: float = MAX_WAIT, niceness: int = 0) -> None:
        self.threads, self.capacity, self.max_wait = threads, capacity, max_wait
        self._pool = ThreadPoolExecutor(threads, "compute", initializer=_lower_priority, initargs=(niceness,))
        self._free = threads
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}  # waiting tasks by client; the next client first
        self._mean_seconds = 0.0  # of a task, a running mean

    async def run(self, work: Callable[[], Result], client: str = "") -> Result:
        """Run ``work()`` in a thread, when it is this client's turn.

        A cancelled caller leaves the queue. A task that has started runs to its end and holds its thread.

        Raises:
            Busy: the queue is full, or the turn did not come within ``max_wait``.
        """
        await self._acquire(client)
        loop = asyncio.get_running_loop()
        start = loop.time()
        running = loop.run_in_executor(self._pool, work)
        running.add_done_callback(lambda done: self._finished(done, loop.time() - start))
        return await asyncio.shield(running)

    def has_waiting(self) -> bool:
        """Whether a task waits for a thread."""
        return any(self._waiting.values())

    async def _acquire(self, client: str) -> None:
        if self._free:
            self._free -= 1
            return
        if sum(map(len, self._waiting.values())) >= self.capacity:
            self._evict(client)
        loop = asyncio.get_running_loop()
        turn = loop.create_future()
        self._waiting.setdefault(client, deque()).append(turn)
        timeout = loop.call_later(self.max_wait, self._reject, turn, "late")
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and not turn.exception():
                self._release()  # the turn came at the same moment: pass it on
            raise
        finally:
            timeout.cancel()
            if turn in self._waiting.get(client, ()):
                self._waiting[client].remove(turn)

    def _evict(self, client: str) -> None:
        """Make room in a full queue: reject the newest task of the client that has the most, unless it is this client."""
        most = max(self._waiting, key=lambda name: len(self._waiting[name]), default=client)
        if len(self._waiting.get(most, ())) <= len(self._waiting.get(client, ())) + 1:
            raise self._busy("full")
        self._reject(self._waiting[most].pop(), "full")

    def _release(self) -> None:
        """Give a free thread to the next client, which then comes last."""
        while self._waiting:
            client = next(iter(self._waiting))
            turns = self._waiting.pop(client)
            turn = turns.popleft() if turns else None
            if turns:
                self._waiting[client] = turns
            if turn and not turn.done():
                turn.set_result(None)
                return
        self._free += 1

    def _finished(self, running: asyncio.Future[Result], seconds: float) -> None:
        running.exception()  # mark it as retrieved, even if the caller has left
        self._mean_seconds += (seconds - self._mean_seconds) / 16
        self._release()

    def _reject(self, turn: asyncio.Future[None], reason: str) -> None:
        if not turn.done():
            turn.set_exception(self._busy(reason))

    def _busy(self, reason: str) -> Busy:
        inside = self.threads + sum(map(len, self._waiting.values()))
        seconds = inside * self._mean_seconds / self.threads  # to empty the queue
        return Busy(min(MAX_RETRY_AFTER, max(1, math.ceil(seconds))), reason)


def _lower_priority(niceness: int) -> None:
    # on Linux each thread has its own priority
    if niceness and sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), niceness)
