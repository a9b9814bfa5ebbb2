"""Computes the answers of one worker in bounded thread pools: equal questions share one computation, and an LRU cache keeps answers."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial

from cachetools import LRUCache

from explorer.server.fair_queue import FairQueue
from explorer.server.metrics import EXPLANATION, METHOD_ANSWERS, Metrics

METHODS_NICENESS = 10  # strokes have priority for the processor, too
ENTRY_OVERHEAD = 600  # bytes of a cache entry beside question and answer
CLIENT: ContextVar[str] = ContextVar("client", default="")  # key of the client, set for each request
Key = tuple[str, bytes]


@dataclass(eq=False, slots=True)
class Computation:
    """A running computation and the number of requests that wait for it."""

    task: asyncio.Task[bytes]
    waiting: int = 0


def answer_cache(size: int) -> LRUCache[Key, tuple[bytes, bytes]]:
    """An LRU cache of questions and answers, limited to ``size`` bytes."""
    return LRUCache(size, getsizeof=lambda entry: ENTRY_OVERHEAD + len(entry[0]) + len(entry[1]))


class Compute:
    """One pool for each callback, with ``queue`` waiting places, and a cache of ``cache_size`` bytes."""

    def __init__(self, queue: int, cache_size: int, metrics: Metrics) -> None:
        self.pools = {EXPLANATION: FairQueue(1, queue), METHOD_ANSWERS: FairQueue(1, queue, niceness=METHODS_NICENESS)}
        self.metrics = metrics
        self._cache = answer_cache(cache_size)
        self._running: dict[Key, Computation] = {}

    async def answer(self, callback: str, question: bytes, work: Callable[[], bytes]) -> bytes:
        """The answer to a question: from the cache, from a computation that runs already, or computed now.

        Args:
            callback: selects the pool: that of ``EXPLANATION``, or the second one.
            question: everything that the answer depends on.
            work: computes the answer; a pure function of the question. Errors are those of ``FairQueue.run``.
        """
        key = (callback, question)
        cached, running = self._cache.get(key), self._running.get(key)
        self.metrics.cache.labels(callback, "hit" if cached or running else "miss").inc()
        if cached:
            return cached[1]
        if running is None:
            running = self._running[key] = Computation(asyncio.create_task(self.pools.get(callback, self.pools[METHOD_ANSWERS]).run(work, CLIENT.get())))
            running.task.add_done_callback(partial(self._finished, key))
        running.waiting += 1
        try:
            return await asyncio.shield(running.task)
        finally:
            running.waiting -= 1
            if not running.waiting and running.task.cancel():
                del self._running[key]  # at once: the next equal question must not join a cancelled computation

    def _finished(self, key: Key, task: asyncio.Task[bytes]) -> None:
        if not task.cancelled():  # a cancelled one is removed already, and may have a successor
            del self._running[key]
            if task.exception() is None:
                with suppress(ValueError):  # larger than the whole cache
                    self._cache[key] = key[1], task.result()
