"""The last convolutional feature maps of a network: found by its structure, looked at, and shown on the picture.

The feature maps are the activations that enter the first pooling, flattening or linear layer after the last
``torch.nn.Conv2d``; the layers from there on are the head. A place in a map keeps its place in the picture. Where the
maps are of another size than the picture, they are resampled to 8 × 8, bilinearly.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from explorer.attribution.case import Case
from explorer.attribution.field import outputs
from explorer.attribution.layers import layers_in_order
from explorer.attribution.network import SHAPE, Floats, Network

POOLING = (nn.AvgPool2d, nn.AdaptiveAvgPool2d, nn.MaxPool2d, nn.AdaptiveMaxPool2d, nn.Flatten, nn.Linear)

NO_CONVOLUTION = "it needs a convolutional network: this one has no feature maps that keep the places of the picture"
NOT_AVERAGED = "its head must be global average pooling and one linear layer, whose weights are then the maps' own"


@dataclass(frozen=True, slots=True)
class Parts:
    """The layers up to the feature maps, and those after them."""

    body: list[nn.Module]
    head: list[nn.Module]


def parts_of(network: Network) -> Parts:
    """The network cut at its feature maps.

    Raises:
        NotWalkable: the network is not a plain sequence of layers.
        ValueError: it has no feature maps.
    """
    layers = layers_in_order(network)
    convolutions = [place for place, layer in enumerate(layers) if isinstance(layer, nn.Conv2d)]
    if convolutions:
        for place in range(convolutions[-1] + 1, len(layers)):
            if isinstance(layers[place], POOLING):
                return Parts(layers[:place], layers[place:])
    raise ValueError(NO_CONVOLUTION)


def no_feature_maps(network: Network) -> str:
    """Why there are no feature maps to weigh, in a sentence; "" when there are."""
    try:
        parts_of(network)
    except ValueError as reason:  # NotWalkable is one too
        return str(reason)
    return ""


def not_averaged(network: Network) -> str:
    """Why the maps' own weights cannot be told, in a sentence; "" when they can."""
    if reason := no_feature_maps(network):
        return reason
    parts = parts_of(network)
    doing = [layer for layer in parts.head if not isinstance(layer, nn.Identity | nn.Dropout | nn.Dropout2d)]
    kinds = [type(layer) for layer in doing]
    if kinds[:1] not in ([nn.AdaptiveAvgPool2d], [nn.AvgPool2d]) or kinds[1:] != [nn.Flatten, nn.Linear]:
        return NOT_AVERAGED
    with torch.no_grad():  # a pooling layer may average parts, or leave some out: try it
        maps = through(parts.body, torch.zeros(1, *network.input_shape, dtype=torch.float64))
        maps = torch.arange(maps.numel(), dtype=torch.float64).reshape(maps.shape) ** 2
        pooled = doing[0](maps)
    mean = maps.mean(dim=(2, 3), keepdim=True)
    return "" if pooled.shape == mean.shape and torch.allclose(pooled, mean, rtol=1e-9, atol=0) else NOT_AVERAGED


def through(layers: list[nn.Module], a: torch.Tensor) -> torch.Tensor:
    """What comes out of layers when ``a`` goes in; ``a`` is left as it is."""
    a = a.clone()  # a layer may write into what it is given
    for layer in layers:
        a = layer(a)
    return a


@dataclass(frozen=True, slots=True, eq=False)
class Maps:
    """The feature maps of pictures, and what F makes of them.

    Attributes:
        activations: A of each picture, ``(n, K, h, w)`` float64.
        gradients: ∂F/∂A there, same shape.
    """

    activations: Floats
    gradients: Floats


def feature_maps(case: Case, pictures: Floats) -> Maps:
    """The last convolutional feature maps of pictures ``(n, 8, 8)``, and the gradient of the case's F in them.

    Raises:
        ValueError: the network has none, or is not a plain sequence of layers.
    """
    parts = parts_of(case.network)
    size = case.network.chunk
    chunks = [_feature_maps(case, parts, pictures[i : i + size]) for i in range(0, len(pictures), size)]
    return Maps(
        np.concatenate([chunk.activations for chunk in chunks]), np.concatenate([chunk.gradients for chunk in chunks])
    )


def _feature_maps(case: Case, parts: Parts, pictures: Floats) -> Maps:
    with torch.inference_mode(False), torch.enable_grad():  # whatever mode the caller is in
        x = torch.tensor(pictures).reshape(-1, *case.network.input_shape)
        maps = through(parts.body, x).requires_grad_()
        logits = through(parts.head, maps)
        _, slopes = outputs(case.network, logits.detach().numpy(), case.target, case.output)
        (gradients,) = torch.autograd.grad(logits, maps, torch.from_numpy(slopes))
    return Maps(maps.detach().numpy(), gradients.numpy())


def on_picture(coarse: Floats) -> Floats:
    """A map ``(h, w)`` on the picture, ``(8, 8)``: resampled bilinearly, their outer edges at the same place."""
    if coarse.shape == SHAPE:
        return coarse
    sized = nn.functional.interpolate(torch.tensor(coarse)[None, None], SHAPE, mode="bilinear", align_corners=False)
    return sized[0, 0].numpy()
