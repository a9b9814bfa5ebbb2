"""Integrated Gradients: the gradient averaged along the straight path from baseline to input.

Sundararajan, Taly & Yan, "Axiomatic Attribution for Deep Networks", ICML 2017.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from explorer.attribution.arrays import finite
from explorer.attribution.case import Case, Settings
from explorer.attribution.field import Field, values_at
from explorer.attribution.method import DELTA_F, RULE, STEPS, FieldWork, Method, Passes, Values, looks_on_path
from explorer.attribution.network import SHAPE, Floats
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
    return summed(case, weights, field.gradients)


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """Integrated Gradients step by step; K steps, in the order of α.

    Attributes:
        alphas: where on the path, ``(K,)`` in [0, 1].
        weights: what each step weighs, ``(K,)``, summing to 1 unless the rule is one of the ``FAULTY``.
        values: F at each step, ``(K,)``.
        gradients: ∂F/∂x at each step, ``(K, 8, 8)``.
        attribution: what the steps add up to, ``(8, 8)``, in units of F.
        difference: x − x′, ``(8, 8)``.
    """

    alphas: Floats
    weights: Floats
    values: Floats
    gradients: Floats
    attribution: Floats
    difference: Floats

    def __post_init__(self) -> None:
        finite("the attributions", self.attribution)

    @property
    def running(self) -> Floats:
        """The attribution accumulated up to and including each step, ``(K, 8, 8)``; the last is the attribution."""
        sums = self.difference * np.cumsum(self.weights[:, None, None] * self.gradients, axis=0)
        sums[-1] = self.attribution  # a running sum and a matrix product differ by rounding
        return sums


def trace(case: Case, settings: Settings, field: Field) -> Trace:
    """Every step of Integrated Gradients, from the field at ``points(case, settings)``."""
    alphas, weights = rule(settings.rule, settings.steps)
    whole = summed(case, weights, field.gradients)
    return Trace(alphas, weights, field.values, field.gradients, whole, case.difference)


def summed(case: Case, weights: Floats, gradients: Floats) -> Floats:
    """(x − x′) · Σ w_k g_k, ``(8, 8)``, for weights ``(K,)`` and gradients ``(K, 8, 8)``."""
    return case.difference * (weights @ gradients.reshape(len(weights), -1)).reshape(SHAPE)


def values_on_path(case: Case, alphas: Floats) -> Floats:
    """F along the path, ``(k,)``, at α ``(k,)`` in [0, 1]: forward only."""
    return values_at(case, on_path(case, alphas))


def on_path(case: Case, alphas: Floats) -> Floats:
    """The pictures x′ + α (x − x′), ``(k, 8, 8)``, for α ``(k,)``; exactly x at α = 1."""
    a = alphas[:, None]
    pictures = (1 - a) * case.baseline.reshape(-1)
    pictures += a * case.input.reshape(-1)
    return pictures.reshape(-1, *SHAPE)


def _count(case: Case, values: Values) -> Passes:
    looks = looks_on_path(values)
    return Passes(looks + 2, looks)


INTEGRATED_GRADIENTS = Method(
    name="integrated_gradients",
    title="Integrated Gradients",
    year=2017,
    paper="Sundararajan et al. 2017",
    reference="Axiomatic Attribution for Deep Networks, arXiv:1703.01365",
    family="gradient field",
    formula="(x − x′) · Σ wₖ ∂F(x′ + αₖ(x − x′))/∂x",
    complete=DELTA_F,
    invariant=True,
    passes="m + 2 forward, m backward (trapezoid: one more of each)",
    count=_count,
    settings=(STEPS, RULE),
    misleads="Pixels that equal the baseline get 0 however much they matter, and another baseline tells another story.",
    work=FieldWork(points, attribution),
)
