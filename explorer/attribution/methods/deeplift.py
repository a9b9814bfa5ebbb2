"""DeepLIFT (the rescale rule) and DeepLIFT-SHAP, its mean over a background.

Shrikumar, Greenside & Kundaje, "Learning Important Features Through Propagating Activation Differences", ICML 2017;
Lundberg & Lee, "A Unified Approach to Interpreting Model Predictions", NeurIPS 2017.
"""

# A multiplier is the change of an output for a change of 1 in an input. That of an affine layer is its matrix; that of an
# activation is Δout/Δin, its mean slope on the straight line between the two pre-activations. RevealCancel is not here.
#
# The softmax has many inputs, for which Δout/Δin is not defined. Its multipliers here are its mean slopes on the straight
# line between the two sets of logits. This keeps completeness, and for a sigmoid it is Δout/Δin.

from __future__ import annotations

import math

import numpy as np
import torch

from explorer.attribution.arrays import finite
from explorer.attribution.case import Case
from explorer.attribution.field import CHUNK, outputs
from explorer.attribution.layers import (
    KINKED_AT_ZERO,
    activate,
    affine_and_relu_layers,
    layer_vjp,
    negative_slope_of,
    unsupported_reason,
)
from explorer.attribution.method import DELTA_F, Attribution, Method, Passes, Values, fixed_passes
from explorer.attribution.network import SHAPE, Floats, Network
from explorer.attribution.rules import rule

NODES = 16  # Gauss–Legendre nodes for a stretch of the line between two sets of logits
STRETCH = 4.0  # no two logits move apart by more than this on a stretch: the error is of the order 3.4⁻³² < 1e-16
DIFFERENCES = "the differences between the network's logits"
MAX_DIFFERENCE = 700.0  # for larger differences of logits a product of probabilities counts as 0: e⁻⁷⁰⁰ ≈ 1e-304


def deeplift(case: Case, values: Values) -> Attribution:
    """DeepLIFT with the rescale rule and the case's baseline as reference.

    ``(8, 8)``, in units of F, signed; sums to F(x) − F(x′) for either output, to rounding. For the logit it is as in the
    paper; for the probability see the comment at the top of this module.
    """
    contributions, f_input, f_references = mean_contributions(case, case.baseline[None])
    return Attribution(contributions, forward=2, backward=1, expected_sum=f_input - float(f_references[0]))


def deeplift_shap(case: Case, values: Values) -> Attribution:
    """The mean of DeepLIFT over the network's background pictures as references.

    ``(8, 8)``, in units of F, signed; sums to F(x) − the mean of F over the background. The case's baseline is not
    used.
    """
    references = case.network.background
    assert references is not None  # else unsupported
    total, reached, forward = np.zeros(SHAPE), 0.0, 0
    for first in range(0, len(references), CHUNK):
        part = references[first : first + CHUNK]
        contributions, f_input, f_references = mean_contributions(case, part)
        total += contributions * len(part)
        reached += float(f_references.sum())
        forward += 1 + len(part)
    count = len(references)
    return Attribution(total / count, forward=forward, backward=count, expected_sum=f_input - reached / count)


def mean_contributions(case: Case, references: Floats) -> tuple[Floats, float, Floats]:
    """Mean contributions for references ``(b, 8, 8)``: ``(8, 8)``, F(x), and F at the references ``(b,)``."""
    layers = affine_and_relu_layers(case.network)
    shapes: list[torch.Size] = []  # of one input to each layer
    slopes: list[torch.Tensor | None] = []  # the multipliers of each activation
    with torch.inference_mode(False), torch.no_grad():  # independent of the caller's mode
        # copied into torch's aligned memory: the last bits of a matrix product depend on alignment
        a = torch.tensor(np.concatenate([case.input[None], references])).reshape(-1, *case.network.input_shape)
        for layer in layers:
            shapes.append(a.shape[1:])
            if isinstance(layer, KINKED_AT_ZERO):
                slopes.append(rescale(a[:1], a[1:], negative_slope_of(layer)))
                a = activate(layer, a)
            else:
                slopes.append(None)
                a = layer(a)
        logits: Floats = a.numpy()
        f, _ = outputs(case.network, logits, case.target, case.output)
        multipliers = torch.tensor(output_multipliers(case, logits))
        for layer, shape, slope in zip(reversed(layers), reversed(shapes), reversed(slopes), strict=True):
            if slope is None:
                multipliers = layer_vjp(layer, shape, multipliers)
            else:
                multipliers = multipliers.reshape(slope.shape) * slope
    contributions = (case.input - references) * multipliers.reshape(-1, *SHAPE).numpy()
    return contributions.mean(axis=0), float(f[0]), f[1:]


def rescale(z: torch.Tensor, z_reference: torch.Tensor, off: float) -> torch.Tensor:
    """Δout/Δin of an activation with slope 1 above zero and ``off`` below, element by element.

    If both are on one side of the kink, it is the slope there without a division: exact for a small Δin, and the
    derivative for Δin = 0, as in the paper. Δin is never 0 across the kink.
    """
    on, on_reference = z > 0, z_reference > 0
    same = on == on_reference
    change = torch.where(same, 1.0, z - z_reference)
    share_above = (z.clamp(min=0) - z_reference.clamp(min=0)) / change  # of the line, in [0, 1] where it crosses
    return off + (1 - off) * torch.where(same, on.to(z.dtype), share_above)


