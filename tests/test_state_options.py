"""Pins and options of single methods: what is refused, and which values a method gets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from strategies import ZOO, json_values, options_of
from test_state import refusal_of, sentence

from explorer.attribution import METHODS, SHARED
from explorer.models import Model
from explorer.state import State, StateError

Zoo = Mapping[str, Model]


def test_pins_and_options_are_checked() -> None:
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"pinned": []}, "1 to 4"),
        ({"pinned": ["gradient", "lime_green"]}, "lime_green"),
        ({"pinned": ["gradient", "gradient"]}, "only once"),
        ({"pinned": ["gradient", "smoothgrad", "vargrad", "deeplift", "cam"]}, "1 to 4"),
        ({"pinned": "gradient"}, "1 to 4"),
        ({"pinned": [5]}, "1 to 4"),
        ({"options": []}, "an object of objects"),
        ({"options": {"nothing": {}}}, "nothing"),
        ({"options": {"lrp_epsilon": 3}}, "an object of objects"),
        ({"options": {"lrp_epsilon": {"epsilon": "0.1"}}}, "LRP-ε: epsilon must be a number"),
        ({"options": {"lrp_epsilon": {"epsilon": 11}}}, "LRP-ε: epsilon must be 0 to 10, not 11"),
        ({"options": {"lrp_epsilon": {"epsilon": float("nan")}}}, "0 to 10"),
        ({"options": {"lrp_epsilon": {"gamma": 1}}}, "LRP-ε has no setting 'gamma'"),
        ({"options": {"smoothgrad": {"samples": 0}}}, "1 to 500"),
        ({"options": {"smoothgrad": {"samples": None}}}, "whole number"),
    ]
    for data, said in wrong:
        assert said in refusal_of(data), data


@given(st.dictionaries(st.sampled_from(["lime", "smoothgrad", "other"]), json_values | st.dictionaries(st.sampled_from(["samples", "lime_samples"]), json_values), max_size=3))
def test_any_json_as_options_is_taken_or_refused_in_a_sentence(data: dict[str, Any]) -> None:
    try:
        State.from_json({"options": data}, ZOO)
    except StateError as refusal:
        sentence(refusal)


@given(st.sets(st.sampled_from(sorted(METHODS)), max_size=3).map(sorted).flatmap(options_of))
def test_of_the_options_those_are_kept_that_are_another_choice_than_the_default(options: dict[str, dict[str, Any]]) -> None:
    kept = State.from_json({"options": options}, ZOO).to_json()["options"]
    for name, method in METHODS.items():
        usual = {setting.name: setting.default for setting in method.settings if setting not in SHARED}
        chosen = {setting: value for setting, value in options.get(name, {}).items() if setting not in usual or value != usual[setting]}
        assert kept.get(name, {}) == chosen
    assert list(kept) == [name for name in METHODS if name in kept]  # in the table's order, so that equal states have equal keys


def test_a_shared_setting_can_be_another_for_one_method_alone(models: Zoo) -> None:
    state = State.from_json({"noise_level": 0.4, "options": {"smoothgrad": {"noise_level": 0.15}}}, models)
    assert state.values(METHODS["smoothgrad"])["noise_level"] == 0.15  # its default, yet a choice
    assert state.values(METHODS["vargrad"])["noise_level"] == 0.4


def test_a_method_gets_the_shared_settings_that_it_lists_and_its_own_options(models: Zoo) -> None:
    state = State.from_json({"steps": 7, "rule": "exact", "seed": 3, "options": {"lrp_epsilon": {"epsilon": 2}}}, models)
    assert state.values(METHODS["integrated_gradients"]) == {"steps": 7, "rule": "gauss-legendre"}
    assert state.values(METHODS["lrp_epsilon"]) == {"epsilon": 2}
    for method in METHODS.values():
        method.values(state.values(method))  # every method accepts what the page sends
