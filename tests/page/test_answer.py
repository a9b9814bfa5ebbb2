"""The server's answer to a state: strict JSON, and numbers that hang together whichever way one adds them up."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from itertools import pairwise, product
from typing import Any

import numpy as np
import pytest
from each import each
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from packed import floats

from explorer.attribution import CORE, exact_integrated_gradients
from explorer.models import Model, load_zoo
from explorer.page.answer import COMPARED, answer
from explorer.pictures import BASELINES, PATTERNS
from explorer.state import PREDICTED, RULE_NAMES, TABS, State

Zoo = Mapping[str, Model]
ZOO = load_zoo()
NETWORKS = tuple(ZOO)
DRAWING = tuple(PATTERNS["cross"].ravel().tolist())
PAINTED = tuple(((7 * i + 3) % 21) / 20 for i in range(64))


def state(network: str, rule: str, output: str, baseline: str, **more: Any) -> State:
    """A small question: few steps and samples, a picture with every grey."""
    asked = {"pixels": PAINTED, "target": PREDICTED, "drawing": DRAWING, "steps": 12, "samples": 6, **more}
    return State(**{"network": network, "rule": rule, "output": output, "baseline": baseline, **asked})


SPREAD = [state(*choice) for choice in product(NETWORKS, RULE_NAMES, ("probability", "logit"), BASELINES)]
SOME = SPREAD[::5]


@cache
def answered(asked: State) -> dict[str, Any]:
    """The answer to a state, worked out once."""
    return answer(asked, ZOO)


def named(asked: State) -> str:
    """A test id."""
    return f"{asked.network}-{asked.rule}-{asked.output}-{asked.baseline}"


def numbers(values: list[float]) -> NDArray[np.float64]:
    """Sixty-four numbers of an answer."""
    array = np.array(values)
    assert array.shape == (64,) and np.isfinite(array).all()
    return array


def gradients(path: dict[str, Any]) -> NDArray[np.float64]:
    """The path's gradients: one row of 64 a step."""
    return floats(path["gradients"]).reshape(64, len(path["alphas"])).T


def close(a: Any, b: Any, scale: float, tolerance: float = 1e-9) -> bool:
    """Whether two numbers or arrays are equal up to rounding of numbers of the given size."""
    return bool(np.max(np.abs(np.subtract(a, b))) <= tolerance * max(scale, 1e-300))


@each("asked", SPREAD, ids=map(named, SPREAD))
def test_an_answer_is_strict_json_and_survives_it(asked: State) -> None:
    said = answered(asked)
    text = json.dumps(said, allow_nan=False)
    assert json.loads(text) == said
    assert set(said["narration"]) == set(TABS) - {"methods", "labs"}  # there the page itself sums up, and a lab has an answer of its own
    assert all(said["narration"].values())


@each("asked", SPREAD, ids=map(named, SPREAD))
def test_the_path_that_is_played_ends_at_the_map_that_is_shown(asked: State) -> None:
    said = answered(asked)
    path, map_ = said["path"], numbers(said["methods"]["integrated_gradients"]["map"])
    difference = np.array(asked.pixels) - numbers(said["baseline"])
    alphas, weights, values = (np.array(path[name]) for name in ("alphas", "weights", "values"))
    played = difference * (weights[:, None] * gradients(path)).sum(axis=0)
    assert close(played, map_, np.abs(map_).max(), 1e-5)  # float32 is all that is drawn
    assert len(alphas) == len(weights) == len(values)
    assert (np.diff(alphas) > 0).all() and alphas[0] >= 0 and alphas[-1] <= 1
    whole = 1 - 1 / asked.steps if asked.rule == "captum-trapezoid" else 1.0  # the fault that it is there to show
    assert close(weights.sum(), whole, 1, 1e-12)
    assert path["ends"] == [said["f"]["baseline"], said["f"]["input"]]
    if alphas[-1] == 1:
        assert close(values[-1], said["f"]["input"], 1)
    if alphas[0] == 0:
        assert close(values[0], said["f"]["baseline"], 1)
    counts = {"exact": said["exact"]["pieces"], "trapezoid": asked.steps + 1}
    assert len(alphas) == counts.get(asked.rule, asked.steps)


