"""Blur IG: Integrated Gradients along the path of pictures blurred by decreasing σ.

Xu, Venugopalan & Sundararajan, "Attribution in Scale and Space", CVPR 2020.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from explorer.attribution.case import Case
from explorer.attribution.field import gradient_field, values_at
from explorer.attribution.method import (
    RULE,
    STEPS,
    Attribution,
    Method,
    Passes,
    Setting,
    Values,
    points_on_path,
    shared_settings,
)
from explorer.attribution.network import SIDE, Floats
from explorer.attribution.rules import RULES, rule

LARGEST_BLUR = Setting("sigma_max", "Largest blur σ, in pixels", 8.0, 0.5, 50)
GRAD_STEP = Setting("grad_step", "Difference quotient over, in pixels (0: over a step)", 0.0, 0, 1)
TRUNCATE = 4.0  # radius of a kernel, in σ


def blur_integrated_gradients(case: Case, values: Values) -> Attribution:
    """Σ ∂F(x blurred by σ_k) · Δ_k, ``(8, 8)``, in units of F.

    The path runs from x blurred by the largest σ to x, with σ = (1 − α) σ_max. The rule's weights divide [0, 1] into cells,
    each with its node α_k in it, and Δ_k is the change of the picture over the cell. The changes sum to the whole change
    exactly, so no derivative of the blur is needed. (With the right-hand rule this is the sum in PAIR's code, with a
    difference quotient over one whole step.)

    With ``grad_step`` h > 0 the changes are instead a step's length times (x blurred by σ_k − x blurred by σ_k + h) / h,
    as in PAIR, where h = 0.01. The blur jumps where a kernel grows by a pixel, so these changes do not sum to the whole.

    The case's baseline is not used; the expected sum is F(x) − F(x blurred by σ_max).
    """
    settings, largest = shared_settings(values), float(values["sigma_max"])
    alphas, weights = rule(settings.rule, settings.steps)
    ends = np.concatenate([[0.0], np.cumsum(weights)])
    ends[-1] = 1
    at_ends, at_nodes = blurred(case.input, largest * (1 - ends)), blurred(case.input, largest * (1 - alphas))
    field = gradient_field(case.network, at_nodes, case.target, case.output)
    changes = np.diff(at_ends, axis=0)
    if (h := float(values["grad_step"])) > 0:
        slopes = (at_nodes - blurred(case.input, largest * (1 - alphas) + h)) / h
        changes = largest * weights[:, None, None] * slopes
    attribution = (changes * field.gradients).sum(axis=0)
    before, after = values_at(case, at_ends[[0, -1]])
    return Attribution(attribution, forward=len(alphas) + 2, backward=len(alphas), expected_sum=float(after - before))


def blurred(picture: Floats, sigmas: Floats) -> Floats:
    """The picture under a Gaussian blur of each σ, ``(k, 8, 8)``, for σ ``(k,)`` in pixels, 0 or more.

    Outside the picture is black, so a wide blur also dims it. The blur is separable: the same 8 × 8 matrix for rows and
    columns.
    """
    matrices = _matrices(np.asarray(sigmas, dtype=np.float64))
    return matrices @ picture @ matrices.transpose(0, 2, 1)


def _matrices(sigmas: Floats) -> Floats:
    """Blur matrices ``(k, 8, 8)``: the weight of pixel j in pixel i. A kernel is truncated at 4 σ and sums to 1."""
    radius = np.floor(TRUNCATE * sigmas + 0.5)
    reach = np.arange(1 + max(SIDE - 1, int(radius.max(initial=0))))
    widths = np.maximum(sigmas, 0.1)  # a kernel with σ < 1/8 is a single pixel: avoids a division by zero
    kernel = np.where(reach <= radius[:, None], np.exp(-0.5 * (reach / widths[:, None]) ** 2), 0.0)
    kernel /= (kernel[:, 0] + 2 * kernel[:, 1:].sum(axis=1))[:, None]
    return kernel[:, np.abs(np.subtract.outer(np.arange(SIDE), np.arange(SIDE)))]


def _count(case: Case, values: Values) -> Passes:
    evaluations = points_on_path(values)
    return Passes(evaluations + 2, evaluations)


BLUR_INTEGRATED_GRADIENTS = Method(
    name="blur_integrated_gradients",
    title="Blur IG",
    year=2020,
    paper="Xu et al. 2020",
    reference="Attribution in Scale and Space, arXiv:2004.03383",
    family="gradient field",
    formula="∫ ∂F/∂x · dx along x blurred by σ, from σ_max down to 0",
    complete="F(x) − F(x blurred by σ_max)",
    unit="F",
    asks="while the picture gets sharper",
    invariant=True,
    passes="m + 2 forward, m backward",
    count=_count,
    # most of the change is in the last few steps: the midpoint rule's delta is a tenth of the right-hand rule's
    settings=(replace(STEPS, default=100), replace(RULE, default="midpoint", choices=tuple(RULES)), LARGEST_BLUR, GRAD_STEP),
    caveat="It explains what sharpening adds; outside the picture counts as black, so blurring also dims its edges.",
    compute=blur_integrated_gradients,
)

ENTRIES = (BLUR_INTEGRATED_GRADIENTS,)
