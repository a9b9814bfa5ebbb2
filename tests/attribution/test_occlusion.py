"""Occlusion: worked cases, Captum's Occlusion and FeatureAblation, and what must hold whatever the network."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from explorer.attribution import METHODS, Case, Network
from explorer.attribution.methods.occlusion import windows
from explorer.attribution.network import Output

from .toys import (
    ALL_NETWORKS,
    BLACK,
    WHITE,
    Floats,
    all_networks,
    embed,
    f_at,
    first,
    linear,
    mlp,
    outputs,
    picture,
    random_case,
    relative_error,
)

sides = pytest.mark.parametrize("side", [1, 2, 3, 4])
OCCLUSION = METHODS["occlusion"]


def f_of(case: Case) -> Any:
    """F for Captum: pictures (k, 8, 8) in, (k,) out."""

    def f(pictures: torch.Tensor) -> torch.Tensor:
        return torch.from_numpy(f_at(case, pictures.detach().numpy().astype(np.float64)))

    return f


@sides
def test_a_window_stands_at_every_place_once(side: int) -> None:
    found = windows(side)
    assert len({place.tobytes() for place in found}) == len(found) == (9 - side) ** 2
    assert (found.sum(axis=(1, 2)) == side**2).all()
    assert found[0, :side, :side].all() and found[-1, -side:, -side:].all()
    assert found.sum(axis=0).max() == side**2 and found.sum(axis=0)[0, 0] == 1


@all_networks
@outputs
@sides
def test_captum_gives_the_same(network: Network, output: Output, side: int) -> None:
    attr = importlib.import_module("captum.attr")
    for seed in range(2):
        case = random_case(network, seed, output)
        found = attr.Occlusion(f_of(case)).attribute(
            torch.tensor(case.input)[None],
            sliding_window_shapes=(side, side),
            strides=1,
            baselines=torch.tensor(case.baseline)[None],
        )
        assert relative_error(OCCLUSION(case, window=side).attribution, found[0].numpy()) < 1e-6


@all_networks
@outputs
def test_a_window_of_one_pixel_is_captums_feature_ablation(network: Network, output: Output) -> None:
    attr = importlib.import_module("captum.attr")
    case = random_case(network, 3, output)
    found = attr.FeatureAblation(f_of(case)).attribute(
        torch.tensor(case.input)[None], baselines=torch.tensor(case.baseline)[None], perturbations_per_eval=8
    )
    assert relative_error(OCCLUSION(case).attribution, found[0].numpy()) < 1e-6


@sides
def test_of_a_linear_logit_a_window_takes_its_pixels_share(side: int) -> None:
    weights = np.random.default_rng(0).standard_normal(64)
    case = Case(Network(linear([weights, -weights], 3)), picture(0), picture(1), 0, "logit")
    share = weights.reshape(8, 8) * case.difference
    expected = np.zeros((8, 8))
    count = np.zeros((8, 8))
    for row in range(9 - side):
        for column in range(9 - side):
            window = slice(row, row + side), slice(column, column + side)
            expected[window] += share[window].sum()
            count[window] += 1
    answer = OCCLUSION(case, window=side)
    assert relative_error(answer.attribution, expected / count) < 1e-12
    assert (answer.forward, answer.backward, answer.expected_sum) == ((9 - side) ** 2 + 1, 0, None)


def test_an_or_hides_both_pixels_and_an_and_shows_both_whole() -> None:
    # with x₀ = x₁ = 1: min(1, x₀ + x₁) does not fall when one goes, max(0, x₀ + x₁ − 1) falls by all it has
    capped = nn.Sequential(first([[1, 1], [1, 1]], [0, -1]), nn.ReLU(), linear([[1, -1], [0, 1]]))
    network = Network(capped)
    either, both = (OCCLUSION(Case(network, embed(1, 1), BLACK, t, "logit")).attribution for t in (0, 1))
    assert either[0, :2].tolist() == [0, 0]
    assert both[0, :2].tolist() == [1, 1]
    # a window that covers both sees the or: pixel 0 has one window, which covers both; pixel 1 has two
    wide = OCCLUSION(Case(network, embed(1, 1), BLACK, 0, "logit"), window=2).attribution
    assert wide[:2, :4].tolist() == [[1, 0.5, 0, 0], [0.5, 0.25, 0, 0]]


@all_networks
@outputs
@sides
def test_answers_are_finite_and_the_same_again(network: Network, output: Output, side: int) -> None:
    case = random_case(network, 6, output)
    found = OCCLUSION(case, window=side).attribution
    assert np.isfinite(found).all() and found.any()
    assert np.array_equal(found, OCCLUSION(case, window=side).attribution)


@outputs
def test_a_pixel_that_is_not_read_and_one_that_equals_the_baseline_get_zero(output: Output) -> None:
    module = mlp(4)
    assert isinstance(module[0], nn.Linear)
    with torch.no_grad():
        module[0].weight[:, [0, 9, 63]] = 0
    x, baseline = picture(0), picture(1)
    x[3] = baseline[3]
    found = OCCLUSION(Case(Network(module), x, baseline, 2, output)).attribution
    assert np.abs(found.ravel()[[0, 9, 63]]).max() < 1e-15
    assert (found[3] == 0).all()
    assert np.count_nonzero(np.abs(found) > 1e-12) == 64 - 3 - 8


@pytest.mark.parametrize("pair", [(BLACK, BLACK), (WHITE, WHITE), (BLACK, WHITE)])
@sides
def test_no_difference_and_no_reaction_give_zero(pair: tuple[Floats, Floats], side: int) -> None:
    constant = Network(linear(np.zeros((3, 64)), [1, 2, 3]))
    saturated = Network(linear(np.full((2, 64), [[1e4], [-1e4]]), [1e6, -1e6]))
    for network in (constant, saturated):
        assert not OCCLUSION(Case(network, *pair, 0), window=side).attribution.any()


def test_a_window_may_be_one_to_four_pixels_wide() -> None:
    for wrong in (0, 5, 1.5, True):
        with pytest.raises(ValueError, match="window must be"):
            OCCLUSION(random_case(ALL_NETWORKS["flat"], 0), window=wrong)
