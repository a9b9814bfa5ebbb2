"""ROAD: the imputation solves its equations, and curves are F of the imputed pictures."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from each import each
from hypothesis import given
from hypothesis import strategies as st

from explorer.attribution import Case, Network, area, imputed, pixel_order, random_maps, road_curves, road_noise
from explorer.attribution.perturbation import Masks

from .toys import ALL_NETWORKS, BLACK, Floats, all_networks, f_at, picture, random_case

RAMP: Floats = np.add.outer(0.1 * np.arange(8), 0.03 * np.arange(8))


def mean_of_neighbours(values: Floats, row: int, column: int) -> float:
    """The weighted mean that a removed pixel must be."""
    total = weights = 0.0
    for r in range(max(row - 1, 0), min(row + 2, 8)):
        for c in range(max(column - 1, 0), min(column + 2, 8)):
            if (r, c) != (row, column):
                weight = 1 / 6 if r == row or c == column else 1 / 12
                total, weights = total + weight * values[r, c], weights + weight
    return total / weights


def masks(seed: int, count: int) -> Masks:
    rng = np.random.default_rng(seed)
    return rng.random((count, 64)) < rng.random((count, 1))


# Imputation


@given(st.integers(0, 2**32 - 1))
def test_each_removed_pixel_is_the_weighted_mean_of_its_neighbours(seed: int) -> None:
    x, removed = picture(seed), masks(seed, 4)
    for found, mask in zip(imputed(x, removed), removed.reshape(-1, 8, 8), strict=True):
        assert np.array_equal(found[~mask], x[~mask])
        for r, c in np.argwhere(mask):
            assert found[r, c] == pytest.approx(mean_of_neighbours(found, r, c), abs=1e-12)
        if not mask.all():
            assert x[~mask].min() - 1e-12 <= found.min() and found.max() <= x[~mask].max() + 1e-12


def test_one_pixel_by_hand_and_two_that_depend_on_each_other() -> None:
    x = picture(0)
    removed = np.zeros((3, 8, 8), bool)
    removed[0, 0, 0] = removed[1, 3, 4] = True
    removed[2, 0, 0] = removed[2, 0, 1] = True
    corner, middle, pair = imputed(x, removed.reshape(3, 64))
    assert corner[0, 0] == pytest.approx((x[0, 1] / 6 + x[1, 0] / 6 + x[1, 1] / 12) / (5 / 12), rel=1e-13)
    direct, diagonal = x[[2, 4, 3, 3], [4, 4, 3, 5]].sum(), x[[2, 2, 4, 4], [3, 5, 3, 5]].sum()
    assert middle[3, 4] == pytest.approx(direct / 6 + diagonal / 12, rel=1e-13)
    # a · 5/12 − b/6 = p and b · 2/3 − a/6 = q
    p = x[1, 0] / 6 + x[1, 1] / 12
    q = x[0, 2] / 6 + x[1, 1] / 6 + x[1, 0] / 12 + x[1, 2] / 12
    a, b = np.linalg.solve([[5 / 12, -1 / 6], [-1 / 6, 2 / 3]], [p, q])
    assert pair[0, :2] == pytest.approx([a, b], rel=1e-13)


def test_a_ramp_inside_and_a_flat_picture_anywhere_show_no_removal() -> None:
    inside = np.zeros((8, 8), bool)
    inside[1:-1, 1:-1] = picture(3)[1:-1, 1:-1] < 0.7
    assert np.abs(imputed(RAMP, inside.reshape(1, 64)) - RAMP).max() <= 1e-13
    assert np.abs(imputed(np.full((8, 8), 0.3), masks(0, 20)) - 0.3).max() <= 1e-13


def test_with_one_pixel_left_all_are_that_pixel_and_without_any_the_mean() -> None:
    x, removed = picture(1), np.ones((3, 64), bool)
    removed[0, 17] = removed[2, 63] = False
    one, none, last = imputed(x, removed)
    assert np.abs(one - x[2, 1]).max() <= 1e-12 and np.abs(last - x[7, 7]).max() <= 1e-12
    assert np.array_equal(none, np.full((8, 8), x.mean()))


def test_noise_is_added_to_removed_pixels_only() -> None:
    x, removed = picture(2), masks(1, 6)
    noise = random_maps(6, 0)
    clean = imputed(x, removed)
    added = imputed(x, removed, noise) - clean
    assert np.abs(added - np.where(removed.reshape(6, 8, 8), noise, 0)).max() <= 1e-15
    assert np.array_equal(imputed(x, removed, noise[0])[3], imputed(x, removed[3], noise[0]))
    assert road_noise(1).std() == pytest.approx(0.01, rel=0.3) and np.array_equal(road_noise(1), road_noise(1))
    assert np.array_equal(road_noise(1, 0.0), BLACK) and not np.array_equal(road_noise(1), road_noise(2))


# Curves


@all_networks
def test_curves_are_f_of_pictures_without_the_first_pixels(network: Network) -> None:
    case = random_case(network, 2)
    orders = pixel_order(random_maps(6, 3)).reshape(2, 3, 64)
    counts = (0, 1, 30, 63, 64)
    found = road_curves(case, orders, counts, level=0.02, seed=5)
    assert found.shape == (2, 3, 5)
    for place in np.ndindex(2, 3):
        for count, value in zip(counts, found[place], strict=True):
            mask = np.isin(np.arange(64), orders[place][:count])
            changed = imputed(case.input, mask, road_noise(5, 0.02))
            assert value == pytest.approx(f_at(case, changed[None])[0], abs=1e-12)
    assert np.abs(found[..., 0] - f_at(case, case.input[None])).max() <= 1e-12


def test_by_default_every_fourth_pixel_and_reproducible() -> None:
    case = random_case(ALL_NETWORKS["image"], 1)
    orders = pixel_order(random_maps(2, 0))
    curves = road_curves(case, orders)
    assert curves.shape == (2, 16) and np.array_equal(curves, road_curves(case, orders, range(0, 64, 4), level=0.01, seed=0))
    assert not np.array_equal(curves, road_curves(case, orders, seed=1))
    assert area(curves, np.arange(0, 64, 4)) == pytest.approx(area(curves), rel=1e-14)


def test_what_a_single_pixel_showed_is_imputed_where_black_would_erase_it() -> None:
    # on a ramp a map of single pixels removes nothing, so F stays; black changes it
    case = Case(ALL_NETWORKS["flat"], RAMP, BLACK, 1, "logit")
    single = np.zeros((8, 8))
    single[1:7:2, 1:7:2] = 1
    curve = road_curves(case, pixel_order(single), (0, 9), level=0.0)
    assert abs(curve[1] - curve[0]) <= 1e-12


@each(
    ("ask", "reason"),
    [
        (lambda case: imputed(case.input, np.zeros((2, 64))), "booleans"),
        (lambda case: imputed(case.input, np.zeros((8, 8), bool)), "booleans"),
        (lambda case: imputed(np.full((8, 8), np.inf), np.zeros(64, bool)), "finite"),
        (lambda case: imputed(case.input, np.zeros((2, 64), bool), np.zeros((3, 8, 8))), "noise must have shape"),
        (lambda case: road_curves(case, np.arange(64), (65,)), "counts must be 0 to 64"),
        (lambda case: road_curves(case, np.arange(64), ()), "counts must be 0 to 64"),
        (lambda case: road_curves(case, np.zeros(64, int)), "permutation"),
        (lambda case: road_curves(case, np.arange(64), level=-1.0), "noise level"),
        (lambda case: road_noise(-1), "seed"),
    ],
)
def test_what_makes_no_sense_is_refused(ask: Callable[[Case], object], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        ask(random_case(ALL_NETWORKS["flat"], 0))
