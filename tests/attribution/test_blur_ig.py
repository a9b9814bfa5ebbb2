"""Blur IG: the blur, the path, and PAIR's sum."""

from __future__ import annotations

import importlib
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.attribution import RULES, Case, Network, gradient_field
from explorer.attribution.methods.blur_ig import BLUR_INTEGRATED_GRADIENTS, blurred
from explorer.attribution.network import Output

from .pair import gradients_for
from .toys import (
    BLACK,
    NETWORKS,
    WHITE,
    embed,
    f_at,
    first,
    linear,
    outputs,
    picture,
    random_case,
    relative_error,
)


@given(st.floats(0, 50), st.integers(0, 10**6))
def test_the_blur_is_scipys(sigma: float, seed: int) -> None:
    ndimage = importlib.import_module("scipy.ndimage")
    expected = ndimage.gaussian_filter(picture(seed), sigma, mode="constant") if sigma else picture(seed)
    assert relative_error(blurred(picture(seed), np.array([sigma]))[0], expected) < 1e-12


@pytest.mark.parametrize("sigma", [1e-300, 1e-9, 0.12, 0.125, 0.13, 0.374, 0.375, 1, 1.875, 2, 7.9, 30, 50])
def test_the_blur_is_scipys_where_a_kernel_grows_by_a_pixel_too(sigma: float) -> None:
    ndimage = importlib.import_module("scipy.ndimage")
    expected = ndimage.gaussian_filter(picture(0), sigma, mode="constant") if sigma > 1e-100 else picture(0)
    assert relative_error(blurred(picture(0), np.array([sigma]))[0], expected) < 1e-12


def test_no_blur_is_the_picture_itself_and_black_stays_black() -> None:
    assert np.array_equal(blurred(picture(0), np.zeros(2)), np.stack([picture(0)] * 2))
    assert not blurred(BLACK, np.array([0, 0.5, 50])).any()


def test_a_blur_dims_and_never_leaves_the_pixels_range() -> None:
    sigmas = np.array([0.5, 1, 3, 10, 50])
    for x in (WHITE, picture(1), embed(1.0)):
        seen = blurred(x, sigmas)
        assert seen.min() >= 0
        assert seen.max() <= 1 + 1e-12
        assert (np.diff(seen.sum(axis=(1, 2))) < 0).all()  # ever more of the light leaves the picture


def test_a_point_of_light_becomes_the_kernel() -> None:
    point = np.zeros((8, 8))
    point[3, 4] = 1
    offsets = np.arange(-4, 5)
    kernel = np.exp(-0.5 * offsets.astype(float) ** 2)
    kernel /= kernel.sum()
    found = blurred(point, np.array([1.0]))[0]
    np.testing.assert_allclose(found[3], kernel[4] * kernel[0:8], rtol=1e-13)  # columns 0…7 are −4…3 from the point
    np.testing.assert_allclose(found[:, 4], kernel[4] * kernel[1:9], rtol=1e-13)


@outputs
@pytest.mark.parametrize("kind", NETWORKS)
@pytest.mark.parametrize(("steps", "largest"), [(1, 8.0), (20, 3.0), (50, 8.0), (100, 50.0)])
def test_pairs_blur_ig_agrees_when_its_difference_quotient_spans_a_step(
    kind: str, output: Output, steps: int, largest: float
) -> None:
    saliency = importlib.import_module("saliency.core")
    for seed in range(3):
        case = random_case(NETWORKS[kind], seed, output)
        expected = saliency.BlurIG().GetMask(
            case.input[:, :, None], gradients_for(case), max_sigma=largest, steps=steps, grad_step=largest / steps
        )
        found = BLUR_INTEGRATED_GRADIENTS(case, steps=steps, sigma_max=largest, rule="right").attribution
        assert relative_error(found, expected[:, :, 0]) < 1e-9


@outputs
@pytest.mark.parametrize("step", [0.01, 0.3])
def test_pairs_own_difference_quotient_is_there_on_request(output: Output, step: float) -> None:
    saliency = importlib.import_module("saliency.core")
    for kind, network in NETWORKS.items():
        case = random_case(network, 4, output)
        expected = saliency.BlurIG().GetMask(
            case.input[:, :, None], gradients_for(case), max_sigma=6, steps=40, grad_step=step
        )
        found = BLUR_INTEGRATED_GRADIENTS(case, steps=40, sigma_max=6.0, rule="right", grad_step=step).attribution
        assert relative_error(found, expected[:, :, 0]) < 1e-9, kind


