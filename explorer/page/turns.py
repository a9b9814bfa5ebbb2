"""Whose turn it is: visitors are served in turn, so that one who asks without end waits for himself and not others for him."""

from __future__ import annotations

import ipaddress
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any


@dataclass(eq=False, slots=True)
class Turn:
    """One question that waits.

    Attributes:
        visitor: who asks it.
        work: what to do when it is its turn.
        result: what comes of it.
    """

    visitor: str
    work: Callable[[], Any]
    result: Future[Any] = field(default_factory=Future)


class Turns:
    """Those who wait: each visitor's own in the order in which they came, and the visitors in turn."""

    def __init__(self) -> None:
        self._waiting: dict[str, deque[Turn]] = {}  # the next visitor first

    def add(self, turn: Turn) -> None:
        """Let one wait, after the same visitor's others."""
        self._waiting.setdefault(turn.visitor, deque()).append(turn)

    def next(self) -> Turn | None:
        """Take out the one that is next; None when nobody waits."""
        if not self._waiting:
            return None
        visitor = next(iter(self._waiting))
        turns = self._waiting.pop(visitor)
        turn = turns.popleft()
        if turns:
            self._waiting[visitor] = turns  # after all others
        return turn

    def withdraw(self, turn: Turn) -> None:
        """Take one out that waits no longer, if it still does."""
        turns = self._waiting.get(turn.visitor, deque())
        if turn in turns:
            turns.remove(turn)
            if not turns:
                del self._waiting[turn.visitor]

    def give_way(self, visitor: str) -> Turn | None:
        """Take out the newest of whoever has the most; None when another one of this visitor's would be as many."""
        if not self._waiting:
            return None
        turns = max(self._waiting.values(), key=len)
        if len(turns) <= len(self._waiting.get(visitor, ())) + 1:
            return None
        return turns.pop()


def visitor_at(address: str | None) -> str:
    """Who asks from an address, as far as can be told: with IPv6 one household or hall has a whole range of them."""
    try:
        known = ipaddress.ip_address(address or "")
    except ValueError:
        return address or ""
    if known.version == 4:
        return str(known)
    return str(known.ipv4_mapped or ipaddress.ip_network((known.packed[:8] + bytes(8), 64)))
