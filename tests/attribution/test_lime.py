"""LIME: linear functions recovered, the kernel by hand, Captum's fit of the same coalitions."""

from __future__ import annotations

import importlib
import itertools
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from explorer.attribution import METHODS, Case, Network
from explorer.attribution.coalitions import BLOCKS, Game
from explorer.attribution.field import values_at
from explorer.attribution.methods.lime import draw, lime, weights
from explorer.attribution.network import Output

from .toys import (
    BLACK,
    WHITE,
    Floats,
    all_networks,
    embed,
    first,
    linear,
    outputs,
    picture,
    random_case,
    relative_error,
    zoo_networks,
)

LIME = METHODS["lime"]


def test_the_kernel_by_hand() -> None:
    among = np.array([[1, 1, 1, 1], [1, 0, 0, 0], [0, 0, 0, 0]], bool)
    np.testing.assert_allclose(weights(among, 0.5), [1, np.exp(-0.5), np.exp(-2)], rtol=1e-14)


@given(st.integers(1, 20), st.floats(0.05, 10))
def test_who_shows_more_weighs_more(count: int, width: float) -> None:
    found = weights(np.tri(count + 1, count, -1, bool), width)
    assert (np.diff(found) > 0).all() or width > 9
    assert found[-1] == 1 and np.isfinite(found).all() and (found >= 0).all()


def test_everybody_comes_first_and_then_each_is_in_half_the_time() -> None:
    drawn = draw(16, 5000, 3)
    assert drawn[0].all() and not drawn[1:9].all(axis=1).any()
    np.testing.assert_allclose(drawn.mean(axis=0), 0.5, atol=0.03)
    assert np.array_equal(drawn[:70], draw(16, 70, 3))
    assert not np.array_equal(drawn, draw(16, 5000, 4))


@given(st.integers(0, 1000), st.floats(0.05, 10))
def test_an_additive_game_is_recovered_whatever_the_kernel(seed: int, width: float) -> None:
    values = np.random.default_rng(seed).standard_normal(16)
    drawn = draw(16, 200, seed)
    fit = lime(drawn, 3 + drawn @ values, weights(drawn, width))
    np.testing.assert_allclose(fit.coefficients[1:], values, atol=1e-8)
    assert fit.coefficients[0] == pytest.approx(-values.sum(), abs=1e-8)  # F of nobody, counted from F of everybody


def test_a_linear_logit_is_shared_by_its_blocks() -> None:
    w = np.random.default_rng(0).standard_normal(64)
    case = Case(Network(linear([w, -w], [1, 2])), picture(0), picture(1), 0, "logit")
    answer = LIME(case)
    blocks = np.bincount(BLOCKS.ravel(), w * case.difference.ravel())
    assert relative_error(answer.attribution, blocks[BLOCKS] / 4) < 1e-12
    assert answer.error is not None and answer.error.max() < 1e-13
    assert (answer.forward, answer.backward, answer.expected_sum) == (1000, 0, None)


def test_an_and_of_two_players_gets_the_plane_through_its_four_corners() -> None:
    # worths 0, 0, 0, 1 with all kernels 1: slopes ½ and ½, as the plane that misses each corner by ¼
    four = np.array(list(itertools.product([True, False], repeat=2)))
    fit = lime(four, four.all(axis=1).astype(float), np.ones(4))
    np.testing.assert_allclose(fit.coefficients, [-1.25, 0.5, 0.5], rtol=1e-13)


