"""Straight paths from a baseline to an input: points on them, and Integrated Gradients along one or many."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from explorer.attribution.arrays import finite
from explorer.attribution.case import Case
from explorer.attribution.field import CHUNK, gradient_field, values_at
from explorer.attribution.network import SHAPE, Floats
from explorer.attribution.rules import rule


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """Integrated Gradients step by step; K steps, ascending in α.

    Attributes:
        alphas: positions on the path, ``(K,)`` in [0, 1].
        weights: quadrature weight of each step, ``(K,)``, summing to 1 unless the rule is one of ``FAULTY``.
        values: F at each step, ``(K,)``.
        gradients: ∂F/∂x at each step, ``(K, 8, 8)``.
        attribution: the sum over all steps, ``(8, 8)``, in units of F.
        difference: x − x′, ``(8, 8)``.

    Raises:
        ValueError: the attribution is not finite.
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
        sums[-1] = self.attribution  # a cumulative sum and a matrix product differ by rounding
        return sums


def on_path(case: Case, alphas: Floats) -> Floats:
    """The pictures x′ + α (x − x′), ``(k, 8, 8)``, for α ``(k,)``; exactly x at α = 1."""
    a = alphas[:, None]
    pictures = (1 - a) * case.baseline.reshape(-1)
    pictures += a * case.input.reshape(-1)
    return pictures.reshape(-1, *SHAPE)


def values_on_path(case: Case, alphas: Floats) -> Floats:
    """F along the path, ``(k,)``, at α ``(k,)`` in [0, 1]: forward passes only."""
    return values_at(case, on_path(case, alphas))


def path_sum(case: Case, weights: Floats, gradients: Floats) -> Floats:
    """(x − x′) · Σ w_k g_k, ``(8, 8)``, for weights ``(K,)`` and gradients ``(K, 8, 8)``."""
    return case.difference * (weights @ gradients.reshape(len(weights), -1)).reshape(SHAPE)


def integrate_paths(case: Case, inputs: Floats, baselines: Floats, steps: int, rule_name: str) -> Floats:
    """Integrated Gradients along each of p paths, ``(p, 8, 8)``, in units of F.

    Args:
        case: gives network, target and output; its input and baseline are not used.
        inputs, baselines: the ends of the paths, ``(p, 8, 8)`` each.
        steps, rule_name: the quadrature, as for Integrated Gradients; p times as many forward and backward passes.
    """
    alphas, weights = rule(rule_name, steps)
    share = alphas[:, None, None]
    maps = np.empty(inputs.shape)
    each = max(1, CHUNK // len(alphas))  # whole paths in bounded chunks, so that memory is bounded
    for i in range(0, len(inputs), each):
        ends, starts = inputs[i : i + each], baselines[i : i + each]
        pictures = (1 - share) * starts[:, None] + share * ends[:, None]
        field = gradient_field(case.network, pictures.reshape(-1, *SHAPE), case.target, case.output)
        gradients = field.gradients.reshape(pictures.shape)
        maps[i : i + each] = (ends - starts) * np.einsum("k,pkij->pij", weights, gradients)
    return maps


def one_point_per_path(case: Case, inputs: Floats, baselines: Floats, alphas: Floats) -> Floats:
    """(x − x′) · ∂F(x′ + α (x − x′)) for each of p paths and its own α ``(p,)``, ``(p, 8, 8)``, in units of F."""
    share = alphas[:, None, None]
    field = gradient_field(case.network, (1 - share) * baselines + share * inputs, case.target, case.output)
    return (inputs - baselines) * field.gradients
