"""The answers of one worker: computed in bounded pools, each question once, and kept in memory while there is room."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Hashable
from contextvars import ContextVar
from dataclasses import dataclass

from explorer.server.fair_queue import FairQueue
from explorer.server.metrics import METHODS, STROKES, Counts

METHODS_NICENESS = 10  # a stroke also comes first where both want the processor
ENTRY = 200  # bytes that an entry takes beside its text
CLIENT: ContextVar[str] = ContextVar("client", default="")  # who asks, set for each request


@dataclass(slots=True)
class Computation:
    """A computation that has not ended, and how many requests wait for it."""

    task: asyncio.Task[bytes]
    waiting: int = 0


class Compute:
    """What callbacks compute with.

    Args:
        queue: how many questions may wait for each pool.
        cache_size: bytes of answers to keep; 0 keeps none.
        counts: where hits, misses and refused questions are counted.
    """

    def __init__(self, queue: int, cache_size: int, counts: Counts) -> None:
        self.pools = {STROKES: FairQueue(1, queue), METHODS: FairQueue(1, queue, niceness=METHODS_NICENESS)}
        self.counts = counts
        self._cache = AnswerCache(cache_size)
        self._running: dict[Hashable, Computation] = {}

    async def answer(self, callback: str, question: Hashable, work: Callable[[], bytes]) -> bytes:
        """The answer to a question: kept, being computed for another request, or computed now.

        Args:
            callback: ``STROKES`` or ``METHODS``, whose pool computes.
            question: everything that the answer depends on.
            work: computes the answer; a pure function of the question.

        Raises:
            Busy: there was no place in the queue, or no turn in time.
        """
        key = (callback, question)
        kept = self._cache.get(key)
        self.counts.looked_up(callback, hit=kept is not None)
        if kept is not None:
            return kept
        running = self._running.get(key)
        if running is None:
            running = self._running[key] = Computation(asyncio.create_task(self._compute(key, work)))
        running.waiting += 1
        try:
            return await asyncio.shield(running.task)
        finally:
            running.waiting -= 1
            if not running.waiting:
                running.task.cancel()  # nobody waits any more; nothing happens where it is done

    async def _compute(self, key: tuple[str, Hashable], work: Callable[[], bytes]) -> bytes:
        try:
            found = await self.pools[key[0]].run(work, CLIENT.get())
            self._cache.put(key, found)
            return found
        finally:
            del self._running[key]


class AnswerCache:
    """The newest answers, as many as fit into so many bytes."""

    def __init__(self, size: int) -> None:
        self.size, self.used = size, 0
        self._kept: OrderedDict[Hashable, bytes] = OrderedDict()

    def get(self, key: Hashable) -> bytes | None:
        """The answer under a key, which is then the newest; None where there is none."""
        if key not in self._kept:
            return None
        self._kept.move_to_end(key)
        return self._kept[key]

    def put(self, key: Hashable, answer: bytes) -> None:
        """Keep an answer; the oldest go where there is no room."""
        self._kept[key] = answer
        self.used += len(answer) + ENTRY
        while self.used > self.size:
            self.used -= len(self._kept.popitem(last=False)[1]) + ENTRY
