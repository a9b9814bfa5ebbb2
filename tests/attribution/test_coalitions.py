"""The game of blocks, the worths of its coalitions, and the least-squares fit that two methods share."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.attribution import Case, Network
from explorer.attribution.coalitions import BLOCKS, Game, game, least_squares, members
from explorer.attribution.field import values_at
from explorer.attribution.network import Output

from .toys import (
    ALL_NETWORKS,
    BLACK,
    Floats,
    all_networks,
    embed,
    f_at,
    first,
    outputs,
    picture,
    random_case,
)


def halves(case: Case) -> Game:
    """Top, bottom left and bottom right."""
    regions = np.zeros((8, 8), int)
    regions[4:, :4], regions[4:, 4:] = 1, 2
    return game(case, regions)


def test_the_blocks_are_two_by_two_in_reading_order() -> None:
    assert BLOCKS[:2, :4].tolist() == [[0, 0, 1, 1], [0, 0, 1, 1]]
    assert BLOCKS[6:, 4:].tolist() == [[14, 14, 15, 15], [14, 14, 15, 15]]
    assert np.bincount(BLOCKS.ravel()).tolist() == [4] * 16
    with pytest.raises(ValueError, match="read-only"):
        BLOCKS[0, 0] = 1


def test_a_coalition_shows_the_inputs_pixels_and_the_rest_the_baselines() -> None:
    case = random_case(ALL_NETWORKS["flat"], 0)
    found = halves(case).pictures(np.array([[False, False, False], [True, False, True], [True, True, True]]))
    assert np.array_equal(found[0], case.baseline)
    assert np.array_equal(found[1][:4], case.input[:4])
    assert np.array_equal(found[1][4:, :4], case.baseline[4:, :4])
    assert np.array_equal(found[1][4:, 4:], case.input[4:, 4:])
    assert np.array_equal(found[2], case.input)


def test_the_bits_of_a_coalitions_number_say_who_is_in() -> None:
    assert members(np.array([0, 1, 6]), 3).tolist() == [[False] * 3, [True, False, False], [False, True, True]]


@all_networks
@outputs
def test_the_worths_of_all_coalitions_are_f_of_their_pictures(network: Network, output: Output) -> None:
    players = game(random_case(network, 1, output))
    worths = players.worth_of_all()
    assert worths.shape == (65536,)
    some = np.random.default_rng(0).integers(0, 65536, 200)
    pictures = players.pictures(members(some, 16))
    np.testing.assert_allclose(worths[some], f_at(players.case, pictures), rtol=1e-12)
    np.testing.assert_allclose(
        worths[[0, -1]], f_at(players.case, np.stack([players.case.baseline, players.case.input]))
    )
    assert np.array_equal(players.worth(members(some, 16)), values_at(players.case, pictures))


def test_blocks_that_equal_the_baseline_do_not_play() -> None:
    case = Case(ALL_NETWORKS["flat"], embed(0.5, 0, 0.25, 0, 0, 0, 1e-300), BLACK, 0)
    players = game(case)
    assert players.count == 3
    assert players.regions[0].tolist() == [0, 0, 1, 1, -1, -1, 2, 2]
    assert players.regions[1].tolist() == [0, 0, 1, 1, -1, -1, 2, 2]
    assert (players.regions[2:] == -1).all()
    shown = players.pictures(members(np.arange(8), 3))
    assert np.array_equal(np.unique(shown.reshape(8, -1), axis=0), np.unique(shown[::-1].reshape(8, -1), axis=0))
    assert np.array_equal(shown[-1], case.input) and np.array_equal(shown[0], case.baseline)


def test_nobody_plays_where_the_input_is_the_baseline() -> None:
    players = game(Case(ALL_NETWORKS["flat"], picture(0), picture(0), 1))
    assert players.count == 0
    assert players.worth_of_all().shape == (1,)
    assert np.array_equal(players.to_pixels(np.empty(0)), BLACK)


@given(st.integers(0, 100))
def test_sharing_a_players_value_among_its_pixels_keeps_sums(seed: int) -> None:
    rng = np.random.default_rng(seed)
    regions = np.unique(rng.integers(0, 9, 64), return_inverse=True)[1].reshape(8, 8)
    players = game(random_case(ALL_NETWORKS["flat"], seed), regions)
    values = rng.standard_normal(players.count)
    found = players.to_pixels(values)
    for player, value in enumerate(values):
        assert found[regions == player].sum() == pytest.approx(value, rel=1e-12)
        assert np.ptp(found[regions == player]) == 0


def test_all_coalitions_of_more_than_16_players_are_not_asked_for() -> None:
    with pytest.raises(ValueError, match="at most 16 players, not 64"):
        game(random_case(ALL_NETWORKS["flat"], 0), np.arange(64).reshape(8, 8)).worth_of_all()


def test_a_question_of_many_pictures_is_asked_in_passes_of_bounded_size() -> None:
    sizes: list[int] = []
    network = Network(first(np.eye(2)))
    network.module.register_forward_hook(lambda module, args, out: sizes.append(len(out)))
    case = random_case(network, 0, "logit")
    pictures = np.random.default_rng(0).random((2500, 8, 8))
    assert np.array_equal(values_at(case, pictures), pictures[:, 0, 0])
    assert sizes == [1024, 1024, 452]


def unweighted(rows: Floats, values: Floats) -> Floats:
    return np.linalg.lstsq(rows, values, rcond=None)[0]


@given(st.integers(0, 100))
def test_whole_weights_are_repeated_rows(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows, values, times = rng.standard_normal((12, 4)), rng.standard_normal(12), rng.integers(1, 4, 12)
    found = least_squares(rows, values, times.astype(float)).coefficients
    expected = unweighted(np.repeat(rows, times, axis=0), np.repeat(values, times))
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(
        least_squares(rows, values).coefficients, unweighted(rows, values), rtol=1e-9, atol=1e-12
    )


def test_where_many_coefficients_fit_the_smallest_do() -> None:
    fit = least_squares(np.array([[1.0, 1.0, 0.0]]), np.array([3.0]))
    np.testing.assert_allclose(fit.coefficients, [1.5, 1.5, 0], atol=1e-15)
    np.testing.assert_allclose(fit.deviations, 0, atol=1e-15)


def test_the_deviations_of_a_mean_are_its_standard_errors_terms() -> None:
    values = np.random.default_rng(0).standard_normal(40)
    fit = least_squares(np.ones((40, 1)), values)
    assert fit.coefficients[0] == pytest.approx(values.mean(), rel=1e-12)
    assert np.sqrt((fit.deviations**2).sum()) == pytest.approx(values.std() / np.sqrt(40), rel=1e-12)
