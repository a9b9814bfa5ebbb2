"""The last convolutional feature maps of a network, their gradients, and resampling to the size of the picture.

They are the input of the first pooling, flattening or linear layer after the last ``Conv2d``; the rest is the head.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from explorer.attribution.case import Case
from explorer.attribution.field import outputs
from explorer.attribution.layers import sequential_layers
from explorer.attribution.network import SHAPE, Floats, Network

POOLING = (nn.AvgPool2d, nn.AdaptiveAvgPool2d, nn.MaxPool2d, nn.AdaptiveMaxPool2d, nn.Flatten, nn.Linear)

NO_CONVOLUTION = "it needs a convolutional network: this one has no feature maps that keep the places of the picture"
NOT_AVERAGED = "its head must be global average pooling and one linear layer, whose weights are then the maps' own"


@dataclass(frozen=True, slots=True)
class Parts:
    """The layers up to the feature maps, and the layers after them."""

    body: list[nn.Module]
    head: list[nn.Module]


def split_at_feature_maps(network: Network) -> Parts:
    """The network, split at its feature maps.

    Raises:
        NotSequential: the network is not a plain sequence of layers.
        ValueError: it has no feature maps.
    """
    layers = sequential_layers(network)
    convolutions = [place for place, layer in enumerate(layers) if isinstance(layer, nn.Conv2d)]
    if convolutions:
        for place in range(convolutions[-1] + 1, len(layers)):
            if isinstance(layers[place], POOLING):
                return Parts(layers[:place], layers[place:])
    raise ValueError(NO_CONVOLUTION)


def feature_maps_missing(network: Network) -> str:
    """Why the network has no feature maps, without a full stop; "" when it has."""
    try:
        split_at_feature_maps(network)
    except ValueError as reason:  # NotSequential is one too
        return str(reason)
    return ""


def average_pooling_missing(network: Network) -> str:
    """Why the head is not global average pooling and one linear layer, without a full stop; "" when it is."""
    if reason := feature_maps_missing(network):
        return reason
    parts = split_at_feature_maps(network)
    doing = [layer for layer in parts.head if not isinstance(layer, nn.Identity | nn.Dropout | nn.Dropout2d)]
    kinds = [type(layer) for layer in doing]
    if kinds[:1] not in ([nn.AdaptiveAvgPool2d], [nn.AvgPool2d]) or kinds[1:] != [nn.Flatten, nn.Linear]:
        return NOT_AVERAGED
    with torch.no_grad():  # a pooling layer may average parts, or omit some: compare with the mean
        maps = forward_through(parts.body, torch.zeros(1, *network.input_shape, dtype=torch.float64))
        maps = torch.arange(maps.numel(), dtype=torch.float64).reshape(maps.shape) ** 2
        pooled = doing[0](maps)
    mean = maps.mean(dim=(2, 3), keepdim=True)
    return "" if pooled.shape == mean.shape and torch.allclose(pooled, mean, rtol=1e-9, atol=0) else NOT_AVERAGED


def forward_through(layers: list[nn.Module], a: torch.Tensor) -> torch.Tensor:
    """The output of layers for input ``a``, which is not changed."""
    a = a.clone()  # a layer may write into its input
    for layer in layers:
        a = layer(a)
    return a


@dataclass(frozen=True, slots=True, eq=False)
class Maps:
    """The feature maps of n pictures, and the gradient of F with respect to them.

    Attributes:
        activations: the maps A, ``(n, K, h, w)`` float64.
        gradients: ∂F/∂A there, same shape.
    """

    activations: Floats
    gradients: Floats


def feature_maps(case: Case, pictures: Floats) -> Maps:
    """The last convolutional feature maps of pictures ``(n, 8, 8)``, and the gradient of the case's F there.

    Raises:
        ValueError: the network has no feature maps, or is not a plain sequence of layers.
    """
    parts = split_at_feature_maps(case.network)
    size = case.network.chunk
    chunks = [_feature_maps(case, parts, pictures[i : i + size]) for i in range(0, len(pictures), size)]
    return Maps(
        np.concatenate([chunk.activations for chunk in chunks]), np.concatenate([chunk.gradients for chunk in chunks])
    )


def _feature_maps(case: Case, parts: Parts, pictures: Floats) -> Maps:
    with torch.inference_mode(False), torch.enable_grad():  # independent of the caller's mode
        x = torch.tensor(pictures).reshape(-1, *case.network.input_shape)
        maps = forward_through(parts.body, x).requires_grad_()
        logits = forward_through(parts.head, maps)
        _, slopes = outputs(case.network, logits.detach().numpy(), case.target, case.output)
        (gradients,) = torch.autograd.grad(logits, maps, torch.from_numpy(slopes))
    return Maps(maps.detach().numpy(), gradients.numpy())


def resampled(coarse: Floats) -> Floats:
    """A map ``(h, w)`` resampled bilinearly to ``(8, 8)``, with aligned outer edges."""
    if coarse.shape == SHAPE:
        return coarse
    sized = nn.functional.interpolate(torch.tensor(coarse)[None, None], SHAPE, mode="bilinear", align_corners=False)
    return sized[0, 0].numpy()
