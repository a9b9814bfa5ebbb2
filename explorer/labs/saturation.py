"""The lab saturation: three functions of one ReLU, where the gradient and Integrated Gradients disagree (Sundararajan 2017).

In Python::

    from explorer.labs.saturation import TOYS, gradient, integrated_gradients

    toy = TOYS["saturates"]                     # F(x) = 1 − ReLU(1 − x)
    gradient(toy, [2.0])                        # 0: F is flat at x = 2
    integrated_gradients(toy, [2.0], [0.0])     # 1: F rose on the way
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike

from explorer.attribution import Setting, rule
from explorer.attribution.network import Floats
from explorer.labs.lab import Answer, Lab, Paper, Values
from explorer.plain_data import numbers
from explorer.sentences import Sentence
from explorer.state import State, Zoo

STEPS = 5  # of the sums that the sentences state
CHOICES = (
    "Both find all of it.",
    "The gradient finds none of it, Integrated Gradients all.",
    "The gradient finds too much, Integrated Gradients all.",
    "Both find only a part.",
)


@dataclass(frozen=True, slots=True)
class Toy:
    """F(x) = offset + scale · ReLU(bias + Σ weights · x), for pixels x from 0 to ``high``."""

    text: str
    weights: tuple[float, ...]
    bias: float
    scale: float
    offset: float
    high: float

    @property
    def ends(self) -> tuple[Floats, Floats]:
        """The input that the lab opens with, all pixels at ``high``, and the baseline, all at 0."""
        return np.full(len(self.weights), self.high), np.zeros(len(self.weights))


TOYS: Mapping[str, Toy] = MappingProxyType(
    {
        "saturates": Toy("F(x) = 1 − ReLU(1 − x)", (-1.0,), 1.0, -1.0, 1.0, 2.0),
        "threshold": Toy("F(x) = max(0, x − 0.5)", (1.0,), -0.5, 1.0, 0.0, 1.0),
        "pair": Toy("F(x₁, x₂) = min(1, x₁ + x₂)", (-1.0, -1.0), 1.0, -1.0, 1.0, 1.0),
    }
)


def inside(toy: Toy, x: ArrayLike) -> float:
    """What its ReLU is given at pixels x ``(n,)``."""
    return float(toy.bias + np.dot(toy.weights, np.asarray(x, dtype=np.float64)))


def value(toy: Toy, x: ArrayLike) -> float:
    """F at pixels x ``(n,)``."""
    return float(toy.offset + toy.scale * max(0.0, inside(toy, x)))


def gradient(toy: Toy, x: ArrayLike) -> Floats:
    """∂F/∂x at pixels x ``(n,)``, with ReLU′(0) = 0."""
    return np.multiply(toy.scale * (inside(toy, x) > 0), toy.weights)


def share_on(toy: Toy, x: ArrayLike, start: ArrayLike) -> float:
    """The share of the straight path from ``start`` to x on which the ReLU is on, in [0, 1]."""
    before, after = inside(toy, start), inside(toy, x)
    if (before > 0) == (after > 0):
        return float(before > 0)
    crossing = before / (before - after)
    return crossing if before > 0 else 1 - crossing


def integrated_gradients(toy: Toy, x: ArrayLike, start: ArrayLike) -> Floats:
    """Exact Integrated Gradients of pixels x ``(n,)`` from the baseline ``start``, in units of F."""
    change = np.subtract(x, start, dtype=np.float64)
    return np.asarray(change * np.multiply(toy.scale * share_on(toy, x, start), toy.weights))


def riemann_sum(toy: Toy, x: ArrayLike, start: ArrayLike, steps: int, name: str) -> Floats:
    """Integrated Gradients by a quadrature rule of ``RULES`` with m = ``steps``, in units of F ``(n,)``."""
    alphas, weights = rule(name, steps)
    begin, change = np.asarray(start, dtype=np.float64), np.subtract(x, start, dtype=np.float64)
    return np.asarray(change * sum(weight * gradient(toy, begin + alpha * change) for alpha, weight in zip(alphas, weights, strict=True)))


def _answer(_: State, values: Values, __: Zoo) -> Answer:
    name = str(values["function"])
    toy = TOYS[name]
    x, start = toy.ends
    slope, change = gradient(toy, x), value(toy, x) - value(toy, start)
    found, exact = float(slope @ (x - start)), integrated_gradients(toy, x, start)
    sums = {rule_name: riemann_sum(toy, x, start, STEPS, rule_name) for rule_name in ("right", "left")}
    both = found == change
    outcome = 0 if both else 1 if not found else 2 if found > change else 3
    return {
        "outcome": outcome,
        "function": name,
        "text": toy.text,
        "toy": {"weights": list(toy.weights), "bias": toy.bias, "scale": toy.scale, "offset": toy.offset, "high": toy.high},
        "x": numbers(x),
        "start": numbers(start),
        "change": change,
        "gradient": numbers(slope),
        "product": found,
        "exact": numbers(exact),
        "sums": {rule_name: numbers(total) for rule_name, total in sums.items()},
    }


def _narrate(answer: Answer) -> list[Sentence]:
    happened = [choice.removesuffix(".") for choice in CHOICES][answer["outcome"]]
    pair = len(answer["x"]) == 2
    ends = "from (0, 0) to (1, 1)" if pair else "from x′ = 0 to x = {x:whole}"
    given = {"product": answer["product"], "total": sum(answer["exact"]), "change": answer["change"], **({} if pair else {"x": int(answer["x"][0])})}
    said = [Sentence("who finds it", f"{happened}: {{product:two}} and {{total:two}}. F rises by {{change:two}} {ends}.", given)]
    if pair:
        one, other = answer["exact"]
        said += [
            Sentence("either pixel", "Either pixel alone would raise F as far, so at x neither has a gradient."),
            Sentence("halves", "Integrated Gradients shares the rise: {one:two} for x₁, {other:two} for x₂.", {"one": one, "other": other}),
        ]
    right, left = (sum(answer["sums"][name]) for name in ("right", "left"))
    return [*said, Sentence("sums", "With m = 5 steps the right rule gives Σ = {right:two}, the left one Σ = {left:two}.", {"right": right, "left": left})]


LAB = Lab(
    title="One and two pixels",
    group="How the methods work",
    question="Can a pixel matter although its gradient is 0?",
    minutes=4,
    emblem="......++ ....++++ ...##### ..##.... ..#..... .##..... ##...... #.......",
    prediction="On the way from the baseline x′ to x, F rises, and for a part it is flat. How much of the rise do gradient × (x − x′) and Integrated Gradients find?",
    choices=CHOICES,
    settings=(
        Setting("function", "Function", "saturates", choices=tuple(TOYS)),
        Setting("x", "Pixel x", 2.0, 0, 2),
        Setting("start", "Baseline x′", 0.0, 0, 2),
        Setting("x1", "Pixel x₁", 1.0, 0, 1),
        Setting("x2", "Pixel x₂", 1.0, 0, 1),
        Setting("area", "Integrated Gradients", "exact", choices=("exact", "left", "right")),
        Setting("steps", "Steps m", STEPS, 1, 20),
    ),
    looks=frozenset({"x", "start", "x1", "x2", "area", "steps"}),
    answer=_answer,
    narrate=_narrate,
    why="The gradient tells only how F changes at x itself, not what happened on the way. "
    "Integrated Gradients takes the mean gradient of the way, times x − x′, and so adds up to F(x) − F(x′).",
    caveat="These functions were made to show the fault; only the first is from the paper. Your picture plays no part in this lab.",
    papers=(Paper("Sundararajan et al. 2017", "Axiomatic Attribution for Deep Networks", "https://arxiv.org/abs/1703.01365"),),
)
