"""Exact Integrated Gradients for piecewise-linear networks.

Along the straight path from baseline to input every pre-activation of a ReLU network is linear in α until some unit
switches. So the path is cut where units switch, layer by layer; on each piece the logits are linear in α and their
gradient is constant, and what is left of the integral is smooth and known in closed form up to a short
Gauss–Legendre sum that needs no network. (The cutting is published as ExactLine: Sotoudeh & Thakur,
"Computing Linear Restrictions of Neural Networks", NeurIPS 2019.)

**How exactness is decided.** A network counts as piecewise linear here when it is a ``torch.nn.Sequential`` (nested
ones too) of layers listed below, or such a layer itself: affine maps, and element-wise activations with one kink at
zero. Anything else is refused by name, also where it happens to be piecewise linear in a way not listed (max-pooling,
a module with a ``forward`` of its own, which cannot be seen through).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from explorer.attribution.case import Case
from explorer.attribution.field import outputs
from explorer.attribution.integrated import Trace, make_trace, on_path
from explorer.attribution.network import Floats, Network

AFFINE = (
    nn.Linear,
    nn.Conv2d,
    nn.AvgPool2d,
    nn.AdaptiveAvgPool2d,
    nn.BatchNorm1d,  # in eval mode these are fixed affine maps
    nn.BatchNorm2d,
    nn.Flatten,
    nn.Unflatten,
    nn.Identity,
    nn.Dropout,
    nn.Dropout2d,
)
KINKED_AT_ZERO = (nn.ReLU, nn.LeakyReLU)

NODES = 12  # Gauss–Legendre nodes for one stretch of a piece …
STRETCH = 2.0  # … on which no logit moves by more than this: the error is then below 1e-15


class NotPiecewiseLinear(ValueError):
    """The network has a layer that the exact rule cannot cut; the message names it."""


@dataclass(frozen=True, slots=True)
class Switch:
    """A place on the path where a unit changes sides.

    Attributes:
        alpha: where, in (0, 1).
        layer: which activation layer, counted from 0 at the input.
        unit: which of its units.
        turns_on: whether the unit becomes active on the way to the input.
    """

    alpha: float
    layer: int
    unit: int
    turns_on: bool


@dataclass(frozen=True, slots=True, eq=False)
class ExactTrace(Trace):
    """Exact Integrated Gradients, one step for each linear piece of the path, in order.

    ``alphas`` are the ends of the pieces (the last is 1), ``weights`` their lengths, ``values`` F at their ends, and
    ``gradients`` the mean of ∂F/∂x over each piece, so that ``running`` is exact at every end.

    Attributes:
        switches: where units switch, ascending in α.
    """

    switches: tuple[Switch, ...]


def exact_integrated_gradients(case: Case) -> ExactTrace:
    """Integrated Gradients without quadrature error (to rounding), for a piecewise-linear network.

    Raises:
        NotPiecewiseLinear: the network is not one that can be cut; see the module's text.
    """
    layers = piecewise_linear_layers(case.network)
    cuts, logits, switches = _cut(case, layers)
    lengths = np.diff(cuts)
    means = _mean_slopes(case.network, logits, case)
    gradients = _pull_back(case, (cuts[:-1] + cuts[1:]) / 2, means)
    values, _ = outputs(case.network, logits[1:], case.target, case.output)
    steps = make_trace(case, cuts[1:], lengths, values, gradients)
    return ExactTrace(steps.alphas, steps.weights, steps.values, steps.gradients, steps.running, switches)


def piecewise_linear_layers(network: Network) -> list[nn.Module]:
    """The network's layers in order, if all of them can be cut exactly.

    Raises:
        NotPiecewiseLinear: naming the first layer that cannot.
    """
    layers = []
    for name, layer in _flatten(network.module):
        if not isinstance(layer, AFFINE + KINKED_AT_ZERO):
            raise NotPiecewiseLinear(
                f"the exact rule needs a torch.nn.Sequential of affine and ReLU layers; {name} is a "
                f"{type(layer).__name__}, so use a quadrature rule such as 'gauss-legendre'"
            )
        layers.append(layer)
    return layers


def _flatten(module: nn.Module, name: str = "the network") -> Iterator[tuple[str, nn.Module]]:
    if type(module) is not nn.Sequential:
        yield name, module
        return
    prefix = "layer " if name == "the network" else f"{name}."
    for key, child in module.named_children():
        yield from _flatten(child, f"{prefix}{key}")


def _cut(case: Case, layers: list[nn.Module]) -> tuple[Floats, Floats, tuple[Switch, ...]]:
    """The ends α of the linear pieces ``(K + 1,)``, the logits there ``(K + 1, C)``, and the switches.

    Invariant: between two neighbouring cuts, what a layer passes on is linear in α.
    """
    cuts = np.array([0.0, 1.0])
    switches: list[Switch] = []
    with torch.no_grad():
        a = torch.from_numpy(on_path(case, cuts)).reshape(2, *case.network.input_shape)
        activations = 0
        for layer in layers:
            if isinstance(layer, KINKED_AT_ZERO):
                cuts, a, found = _cut_layer(cuts, a, activations)
                switches += found
                activations += 1
            a = layer(a)
    return cuts, a.numpy(), tuple(sorted(switches, key=lambda s: s.alpha))


def _cut_layer(cuts: Floats, a: torch.Tensor, layer: int) -> tuple[Floats, torch.Tensor, list[Switch]]:
    """Add the cuts where a pre-activation crosses zero; interpolate all pre-activations at them."""
    flat = a.reshape(len(cuts), -1).numpy()
    before, after = flat[:-1], flat[1:]
    piece, unit = np.nonzero(before * after < 0)
    start, end = before[piece, unit], after[piece, unit]
    share = start / (start - end)
    alphas = cuts[piece] + share * (cuts[piece + 1] - cuts[piece])
    found = [
        Switch(float(at), layer, int(u), bool(e > 0)) for at, u, e in zip(alphas, unit, end, strict=True)
    ] + _switches_at_cuts(cuts, flat, layer)

    crossings = flat[piece] + share[:, None] * (flat[piece + 1] - flat[piece])
    crossings[np.arange(len(unit)), unit] = 0.0  # exactly on the kink, whatever rounding says
    order = np.argsort(np.concatenate([cuts, alphas]), kind="stable")
    refined = np.concatenate([flat, crossings])[order]
    return (
        np.concatenate([cuts, alphas])[order],
        torch.from_numpy(refined).reshape(-1, *a.shape[1:]),
        found,
    )


def _switches_at_cuts(cuts: Floats, flat: Floats, layer: int) -> list[Switch]:
    """Units that cross zero right on a cut that an earlier layer made: no new cut, but a switch all the same."""
    inside = (flat[1:-1] == 0) & (flat[:-2] * flat[2:] < 0)
    return [
        Switch(float(cuts[i + 1]), layer, int(u), bool(flat[i + 2, u] > 0)) for i, u in zip(*np.nonzero(inside), strict=True)
    ]


def _mean_slopes(network: Network, logits: Floats, case: Case) -> Floats:
    """The mean of ∂F/∂logits over each piece, ``(K, C)``, the logits being linear on it.

    The probability's slope is a smooth function of α; a piece on which the logits move far is cut into stretches short
    enough for a fixed Gauss–Legendre rule.
    """
    steps = np.diff(logits, axis=0)
    if case.output == "logit":
        slopes = np.zeros_like(steps)
        slopes[:, case.target] = 1
        return slopes
    stretches = np.maximum(1, np.ceil(np.ptp(steps, axis=1) / STRETCH)).astype(int)
    if network.activation == "sigmoid":
        stretches = np.maximum(1, np.ceil(np.abs(steps[:, case.target]) / STRETCH)).astype(int)
    piece = np.repeat(np.arange(len(steps)), stretches)
    nth = np.arange(len(piece)) - np.repeat(np.cumsum(stretches) - stretches, stretches)
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    share = (nth[:, None] + (nodes + 1) / 2) / stretches[piece][:, None]
    z = logits[piece][:, None, :] + share[:, :, None] * steps[piece][:, None, :]
    _, slopes_at = outputs(network, z.reshape(-1, z.shape[-1]), case.target, "probability")
    by_stretch = np.tensordot(slopes_at.reshape(z.shape), weights / 2, axes=(1, 0))
    means = np.zeros_like(steps)
    np.add.at(means, piece, by_stretch / stretches[piece][:, None])
    return means


def _pull_back(case: Case, middles: Floats, slopes: Floats) -> Floats:
    """Mean ∂F/∂x of each piece, ``(K, 8, 8)``: its mean ∂F/∂logits through the piece's constant Jacobian."""
    x = torch.from_numpy(on_path(case, middles)).requires_grad_()
    with torch.enable_grad():
        logits = case.network.logits(x)
    if not logits.requires_grad:
        return np.zeros_like(x.detach().numpy())
    (gradients,) = torch.autograd.grad(logits, x, torch.from_numpy(slopes))
    pulled: Floats = gradients.numpy()
    return pulled