@each("asked", SPREAD, ids=map(named, SPREAD))
def test_the_figures_of_each_method_are_those_of_its_map(asked: State) -> None:
    said = answered(asked)
    delta_f = said["f"]["delta"]
    assert delta_f == said["f"]["input"] - said["f"]["baseline"]
    assert set(CORE) <= set(said["methods"])
    for method in said["methods"].values():
        map_ = numbers(method["map"])
        size = np.abs(map_)
        assert close(method["total"], map_.sum(), size.sum())
        assert close(method["delta"], map_.sum() - delta_f, size.sum() + abs(delta_f))
        assert close(method["mean"], size.mean(), size.mean())
        assert 1 <= method["snr"] <= 64 + 1e-9 if size.max() else method["snr"] == 0
        assert method["share"] == (abs(method["delta"] / delta_f) if delta_f else None)
        top = method["top"]
        assert all(value == map_[8 * row + column] for row, column, value in top)
        sizes = [abs(value) for _, _, value in top]
        assert all(a >= b * (1 - 1e-11) for a, b in pairwise(sizes))
        assert len({(row, column) for row, column, _ in top}) == len(top)
        assert close(sizes[-1], np.sort(size)[-len(top)], size.max(), 1e-11)


@each("asked", SPREAD, ids=map(named, SPREAD))
def test_scores_f_and_target_are_those_of_the_network(asked: State) -> None:
    said = answered(asked)
    network = ZOO[asked.network].network
    x, reference = asked.picture(), numbers(said["baseline"]).reshape(8, 8)
    scores = network.scores(np.stack([x, reference]))
    assert close(said["scores"], scores[0], 1, 1e-12)
    assert said["predicted"] == int(np.argmax(said["scores"])) == said["target"]  # all of the spread ask for it
    assert all(0 <= score <= 1 for score in said["scores"])
    assert close(sum(said["scores"]), 1, 1)
    assert close(network.probabilities_of(np.array(said["logits"])), said["scores"], 1, 1e-12)
    f_input = (said["scores"] if asked.output == "probability" else said["logits"])[said["target"]]
    assert close(said["f"]["input"], f_input, abs(f_input), 1e-12)
    if asked.output == "probability":
        assert close(said["f"]["baseline"], scores[1][said["target"]], 1, 1e-12)
    difference = np.array(asked.pixels) - reference.ravel()
    assert said["equal_pixels"] == int((difference == 0).sum())
    assert not numbers(said["methods"]["integrated_gradients"]["map"])[difference == 0].any()


@each("asked", SPREAD, ids=map(named, SPREAD))
def test_the_exact_map_is_complete_and_errors_are_held_against_it(asked: State) -> None:
    said = answered(asked)
    exact, map_ = said["exact"], numbers(said["methods"]["integrated_gradients"]["map"])
    truth = numbers(exact["map"])
    error = np.abs(map_ - truth)
    scale = np.abs(truth).sum() + abs(said["f"]["input"])
    assert close(truth.sum(), said["f"]["delta"], scale, 1e-11)
    assert exact["error_max"] == error.max() and close(exact["error_mean"], error.mean(), error.max())
    if asked.rule == "exact":
        assert exact["error_max"] == 0
        assert said["methods"]["integrated_gradients"]["share"] < 1e-9
    if ZOO[asked.network].linear:
        assert exact["pieces"] == 1 and exact["switches"] == ""
    alphas = floats(exact["switches"])
    assert (np.diff(alphas) >= 0).all() and (alphas >= 0).all() and (alphas <= 1).all()
    told = [switch.alpha for switch in exact_integrated_gradients(asked.case(ZOO)).switches]
    assert alphas == pytest.approx(told, rel=0, abs=2**-17)
    assert exact["pieces"] <= len(alphas) + 1