def output_multipliers(case: Case, logits: Floats) -> Floats:
    """The multipliers of F for each class's logit ``(b, C)``; the first row of the logits ``(1 + b, C)`` is the input's."""
    multipliers = np.zeros((len(logits) - 1, logits.shape[1]))
    if case.output == "logit":
        multipliers[:, case.target] = 1
    elif case.network.activation == "sigmoid":  # a softmax against one class whose logit is always 0
        rivals = -logits[:, [case.target]]
        multipliers[:, case.target] = mean_products(rivals[1:], rivals[:1])[:, 0]
    else:
        others = np.delete(np.arange(logits.shape[1]), case.target)
        rivals = logits[:, others] - logits[:, [case.target]]
        products = mean_products(rivals[1:], rivals[:1])
        multipliers[:, others] = -products
        multipliers[:, case.target] = products.sum(axis=1)
    return multipliers


def mean_products(start: Floats, end: Floats) -> Floats:
    """The mean of p·p_c on a straight line between logits; p is the target's probability, p_c another class's.

    p·p_c is −∂p/∂(logit of c). Steep stretches of the line are bisected until the quadrature is exact to rounding, but not
    stretches on which all products underflow.

    Args:
        start: ``(b, n)``, the other logits minus the target's.
        end: ``(b, n)`` or ``(1, n)``, the same at the other end of each line.

    Returns:
        ``(b, n)`` float64 in [0, 1/4].
    """
    left, right = finite(DIFFERENCES, start), np.broadcast_to(finite(DIFFERENCES, end), start.shape)  # else bisection would not end
    line, length = np.arange(len(start)), np.ones(len(start))
    total = np.zeros(start.shape)
    while len(line):
        counts = np.maximum(left, right) > -MAX_DIFFERENCE
        alive = counts.any(axis=1) & (np.minimum(left, right) <= MAX_DIFFERENCE).all(axis=1)
        moves = np.where(counts, right - left, 0)
        short = moves.max(axis=1, initial=0) - moves.min(axis=1, initial=0) <= STRETCH  # the target moves by 0
        done, halve = alive & short, alive & ~short
        np.add.at(total, line[done], length[done, None] * _quadrature(left[done], right[done]))
        left, right, line, length = left[halve], right[halve], line[halve], length[halve] / 2
        middle = left / 2 + right / 2
        left, right = np.concatenate([left, middle]), np.concatenate([middle, right])
        line, length = np.tile(line, 2), np.tile(length, 2)
    return total


def _quadrature(left: Floats, right: Floats) -> Floats:
    """The mean of p·p_c on short lines, ``(k, n)``."""
    total = np.zeros(left.shape)
    for node, weight in zip(*rule("gauss-legendre", NODES), strict=True):
        rivals = left + node * (right - left)
        top = rivals.max(axis=1, initial=0)[:, None]
        log_p = -top - np.log(np.exp(-top) + np.exp(rivals - top).sum(axis=1, keepdims=True))
        total += weight * np.exp(rivals + 2 * log_p)
    return total


def _count_shap(case: Case, values: Values) -> Passes:
    count = 0 if case.network.background is None else len(case.network.background)
    return Passes(count + math.ceil(count / CHUNK), count)  # the input is in every chunk


def _shap_unsupported_reason(network: Network) -> str:
    if network.background is None:
        return "it averages over pictures like those of the training, and this network brings none"
    return unsupported_reason(network)


DEEPLIFT = Method(
    name="deeplift",
    title="DeepLIFT",
    year=2017,
    paper="Shrikumar et al. 2017",
    reference="Learning Important Features Through Propagating Activation Differences, arXiv:1704.02685",
    family="changed backward pass",
    formula="(x − x′) · m, by the chain rule with Δout/Δin for each ReLU; mean slopes for a softmax",
    complete=DELTA_F,
    unit="F",
    asks="at the picture and at the baseline",
    invariant=False,
    passes="2 forward, 1 backward",
    count=fixed_passes(2, 1),
    settings=(),
    caveat="Each ReLU is judged on its own: where inputs cancel inside the network, the map depends on how the network is "
    "written, not only on what it computes.",
    compute=deeplift,
    unsupported_reason=unsupported_reason,
)
DEEPLIFT_SHAP = Method(
    name="deeplift_shap",
    title="DeepLIFT-SHAP",
    year=2017,
    paper="Lundberg & Lee 2017",
    reference="A Unified Approach to Interpreting Model Predictions, arXiv:1705.07874",
    family="changed backward pass",
    formula="mean of DeepLIFT over background pictures x′",
    complete="F(x) − mean F(background)",
    unit="F",
    asks="at the picture and at background pictures",
    invariant=False,
    passes="b + 1 forward, b backward, for b background pictures",
    count=_count_shap,
    settings=(),
    caveat="It approximates Shapley values as if pixels were independent and each ReLU could be judged on its own; the "
    "baseline chosen on the page is not used.",
    compute=deeplift_shap,
    unsupported_reason=_shap_unsupported_reason,
)

ENTRIES = (DEEPLIFT, DEEPLIFT_SHAP)
