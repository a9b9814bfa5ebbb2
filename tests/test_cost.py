"""The bound on one question's work: told beforehand, kept by what is done, and named when it is passed."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import pytest
from asgi import respond
from hypothesis import given, settings
from hypothesis import strategies as st
from links import link_of
from strategies import ZOO, options_of

from explorer import cost
from explorer.attribution import CONVENTIONS, CORE, METHODS, Case, Method, exact_integrated_gradients, likely_pieces
from explorer.cost import check_explanation, check_methods, cost_of_explanation, cost_of_method, cost_with
from explorer.page.method_answers import MOST as MOST_METHODS
from explorer.page.method_answers import method_answers
from explorer.pictures import BASELINES
from explorer.state import MAX_SAMPLES, MAX_STEPS, RULE_NAMES, State, StateError

NETWORKS = pytest.mark.parametrize("network", list(ZOO))
MORE = ("steps", "samples", "baselines", "coalitions", "lime_samples")  # the settings that ask for more looks

pixels = st.lists(st.sampled_from([0.0, 0.25, 0.6, 1.0]), min_size=64, max_size=64) | st.sampled_from([[0.0] * 64, [1.0] * 64])


@st.composite
def questions(draw: st.DrawFn) -> tuple[State, list[str]]:
    """Any state that the server accepts, and methods to be asked together."""
    names = draw(st.lists(st.sampled_from(list(METHODS)), min_size=1, max_size=4, unique=True))
    data = {
        "network": draw(st.sampled_from(list(ZOO))),
        "pixels": draw(pixels),
        "drawing": draw(pixels),
        "baseline": draw(st.sampled_from(BASELINES)),
        "rule": draw(st.sampled_from(RULE_NAMES)),
        "steps": draw(st.integers(1, MAX_STEPS)),
        "samples": draw(st.integers(1, MAX_SAMPLES)),
        "options": draw(options_of(names)),
    }
    return State.from_json(data, ZOO), names


def applying(state: State, names: list[str]) -> tuple[Case, list[Method]]:
    """The case that a state puts, and those of the methods that apply to it."""
    case = state.case(ZOO)
    return case, [METHODS[name] for name in names if not METHODS[name].unsupported_reason(case.network)]


@given(questions())
@settings(max_examples=50)
def test_the_work_of_any_question_is_a_positive_whole_number(question: tuple[State, list[str]]) -> None:
    case, methods = applying(*question)
    for asked in [cost_of_explanation(question[0], ZOO), *(cost_of_method(method, case, question[0]) for method in methods)]:
        assert isinstance(asked, int) and asked > 0 and math.isfinite(asked)


@given(questions(), st.data())
@settings(max_examples=50)
def test_more_steps_or_samples_are_never_less_work(question: tuple[State, list[str]], data: st.DataObject) -> None:
    state, names = question
    more = state.replace(steps=data.draw(st.integers(state.steps, MAX_STEPS)), samples=data.draw(st.integers(state.samples, MAX_SAMPLES)))
    assert cost_of_explanation(more, ZOO) >= cost_of_explanation(state, ZOO)
    case, methods = applying(state, names)
    for method in methods:
        values = method.values(state.values(method))
        asked = cost_with(method, case, values)
        for setting in method.settings:
            if setting.name in MORE:
                larger = data.draw(st.integers(int(values[setting.name]), int(setting.high)))
                assert cost_with(method, case, {**values, setting.name: larger}) >= asked
                assert cost_with(method, case, {**values, setting.name: int(setting.high)}) >= asked


@given(questions())
@settings(max_examples=25)
def test_what_passes_the_check_keeps_to_the_work_that_it_promised(question: tuple[State, list[str]]) -> None:
    state, names = question
    quick = {name: {one: value for one, value in own.items() if one not in ("coalitions", "lime_samples")} for name, own in state.to_json()["options"].items()}
    state = state.replace(options=quick)
    case, methods = applying(state, [name for name in names if name != "shapley_values" or state.network != "digits-cnn"])
    try:
        check_methods(state, case, methods)
    except StateError:
        return
    if methods:
        told = method_answers(state, [method.name for method in methods], ZOO)["methods"]
        products = case.network.products
        for method in methods:
            took = told[method.name]
            done = took["forward"] * products + took["backward"] * cost.BACKWARD * products
            assert done + (took["forward"] + took["backward"]) * cost.PICTURE <= cost_of_method(method, case, state)


@NETWORKS
def test_the_harshest_paths_cross_fewer_pieces_than_are_reckoned_with(network: str) -> None:
    rng = np.random.default_rng(5)
    reckoned = likely_pieces(ZOO[network].network)
    for _ in range(10):
        one = (rng.random((8, 8)) < 0.5).astype(float)
        assert len(exact_integrated_gradients(Case(ZOO[network].network, one, 1 - one, 0)).alphas) <= reckoned


# ---------------------------------------------------------------- what must never be refused


def harsh(network: str, **changes: Any) -> State:
    """A state in which every pixel differs from the baseline, so that every block plays."""
    picture = [0.3 + 0.01 * i for i in range(64)]
    return State.from_json({"network": network, "pixels": picture, **changes}, ZOO)


@NETWORKS
@pytest.mark.parametrize("rule", RULE_NAMES)
def test_methods_with_their_defaults_are_accepted_as_the_page_asks_for_them(network: str, rule: str) -> None:
    state = harsh(network, rule=rule)
    case, methods = applying(state, list(METHODS))
    for first in range(0, len(methods), MOST_METHODS):  # as the Methods tab asks
        check_methods(state, case, methods[first : first + MOST_METHODS])
    # as Compare asks: what the explanation holds, exact Integrated Gradients among it, is not asked again
    pinned = sorted((method for method in methods if method.name not in CORE), key=lambda method: cost_of_method(method, case, state))
    check_methods(state, case, pinned[-MOST_METHODS:])


@NETWORKS
@pytest.mark.parametrize("convention", list(CONVENTIONS))
def test_the_whole_methods_tab_is_accepted_under_every_convention(network: str, convention: str) -> None:
    chosen = CONVENTIONS[convention]
    shared = {name: value for name, value in chosen.shared.items() if name not in ("baseline", "output")}
    state = harsh(network, **shared, options={name: dict(own) for name, own in chosen.options.items()})
    case, methods = applying(state, list(METHODS))
    for first in range(0, len(methods), MOST_METHODS):
        check_methods(state, case, methods[first : first + MOST_METHODS])


@NETWORKS
@pytest.mark.parametrize("rule", RULE_NAMES)
def test_every_method_alone_and_the_explanation_are_accepted_with_their_largest_settings(network: str, rule: str) -> None:
    state = harsh(network, rule=rule, steps=MAX_STEPS, samples=MAX_SAMPLES)
    check_explanation(state, ZOO)
    case, methods = applying(state, list(METHODS))
    for method in methods:
        own = {s.name: int(s.high) for s in method.settings if s.name in MORE}
        check_methods(state.replace(options={method.name: own}), case, [method])


# ---------------------------------------------------------------- what a refusal says


def test_a_refusal_of_one_method_names_the_bound_and_the_settings_that_help(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cost, "MAX_COST", 100_000_000)
    state = harsh("digits-cnn", options={"smooth_integrated_gradients": {"steps": 100, "samples": 100}})
    with pytest.raises(StateError) as refusal:
        check_methods(state, state.case(ZOO), [METHODS["smooth_integrated_gradients"]])
    said = str(refusal.value)
    assert re.fullmatch(
        r"Smooth IG would take about [12],\d\d\d million multiplications, and one question may take 100 million: "
        r"choose a smaller “Steps m, on each path” or “Samples n”",
        said,
    ), said


def test_a_refusal_of_a_method_without_settings_helps_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cost, "MAX_COST", 100_000_000)
    state = harsh("digits-cnn")
    with pytest.raises(StateError, match=r"Shapley values of blocks would take .*: choose another network or a method"):
        check_methods(state, state.case(ZOO), [METHODS["shapley_values"]])


def test_an_explanation_over_the_bound_is_refused_whether_it_comes_as_state_or_link(monkeypatch: pytest.MonkeyPatch) -> None:
    state = harsh("digits", steps=500)
    monkeypatch.setattr(cost, "MAX_COST", cost_of_explanation(state, ZOO) - 1)
    for question in ({"ask": 1, "state": state.to_json()}, {"ask": 1, "link": link_of(state)}):
        with pytest.raises(StateError, match=r"this explanation would take about \d+ million .*: ask for fewer steps m or fewer samples n"):
            respond(question, ZOO)
    assert respond({"ask": 1, "state": harsh("digits").to_json()}, ZOO)["ask"] == 1