@each("asked", SPREAD, ids=map(named, SPREAD))
def test_correlations_are_a_symmetric_table_with_ones_on_its_diagonal(asked: State) -> None:
    said = answered(asked)
    table = said["correlations"]
    assert len(table) == len(COMPARED) and all(len(row) == len(COMPARED) for row in table)
    for i, j in product(range(len(COMPARED)), repeat=2):
        assert table[i][j] == table[j][i]
        assert table[i][j] is None or -1 <= table[i][j] <= 1
        flat = any(len(set(said["methods"][COMPARED[k]]["map"])) == 1 for k in (i, j))
        assert (table[i][j] is None) == flat
        if i == j and not flat:
            assert close(table[i][j], 1, 1)


@each("asked", SOME, ids=map(named, SOME))
def test_the_rule_changes_the_integral_and_nothing_else(asked: State) -> None:
    one, other = answered(asked), answered(asked.replace(rule="midpoint"))
    assert (one["baseline"], one["equal_pixels"]) == (other["baseline"], other["equal_pixels"])
    pairs = [(one[name], other[name]) for name in ("scores", "logits")]
    pairs += [(list(one["f"].values()), list(other["f"].values())), (one["exact"]["map"], other["exact"]["map"])]
    pairs += [(one["methods"][name]["map"], other["methods"][name]["map"]) for name in ("gradient", "smoothgrad")]
    pairs += [(one["smoothgrad"]["error"], other["smoothgrad"]["error"])]
    for a, b in pairs:  # a batch of another size may round the last bit otherwise
        assert close(a, b, np.abs(a).max(), 1e-12)


@each("asked", SOME, ids=map(named, SOME))
def test_the_same_state_gives_the_same_answer_twice_and_from_another_zoo(asked: State) -> None:
    first = json.dumps(answer(asked, ZOO))
    assert json.dumps(answer(asked, ZOO)) == first
    assert json.dumps(answer(State.from_json(asked.to_json(), ZOO), load_zoo())) == first


@each("asked", SOME, ids=map(named, SOME))
def test_looks_change_no_number(asked: State) -> None:
    assert answer(asked.replace(tab="compare", scale="own"), ZOO) == answered(asked)


# ---------------------------------------------------------------- where things are zero, saturated or constant


@each("choice", [*product(NETWORKS, RULE_NAMES)])
def test_where_the_input_is_the_baseline_everything_of_the_path_is_zero(choice: tuple[str, str]) -> None:
    network, rule = choice
    black = tuple(PATTERNS["black"].ravel().tolist())
    for asked in (
        State(pixels=black, network=network, rule=rule, steps=5, samples=4),
        State(pixels=DRAWING, baseline="drawing", drawing=DRAWING, network=network, rule=rule, steps=5, samples=4),
    ):
        said = answered(asked)
        json.dumps(said, allow_nan=False)
        integrated = said["methods"]["integrated_gradients"]
        assert said["f"]["delta"] == 0 and said["equal_pixels"] == 64
        assert not any(integrated["map"]) and not any(said["exact"]["map"])
        assert (integrated["total"], integrated["delta"], integrated["share"], integrated["snr"]) == (0, 0, None, 0)
        assert said["correlations"][0][1] is None
        assert set(said["path"]["values"]) == {said["f"]["input"]} or close(said["path"]["values"], said["f"]["input"], 1)


@each("asked", [State(target=t, network="digits", steps=9, samples=4) for t in range(10)])
def test_a_class_that_is_all_but_excluded_still_gets_finite_figures(asked: State) -> None:
    said = answered(asked)
    json.dumps(said, allow_nan=False)
    for method in said["methods"].values():
        numbers(method["map"])
    truth = numbers(said["exact"]["map"])
    assert close(truth.sum(), said["f"]["delta"], np.abs(truth).sum(), 1e-9)


