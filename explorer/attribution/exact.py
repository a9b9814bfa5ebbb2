"""Exact Integrated Gradients for piecewise-linear networks.

Along the straight path from baseline to input every pre-activation of a ReLU network is linear in α until some unit
switches. So the path is cut where units switch, layer by layer; on each piece the logits are linear in α and their
gradient is constant. For a logit that is all; for a probability what is left of the integral is smooth, and a short
Gauss–Legendre sum that needs no network takes it to rounding. (The cutting is published as ExactLine: Sotoudeh & Thakur,
"Computing Linear Restrictions of Neural Networks", NeurIPS 2019.)

**How exactness is decided.** A network counts as piecewise linear here when it is a ``torch.nn.Sequential`` (nested
ones too) of layers listed in ``layers``, or such a layer itself: affine maps, and element-wise activations with one kink at
zero. Anything else is refused by name, also where it happens to be piecewise linear in a way not listed (max-pooling,
a subclass, a hook, a ``forward`` of its own: these cannot be seen through).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from explorer.attribution.arrays import finite
from explorer.attribution.case import Case
from explorer.attribution.field import LOGITS, outputs
from explorer.attribution.integrated import Trace, on_path, summed
from explorer.attribution.layers import refusal
from explorer.attribution.network import SHAPE, Floats, Network
from explorer.attribution.rules import rule
from explorer.attribution.vjp import KnownLayer, gated, known_layers

NODES = 8  # Gauss–Legendre nodes for one stretch of a piece …
STRETCH = 1.0  # … on which no two logits move apart by more than this. The probability's nearest pole is then π away, the
# Bernstein ellipse's radius at least 12.6, and the error of the order 12.6⁻¹⁶ < 1e-17.
MOST_STRETCHES = 100_000  # bounds memory; a network this steep is a step function to any float


class NotPiecewiseLinear(ValueError):
    """The network has a layer that the exact rule cannot cut; the message names it."""


class Switch(NamedTuple):
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


class Switching(NamedTuple):
    """All switches of a path as arrays ``(n,)``, in the order of ``Switch``: what is quick to make and to draw."""

    alphas: Floats
    layers: NDArray[np.intp]
    units: NDArray[np.intp]
    turns_on: NDArray[np.bool_]


class _Cut:
    """What can be said of a path that is cut, by whoever has its ``alphas``, ``weights``, ``switching`` and ``logits``."""

    __slots__ = ()
    alphas: Floats
    weights: Floats
    switching: Switching
    logits: Floats

    @property
    def switches(self) -> tuple[Switch, ...]:
        """Where units switch, ascending in α."""
        return tuple(map(Switch, *(column.tolist() for column in self.switching)))

    def logits_at(self, alphas: Floats) -> Floats:
        """All classes' logits anywhere on the path, ``(k, C)``, for α ``(k,)`` in [0, 1]: no network is asked."""
        cuts = np.concatenate([[0.0], self.alphas])
        piece = np.minimum(cuts.searchsorted(alphas, "right") - 1, len(self.alphas) - 1)
        share = ((alphas - cuts[piece]) / self.weights[piece])[:, None]
        between: Floats = (1 - share) * self.logits[piece] + share * self.logits[piece + 1]
        return between


