"""A ``QuestionKind`` is one kind of request that a panel may send; ``callbacks.py`` answers all kinds in the same way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from explorer.state import State, Zoo

Key = bytes  # all that an answer depends on
Work = Callable[[], dict[str, Any]]  # computes the answer, as plain data


@dataclass(frozen=True, slots=True)
class QuestionKind:
    """What differs between the Dash callbacks that compute.

    Attributes:
        output: id of the store of the answer, by which the kind is also known in metrics and logs.
        source: id of the store of the question.
        prepare: returns the cache key and the function that computes. StateError: the request is invalid or too expensive.
        asks: the name of the extra JSON member, such as ``methods``; if None, the request may have a link in place of the state.
    """

    output: str
    source: str
    prepare: Callable[[State, Any, Zoo], tuple[Key, Work]]
    asks: str | None = None
