"""``/readyz``: whether this worker's networks and attributions are right, looked into now and then."""

import asyncio
import time
from collections.abc import Callable

VALID = 10.0  # seconds for which a finding holds


class Readiness:
    """What keeps a worker from answering right, checked in a thread beside those that compute.

    Args:
        find_fault: one sentence about what is wrong; None when all is right.
    """

    def __init__(self, find_fault: Callable[[], str | None]) -> None:
        self.find_fault = find_fault
        self._next = 0.0
        self._found: str | None = "This worker has not been checked yet."

    async def refusal(self) -> str | None:
        """One sentence about what is wrong; None when the worker is ready. A finding holds for ``VALID`` seconds."""
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + VALID
            self._found = await asyncio.to_thread(self.find_fault)
        return self._found
