"""Blur IG: Integrated Gradients along a path on which the picture comes into focus.

Xu, Venugopalan & Sundararajan, "Attribution in Scale and Space", CVPR 2020.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from explorer.attribution.case import Case
from explorer.attribution.field import look, values_at
from explorer.attribution.method import RULE, STEPS, Answer, Method, Passes, Setting, Values, looks_on_path, shared
from explorer.attribution.network import SIDE, Floats
from explorer.attribution.rules import RULES, rule

LARGEST_BLUR = Setting("sigma_max", "Largest blur σ, in pixels", 8.0, 0.5, 50)
GRAD_STEP = Setting("grad_step", "Difference quotient over, in pixels (0: over a step)", 0.0, 0, 1)
TRUNCATE = 4.0  # a kernel ends that many σ from its middle


def blur_integrated_gradients(case: Case, values: Values) -> Answer:
    """Σ ∂F(x blurred by σ_k) · Δ_k, ``(8, 8)``, in units of F.

    The path runs from x blurred by the largest σ to x itself, with σ falling evenly: σ = (1 − α) σ_max. The rule's
    weights cut [0, 1] into cells, each with its node α_k in it, and Δ_k is how the picture changes over the cell. The
    changes sum to the whole change exactly, so no derivative of the blur is needed. (With the right-hand rule this is
    the sum in PAIR's code, with a difference quotient over one whole step.)

    With ``grad_step`` h above 0 the changes are instead a step's length times (x blurred by σ_k − x blurred by σ_k + h) / h,
    as PAIR does it, with h = 0.01. Where a kernel grows by a pixel the blur jumps, and these changes then do not sum to
    the whole.

    The case's own baseline plays no part; the goal is F(x) − F(x blurred by σ_max).
    """
    settings, largest = shared(values), float(values["sigma_max"])
    alphas, weights = rule(settings.rule, settings.steps)
    ends = np.concatenate([[0.0], np.cumsum(weights)])
    ends[-1] = 1
    at_ends, at_nodes = blurred(case.input, largest * (1 - ends)), blurred(case.input, largest * (1 - alphas))
    field = look(case.network, at_nodes, case.target, case.output)
    changes = np.diff(at_ends, axis=0)
    if (h := float(values["grad_step"])) > 0:
        slopes = (at_nodes - blurred(case.input, largest * (1 - alphas) + h)) / h
        changes = largest * weights[:, None, None] * slopes
    attribution = (changes * field.gradients).sum(axis=0)
    before, after = values_at(case, at_ends[[0, -1]])
    return Answer(attribution, forward=len(alphas) + 2, backward=len(alphas), goal=float(after - before))


def blurred(picture: Floats, sigmas: Floats) -> Floats:
    """The picture under a Gaussian blur of each σ, ``(k, 8, 8)``, for σ ``(k,)`` in pixels, 0 or more.

    What lies outside the picture is black, so a wide blur also dims it. The blur is separable: one 8 × 8 matrix for the
    rows and the same for the columns.
    """
    matrices = _matrices(np.asarray(sigmas, dtype=np.float64))
    return matrices @ picture @ matrices.transpose(0, 2, 1)


def _matrices(sigmas: Floats) -> Floats:
    """``(k, 8, 8)``: how much of pixel j comes to pixel i. A kernel is cut at 4 σ and sums to 1 within that."""
    radius = np.floor(TRUNCATE * sigmas + 0.5)
    reach = np.arange(1 + max(SIDE - 1, int(radius.max(initial=0))))
    widths = np.maximum(sigmas, 0.1)  # below 1/8 a kernel is a single pixel: no division by zero, and the same kernel
    kernel = np.where(reach <= radius[:, None], np.exp(-0.5 * (reach / widths[:, None]) ** 2), 0.0)
    kernel /= (kernel[:, 0] + 2 * kernel[:, 1:].sum(axis=1))[:, None]
    return kernel[:, np.abs(np.subtract.outer(np.arange(SIDE), np.arange(SIDE)))]


def _count(case: Case, values: Values) -> Passes:
    looks = looks_on_path(values)
    return Passes(looks + 2, looks)


BLUR_INTEGRATED_GRADIENTS = Method(
    name="blur_integrated_gradients",
    title="Blur IG",
    year=2020,
    paper="Xu et al. 2020",
    reference="Attribution in Scale and Space, arXiv:2004.03383",
    family="gradient field",
    formula="∫ ∂F/∂x · dx along x blurred by σ, from σ_max down to 0",
    complete="F(x) − F(x blurred by σ_max)",
    invariant=True,
    passes="m + 2 forward, m backward",
    count=_count,
    # most of what happens, happens in the last few steps: the midpoint rule's delta is a tenth of the right-hand one's
    settings=(replace(STEPS, default=100), replace(RULE, default="midpoint", choices=tuple(RULES)), LARGEST_BLUR, GRAD_STEP),
    misleads="It explains what sharpening adds; outside the picture counts as black, so blurring also dims its edges.",
    work=blur_integrated_gradients,
)
