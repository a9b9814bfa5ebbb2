"""What the server answers about single methods, as functions and through the test client."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from itertools import product
from typing import Any

import numpy as np
import pytest
from asgi import client_of, respond
from each import each

from bench.asking import callback_request
from explorer import cost
from explorer.attribution import CORE, METHODS, exact_integrated_gradients
from explorer.models import Model, load_zoo
from explorer.page.answer import answer
from explorer.page.method_answers import MOST, method_answers
from explorer.state import State, StateError

ZOO = load_zoo()
CLIENT = client_of()


def told(state: State, *names: str, zoo: Mapping[str, Model] = ZOO) -> dict[str, Any]:
    """What is said of some methods; strict JSON, which knows no NaN."""
    said: dict[str, Any] = json.loads(json.dumps(method_answers(state, list(names), zoo), allow_nan=False))
    return said


def pixels(value: float) -> tuple[float, ...]:
    return (value,) * 64


CHANGES: dict[str, dict[str, Any]] = {
    "opening": {},
    "logit": {"output": "logit", "target": "predicted"},
    "input is baseline": {"pixels": pixels(0.0)},
    "white": {"pixels": pixels(1.0), "baseline": "white"},
    "bright": {"pixels": pixels(1.0)},
    "least": {"steps": 1, "samples": 1, "noise_level": 0.0},
    "exact": {"rule": "exact", "baseline": "blur"},
}


@each([*product(METHODS, ZOO, CHANGES)])
def test_every_method_answers_or_says_why_not_whatever_the_picture(case: tuple[str, str, str]) -> None:
    name, network, changes = case
    state = State.from_json({"network": network, **CHANGES[changes]}, ZOO)
    said = told(state, name)["methods"][name]
    if "refusal" in said:
        assert said["refusal"] == METHODS[name].unsupported_reason(ZOO[network].network)[0].upper() + METHODS[name].unsupported_reason(ZOO[network].network)[1:] + "."
        return
    assert len(said["map"]) == 64 and all(map(math.isfinite, said["map"]))
    assert said["total"] == pytest.approx(sum(said["map"]), rel=1e-9, abs=1e-12)
    assert (said["expected_sum"] is None) == (said["delta"] is None)
    if said["expected_sum"] is not None:
        assert METHODS[name].complete
        assert said["delta"] == pytest.approx(said["total"] - said["expected_sum"], rel=1e-9, abs=1e-12)
    assert said["forward"] >= 1 and said["backward"] >= 0


@pytest.mark.parametrize("name", CORE)
def test_the_core_methods_say_the_same_here_as_in_the_explanation(name: str) -> None:
    state = State.from_json({"network": "digits", "target": "predicted", "steps": 20, "rule": "trapezoid", "samples": 9}, ZOO)
    one, other = told(state, name)["methods"][name], answer(state, ZOO)["methods"][name]
    np.testing.assert_allclose(one["map"], other["map"], rtol=1e-9, atol=1e-13)
    assert one["snr"] == pytest.approx(other["snr"], rel=1e-9)


def test_under_the_exact_rule_integrated_gradients_are_exact() -> None:
    state = State.from_json({"rule": "exact"}, ZOO)
    found = told(state, "integrated_gradients")["methods"]["integrated_gradients"]
    np.testing.assert_allclose(found["map"], exact_integrated_gradients(state.case(ZOO)).attribution.ravel(), rtol=1e-12)
    assert abs(found["delta"]) < 1e-12


def test_a_difference_that_is_rounding_is_nothing_to_have_a_share_of() -> None:
    white = State.from_json({"pixels": pixels(1.0), "baseline": "blur"}, ZOO)  # the same but for the blur's rounding
    assert told(white, "integrated_gradients")["methods"]["integrated_gradients"]["share"] is None
    assert answer(white, ZOO)["methods"]["integrated_gradients"]["share"] is None


def test_what_does_not_apply_does_not_stand_in_the_way_of_the_others() -> None:
    said = told(State(), "gradient", "cam", "lrp_zplus")["methods"]
    assert list(said) == ["gradient", "cam", "lrp_zplus"]
    assert [name for name, one in said.items() if "refusal" in one] == ["cam"]


def test_an_option_reaches_its_method() -> None:
    state = State.from_json({"options": {"lrp_epsilon": {"epsilon": 3.0}}}, ZOO)
    found = told(state, "lrp_epsilon")["methods"]["lrp_epsilon"]["map"]
    expected = METHODS["lrp_epsilon"](state.case(ZOO), epsilon=3.0).attribution.ravel()
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    assert not np.allclose(found, told(State(), "lrp_epsilon")["methods"]["lrp_epsilon"]["map"])


@pytest.mark.parametrize(
    "question",
    [
        None,
        {"ask": 1},
        {"ask": 1, "state": {}, "methods": []},
        {"ask": 1, "state": {}, "methods": "gradient"},
        {"ask": 1, "state": {}, "methods": ["no such"]},
        {"ask": 1, "state": {}, "methods": ["gradient", "gradient"]},
        {"ask": 1, "state": {}, "methods": [["gradient"]]},
        {"ask": 1, "state": {}, "methods": list(METHODS)[: MOST + 1]},
        {"ask": 1, "state": {"steps": 0}, "methods": ["gradient"]},
        {"ask": -1, "state": {}, "methods": ["gradient"]},
        {"ask": 1, "state": {}, "methods": ["gradient"], "more": 1},
    ],
)
def test_what_is_no_question_about_methods_is_refused_in_one_sentence(question: object) -> None:
    with pytest.raises(StateError):
        respond(question, ZOO)
    refused = CLIENT.post("/_dash-update-component", json=callback_request("method-answers", "method-question", question))
    assert refused.status_code == 400
    assert refused.get_data(as_text=True).count("\n") == 1 and "Traceback" not in refused.get_data(as_text=True)


HEAVY = State.from_json(
    {
        "network": "digits-cnn",
        "pixels": pixels(1.0),
        "options": {
            "smooth_integrated_gradients": {"steps": 100, "samples": 100},
            "averaged_baselines": {"steps": 100, "baselines": 100},
        },
    },
    ZOO,
)


def test_methods_that_are_too_much_together_are_refused_with_the_bound_and_answered_apart() -> None:
    names = ["smooth_integrated_gradients", "averaged_baselines", "shapley_values"]
    question = {"ask": 1, "state": HEAVY.to_json(), "methods": names}
    with pytest.raises(StateError, match=r"these 3 methods together would take about [\d,]+ million .* 6,500 million: ask for fewer"):
        respond(question, ZOO)
    for name in names[:2]:
        assert "map" in told(HEAVY, name)["methods"][name]


def test_what_does_not_apply_is_no_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cost, "MAX_COST", cost.METHOD * 2)
    assert "refusal" in told(State(), "gradient", "cam", "grad_cam", "guided_grad_cam")["methods"]["cam"]


def test_any_worker_answers_alike() -> None:
    question = {"ask": 7, "state": State().to_json(), "methods": ["deeplift", "smooth_integrated_gradients", "vargrad"]}
    one, other = respond(question, ZOO), respond(question, load_zoo())
    assert one["ask"] == 7
    for name in question["methods"]:  # type: ignore[attr-defined]
        np.testing.assert_allclose(one["methods"][name]["map"], other["methods"][name]["map"], rtol=1e-12, atol=1e-15)
