"""Build and train networks: ReLU layers in float64, AdamW, and an adversary if asked; and what a weight file holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray

from models.drawn_shapes import Array, Labels

Batches = Callable[[Generator], tuple[Array, Labels]]

ATTACK_STEPS = 5


def new_network(sizes: tuple[int, ...], rng: Generator) -> torch.nn.Sequential:
    """Return a ReLU MLP in float64 with He initialisation drawn from `rng`, zero biases."""
    modules: list[torch.nn.Module] = []
    for before, after in pairwise(sizes):
        linear = torch.nn.Linear(before, after, dtype=torch.float64)
        draw_weights(linear.weight, linear.bias, rng)
        modules += [linear, torch.nn.ReLU()]
    return torch.nn.Sequential(*modules[:-1])


def new_convolutional_network(channels: tuple[int, ...], classes: int, rng: Generator) -> torch.nn.Sequential:
    """Return 3 × 3 convolutions with ReLU, the mean of each map, one linear layer; He initialisation, zero biases."""
    modules: list[torch.nn.Module] = [torch.nn.Unflatten(1, (1, 8, 8))]
    for before, after in pairwise(channels):
        convolution = torch.nn.Conv2d(before, after, 3, padding=1, dtype=torch.float64)
        draw_weights(convolution.weight, convolution.bias, rng)
        modules += [convolution, torch.nn.ReLU()]
    linear = torch.nn.Linear(channels[-1], classes, dtype=torch.float64)
    draw_weights(linear.weight, linear.bias, rng)
    return torch.nn.Sequential(*modules, torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), linear)


def draw_weights(weight: torch.Tensor, bias: torch.Tensor | None, rng: Generator) -> None:
    """Set weights (outputs, inputs, …) to He initialisation drawn from `rng`, biases to zero."""
    shape = tuple(weight.shape)
    with torch.no_grad():
        weight.copy_(torch.from_numpy(rng.normal(0.0, np.sqrt(2 / np.prod(shape[1:])), shape)))
        if bias is not None:
            bias.zero_()


def fit(
    network: torch.nn.Sequential,
    batches: Batches,
    rng: Generator,
    *,
    steps: int,
    decay: float,
    smoothing: float,
    rate: float = 0.005,
    epsilon: float = 0.0,
    seen: Callable[[int], None] = lambda step: None,
) -> None:
    """Train in place with AdamW and a learning rate that falls from `rate` to 0 along a cosine.

    With `epsilon` > 0 the pictures are adversarial; the adversary's reach grows over the first 40 % of the steps, as a large one
    from the start ends in a constant network. `seen` is called before each step, and once after the last.

    Weight decay and label smoothing keep the logits moderate: a network that is sure to the last bit has a
    probability gradient of nothing, and nothing to explain.
    """
    parameters = list(network.parameters())
    optimiser = torch.optim.AdamW(parameters, weight_decay=decay)
    for step in range(steps):
        optimiser.param_groups[0]["lr"] = rate * 0.5 * (1 + np.cos(np.pi * step / steps))
        seen(step)
        pictures, labels = batches(rng)
        points, targets = torch.from_numpy(pictures.reshape(len(pictures), 64)), torch.from_numpy(labels)
        if epsilon:
            points = attacked(network, points, targets, rng, epsilon * min(1.0, (step + 1) / (0.4 * steps)))
        loss = torch.nn.functional.cross_entropy(network(points), targets, label_smoothing=smoothing)
        # As everywhere in this project: gradients are asked for, never accumulated by backward().
        for parameter, gradient in zip(parameters, torch.autograd.grad(loss, parameters), strict=True):
            parameter.grad = gradient
        optimiser.step()
    seen(steps)


def attacked(network: torch.nn.Sequential, points: torch.Tensor, labels: torch.Tensor, rng: Generator, reach: float) -> torch.Tensor:
    """Pictures (n, 64) that the network classifies worse, within an L2 distance `reach` of `points`.

    By projected gradient descent (Madry et al. 2018) from a random start.
    """
    start = torch.from_numpy(rng.normal(size=points.shape))
    moved = 0.5 * reach * start / start.norm(dim=1, keepdim=True)
    for _ in range(ATTACK_STEPS):
        at = (points + moved).clamp(0, 1).requires_grad_()
        loss = torch.nn.functional.cross_entropy(network(at), labels, reduction="sum")
        (slope,) = torch.autograd.grad(loss, at)
        moved = at.detach() - points + 2.5 * reach / ATTACK_STEPS * slope / slope.norm(dim=1, keepdim=True).clamp_min(1e-12)
        moved = moved * (reach / moved.norm(dim=1, keepdim=True).clamp_min(1e-12)).clamp_max(1)
    return (points + moved).clamp(0, 1)


def weights(network: torch.nn.Sequential) -> dict[str, NDArray[np.float32]]:
    """Return the weights as float32 arrays w0, b0, w1, b1, …; w has the shape (outputs, inputs[, 3, 3])."""
    layers = [module for module in network if isinstance(module, torch.nn.Linear | torch.nn.Conv2d)]
    arrays: dict[str, NDArray[np.float32]] = {}
    for number, layer in enumerate(layers):
        assert layer.bias is not None
        arrays[f"w{number}"] = layer.weight.detach().numpy().astype(np.float32)
        arrays[f"b{number}"] = layer.bias.detach().numpy().astype(np.float32)
    return arrays


def logits(arrays: Mapping[str, NDArray[Any]], pictures: Array) -> Array:
    """Return the logits (k, classes) of the stored float32 weights, computed in float64 and without torch."""
    convolutional = arrays["w0"].ndim == 4
    values: Array = pictures.reshape(len(pictures), *((1, 8, 8) if convolutional else (64,)))
    last = sum(name.startswith("w") for name in arrays) - 1
    for number in range(last + 1):
        weight, bias = arrays[f"w{number}"].astype(np.float64), arrays[f"b{number}"]
        if weight.ndim == 4:
            padded = np.pad(values, ((0, 0), (0, 0), (1, 1), (1, 1)))
            windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(2, 3))
            values = np.einsum("kcxyij,ocij->koxy", windows, weight, optimize=True) + bias[:, None, None]
        else:
            values = (values.mean(axis=(2, 3)) if values.ndim == 4 else values) @ weight.T + bias
        values = values if number == last else np.maximum(values, 0.0)
    return values


def accuracy(arrays: Mapping[str, NDArray[Any]], pictures: Array, labels: Labels) -> float:
    """Return the share of pictures whose largest logit is that of their class."""
    return float(np.mean(logits(arrays, pictures).argmax(axis=1) == labels))


def network_file(
    arrays: Mapping[str, NDArray[Any]],
    classes: tuple[str, ...],
    training: Array,
    held_out: tuple[Array, Labels],
) -> dict[str, NDArray[Any]]:
    """Return what a network's file holds: weights, classes, accuracy measured, mean training picture."""
    return {
        **arrays,
        "classes": np.array(classes),
        "accuracy": np.array(accuracy(arrays, *held_out)),
        "held_out": np.array(len(held_out[1])),
        "mean": training.mean(axis=0),
    }
