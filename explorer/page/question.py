"""The kinds of question that the page asks its server: what a panel adds to the request life cycle in ``callbacks.py``."""

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
        prepare: key and work for a state and what is asked of it. StateError: this is wrong, or too much work.
        asks: the member of a question that says what is asked of the state; without one, a link may stand for the state.
    """

    output: str
    source: str
    prepare: Callable[[State, Any, Zoo], tuple[Key, Work]]
    asks: str | None = None
