"""Class activation maps: where in the last convolutional feature maps there is what speaks for F.

Each method weighs the feature maps A_k (see ``feature_maps``), adds them up and shows the sum on the picture. All but
CAM cut off what is negative first, as their papers do: they show what speaks for F, never what speaks against it.

With the output "logit" F is the target's logit, with "probability" its probability, and the gradients that weigh the
maps are those of that F. CAM has no gradients: it always explains the logit.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from explorer.attribution.case import Case
from explorer.attribution.changed_backward import changed_gradient
from explorer.attribution.feature_maps import feature_maps, no_feature_maps, not_averaged, on_picture, parts_of, through
from explorer.attribution.method import CLIP, NOISE_LEVEL, SAMPLES, SEED, Answer, Method, Passes, Values, always, shared
from explorer.attribution.network import SHAPE, Floats
from explorer.attribution.smooth import points as noisy_copies


def weighted(weights: Floats, maps: Floats) -> Floats:
    """Σ_k w_k A_k, ``(h, w)``, for weights ``(K,)`` and maps ``(K, h, w)``."""
    return np.tensordot(weights, maps, axes=1)


def positive(coarse: Floats) -> Floats:
    """What of a map is positive, on the picture: ``(8, 8)``, never negative."""
    return on_picture(np.maximum(coarse, 0))


def plus_plus_weights(gradients: Floats, maps: Floats) -> Floats:
    """Grad-CAM++'s weights of the maps, ``(K,)``, of one picture never negative, in units of F for a change of 1 in an activation.

    w_k = Σ_ij α_ij relu(g_ij), where α = g² / (2 g² + g³ Σ_ab A_ab), with g, g² and g³ averaged over the pictures first
    (Smooth Grad-CAM++; of one picture it is Grad-CAM++). It is the papers' ratio of second to third derivatives for the
    score exp(F) where F is linear in the maps; the factor exp(F), which is the same for all maps, is left out. Where
    the ratio is 0 / 0 the weight is 0.

    Args:
        gradients: ∂F/∂A at each picture, ``(n, K, h, w)``.
        maps: A of the picture explained, ``(K, h, w)``.
    """
    size = np.abs(gradients).max()
    if size == 0:
        return np.zeros(len(maps))
    g = gradients / size  # so that no power of a saturated F's gradient vanishes
    second, third = (g**2).mean(axis=0), size * (g**3).mean(axis=0)
    below = 2 * second + third * maps.sum(axis=(1, 2), keepdims=True)
    alpha = np.divide(second, below, out=np.zeros_like(below), where=below != 0)
    return (alpha * np.maximum(gradients.mean(axis=0), 0)).sum(axis=(1, 2))


def cam(case: Case, values: Values) -> Answer:
    """Class Activation Mapping, ``(8, 8)``, signed, in units of the logit (Zhou et al., CVPR 2016).

    Each place's share of the target's logit, Σ_k w_k A_k / (places): exact, as the head averages each map and weighs the
    means. When the maps are as large as the picture the shares sum to the logit minus its bias: that is the goal,
    whichever output was asked for, as there is no such map of a probability.
    """
    parts = parts_of(case.network)
    linear = next(layer for layer in parts.head if isinstance(layer, nn.Linear))
    with torch.no_grad():
        x = torch.tensor(case.input).reshape(1, *case.network.input_shape)
        maps = through(parts.body, x)
        logit = float(through(parts.head, maps)[0, case.target])
    coarse = weighted(linear.weight[case.target].numpy(), maps[0].numpy())
    bias = 0.0 if linear.bias is None else float(linear.bias[case.target])
    goal = logit - bias if coarse.shape == SHAPE else None  # resampling need not keep the sum
    return Answer(on_picture(coarse / coarse.size), forward=1, backward=0, goal=goal)


def grad_cam(case: Case, values: Values) -> Answer:
    """Grad-CAM, ``(8, 8)``, never negative (Selvaraju et al., ICCV 2017).

    relu(Σ_k w_k A_k), w_k being the mean of ∂F/∂A_k over the map; in units of F.
    On global average pooling and one linear layer the logit's map is CAM without what is negative.
    """
    maps = feature_maps(case, case.input[None])
    return Answer(positive(weighted(maps.gradients[0].mean(axis=(1, 2)), maps.activations[0])), forward=1, backward=1)


def grad_cam_plus_plus(case: Case, values: Values) -> Answer:
    """Grad-CAM++, ``(8, 8)``, never negative (Chattopadhay et al., WACV 2018); see ``plus_plus_weights``.

    Only positive gradients weigh: a map that speaks against F anywhere does not count there.
    """
    maps = feature_maps(case, case.input[None])
    weights = plus_plus_weights(maps.gradients, maps.activations[0])
    return Answer(positive(weighted(weights, maps.activations[0])), forward=1, backward=1)


def smooth_grad_cam_plus_plus(case: Case, values: Values) -> Answer:
    """Smooth Grad-CAM++, ``(8, 8)``, never negative (Omeiza et al. 2019); see ``plus_plus_weights``.

    The derivatives are averaged over SmoothGrad's noisy copies; the maps they weigh are the picture's own.
    """
    settings = shared(values)
    maps = feature_maps(case, np.concatenate([noisy_copies(case, settings), case.input[None]]))
    weights = plus_plus_weights(maps.gradients[:-1], maps.activations[-1])
    pictures = len(maps.gradients)
    return Answer(positive(weighted(weights, maps.activations[-1])), forward=pictures, backward=pictures)


def guided_grad_cam(case: Case, values: Values) -> Answer:
    """Guided Grad-CAM, ``(8, 8)``, signed: Guided Backprop's map times Grad-CAM's (Selvaraju et al., ICCV 2017)."""
    where = grad_cam(case, values)
    return Answer(where.attribution * changed_gradient(case, "guided_backprop"), forward=2, backward=2)


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
    invariant=False,
    passes="1 forward",
    count=always(1, 0),
    settings=(),
    misleads="A place in the map stands for all pixels that its units see, up to 7 × 7 here, so the map is blurred and can "
    "light up beside the strokes. It explains the logit, also where the probability was asked for.",
    work=cam,
    refusal=not_averaged,
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
    invariant=False,
    passes="1 forward, 1 backward",
    count=always(1, 1),
    settings=(),
    misleads="What speaks against F is cut off, and one weight for a whole map is wrong where the head treats its places "
    "differently.",
    work=grad_cam,
    refusal=no_feature_maps,
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
    invariant=False,
    passes="1 forward, 1 backward",
    count=always(1, 1),
    settings=(),
    misleads="Maps that speak against F are left out before the sum, not only after it, so evidence that two classes share can "
    "light up for both.",
    work=grad_cam_plus_plus,
    refusal=no_feature_maps,
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
    invariant=False,
    passes="n + 1 forward, n + 1 backward",
    count=_count_smooth,
    settings=(SAMPLES, NOISE_LEVEL, SEED, CLIP),
    misleads="After global average pooling and one linear layer a logit's g is the same for every picture: then the noise "
    "changes nothing, and the map is Grad-CAM++'s.",
    work=smooth_grad_cam_plus_plus,
    refusal=no_feature_maps,
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
    invariant=False,
    passes="2 forward, 2 backward",
    count=always(2, 2),
    settings=(),
    misleads="Its fine detail comes from Guided Backprop, which brings out the picture's edges much the same for any class; "
    "only where it looks comes from the class.",
    work=guided_grad_cam,
    refusal=no_feature_maps,
)
