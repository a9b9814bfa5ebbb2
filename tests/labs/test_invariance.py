"""The lab invariance: what it measures is what the methods declare, and the paper's own pair of networks behaves as it says."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import torch
from hypothesis import given, settings
from packed import floats
from strategies import ZOO, states
from torch import nn

from explorer.attribution import METHODS, Case, Network
from explorer.labs import LABS
from explorer.labs.invariance import maps_of_both
from explorer.pictures import PATTERNS, baseline
from explorer.state import State
from labs.said import all_are_true, answer_of

BLACK = np.zeros((8, 8))
BY_RULES = {"lrp_epsilon", "lrp_gamma", "lrp_zplus", "deeplift", "deeplift_shap", "deconvnet", "guided_backprop"}


def both_cases(state: State) -> tuple[Case, Case]:
    """The lab's question put to both networks, made without the state's own case."""
    x = np.array(state.pixels).reshape(8, 8)
    drawing = None if state.drawing is None else np.array(state.drawing).reshape(8, 8)
    start = baseline(state.baseline, x, seed=state.baseline_seed, mean=ZOO["digits"].mean, drawing=drawing)
    target = int(ZOO["digits"].network.scores(x[None])[0].argmax())
    one, other = (Case(ZOO[name].network, x, start, target, state.output) for name in ("digits", "digits-rewritten"))
    return one, other


def f_of(case: Case) -> float:
    logits = case.network.logits(torch.from_numpy(case.input[None].copy())).detach()
    return float((logits if case.output == "logit" else torch.softmax(logits, -1))[0, case.target])


@given(states())
@settings(max_examples=8)
def test_maps_and_sentences_are_those_of_the_engine(state: State) -> None:
    answer, cases = answer_of("invariance", state), both_cases(state)
    names = answer["methods"]
    assert set(names) == {name for name in METHODS if not METHODS[name].unsupported_reason(cases[0].network)} - {"shapley_values"}
    maps = floats(answer["maps"]).reshape(len(names), 2, 8, 8)
    off: dict[str, float] = {}
    for name, found, difference in zip(names, maps, answer["differences"], strict=True):
        true = np.stack([METHODS[name](case).attribution for case in cases])
        np.testing.assert_allclose(found, true, atol=1e-6 * np.abs(true).max() + 1e-30)
        peak = np.abs(true).max()
        off[name] = np.abs(true[0] - true[1]).max() / peak if peak else 0.0
        assert np.isclose(difference, off[name], rtol=1e-6, atol=1e-10)
        # rounding and real differences are far apart, but for perturbations that hardly change F
        assert METHODS[name].family == "perturbation" or not 1e-12 < off[name] < 1e-8
    differ = {name for name in names if off[name] > 1e-8 and name not in {n for n in names if METHODS[n].family == "perturbation"}}
    assert set(answer["differ"]) == differ and differ <= BY_RULES
    assert {name for name in names if not METHODS[name].invariant} == BY_RULES
    assert answer["outcome"] == bool(differ)
    most = max(off[name] for name in BY_RULES)
    least_differing = min((off[name] for name in differ), default=None)
    same = [off[name] for name in names if name not in differ]

    def says_what_differs(said: Any) -> bool:
        return said.text.startswith(LABS["invariance"].choices[1][:-1]) and said.numbers["differ"] == len(differ) and said.numbers["count"] == len(BY_RULES) and bool(np.isclose(said.numbers["most"], most))

    def dots(said: Any) -> bool:
        if not differ:
            return bool(said.numbers["same"] == len(names))
        return said.numbers["differ"] == len(differ) and said.numbers["same"] == len(same) and bool(np.isclose(said.numbers["least"], least_differing))

    all_are_true(
        "invariance",
        answer,
        {
            "no map differs": lambda said: not differ and said.text.startswith(LABS["invariance"].choices[0][:-1]),
            "which differ": says_what_differs,
            "the same answer": lambda said: f"the digit {cases[0].target}:" in said.text and all(np.isclose(value, f_of(case), rtol=1e-9) for value, case in zip(said.numbers.values(), cases, strict=True)),
            "the others stay": lambda said: said.numbers["count"] == len(names) - len(BY_RULES) and said.numbers["most"] < 1e-6,
            "the paper's pair": lambda said: re.findall(r"\([^)]*\)", said.text) == ["(1.5, −0.5)", "(2, −1)"],  # see below
            "chart differences": dots,
        },
    )


def test_on_the_ring_all_methods_with_rules_of_their_own_tell_the_networks_apart() -> None:
    answer = answer_of("invariance", State(pixels=tuple(PATTERNS["ring"].ravel().tolist())))
    assert answer["outcome"] == 1 and set(answer["differ"]) == BY_RULES
    assert min(answer["differences"][answer["methods"].index(name)] for name in BY_RULES) > 1e-3
    first, second = answer["charts"]["differences"]["figure"]["data"]
    assert len(first["y"]) == 16 and max(first["x"]) < 1e-11 and len(second["y"]) == 7 and min(second["x"]) > 1e-3


def test_the_papers_pair_of_networks() -> None:
    """Appendix B of Sundararajan et al. 2017: f = ReLU(ReLU(x₁) − 1 − ReLU(x₂)) and g = ReLU(ReLU(x₁ − 1) − ReLU(x₂)), at (3, 1)."""

    def linear(rows: list[list[float]], biases: list[float], inputs: int) -> nn.Linear:
        layer = nn.Linear(inputs, len(rows)).double()
        with torch.no_grad():
            layer.weight.zero_()
            layer.weight[:, : len(rows[0])] = torch.tensor(rows)
            layer.bias.copy_(torch.tensor(biases))
        return layer

    def network(early: float, late: float) -> Network:
        first, second = linear([[1.0, 0.0], [0.0, 1.0]], [early, 0.0], 64), linear([[1.0, -1.0]], [late], 2)
        return Network(nn.Sequential(first, nn.ReLU(), second, nn.ReLU(), linear([[1.0], [-1.0]], [0.0, 0.0], 1)))

    f, g = network(0.0, -1.0), network(-1.0, 0.0)
    x = BLACK.copy()
    x[0, :2] = 3, 1
    maps = maps_of_both(Case(f, x, BLACK, 0, "logit"), g, ["integrated_gradients", "deeplift"])
    np.testing.assert_allclose(maps["integrated_gradients"][:, 0, :2], [[1.5, -0.5], [1.5, -0.5]], atol=1e-12)
    np.testing.assert_allclose(maps["deeplift"][:, 0, :2], [[1.5, -0.5], [2.0, -1.0]], atol=1e-12)


def test_on_a_kink_even_the_gradient_can_differ() -> None:
    """The caveat: x against ReLU(x) − ReLU(−x), at 0."""
    plain, kinked = nn.Linear(64, 2, bias=False).double(), nn.Sequential(nn.Linear(64, 2, bias=False), nn.ReLU(), nn.Linear(2, 2, bias=False)).double()
    with torch.no_grad():
        for weight in (plain.weight, kinked[0].weight):
            weight.zero_()
            weight[0, 0] = 1.0
        plain.weight[1, 0] = kinked[0].weight[1, 0] = -1.0
        kinked[2].weight.copy_(torch.tensor([[1.0, -1.0], [-1.0, 1.0]]))
    for at, same in ((0.3, True), (0.0, False)):
        x = BLACK.copy()
        x[0, 0] = at
        one, other = maps_of_both(Case(Network(plain), x, BLACK, 0, "logit"), Network(kinked), ["gradient"])["gradient"]
        assert (one[0, 0], other[0, 0]) == (1.0, 1.0 if same else 0.0)
