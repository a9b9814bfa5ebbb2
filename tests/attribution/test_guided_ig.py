"""Guided IG: the step, the path, and PAIR's algorithm."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import pytest
from each import each
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from explorer.attribution import METHODS, Case, Network
from explorer.attribution.methods.guided_ig import GUIDED_INTEGRATED_GRADIENTS, advance
from explorer.attribution.network import OUTPUTS, Output
from explorer.pictures import PATTERNS

from .pair import OlderNumpy, gradients_for
from .toys import (
    BLACK,
    NETWORKS,
    WHITE,
    Floats,
    delta_f,
    embed,
    first,
    linear,
    mlp,
    outputs,
    picture,
    random_case,
    relative_error,
    zoo_networks,
)


def guided(case: Case, **settings: Any) -> Floats:
    return GUIDED_INTEGRATED_GRADIENTS(case, **settings).attribution


def pairs(case: Case, monkeypatch: pytest.MonkeyPatch, **settings: Any) -> Floats:
    saliency = importlib.import_module("saliency.core")
    monkeypatch.setattr(saliency.guided_ig, "np", OlderNumpy())
    return saliency.GuidedIG().GetMask(case.input, gradients_for(case), x_baseline=case.baseline, **settings)


@zoo_networks
@outputs
def test_pairs_guided_ig_agrees_with_its_defaults(
    zoo_network: Network, output: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    last = len(zoo_network.classes) - 1
    for x, baseline, target in ((picture(0), BLACK, 0), (np.round(picture(1)), BLACK, last), (picture(2), picture(3), last)):
        case = Case(zoo_network, x, baseline, target, output)
        assert relative_error(guided(case), pairs(case, monkeypatch)) < 1e-9


@each("kind", NETWORKS)
@each("fraction", [0.0, 0.1, 0.25, 1.0])
@each("leeway", [0.0, 0.02, 0.3, 1.0])
def test_pairs_guided_ig_agrees_with_other_settings(
    kind: str, fraction: float, leeway: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    for seed, output in enumerate(OUTPUTS if kind == "flat" else OUTPUTS[:1]):  # PAIR is slow, and it asks for gradients only
        case = random_case(NETWORKS[kind], seed, output)
        expected = pairs(case, monkeypatch, x_steps=40, fraction=fraction, max_dist=leeway)
        assert relative_error(guided(case, steps=40, fraction=fraction, max_dist=leeway), expected) < 1e-9


@outputs
@each("kind", NETWORKS)
def test_without_leeway_it_is_integrated_gradients_with_the_left_hand_rule(kind: str, output: Output) -> None:
    case = random_case(NETWORKS[kind], 2, output)
    straight = METHODS["integrated_gradients"](case, steps=60, rule="left").attribution
    assert relative_error(guided(case, steps=60, max_dist=0.0), straight) < 1e-11


@outputs
def test_near_the_straight_path_the_sum_comes_near_its_goal(output: Output) -> None:
    for seed in range(3):
        case = random_case(NETWORKS["flat"], seed, output)
        answer = GUIDED_INTEGRATED_GRADIENTS(case, steps=500)
        assert answer.expected_sum == pytest.approx(delta_f(case), rel=1e-12)
        assert abs(answer.attribution.sum() - delta_f(case)) < 0.01 * np.abs(answer.attribution).sum()


def test_on_a_smooth_network_a_free_path_comes_near_too() -> None:
    """With ReLUs it need not: see the method's text, and the next test."""
    case = random_case(Network(mlp(0, activation=nn.Softplus)), 2, "logit")
    off = [abs(guided(case, steps=steps, max_dist=1.0).sum() - delta_f(case)) for steps in (20, 100, 500)]
    assert off[2] < 0.02 * np.abs(guided(case, steps=500, max_dist=1.0)).sum()
    assert off[2] < off[0] / 4


def test_among_kinks_the_sum_stays_off_with_the_leeway_of_the_default_however_many_steps(zoo: dict[str, Network]) -> None:
    case = Case(zoo["shapes-ordinary"], PATTERNS["edge"], BLACK, 0, "logit")  # whose gradients differ most between pieces
    for steps in (100, 500):
        assert abs(guided(case, steps=steps).sum() - delta_f(case)) > 0.1 * delta_f(case)
        assert abs(guided(case, steps=steps, max_dist=0.0).sum() - delta_f(case)) < 0.01 * delta_f(case)


@each("steps", [1, 2, 30])
@each("leeway", [0.0, 0.02, 1.0])
def test_on_a_linear_network_every_path_gives_weight_times_difference(steps: int, leeway: float) -> None:
    weights = np.random.default_rng(0).standard_normal((3, 64))
    case = random_case(Network(linear(weights)), 1, "logit")
    found = guided(case, steps=steps, max_dist=leeway)
    assert relative_error(found, weights[case.target].reshape(8, 8) * case.difference) < 1e-12


def test_pixels_that_equal_the_baseline_get_exactly_zero() -> None:
    x = picture(0)
    x[2:5] = 0.25
    found = guided(Case(NETWORKS["flat"], x, np.full((8, 8), 0.25), 0))
    assert not found[2:5].any()
    assert (found[[0, 1, 5, 6, 7]] != 0).any()


