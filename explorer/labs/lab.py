"""``Lab``: one experiment of the tab Labs. A new one is a module here, a script of the same name, and a line in each registry."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from explorer.attribution import Setting
from explorer.attribution.method import Values as Values
from explorer.attribution.method import checked_values
from explorer.sentences import Sentence
from explorer.state import State, Zoo

Group = Literal["How the methods work", "What you choose", "Can you believe the map?", "What the network learned"]
Answer = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Paper:
    """A paper that a lab repeats or relies on.

    Attributes:
        who: authors and year, short.
        title: of the paper.
        address: where to read it; "" if it is not known.
    """

    who: str
    title: str
    address: str = ""


def suits_every_network(state: State, zoo: Zoo) -> str:
    """``Lab.unsupported`` of a lab that works on every network."""
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lab:
    """One experiment: a question, a prediction, an answer with its sentences, and what to keep in mind.

    Attributes:
        title: on its card.
        group: the row of the shelf that it stands in.
        question: one sentence, on its card and above the experiment.
        minutes: how long it takes.
        emblem: 8 rows of 8 characters: ``#`` dark, ``+`` light, ``.`` empty.
        prediction: what the visitor is asked before anything is shown.
        choices: the answers to choose from, each one sentence.
        settings: what the visitor can change, with defaults and bounds.
        looks: those of them that only choose what is shown of an answer: a change of these asks nothing.
        answer: computes the experiment as plain data: maps as 64 numbers, charts as ``charts.chart`` makes them. Its member
            ``outcome`` is the index of the choice that came true, None if none did.
        narrate: what happened, as sentences about an answer. The first one uses the words of the choices.
        why: the explanation, two sentences.
        caveat: what the experiment does not show.
        papers: what it rests on.
        unsupported: why it does not work for a state, as a sentence; "" if it does.
        instead: fields of the state with which it does.
    """

    title: str
    group: Group
    question: str
    minutes: int
    emblem: str
    prediction: str
    choices: tuple[str, ...]
    settings: tuple[Setting, ...]
    answer: Callable[[State, Values, Zoo], Answer]
    narrate: Callable[[Answer], list[Sentence]]
    why: str
    caveat: str
    papers: tuple[Paper, ...]
    unsupported: Callable[[State, Zoo], str] = suits_every_network
    instead: Mapping[str, Any] = field(default_factory=dict)
    looks: frozenset[str] = frozenset()

    def values(self, given: Mapping[str, object]) -> Values:
        """A value for each setting: the given one, checked, else its default.

        Raises:
            ValueError: an unknown setting, or a value that it cannot have.
        """
        return checked_values(self.title, self.settings, given)