@dataclass(frozen=True, slots=True, eq=False)
class ExactPath(_Cut):
    """Exact Integrated Gradients as a whole, without its steps.

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
    """Exact Integrated Gradients, one step for each linear piece of the path, in order.

    ``alphas`` are the ends of the pieces (the last is 1), ``weights`` their lengths, ``values`` F at their ends, and
    ``gradients`` the mean of ∂F/∂x over each piece, so that ``running`` is exact at every end.

    Attributes:
        switching: where units switch, ascending in α.
        logits: all classes' logits at the ends of the pieces, ``(K + 1, C)``, from α = 0; linear in α between them.
    """

    switching: Switching
    logits: Floats


def exact_path(case: Case) -> ExactPath:
    """Integrated Gradients without quadrature error, as a whole: in half the time of its steps.

    Pieces need not be pulled back through the network one by one: below a layer, those between two of its cuts are one.

    Raises:
        NotPiecewiseLinear: the network is not one that can be cut; see the module's text.
        ValueError: its logits move so far along the path (by more than 10⁵) that a probability is a step function, or are
            not finite on it.
    """
    path = _cut(case, piecewise_linear_layers(case.network))
    weights = np.diff(path.cuts)
    gradient = _pull_back(path, weights[:, None] * _mean_slopes(case, path.logits), summed_up=True)
    return ExactPath(case.difference * gradient.reshape(SHAPE), path.cuts[1:], weights, path.switching, path.logits)


def exact_integrated_gradients(case: Case) -> ExactTrace:
    """Integrated Gradients without quadrature error (to rounding), for a piecewise-linear network, step by step.

    Raises:
        NotPiecewiseLinear: the network is not one that can be cut; see the module's text.
        ValueError: its logits move so far along the path (by more than 10⁵) that a probability is a step function, or are
            not finite on it.
    """
    path = _cut(case, piecewise_linear_layers(case.network))
    slopes = _mean_slopes(case, path.logits)
    gradients = _pull_back(path, slopes).reshape(-1, *SHAPE)
    values, _ = outputs(case.network, path.logits[1:], case.target, case.output)
    alphas, weights = path.cuts[1:], path.cuts[1:] - path.cuts[:-1]
    whole = summed(case, weights, gradients)
    return ExactTrace(alphas, weights, values, gradients, whole, case.difference, path.switching, path.logits)


@lru_cache(maxsize=16)  # of a network, which does not change
def likely_pieces(network: Network) -> int:
    """More linear pieces than a path through the network crosses: twice as many as there are units to switch.

    A unit of an inner layer may switch more than once, so there is no such number for certain. Of thousands of paths
    between the harshest pictures through the networks here none crossed more than 1.2 times their units.

    Raises:
        NotPiecewiseLinear: the network is not one that can be cut; see the module's text.
    """
    units, layers = 0, piecewise_linear_layers(network)
    a = np.zeros((1, *network.input_shape))
    for layer in layers:
        a = layer.forward(a)
        units += 0 if layer.slope is None else a.size
    return 2 * units + 1


def piecewise_linear_layers(network: Network) -> tuple[KnownLayer, ...]:
    """The network's layers in order, if all of them can be cut exactly.

    Raises:
        NotPiecewiseLinear: naming the first layer that cannot.
    """
    layers = known_layers(network)
    if layers is None:
        raise NotPiecewiseLinear(
            f"the exact rule does not apply: {refusal(network)}, so use a quadrature rule such as 'gauss-legendre'"
        )
    return layers


@dataclass(frozen=True, slots=True, eq=False)
class _Layer:
    """A layer on the path: the shape that goes in and, for an activation, which units are on in which piece."""

    known: KnownLayer
    shape: tuple[int, ...]
    cuts: Floats
    on: NDArray[np.bool_] | None


@dataclass(frozen=True, slots=True, eq=False)
class _Path:
    """The cut path: ends α of its K pieces ``(K + 1,)``, the logits there ``(K + 1, C)``, and how it came to them."""

    cuts: Floats
    logits: Floats
    switching: Switching
    layers: list[_Layer]


def _cut(case: Case, known: Iterable[KnownLayer]) -> _Path:
    """Walk through the layers and add cuts; between two neighbouring cuts all that passes is linear in α."""
    cuts = np.array([0.0, 1.0])
    switches: list[Switching] = []
    layers: list[_Layer] = []
    activations = 0
    a = on_path(case, cuts).reshape(2, *case.network.input_shape)
    with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is refused below
        for layer in known:
            on = None
            if layer.slope is not None:
                shape = a.shape[1:]
                cuts, flat, on = _cut_layer(cuts, a.reshape(len(cuts), -1))
                switches.append(_switches(cuts, on, activations))
                activations += 1
                a = flat.reshape(-1, *shape)
            layers.append(_Layer(layer, a.shape[1:], cuts, on))
            a = layer.forward(a)
    return _Path(cuts, finite(LOGITS, a), _ascending(switches), layers)


def _cut_layer(cuts: Floats, z: Floats) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Add the cuts where a pre-activation crosses zero.

    Args:
        cuts: the cuts so far, ``(p,)``, ascending.
        z: the layer's pre-activations at them, ``(p, units)``.

    Returns:
        The refined cuts ``(q,)``, the pre-activations at them ``(q, units)``, and which units are on in each of the
        q − 1 pieces.
    """
    before, after = z[:-1], z[1:]
    on_before, on_after = before > 0, after > 0
    if not z.all():  # a unit that starts or ends on its kink is on the side where it goes or comes from
        on_before |= (before == 0) & on_after
        on_after |= (after == 0) & on_before
    piece, unit = np.divmod((on_before != on_after).ravel().nonzero()[0], before.shape[1])  # faster than in two dimensions
    start, fall = before[piece, unit], finite("the changes of units along the path", before[piece, unit] - after[piece, unit])
    left, right = cuts[piece], cuts[piece + 1]
    crossings = left + start / fall * (right - left)

    # rounding can put a crossing on a cut that is there already: then nothing is to be cut
    inside = (left < crossings) & (crossings < right)
    new = np.sort(crossings[inside])
    new = new[np.diff(new, prepend=-1) > 0]  # units may cross together
    refined = np.sort(np.concatenate([cuts, new]))
    of_piece = cuts.searchsorted(refined, "right") - 1
    of_piece[-1] -= 1
    share = (refined - cuts[of_piece]) / (cuts[of_piece + 1] - cuts[of_piece])
    flat = (after - before).take(of_piece, axis=0)
    flat *= share[:, None]
    flat += before.take(of_piece, axis=0)
    flat[-1] = after[-1]
    flat[refined.searchsorted(crossings[inside]), unit[inside]] = 0.0  # exactly on the kink, whatever rounding says
    on = on_after.take(of_piece[:-1], axis=0)
    first, last = refined.searchsorted(left), refined.searchsorted(np.minimum(crossings, right))
    on[_ranges(first, last), np.repeat(unit, last - first)] ^= True  # not yet there
    return refined, flat, on


