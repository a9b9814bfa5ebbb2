"""Shapley values: games computed by hand, the axioms, all orders of joining, Captum; and KernelSHAP against them."""

from __future__ import annotations

import copy
import importlib
import itertools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from explorer.attribution import METHODS, Case, Network
from explorer.attribution.coalitions import BLOCKS, game, members
from explorer.attribution.field import values_at
from explorer.attribution.methods.shapley import draw, kernel_shap, kernel_weights, shapley_values
from explorer.attribution.network import Output

from .toys import (
    ALL_NETWORKS,
    BLACK,
    WHITE,
    ZOO,
    Floats,
    all_networks,
    delta_f,
    embed,
    first,
    linear,
    outputs,
    picture,
    random_case,
    relative_error,
    zoo_networks,
)

both = pytest.mark.parametrize("method", ["shapley_values", "kernel_shap"])


def by_orders(worths: Floats) -> Floats:
    """Shapley values from their definition: the mean over all orders of joining."""
    count = len(worths).bit_length() - 1
    values = np.zeros(count)
    for order in itertools.permutations(range(count)):
        number = 0
        for player in order:
            values[player] += worths[number | 1 << player] - worths[number]
            number |= 1 << player
    return values / math.factorial(count)


def block_sums(attribution: Floats) -> Floats:
    return np.bincount(BLOCKS.ravel(), attribution.ravel())


def f_of(case: Case) -> Any:
    """F for Captum: pictures (k, 8, 8) in, (k,) out."""

    def f(pictures: torch.Tensor) -> torch.Tensor:
        logits = case.network.logits(pictures)
        return (logits if case.output == "logit" else case.network.probabilities(logits))[:, case.target]

    return f


def by_kernel(worths: Floats) -> Floats:
    """KernelSHAP's values when all coalitions are asked."""
    count = len(worths).bit_length() - 1
    among = members(np.arange(1, len(worths) - 1), count)
    weights = kernel_weights(count)[among.sum(axis=1) - 1]
    return kernel_shap(among, worths[1:-1], worths[0], worths[-1], weights)[0]


def test_the_glove_game() -> None:
    # players 0 and 1 hold a left glove each, player 2 the right one; a pair is worth 1
    worths = np.array([0, 0, 0, 0, 0, 1, 1, 1.0])
    np.testing.assert_allclose(shapley_values(worths), [1 / 6, 1 / 6, 4 / 6], rtol=1e-15)
    np.testing.assert_allclose(by_kernel(worths), [1 / 6, 1 / 6, 4 / 6], rtol=1e-13)


def test_the_airport_game() -> None:
    # runways that cost 8, 11, 13, 18: each metre is shared by the airlines that need it
    costs = [8, 11, 13, 18]
    worths = np.array(
        [max([c for i, c in enumerate(costs) if number >> i & 1], default=0) for number in range(16)], float
    )
    expected = [2, 3, 4, 9]
    np.testing.assert_allclose(shapley_values(worths), expected, rtol=1e-14)
    np.testing.assert_allclose(by_kernel(worths), expected, rtol=1e-13)


def test_games_of_nobody_one_and_two() -> None:
    assert shapley_values(np.array([3.0])).shape == (0,)
    assert shapley_values(np.array([1.0, 4.0])).tolist() == [3]
    assert shapley_values(np.array([1.0, 2.0, 5.0, 10.0])).tolist() == [3, 6]
    with pytest.raises(ValueError, match="2 to some power, not 6"):
        shapley_values(np.zeros(6))


def test_the_shapley_kernel_of_four_players() -> None:
    np.testing.assert_allclose(kernel_weights(4), [3 / (4 * 3), 3 / (6 * 4), 3 / (4 * 3)])


@given(st.integers(0, 10**6), st.integers(1, 6))
def test_values_are_the_mean_over_all_orders(seed: int, count: int) -> None:
    worths = np.random.default_rng(seed).standard_normal(2**count)
    np.testing.assert_allclose(shapley_values(worths), by_orders(worths), rtol=0, atol=1e-13)


@given(st.integers(0, 10**6), st.integers(2, 9))
def test_kernel_shap_of_all_coalitions_is_shapley(seed: int, count: int) -> None:
    worths = np.random.default_rng(seed).standard_normal(2**count)
    np.testing.assert_allclose(by_kernel(worths), shapley_values(worths), rtol=0, atol=1e-11)


