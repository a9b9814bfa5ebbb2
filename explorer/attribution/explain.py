"""All methods from one batch: the points are pooled, looked at once, and dealt out again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from explorer.attribution.arrays import finite
from explorer.attribution.case import Case, Settings
from explorer.attribution.field import Field, look
from explorer.attribution.method import FieldWork
from explorer.attribution.methods import CORE, METHODS
from explorer.attribution.network import Floats, Output


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """What one method answered.

    Attributes:
        attribution: ``(8, 8)`` float64, signed.
        field: F and its gradient at the method's own points.
    """

    attribution: Floats
    field: Field

    def __post_init__(self) -> None:
        finite("the attributions", self.attribution)


@dataclass(frozen=True, slots=True, eq=False)
class Explanation:
    """What every method answered to one case. ``explanation["smoothgrad"]`` is that method's ``Result``.

    Attributes:
        case, settings: the question.
        results: the answers, by method name in the order asked.
        f_input, f_baseline: F(x) and F(x′).
        logits: all classes' pre-activation scores of the input, ``(C,)``.
        logit_gradient: the gradient of the target's logit at x, ``(8, 8)``, whichever output was asked for: where a
            probability has saturated, it shows what the network still reacts to.
    """

    case: Case
    settings: Settings
    results: dict[str, Result]
    f_input: float
    f_baseline: float
    logits: Floats
    logit_gradient: Floats

    def __getitem__(self, name: str) -> Result:
        return self.results[name]

    @property
    def delta_f(self) -> float:
        """ΔF = F(x) − F(x′): what a complete attribution sums to."""
        return self.f_input - self.f_baseline


def explain(case: Case, settings: Settings | None = None, methods: Iterable[str] = CORE) -> Explanation:
    """Answer a case with several methods, from one batched look at the network.

    Args:
        case: the question.
        settings: steps, rule, samples, …; defaults as in ``Settings``.
        methods: names in ``METHODS``, of methods that look at the gradient field and nothing else.

    Raises:
        ValueError: a method that is not in the table, or works in another way; logits, gradients or attributions that
            are not finite.
    """
    settings = settings or Settings()
    methods = tuple(methods)
    chosen = {name: field_work(name) for name in methods}
    # methods that look at the very same points (gradient and gradient × input) share them
    wanted = {method.points: method.points(case, settings) for method in chosen.values()}
    batch = np.concatenate([case.input[None], case.baseline[None], case.input[None], *wanted.values()])
    outputs: list[Output] = [case.output] * len(batch)
    outputs[2] = "logit"
    field = look(case.network, batch, case.target, outputs)
    ends = np.cumsum([3, *(len(points) for points in wanted.values())])
    seen = {ask: field[start:end] for ask, start, end in zip(wanted, ends[:-1], ends[1:], strict=True)}
    results = {
        name: Result(method.attribution(case, settings, seen[method.points]), seen[method.points])
        for name, method in chosen.items()
    }
    return Explanation(
        case, settings, results, float(field.values[0]), float(field.values[1]), field.logits[0], field.gradients[2]
    )


def field_work(name: str) -> FieldWork:
    """How a method of the gradient family works.

    Raises:
        ValueError: a method that is not in the table, or works in another way.
    """
    if name not in METHODS:
        raise ValueError(f"the methods are {', '.join(METHODS)}; there is no {name!r}")
    work = METHODS[name].work
    if not isinstance(work, FieldWork):
        raise ValueError(f"{METHODS[name].title} does not only look at the gradient field: call METHODS[{name!r}] for it")
    return work
