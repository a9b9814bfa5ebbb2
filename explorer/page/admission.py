"""Who may compute, and who waits: a worker takes up only what it can answer soon, and says so to the rest.

Requests for an answer pass through a lane, visitors in turn. A few compute at once, since more would only share the same core;
a bounded number waits for a bounded time; whoever comes beyond that, or has most of the places when others come, is told when
to come back. The long questions of the Methods tab have a lane of their own, so that a stroke never waits for one of them to end.
"""

from __future__ import annotations

import math
import os
import socket
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from typing import TypeVar

from explorer.page.turns import Turn, Turns

PATIENCE = 4.0  # seconds that a request may wait; with the 2 s that it may compute it ends within the grace of a stop
LONGEST_RETRY = 5  # seconds
NICENESS = 10  # of the Methods tab's questions: strokes go first, also on the processor
Answer = TypeVar("Answer")
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
    """A few threads that compute, and a line before them.

    Torch keeps memory of its own in every thread that it ever computed in, 10 MB with a convolution: hence not in the
    threads that hold requests, of which there are many.

    Args:
        at_once: how many compute at once.
        places: how many may wait.
        patience: seconds for which each of them may.
        niceness: by how much the threads give way to all others, as in ``nice``.
    """

    def __init__(self, at_once: int, places: int, patience: float = PATIENCE, niceness: int = 0) -> None:
        self.at_once, self.places, self.patience = at_once, places, patience
        self._threads = ThreadPoolExecutor(at_once, "lane", initializer=give_way, initargs=(niceness,))
        self._lock = threading.Lock()
        self._turns = Turns()
        self._inside = 0  # computing or waiting
        self._usual = 0.0  # seconds that computing takes, a running mean

    def compute(self, work: Callable[[], Answer], still_there: Callable[[], bool] = lambda: True, visitor: str = "") -> Answer:
        """Wait for a turn, then do some work.

        Args:
            work: what to do, in another thread but in the same context.
            still_there: asked after a wait, so that nothing is computed for somebody who left.
            visitor: who asks. Visitors have their turns one after the other; each is served in the order of asking.

        Returns:
            What the work returns; what it raises is raised here.

        Raises:
            Busy: the line is full, mostly of this visitor's own, or the turn did not come in time.
            Gone: the turn came, but nobody is there any more.
        """
        waits = self._inside >= self.at_once
        turn = Turn(visitor, partial(copy_context().run, self._work, work, still_there if waits else lambda: True))
        self._come(turn)
        try:
            self._threads.submit(self._take_turn)
            try:
                answer: Answer = turn.result.result(self.patience)
            except TimeoutError:
                if turn.result.cancel():
                    raise Busy(self._retry_after(), "late") from None
                answer = turn.result.result()  # it has begun
            return answer
        finally:
            with self._lock:
                self._turns.withdraw(turn)
                self._inside -= 1

    def _come(self, turn: Turn) -> None:
        """Take a place in the line, where it is full that of somebody who has more of them."""
        with self._lock:
            if self._inside >= self.at_once + self.places:
                other = self._turns.give_way(turn.visitor)
                if other is None:
                    raise Busy(self._retry_after(), "full")
                if other.result.set_running_or_notify_cancel():
                    other.result.set_exception(Busy(self._retry_after(), "full"))
            self._inside += 1
            self._turns.add(turn)

    def _take_turn(self) -> None:
        """Do what is next. It runs once for every turn, so some find that theirs has been withdrawn."""
        with self._lock:
            turn = self._turns.next()
        if turn is None or not turn.result.set_running_or_notify_cancel():
            return
        try:
            turn.result.set_result(turn.work())
        except BaseException as error:  # it belongs to whoever asked
            turn.result.set_exception(error)

    def _work(self, work: Callable[[], Answer], still_there: Callable[[], bool]) -> Answer:
        if not still_there():
            raise Gone
        begin = time.monotonic()
        try:
            return work()
        finally:
            self._usual += (time.monotonic() - begin - self._usual) / 16

    def _retry_after(self) -> int:
        """How long the line takes as it stands, in whole seconds from 1 to ``LONGEST_RETRY``."""
        return min(LONGEST_RETRY, max(1, math.ceil(self._inside * self._usual / self.at_once)))


class Admission:
    """The lanes of one worker.

    Args:
        threads: how many requests the worker holds at once; every lane gets its share, and an eighth stays free for pages,
            files and probes, which pass without waiting.
    """

    def __init__(self, threads: int) -> None:
        free, methods = max(1, threads // 8), threads // 4
        self.lanes = {METHODS: Lane(1, methods, niceness=NICENESS), STROKES: Lane(1, threads - free - methods - 2)}

    def lane(self, callback: str) -> Lane:
        """The lane of a callback, by the id of its output."""
        return self.lanes[METHODS if callback == METHODS else STROKES]


def give_way(niceness: int) -> None:
    """Let this thread run after all others, where a thread has a priority of its own: on Linux."""
    if niceness and sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), niceness)


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
