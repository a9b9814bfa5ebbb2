"""Integrated Gradients: the gradient averaged along the straight path from baseline to input.

Sundararajan, Taly & Yan, "Axiomatic Attribution for Deep Networks", ICML 2017.
"""

from __future__ import annotations

from explorer.attribution.case import Case, Settings
from explorer.attribution.field import Field
from explorer.attribution.method import DELTA_F, RULE, STEPS, GradientMethod, Method, Passes, Values, points_on_path
from explorer.attribution.network import Floats
from explorer.attribution.paths import Trace, on_path, path_sum
from explorer.attribution.rules import rule


def points(case: Case, settings: Settings) -> Floats:
    """x′ + α (x − x′) for each node α of the rule, ``(k, 8, 8)``; k = steps, or steps + 1 for the trapezoid."""
    alphas, _ = rule(settings.rule, settings.steps)
    return on_path(case, alphas)


def attribution(case: Case, settings: Settings, field: Field) -> Floats:
    """(x − x′) · Σ w_k ∂F(x′ + α_k (x − x′)), ``(8, 8)``, in units of F.

    Pixels where x = x′ get exactly 0, whatever the network makes of them.
    """
    _, weights = rule(settings.rule, settings.steps)
    return path_sum(case, weights, field.gradients)


def trace(case: Case, settings: Settings, field: Field) -> Trace:
    """Every step of Integrated Gradients, from the field at ``points(case, settings)``."""
    alphas, weights = rule(settings.rule, settings.steps)
    whole = path_sum(case, weights, field.gradients)
    return Trace(alphas, weights, field.values, field.gradients, whole, case.difference)


def _count(case: Case, values: Values) -> Passes:
    evaluations = points_on_path(values)
    return Passes(evaluations + 2, evaluations)


INTEGRATED_GRADIENTS = Method(
    name="integrated_gradients",
    title="Integrated Gradients",
    year=2017,
    paper="Sundararajan et al. 2017",
    reference="Axiomatic Attribution for Deep Networks, arXiv:1703.01365",
    family="gradient field",
    formula="(x − x′) · Σ wₖ ∂F(x′ + αₖ(x − x′))/∂x",
    complete=DELTA_F,
    unit="F",
    asks_at="path",
    invariant=True,
    passes="m + 2 forward, m backward (trapezoid: one more of each)",
    count=_count,
    settings=(STEPS, RULE),
    caveat="Pixels that equal the baseline get 0 however much they matter, and another baseline tells another story.",
    compute=GradientMethod(points, attribution),
)

ENTRIES = (INTEGRATED_GRADIENTS,)
