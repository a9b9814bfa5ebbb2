"""Several gradient methods from one batched evaluation of the gradient field."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from explorer.attribution.arrays import finite
from explorer.attribution.case import Case, Settings
from explorer.attribution.field import Field, gradient_field
from explorer.attribution.method import GradientMethod
from explorer.attribution.methods.registry import CORE, METHODS
from explorer.attribution.network import Floats, Output


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """The result of one gradient method.

    Attributes:
        attribution: ``(8, 8)`` float64, signed.
        field: F and its gradient at the method's points.
    """

    attribution: Floats
    field: Field

    def __post_init__(self) -> None:
        finite("the attributions", self.attribution)


@dataclass(frozen=True, slots=True, eq=False)
class Explanation:
    """The results of several methods for one case. ``explanation["smoothgrad"]`` is that method's ``Result``.

    Attributes:
        case, settings: the arguments of ``explain``.
        results: by method name, in the order of the arguments.
        f_input, f_baseline: F(x) and F(x′).
        logits: all classes' pre-activation scores of the input, ``(C,)``.
        logit_gradient: the gradient of the target's logit at x, ``(8, 8)``, for either output: it is not 0 where the
            probability has saturated.
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
        """ΔF = F(x) − F(x′), the sum of an attribution with completeness."""
        return self.f_input - self.f_baseline


def explain(case: Case, settings: Settings | None = None, methods: Iterable[str] = CORE) -> Explanation:
    """Run several gradient methods on a case in one batch.

    Args:
        case: what is explained.
        settings: steps, rule, samples, …; defaults as in ``Settings``.
        methods: names in ``METHODS`` of gradient methods.

    Raises:
        ValueError: a method is unknown or no gradient method; logits, gradients or attributions are not finite.
    """
    settings = settings or Settings()
    methods = tuple(methods)
    chosen = {name: gradient_method(name) for name in methods}
    # methods with the same points function (gradient and gradient × input) share the points
    points = {method.points: method.points(case, settings) for method in chosen.values()}
    batch = np.concatenate([case.input[None], case.baseline[None], case.input[None], *points.values()])
    outputs: list[Output] = [case.output] * len(batch)
    outputs[2] = "logit"
    field = gradient_field(case.network, batch, case.target, outputs)
    ends = np.cumsum([3, *(len(part) for part in points.values())])
    fields = {function: field[start:end] for function, start, end in zip(points, ends[:-1], ends[1:], strict=True)}
    results = {
        name: Result(method.attribution(case, settings, fields[method.points]), fields[method.points])
        for name, method in chosen.items()
    }
    return Explanation(
        case, settings, results, float(field.values[0]), float(field.values[1]), field.logits[0], field.gradients[2]
    )


def gradient_method(name: str) -> GradientMethod:
    """The points and attribution functions of a gradient method.

    Raises:
        ValueError: the method is unknown or no gradient method.
    """
    if name not in METHODS:
        raise ValueError(f"the methods are {', '.join(METHODS)}; there is no {name!r}")
    compute = METHODS[name].compute
    if not isinstance(compute, GradientMethod):
        raise ValueError(f"{METHODS[name].title} does not only look at the gradient field: call METHODS[{name!r}] for it")
    return compute
