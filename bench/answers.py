"""Checks answers: complete, for the right request, and equal to earlier answers to the same request."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import orjson

from bench.bodies import Body
from bench.wire import BrokenResponse, Reply

EMPTY_OUTPUT = "empty-output"


class WrongAnswer(Exception):
    """An incorrect answer; the message says why."""


@dataclass(slots=True)
class KnownAnswers:
    """The answers known so far. Equal requests have equal answers, from any worker and under any load.

    Most are equal byte for byte; others may differ by the rounding of another batch.
    """

    _known: dict[tuple[str, bytes], bytes] = field(default_factory=dict)

    def check(self, body: Body, number: int, reply: Reply) -> None:
        """Compare an answer with its request and with the known answer; remember it if none is known.

        Raises:
            WrongAnswer: it is not the answer to this request.
        """
        text = _answer_text(body.output, reply)
        if body.output == EMPTY_OUTPUT:
            return
        start = b'{"ask":%d,' % number
        rest = text[len(start) :] if text.startswith(start) else None
        known = self._known.get((body.output, body.after))
        if known is not None and rest == known:
            return
        answer = _parsed(text)
        if not isinstance(answer, dict) or answer.pop("ask", None) != number:
            raise WrongAnswer("the answer has the number of another request")
        if body.methods and set(answer.get("methods", ())) != set(body.methods):
            raise WrongAnswer("the answer has other methods than were requested")
        if known is None:
            self._known[body.output, body.after] = text[len(start) :] if rest is not None else orjson.dumps(answer)[1:]
        elif not equal_up_to_rounding(answer, _parsed(b"{" + known)):
            raise WrongAnswer("the answer differs from an earlier answer to the same request")


def equal_up_to_rounding(one: Any, other: Any) -> bool:
    """Whether two answers are equal up to rounding; numbers within texts may differ in the last digit."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, int | float) and isinstance(other, int | float):
        return math.isclose(one, other, rel_tol=1e-6, abs_tol=1e-9)
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(equal_up_to_rounding(one[name], other[name]) for name in one if name != "words")
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(equal_up_to_rounding, one, other))
    return len(one) == len(other) if isinstance(one, str) and isinstance(other, str) else one is other


def _answer_text(output: str, reply: Reply) -> bytes:
    if reply.status != 200:
        raise WrongAnswer(f"status {reply.status}: {reply.body[:100]!r}")
    try:
        data = orjson.loads(reply.body)["response"][output]["data"]
    except (BrokenResponse, ValueError, LookupError, TypeError):
        raise WrongAnswer(f"the answer is not complete JSON: {reply.raw[:60]!r}") from None
    if isinstance(data, str):
        return data.encode()
    if output == EMPTY_OUTPUT:
        return b""
    raise WrongAnswer("the answer has no text")


def _parsed(text: bytes) -> Any:
    try:
        return orjson.loads(text)
    except ValueError:
        raise WrongAnswer("the answer's text is not complete JSON") from None
