"""Recorded requests of a class: callback bodies that ``scripts/record_bodies.py`` took from the real page, with a variable number."""

from __future__ import annotations

import gzip
import json
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("bodies.jsonl.gz")
NUMBER = re.compile(rb'"ask":\d+')
ANSWERED = {"explanation": "state", "method-answers": "method-question"}  # output store: the store with its question


@dataclass(frozen=True, slots=True)
class Body:
    """A recorded body, without the number of its request.

    Attributes:
        before, after: the text before and after the number.
        output: id of the output store.
        methods: the requested methods; empty in a request about a state.
    """

    before: bytes
    after: bytes
    output: str
    methods: tuple[str, ...]

    @classmethod
    def recorded(cls, text: str) -> Body:
        """Parse the text that the page sent."""
        whole = json.loads(text)
        methods = whole["inputs"][0]["value"].get("methods", [])
        before, after = NUMBER.split(text.encode(), maxsplit=1)
        return cls(before + b'"ask":', after, whole["outputs"]["id"], tuple(methods))

    def with_number(self, number: int) -> bytes:
        """The body with this request number."""
        return b"%b%d%b" % (self.before, number, self.after)

    def for_empty_callback(self) -> Body:
        """The same body, for the empty callback of ``bench.served``."""
        before, after = self.before, self.after
        for name, empty in ((self.output, "empty-output"), (ANSWERED[self.output], "empty-input")):
            for wrap in (b'"id":"%b"', b'"%b.data"'):
                old, new = wrap % name.encode(), wrap % empty.encode()
                before, after = before.replace(old, new), after.replace(old, new)
        return replace(self, before=before, after=after, output="empty-output")


@dataclass(frozen=True, slots=True)
class Stroke:
    """A stroke, or a changed setting: its requests, each with its time in seconds since the first."""

    requests: tuple[tuple[float, Body], ...]


@dataclass(frozen=True, slots=True)
class Session:
    """One recorded visit: its link, the first request, the strokes, and the portions in which its Methods tab was requested."""

    link: str
    opening: Body
    strokes: tuple[Stroke, ...]
    portions: tuple[Body, ...]

    def for_empty_callback(self) -> Session:
        """The same visit, for the empty callback."""
        strokes = tuple(Stroke(tuple((at, body.for_empty_callback()) for at, body in s.requests)) for s in self.strokes)
        return replace(self, opening=self.opening.for_empty_callback(), strokes=strokes, portions=tuple(b.for_empty_callback() for b in self.portions))

    def bodies(self) -> list[Body]:
        """Every request of the visit."""
        return [self.opening, *(body for s in self.strokes for _, body in s.requests), *self.portions]


def sessions() -> tuple[Session, ...]:
    """All recorded visits."""
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
