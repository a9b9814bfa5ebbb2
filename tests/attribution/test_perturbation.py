"""Deletion and insertion curves, their order and area, and the greedy order."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from each import each
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from explorer.attribution import (
    METHODS,
    Case,
    Network,
    Output,
    area,
    deletion_curves,
    greedy_order,
    insertion_curves,
    perturbation,
    pixel_order,
    random_maps,
)
from explorer.attribution.perturbation import Orders, values_with_replaced

from .toys import (
    ALL_NETWORKS,
    BLACK,
    WHITE,
    Floats,
    all_networks,
    embed,
    f_at,
    first,
    mlp,
    outputs,
    picture,
    random_case,
)

seeds = st.integers(0, 2**32 - 1)


class Additive(nn.Module):
    """The logit Σ wᵢ xᵢ³ beside one that is always 0."""

    def __init__(self, weights: Floats) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.tensor(weights.ravel()))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        score = (x**3) @ self.weights
        return torch.stack([score, torch.zeros_like(score)], dim=1)


def linear_case() -> Case:
    """F = 3 x₀ + 2 x₁ + x₂ + ½ at (1, ½, ¼)."""
    return Case(Network(first([[3, 2, 1], [0, 0, 0]], 0.5)), embed(1, 0.5, 0.25), BLACK, 0, "logit")


def orders(seed: int, count: int) -> Orders:
    return np.random.default_rng(seed).random((count, 64)).argsort(axis=1)


# Curves


def test_curves_of_a_linear_function_are_known_by_hand() -> None:
    case = linear_case()
    order = pixel_order(METHODS["gradient_times_input"](case).attribution)
    deleted, inserted = deletion_curves(case, order, BLACK), insertion_curves(case, order, BLACK)
    assert np.allclose(deleted, [4.75, 1.75, 0.75] + 62 * [0.5], rtol=0, atol=1e-14)
    assert np.allclose(inserted, [0.5, 3.5, 4.5] + 62 * [4.75], rtol=0, atol=1e-14)
    assert np.isclose(area(deleted), (4.75 / 2 + 1.75 + 0.75 + 61 * 0.5 + 0.25) / 64, rtol=1e-14)
    # white has all three pixels at 1: x₀ is there already
    assert np.allclose(deletion_curves(case, order, WHITE)[:4], [4.75, 4.75, 5.75, 6.5], rtol=0, atol=1e-14)


@all_networks
@outputs
def test_curves_are_those_of_a_loop_over_the_pixels(network: Network, output: Output) -> None:
    case = random_case(network, 3, output)
    case = Case(network, np.where(picture(8) < 0.4, 0.0, case.input), case.baseline, case.target, case.output)
    some = orders(0, 3)
    deleted, inserted = [], []
    for order in some:
        less, more = case.input.ravel().copy(), BLACK.ravel().copy()
        pictures = [[less.copy(), more.copy()]]
        for pixel in order:
            less[pixel], more[pixel] = 0, case.input.ravel()[pixel]
            pictures.append([less.copy(), more.copy()])
        deleted.append(f_at(case, np.array(pictures)[:, 0].reshape(-1, 8, 8)))
        inserted.append(f_at(case, np.array(pictures)[:, 1].reshape(-1, 8, 8)))
    assert np.abs(deletion_curves(case, some, BLACK) - np.stack(deleted)).max() <= 1e-12
    assert np.abs(insertion_curves(case, some, BLACK) - np.stack(inserted)).max() <= 1e-12


@given(seeds, st.sampled_from(list(ALL_NETWORKS)))
def test_insertion_is_deletion_of_the_reversed_order_read_backwards(seed: int, name: str) -> None:
    case = random_case(ALL_NETWORKS[name], seed % 1000)
    order, reference = orders(seed, 2), np.random.default_rng(seed).random((8, 8)).round()
    inserted, deleted = insertion_curves(case, order, reference), deletion_curves(case, order[:, ::-1], reference)
    assert np.abs(inserted - deleted[:, ::-1]).max() <= 1e-12
    ends = f_at(case, np.stack([reference, case.input]))
    assert np.abs(inserted[:, [0, -1]] - ends).max() <= 1e-12


def test_the_same_picture_has_the_same_number_to_the_last_bit(zoo_case: Case) -> None:
    masks = np.random.default_rng(0).random((300, 64)) < 0.5
    agree = (zoo_case.input == 0).ravel()
    assert 5 < agree.sum() < 60
    assert np.array_equal(values_with_replaced(zoo_case, masks | agree, BLACK), values_with_replaced(zoo_case, masks & ~agree, BLACK))
    both = values_with_replaced(zoo_case, np.stack([masks | agree, masks & ~agree]), BLACK)
    assert np.array_equal(both[0], both[1]) and len(np.unique(both)) > 290


def test_pixels_that_are_as_in_the_reference_cost_no_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    case = Case(ALL_NETWORKS["flat"], np.where(np.arange(64).reshape(8, 8) < 10, picture(0), 0.0), BLACK, 0)
    passes = []
    monkeypatch.setattr(perturbation, "values_at", lambda case, points: passes.append(len(points)) or f_at(case, points))
    deletion_curves(case, orders(0, 6), BLACK)
    assert sum(passes) <= 2 + 6 * 9
    passes.clear()
    greedy_order(case, BLACK)
    assert sum(passes) == 1 + 10 * 11 // 2


def test_any_number_of_axes_and_none_at_all() -> None:
    case, some = linear_case(), orders(1, 6)
    curves = deletion_curves(case, some.reshape(2, 3, 64), BLACK)
    assert curves.shape == (2, 3, 65) and np.array_equal(curves.reshape(6, 65), deletion_curves(case, some, BLACK))
    assert deletion_curves(case, some[:0], BLACK).shape == (0, 65)
    assert deletion_curves(case, some[0], BLACK).shape == (65,)


# Order


def test_the_order_is_by_signed_value_and_ties_stay_in_reading_order() -> None:
    values = np.zeros(64)
    values[[9, 5, 40, 3]] = 2, 1, 1 + 1e-15, -1
    order = pixel_order(values.reshape(8, 8)).tolist()
    assert order[:3] == [9, 5, 40] and order[-1] == 3 and order[3:-1] == sorted(order[3:-1])
    assert pixel_order(-values.reshape(8, 8)).tolist()[:2] == [3, 0]
    assert np.array_equal(pixel_order(BLACK), np.arange(64)) and np.array_equal(pixel_order(np.full((8, 8), -0.1)), np.arange(64))


@given(seeds, st.sampled_from([1e-300, 1e-9, 1, 1e300]))
def test_the_order_sorts_and_does_not_depend_on_the_scale(seed: int, scale: float) -> None:
    maps = random_maps(3, seed)
    found = pixel_order(maps)
    ordered = np.take_along_axis(maps.reshape(3, 64), found, axis=1)
    assert (np.diff(ordered, axis=1) <= 1e-11).all() and np.array_equal(np.sort(found, axis=1), np.tile(np.arange(64), (3, 1)))
    assert np.array_equal(pixel_order(maps / np.abs(maps).max() * scale), found)


def test_random_maps_depend_on_their_seed_alone_and_have_uniform_orders() -> None:
    assert np.array_equal(random_maps(3, 5), random_maps(3, 5)) and not np.array_equal(random_maps(3, 5), random_maps(3, 6))
    ranks = pixel_order(random_maps(2000, 0)).argsort(axis=1)
    assert np.abs(ranks.mean(axis=0) - 31.5).max() < 5 * np.sqrt((64**2 - 1) / 12 / 2000)


# Area


def test_the_area_is_the_mean_height() -> None:
    assert np.isclose(area(np.full(65, 0.3)), 0.3, rtol=1e-15)
    assert np.isclose(area(np.linspace(1, 0, 65)), 0.5, rtol=1e-15)
    assert area(np.array([[0.0, 1.0, 1.0], [2.0, 2.0, 2.0]])).tolist() == [0.75, 2.0]
    # from 0 to 3 at uneven positions: ½ · 1 + 1 · 2, over 3
    assert np.isclose(area(np.array([0.0, 1.0, 1.0]), np.array([0, 1, 3])), 2.5 / 3, rtol=1e-15)


# Greedy


def test_the_greedy_order_is_that_of_a_loop() -> None:
    for name, network in ALL_NETWORKS.items():
        for insertion in (False, True):
            case = Case(network, np.where(picture(1) < 0.8, 0.25, picture(2)), BLACK, 1, "logit")
            now, end = (WHITE / 4, case.input) if insertion else (case.input, WHITE / 4)
            left, expected = list(range(64)), []
            for _ in range(64):
                after = [np.where(np.arange(64).reshape(8, 8) == pixel, end, now) for pixel in left]
                values = f_at(case, np.stack(after)).round(11) * (-1 if insertion else 1)
                best = int(values.argmin())
                now = after[best]
                expected.append(left.pop(best))
            assert greedy_order(case, WHITE / 4, insertion=insertion).tolist() == expected, (name, insertion)


@given(seeds)
def test_no_order_has_a_better_first_step(seed: int) -> None:
    case, reference = random_case(ALL_NETWORKS["flat"], seed % 1000), picture(seed)
    one = np.eye(64, dtype=bool)
    lowest = values_with_replaced(case, one, reference)
    assert deletion_curves(case, greedy_order(case, reference), reference)[1] <= lowest.min() + 1e-12
    more = values_with_replaced(case, ~one, reference)
    assert insertion_curves(case, greedy_order(case, reference, insertion=True), reference)[1] >= more.max() - 1e-12


@given(seeds)
def test_greedy_is_the_best_order_everywhere_if_pixels_do_not_interact(seed: int) -> None:
    rng = np.random.default_rng(seed)
    weights, reference = rng.standard_normal((8, 8)), rng.random((8, 8))
    case = Case(Network(Additive(weights)), rng.random((8, 8)), BLACK, 0, "logit")
    greedy = greedy_order(case, reference)
    effects = weights * (case.input**3 - reference**3)
    assert np.array_equal(greedy, pixel_order(effects))
    curve = deletion_curves(case, greedy, reference)
    assert np.abs(curve - (curve[0] - np.append(0, np.cumsum(effects.ravel()[greedy])))).max() <= 1e-12
    assert (deletion_curves(case, orders(seed, 8), reference) >= curve - 1e-12).all()


def test_greedy_misses_pixels_that_matter_only_together() -> None:
    pair = nn.Sequential(first([[1, 1, 0], [0, 0, 1]], [-1, 0]), nn.ReLU(), nn.Linear(2, 2)).double()
    with torch.no_grad():
        pair[2].weight.copy_(torch.tensor([[3.0, 1.0], [0.0, 0.0]]))
        pair[2].bias.zero_()
    case = Case(Network(pair), embed(1, 1, 1), BLACK, 0, "logit")  # F = 3 max(0, x₀ + x₁ − 1) + x₂
    greedy = greedy_order(case, BLACK, insertion=True)
    assert greedy[0] == 2
    assert insertion_curves(case, greedy, BLACK)[2] < insertion_curves(case, pixel_order(embed(2, 2, 1)), BLACK)[2]


def test_steps_that_differ_only_by_rounding_go_in_reading_order() -> None:
    case = Case(Network(first([[0.3, 0.1 + 0.2, 0.3], [0, 0, 0]])), WHITE, BLACK, 0, "logit")
    assert 0.1 + 0.2 > 0.3 and greedy_order(case, BLACK)[:3].tolist() == [0, 1, 2]
    assert greedy_order(case, BLACK, insertion=True)[:3].tolist() == [0, 1, 2]


def test_where_nothing_changes_the_order_is_reading_order() -> None:
    assert np.array_equal(greedy_order(Case(Network(mlp(0)), BLACK, WHITE, 0), BLACK), np.arange(64))
    blind = Case(Network(Additive(np.where(np.arange(64) == 7, 1.0, 0).reshape(8, 8))), picture(0), BLACK, 1, "logit")  # F is 0 everywhere
    assert np.array_equal(greedy_order(blind, WHITE), np.arange(64))


# Errors


@each(
    ("ask", "reason"),
    [
        (lambda case: deletion_curves(case, np.zeros(64, int), BLACK), "permutation"),
        (lambda case: deletion_curves(case, np.arange(63), BLACK), "permutation"),
        (lambda case: insertion_curves(case, np.arange(64.0), BLACK), "permutation"),
        (lambda case: deletion_curves(case, np.arange(64), np.zeros(64)), "the reference must have shape"),
        (lambda case: greedy_order(case, np.full((8, 8), np.nan)), "the reference must hold finite"),
        (lambda case: values_with_replaced(case, np.zeros((2, 64)), BLACK), "booleans"),
        (lambda case: pixel_order(np.full((8, 8), np.inf)), "not finite"),
        (lambda case: pixel_order(np.zeros(64)), "shape"),
        (lambda case: random_maps(-1, 0), "0 or more"),
        (lambda case: area(np.zeros(1)), "two values"),
        (lambda case: area(np.zeros(3), np.array([0, 1, 1])), "ascend"),
        (lambda case: area(np.zeros(3), np.array([0, 1])), "as many positions"),
    ],
)
def test_what_makes_no_sense_is_refused(ask: Callable[[Case], object], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        ask(linear_case())


@pytest.fixture
def zoo_case() -> Case:
    return Case(ALL_NETWORKS["image"], np.where(picture(0) < 0.4, 0.0, picture(1)), BLACK, 0)
