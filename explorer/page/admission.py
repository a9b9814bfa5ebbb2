"""Who may compute, and who waits: a worker takes up only what it can answer soon, and says so to the rest.

Requests for an answer pass through a lane, in the order in which they came. A few compute at once, since more would only
share the same core; a bounded number waits for a bounded time; whoever comes beyond that is told when to come back. The
long questions of the Methods tab have a lane of their own, so that a stroke never waits for one of them to end.
"""

from __future__ import annotations

import math
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

PATIENCE = 4.0  # seconds that a request may wait; with the 2 s that it may compute it ends within the grace of a stop
LONGEST_RETRY = 5  # seconds
STROKES, METHODS = "explanation", "method-answers"


class Busy(Exception):
    """There is no place for this request now.

    Attributes:
        retry_after: whole seconds after which to try again.
        reason: ``"full"`` when there was no place in the line, ``"late"`` when the wait took too long.
    """

    def __init__(self, retry_after: int, reason: str) -> None:
        super().__init__(f"busy: {reason}")
        self.retry_after, self.reason = retry_after, reason


class Gone(Exception):
    """Whoever asked hung up while waiting."""


class Lane:
    """A door that lets a few through at a time, and a line before it.

    Args:
        at_once: how many may be inside.
        places: how many may wait.
        patience: seconds for which each of them may.
    """

    def __init__(self, at_once: int, places: int, patience: float = PATIENCE) -> None:
        self.at_once, self.places, self.patience = at_once, places, patience
        self._lock = threading.Lock()
        self._free = at_once
        self._usual = 0.0  # seconds inside, a running mean
        self._line: deque[threading.Event] = deque()

    @property
    def waiting(self) -> int:
        """How many stand in line just now."""
        return len(self._line)

    @contextmanager
    def turn(self, still_there: Callable[[], bool] = lambda: True) -> Iterator[None]:
        """Wait for a turn and hold it for as long as the block lasts.

        Args:
            still_there: asked after a wait, so that nothing is computed for somebody who left.

        Raises:
            Busy: the line is full, or the turn did not come in time.
            Gone: the turn came, but nobody is there any more.
        """
        waited = self._enter()
        try:
            if waited and not still_there():
                raise Gone
            begin = time.monotonic()
            yield
            self._usual += (time.monotonic() - begin - self._usual) / 16
        finally:
            self._leave()

    def _enter(self) -> bool:
        """Come in; returns whether that took a wait."""
        with self._lock:
            if self._free:
                self._free -= 1
                return False
            if len(self._line) >= self.places:
                raise Busy(self._retry_after(), "full")
            called = threading.Event()
            self._line.append(called)
        if called.wait(self.patience):
            return True
        with self._lock:
            if called.is_set():  # called just as the time was over
                return True
            self._line.remove(called)
            raise Busy(self._retry_after(), "late")

    def _leave(self) -> None:
        with self._lock:
            if self._line:
                self._line.popleft().set()  # the place passes on: nobody who comes just now can take it
            else:
                self._free += 1

    def _retry_after(self) -> int:
        """How long the line takes as it stands, in whole seconds from 1 to ``LONGEST_RETRY``."""
        return min(LONGEST_RETRY, max(1, math.ceil(len(self._line) * self._usual / self.at_once)))


class Admission:
    """The lanes of one worker.

    Args:
        threads: how many requests the worker holds at once; every lane gets its share, and an eighth stays free for pages,
            files and probes, which pass without waiting.
    """

    def __init__(self, threads: int) -> None:
        free, methods = max(1, threads // 8), threads // 4
        self.lanes = {METHODS: Lane(1, methods), STROKES: Lane(1, threads - free - methods - 2)}

    def lane(self, callback: str) -> Lane:
        """The lane of a callback, by the id of its output."""
        return self.lanes[METHODS if callback == METHODS else STROKES]


def hung_up(connection: socket.socket | None) -> bool:
    """Whether the other end of a connection closed it. One look, without waiting; what cannot be looked at counts as open."""
    if connection is None:
        return False
    try:
        return connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except (BlockingIOError, ValueError):  # nothing to read, as it should be; and connections that cannot be peeked into
        return False
    except OSError:
        return True
