"""DeconvNet and Guided Backprop: a backward pass in which ReLUs let through only what is positive.

Both start at F and go back through the layers as the gradient does, but for the ReLUs, where the signal s meets the
unit's input z:

- the gradient lets s pass where z > 0;
- DeconvNet (Zeiler & Fergus, "Visualizing and Understanding Convolutional Networks", ECCV 2014) where s > 0;
- Guided Backprop (Springenberg, Dosovitskiy, Brox & Riedmiller, "Striving for Simplicity", ICLR 2015 workshop) where
  both are.

Other layers, leaky ReLUs among them, are passed as the gradient passes them, so without a ReLU both are the gradient.
The papers start at one unit. Here that is F: for a logit the pass starts with 1 at the target's logit; for a probability
with ∂F/∂logits, where other classes' logits have negative signs of their own, so the two maps are no multiples of each
other.
"""

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
    """What arrives at the input when F is sent back through changed ReLUs, ``(8, 8)`` float64.

    Args:
        case: the question; its baseline plays no part.
        gate: what a ReLU lets through, see the module's text.

    Returns:
        The signal at each pixel, signed, in units of F for a change of 1 in the pixel; with the gate "gradient" exactly
        ∂F/∂x. It sums to nothing in particular.

    Raises:
        NotSequential: the network is not a plain sequence of layers.
        ValueError: an unknown gate.
    """
    if gate not in get_args(Gate):
        raise ValueError(f"the gate must be one of {get_args(Gate)}, not {gate!r}")
    with torch.inference_mode(False), torch.enable_grad():  # whatever mode the caller is in
        stretches = _stretches(case)
        _, logits = stretches[-1]
        _, slopes = outputs(case.network, logits.detach().numpy(), case.target, case.output)
        signal = torch.from_numpy(slopes)
        for start, z in reversed(stretches):
            if z is not logits:
                signal = _through_relu(signal, z, gate)
            (signal,) = torch.autograd.grad(z, start, signal, materialize_grads=True)
    return signal.numpy().reshape(case.input.shape)


def _stretches(case: Case) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """The forward pass, cut at each ReLU: what enters a stretch between two ReLUs and what leaves it.

    Each stretch is a graph of its own, so that what happens at the ReLUs between them is ours to say.
    """
    start = torch.tensor(case.input).reshape(1, *case.network.input_shape).requires_grad_()
    z = start.clone()  # never the start itself, as a layer may write into what it is given
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
    """DeconvNet's map, ``(8, 8)``: which pixels would drive up what speaks for F, had every unit been active."""
    return Attribution(modified_gradient(case, "deconvnet"), forward=1, backward=1)


def guided_backprop(case: Case, values: Values) -> Attribution:
    """Guided Backprop's map, ``(8, 8)``: the gradient without whatever, on its way back, spoke against a unit."""
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
