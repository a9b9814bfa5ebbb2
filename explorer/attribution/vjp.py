"""Forward pass and vector-Jacobian product of known layers in numpy, without autograd's overhead.

For a ``torch.nn.Sequential`` of affine layers and ReLUs, with ReLU′(0) = 0; other networks need autograd.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn.functional import conv2d
from torch.nn.grad import conv2d_input

from explorer.attribution.layers import (
    KINKED_AT_ZERO,
    affine_and_relu_layers,
    layer_vjp,
    negative_slope_of,
    unsupported_reason,
)
from explorer.attribution.network import IMAGE_CHUNK, SHAPE, Floats, Network

Shape = tuple[int, ...]


class KnownLayer(NamedTuple):
    """A layer as two functions.

    Attributes:
        forward: from inputs ``(k, …)`` float64, which it does not change, to outputs.
        vjp: of an affine layer: from cotangents of k outputs, in any shape with as many elements, and the shape of one
            input to cotangents of the inputs, ``(k, *shape)``.
        slope: of an activation below zero; None for an affine layer.
    """

    forward: Callable[[Floats], Floats]
    vjp: Callable[[Floats, Shape], Floats]
    slope: float | None = None


class Evaluation(NamedTuple):
    """Logits at k points, and their vjp.

    Attributes:
        logits: ``(k, C)`` float64.
        vjp: from cotangents ``(k, C)`` to gradients with respect to the pictures, ``(k, 8, 8)``.
    """

    logits: Floats
    vjp: Callable[[Floats], Floats]


def evaluate(network: Network, points: Floats) -> Evaluation | None:
    """Logits of pictures ``(k, 8, 8)`` float64 with their vjp; None for a network that needs autograd."""
    layers = known_layers(network)
    if layers is None:
        return None
    inputs = [points.reshape(-1, *network.input_shape)]
    for layer in layers:
        inputs.append(layer.forward(inputs[-1]))
    logits = inputs.pop()

    def vjp(cotangents: Floats) -> Floats:
        for layer, a in zip(reversed(layers), reversed(inputs), strict=True):
            if layer.slope is None:
                cotangents = layer.vjp(cotangents, a.shape[1:])
            else:
                cotangents = gated(cotangents.reshape(a.shape), a > 0, layer.slope)
        return cotangents.reshape(-1, *SHAPE)

    return Evaluation(logits, vjp)


@lru_cache(maxsize=64)  # a network does not change; a question may ask some twenty altered copies
def known_layers(network: Network) -> tuple[KnownLayer, ...] | None:
    """The layers of a network in order, if all of them are known; else None."""
    return None if unsupported_reason(network) else tuple(map(_known, affine_and_relu_layers(network)))


def gated(signal: Floats, on: NDArray[np.bool_], slope: float) -> Floats:
    """The vjp of an activation: the signal where a unit is on, the signal times ``slope`` where it is off."""
    return signal * on if slope == 0 else np.where(on, signal, slope * signal)


def _known(layer: nn.Module) -> KnownLayer:
    if isinstance(layer, KINKED_AT_ZERO):
        slope = negative_slope_of(layer)
        activate = (lambda a: np.maximum(a, 0.0)) if slope == 0 else (lambda a: gated(a, a > 0, slope))
        return KnownLayer(activate, _reshaped, slope)
    if isinstance(layer, nn.Linear):
        return _dense(layer)
    if isinstance(layer, nn.Identity | nn.Dropout | nn.Dropout2d):  # in eval mode
        return KnownLayer(lambda a: a, _reshaped)
    if isinstance(layer, nn.Flatten | nn.Unflatten):
        return KnownLayer(lambda a: layer(torch.from_numpy(a)).numpy(), _reshaped)
    if isinstance(layer, nn.AdaptiveAvgPool2d) and layer.output_size in (1, (1, 1)):
        return KnownLayer(_mean, _mean_vjp)
    if isinstance(layer, nn.Conv2d) and layer.padding_mode == "zeros" and not isinstance(layer.padding, str):
        return _convolution(layer)
    return KnownLayer(partial(_other, layer), partial(_other_vjp, layer))


def _reshaped(cotangents: Floats, shape: Shape) -> Floats:
    return cotangents.reshape(-1, *shape)


def _dense(layer: nn.Linear) -> KnownLayer:
    weight, bias = layer.weight.numpy(), None if layer.bias is None else layer.bias.numpy()
    columns = weight.T

    def forward(a: Floats) -> Floats:
        z: Floats = a @ columns
        if bias is not None:
            z += bias
        return z

    return KnownLayer(forward, lambda cotangents, shape: cotangents.reshape(-1, *shape[:-1], len(weight)) @ weight)


def _mean(a: Floats) -> Floats:
    return a.reshape(*a.shape[:-2], -1).mean(axis=-1)[..., None, None]


def _mean_vjp(cotangents: Floats, shape: Shape) -> Floats:
    each = cotangents.reshape(-1, *shape[:-2], 1, 1) / (shape[-2] * shape[-1])
    return np.broadcast_to(each, (len(each), *shape))


def _convolution(layer: nn.Conv2d) -> KnownLayer:
    settings = layer.stride, layer.padding, layer.dilation, layer.groups

    def forward(a: Floats) -> Floats:
        return _joined([conv2d(part, layer.weight, layer.bias, *settings) for part in _parts(a)])  # type: ignore[arg-type]

    @lru_cache(maxsize=4)
    def size(shape: Shape) -> torch.Size:
        return conv2d(torch.zeros(1, *shape, dtype=torch.float64), layer.weight, None, *settings).shape[1:]  # type: ignore[arg-type]

    def vjp(cotangents: Floats, shape: Shape) -> Floats:
        parts = _parts(np.ascontiguousarray(cotangents).reshape(-1, *size(shape)))
        return _joined([conv2d_input((len(part), *shape), layer.weight, part, *settings) for part in parts])  # type: ignore[no-untyped-call]

    return KnownLayer(forward, vjp)


def _parts(a: Floats) -> tuple[torch.Tensor, ...]:
    """The pictures in chunks whose unfolded convolution fits into a core's cache."""
    writeable = a if a.flags.writeable else a.copy()  # torch accepts no read-only memory
    parts: tuple[torch.Tensor, ...] = torch.split(torch.from_numpy(writeable), IMAGE_CHUNK)
    return parts


def _joined(parts: list[torch.Tensor]) -> Floats:
    whole: Floats = (parts[0] if len(parts) == 1 else torch.cat(parts)).numpy()
    return whole


def _other(layer: nn.Module, a: Floats) -> Floats:
    with torch.no_grad():
        z: Floats = layer(torch.from_numpy(a)).numpy()
    return z


def _other_vjp(layer: nn.Module, cotangents: Floats, shape: Shape) -> Floats:
    pulled: Floats = layer_vjp(layer, torch.Size(shape), torch.from_numpy(np.array(cotangents))).numpy()
    return pulled
