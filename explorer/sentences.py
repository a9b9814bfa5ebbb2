"""``Sentence``: what the page says of numbers. It carries the name of its claim and the numbers that it states, which the tests check."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

Place = Literal["headline", "second", "more"]


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence, or two that belong together.

    Attributes:
        claim: what it says; ``"advice"`` says nothing of this state.
        text: with ``{name:format}`` where the page's script writes a number; its ``numbers.js`` has the formats.
        numbers: by name, unrounded.
        place: above the maps, on the line below, or in the list below the panel.
    """

    claim: str
    text: str
    numbers: Mapping[str, float] = field(default_factory=dict)
    place: Place = "more"

    def to_json(self) -> dict[str, Any]:
        """What the page needs of it."""
        return {"text": self.text, "numbers": dict(self.numbers), "place": self.place}

    def at(self, place: Place) -> Sentence:
        """The same elsewhere."""
        return replace(self, place=place)
