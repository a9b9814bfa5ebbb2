"""The lab faithfulness: areas of pictures changed one pixel at a time, sets of pixels by plain numpy, and exact scores for a linear function."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import ZOO, states

from explorer.attribution import (
    METHODS,
    Case,
    Method,
    Network,
    area,
    exact_integrated_gradients,
    greedy_order,
    pixel_order,
    random_maps,
    road_curves,
    subsets,
)
from explorer.attribution.faithfulness import SIZES
from explorer.attribution.field import values_at
from explorer.attribution.network import Floats
from explorer.attribution.road import COUNTS
from explorer.cost import MAX_COST, check_methods
from explorer.labs.faithfulness import CLEARLY, FILLS, PASSES, RANDOM_MAPS, curves_of, unforetold
from explorer.models import FOLDER
from explorer.pictures import baseline, digit_samples
from explorer.sentences import Sentence
from explorer.state import State, StateError
from labs.said import all_are_true, answer_of

THREE = tuple(digit_samples(FOLDER)[3][0].ravel().tolist())
BLACK = np.zeros((8, 8))


def trapezoids(curve: Floats, at: Iterable[int]) -> float:
    places = np.array(list(at))
    return float(sum((curve[i] + curve[i + 1]) / 2 * (places[i + 1] - places[i]) for i in range(len(places) - 1)) / (places[-1] - places[0]))


def replaced(case: Case, order: Iterable[int], start: Floats, end: Floats) -> Floats:
    """F while one pixel after the other becomes that of another picture."""
    picture = start.copy()
    pictures = [picture.copy()]
    for pixel in order:
        picture.flat[pixel] = end.flat[pixel]
        pictures.append(picture.copy())
    return values_at(case, np.stack(pictures))


def close(one: float, other: float) -> bool:
    return bool(np.isclose(one, other, rtol=1e-6, atol=1e-9))


def too_much(state: State, case: Case, used: list[Method]) -> bool:
    try:
        check_methods(state, case, used, besides=PASSES)
    except StateError:
        return True
    return False


@given(states(), st.sampled_from(FILLS))
@settings(max_examples=8)
def test_areas_shares_and_sentences_are_those_of_pictures_one_by_one(state: State, fill_name: str) -> None:
    case = state.case(ZOO)
    used = [METHODS[name] for name in state.pinned if not METHODS[name].unsupported_reason(case.network)]
    if not used or too_much(state, case, used):
        with pytest.raises(StateError):
            answer_of("faithfulness", state, fill=fill_name)
        return
    answer = answer_of("faithfulness", state, fill=fill_name)
    fill = case.baseline if fill_name == "baseline" else baseline(fill_name, case.input, mean=ZOO[state.network].mean)
    titles = [method.title for method in used]
    maps = [
        exact_integrated_gradients(case).attribution if method.name == "integrated_gradients" and state.rule == "exact" else method(case, **state.values(method)).attribution
        for method in used
    ]
    random, n = random_maps(RANDOM_MAPS, state.seed), len(used)

    steps = range(65)
    deletion = [replaced(case, pixel_order(one), case.input, fill) for one in [*maps, case.input]]
    insertion = [replaced(case, pixel_order(one), fill, case.input) for one in [*maps, case.input]]
    greedy = replaced(case, greedy_order(case, fill), case.input, fill)
    raised = replaced(case, greedy_order(case, fill, insertion=True), fill, case.input)
    areas = {
        "deletion": [trapezoids(curve, steps) for curve in deletion],
        "insertion": [trapezoids(curve, steps) for curve in insertion],
        "road": [trapezoids(road_curves(case, pixel_order(one), seed=state.seed), COUNTS) for one in [*maps, case.input]],
        "road_least": [trapezoids(road_curves(case, pixel_order(-one), seed=state.seed), COUNTS) for one in [*maps, case.input]],
    }
    controls = {
        "deletion": np.mean([trapezoids(replaced(case, pixel_order(one), case.input, fill), steps) for one in random]),
        "insertion": np.mean([trapezoids(replaced(case, pixel_order(one), fill, case.input), steps) for one in random]),
        "road": np.mean([trapezoids(road_curves(case, pixel_order(one), seed=state.seed), COUNTS) for one in random]),
        "road_least": np.mean([trapezoids(road_curves(case, pixel_order(-one), seed=state.seed), COUNTS) for one in random]),
    }
    greedy_areas = {"deletion": trapezoids(greedy, steps), "insertion": trapezoids(raised, steps)}
    for test, found in answer["areas"].items():
        np.testing.assert_allclose([*found["methods"], found["picture"]], areas[test], rtol=1e-6, atol=1e-9)

    width = float(np.ptp([*deletion, greedy]))
    picture = areas["deletion"][n]
    gaps = np.array([picture - one for one in areas["deletion"][:n]])
    surely, perhaps = (int((gaps > CLEARLY * width + slack).sum()) for slack in (1e-9, -1e-9))
    better = {"deletion": min, "insertion": max, "road": min, "road_least": max}

    drawn = subsets(Case(case.network, case.input, fill, case.target, case.output), seed=state.seed)
    changes = drawn.changes.ravel()
    sums = []
    for method, one in zip([*used, None], [*maps, case.input], strict=True):
        values = {} if method is None else method.values(state.values(method))
        square = values.get("of") == "square"
        per_pixel = method is not None and method.unit == "F per unit of a pixel" and not square
        sums.append(drawn.masks.astype(float) @ (one * (case.input - fill) if per_pixel else one).ravel())
    shares = None if answer["shares"] is None else answer["shares"]
    if shares is None:
        assert np.abs(changes).max() <= 1e-9 * max(1.0, abs(drawn.value))
    else:
        b = changes / np.abs(changes).max()
        for share, one in zip(shares, sums, strict=False):
            a = one.ravel() / (np.abs(one).max() or 1)
            assert close(share, 1 - ((a @ b) ** 2 / ((a @ a) * (b @ b)) if a.any() else 0)) or abs(share) < 1e-6

    def beaten(said: Sentence) -> bool:
        words = said.text.split(" have ")[0].split(" has ")[0].split(":")[0]
        possible = {"All of them": perhaps == n, "Some of them": perhaps > 0 and surely < n, "None of them": surely == 0}
        counted = "beaten" not in said.numbers or (surely <= said.numbers["beaten"] <= perhaps and said.numbers["count"] == n)
        return possible[words] and counted and close(said.numbers["picture"], picture)

    def best(said: Sentence) -> bool:
        named = [part.split(": ", 1)[1] for part in said.text.rstrip(".").removeprefix("Best of the methods ").split(";")]
        return all(are_the_best(name, test) for test, name in zip(("deletion", "insertion", "road"), named, strict=True))

    def are_the_best(name: str, test: str) -> bool:
        values, end = areas[test][:n], better[test](areas[test][:n])
        off = {title: abs(value - end) / (max(map(abs, values)) or 1) for title, value in zip(titles, values, strict=True)}
        surely, perhaps = ({title for title, share in off.items() if share <= 0.002 + slack} for slack in (-1e-6, 1e-6))
        told = set(titles) if name == "all alike" else {title for title in titles if title in name.replace(" and ", ", ").split(", ")}
        return surely <= told <= perhaps and bool(told)

    def best_in(said: Sentence, test: str) -> bool:
        return close(said.numbers["best"], better[test](areas[test][:n])) and are_the_best(said.text.split("methods: ")[1].rpartition(", ")[0], test)

    def controls_in(said: Sentence, test: str) -> bool:
        truth = {"picture": areas[test][n], "random": controls[test]} | ({"greedy": greedy_areas[test]} if test in greedy_areas else {})
        return set(truth) == set(said.numbers) and all(close(said.numbers[key], float(truth[key])) for key in truth)

    def sensitivity(said: Sentence) -> bool:
        eight = SIZES.index(8)
        varied = [one[eight] for one in sums[:n] if np.ptp(one[eight]) > 1e-9 * np.abs(one).max()]
        if not said.numbers:
            return not varied or np.ptp(drawn.changes[eight]) < 1e-9
        known = [np.corrcoef(one, drawn.changes[eight])[0, 1] for one in varied]
        return bool(np.isclose(said.numbers["r"], max(known), atol=1e-5))

    def foretells(said: Sentence) -> bool:
        ahead = sum(shares[n] < share - 1e-9 for share in shares[:n]), sum(shares[n] < share + 1e-9 for share in shares[:n])
        return ahead[0] <= said.numbers["beaten"] <= ahead[1] and said.numbers["count"] == n

    checks = {
        "no change": lambda said: width <= 1e-9 * max(1.0, abs(greedy[0])),
        "picture beaten": beaten,
        "clearly": lambda said: close(said.numbers["margin"], CLEARLY * width),
        "best": best,
        "picture foretells": foretells,
        "left out": lambda said: all(METHODS[name].title in said.text for name in state.pinned if METHODS[name] not in used),
        "logit": lambda said: state.output == "probability" and all((method.title in said.text) >= (method.explains == "logit") for method in used),
        **{f"chart curves_{test}": lambda said, test=test: controls_in(said, test) for test in areas},
        **{f"chart bars_{test}": lambda said, test=test: best_in(said, test) for test in areas},
        "chart sensitivity": sensitivity,
        "chart infidelity": lambda said: close(said.numbers["share"], min(shares[:n])),
    }
    all_are_true("faithfulness", answer, checks)  # type: ignore[arg-type]


def test_on_a_three_the_greedy_order_is_best_random_is_worst_and_the_picture_lies_between_the_methods() -> None:
    found = answer_of("faithfulness", State(pixels=THREE, network="digits"))
    areas = found["areas"]["deletion"]
    assert found["outcome"] == 1 and areas["greedy"] < min(areas["methods"]) and max(*areas["methods"], areas["picture"]) < areas["random"]
    gradient, integrated = found["methods"].index("gradient"), found["methods"].index("integrated_gradients")
    assert areas["methods"][integrated] < areas["picture"] < areas["methods"][gradient]
    shares = found["shares"]
    assert shares[integrated] < shares[-1] and shares[-1] > 0.9  # the random map says next to nothing


def test_a_linear_function_is_foretold_exactly_and_its_order_is_the_greedy_one() -> None:
    weights = torch.tensor(np.random.default_rng(0).standard_normal((2, 64)))
    layer = torch.nn.Linear(64, 2).double()
    with torch.no_grad():
        layer.weight.copy_(weights)
    case = Case(Network(torch.nn.Sequential(torch.nn.Flatten(), layer)), np.random.default_rng(1).random((8, 8)), BLACK, 0, "logit")
    exact = METHODS["gradient_times_input"](case).attribution
    assert unforetold(np.stack([exact, -3 * exact, BLACK]), subsets(case)) == pytest.approx([0, 0, 1], abs=1e-9)
    order = greedy_order(case, BLACK)
    assert area(curves_of("deletion", case, exact[None], BLACK))[0] == pytest.approx(trapezoids(replaced(case, order, case.input, BLACK), range(65)))
    insertion, deletion = curves_of("insertion", case, exact[None], BLACK), curves_of("deletion", case, -exact[None], BLACK)
    np.testing.assert_allclose(insertion[0], deletion[0][::-1], atol=1e-9)  # no ties: the reversed order, read backwards


def test_methods_that_do_not_apply_are_left_out_and_one_must_remain() -> None:
    found = answer_of("faithfulness", State(pixels=THREE, network="digits", pinned=("grad_cam", "occlusion")))
    assert found["methods"] == ["occlusion"] and found["left_out"] == ["Grad-CAM"]
    with pytest.raises(StateError, match="none of the pinned methods applies"):
        answer_of("faithfulness", State(pixels=THREE, network="digits", pinned=("grad_cam",)))


def test_the_lab_s_own_passes_count_towards_the_limit_of_work() -> None:
    state = State(pixels=THREE, network="digits-cnn")
    case = state.case(ZOO)
    methods = [METHODS[name] for name in state.pinned]
    check_methods(state, case, methods, besides=PASSES)
    with pytest.raises(StateError, match="ask for fewer"):
        check_methods(state, case, methods, besides=MAX_COST // case.network.products)
