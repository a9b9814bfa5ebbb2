"""Where rooms are kept: the interface of its two kinds, SQLite on one machine and Redis for several.

A room is a set of named parts. Each write raises the room's version by one, so that a reader asks for what is newer than it has.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

TTL = 4 * 3600.0  # seconds that a room is kept after the last action
NOTHING: Mapping[str, int] = MappingProxyType({})


class StoreAway(Exception):
    """The store cannot be reached just now."""


class NoRoom(Exception):
    """There is no such room, or no longer."""


class Conflict(Exception):
    """A part has another version than the writer expected."""


@dataclass(frozen=True, slots=True)
class Part:
    """Content of a part, as JSON, and the version of the room that it was written with. None: it was erased."""

    version: int
    content: bytes | None


@dataclass(frozen=True, slots=True)
class Change:
    """The version of a room, and the parts that are newer than the version that the reader had."""

    version: int
    parts: Mapping[str, Part]


class Store(Protocol):
    """Keeps rooms for all workers. Every method may raise ``StoreAway``."""

    async def start(self, changed: Callable[[str], None], away: Callable[[bool], None]) -> None:
        """Begin to watch.

        Args:
            changed: called on the event loop with the code of a room that any worker wrote to, or that is gone; perhaps too often.
            away: called with True when the store cannot be reached, and with False when it can be again.
        """

    async def stop(self) -> None:
        """End watching, and close connections."""

    async def open(self, code: str, parts: Mapping[str, bytes]) -> bool:
        """Make a room whose parts have version 1. False: the code is in use."""

    async def read(self, code: str, since: int = 0) -> Change:
        """The parts with a version above ``since``. Raises ``NoRoom``."""

    async def write(self, code: str, parts: Mapping[str, bytes | None], expected: Mapping[str, int] = NOTHING, *, action: bool = True) -> int:
        """Write parts in one step, and return the new version.

        Args:
            expected: the version that parts must have for anything to be written; 0: never written.
            action: whether the room's time to live begins again.

        Raises:
            NoRoom, Conflict: nothing was written.
        """

    async def close(self, code: str) -> None:
        """Erase a room, at once."""
