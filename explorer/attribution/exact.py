"""Exact Integrated Gradients for piecewise-linear networks: the path is cut where ReLUs switch (ExactLine).

Sotoudeh & Thakur, "Computing Linear Restrictions of Neural Networks", NeurIPS 2019.
"""

# Between two cuts all pre-activations and logits are linear in α, so the gradient of a logit is constant. The gradient of a
# probability is smooth there, and a short Gauss–Legendre sum over the linear logits integrates it to rounding.
#
# A network is accepted if it is a ``torch.nn.Sequential`` (also nested) of the layers listed in ``layers``, or such a layer
# itself. All others are rejected, even if they are piecewise linear (max-pooling, a subclass, a hook, an own ``forward``).

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from explorer.attribution.arrays import finite
from explorer.attribution.case import Case
from explorer.attribution.field import LOGITS, outputs
from explorer.attribution.layers import unsupported_reason
from explorer.attribution.network import SHAPE, Floats, Network
from explorer.attribution.paths import Trace, on_path, path_sum
from explorer.attribution.rules import rule
from explorer.attribution.vjp import KnownLayer, gated, known_layers

NODES = 8  # Gauss–Legendre nodes for one stretch of a piece
# On a stretch no two logits move apart by more than this. The probability's nearest pole is then π away, the Bernstein
# ellipse's radius at least 12.6, and the error of the order 12.6⁻¹⁶ < 1e-17.
STRETCH = 1.0
MAX_STRETCHES = 100_000  # bounds memory; the probability of a network this steep is a step function in float64


class NotPiecewiseLinear(ValueError):
    """The network has a layer that the exact rule does not support; the message names it."""


class Switch(NamedTuple):
    """A point on the path where a unit switches on or off.

    Attributes:
        alpha: its position, in (0, 1).
        layer: index of the activation layer, from 0 at the input.
        unit: index of the unit in the layer.
        turns_on: whether the unit switches on in the direction of the input.
    """

    alpha: float
    layer: int
    unit: int
    turns_on: bool


class Switching(NamedTuple):
    """All switches of a path as arrays ``(n,)``, with the fields of ``Switch``, ascending in α."""

    alphas: Floats
    layers: NDArray[np.intp]
    units: NDArray[np.intp]
    turns_on: NDArray[np.bool_]


class _Cut:
    """Mixin of a cut path: what follows from ``alphas``, ``weights``, ``switching`` and ``logits``."""

    __slots__ = ()
    alphas: Floats
    weights: Floats
    switching: Switching
    logits: Floats

    @property
    def switches(self) -> tuple[Switch, ...]:
        """The switches of units, ascending in α."""
        return tuple(map(Switch, *(column.tolist() for column in self.switching)))

    def logits_at(self, alphas: Floats) -> Floats:
        """All classes' logits on the path, ``(k, C)``, at α ``(k,)`` in [0, 1], interpolated without the network."""
        cuts = np.concatenate([[0.0], self.alphas])
        piece = np.minimum(cuts.searchsorted(alphas, "right") - 1, len(self.alphas) - 1)
        share = ((alphas - cuts[piece]) / self.weights[piece])[:, None]
        between: Floats = (1 - share) * self.logits[piece] + share * self.logits[piece + 1]
        return between


@dataclass(frozen=True, slots=True, eq=False)
class ExactPath(_Cut):
    """Exact Integrated Gradients, the sum without its steps.

    Attributes:
        attribution: ``(8, 8)`` float64.
        alphas, weights, switching, logits: as in ``ExactTrace``.
    """

    attribution: Floats
    alphas: Floats
    weights: Floats
    switching: Switching
    logits: Floats

    def __post_init__(self) -> None:
        finite("the attributions", self.attribution)


