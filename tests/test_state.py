"""The state: its defaults and bounds, what it refuses and how it says so."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from strategies import ZOO, json_values, states

from explorer.attribution import SHARED, Settings
from explorer.models import Model
from explorer.state import LOOKS, MAX_SAMPLES, MAX_SEED, MAX_STEPS, PREDICTED, State, StateError, limits

Zoo = Mapping[str, Model]
HALF = [0.5] * 64


def pixels_with(value: Any, at: int = 19) -> list[Any]:
    """A black picture but for one value."""
    return [value if i == at else 0.0 for i in range(64)]


def refusal_of(data: object, zoo: Zoo = ZOO) -> str:
    """The sentence with which a state is refused, checked to be one."""
    with pytest.raises(StateError) as refusal:
        State.from_json(data, zoo)
    return sentence(refusal.value)


def sentence(refusal: StateError) -> str:
    """The message of a refusal, checked to be one short sentence without a full stop of its own."""
    text = str(refusal)
    assert text and "\n" not in text and not text.endswith(".") and len(text) < 500, text
    assert "Traceback" not in text and "<class" not in text and "pydantic" not in text, text
    return text


# ---------------------------------------------------------------- the opening state


def test_the_opening_state_is_a_vertical_edge_before_black_with_fifty_steps(models: Zoo) -> None:
    opening = State()
    edge = np.where(np.arange(8) < 4, 0.9, 0.1) * np.ones((8, 1))
    np.testing.assert_array_equal(opening.picture(), edge)
    assert (opening.baseline, opening.steps, opening.target, opening.network, opening.tab) == ("black", 50, "predicted", "shapes", "integrated")
    assert State.from_json({}, models) == opening
    case = opening.case(models)
    np.testing.assert_array_equal(case.baseline, np.zeros((8, 8)))
    np.testing.assert_array_equal(case.input, edge)
    assert (case.target, case.network) == (0, models["shapes"].network)


def test_defaults_and_bounds_are_those_of_the_engines_settings() -> None:
    assert State().settings() == Settings()
    for setting in SHARED:
        assert State.model_fields[setting.name].default == setting.default
    wanted = {"steps": [1, 500], "samples": [1, 500], "noise_level": [0, 1], "seed": [0, MAX_SEED], "baseline_seed": [0, MAX_SEED]}
    assert limits() == wanted


# ---------------------------------------------------------------- from_json is strict

NO_NUMBERS: list[Any] = [None, "0.5", True, [0.5], {}, math.nan, math.inf, -math.inf, -0.001, 1.001, 2, -1, 10**400, -(10**400)]
NO_WHOLE_NUMBERS: list[Any] = [None, "5", True, 5.0, 5.5, [5], {}, math.nan, -1, 10**9, 10**400]
NO_NAMES: list[Any] = [None, 1, "", [], {}]
# by field: wrong values, and what the refusal of each must say
WRONG: dict[str, list[tuple[list[Any], str]]] = {
    "pixels": [
        ([pixels_with(value) for value in NO_NUMBERS], "the picture must hold numbers from 0 to 1, but row 2, column 3 is"),
        ([[0.0] * count for count in (0, 1, 63, 65)], "values"),
        ([None, 0.5, "black", {}, "0" * 64, {str(i): 0.0 for i in range(64)}], "the picture must be 64 numbers, not "),
    ],
    "drawing": [
        ([pixels_with(value) for value in NO_NUMBERS], "the drawing must hold numbers from 0 to 1, but row 2, column 3 is"),
        ([0, "black", {}, [0.0] * 63, False], "the drawing must be 64 numbers, not "),
    ],
    "network": [
        ([None, 3, [], {}, True], "the network must be a name, not "),
        (["", "resnet", "Shapes", "\ud800"], "the network must be one of shapes, "),
    ],
    "target": [
        ([None, -1, 1.0, "0", "Predicted", True, [], {}, math.nan], "the target must be a class index or 'predicted', not "),
        ([8, 10**300], "the target must be 0 to 7 for the network shapes, not "),
    ],
    "output": [([*NO_NAMES, "loss"], "the output must be one of probability, logit, not ")],
    "baseline": [([*NO_NAMES, "grey"], "the baseline must be one of black, white"), (["drawing"], "no drawing is given")],
    "steps": [([*NO_WHOLE_NUMBERS, 0, MAX_STEPS + 1], "the number of steps m must be a whole number from 1 to 500, not ")],
    "samples": [([*NO_WHOLE_NUMBERS, 0, MAX_SAMPLES + 1], "the number of samples n must be a whole number from 1 to 500, not ")],
    "seed": [([*NO_WHOLE_NUMBERS, MAX_SEED + 1], "the seed must be a whole number from 0 to 999,999, not ")],
    "baseline_seed": [([*NO_WHOLE_NUMBERS, MAX_SEED + 1], "the baseline seed must be a whole number from 0 to 999,999, not ")],
    "noise_level": [([*NO_NUMBERS, 1.01], "the noise level must be a number from 0 to 1, not ")],
    "rule": [([*NO_NAMES, "simpson", "Right", "left\n", "\ud800"], "the rule must be one of left, right, midpoint")],
    "lab": [([None, 3, [], {}, "x" * 41], "the lab must be a name, not ")],
    "lab_settings": [
        ([None, 3, "steps:3", [3], {"steps": None}, {"steps": [1]}, {"x" * 41: 1}, {"steps": "x" * 41}, {str(i): 1 for i in range(21)}, {"x": math.nan}], "the settings of the lab must be an object"),
    ],
    "tab": [([*NO_NAMES, "grad-cam", "\ud800"], "the tab must be one of saliency, ")],
    "scale": [([*NO_NAMES, "log"], "the scale must be one of unit, own, not ")],
    "clip": [([None, 0, 1, "true", [], {}], "clip must be true or false, not ")],
}


@pytest.mark.parametrize("field", WRONG)
def test_each_kind_of_wrong_is_refused_in_a_sentence_that_names_it(field: str) -> None:
    for values, said in WRONG[field]:
        for value in values:
            assert said in refusal_of({field: value}), value


def test_what_contradicts_the_network_and_what_is_no_state_is_refused() -> None:
    assert "0 to 1" in refusal_of({"target": 2, "network": "logistic"})
    assert "0 to 9" in refusal_of({"target": 10, "network": "digits"})
    assert "no drawing" in refusal_of({"baseline": "drawing", "drawing": None})
    for name in ("pixel", "v", "p", "__class__", "to_json", ""):
        assert refusal_of({name: 1}) == f"the state has an unknown field {name!r}"
    for data in (None, [], "", "{}", 1, True, ["pixels"]):
        assert refusal_of(data) == "the state must be an object"


def test_network_names_are_those_of_the_zoo_as_loaded(models: Zoo) -> None:
    zoo = {"mine": models["digits"]}
    assert State.from_json({"network": "mine", "target": 9}, zoo).network == "mine"
    assert refusal_of({"network": "shapes"}, zoo) == "the network must be one of mine, not 'shapes'"


def test_the_bounds_themselves_are_taken(models: Zoo) -> None:
    for data in (
        {"pixels": pixels_with(1)},  # JSON has 1 and 1.0 alike
        {"steps": 1, "samples": 1, "noise_level": 0, "seed": 0, "target": 7},
        {"steps": MAX_STEPS, "samples": MAX_SAMPLES, "noise_level": 1, "seed": MAX_SEED, "target": PREDICTED},
        {"target": 9, "network": "digits", "drawing": None},
        {"baseline": "drawing", "drawing": HALF},
    ):
        kept = State.from_json(data, models).to_json()
        assert {name: kept[name] for name in data} == data


def test_a_state_made_in_python_keeps_to_the_same_bounds_and_cannot_be_changed() -> None:
    for wrong in ({"steps": 0}, {"pixels": HALF[1:]}, {"rule": "simpson"}, {"stepz": 5}, {"baseline": "drawing"}):
        with pytest.raises(ValidationError):
            State().replace(**wrong)
    state = State().replace(steps=7)
    assert state == State(steps=7) != State() and hash(state) == hash(State(steps=7))
    with pytest.raises(ValidationError, match="frozen"):
        state.steps = 8  # type: ignore[misc]


@given(states())
def test_a_state_survives_json(state: State) -> None:
    sent = json.dumps(state.to_json(), allow_nan=False)
    assert State.from_json(json.loads(sent), ZOO) == state


@given(st.dictionaries(st.sampled_from([*State.model_fields, "other"]), json_values, max_size=4))
def test_any_json_is_a_state_or_refused_in_a_sentence(data: dict[str, Any]) -> None:
    try:
        state = State.from_json(data, ZOO)
    except StateError as refusal:
        sentence(refusal)
    else:
        state.case(ZOO)
        state.settings()


@given(states(), states())
def test_states_have_one_cache_key_if_they_differ_in_looks_alone(one: State, other: State) -> None:
    looked = one.replace(**{name: getattr(other, name) for name in LOOKS})
    assert looked.cache_key() == one.cache_key() and looked.cache_key(options=True) == one.cache_key(options=True)
    assert (looked.settings(), looked.case(ZOO).target) == (one.settings(), one.case(ZOO).target)
    assert one.replace(options=other.options).cache_key() == one.cache_key()
    assert (one.replace(options=other.options).cache_key(options=True) == one.cache_key(options=True)) == (one.options == other.options)
