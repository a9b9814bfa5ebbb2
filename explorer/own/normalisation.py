"""The normalisation of pictures, as part of a network: folded into its first layer where that is exact, else a layer of its own."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn


def normalised(module: nn.Module, mean: float | list[float], std: float | list[float]) -> nn.Module:
    """A network for pixels x that computes what the module computes for (x − mean) / std.

    In ``W (x − mean) / std + b`` both can go into W and b. Not so before a convolution with a border of zeros if the mean is
    not 0, as the border is not shifted: there it becomes a 1 × 1 convolution of its own.

    Args:
        module: the network.
        mean, std: one number for all pixels, or 64, row by row, if the first layer is a ``torch.nn.Linear``.

    Raises:
        ValueError: 64 numbers were given, and the first layer is no ``torch.nn.Linear``.
    """
    shift, scale = (torch.as_tensor(value, dtype=torch.float64) for value in (mean, std))
    if not shift.any() and bool((scale == 1).all()):
        return module
    each_pixel = bool(shift.ndim or scale.ndim)
    folded = copy.deepcopy(module).double()
    first = _first_weights(folded)
    match first:
        case nn.Linear() if not each_pixel or first.in_features == 64:
            return _fold(folded, first, shift, scale)
        case nn.Conv2d() if not each_pixel and not (shift.any() and _has_border(first)):
            return _fold(folded, first, shift, scale)
    if each_pixel:
        raise ValueError("a normalisation with a number for each pixel needs a linear layer of 64 inputs as the first one")
    before = nn.Conv2d(1, 1, 1, dtype=torch.float64, device="meta")  # a new one would draw random numbers
    assert before.bias is not None
    before.load_state_dict({"weight": (1 / scale).reshape(1, 1, 1, 1), "bias": (-shift / scale).reshape(1)}, assign=True)
    if _takes_images(module):
        return nn.Sequential(before, *_parts(folded))
    return nn.Sequential(nn.Unflatten(1, (1, 8, 8)), before, nn.Flatten(), *_parts(folded))


def _parts(module: nn.Module) -> list[nn.Module]:
    return list(module) if type(module) is nn.Sequential else [module]


def _first_weights(module: nn.Module) -> nn.Module | None:
    """The first layer of a ``torch.nn.Sequential``, if it is linear or a convolution; a flattening before it does not matter."""
    if type(module) is not nn.Sequential:
        return None
    for layer in module:
        if type(layer) in (nn.Linear, nn.Conv2d):
            return layer
        if type(layer) not in (nn.Flatten, nn.Identity, nn.Dropout):
            return None
    return None


def _has_border(layer: nn.Module) -> bool:
    padding = getattr(layer, "padding", 0)
    return isinstance(padding, str) or bool(torch.as_tensor(padding).any())


def _fold(module: nn.Module, layer: nn.Linear | nn.Conv2d, shift: Tensor, scale: Tensor) -> nn.Module:
    """The module, whose first weights are those of this layer; both are changed."""
    with torch.no_grad():
        weight = layer.weight / scale
        moved = (weight * shift).flatten(1).sum(1)
        layer.weight.copy_(weight)
        if layer.bias is None:
            layer.bias = nn.Parameter(-moved)
        else:
            layer.bias -= moved
    return module


def _takes_images(module: nn.Module) -> bool:
    """Whether a network takes pictures ``(k, 1, 8, 8)``."""
    probe = torch.zeros(1, 1, 8, 8, dtype=torch.float64)
    try:
        with torch.no_grad():
            return bool(copy.deepcopy(module).cpu().double().eval()(probe).ndim == 2)
    except Exception:  # whatever a network of somebody else raises
        return False
