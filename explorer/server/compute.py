"""The answers of one worker: computed in bounded pools, each question once, and kept in memory while there is room."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial

from cachetools import LRUCache

from explorer.server.fair_queue import FairQueue
from explorer.server.metrics import METHODS, STROKES, Metrics

METHODS_NICENESS = 10  # a stroke also comes first where both want the processor
ENTRY = 600  # bytes that an entry of the cache takes beside question and answer
CLIENT: ContextVar[str] = ContextVar("client", default="")  # who asks, set for each request
Key = tuple[str, bytes]


@dataclass(eq=False, slots=True)
class Computation:
    """A computation that has not ended, and how many requests wait for it."""

    task: asyncio.Task[bytes]
    waiting: int = 0


def answer_cache(size: int) -> LRUCache[Key, tuple[bytes, bytes]]:
    """Keeps questions with their answers, those asked for last, as many as fit into so many bytes."""
    return LRUCache(size, getsizeof=lambda kept: ENTRY + len(kept[0]) + len(kept[1]))


class Compute:
    """What callbacks compute with: a pool for each, in whose ``queue`` so many questions may wait; ``cache_size`` is in bytes."""

    def __init__(self, queue: int, cache_size: int, metrics: Metrics) -> None:
        self.pools = {STROKES: FairQueue(1, queue), METHODS: FairQueue(1, queue, niceness=METHODS_NICENESS)}
        self.metrics = metrics
        self._cache = answer_cache(cache_size)
        self._running: dict[Key, Computation] = {}

    async def answer(self, callback: str, question: bytes, work: Callable[[], bytes]) -> bytes:
        """The answer to a question: kept, being computed for another request, or computed now.

        Args:
            callback: ``STROKES``, or any other, which the second pool computes.
            question: everything that the answer depends on.
            work: computes the answer; a pure function of the question. For what else is raised see ``FairQueue``.
        """
        key = (callback, question)
        kept, running = self._cache.get(key), self._running.get(key)
        self.metrics.cache.labels(callback, "hit" if kept or running else "miss").inc()
        if kept:
            return kept[1]
        if running is None:
            running = self._running[key] = Computation(asyncio.create_task(self.pools.get(callback, self.pools[METHODS]).run(work, CLIENT.get())))
            running.task.add_done_callback(partial(self._ended, key))
        running.waiting += 1
        try:
            return await asyncio.shield(running.task)
        finally:
            running.waiting -= 1
            if not running.waiting and running.task.cancel():
                del self._running[key]  # at once: who asks next must not wait for what is being cancelled

    def _ended(self, key: Key, task: asyncio.Task[bytes]) -> None:
        if not task.cancelled():  # otherwise it is forgotten already, and asked anew perhaps
            del self._running[key]
            if task.exception() is None:
                with suppress(ValueError):  # larger than the whole cache
                    self._cache[key] = key[1], task.result()
