"""Guided Integrated Gradients: an adaptive path that moves the pixels with the smallest |∂F/∂x| first.

Kapishnikov, Venugopalan, Avci, Wedin, Terry & Bolukbasi, "Guided Integrated Gradients: an Adaptive Path Method for
Removing Noise", CVPR 2021.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from explorer.attribution.case import Case
from explorer.attribution.field import gradient_field
from explorer.attribution.method import DELTA_F, STEPS, Attribution, Method, Passes, Setting, Values, delta_f
from explorer.attribution.network import SHAPE, SIDE, Floats

FRACTION = Setting("fraction", "Share of pixels that move at a time", 0.25, 0, 1)
LEEWAY = Setting("max_dist", "Most that a pixel may leave the straight path", 0.02, 0, 1)
TOLERANCE = 1e-12  # of the whole distance: less counts as reached


def guided_integrated_gradients(case: Case, values: Values) -> Attribution:
    """Σ ∂F(γ_k) · (γ_{k+1} − γ_k) along an adaptive path γ from x′ to x, ``(8, 8)``, in units of F.

    Each step needs the gradient at the end of the step before, so steps cannot be batched. No pixel may be further than
    ``max_dist`` (of its own distance) from the straight path: with 0 the path is straight and the map that of Integrated
    Gradients with the left-hand rule; with 1 the path is free. Pixels where x = x′ get exactly 0.

    The sum converges to the expected sum, F(x) − F(x′), only for a smooth F. In a ReLU network a path with a large
    ``max_dist`` runs along kinks, where the gradient changes at every step, so the sum does not converge.
    """
    progress, gradients = guided_path(case, values)
    attribution = (gradients * np.diff(progress, axis=0)).sum(axis=0) * case.difference.ravel()
    steps = len(gradients)
    return Attribution(attribution.reshape(SHAPE), forward=steps + 2, backward=steps, expected_sum=delta_f(case))


def guided_path(case: Case, values: Values) -> tuple[Floats, Floats]:
    """The adaptive path γ from x′ to x: the progress of each pixel, ``(m + 1, 64)`` from 0 to 1, and ∂F/∂x before each step ``(m, 64)``."""
    steps, fraction, leeway = int(values["steps"]), float(values["fraction"]), float(values["max_dist"])
    start, end, distance = case.baseline.ravel(), case.input.ravel(), np.abs(case.difference.ravel())
    progress, gradients = np.zeros((steps + 1, SIDE * SIDE)), np.empty((steps, SIDE * SIDE))
    for step in range(steps):
        at = ((1 - progress[step]) * start + progress[step] * end).reshape(1, *SHAPE)
        gradients[step] = gradient_field(case.network, at, case.target, case.output).gradients.ravel()
        progress[step + 1] = advance(progress[step], distance, np.abs(gradients[step]), (step + 1) / steps, fraction, leeway)
    return progress, gradients


def advance(progress: Floats, distance: Floats, slopes: Floats, alpha: float, fraction: float, leeway: float) -> Floats:
    """The progress of each pixel after a step to the share α of the whole distance, ``(n,)`` in [0, 1].

    Args:
        progress: the progress of each pixel before the step, ``(n,)``; weighted by distance at most α.
        distance: |x − x′| of each pixel, ``(n,)``; their sum is the whole distance.
        slopes: |∂F/∂x| of each pixel, ``(n,)``.
        alpha: the share of the whole distance to reach.
        fraction: the share of all pixels, those with the smallest slopes, that move together (ties move too).
        leeway: the largest difference between a pixel's progress and α.
    """
    last, first = min(alpha + leeway, 1.0), max(alpha - leeway, 0.0)
    progress = np.maximum(progress, first)
    total = distance.sum()
    wanted = alpha * total - distance @ progress
    free = (progress < last) & (distance > 0)
    nth = int(fraction * (len(distance) - 1))
    while wanted > TOLERANCE * total and np.count_nonzero(free):
        ranked = np.where(free, slopes, np.inf)
        ordered = ranked.copy()
        ordered.partition(nth)
        chosen = free & ~(ranked > ordered[nth])  # never empty, so the loop ends
        gap = np.where(chosen, last - progress, 0.0)
        room = gap @ distance
        if room > wanted:
            progress += wanted / room * gap
            break
        progress[chosen] = last
        free &= ~chosen
        wanted -= room
    return progress


def _count(case: Case, values: Values) -> Passes:
    steps = int(values["steps"])
    return Passes(steps + 2, steps, sequential=steps)


GUIDED_INTEGRATED_GRADIENTS = Method(
    name="guided_integrated_gradients",
    title="Guided IG",
    year=2021,
    paper="Kapishnikov et al. 2021",
    reference="Guided Integrated Gradients: an Adaptive Path Method for Removing Noise, arXiv:2106.09788",
    family="adaptive path",
    formula="Σ ∂F(γₖ)/∂x · (γₖ₊₁ − γₖ), on a path γ that moves the pixels with small |∂F/∂x| first",
    complete=DELTA_F,
    unit="F",
    asks="along a path of its own",
    invariant=True,
    passes="m + 2 forward, m backward, one after the other",
    count=_count,
    settings=(replace(STEPS, default=200), FRACTION, LEEWAY),
    caveat="It steers round places where the network reacts sharply, so real reactions are understated; on "
    "networks with kinks the sum can stay off its goal however many steps.",
    compute=guided_integrated_gradients,
)

ENTRIES = (GUIDED_INTEGRATED_GRADIENTS,)