def test_the_two_classes_of_the_detector_have_opposite_attributions() -> None:
    zero, one = (answered(state("logistic", "midpoint", "probability", "black", target=t)) for t in (0, 1))
    for name in CORE:
        a, b = numbers(zero["methods"][name]["map"]), numbers(one["methods"][name]["map"])
        assert close(a, -b, np.abs(a).max())


@pytest.mark.parametrize("network", NETWORKS)
def test_without_noise_smoothgrad_is_the_gradient_and_has_no_error_to_speak_of(network: str) -> None:
    said = answered(state(network, "right", "probability", "black", noise_level=0.0))
    gradient, smooth = (numbers(said["methods"][name]["map"]) for name in ("gradient", "smoothgrad"))
    assert close(gradient, smooth, np.abs(gradient).max(), 1e-12)
    assert said["smoothgrad"]["sigma"] == 0
    assert max(said["smoothgrad"]["error"]) <= 1e-12 * np.abs(gradient).max()
    assert said["smoothgrad"]["snr"] is None  # a ratio to rounding errors says nothing


def test_where_the_gradient_is_constant_there_is_no_signal_to_noise_ratio() -> None:
    said = answered(state("logistic", "right", "logit", "black", noise_level=0.2, samples=50))
    assert said["smoothgrad"]["snr"] is None  # the samples do not differ but by rounding


@pytest.mark.parametrize("network", NETWORKS)
def test_one_sample_has_no_standard_error(network: str) -> None:
    said = answered(state(network, "right", "probability", "black", samples=1))
    assert said["smoothgrad"]["error"] is None and said["smoothgrad"]["snr"] is None


def test_two_and_more_samples_have_one() -> None:
    few, many = (answered(state("digits", "right", "probability", "black", samples=n)) for n in (2, 400))
    assert min(numbers(few["smoothgrad"]["error"])) >= 0
    assert numbers(many["smoothgrad"]["error"]).mean() < numbers(few["smoothgrad"]["error"]).mean()


def test_seeds_clipping_and_noise_reach_smoothgrad_alone() -> None:
    plain = state("shapes", "right", "probability", "black")
    changes: list[dict[str, Any]] = [{"seed": 1}, {"clip": True}, {"noise_level": 0.3}, {"samples": 7}]
    for change in changes:
        one, other = answered(plain), answered(plain.replace(**change))
        assert one["methods"]["smoothgrad"]["map"] != other["methods"]["smoothgrad"]["map"]
        assert one["methods"]["integrated_gradients"] == other["methods"]["integrated_gradients"]
        assert one["methods"]["gradient"] == other["methods"]["gradient"]


def test_more_steps_come_nearer_to_the_exact_integral() -> None:
    for network in NETWORKS:
        errors = [
            answered(state(network, "midpoint", "probability", "black", steps=m))["exact"]["error_max"] for m in (2, 20, 200)
        ]
        assert errors[0] > errors[1] > errors[2]


@settings(max_examples=25)
@given(
    pixels=st.lists(st.integers(0, 20).map(lambda k: k / 20), min_size=64, max_size=64),
    network=st.sampled_from(NETWORKS),
    rule=st.sampled_from(RULE_NAMES),
    baseline=st.sampled_from(BASELINES),
    output=st.sampled_from(("probability", "logit")),
    steps=st.integers(1, 20),
    samples=st.integers(1, 8),
    level=st.integers(0, 50),
)
def test_any_picture_gets_an_answer_that_is_strict_json(
    pixels: list[float], network: str, rule: str, baseline: str, output: str, steps: int, samples: int, level: int
) -> None:
    asked = state(
        network, rule, output, baseline, pixels=tuple(pixels), steps=steps, samples=samples, noise_level=level / 100
    )
    said = answer(asked, ZOO)
    text = json.dumps(said, allow_nan=False)
    assert len(text) < 200_000
    assert close(sum(said["exact"]["map"]), said["f"]["delta"], np.abs(said["exact"]["map"]).sum() + 1e-6)
