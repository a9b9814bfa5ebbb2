"""Pins and options of single methods: what is refused, what is kind to a damaged link, and what a method is told."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest

from explorer.attribution import METHODS, Setting
from explorer.models import Model
from explorer.state import MAX_QUERY, MAX_SEED, State, StateError

Zoo = Mapping[str, Model]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"pinned": []}, "1 to 4"),
        ({"pinned": ["gradient", "lime_green"]}, "lime_green"),
        ({"pinned": ["gradient", "gradient"]}, "only once"),
        ({"pinned": ["gradient", "smoothgrad", "vargrad", "deeplift", "cam"]}, "1 to 4"),
        ({"pinned": "gradient"}, "1 to 4"),
        ({"options": []}, "an object of objects"),
        ({"options": {"nothing": {}}}, "nothing"),
        ({"options": {"lrp_epsilon": 3}}, "an object of objects"),
        ({"options": {"lrp_epsilon": {"epsilon": "0.1"}}}, "LRP-ε: epsilon must be a number"),
        ({"options": {"lrp_epsilon": {"epsilon": 11}}}, "0 to 10"),
        ({"options": {"lrp_epsilon": {"epsilon": float("nan")}}}, "0 to 10"),
        ({"options": {"lrp_epsilon": {"gamma": 1}}}, "no setting 'gamma'"),
        ({"options": {"smoothgrad": {"samples": 0}}}, "1 to 500"),
    ],
)
def test_pins_and_options_are_checked(data: dict[str, Any], said: str, models: Zoo) -> None:
    with pytest.raises(StateError, match=re.escape(said)):
        State.from_json(data, models)


@pytest.mark.parametrize("text", ["lrp_epsilon", "lrp_epsilon.epsilon", "lrp_epsilon.epsilon:much", "no.such:1", ".:", "a.b:c"])
def test_damaged_options_in_a_link_get_a_notice_and_the_defaults(text: str, models: Zoo) -> None:
    state, notices = State.from_query(f"?v=1&m=70&set={text}", models)
    assert (state.options, state.steps, len(notices)) == ((), 70, 1)


def test_an_option_for_every_setting_of_every_method_still_fits_into_a_link(models: Zoo) -> None:
    def another(setting: Setting) -> Any:
        if setting.choices:
            return max((choice for choice in setting.choices if choice != setting.default), key=len)
        if isinstance(setting.default, bool):
            return not setting.default
        middle = (setting.low + setting.high) / 2
        return int(middle) if isinstance(setting.default, int) else middle + 0.012345678901234

    own = tuple((name, s.name, another(s)) for name, method in METHODS.items() for s in method.settings)
    painted = [tuple((i * k % 97) / 97 for i in range(64)) for k in (5, 7)]
    state = State(
        pixels=painted[0], drawing=painted[1], baseline="drawing", network="digits-rewritten", target=9, output="logit",
        baseline_seed=MAX_SEED, steps=499, rule="captum-trapezoid", samples=499, noise_level=0.123, seed=MAX_SEED, clip=True,
        options=own, pinned=tuple(sorted(METHODS, key=len)[-4:]), tab="integrated", scale="shared",
    )  # fmt: skip
    state = State.from_json(state.to_json(), models)  # without those whose middle is the default
    link = state.to_query()
    assert len(state.options) > 50 and len(link) <= MAX_QUERY
    back, notices = State.from_query(link, models)
    assert notices == [] and back.options == state.options and back.pinned == state.pinned


def test_one_damaged_option_leaves_the_others(models: Zoo) -> None:
    state, notices = State.from_query("?v=1&set=lime.lime_samples:300,foo.x:1,lrp_epsilon.epsilon:1e1,occlusion.window:99", models)
    assert state.options == (("lrp_epsilon", "epsilon", 10.0), ("lime", "lime_samples", 300))
    assert len(notices) == 2 and "foo" in notices[0] and "window" in notices[1]


def test_an_option_at_its_default_is_not_kept(models: Zoo) -> None:
    assert State.from_json({"options": {"lrp_epsilon": {"epsilon": 0.1}}}, models) == State()


def test_a_shared_setting_can_be_another_for_one_method_alone(models: Zoo) -> None:
    state = State.from_json({"noise_level": 0.4, "options": {"smoothgrad": {"noise_level": 0.15}}}, models)
    assert state.values(METHODS["smoothgrad"])["noise_level"] == 0.15  # its default, yet a choice
    assert state.values(METHODS["vargrad"])["noise_level"] == 0.4
    assert State.from_query(state.to_query(), models) == (state, [])


def test_a_method_is_told_the_shared_settings_that_it_lists_and_its_own_options(models: Zoo) -> None:
    state = State.from_json({"steps": 7, "rule": "exact", "seed": 3, "options": {"lrp_epsilon": {"epsilon": 2}}}, models)
    assert state.values(METHODS["integrated_gradients"]) == {"steps": 7, "rule": "gauss-legendre"}
    assert state.values(METHODS["lrp_epsilon"]) == {"epsilon": 2}
    for method in METHODS.values():
        method.values(state.values(method))  # what the page says, every method accepts
