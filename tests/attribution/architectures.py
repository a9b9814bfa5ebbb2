"""Networks of every kind that the exact rule can cut, and what its tests look at them with."""

from __future__ import annotations

import copy

import numpy as np
import torch
from torch import nn

from explorer.attribution import (
    Case,
    ExactTrace,
    Network,
    gradient_field,
)
from explorer.attribution.network import Activation

from .each import each
from .toys import (
    Floats,
    along,
    convolutional,
    linear,
    mlp,
)

ACTIVATIONS: tuple[Activation, ...] = ("softmax", "sigmoid")


def leaky(seed: int) -> nn.Sequential:
    return mlp(seed, (64, 20, 12, 4), nn.LeakyReLU)


def nested(seed: int) -> nn.Sequential:
    inner = mlp(seed, (16, 12, 8))
    return nn.Sequential(
        nn.Unflatten(1, (8, 8)),
        nn.Sequential(nn.Sequential(nn.Flatten(), nn.Linear(64, 16)), nn.Sequential(nn.ReLU())),
        nn.Sequential(inner, nn.Sequential(nn.BatchNorm1d(8), nn.ReLU()), nn.Dropout(0.5), nn.Identity()),
        nn.Linear(8, 3),
    )


def one_activation_module_used_twice(seed: int) -> nn.Sequential:
    net, relu = mlp(seed), nn.ReLU()
    return nn.Sequential(*(relu if isinstance(layer, nn.ReLU) else layer for layer in net))


def one_linear_layer_used_twice(seed: int) -> nn.Sequential:
    start, middle, end = mlp(seed, (64, 12))[0], mlp(seed + 1, (12, 12))[0], mlp(seed + 2, (12, 3))[0]
    return nn.Sequential(start, nn.ReLU(), middle, nn.ReLU(), middle, nn.ReLU(), end)


def in_place(seed: int) -> nn.Sequential:
    return nn.Sequential(*mlp(seed, activation=lambda: nn.ReLU(inplace=True)), nn.Dropout(inplace=True))


def activation_first_and_last(seed: int) -> nn.Sequential:
    return nn.Sequential(linear(2 * np.eye(64), -1), nn.ReLU(), nn.ReLU(), *mlp(seed), nn.LeakyReLU(0.2))


ARCHITECTURES = {
    "relu": mlp(0),
    "relu-large": mlp(1, (64, 32, 32, 10), scale=2.5),
    "leaky": leaky(2),
    "conv": convolutional(3),
    "image": nn.Sequential(nn.Conv2d(1, 3, 3), nn.ReLU(), nn.AvgPool2d(3), nn.Flatten(), nn.Linear(12, 3)),
    "nested": nested(4),
    "shared-relu": one_activation_module_used_twice(5),
    "shared-linear": one_linear_layer_used_twice(6),
    "in-place": in_place(7),
    "activations-at-the-ends": activation_first_and_last(8),
    "pooled": nn.Sequential(nn.Unflatten(1, (8, 8)), nn.AdaptiveAvgPool2d(1), nn.Flatten(1), nn.Linear(1, 3)),
    "linear": nn.Sequential(mlp(9, (64, 3))[0]),
    "one-layer": mlp(10, (64, 3))[0],
}
architectures = each("module", ARCHITECTURES.values(), ids=ARCHITECTURES)


def cuts(steps: ExactTrace) -> Floats:
    """0, where units switch, 1."""
    return np.array([0.0, *sorted({switch.alpha for switch in steps.switches}), 1.0])


def piecewise_gauss(case: Case, ends: Floats, nodes: int = 30) -> Floats:
    """Integrated Gradients by Gauss–Legendre between the cuts, asking the network itself at every node."""
    x, w = np.polynomial.legendre.leggauss(nodes)
    alphas = (ends[:-1, None] + np.diff(ends)[:, None] * (x + 1) / 2).ravel()
    weights = (np.diff(ends)[:, None] * w / 2).ravel()
    gradients = gradient_field(case.network, along(case, alphas), case.target, case.output).gradients
    total: Floats = case.difference * np.tensordot(weights, gradients, 1)
    return total


def pre_activations(network: Network, pictures: Floats) -> list[Floats]:
    """What goes into each activation, ``(k, units)``, in the order of the layers by hooks on a copy."""
    module, seen = copy.deepcopy(network.module), list[Floats]()
    for layer in module.modules():
        if isinstance(layer, nn.ReLU | nn.LeakyReLU):
            layer.register_forward_pre_hook(lambda layer, args: seen.append(args[0].flatten(1).numpy().copy()))
    with torch.no_grad():
        module(torch.from_numpy(pictures).reshape(-1, *network.input_shape))
    return seen