@dataclass(frozen=True, slots=True, eq=False)
class ExactTrace(Trace, _Cut):
    """Exact Integrated Gradients, one step for each of K linear pieces of the path.

    ``alphas`` are the ends of the pieces (the last is 1), ``weights`` their lengths, ``values`` F at their ends, and
    ``gradients`` the mean of ∂F/∂x over each piece, so that ``running`` is exact at every end.

    Attributes:
        switching: the switches of units, ascending in α.
        logits: all classes' logits at the ends of the pieces, ``(K + 1, C)``, from α = 0; linear in α between them.
    """

    switching: Switching
    logits: Floats


def exact_path(case: Case) -> ExactPath:
    """Integrated Gradients without quadrature error; the sum only, in half the time of ``exact_integrated_gradients``.

    The vjp needs no separate signal for each piece: below a layer, the pieces between two of its cuts are summed.

    Raises:
        NotPiecewiseLinear: the network is not one that can be cut; see the comment at the top of this module.
        ValueError: its logits move so far along the path (by more than 10⁵) that a probability is a step function, or are
            not finite on it.
    """
    path = cut_path(case)
    weights = np.diff(path.cuts)
    gradient = _vjp(path, weights[:, None] * _mean_slopes(case, path.logits), summed_up=True)
    return ExactPath(case.difference * gradient.reshape(SHAPE), path.cuts[1:], weights, path.switching, path.logits)


def exact_integrated_gradients(case: Case) -> ExactTrace:
    """Integrated Gradients of a piecewise-linear network without quadrature error (to rounding), step by step.

    Raises:
        NotPiecewiseLinear: the network is not one that can be cut; see the comment at the top of this module.
        ValueError: its logits move so far along the path (by more than 10⁵) that a probability is a step function, or are
            not finite on it.
    """
    path = cut_path(case)
    slopes = _mean_slopes(case, path.logits)
    gradients = _vjp(path, slopes).reshape(-1, *SHAPE)
    values, _ = outputs(case.network, path.logits[1:], case.target, case.output)
    alphas, weights = path.cuts[1:], path.cuts[1:] - path.cuts[:-1]
    whole = path_sum(case, weights, gradients)
    return ExactTrace(alphas, weights, values, gradients, whole, case.difference, path.switching, path.logits)


@lru_cache(maxsize=16)  # a network does not change
def likely_pieces(network: Network) -> int:
    """An estimate, from above, of the number of linear pieces of a path: 1 + twice the number of ReLU units.

    It is no bound, as a unit of an inner layer may switch more than once. In thousands of paths between black-and-white
    pictures through the networks here the largest number was 1.2 times the units.

    Raises:
        NotPiecewiseLinear: the exact rule does not support the network.
    """
    units, layers = 0, piecewise_linear_layers(network)
    a = np.zeros((1, *network.input_shape))
    for layer in layers:
        a = layer.forward(a)
        units += 0 if layer.slope is None else a.size
    return 2 * units + 1


def has_exact_path(network: Network) -> bool:
    """Whether the exact rule supports the network: all its layers are affine or ReLUs."""
    return known_layers(network) is not None


def piecewise_linear_layers(network: Network) -> tuple[KnownLayer, ...]:
    """The network's layers in order, if the exact rule supports all of them.

    Raises:
        NotPiecewiseLinear: naming the first layer that it does not support.
    """
    layers = known_layers(network)
    if layers is None:
        raise NotPiecewiseLinear(
            f"the exact rule does not apply: {unsupported_reason(network)}, so use a quadrature rule such as 'gauss-legendre'"
        )
    return layers


@dataclass(frozen=True, slots=True, eq=False)
class CutLayer:
    """A layer on the path: the shape of one input, the cuts above it and, for an activation, which units are on in each piece."""

    known: KnownLayer
    shape: tuple[int, ...]
    cuts: Floats
    on: NDArray[np.bool_] | None

    def on_from(self, starts: Floats) -> NDArray[np.bool_] | None:
        """Which units are on in the pieces that start at these α ``(k,)``, which include the cuts above the layer; ``(k, units)``."""
        if self.on is None or len(self.cuts) == len(starts) + 1:
            return self.on
        return self.on.take(self.cuts.searchsorted(starts, "right") - 1, axis=0)