def test_pairs_own_difference_quotient_comes_near_where_the_steps_are_fine() -> None:
    """Near only: where a kernel grows by a pixel the blur jumps, and PAIR counts some jumps often and some never."""
    saliency = importlib.import_module("saliency.core")
    case = random_case(NETWORKS["flat"], 1, "logit")
    expected = saliency.BlurIG().GetMask(case.input[:, :, None], gradients_for(case), max_sigma=3, steps=3000)[:, :, 0]
    found = BLUR_INTEGRATED_GRADIENTS(case, steps=500, sigma_max=3, rule="midpoint").attribution
    assert relative_error(found, expected) < 0.01


@outputs
@pytest.mark.parametrize("rule", RULES)
def test_every_rule_comes_to_the_same_map_and_meets_its_goal(rule: str, output: Output) -> None:
    for seed in range(3):
        case = random_case(NETWORKS["flat"], seed, output)
        found = BLUR_INTEGRATED_GRADIENTS(case, steps=500, rule=rule)
        fine = BLUR_INTEGRATED_GRADIENTS(case, steps=500).attribution
        assert relative_error(found.attribution, fine) < 0.05  # at a kink of F a node is on this side or on that
        assert found.expected_sum is not None
        assert abs(found.attribution.sum() - found.expected_sum) < 0.005 * np.abs(found.attribution).sum()


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("steps", [1, 2, 37])
def test_on_a_linear_network_every_rule_gives_weight_times_what_the_blur_took(rule: str, steps: int) -> None:
    weights = np.random.default_rng(0).standard_normal((3, 64))
    case = Case(Network(linear(weights, [1, 2, 3])), picture(0), BLACK, 1, "logit")
    found = BLUR_INTEGRATED_GRADIENTS(case, steps=steps, rule=rule, sigma_max=2.5)
    expected = weights[1].reshape(8, 8) * (case.input - blurred(case.input, np.array([2.5]))[0])
    assert relative_error(found.attribution, expected) < 1e-12
    assert found.attribution.sum() == pytest.approx(found.expected_sum, rel=1e-11)


@outputs
def test_the_goal_is_f_here_less_f_of_the_blurred_picture(output: Output) -> None:
    case = random_case(NETWORKS["image"], 2, output)
    at = f_at(case, np.stack([case.input, blurred(case.input, np.array([8.0]))[0]]))
    assert BLUR_INTEGRATED_GRADIENTS(case).expected_sum == pytest.approx(at[0] - at[1], rel=1e-12)


@outputs
def test_one_step_is_the_gradient_at_one_blur_times_the_whole_change(output: Output) -> None:
    case = random_case(NETWORKS["flat"], 3, output)
    half, full = blurred(case.input, np.array([2.0, 4.0]))
    gradient = gradient_field(case.network, half[None], case.target, output).gradients[0]
    found = BLUR_INTEGRATED_GRADIENTS(case, steps=1, rule="midpoint", sigma_max=4.0).attribution
    assert relative_error(found, gradient * (case.input - full)) < 1e-12


def test_a_worked_case_of_one_pixel() -> None:
    """A white corner alone: at σ = 1 the corner keeps k(0)², with k(0) = 1/Σ exp(−j²/2) over j = −4…4."""
    k = 1 / sum(np.exp(-0.5 * j * j) for j in range(-4, 5))
    case = Case(Network(first([[3.0], [0.0]])), embed(1.0), BLACK, 0, "logit")
    found = BLUR_INTEGRATED_GRADIENTS(case, sigma_max=1.0).attribution
    assert found[0, 0] == pytest.approx(3 * (1 - k * k), rel=1e-12)
    assert np.count_nonzero(found) == 1


def test_a_black_picture_has_nothing_to_sharpen() -> None:
    answer = BLUR_INTEGRATED_GRADIENTS(Case(NETWORKS["flat"], BLACK, WHITE, 0))
    assert not answer.attribution.any()
    assert answer.expected_sum == pytest.approx(0, abs=1e-15)


def test_the_cases_own_baseline_plays_no_part() -> None:
    cases = [Case(NETWORKS["flat"], picture(0), baseline, 0) for baseline in (BLACK, WHITE)]
    one, two = (BLUR_INTEGRATED_GRADIENTS(case).attribution for case in cases)
    assert np.array_equal(one, two)


def test_a_wider_blur_explains_more_of_a_brightness_detector() -> None:
    network = Network(first([[1.0] * 64, [0.0] * 64]))
    case = Case(network, WHITE, BLACK, 0, "logit")
    sums = [BLUR_INTEGRATED_GRADIENTS(case, sigma_max=sigma).attribution.sum() for sigma in (1.0, 4.0, 16.0)]
    assert all(a < b < 64 for a, b in pairwise(sums))