@all_networks
@outputs
def test_captum_fits_the_same_coalitions_the_same(network: Network, output: Output) -> None:
    attr = importlib.import_module("captum.attr")
    importlib.import_module("sklearn")
    from captum._utils.models.linear_model import SkLearnLinearRegression
    from captum.attr._core.lime import get_exp_kernel_similarity_function

    case = random_case(network, 2, output)
    base, full = values_at(case, np.stack([case.baseline, case.input])).tolist()
    drawn, kernel = draw(16, 300, 7), get_exp_kernel_similarity_function("cosine", kernel_width=0.25)

    def f(pictures: torch.Tensor) -> torch.Tensor:
        # Captum keeps F in single precision, so F counts from its value at the baseline, in units of the change
        return (torch.from_numpy(values_at(case, pictures.numpy())) - base) / (full - base)

    def given_ones(inputs: torch.Tensor, **kwargs: object) -> Iterator[torch.Tensor]:
        for row in drawn:
            yield torch.tensor(row[None], dtype=torch.float64)

    def shown(coalition: torch.Tensor, inputs: torch.Tensor, **kwargs: object) -> torch.Tensor:
        return torch.where(coalition[0, BLOCKS.copy()] > 0, inputs, torch.tensor(case.baseline))

    def close(inputs: torch.Tensor, shown: torch.Tensor, coalition: torch.Tensor, **kwargs: object) -> float:
        return float(kernel(torch.ones_like(coalition), coalition, None))

    captum = attr.LimeBase(f, SkLearnLinearRegression(), close, given_ones, True, shown, None)
    found = captum.attribute(torch.tensor(case.input)[None], n_samples=300).numpy().ravel()
    worths = Game(case, BLOCKS, 16).worth(drawn)
    ours = lime(drawn, worths, weights(drawn, 0.25)).coefficients[1:]
    assert relative_error(ours / (full - base), found) < 1e-5
    answer = LIME(case, lime_samples=300, seed=7, kernel_width=0.25)
    assert relative_error(answer.attribution, ours[BLOCKS] / 4) < 1e-12
    assert relative_error(lime(drawn, worths, weights(drawn, 0.5)).coefficients[1:], ours) > 1e-4


@all_networks
@outputs
@pytest.mark.parametrize("width", [0.05, 0.25, 10.0])
def test_answers_are_finite_and_the_same_again(network: Network, output: Output, width: float) -> None:
    case = random_case(network, 5, output)
    answer = LIME(case, kernel_width=width, lime_samples=64)
    assert np.isfinite(answer.attribution).all() and answer.attribution.any()
    assert answer.error is not None and np.isfinite(answer.error).all()
    assert np.array_equal(answer.attribution, LIME(case, kernel_width=width, lime_samples=64).attribution)
    assert not np.array_equal(answer.attribution, LIME(case, kernel_width=width, lime_samples=64, seed=1).attribution)


@zoo_networks
def test_the_error_says_how_far_another_draw_would_be(zoo_network: Network) -> None:
    case = Case(zoo_network, picture(1), BLACK, 0)
    answers = [LIME(case, seed=seed) for seed in range(40)]
    spread = np.std([answer.attribution for answer in answers], axis=0, ddof=1)
    said = np.mean([answer.error for answer in answers if answer.error is not None], axis=0)
    assert 0.8 < np.sqrt((spread**2).mean() / (said**2).mean()) < 1.25


@pytest.mark.parametrize("pair", [(BLACK, BLACK), (WHITE, WHITE), (BLACK, WHITE)])
def test_no_difference_and_no_reaction_give_zero(pair: tuple[Floats, Floats]) -> None:
    constant = Network(linear(np.zeros((3, 64)), [1, 2, 3]))
    saturated = Network(linear(np.full((2, 64), [[1e4], [-1e4]]), [1e6, -1e6]))
    for network in (constant, saturated):
        answer = LIME(Case(network, *pair, 0))
        assert not answer.attribution.any()
        assert answer.error is not None and not answer.error.any()


def test_one_block_that_matters_gets_what_it_changes() -> None:
    network = Network(nn.Sequential(first([[3.0], [0.0]]), nn.ReLU()))
    answer = LIME(Case(network, embed(0.5), BLACK, 0, "logit"))
    np.testing.assert_allclose(answer.attribution[:2, :2], 1.5 / 4, rtol=1e-12)
    assert np.abs(answer.attribution[2:]).max() < 1e-14
