"""Small pieces of sentences that several labs say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

ALIKE = 0.002  # numbers that differ by less than this share of the largest are not told apart: they may print alike


def listed(parts: Sequence[str]) -> str:
    """One, two or more parts as in "a, b and c"."""
    return f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else "".join(parts)


def best(values: Mapping[str, float], *, largest: bool = False) -> str:
    """The name of the smallest value, or of the largest; the names of all that cannot be told apart from it; "all alike" if it is all of several."""
    end = max(values.values()) if largest else min(values.values())
    room = ALIKE * max(abs(value) for value in values.values())
    names = [name for name, value in values.items() if abs(value - end) <= room]
    return "all alike" if len(names) == len(values) > 1 else listed(names)
