"""Small networks and pictures with known truths, for the engine's tests."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from explorer.attribution import Case, Network, Output, gradient_field
from explorer.attribution.network import OUTPUTS
from explorer.models import load_zoo

from .each import each

Floats = NDArray[np.float64]

BLACK: Floats = np.zeros((8, 8))
WHITE: Floats = np.ones((8, 8))


def picture(seed: int) -> Floats:
    """A uniformly random picture."""
    return np.random.default_rng(seed).random((8, 8))


def embed(*pixels: float) -> Floats:
    """A black picture whose first pixels are these."""
    out = np.zeros(64)
    out[: len(pixels)] = pixels
    return out.reshape(8, 8)


def linear(weights: Any, bias: Any = 0.0) -> nn.Linear:
    """A linear layer with these weights (given for the first inputs; the rest is 0) and this bias."""
    w = np.atleast_2d(np.asarray(weights, dtype=np.float64))
    layer = nn.Linear(w.shape[1], w.shape[0]).double()
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(w))
        layer.bias.copy_(torch.from_numpy(np.broadcast_to(np.asarray(bias, dtype=np.float64), len(w)).copy()))
    return layer


def first(weights: Any, bias: Any = 0.0) -> nn.Linear:
    """A linear layer that reads a picture: rows of weights for its first pixels, 0 for all others."""
    w = np.atleast_2d(np.asarray(weights, dtype=np.float64))
    return linear(np.pad(w, ((0, 0), (0, 64 - w.shape[1]))), bias)


def mlp(
    seed: int,
    sizes: Sequence[int] = (64, 24, 16, 5),
    activation: Callable[[], nn.Module] = nn.ReLU,
    scale: float = 1.0,
) -> nn.Sequential:
    """A random multi-layer perceptron whose weights keep signals at about their size, times ``scale``."""
    rng = np.random.default_rng(seed)
    layers: list[nn.Module] = []
    for fan_in, fan_out in pairwise(sizes):
        weights = rng.standard_normal((fan_out, fan_in)) * scale * np.sqrt(2 / fan_in)
        layers += [linear(weights, 0.3 * rng.standard_normal(fan_out)), activation()]
    return nn.Sequential(*layers[:-1])


def convolutional(seed: int = 0) -> nn.Sequential:
    """A small convolutional network with every kind of layer that the exact rule takes."""
    torch.manual_seed(seed)
    net = nn.Sequential(
        nn.Unflatten(1, (1, 8, 8)),
        nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.AvgPool2d(2)),
        nn.Sequential(nn.Conv2d(4, 6, 3), nn.Sequential(nn.LeakyReLU(0.1), nn.Dropout2d()), nn.Identity()),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.BatchNorm1d(6),
        nn.Dropout(),
        nn.ReLU(),
        nn.Linear(6, 3),
    )
    for module in net.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            assert module.running_mean is not None and module.running_var is not None
            module.running_mean.uniform_(-0.2, 0.2)
            module.running_var.uniform_(0.5, 1.5)
            nn.init.uniform_(module.bias, -0.3, 0.3)
    return net


class Combined(nn.Module):
    """Twice the logits of one network minus three times those of another."""

    def __init__(self, one: nn.Module, two: nn.Module) -> None:
        super().__init__()
        self.one, self.two = one, two

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = 2 * self.one(x) - 3 * self.two(x)
        return out


ZOO = {name: model.network for name, model in load_zoo().items()}
NETWORKS = {"flat": Network(mlp(0)), "image": Network(convolutional())}
ALL_NETWORKS = {**NETWORKS, "sigmoid": Network(mlp(1), activation="sigmoid")}

outputs = each("output", OUTPUTS)
networks = each("network", NETWORKS.values(), ids=NETWORKS)
all_networks = each("network", ALL_NETWORKS.values(), ids=ALL_NETWORKS)
zoo_networks = each("zoo_network", ZOO.values(), ids=ZOO)


def f_module(case: Case) -> nn.Module:
    """F as a module for other libraries: a copy of the network, for a probability with its softmax or sigmoid."""
    module = copy.deepcopy(case.network.module)
    if case.output == "logit":
        return module
    return nn.Sequential(module, nn.Softmax(dim=1) if case.network.activation == "softmax" else nn.Sigmoid())


def f_at(case: Case, pictures: Floats) -> Floats:
    """F at pictures ``(k, 8, 8)``."""
    return gradient_field(case.network, pictures, case.target, case.output).values


def delta_f(case: Case) -> float:
    """F(x) − F(x′)."""
    values = f_at(case, np.stack([case.input, case.baseline]))
    return float(values[0] - values[1])


def along(case: Case, alphas: Floats) -> Floats:
    """The pictures on the path at α, written down here once more."""
    return case.baseline + alphas[:, None, None] * (case.input - case.baseline)


def relative_error(found: Floats, expected: Floats) -> float:
    """max |found − expected| / max |expected| (0 when both are all zero)."""
    error = float(np.abs(found - expected).max())
    return error / float(np.abs(expected).max()) if error else 0.0


def random_case(network: Network, seed: int, output: Output = "probability") -> Case:
    """A random input against a random baseline, for a target that goes round the classes."""
    return Case(network, picture(2 * seed), picture(2 * seed + 1), seed % len(network.classes), output)
