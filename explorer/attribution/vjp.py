"""Logits and their vjp through layers that the engine knows: autograd's numbers to rounding, without its overhead.

Small networks spend most of autograd's time on bookkeeping. A ``torch.nn.Sequential`` of affine layers and ReLUs is
evaluated here layer by layer, dense layers and activations in numpy; any other network is left to autograd.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial
from typing import NamedTuple

import numpy as np
import torch
from torch import nn
from torch.nn.functional import conv2d
from torch.nn.grad import conv2d_input

from explorer.attribution.layers import KINKED_AT_ZERO, layers_of, off_slope, pull_back, refusal
from explorer.attribution.network import SHAPE, Floats, Network

Back = Callable[[Floats], Floats]  # cotangents of a layer's outputs to those of its inputs, (k, …) to (k, …)
Forward = Callable[[Floats], tuple[Floats, Back]]


class Seen(NamedTuple):
    """Logits at some points, and what pulls cotangents back from there.

    Attributes:
        logits: ``(k, C)`` float64.
        vjp: cotangents ``(k, C)`` to gradients with respect to the pictures, ``(k, 8, 8)``.
    """

    logits: Floats
    vjp: Back


def evaluate(network: Network, points: Floats) -> Seen | None:
    """Logits of pictures ``(k, 8, 8)`` float64 with their vjp; None where autograd has to be asked.

    ReLU′(0) is 0, as in torch.
    """
    layers = _known_layers(network)
    if layers is None:
        return None
    backs: list[Back] = []
    a = points.reshape(-1, *network.input_shape)
    for forward in layers:
        a, back = forward(a)
        backs.append(back)

    def vjp(cotangents: Floats) -> Floats:
        for back in reversed(backs):
            cotangents = back(cotangents)
        return cotangents.reshape(-1, *SHAPE)

    return Seen(a, vjp)


@lru_cache(maxsize=16)  # of a network, which does not change
def _known_layers(network: Network) -> tuple[Forward, ...] | None:
    if refusal(network):
        return None
    return tuple(_known(layer) for layer in layers_of(network))


def _known(layer: nn.Module) -> Forward:
    if isinstance(layer, nn.Linear):
        bias = None if layer.bias is None else layer.bias.numpy()
        return partial(_dense, layer.weight.numpy(), layer.weight.numpy().T.copy(), bias)
    if isinstance(layer, KINKED_AT_ZERO):
        return partial(_activation, off_slope(layer))
    if isinstance(layer, nn.Identity | nn.Dropout | nn.Dropout2d):  # in eval mode
        return lambda a: (a, lambda signal: signal)
    if isinstance(layer, nn.Flatten | nn.Unflatten):
        return partial(_reshaped, layer)
    if isinstance(layer, nn.AdaptiveAvgPool2d) and layer.output_size in (1, (1, 1)):
        return _mean
    if isinstance(layer, nn.Conv2d) and layer.padding_mode == "zeros" and not isinstance(layer.padding, str):
        return partial(_convolution, layer)
    return partial(_affine, layer)


def _dense(weight: Floats, transposed: Floats, bias: Floats | None, a: Floats) -> tuple[Floats, Back]:
    z = a @ transposed
    if bias is not None:
        z += bias
    return z, lambda signal: signal.reshape(z.shape) @ weight


def _activation(slope: float, a: Floats) -> tuple[Floats, Back]:
    on = a > 0
    if slope:
        gates = np.where(on, 1.0, slope)
        return a * gates, lambda signal: signal.reshape(a.shape) * gates
    return np.maximum(a, 0.0), lambda signal: signal.reshape(a.shape) * on


def _reshaped(layer: nn.Module, a: Floats) -> tuple[Floats, Back]:
    return layer(torch.from_numpy(a)).numpy(), lambda signal: signal.reshape(a.shape)


def _mean(a: Floats) -> tuple[Floats, Back]:
    count = a.shape[2] * a.shape[3]
    means = a.reshape(*a.shape[:2], count).sum(axis=2) / count
    return means[:, :, None, None], lambda signal: np.broadcast_to(signal.reshape(*a.shape[:2], 1, 1) / count, a.shape)


def _convolution(layer: nn.Conv2d, a: Floats) -> tuple[Floats, Back]:
    settings = layer.stride, layer.padding, layer.dilation, layer.groups

    def back(signal: Floats) -> Floats:
        arriving = torch.from_numpy(np.ascontiguousarray(signal).reshape(z.shape))
        return conv2d_input(a.shape, layer.weight, arriving, *settings).numpy()  # type: ignore[no-untyped-call]

    z = conv2d(torch.from_numpy(a), layer.weight, layer.bias, *settings)
    return z.numpy(), back


def _affine(layer: nn.Module, a: Floats) -> tuple[Floats, Back]:
    with torch.no_grad():
        z: Floats = layer(torch.from_numpy(a)).numpy()
    return z, lambda signal: pull_back(layer, torch.Size(a.shape[1:]), torch.from_numpy(np.ascontiguousarray(signal))).numpy()