@dataclass(frozen=True, slots=True, eq=False)
class PiecewiseLinearPath:
    """The cut path: ends α of its K pieces ``(K + 1,)``, the logits there ``(K + 1, C)``, its switches and layers."""

    cuts: Floats
    logits: Floats
    switching: Switching
    layers: list[CutLayer]


def cut_path(case: Case) -> PiecewiseLinearPath:
    """Pass through the layers and add cuts; between two neighbouring cuts all activations are linear in α.

    Raises:
        NotPiecewiseLinear: the network is not one that can be cut; see the comment at the top of this module.
        ValueError: its logits on the path are not finite.
    """
    known = piecewise_linear_layers(case.network)
    cuts = np.array([0.0, 1.0])
    switches: list[Switching] = []
    layers: list[CutLayer] = []
    activations = 0
    a = on_path(case, cuts).reshape(2, *case.network.input_shape)
    with np.errstate(over="ignore", invalid="ignore"):  # non-finite numbers raise below
        for layer in known:
            on = None
            if layer.slope is not None:
                shape = a.shape[1:]
                cuts, flat, on = _cut_layer(cuts, a.reshape(len(cuts), -1))
                switches.append(_switches(cuts, on, activations))
                activations += 1
                a = flat.reshape(-1, *shape)
            layers.append(CutLayer(layer, a.shape[1:], cuts, on))
            a = layer.forward(a)
    return PiecewiseLinearPath(cuts, finite(LOGITS, a), _ascending(switches), layers)


