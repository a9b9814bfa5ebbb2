"""What the tests of the labs share: answers as the page gets them, and the numbers of their sentences."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import orjson
from strategies import ZOO

from explorer.labs import LABS
from explorer.labs.lab import Answer
from explorer.sentences import Sentence
from explorer.state import State

NUMBER = re.compile(r"\{([^{}:]+)(?::(\w+))?\}")


def answer_of(name: str, state: State, **settings: Any) -> Answer:
    """A lab's answer as the page gets it: through JSON."""
    lab = LABS[name]
    found: Answer = orjson.loads(orjson.dumps(lab.answer(state, lab.values(settings), ZOO)))
    return found


def sentences_of(name: str, answer: Answer) -> dict[str, Sentence]:
    """What a lab says of an answer, by claim, the sentences of its charts included."""
    said = LABS[name].narrate(answer)
    charts = [Sentence(f"chart {key}", chart["says"]["text"], chart["says"]["numbers"], chart["says"]["place"]) for key, chart in answer.get("charts", {}).items()]
    found = {sentence.claim: sentence for sentence in [*said, *charts]}
    assert len(found) == len(said) + len(charts), "a claim is made twice"
    return found


Check = Callable[[Sentence], bool]


def all_are_true(name: str, answer: Answer, checks: dict[str, Check]) -> None:
    """Every sentence about an answer has a check, apart from the lab's code, and passes it."""
    for claim, sentence in sentences_of(name, answer).items():
        assert claim in checks, f"no check for the claim {claim!r}"
        assert checks[claim](sentence), f"{claim}: {sentence.text} {dict(sentence.numbers)}"
