"""``/readyz``: whether this worker's networks and attributions are right, looked into now and then."""

from __future__ import annotations

import time
from collections.abc import Callable

from explorer.server.fair_queue import FairQueue

VALID = 10.0  # seconds for which a finding holds


class Readiness:
    """What keeps a worker from answering right, checked in a thread of its own.

    Args:
        find_fault: one sentence about what is wrong; None when all is right.
    """

    def __init__(self, find_fault: Callable[[], str | None]) -> None:
        self.find_fault = find_fault
        self._pool = FairQueue(1, 1024)
        self._found: tuple[float, str | None] = (-VALID, None)

    async def refusal(self) -> str | None:
        """One sentence about what is wrong; None when the worker is ready. A finding holds for ``VALID`` seconds."""
        return await self._pool.run(self._finding)

    def _finding(self) -> str | None:
        if time.monotonic() - self._found[0] >= VALID:
            self._found = time.monotonic(), self.find_fault()
        return self._found[1]
