"""Challenges for a class, scored from the state alone: the same picture has the same score for everybody."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

from explorer.attribution import explain
from explorer.attribution.measures import top_pixels
from explorer.attribution.network import Floats
from explorer.state import PREDICTED, State, Zoo

SAME = 1e-9  # two values of a pixel that differ by less are one
DRAWN = 0.1  # from this value on a pixel is drawn
MOST_OVERLAP = 8  # pixels that are compared of each map
SURE, VERY_SURE, LEAST_DRAWN = 0.9, 0.99, 10


@dataclass(frozen=True, slots=True)
class Scored:
    """What a try is worth.

    Attributes:
        valid: whether it counts.
        score: the smaller the better; 0 where it does not count.
        text: one sentence: what was reached, or what is missing.
    """

    valid: bool
    score: float
    text: str


@dataclass(frozen=True, slots=True)
class Challenge:
    """A challenge.

    Attributes:
        title, rule: for students; the rule says what counts, and what is best.
        score: the worth of a state, given the state that the challenge began with, whose network and settings hold for all.
    """

    title: str
    rule: str
    score: Callable[[State, State, Zoo], Scored]


def asked(start: State, given: State) -> State:
    """The state that is scored: the picture of one, and all else of the other; P of the predicted class."""
    return start.replace(pixels=given.pixels, target=PREDICTED, output="probability")


def changed_pixels(one: State, other: State) -> int:
    """How many pixels of two pictures differ."""
    return int((np.abs(one.picture() - other.picture()) > SAME).sum())


def overlap(one: Floats, other: Floats, k: int = MOST_OVERLAP) -> int:
    """How many pixels are among the ``k`` strongest of both maps; see ``top_pixels`` for equal ones."""
    strongest = [{(row, column) for row, column, _ in top_pixels(values, k)} for values in (one, other)]
    return len(strongest[0] & strongest[1])


def _flip(start: State, given: State, zoo: Zoo) -> Scored:
    model, picture = zoo[start.network], asked(start, given).picture()
    before, after = (model.network.predict(one) for one in (start.picture(), picture))
    count = changed_pixels(start, given)
    if before == after:
        return Scored(False, 0.0, f"It is still “{model.classes[after]}”, with {_counted(count)} changed.")
    return Scored(True, float(count), f"{_counted(count)} changed: “{model.classes[before]}” became “{model.classes[after]}”.")


def _disagree(start: State, given: State, zoo: Zoo) -> Scored:
    state = asked(start, given)
    drawn = int((state.picture() >= DRAWN).sum())
    if drawn < LEAST_DRAWN:
        return Scored(False, 0.0, f"{_counted(drawn)} drawn, and at least {LEAST_DRAWN} are needed.")
    found = explain(state.case(zoo), state.settings(), ("gradient_times_input", "integrated_gradients"))
    if found.f_input < SURE:
        return Scored(False, 0.0, _unsure(found.f_input, SURE))
    maps = [found[name].attribution for name in ("gradient_times_input", "integrated_gradients")]
    if not all(np.count_nonzero(values) >= MOST_OVERLAP for values in maps):
        return Scored(False, 0.0, f"One of the maps has fewer than {MOST_OVERLAP} pixels that are not 0.")
    both = overlap(maps[0], maps[1])
    return Scored(True, float(both), f"{both} of the {MOST_OVERLAP} strongest pixels are the same. P is {_chance(found.f_input)}.")


def _flat(start: State, given: State, zoo: Zoo) -> Scored:
    state = asked(start, given)
    found = explain(state.case(zoo), state.settings(), ("gradient",))
    if found.f_input < VERY_SURE:
        return Scored(False, 0.0, _unsure(found.f_input, VERY_SURE))
    largest = float(np.abs(found["gradient"].attribution).max())
    return Scored(True, largest, f"The largest |∂P/∂x| is {_small(largest)}. P is {_chance(found.f_input)}.")


CHALLENGES: Mapping[str, Challenge] = MappingProxyType(
    {
        "flip": Challenge("Flip the class", "Change the predicted class with the fewest changed pixels.", _flip),
        "disagree": Challenge(
            "Make two methods disagree",
            f"Draw at least {LEAST_DRAWN} pixels with P at least {SURE:g}. Gradient × input and Integrated Gradients should share as few of their {MOST_OVERLAP} strongest pixels as possible.",
            _disagree,
        ),
        "flat": Challenge("Sure, and silent", f"Reach P at least {VERY_SURE:g} with the smallest gradient: the largest |∂P/∂x| counts.", _flat),
    }
)


def ranked(scores: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Scores, the best first; of equal ones the earlier."""
    return sorted(scores, key=lambda one: (one["score"], one["at"], one["alias"]))


def _counted(count: int) -> str:
    return f"{count} pixel{'s' * (count != 1)}"


def _chance(value: float) -> str:
    return f"{int(1000 * value) / 1000:.3f}"  # cut, not rounded: 0.9999 is not 1.000


def _small(value: float) -> str:
    return np.format_float_positional(value, precision=2, fractional=False, trim="-") if value > 1e-9 else f"{value:.2g}"  # 0.000054, not 5.4e-05


def _unsure(value: float, needed: float) -> str:
    return f"P is {_chance(value)}, and {needed:g} is needed."
