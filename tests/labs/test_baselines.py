"""The lab baselines: its maps are those of the methods, its areas those of pictures deleted one by one, and a map wins where the fill is its own baseline."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from strategies import ZOO, states

from explorer.attribution import METHODS, Case, exact_integrated_gradients, greedy_order, pixel_order, random_maps
from explorer.attribution.field import values_at
from explorer.attribution.network import Floats
from explorer.labs.baselines import ALIKE, RANDOM_ORDERS, changes_from, deletion_duel
from explorer.models import FOLDER
from explorer.pictures import baseline, digit_samples
from explorer.sentences import Sentence
from explorer.state import State
from labs.said import all_are_true, answer_of

KINDS = ("black", "white", "mean", "blur", "noise")
SAID = {"black": "black", "white": "white", "mean": "the mean", "blur": "the blurred picture", "noise": "noise", "expected": "many pictures"}


def curve_of(case: Case, order: Iterable[int], fill: Floats) -> Floats:
    """F while one pixel after the other is set, one picture at a time."""
    picture = case.input.copy()
    pictures = [picture.copy()]
    for pixel in order:
        picture.flat[pixel] = fill.flat[pixel]
        pictures.append(picture.copy())
    return values_at(case, np.stack(pictures))


def trapezoids(curve: Floats) -> float:
    return float((curve.sum() - (curve[0] + curve[-1]) / 2) / 64)


def close(one: float, other: float) -> bool:
    return bool(np.isclose(one, other, rtol=1e-6, atol=1e-9))


@given(states())
@settings(max_examples=8)
def test_maps_areas_and_sentences_are_those_of_the_engine(state: State) -> None:
    answer, case, model = answer_of("baselines", state), state.case(ZOO), ZOO[state.network]
    starts = {kind: baseline(kind, case.input, seed=state.baseline_seed, mean=model.mean) for kind in KINDS}
    maps = {}
    for kind, start in starts.items():
        one = replace(case, baseline=start)
        exact = state.rule == "exact"
        maps[kind] = exact_integrated_gradients(one).attribution if exact else METHODS["integrated_gradients"](one, steps=state.steps, rule=state.rule).attribution
        assert answer["forced"][kind] == [i for i in range(64) if case.input.flat[i] == start.flat[i]]
        assert not maps[kind].ravel()[answer["forced"][kind]].any()
    maps["expected"] = METHODS["expected_gradients"](case, **state.values(METHODS["expected_gradients"])).attribution
    assert not maps["expected"].ravel()[answer["forced"]["expected"]].any()
    for kind, attribution in maps.items():
        np.testing.assert_allclose(np.reshape(answer["maps"][kind], (8, 8)), attribution, atol=1e-12)

    areas: dict[str, dict[str, float]] = {}
    span = 0.0
    for fill in ("black", "white", "mean"):
        curves = {kind: curve_of(case, pixel_order(attribution), starts[fill]) for kind, attribution in maps.items()}
        negated = {f"negated {kind}": curve_of(case, pixel_order(-maps[kind]), starts[fill]) for kind in ("black", "white")}
        areas[fill] = {name: trapezoids(curve) for name, curve in {**curves, **negated}.items()}
        areas[fill]["random"] = float(np.mean([trapezoids(curve_of(case, order, starts[fill])) for order in pixel_order(random_maps(RANDOM_ORDERS, state.seed))]))
        areas[fill]["greedy"] = trapezoids(curve_of(case, greedy_order(case, starts[fill]), starts[fill]))
        if fill == "white":
            span = float(np.ptp(np.concatenate([curves["black"], curves["white"]])))
        assert set(areas[fill]) == set(answer["areas"][fill])
        assert all(close(areas[fill][name], answer["areas"][fill][name]) for name in areas[fill])

    white = areas["white"]
    gap = white["black"] - white["white"]

    def winner(said: Sentence) -> bool:
        starts_with = {"The map from black": gap < -ALIKE * span, "The map from white": gap > ALIKE * span, "Both about alike, within 5 % of the range of " + ("P" if state.output == "probability" else "the logit"): abs(gap) <= ALIKE * span}
        named = starts_with[said.text.split(":")[0]]
        return (named or abs(abs(gap) - ALIKE * span) < 1e-9) and all(close(said.numbers[name], white[name]) for name in ("black", "white"))

    def smallest(said: Sentence) -> bool:
        for fill, part in zip(areas, said.text.rstrip(".").split("; "), strict=True):
            named = part.split(": ")[1].replace(" and ", ", ").split(", ")
            of_maps = {f"from {text}": areas[fill][kind] for kind, text in SAID.items()}
            room = 0.002 * max(map(abs, of_maps.values()))
            alike = {name for name, value in of_maps.items() if value <= min(of_maps.values()) + room * (1 + 1e-6)}
            if {"all alike": set(of_maps)}.get(named[0], set(named)) != alike:
                return False
        return True

    checks = {
        "to white": winner,
        "area": lambda said: ("the logit" in said.text) == (state.output == "logit"),
        "negated": lambda said: white["negated black"] < 0.998 * white["black"] + 1e-12 and close(said.numbers["negated"], white["negated black"]) and close(said.numbers["black"], white["black"]),
        "smallest": smallest,
        **{f"chart {fill}": lambda said, fill=fill: all(close(said.numbers[name], areas[fill][name]) for name in ("random", "greedy")) for fill in areas},
    }
    all_are_true("baselines", answer, checks)  # type: ignore[arg-type]


def test_on_a_three_each_map_wins_where_the_fill_is_its_own_baseline() -> None:
    three = tuple(digit_samples(FOLDER)[3][0].ravel().tolist())
    for network in ("digits", "digits-cnn"):
        answer = answer_of("baselines", State(pixels=three, network=network))
        areas = answer["areas"]
        assert answer["outcome"] == 1
        assert areas["black"]["black"] < areas["black"]["white"] / 2 and areas["white"]["white"] < areas["white"]["black"] / 2
        assert areas["mean"]["mean"] < min(areas["mean"]["black"], areas["mean"]["white"])
        assert areas["white"]["negated black"] < areas["white"]["black"]
        assert len(answer["forced"]["black"]) > 20 and all(three[pixel] == 0 for pixel in answer["forced"]["black"])


def test_a_white_picture_set_to_white_stays_what_it_is() -> None:
    answer = answer_of("baselines", State(pixels=(1.0,) * 64))
    assert answer["outcome"] == 2
    assert np.ptp(list(answer["areas"]["white"].values())) < 1e-12 and len(answer["forced"]["white"]) == 64


def test_the_change_from_many_pictures_is_to_their_mean_f() -> None:
    case, background = State(network="digits").case(ZOO), ZOO["digits"].network.background
    assert background is not None
    one_by_one = [delta for picture in background for delta in changes_from(case, {"it": picture}).values()]
    assert changes_from(case, {}, background)["expected"] == pytest.approx(np.mean(one_by_one), abs=1e-9)


def test_the_greedy_order_is_no_worse_at_its_first_pixel_than_any_map() -> None:
    case = State(network="digits").case(ZOO)
    duel = deletion_duel(case, {"random": random_maps(1, 3)[0]}, np.ones((8, 8)))
    assert duel.greedy[1] <= min(duel.curves["random"][1], duel.negated["random"][1]) and duel.areas["random"] == pytest.approx(trapezoids(duel.curves["random"]))
