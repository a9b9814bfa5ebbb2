"""Whether an answer is whole, belongs to its question, and says what the same question was told before."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import orjson

from bench.bodies import Body
from bench.wire import Broken, Reply

EMPTY = "empty-output"


class Wrong(Exception):
    """An answer that must not be; the message says what is wrong with it."""


@dataclass(slots=True)
class Key:
    """The answers known so far. The same question has the same answer, from any worker and whoever else is asking.

    Most answers are byte for byte what was told before; one that is not may differ by the rounding of another batch.
    """

    _known: dict[tuple[str, bytes], bytes] = field(default_factory=dict)

    def check(self, body: Body, number: int, reply: Reply) -> None:
        """Compare an answer with its question and with the answer that is known; an unknown one is kept.

        Raises:
            Wrong: it is not the answer to this question.
        """
        told = _told(body.output, reply)
        if body.output == EMPTY:
            return
        start = b'{"ask":%d,' % number
        rest = told[len(start) :] if told.startswith(start) else None
        known = self._known.get((body.output, body.after))
        if known is not None and rest == known:
            return
        said = _parsed(told)
        if not isinstance(said, dict) or said.pop("ask", None) != number:
            raise Wrong("the answer has another question's number")
        if body.methods and set(said.get("methods", ())) != set(body.methods):
            raise Wrong("the answer tells of other methods than were asked for")
        if known is None:
            self._known[body.output, body.after] = told[len(start) :] if rest is not None else orjson.dumps(said)[1:]
        elif not alike(said, _parsed(b"{" + known)):
            raise Wrong("the answer differs from what this question was told before")


def alike(one: Any, other: Any) -> bool:
    """Whether two answers are equal up to rounding; the words for numbers may round to another digit."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, int | float) and isinstance(other, int | float):
        return math.isclose(one, other, rel_tol=1e-6, abs_tol=1e-9)
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(alike(one[name], other[name]) for name in one if name != "words")
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(alike, one, other))
    return len(one) == len(other) if isinstance(one, str) and isinstance(other, str) else one is other


def _told(output: str, reply: Reply) -> bytes:
    if reply.status != 200:
        raise Wrong(f"status {reply.status}: {reply.body[:100]!r}")
    try:
        data = orjson.loads(reply.body)["response"][output]["data"]
    except (Broken, ValueError, LookupError, TypeError):
        raise Wrong(f"the answer is not whole JSON: {reply.raw[:60]!r}") from None
    if isinstance(data, str):
        return data.encode()
    if output == EMPTY:
        return b""
    raise Wrong("the answer holds no text")


def _parsed(told: bytes) -> Any:
    try:
        return orjson.loads(told)
    except ValueError:
        raise Wrong("the answer's text is not whole JSON") from None
