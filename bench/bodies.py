"""What a class sends: callback bodies that ``scripts/record_bodies.py`` took from the real page, each with a number to fill in."""

from __future__ import annotations

import gzip
import json
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("bodies.jsonl.gz")
ASK = re.compile(rb'"ask":\d+')
ANSWERED = {"explanation": "state", "method-answers": "method-question"}  # which store's question each store answers


@dataclass(frozen=True, slots=True)
class Body:
    """A recorded body around the number of its question.

    Attributes:
        before, after: what stands before and after the number.
        output: the store that is answered.
        methods: the methods asked for; none in a question about a state.
    """

    before: bytes
    after: bytes
    output: str
    methods: tuple[str, ...]

    @classmethod
    def recorded(cls, text: str) -> Body:
        """From the text that the page sent."""
        whole = json.loads(text)
        methods = whole["inputs"][0]["value"].get("methods", [])
        before, after = ASK.split(text.encode(), maxsplit=1)
        return cls(before + b'"ask":', after, whole["outputs"]["id"], tuple(methods))

    def asking(self, number: int) -> bytes:
        """The body as a question of this number."""
        return b"%b%d%b" % (self.before, number, self.after)

    def emptied(self) -> Body:
        """The same body, addressed to the empty callback of ``bench.served``."""
        before, after = self.before, self.after
        for name, empty in ((self.output, "empty-output"), (ANSWERED[self.output], "empty-input")):
            for wrap in (b'"id":"%b"', b'"%b.data"'):
                old, new = wrap % name.encode(), wrap % empty.encode()
                before, after = before.replace(old, new), after.replace(old, new)
        return replace(self, before=before, after=after, output="empty-output")


@dataclass(frozen=True, slots=True)
class Stroke:
    """A stroke, or a setting changed: the questions asked about it, each with its time in seconds from the first."""

    questions: tuple[tuple[float, Body], ...]


@dataclass(frozen=True, slots=True)
class Session:
    """One recorded visit: how it was opened, its strokes, and the portions in which its Methods tab was asked for."""

    link: str
    opening: Body
    strokes: tuple[Stroke, ...]
    portions: tuple[Body, ...]

    def emptied(self) -> Session:
        """The same visit to the empty callback."""
        strokes = tuple(Stroke(tuple((at, body.emptied()) for at, body in s.questions)) for s in self.strokes)
        return replace(self, opening=self.opening.emptied(), strokes=strokes, portions=tuple(b.emptied() for b in self.portions))

    def bodies(self) -> list[Body]:
        """Every question of the visit."""
        return [self.opening, *(body for s in self.strokes for _, body in s.questions), *self.portions]


def sessions() -> tuple[Session, ...]:
    """All that was recorded."""
    return tuple(_session(json.loads(line)) for line in gzip.decompress(FILE.read_bytes()).splitlines())


def _session(line: dict[str, Any]) -> Session:
    strokes = [act["bodies"] for act in line["acts"] if act["act"] == "stroke" and act["bodies"]]
    (portions,) = [act["bodies"] for act in line["acts"] if act["act"] == "methods"]
    return Session(
        line["link"],
        Body.recorded(line["opening"]),
        tuple(Stroke(tuple(((at - bodies[0][0]) / 1000, Body.recorded(text)) for at, text in bodies)) for bodies in strokes),
        tuple(map(Body.recorded, portions)),
    )
