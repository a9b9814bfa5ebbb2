"""The question and the settings: what is refused, and that a case cannot change."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
import torch
from each import each

from explorer.attribution import Case, Network, Settings

from .toys import BLACK, WHITE, mlp, picture

NETWORK = Network(mlp(0))


def test_a_case_keeps_its_own_copy_of_the_pictures() -> None:
    mine = picture(0)
    case = Case(NETWORK, mine, BLACK, 0)
    mine[:] = 7
    assert np.array_equal(case.input, picture(0))


def test_a_case_cannot_be_changed() -> None:
    case = Case(NETWORK, picture(0), BLACK, 0)
    with pytest.raises(ValueError, match="read-only"):
        case.input[0, 0] = 1
    with pytest.raises(dataclasses.FrozenInstanceError):
        case.target = 1  # type: ignore[misc]


def test_pictures_are_double_precision_whatever_they_were() -> None:
    case = Case(NETWORK, WHITE.astype(np.float32), np.zeros((8, 8), dtype=int), 0)
    assert case.input.dtype == case.baseline.dtype == np.float64
    assert np.array_equal(case.difference, WHITE)


@each("name", ["input", "baseline"])
@each(
    ("bad", "message"),
    [
        (np.zeros(64), r"shape \(8, 8\), not \(64,\)"),
        (np.zeros((1, 8, 8)), r"shape \(8, 8\), not \(1, 8, 8\)"),
        (np.full((8, 8), np.nan), "finite"),
        (np.full((8, 8), -np.inf), "finite"),
        (np.ones((8, 8), complex), "real numbers, not complex"),
        (torch.zeros(8, 8, dtype=torch.complex64), "real numbers, not complex"),
        (np.ma.masked_less(picture(0), 0.5), "not be masked"),
        ([np.ma.masked_less(row, 0.5) for row in picture(0)], "not be masked"),
        ([[0.5] * 8] * 7 + [[0.5] * 7], "real numbers in an array, and numpy makes none of this list"),
        (torch.zeros(8, 8, requires_grad=True), "real numbers in an array, and numpy makes none of this Tensor"),
        ([["0.5"] * 8] * 8, "real numbers, not <U3"),
        (np.zeros((8, 8), "datetime64[s]"), "real numbers, not datetime64"),
    ],
)
def test_a_picture_of_another_shape_or_not_finite_is_refused_by_name(name: str, bad: Any, message: str) -> None:
    pictures = {"input": BLACK, "baseline": BLACK} | {name: bad}
    with pytest.raises(ValueError, match=f"the {name} must .*{message}"):
        Case(NETWORK, **pictures, target=0)


@each("target", [-1, 5])
def test_an_unknown_target_is_refused(target: int) -> None:
    with pytest.raises(ValueError, match=f"0 to 4, not {target}"):
        Case(NETWORK, WHITE, BLACK, target)


def test_a_module_that_is_not_a_network_yet_is_refused() -> None:
    with pytest.raises(ValueError, match=r"must be a Network, such as Network\(module\), not a Sequential"):
        Case(mlp(0), WHITE, BLACK, 0)  # type: ignore[arg-type]


def test_an_unknown_output_is_refused() -> None:
    with pytest.raises(ValueError, match="'logits'"):
        Case(NETWORK, WHITE, BLACK, 0, "logits")  # type: ignore[arg-type]


@each(
    ("settings", "message"),
    [
        ({"steps": 0}, "steps must be at least 1, not 0"),
        ({"samples": 0}, "samples must be at least 1, not 0"),
        ({"rule": "simpson"}, "'simpson'"),
        ({"rule": "exact"}, "call exact_integrated_gradients"),
        ({"noise_level": -0.1}, "noise level must be 0 or more"),
        ({"noise_level": float("nan")}, "noise level must be 0 or more"),
        ({"noise_level": float("inf")}, "noise level"),
        ({"seed": -1}, "seed must be 0 or more"),
        ({"noise_range": "pixels"}, "noise_range must be one of .*'pixels'"),
        ({"of": "sign"}, "of must be one of .*'sign'"),
        ({"variance_of": "square"}, "variance_of must be one of .*'square'"),
        ({"ddof": 2}, "ddof must be 0 or 1, not 2"),
        ({"ddof": True}, "ddof must be a whole number"),
    ],
)
def test_settings_out_of_range_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Settings(**settings)
