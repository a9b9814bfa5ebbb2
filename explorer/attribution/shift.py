"""The same answers to shifted pictures: does a map change when only the numbers that encode the picture do?

Kindermans et al., "The (Un)reliability of Saliency Methods", arXiv:1711.00867, 2017.
"""

from __future__ import annotations

import copy

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from explorer.attribution.arrays import finite, real
from explorer.attribution.case import Case
from explorer.attribution.layers import not_sequential, sequential_layers
from explorer.attribution.network import SHAPE, SIDE, Floats, Network, with_module

RESHAPES = (nn.Flatten, nn.Unflatten, nn.Identity, nn.Dropout, nn.Dropout2d)  # in eval mode they change no number
SAME = 1e-12  # relative differences up to this are rounding


def shifted(network: Network, constant: Floats, *, background: bool = False) -> Network:
    """A network that answers x + c as the given one answers x, for every picture x.

    As in the paper the bias of the first layer becomes b₁ − W₁ c where that is possible: with a linear first layer, or
    a convolution whose answer to c is the same at each position. With a border of zeros it is not, since the border is not
    shifted; then a linear layer x ↦ x − c is put in front. A method with a rule for each layer (LRP) then sees one layer more,
    and its map changes, or stays, because of that layer too. ``folds_into_bias`` says which of the two it is.

    Args:
        network: any network; it is not changed.
        constant: c, a picture ``(8, 8)`` or a number for all pixels; finite, of any sign.
        background: whether the background is shifted too, for the methods that average over it.

    Raises:
        ValueError: the constant has another shape or is not finite, or the new bias is not finite.
    """
    c = _picture(constant)
    with torch.inference_mode(False), torch.no_grad():  # independent of the caller's mode
        module = copy.deepcopy(network.module)
        if (first := _first_layer(network, c)) is not None:
            name, effect = first
            layer = module.get_submodule(name)
            bias = -effect if layer.bias is None else layer.bias - effect  # type: ignore[operator]
            finite("the shifted biases", bias.numpy())
            layer.bias = nn.Parameter(bias, requires_grad=False)
        else:
            module = nn.Sequential(*_subtraction(c, network.input_shape), module).eval()
    moved = with_module(network, module)
    if background and moved.background is not None:
        moved.background = moved.background + c
        moved.background.flags.writeable = False
    return moved


def shifted_case(case: Case, constant: Floats, *, references: bool) -> Case:
    """The same question of the shifted network: its input is x + c.

    Args:
        case: what is explained; it is not changed.
        constant: c, as for ``shifted``.
        references: whether baseline and background are shifted too. If not, they stay the same numbers, which mean another
            picture to the shifted network, as a method does that always starts from 0.

    Raises:
        ValueError: as for ``shifted``.
    """
    network = shifted(case.network, constant, background=references)
    c = _picture(constant)
    return Case(network, case.input + c, case.baseline + c if references else case.baseline, case.target, case.output)


def folds_into_bias(network: Network, constant: Floats) -> bool:
    """Whether ``shifted`` changes a bias only, so that the network keeps its layers; else it puts one in front."""
    with torch.inference_mode(False), torch.no_grad():
        return _first_layer(network, _picture(constant)) is not None


def _picture(constant: Floats) -> Floats:
    c = finite("the shifts", real("the constant", constant))
    if c.shape not in ((), SHAPE):
        raise ValueError(f"the constant must be a number or a picture {SHAPE}, not {c.shape}")
    return np.broadcast_to(c, SHAPE).copy()


def _first_layer(network: Network, c: Floats) -> tuple[str, Tensor] | None:
    """The name of the first layer and W₁ c, one number for each of its biases; None where that is not all of its effect."""
    if not_sequential(network):
        return None
    a = torch.from_numpy(c).reshape(1, *network.input_shape)
    layers = sequential_layers(network)
    while layers and isinstance(layers[0], RESHAPES):
        a = layers.pop(0)(a.clone())
    if not layers or not isinstance(first := layers[0], nn.Linear | nn.Conv2d) or any(other is first for other in layers[1:]):
        return None
    # without bias, which would cost digits of a small effect
    effect = functional.linear(a, first.weight) if isinstance(first, nn.Linear) else first._conv_forward(a, first.weight, None)
    effect = effect[0].movedim(-1 if isinstance(first, nn.Linear) else 0, 0).reshape(len(first.weight), -1)
    if bool((effect.amax(1) - effect.amin(1) > SAME * effect.abs().max()).any()):
        return None
    name = next(name for name, part in network.module.named_modules() if part is first)
    return name, effect.mean(1)


def _subtraction(c: Floats, input_shape: tuple[int, ...]) -> list[nn.Module]:
    """Layers that subtract c from a picture."""
    front = nn.Linear(SIDE * SIDE, SIDE * SIDE, dtype=torch.float64).requires_grad_(False)
    front.weight.copy_(torch.eye(SIDE * SIDE))
    front.bias.copy_(torch.from_numpy(-c.ravel()))
    return [front] if len(input_shape) == 1 else [nn.Flatten(), front, nn.Unflatten(1, input_shape)]
