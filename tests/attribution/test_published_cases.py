"""The tiny networks with written-down answers that Captum's own tests and the papers use, one after the other.

Their few inputs are put on pixels of different 2 × 2 blocks, so that blocks and pixels answer alike.
"""

from __future__ import annotations

import numpy as np
import pytest
from each import each
from torch import nn

from explorer.attribution import METHODS, Case, Network

from .toys import BLACK, Floats, linear

PLACES = (0, 2, 4)  # pixels of the first row, each in a block of its own


def put(*values: float) -> Floats:
    """A black picture with these values on ``PLACES``."""
    out = np.zeros(64)
    out[list(PLACES[: len(values)])] = values
    return out.reshape(8, 8)


def reads(weights: list[list[float]], bias: list[float]) -> nn.Linear:
    """A linear layer that reads ``PLACES``."""
    wide = np.zeros((len(weights), 64))
    wide[:, list(PLACES[: len(weights[0])])] = weights
    return linear(wide, bias)


def answer(case: Case, name: str, **values: object) -> list[float]:
    """What each input gets; blocks are summed up."""
    found = METHODS[name](case, **values).attribution
    blocks: Floats = found.reshape(4, 2, 4, 2).sum(axis=(1, 3))
    assert np.abs(blocks).sum() == pytest.approx(np.abs(blocks[0, : len(PLACES)]).sum())
    told: list[float] = blocks[0, : len(PLACES)].tolist()
    return told


# Captum's BasicModel_MultiLayer at (20, 50, 30): four units that each see the sum of the inputs, one of them less 10.
LAYERS = Case(
    Network(nn.Sequential(reads([[1.0] * 3] * 4, [-10, 1, 1, 1]), nn.ReLU(), linear([[1.0] * 4] * 2, [-1, 1]))),
    put(20, 50, 30), BLACK, 0, "logit",
)  # fmt: skip


@each(
    ("name", "values", "expected"),
    [
        ("occlusion", {}, [80, 200, 120]),  # as its FeatureAblation test has it
        ("shapley_values", {}, [230 / 3, 590 / 3, 350 / 3]),  # 76.66, 196.66, 116.66
        ("kernel_shap", {"coalitions": 20_000}, [230 / 3, 590 / 3, 350 / 3]),
        ("deeplift", {}, [78, 195, 117]),  # the first unit's multiplier is 90 / 100
        ("guided_backprop", {}, [4, 4, 4]),
        ("deconvnet", {}, [4, 4, 4]),
        ("gradient_times_input", {}, [80, 200, 120]),
        ("lrp_epsilon", {"epsilon": 0.0}, [80, 200, 120]),
    ],
)
def test_captums_multi_layer_model(name: str, values: dict[str, object], expected: list[float]) -> None:
    assert answer(LAYERS, name, **values) == pytest.approx(expected, rel=1e-9)


def test_captums_relu_model_for_deeplift() -> None:
    network = Network(nn.Sequential(reads([[1, 0], [0, 1]], [0, -1.5]), nn.ReLU(), linear([[2.0, 2.0], [0, 0]])))
    assert answer(Case(network, put(1, 2), BLACK, 0, "logit"), "deeplift")[:2] == pytest.approx([2, 1], rel=1e-12)


@each(
    ("name", "expected"),
    [("gradient", 0), ("gradient_times_input", 0), ("guided_backprop", 0), ("integrated_gradients", 1), ("deeplift", 1), ("occlusion", 1), ("shapley_values", 1)],
)
def test_the_saturated_unit_of_the_papers(name: str, expected: float) -> None:
    """1 − ReLU(1 − x) at 2: the gradient says that x does not matter (Sundararajan 2017, Shrikumar 2017)."""
    network = Network(nn.Sequential(reads([[-1]], [1]), nn.ReLU(), linear([[-1.0], [0.0]], [1, 0])))
    values = {"steps": 500, "rule": "midpoint"} if name == "integrated_gradients" else {}
    assert answer(Case(network, put(2), BLACK, 0, "logit"), name, **values)[0] == pytest.approx(expected, abs=1e-12)


@each(("name", "expected"), [("shapley_values", [0.5, 0.5]), ("occlusion", [0, 0]), ("deeplift", [0.5, 0.5])])
def test_either_of_two_inputs_is_enough(name: str, expected: list[float]) -> None:
    """1 − ReLU(1 − x − y), an OR, at (1, 1): taking either away changes nothing, yet both together made it (Shrikumar 2017)."""
    network = Network(nn.Sequential(reads([[-1, -1]], [1]), nn.ReLU(), linear([[-1.0], [0.0]], [1, 0])))
    assert answer(Case(network, put(1, 1), BLACK, 0, "logit"), name)[:2] == pytest.approx(expected, abs=1e-12)