def _cut_layer(cuts: Floats, z: Floats) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Add the cuts where a pre-activation of a layer crosses zero.

    Args:
        cuts: the cuts so far, ``(p,)``, ascending.
        z: the layer's pre-activations at them, ``(p, units)``.

    Returns:
        The refined cuts ``(q,)``, the pre-activations at them ``(q, units)``, and which units are on in each of the
        q − 1 pieces.
    """
    before, after = z[:-1], z[1:]
    on_before, on_after = before > 0, after > 0
    if not z.all():  # a unit that is 0 at one end has the side of the other end
        on_before |= (before == 0) & on_after
        on_after |= (after == 0) & on_before
    piece, unit = np.divmod((on_before != on_after).ravel().nonzero()[0], before.shape[1])  # faster than nonzero() in two dimensions
    start, fall = before[piece, unit], finite("the changes of units along the path", before[piece, unit] - after[piece, unit])
    left, right = cuts[piece], cuts[piece + 1]
    crossings = left + start / fall * (right - left)

    # rounding can put a crossing on an existing cut, which needs no new one
    inside = (left < crossings) & (crossings < right)
    new = np.sort(crossings[inside])
    new = new[np.diff(new, prepend=-1) > 0]  # several units may cross at one α
    refined = np.sort(np.concatenate([cuts, new]))
    of_piece = cuts.searchsorted(refined, "right") - 1
    of_piece[-1] -= 1
    share = (refined - cuts[of_piece]) / (cuts[of_piece + 1] - cuts[of_piece])
    flat = (after - before).take(of_piece, axis=0)
    flat *= share[:, None]
    flat += before.take(of_piece, axis=0)
    flat[-1] = after[-1]
    flat[refined.searchsorted(crossings[inside]), unit[inside]] = 0.0  # exactly 0 at the kink, without rounding error
    on = on_after.take(of_piece[:-1], axis=0)
    first, last = refined.searchsorted(left), refined.searchsorted(np.minimum(crossings, right))
    on[_ranges(first, last), np.repeat(unit, last - first)] ^= True  # not yet switched
    return refined, flat, on


def _ranges(starts: NDArray[np.intp], ends: NDArray[np.intp]) -> NDArray[np.intp]:
    """The concatenation of ``range(start, end)`` for all starts and ends."""
    lengths = ends - starts
    return np.repeat(starts - (np.cumsum(lengths) - lengths), lengths) + np.arange(lengths.sum())


def _switches(cuts: Floats, on: NDArray[np.bool_], layer: int) -> Switching:
    """The units that switch from one piece to the next."""
    at, unit = np.divmod((on[1:] != on[:-1]).ravel().nonzero()[0], on.shape[1])
    return Switching(cuts[at + 1], np.full(len(at), layer), unit, on[at + 1, unit])


def _ascending(switches: list[Switching]) -> Switching:
    """The switches of all layers, sorted by α, layer and unit."""
    if not switches:
        return Switching(np.empty(0), np.empty(0, int), np.empty(0, int), np.empty(0, bool))
    together = Switching(*map(np.concatenate, zip(*switches, strict=True)))
    order = np.lexsort((together.units, together.layers, together.alphas))
    return Switching(together.alphas[order], together.layers[order], together.units[order], together.turns_on[order])


def _mean_slopes(case: Case, logits: Floats) -> Floats:
    """The mean of ∂F/∂logits over each piece, ``(K, C)``, on which the logits are linear.

    A piece on which the logits move far is cut into stretches that are short enough for a fixed Gauss–Legendre rule.
    """
    steps = np.diff(logits, axis=0)
    if case.output == "logit":
        slopes = np.zeros_like(steps)
        slopes[:, case.target] = 1
        return slopes
    sigmoid = case.network.activation == "sigmoid"
    moved = np.abs(steps[:, case.target]) if sigmoid else steps.max(axis=1) - steps.min(axis=1)
    if moved.sum() > MAX_STRETCHES * STRETCH:  # checked before the cast to int, which could overflow
        raise ValueError(f"the logits move by {moved.sum():.3g} along the path, too far for the exact rule")
    stretches = np.maximum(1, np.ceil(moved / STRETCH)).astype(int)
    piece = np.repeat(np.arange(len(steps)), stretches)
    nth = np.arange(len(piece)) - np.repeat(np.cumsum(stretches) - stretches, stretches)
    nodes, weights = rule("gauss-legendre", NODES)
    share = (nth[:, None] + nodes) / stretches[piece][:, None]
    z = logits[piece][:, None, :] + share[:, :, None] * steps[piece][:, None, :]
    _, slopes_at = outputs(case.network, z.reshape(-1, z.shape[-1]), case.target, "probability")
    by_stretch = weights @ slopes_at.reshape(z.shape)
    if len(piece) == len(steps):
        return by_stretch
    return np.add.reduceat(by_stretch, np.cumsum(stretches) - stretches, axis=0) / stretches[:, None]


def _vjp(path: PiecewiseLinearPath, slopes: Floats, *, summed_up: bool = False) -> Floats:
    """The vjp of each piece: ∂F/∂x from ∂F/∂logits ``(K, C)``, as the layers are linear on a piece.

    Args:
        path: the cut path.
        slopes: mean ∂F/∂logits of each piece.
        summed_up: whether to return the sum over all pieces, ``(1, 64)``, instead of each, ``(K, 64)``.
    """
    starts, signal = path.cuts[:-1], slopes
    for layer in reversed(path.layers):
        if summed_up and len(layer.cuts) < len(starts) + 1:  # below this layer there are fewer pieces
            first = starts.searchsorted(layer.cuts[:-1])
            starts, signal = layer.cuts[:-1], np.add.reduceat(signal, first, axis=0)
        on = layer.on_from(starts)
        if on is None:
            signal = layer.known.vjp(signal, layer.shape)
        else:
            signal = gated(signal.reshape(len(starts), -1), on, layer.known.slope or 0.0)
    pulled = signal.reshape(len(starts), -1)
    return pulled.sum(axis=0, keepdims=True) if summed_up else pulled
