"""The lab inside: which hidden units switch on the way from the baseline to the picture, and where (Sotoudeh & Thakur 2019).

In Python::

    import numpy as np, torch
    from explorer.attribution import Case, Network
    from explorer.labs.inside import units_on_the_way

    network = Network(torch.nn.Sequential(torch.nn.Linear(64, 16), torch.nn.ReLU(), torch.nn.Linear(16, 3)))
    found = units_on_the_way(Case(network, np.ones((8, 8)), np.zeros((8, 8)), target=0))
    print(found.switching.alphas, found.on_at(0.5))
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from explorer.attribution import Case, Network, NotPiecewiseLinear, Setting
from explorer.attribution.exact import Switching, cut_path, piecewise_linear_layers
from explorer.attribution.network import SHAPE, Floats
from explorer.attribution.paths import on_path
from explorer.labs.lab import Answer, Lab, Paper, Values
from explorer.plain_data import numbers, packed
from explorer.sentences import Sentence
from explorer.state import State, Zoo

FEW, THIRD = 0.1, 1 / 3  # shares of the units, between the choices
TOGETHER = ("", " Some switch at the same α.")
CHOICES = ("Almost none: less than a tenth.", "Some: a tenth to a third.", "About half: a third to two thirds.", "Most: more than two thirds.")
MOST_UNITS = 400  # with more, an answer has no pre-activations: they would take megabytes
MOST_LAYERS, MOST_IN_LAYER = 9, 4096  # that a link can name


@dataclass(frozen=True, slots=True, eq=False)
class UnitsOnTheWay:
    """The hidden units on the straight path from the baseline to the input.

    Attributes:
        shapes: of each activation layer's output for one picture, such as ``(64,)`` or ``(4, 8, 8)``.
        first_on: for each of these layers, which units are on where the path begins, ``(units,)``.
        above: for each of them the ends α of the pieces on which its pre-activations are linear, from 0 to 1.
        switching: all switches, ascending in α.
        pieces: the number of pieces on which the logits are linear.
    """

    shapes: tuple[tuple[int, ...], ...]
    first_on: tuple[NDArray[np.bool_], ...]
    above: tuple[Floats, ...]
    switching: Switching
    pieces: int

    def on_at(self, alpha: float) -> tuple[NDArray[np.bool_], ...]:
        """Which units are on at α, layer by layer; at a switch, those that are on behind it."""
        alphas, layers, units, turns_on = self.switching
        found = tuple(on.copy() for on in self.first_on)
        for k in range(int(alphas.searchsorted(alpha, "right"))):
            found[layers[k]][units[k]] = turns_on[k]
        return found


def units_on_the_way(case: Case) -> UnitsOnTheWay:
    """Which hidden units switch on the path of a case, without sampling it (ExactLine).

    Raises:
        NotPiecewiseLinear: the network is not a sequence of affine and ReLU layers.
        ValueError: its logits on the path are not finite.
    """
    path = cut_path(case)
    above = [np.array([0.0, 1.0]), *(layer.cuts for layer in path.layers)]
    hidden = [(layer.shape, layer.on, cuts) for layer, cuts in zip(path.layers, above, strict=False) if layer.on is not None]
    return UnitsOnTheWay(
        tuple(shape for shape, _, _ in hidden),
        tuple(on[0] for _, on, _ in hidden),
        tuple(cuts for _, _, cuts in hidden),
        path.switching,
        len(path.cuts) - 1,
    )


def pre_activations(case: Case, layer: int, alphas: Floats) -> Floats:
    """What an activation layer, counted from 0, is given at α ``(k,)`` of the path: ``(k, units)`` float64.

    Raises:
        NotPiecewiseLinear: the network is not a sequence of affine and ReLU layers.
        IndexError: it has no such layer.
    """
    a = on_path(case, alphas).reshape(len(alphas), *case.network.input_shape)
    for known in piecewise_linear_layers(case.network):
        if known.slope is not None:
            if not layer:
                return a.reshape(len(alphas), -1)
            layer -= 1
        a = known.forward(a)
    raise IndexError("the network has fewer activation layers")


def first_weights(network: Network) -> Floats:
    """The weight of every pixel in the pre-activation of each unit of the first activation layer: ``(units, 8, 8)`` float64.

    Raises:
        NotPiecewiseLinear: the network is not a sequence of affine and ReLU layers.
        IndexError: it has no activation layer.
    """
    layers = piecewise_linear_layers(network)
    first = next((i for i, layer in enumerate(layers) if layer.slope is not None), None)
    if first is None:
        raise IndexError("the network has no activation layer")
    a, shapes = np.zeros((1, *network.input_shape)), []
    for layer in layers[:first]:
        shapes.append(a.shape[1:])
        a = layer.forward(a)
    pulled = np.eye(a.size)
    for layer, shape in zip(reversed(layers[:first]), reversed(shapes), strict=True):
        pulled = layer.vjp(pulled, shape)
    return pulled.reshape(-1, *SHAPE)


def _answer(state: State, __: Values, zoo: Zoo) -> Answer:
    case = state.case(zoo)
    found = units_on_the_way(case)
    alphas, layers, units, turns_on = found.switching
    all_units = sum(len(on) for on in found.first_on)
    switched = len(set(zip(layers.tolist(), units.tolist(), strict=True)))
    share = switched / all_units
    outcome = 0 if share < FEW else 1 if share < THIRD else 2 if share <= 2 * THIRD else 3
    strengths = all_units <= MOST_UNITS
    return {
        "outcome": outcome if case.difference.any() else None,
        "units": all_units,
        "switched": switched,
        "switches": len(alphas),
        "pieces": found.pieces,
        "first": sum(int(on.sum()) for on in found.first_on),
        "last": sum(int(on.sum()) for on in found.on_at(1.0)),
        "layers": [
            {"shape": list(shape), "on": _bits(on), "cuts": packed(cuts if strengths else []), "z": packed(pre_activations(case, layer, cuts)) if strengths else None}
            for layer, (shape, on, cuts) in enumerate(zip(found.shapes, found.first_on, found.above, strict=True))
        ],
        "alphas": packed(alphas),
        "switch_layers": layers.tolist(),
        "switch_units": units.tolist(),
        "turns_on": _bits(turns_on),
        "weights": packed(first_weights(case.network)),
        "input": numbers(case.input),
        "baseline": numbers(case.baseline),
    }


def _bits(truths: NDArray[np.bool_]) -> str:
    return "".join("01"[int(truth)] for truth in truths)


def _narrate(answer: Answer) -> list[Sentence]:
    if answer["outcome"] is None:
        return [Sentence("no way", "The baseline equals the picture: there is no way, and no unit switches.")]
    units, switched = answer["units"], answer["switched"]
    happened = CHOICES[answer["outcome"]].split(":")[0]
    return [
        Sentence("share", f"{happened}: {{share:percent}} of the hidden units switch, {{switched:whole}} of {{units:whole}}.", {"switched": switched, "units": units, "share": switched / units}),
        Sentence("pieces", "Switches, {switches:whole} in all, cut the way into {pieces:whole} pieces. On each the logits are linear in α." + TOGETHER[answer["pieces"] <= answer["switches"]], {"switches": answer["switches"], "pieces": answer["pieces"]})
        if switched
        else Sentence("one piece", "So on the whole way the logits are linear in α."),
        Sentence("ends", "As the way begins, {first:whole} units are on; as it ends, {last:whole}.", {"first": answer["first"], "last": answer["last"]}),
    ]


def _unsupported(state: State, zoo: Zoo) -> str:
    try:
        layers = piecewise_linear_layers(zoo[state.network].network)
    except NotPiecewiseLinear:
        return "The switches of this network are not known: it is no sequence of affine and ReLU layers."
    return "" if any(layer.slope is not None for layer in layers) else "This network is one weighted sum: it has no hidden units that could switch."


LAB = Lab(
    title="Which units switch?",
    group="How the methods work",
    question="What changes inside the network on the way?",
    minutes=4,
    emblem="#.+.#.#. ..#..+.. +.#.#..# #...#.+. .#.+..#. #.#...#. ..+.#..# .#..#.+.",
    prediction="The input moves from the baseline to your picture. What share of the hidden units switches on or off on the way?",
    choices=CHOICES,
    settings=(
        Setting("alpha", "Place α on the way", 0.0, 0, 1),
        Setting("layer", "Layer", 1, 1, MOST_LAYERS),
        Setting("unit", "Unit, 0 for the first of its layer that switches", 0, 0, MOST_IN_LAYER),
    ),
    looks=frozenset({"alpha", "layer", "unit"}),
    answer=_answer,
    narrate=_narrate,
    why="A ReLU unit is on while its weighted sum is above 0; else it gives 0. "
    "While no unit switches, the logits are linear in the picture, so their gradient can change only at a switch. Exact Integrated Gradients cuts the path there.",
    caveat="A switch shows where the gradient can jump. How much the unit matters depends on the weights of the layers above it.",
    papers=(
        Paper("Sotoudeh & Thakur 2019", "Computing Linear Restrictions of Neural Networks", "https://arxiv.org/abs/1908.06214"),
        Paper("Sundararajan et al. 2017", "Axiomatic Attribution for Deep Networks", "https://arxiv.org/abs/1703.01365"),
    ),
    unsupported=_unsupported,
    instead={"network": "shapes"},
)