@each("x", [BLACK, WHITE, picture(0)])
def test_an_input_that_is_its_own_baseline_gets_zeros(x: Floats) -> None:
    answer = GUIDED_INTEGRATED_GRADIENTS(Case(NETWORKS["flat"], x, x, 0))
    assert not answer.attribution.any()
    assert answer.expected_sum == 0


def test_tiny_and_large_differences_are_walked_to_the_end() -> None:
    weights = np.random.default_rng(1).standard_normal((2, 64))
    for scale in (1e-200, 1e-12, 1e6):
        case = Case(Network(linear(weights)), scale * picture(0), BLACK, 0, "logit")
        assert relative_error(guided(case, steps=20), weights[0].reshape(8, 8) * case.input) < 1e-12


def test_a_worked_path_round_a_steep_place() -> None:
    """F = 2x₀ + x₁ + 10 relu(x₀ − x₁) from (0.002, 0.001) to (1, 1): the straight path has x₀ > x₁ all the distance.

    So it finds the gradient (12, −9) everywhere, though F gains almost nothing from the ten. A free path that moves one
    pixel at a time begins with x₁, as 9 < 12, and is past the kink after one step of 1.997/100. From there on the
    gradient is (2, 1): x₁ goes to its end and x₀ follows.
    """
    network = Network(nn.Sequential(
        first([[1.0, 0], [0, 1.0], [1.0, -1.0]]), nn.ReLU(), linear([[2.0, 1.0, 10.0], [0.0] * 3])
    ))
    case = Case(network, embed(1, 1), embed(0.002, 0.001), 0, "logit")
    straight = guided(case, steps=100, max_dist=0.0).ravel()[:2]
    np.testing.assert_allclose(straight, [12 * 0.998, -9 * 0.999], rtol=1e-9)
    found = guided(case, steps=100, fraction=0.0, max_dist=1.0).ravel()[:2]
    np.testing.assert_allclose(found, [2 * 0.998, 0.999 - 10 * 0.01997], rtol=1e-9)


# One step


def step(**given: Any) -> Floats:
    standard: dict[str, Any] = {
        "progress": np.zeros(4), "distance": np.ones(4), "slopes": np.array([3.0, 1, 2, 4]), "alpha": 0.25, "fraction": 0.0,
        "leeway": 1.0,
    }
    return advance(**(standard | given))


def test_the_pixel_with_the_smallest_slope_moves_first_and_takes_the_whole_step_if_it_can() -> None:
    assert step().tolist() == [0, 1, 0, 0]
    assert step(alpha=0.125).tolist() == [0, 0.5, 0, 0]
    assert step(alpha=0.375).tolist() == [0, 1, 0.5, 0]
    assert step(alpha=1.0).tolist() == [1, 1, 1, 1]


def test_leeway_holds_pixels_back_and_drags_them_along() -> None:
    np.testing.assert_allclose(step(leeway=0.25), [0, 0.5, 0.5, 0])
    np.testing.assert_allclose(step(alpha=0.5, leeway=0.25), [0.25, 0.75, 0.75, 0.25])
    np.testing.assert_allclose(step(alpha=0.5, leeway=0.0), [0.5] * 4)


def test_the_fraction_and_ties_move_together() -> None:
    np.testing.assert_allclose(step(fraction=0.34), [0, 0.5, 0.5, 0])
    np.testing.assert_allclose(step(fraction=1.0), [0.25] * 4)
    np.testing.assert_allclose(step(slopes=np.array([1.0, 1, 1, 4])), [1 / 3, 1 / 3, 1 / 3, 0])
    np.testing.assert_allclose(step(slopes=np.zeros(4)), [0.25] * 4)


@each("slope", [np.nan, np.inf])
def test_a_step_ends_whatever_the_slopes(slope: float) -> None:
    for slopes in ([slope] * 4, [slope, 1, 2, slope], [1, 2, 3, slope]):
        np.testing.assert_allclose(step(slopes=np.array(slopes)).sum(), 1)
        assert step(slopes=np.array(slopes), alpha=1.0).tolist() == [1, 1, 1, 1]


def test_pixels_with_a_longer_way_carry_more_of_the_step() -> None:
    np.testing.assert_allclose(step(distance=np.array([1.0, 4, 1, 2]), alpha=0.25), [0, 0.5, 0, 0])
    np.testing.assert_allclose(step(distance=np.array([1.0, 0, 1, 2]), alpha=0.25), [0, 0, 1, 0])


@given(st.integers(0, 10**6), st.floats(0, 1), st.sampled_from([0, 0.02, 0.1, 0.5, 1.0]), st.integers(1, 50))
def test_every_step_arrives_where_it_should_within_its_leeway(
    seed: int, fraction: float, leeway: float, m: int
) -> None:
    rng = np.random.default_rng(seed)
    distance = rng.random(16) * rng.integers(0, 2, 16)
    progress = np.zeros(16)
    for k in range(1, m + 1):
        slopes = np.round(rng.random(16), 1)  # with ties
        moved = advance(progress, distance, slopes, k / m, fraction, leeway)
        assert (moved >= progress).all()
        assert (np.abs(moved[distance > 0] - k / m) <= leeway + 1e-12).all()
        assert abs(distance @ moved - distance.sum() * k / m) <= 1e-9 * distance.sum()
        progress = moved
    np.testing.assert_allclose(progress[distance > 0], 1, rtol=1e-9)
