"""Class activation maps: weighted sums of the last convolutional feature maps A_k (see ``feature_maps``).

All but CAM keep only the positive part, as in their papers, and weigh the maps by gradients of F, the chosen output. CAM
has no gradients and always explains the logit.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from explorer.attribution.case import Case
from explorer.attribution.feature_maps import (
    average_pooling_missing,
    feature_maps,
    feature_maps_missing,
    forward_through,
    resampled,
    split_at_feature_maps,
)
from explorer.attribution.method import (
    CLIP,
    NOISE_LEVEL,
    SAMPLES,
    SEED,
    Attribution,
    Method,
    Passes,
    Values,
    fixed_passes,
    shared_settings,
)
from explorer.attribution.methods.modified_backprop import modified_gradient
from explorer.attribution.methods.smoothgrad import points as noisy_copies
from explorer.attribution.network import SHAPE, Floats


def weighted(weights: Floats, maps: Floats) -> Floats:
    """Σ_k w_k A_k, ``(h, w)``, for weights ``(K,)`` and maps ``(K, h, w)``."""
    return np.tensordot(weights, maps, axes=1)


def positive(coarse: Floats) -> Floats:
    """The positive part of a map, resampled to ``(8, 8)``."""
    return resampled(np.maximum(coarse, 0))


def plus_plus_weights(gradients: Floats, maps: Floats) -> Floats:
    """Grad-CAM++'s weights of the maps, ``(K,)``, in units of F for a change of 1 in an activation; for n = 1 all ≥ 0.

    w_k = Σ_ij α_ij relu(g_ij), where α = g² / (2 g² + g³ Σ_ab A_ab), with g, g² and g³ averaged over the pictures first
    (Smooth Grad-CAM++; for one picture it is Grad-CAM++). It is the papers' ratio of second to third derivatives for the
    score exp(F) if F is linear in the maps; the factor exp(F), common to all maps, is omitted. For 0 / 0 the weight is 0.

    Args:
        gradients: ∂F/∂A at each of n pictures, ``(n, K, h, w)``.
        maps: A of the picture that is explained, ``(K, h, w)``.
    """
    size = np.abs(gradients).max()
    if size == 0:
        return np.zeros(len(maps))
    g = gradients / size  # so that powers of a tiny gradient do not underflow
    second, third = (g**2).mean(axis=0), size * (g**3).mean(axis=0)
    below = 2 * second + third * maps.sum(axis=(1, 2), keepdims=True)
    alpha = np.divide(second, below, out=np.zeros_like(below), where=below != 0)
    return (alpha * np.maximum(gradients.mean(axis=0), 0)).sum(axis=(1, 2))


def cam(case: Case, values: Values) -> Attribution:
    """Class Activation Mapping, ``(8, 8)``, signed, in units of the logit (Zhou et al., CVPR 2016).

    The share of each position in the target's logit, Σ_k w_k A_k / (number of positions): exact, as the head averages
    each map and weighs the means. If the maps are 8 × 8, the expected sum is the logit minus its bias; it explains the
    logit for either output.
    """
    parts = split_at_feature_maps(case.network)
    linear = next(layer for layer in parts.head if isinstance(layer, nn.Linear))
    with torch.no_grad():
        x = torch.tensor(case.input).reshape(1, *case.network.input_shape)
        maps = forward_through(parts.body, x)
        logit = float(forward_through(parts.head, maps)[0, case.target])
    coarse = weighted(linear.weight[case.target].numpy(), maps[0].numpy())
    bias = 0.0 if linear.bias is None else float(linear.bias[case.target])
    expected_sum = logit - bias if coarse.shape == SHAPE else None  # resampling need not keep the sum
    return Attribution(resampled(coarse / coarse.size), forward=1, backward=0, expected_sum=expected_sum)


def grad_cam(case: Case, values: Values) -> Attribution:
    """Grad-CAM, ``(8, 8)``, never negative (Selvaraju et al., ICCV 2017).

    relu(Σ_k w_k A_k), w_k being the mean of ∂F/∂A_k over the map; in units of F.
    On global average pooling and one linear layer the logit's map is CAM without what is negative.
    """
    maps = feature_maps(case, case.input[None])
    return Attribution(positive(weighted(maps.gradients[0].mean(axis=(1, 2)), maps.activations[0])), forward=1, backward=1)


def grad_cam_plus_plus(case: Case, values: Values) -> Attribution:
    """Grad-CAM++, ``(8, 8)``, never negative (Chattopadhay et al., WACV 2018); see ``plus_plus_weights``.

    Only positive gradients contribute to a weight.
    """
    maps = feature_maps(case, case.input[None])
    weights = plus_plus_weights(maps.gradients, maps.activations[0])
    return Attribution(positive(weighted(weights, maps.activations[0])), forward=1, backward=1)


def smooth_grad_cam_plus_plus(case: Case, values: Values) -> Attribution:
    """Smooth Grad-CAM++, ``(8, 8)``, never negative (Omeiza et al. 2019); see ``plus_plus_weights``.

    The derivatives are averaged over SmoothGrad's noisy copies; the weighted maps are those of the input.
    """
    settings = shared_settings(values)
    maps = feature_maps(case, np.concatenate([noisy_copies(case, settings), case.input[None]]))
    weights = plus_plus_weights(maps.gradients[:-1], maps.activations[-1])
    pictures = len(maps.gradients)
    return Attribution(positive(weighted(weights, maps.activations[-1])), forward=pictures, backward=pictures)


def guided_grad_cam(case: Case, values: Values) -> Attribution:
    """Guided Grad-CAM, ``(8, 8)``, signed: Guided Backprop's map times Grad-CAM's (Selvaraju et al., ICCV 2017)."""
    where = grad_cam(case, values)
    return Attribution(where.attribution * modified_gradient(case, "guided_backprop"), forward=2, backward=2)


def _count_smooth(case: Case, values: Values) -> Passes:
    pictures = int(values["samples"]) + 1
    return Passes(pictures, pictures)


CAM = Method(
    name="cam",
    title="CAM",
    year=2016,
    paper="Zhou et al. 2016",
    reference="Learning Deep Features for Discriminative Localization, arXiv:1512.04150",
    family="activation maps",
    formula="Σₖ wₖ Aₖ / (number of places), wₖ the weight of map k's mean in the logit",
    complete="the logit − its bias",
    explains="logit",
    unit="F",
    asks_at="picture",
    invariant=False,
    passes="1 forward",
    count=fixed_passes(1, 0),
    settings=(),
    caveat="A place in the map stands for all pixels that its units see, up to 7 × 7 here, so the map is blurred and can "
    "light up beside the strokes. It explains the logit, also where the probability was asked for.",
    compute=cam,
    unsupported_reason=average_pooling_missing,
)
GRAD_CAM = Method(
    name="grad_cam",
    title="Grad-CAM",
    year=2017,
    paper="Selvaraju et al. 2017",
    reference="Grad-CAM: Visual Explanations from Deep Networks via Gradient-based Localization, arXiv:1610.02391",
    family="activation maps",
    formula="relu(Σₖ wₖ Aₖ), wₖ the mean of ∂F/∂Aₖ",
    complete="",
    unit="F",
    asks_at="picture",
    invariant=False,
    passes="1 forward, 1 backward",
    count=fixed_passes(1, 1),
    settings=(),
    caveat="What speaks against F is cut off, and one weight for a whole map is wrong where the head treats its places "
    "differently.",
    compute=grad_cam,
    unsupported_reason=feature_maps_missing,
)
GRAD_CAM_PLUS_PLUS = Method(
    name="grad_cam_plus_plus",
    title="Grad-CAM++",
    year=2018,
    paper="Chattopadhay et al. 2018",
    reference="Grad-CAM++: Generalized Gradient-Based Visual Explanations for Deep Convolutional Networks, arXiv:1710.11063",
    family="activation maps",
    formula="relu(Σₖ wₖ Aₖ), wₖ = Σ α relu(g), α = g² / (2g² + g³ ΣAₖ), g = ∂F/∂Aₖ",
    complete="",
    unit="",
    asks_at="picture",
    invariant=False,
    passes="1 forward, 1 backward",
    count=fixed_passes(1, 1),
    settings=(),
    caveat="Maps that speak against F are left out before the sum, not only after it, so evidence that two classes share can "
    "light up for both.",
    compute=grad_cam_plus_plus,
    unsupported_reason=feature_maps_missing,
)
SMOOTH_GRAD_CAM_PLUS_PLUS = Method(
    name="smooth_grad_cam_plus_plus",
    title="Smooth Grad-CAM++",
    year=2019,
    paper="Omeiza et al. 2019",
    reference="Smooth Grad-CAM++: An Enhanced Inference Level Visualization Technique, arXiv:1908.01224",
    family="activation maps",
    formula="Grad-CAM++ with g, g² and g³ averaged over x + ε, ε ~ N(0, σ²)",
    complete="",
    unit="",
    asks="at the picture and at noisy copies",
    invariant=False,
    passes="n + 1 forward, n + 1 backward",
    count=_count_smooth,
    settings=(SAMPLES, NOISE_LEVEL, SEED, CLIP),
    caveat="After global average pooling and one linear layer a logit's g is the same for every picture: then the noise "
    "changes nothing, and the map is Grad-CAM++'s.",
    compute=smooth_grad_cam_plus_plus,
    unsupported_reason=feature_maps_missing,
)
GUIDED_GRAD_CAM = Method(
    name="guided_grad_cam",
    title="Guided Grad-CAM",
    year=2017,
    paper="Selvaraju et al. 2017",
    reference="Grad-CAM: Visual Explanations from Deep Networks via Gradient-based Localization, arXiv:1610.02391",
    family="activation maps",
    formula="Grad-CAM · Guided Backprop, pixel by pixel",
    complete="",
    unit="F² per unit of a pixel",
    asks_at="picture",
    invariant=False,
    passes="2 forward, 2 backward",
    count=fixed_passes(2, 2),
    settings=(),
    caveat="Its fine detail comes from Guided Backprop, which brings out the picture's edges much the same for any class; "
    "only where it looks comes from the class.",
    compute=guided_grad_cam,
    unsupported_reason=feature_maps_missing,
)

ENTRIES = (CAM, GRAD_CAM, GRAD_CAM_PLUS_PLUS, SMOOTH_GRAD_CAM_PLUS_PLUS, GUIDED_GRAD_CAM)
