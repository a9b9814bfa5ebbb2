"""Guided Integrated Gradients: a path that looks for its way while it goes.

Where the network reacts sharply to a pixel, a straight path collects much that has nothing to do with the input. So at
every step only those pixels move whose gradient is smallest just now; none may get far ahead of the straight path, and
none may fall far behind it.

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
CLOSE = 1e-12  # of the whole way: nearer than that counts as there


def guided_integrated_gradients(case: Case, values: Values) -> Attribution:
    """Σ ∂F(γ_k) · (γ_{k+1} − γ_k) along the path γ from x′ to x that it finds, ``(8, 8)``, in units of F.

    One look a step, each at the end of the step before it, so nothing can be batched. With no leeway the path is
    straight and the map that of Integrated Gradients with the left-hand rule; with a leeway of 1 the path is free.
    Pixels where x = x′ get exactly 0.

    The expected_sum, F(x) − F(x′), is reached in the limit of many steps only where F is smooth. In a ReLU network a path that
    has much leeway runs along kinks, where the gradient changes with every step: the sum then stays off, whatever m.
    """
    steps, fraction, leeway = int(values["steps"]), float(values["fraction"]), float(values["max_dist"])
    start, end, difference = case.baseline.ravel(), case.input.ravel(), case.difference.ravel()
    distance = np.abs(difference)
    progress = np.zeros(SIDE * SIDE)  # of each pixel, from 0 at x′ to 1 at x
    attribution = np.zeros(SIDE * SIDE)
    for step in range(1, steps + 1):
        at = ((1 - progress) * start + progress * end).reshape(1, *SHAPE)
        gradient = gradient_field(case.network, at, case.target, case.output).gradients.ravel()
        moved = advance(progress, distance, np.abs(gradient), step / steps, fraction, leeway)
        attribution += gradient * (moved - progress) * difference
        progress = moved
    return Attribution(attribution.reshape(SHAPE), forward=steps + 2, backward=steps, expected_sum=delta_f(case))


def advance(progress: Floats, distance: Floats, slopes: Floats, alpha: float, fraction: float, leeway: float) -> Floats:
    """Where the pixels are after a step that brings the picture to the share α of the whole way, ``(n,)`` in [0, 1].

    Args:
        progress: where each pixel is now, ``(n,)``; together at most at α.
        way: |x − x′| of each pixel, ``(n,)``; the whole way is their sum.
        slopes: |∂F/∂x| of each pixel, ``(n,)``.
        alpha: where the picture should be, in units of the whole way.
        fraction: of all pixels, how many with the smallest slopes move together (ties move too).
        leeway: how far from α a pixel may be.
    """
    last, first = min(alpha + leeway, 1.0), max(alpha - leeway, 0.0)
    progress = np.maximum(progress, first)
    total = distance.sum()
    wanted = alpha * total - distance @ progress
    free = (progress < last) & (distance > 0)
    nth = int(fraction * (len(distance) - 1))
    while wanted > CLOSE * total and np.count_nonzero(free):
        ranked = np.where(free, slopes, np.inf)
        ordered = ranked.copy()
        ordered.partition(nth)
        chosen = free & ~(ranked > ordered[nth])  # never none, so the loop ends whatever the slopes
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
    invariant=True,
    passes="m + 2 forward, m backward, one after the other",
    count=_count,
    settings=(replace(STEPS, default=200), FRACTION, LEEWAY),
    caveat="It steers round places where the network reacts sharply, so real reactions are understated; on "
    "networks with kinks the sum can stay off its goal however many steps.",
    compute=guided_integrated_gradients,
)

ENTRIES = (GUIDED_INTEGRATED_GRADIENTS,)