@given(st.integers(0, 10**6), st.integers(2, 10))
def test_the_axioms_hold(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    worths, others = rng.standard_normal((2, 2**count))
    values = shapley_values(worths)
    assert values.sum() == pytest.approx(worths[-1] - worths[0], abs=1e-12)
    np.testing.assert_allclose(shapley_values(2 * worths - others), 2 * values - shapley_values(others), atol=1e-12)
    # a newcomer who adds nothing gets exactly nothing and takes nothing from the rest
    joined = shapley_values(np.concatenate([worths, worths]))
    assert joined[-1] == 0
    np.testing.assert_allclose(joined[:-1], values, atol=1e-12)
    # the reversed game, in which players leave, has the same values
    np.testing.assert_allclose(shapley_values(-worths[::-1]), values, atol=1e-12)


@all_networks
@outputs
def test_five_players_get_captums_shapley_values(network: Network, output: Output) -> None:
    attr = importlib.import_module("captum.attr")
    case = random_case(network, 2, output)
    regions = np.minimum(BLOCKS // 3, 4)  # Captum goes through all orders: 120
    found = attr.ShapleyValues(f_of(case)).attribute(
        torch.tensor(case.input)[None],
        torch.tensor(case.baseline)[None],
        feature_mask=torch.tensor(regions)[None],
        perturbations_per_eval=6,
    )
    values = shapley_values(game(case, regions).worth_of_all())
    assert (
        relative_error(values[regions], found[0].numpy()) < 5e-6
    )  # each pixel its player's value; in single precision


@all_networks
@outputs
@both
def test_the_sum_is_what_f_changes_by(network: Network, output: Output, method: str) -> None:
    case = random_case(network, 3, output)
    answer = METHODS[method](case)
    assert answer.expected_sum == pytest.approx(delta_f(case), rel=1e-12, abs=1e-13)
    assert answer.attribution.sum() == pytest.approx(answer.expected_sum, rel=1e-11, abs=1e-13)
    assert np.isfinite(answer.attribution).all()
    assert answer.backward == 0
    assert np.array_equal(answer.attribution, METHODS[method](case).attribution)


@both
def test_a_linear_logit_is_shared_exactly(method: str) -> None:
    weights = np.random.default_rng(0).standard_normal(64)
    case = Case(Network(linear([weights, -weights], [1, 2])), picture(0), picture(1), 0, "logit")
    expected = block_sums(weights.reshape(8, 8) * case.difference)
    answer = METHODS[method](case)
    assert relative_error(block_sums(answer.attribution), expected) < 1e-11
    assert answer.error is None or answer.error.max() < 1e-12


@both
def test_an_and_of_two_blocks_is_shared_in_halves(method: str) -> None:
    # F = max(0, x₀₀ + x₀₂ − 1) with both 1: neither alone reaches it
    both_needed = nn.Sequential(first([[1, 0, 1]], -1), nn.ReLU())
    answer = METHODS[method](Case(Network(both_needed, activation="sigmoid"), embed(1, 0, 1), BLACK, 0, "logit"))
    np.testing.assert_allclose(block_sums(answer.attribution)[:3], [0.5, 0.5, 0], atol=1e-14)
    np.testing.assert_allclose(answer.attribution[0, :2], 0.125, rtol=1e-13)  # a quarter of the block's value each
    assert answer.forward == 4


@both
def test_blocks_that_equal_the_baseline_get_exactly_zero(method: str) -> None:
    x = np.where(np.arange(8) < 4, picture(4), 0)
    answer = METHODS[method](Case(ALL_NETWORKS["flat"], x, BLACK, 1))
    assert (answer.attribution[:, 4:] == 0).all()
    assert (answer.attribution[:, :4] != 0).any()
    assert answer.forward == 256


@both
@pytest.mark.parametrize("pair", [(BLACK, BLACK), (WHITE, WHITE), (BLACK, WHITE)])
def test_no_difference_and_no_reaction_give_zero(method: str, pair: tuple[Floats, Floats]) -> None:
    constant = Network(linear(np.zeros((3, 64)), [1, 2, 3]))
    saturated = Network(linear(np.full((2, 64), [[1e4], [-1e4]]), 1e6))
    assert not METHODS[method](Case(constant, *pair, 0)).attribution.any()
    answer = METHODS[method](Case(saturated, *pair, 0))
    assert np.isfinite(answer.attribution).all()
    assert answer.attribution.sum() == pytest.approx(answer.expected_sum, abs=1e-12)


@zoo_networks
def test_many_coalitions_come_close_to_shapley_and_the_error_says_how_close(zoo_network: Network) -> None:
    case = Case(zoo_network, picture(1), BLACK, 0)
    exact = METHODS["shapley_values"](case).attribution
    convolutional = zoo_network is ZOO["digits-cnn"]  # slow, and no different
    for coalitions in (200, 2000) if convolutional else (200, 2000, 20_000):
        answers = [METHODS["kernel_shap"](case, coalitions=coalitions, seed=seed) for seed in range(8)]
        off = np.array([answer.attribution - exact for answer in answers])
        said = np.array([answer.error for answer in answers])
        assert 0.6 < np.sqrt((off**2).mean() / (said**2).mean()) < 1.6
        assert {answer.forward for answer in answers} == {coalitions + 2}


def test_coalitions_are_drawn_in_opposite_pairs_by_the_kernel() -> None:
    drawn = draw(6, 20_000, 0)
    assert np.array_equal(drawn[1::2], ~drawn[::2])
    sizes = np.bincount(drawn.sum(axis=1), minlength=7)
    assert sizes[0] == sizes[6] == 0
    expected = np.array([1 / (s * (6 - s)) for s in range(1, 6)])
    np.testing.assert_allclose(sizes[1:6] / sizes.sum(), expected / expected.sum(), atol=0.01)
    np.testing.assert_allclose(drawn[::2].mean(axis=0), 0.5, atol=0.02)
    assert np.array_equal(drawn, draw(6, 20_000, 0)) and not np.array_equal(drawn, draw(6, 20_000, 1))


@all_networks
@outputs
def test_the_regression_is_captums_on_the_same_coalitions(network: Network, output: Output) -> None:
    attr = importlib.import_module("captum.attr")
    importlib.import_module("sklearn")
    case = random_case(network, 4, output)
    drawn = draw(16, 200, 5)

    class Given(attr.KernelShap):  # type: ignore[misc]
        def kernel_shap_perturb_generator(self, inputs: torch.Tensor, **kwargs: object) -> Iterator[torch.Tensor]:
            yield torch.ones(1, 16, dtype=torch.long)
            yield torch.zeros(1, 16, dtype=torch.long)
            for row in drawn:
                yield torch.tensor(row[None], dtype=torch.long)

    # it keeps F in single precision, so F counts from its value at the baseline, in units of the change
    none, everyone = values_at(case, np.stack([case.baseline, case.input])).tolist()
    captum = Given(lambda pictures: (f_of(case)(pictures) - none) / (everyone - none))
    found = captum.attribute(
        torch.tensor(case.input)[None],
        torch.tensor(case.baseline)[None],
        feature_mask=torch.tensor(BLOCKS.copy())[None],
        n_samples=402,
        perturbations_per_eval=402,
        return_input_shape=False,
    )
    worths = game(case).worth(np.concatenate([np.zeros((1, 16), bool), np.ones((1, 16), bool), drawn]))
    ours = kernel_shap(drawn, worths[2:], worths[0], worths[1])[0]
    assert (
        relative_error(ours / (everyone - none), found.numpy().ravel()) < 1e-5
    )  # its ends are held by a weight of 10⁶
    assert relative_error(kernel_shap(drawn[:300], worths[2:302], worths[0], worths[1])[0], ours) > 1e-3


def test_a_network_that_would_take_seconds_is_refused_in_a_sentence() -> None:
    heavy = Network(
        nn.Sequential(nn.Conv2d(1, 32, 3), nn.ReLU(), nn.Conv2d(32, 32, 3), nn.Flatten(), nn.Linear(512, 3))
    )
    refusal = METHODS["shapley_values"].unsupported_reason(heavy)
    assert "KernelSHAP" in refusal
    with pytest.raises(ValueError, match="take too long"):
        METHODS["shapley_values"](random_case(heavy, 0))
    assert METHODS["kernel_shap"](random_case(heavy, 0), coalitions=64).forward == 66
    assert not any(METHODS["shapley_values"].unsupported_reason(network) for network in ALL_NETWORKS.values())


def test_the_network_is_left_as_it_was() -> None:
    network = ALL_NETWORKS["image"]
    before = copy.deepcopy(network.module.state_dict())
    METHODS["kernel_shap"](random_case(network, 0))
    assert all(torch.equal(value, before[name]) for name, value in network.module.state_dict().items())
