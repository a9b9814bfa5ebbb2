"""DeconvNet and Guided Backprop: the backward pass of F with another rule for ReLUs.

Zeiler & Fergus, "Visualizing and Understanding Convolutional Networks", ECCV 2014 (DeconvNet); Springenberg, Dosovitskiy,
Brox & Riedmiller, "Striving for Simplicity", ICLR 2015 workshop (Guided Backprop).
"""

# For a signal s and the input z of a unit, a ReLU passes s back
# - in the gradient if z > 0,
# - in DeconvNet if s > 0,
# - in Guided Backprop if both.
# All other layers, also leaky ReLUs, are as in the gradient, so without a ReLU both maps are the gradient. The signal starts
# with ∂F/∂logits: 1 for the target's logit; for a probability other classes have negative signs, so the map for a probability
# is not a multiple of the map for the logit.

from __future__ import annotations

from typing import Literal, get_args

import torch
from torch import nn

from explorer.attribution.case import Case
from explorer.attribution.field import outputs
from explorer.attribution.layers import not_sequential, sequential_layers
from explorer.attribution.method import Attribution, Method, Values, fixed_passes
from explorer.attribution.network import Floats

Gate = Literal["gradient", "deconvnet", "guided_backprop"]


def modified_gradient(case: Case, gate: Gate) -> Floats:
    """The backward pass of F with a modified rule for ReLUs, ``(8, 8)`` float64.

    Args:
        case: what is explained; its baseline is not used.
        gate: the rule for ReLUs, see the comment at the top of this module.

    Returns:
        The signal at each pixel, signed, in units of F for a change of 1 in the pixel; with the gate "gradient" exactly
        ∂F/∂x.

    Raises:
        NotSequential: the network is not a plain sequence of layers.
        ValueError: the gate is unknown.
    """
    if gate not in get_args(Gate):
        raise ValueError(f"the gate must be one of {get_args(Gate)}, not {gate!r}")
    with torch.inference_mode(False), torch.enable_grad():  # independent of the caller's mode
        segments = _segments(case)
        _, logits = segments[-1]
        _, slopes = outputs(case.network, logits.detach().numpy(), case.target, case.output)
        signal = torch.from_numpy(slopes)
        for start, z in reversed(segments):
            if z is not logits:
                signal = _through_relu(signal, z, gate)
            (signal,) = torch.autograd.grad(z, start, signal, materialize_grads=True)
    return signal.numpy().reshape(case.input.shape)


def _segments(case: Case) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """The forward pass, split at each ReLU: input and output of each segment between two ReLUs.

    Each segment has a graph of its own, so that the ReLUs between them can have another rule.
    """
    start = torch.tensor(case.input).reshape(1, *case.network.input_shape).requires_grad_()
    z = start.clone()  # a copy, as a layer may write into its input
    done = []
    for layer in sequential_layers(case.network):
        if isinstance(layer, nn.ReLU):
            done.append((start, z))
            start = torch.relu(z.detach()).requires_grad_()
            z = start.clone()
        else:
            z = layer(z)
    return [*done, (start, z)]


def _through_relu(signal: torch.Tensor, z: torch.Tensor, gate: Gate) -> torch.Tensor:
    if gate != "gradient":
        signal = torch.relu(signal)
    return signal if gate == "deconvnet" else signal * (z > 0)


def deconvnet(case: Case, values: Values) -> Attribution:
    """DeconvNet's map, ``(8, 8)``, signed, in units of F for a change of 1 in the pixel."""
    return Attribution(modified_gradient(case, "deconvnet"), forward=1, backward=1)


def guided_backprop(case: Case, values: Values) -> Attribution:
    """Guided Backprop's map, ``(8, 8)``, signed, in units of F for a change of 1 in the pixel."""
    return Attribution(modified_gradient(case, "guided_backprop"), forward=1, backward=1)


DECONVNET = Method(
    name="deconvnet",
    title="DeconvNet",
    year=2014,
    paper="Zeiler & Fergus 2014",
    reference="Visualizing and Understanding Convolutional Networks, arXiv:1311.2901",
    family="changed backward pass",
    formula="as ∂F/∂x, but a ReLU passes the signal s back as max(s, 0)",
    complete="",
    unit="F per unit of a pixel",
    asks_at="picture",
    invariant=False,
    passes="1 forward, 1 backward",
    count=fixed_passes(1, 1),
    settings=(),
    caveat="It never asks which units this picture switched on: without max-pooling a logit's map is the same for every "
    "picture.",
    compute=deconvnet,
    unsupported_reason=not_sequential,
)
GUIDED_BACKPROP = Method(
    name="guided_backprop",
    title="Guided Backprop",
    year=2015,
    paper="Springenberg et al. 2015",
    reference="Striving for Simplicity: The All Convolutional Net, arXiv:1412.6806",
    family="changed backward pass",
    formula="as ∂F/∂x, but a ReLU passes the signal s back as max(s, 0), where the unit was on",
    complete="",
    unit="F per unit of a pixel",
    asks_at="picture",
    invariant=False,
    passes="1 forward, 1 backward",
    count=fixed_passes(1, 1),
    settings=(),
    caveat="It is sharp because it brings out edges of the picture itself: other classes, or shuffled weights in the upper "
    "layers, can leave the map almost as it was.",
    compute=guided_backprop,
    unsupported_reason=not_sequential,
)

ENTRIES = (DECONVNET, GUIDED_BACKPROP)
