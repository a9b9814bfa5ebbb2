"""The lab shift: its maps are those of a network whose first bias was changed by hand, and its sentences are true."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from packed import floats
from strategies import ZOO, states

from explorer.attribution import METHODS, Case, Network
from explorer.labs import LABS
from explorer.labs.shift import CONSTANTS
from explorer.pictures import PATTERNS
from explorer.state import State
from labs.said import all_are_true, answer_of

C = {"minus-one": -np.ones((8, 8)), "half": np.full((8, 8), 0.5), "checkerboard": np.array(PATTERNS["checkerboard"])}
SLOPES, NEVER = {"gradient", "smoothgrad", "guided_backprop"}, {"gradient_times_input", "lrp_epsilon"}


def moved_by_hand(case: Case, c: Any, *, references: bool) -> Case:
    """The shifted question, with the paper's bias b₁ − W₁ c."""
    network = case.network
    module = copy.deepcopy(network.module)
    first = next(layer for layer in module.modules() if isinstance(layer, torch.nn.Linear))
    with torch.no_grad():
        first.bias -= first.weight @ torch.from_numpy(c.ravel())
    background = network.background + (c if references else 0)  # type: ignore[operator]
    moved = Network(module, activation=network.activation, classes=network.classes, background=background)
    return Case(moved, case.input + c, case.baseline + (c if references else 0), case.target, case.output)


def f_of(case: Case) -> float:
    logits = case.network.logits(torch.from_numpy(case.input[None].copy())).detach()
    scores = logits if case.output == "logit" else case.network.probabilities(logits)
    return float(scores[0, case.target])


@given(states(), st.sampled_from(sorted(CONSTANTS)))
@settings(max_examples=12)
def test_maps_and_sentences_are_those_of_a_network_changed_by_hand(state: State, constant: str) -> None:
    assume(state.network != "digits-cnn")
    answer, case = answer_of("shift", state, constant=constant), state.case(ZOO)
    cases = [case, *(moved_by_hand(case, C[constant], references=references) for references in (False, True))]
    names = answer["methods"]
    assert set(names) >= SLOPES | {"integrated_gradients", "expected_gradients"}
    maps = floats(answer["maps"]).reshape(len(names), 3, 8, 8)
    changed: dict[str, list[bool]] = {}
    for i, name in enumerate(names):
        true = np.stack([METHODS[name](asked).attribution for asked in cases])
        np.testing.assert_allclose(maps[i], true, atol=1e-6 * np.abs(true).max() + 1e-30)
        off = np.abs(true[1:] - true[0]).max(axis=(1, 2))
        scale = max(np.abs(true).max(), 1e-3)
        changed[name] = (off > 1e-8 * scale).tolist()
        assert answer["titles"][i] == METHODS[name].title
        for k in (0, 1):
            peak = max(np.abs(true[0]).max(), np.abs(true[k + 1]).max())
            assert np.isclose(answer["differences"][i][k], off[k] / peak if peak else 0, rtol=1e-6, atol=1e-9)
            if off[k] > 1e-8 * scale or off[k] < 1e-12 * peak:  # not where rounding is all that there is
                assert answer["changed"][i][k] == changed[name][k], name
    assert answer["input"] == case.input.ravel().tolist() and answer["baseline"] == case.baseline.ravel().tolist()
    counts = [sum(flags[k] for flags in answer["changed"]) for k in (0, 1)]
    said_of = {(False, False): 0, (False, True): 1, (True, False): 2, (True, True): 3}
    outcome = said_of[answer["changed"][names.index("gradient")][0], answer["changed"][names.index("integrated_gradients")][0]]
    assert answer["outcome"] == outcome

    def names_those_that_changed(said: Any) -> bool:
        moved = [METHODS[name].title for name, (_, late) in zip(names, answer["changed"], strict=True) if late]
        return said.numbers == {"moved": counts[1], "all": len(names)} and ("(" not in said.text or all(title in said.text for title in moved))

    all_are_true(
        "shift",
        answer,
        {
            "which stay": lambda said: said.text == LABS["shift"].choices[outcome],
            "the same answer": lambda said: all(np.isclose(value, f_of(case), rtol=1e-9, atol=1e-12) for value in said.numbers.values()),
            "baseline kept": lambda said: said.numbers == {"kept": counts[0], "all": len(names)},
            "baseline shifted": names_those_that_changed,
        },
    )


def test_what_a_shifted_baseline_saves() -> None:
    three = State(network="digits", pixels=tuple(PATTERNS["ring"].ravel().tolist()))
    for constant in CONSTANTS:
        answer = answer_of("shift", three, constant=constant)
        changed = dict(zip(answer["methods"], answer["changed"], strict=True))
        assert answer["outcome"] == 1
        for name, flags in changed.items():
            assert flags == [name not in SLOPES, name in NEVER], name


def test_where_the_picture_is_the_baseline_only_a_kept_baseline_gives_a_map() -> None:
    answer = answer_of("shift", State(network="digits", pixels=(0.0,) * 64))
    maps = dict(zip(answer["methods"], floats(answer["maps"]).reshape(-1, 3, 64), strict=True))
    before, kept, moved = maps["integrated_gradients"]
    assert not before.any() and not moved.any() and kept.any()
    assert answer["differences"][answer["methods"].index("integrated_gradients")] == [1.0, 0.0]


def test_the_convolutional_network_is_refused_with_another_to_use() -> None:
    lab = LABS["shift"]
    assert {name for name in ZOO if lab.unsupported(State(network=name), ZOO)} == {"digits-cnn"} and lab.instead == {"network": "digits"}
