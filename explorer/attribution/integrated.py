"""Integrated Gradients: the gradient averaged along the straight path from baseline to input.

Sundararajan, Taly & Yan, "Axiomatic Attribution for Deep Networks", ICML 2017.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from explorer.attribution.case import Case, Settings
from explorer.attribution.field import Field, outputs
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
    return case.difference * (weights @ field.gradients.reshape(len(weights), -1)).reshape(SHAPE)


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """Integrated Gradients step by step; K steps, in the order of α.

    Attributes:
        alphas: where on the path, ``(K,)`` in [0, 1].
        weights: what each step weighs, ``(K,)``, summing to 1.
        values: F at each step, ``(K,)``.
        gradients: ∂F/∂x at each step, ``(K, 8, 8)``.
        running: the attribution accumulated up to and including each step, ``(K, 8, 8)``; the last one is the
            attribution.
    """

    alphas: Floats
    weights: Floats
    values: Floats
    gradients: Floats
    running: Floats

    @property
    def attribution(self) -> Floats:
        """The finished attribution, ``(8, 8)``, in units of F."""
        return self.running[-1]


def trace(case: Case, settings: Settings, field: Field) -> Trace:
    """Every step of Integrated Gradients, from the field at ``points(case, settings)``."""
    alphas, weights = rule(settings.rule, settings.steps)
    return make_trace(case, alphas, weights, field.values, field.gradients)


def make_trace(case: Case, alphas: Floats, weights: Floats, values: Floats, gradients: Floats) -> Trace:
    """A trace from its steps: only the running attribution is left to be summed."""
    running = case.difference * np.cumsum(weights[:, None, None] * gradients, axis=0)
    return Trace(alphas, weights, values, gradients, running)


def values_on_path(case: Case, alphas: Floats) -> Floats:
    """F along the path, ``(k,)``, at α ``(k,)`` in [0, 1]: forward only."""
    with torch.no_grad():
        logits: Floats = case.network.logits(torch.from_numpy(on_path(case, alphas))).numpy()
    return outputs(case.network, logits, case.target, case.output)[0]


def on_path(case: Case, alphas: Floats) -> Floats:
    """The pictures x′ + α (x − x′), ``(k, 8, 8)``, for α ``(k,)``; exactly x at α = 1."""
    a = alphas[:, None, None]
    return (1 - a) * case.baseline + a * case.input