def _ranges(starts: NDArray[np.intp], ends: NDArray[np.intp]) -> NDArray[np.intp]:
    """The numbers of all ranges from a start to before its end, one after the other."""
    lengths = ends - starts
    return np.repeat(starts - (np.cumsum(lengths) - lengths), lengths) + np.arange(lengths.sum())


def _switches(cuts: Floats, on: NDArray[np.bool_], layer: int) -> Switching:
    """The units that change sides from one piece to the next."""
    at, unit = np.divmod((on[1:] != on[:-1]).ravel().nonzero()[0], on.shape[1])
    return Switching(cuts[at + 1], np.full(len(at), layer), unit, on[at + 1, unit])


def _ascending(switches: list[Switching]) -> Switching:
    """The switches of all layers in their order along the path."""
    if not switches:
        return Switching(np.empty(0), np.empty(0, int), np.empty(0, int), np.empty(0, bool))
    together = Switching(*map(np.concatenate, zip(*switches, strict=True)))
    order = np.lexsort((together.units, together.layers, together.alphas))
    return Switching(together.alphas[order], together.layers[order], together.units[order], together.turns_on[order])


def _mean_slopes(case: Case, logits: Floats) -> Floats:
    """The mean of ∂F/∂logits over each piece, ``(K, C)``, the logits being linear on it.

    The probability's slope is a smooth function of α; a piece on which the logits move far is cut into stretches short
    enough for a fixed Gauss–Legendre rule.
    """
    steps = np.diff(logits, axis=0)
    if case.output == "logit":
        slopes = np.zeros_like(steps)
        slopes[:, case.target] = 1
        return slopes
    sigmoid = case.network.activation == "sigmoid"
    moved = np.abs(steps[:, case.target]) if sigmoid else steps.max(axis=1) - steps.min(axis=1)
    if moved.sum() > MOST_STRETCHES * STRETCH:  # asked before counting, as no integer is large enough for some
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


def _pull_back(path: _Path, slopes: Floats, *, summed_up: bool = False) -> Floats:
    """What is ∂F/∂logits on each piece, ``(K, C)``, pulled back to the input through the layers, which are linear there.

    Args:
        path: the cut path.
        slopes: mean ∂F/∂logits of each piece.
        summed_up: whether only the sum over all pieces is wanted, ``(1, 64)``, instead of all, ``(K, 64)``.
    """
    starts, signal = path.cuts[:-1], slopes
    for layer in reversed(path.layers):
        if summed_up and len(layer.cuts) < len(starts) + 1:  # below, there are fewer pieces
            first = starts.searchsorted(layer.cuts[:-1])
            starts, signal = layer.cuts[:-1], np.add.reduceat(signal, first, axis=0)
        if layer.on is None:
            signal = layer.known.vjp(signal, layer.shape)
        else:
            on = layer.on
            if len(layer.cuts) < len(starts) + 1:
                on = on.take(layer.cuts.searchsorted(starts, "right") - 1, axis=0)
            signal = gated(signal.reshape(len(starts), -1), on, layer.known.slope or 0.0)
    pulled = signal.reshape(len(starts), -1)
    return pulled.sum(axis=0, keepdims=True) if summed_up else pulled
