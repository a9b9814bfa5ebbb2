"""Sensitivity-n and infidelity: exact for linear functions, as scipy and captum compute them, and never NaN."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from each import each
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats  # type: ignore[import-untyped]

from explorer.attribution import (
    METHODS,
    Case,
    Network,
    changes_of,
    exact_integrated_gradients,
    infidelity,
    random_maps,
    sensitivity_n,
    subsets,
)
from explorer.attribution.network import Output

from .toys import (
    ALL_NETWORKS,
    BLACK,
    WHITE,
    Floats,
    all_networks,
    delta_f,
    embed,
    f_at,
    f_module,
    first,
    outputs,
    picture,
    random_case,
)

SIZES = (1, 2, 5, 17, 40, 63)


def linear_case(seed: int) -> Case:
    rng = np.random.default_rng(seed)
    return Case(Network(first(rng.standard_normal((2, 64)), 0.3)), rng.random((8, 8)), BLACK, 0, "logit")


# Linear functions


@given(st.integers(0, 2**32 - 1))
def test_gradient_times_input_foretells_a_linear_function_exactly(seed: int) -> None:
    case = linear_case(seed)
    attribution = METHODS["gradient_times_input"](case).attribution
    drawn = subsets(case, SIZES, 20, seed)
    (right,), (opposite,), (half,) = (sensitivity_n(maps[None], drawn) for maps in (attribution, -attribution, attribution / 2))
    assert np.allclose(np.array(right, float), 1, rtol=0, atol=1e-10) and np.allclose(np.array(opposite, float), -1, rtol=0, atol=1e-10)
    assert np.allclose(np.array(half, float), 1, rtol=0, atol=1e-10)
    masks = drawn.masks.reshape(-1, 8, 8)
    changes = drawn.changes.ravel()
    found = infidelity(np.stack([attribution, attribution / 2, BLACK]), masks, changes)
    assert np.allclose(found, [0, (changes**2).mean() / 4, (changes**2).mean()], rtol=1e-10, atol=1e-24)
    # the gradient itself, for the perturbations themselves, of any kind
    gradient = METHODS["gradient"](case).attribution[None]
    noise = random_maps(10, seed)
    for perturbations, differences in ((drawn.perturbations, drawn.changes), (noise, changes_of(case, noise))):
        assert infidelity(gradient, perturbations, differences)[0] <= 1e-24


def test_the_scale_of_f_does_not_count() -> None:
    for scale in (1e-100, 1e100):
        case = Case(Network(first([[scale, 2 * scale], [0, 0]])), picture(0), BLACK, 0, "logit")
        (found,) = sensitivity_n(METHODS["gradient_times_input"](case).attribution[None], subsets(case, (20, 40), 10))
        assert np.allclose(np.array(found, float), 1, rtol=0, atol=1e-10)


def test_sums_of_all_pixels_have_no_correlation() -> None:
    case = linear_case(0)
    assert sensitivity_n(random_maps(2, 0), subsets(case, (64,), 10)) == [[None], [None]]


def test_infidelity_by_hand() -> None:
    # F = 3 x₀ + 2 x₁ at (1, ½); I takes 1 from x₀, then ½ from x₁; the map says (2, 2) per unit
    case = Case(Network(first([[3, 2], [0, 0]])), embed(1, 0.5), BLACK, 0, "logit")
    taken = np.stack([embed(1), embed(0, 0.5)])
    assert np.allclose(changes_of(case, taken), [3, 1], rtol=1e-15)
    assert np.allclose(infidelity(embed(2, 2)[None], taken, np.array([3.0, 1.0])), [((2 - 3) ** 2 + (1 - 1) ** 2) / 2], rtol=1e-15)
    # best factor: (2 · 3 + 1 · 1) / (2² + 1²) = 7/5, so errors 14/5 − 3 and 7/5 − 1
    assert np.allclose(infidelity(embed(2, 2)[None], taken, np.array([3.0, 1.0]), scaled=True), [(0.2**2 + 0.4**2) / 2], rtol=1e-14)
    # which undoes any size of the map and of I, as long as they are numbers
    for size, step in ((1, 1e-200), (8e307, 2), (1e-300, 1)):
        found = infidelity(size * embed(2, 2)[None], step * taken, np.array([3.0, 1.0]), scaled=True)
        assert np.allclose(found, [(0.2**2 + 0.4**2) / 2], rtol=1e-14)


# Any function


@all_networks
@outputs
def test_they_are_what_scipy_and_a_loop_say(network: Network, output: Output) -> None:
    case = random_case(network, 5, output)
    maps = np.concatenate([random_maps(2, 1), METHODS["integrated_gradients"](case).attribution[None]])
    drawn = subsets(case, (1, 6, 50), 12, seed=3)
    (start,) = f_at(case, case.input[None])
    for s, size in enumerate(drawn.sizes):
        assert (drawn.masks[s].sum(axis=1) == size).all()
        without = np.where(drawn.masks[s].reshape(-1, 8, 8), case.baseline, case.input)
        changes = start - f_at(case, without)
        assert np.abs(drawn.changes[s] - changes).max() <= 1e-12 * max(1, abs(start))
        for j, found in enumerate(sensitivity_n(maps, drawn)):
            sums = [maps[j].ravel()[mask].sum() for mask in drawn.masks[s]]
            assert found[s] == pytest.approx(stats.pearsonr(sums, changes).statistic, abs=1e-9)
    errors = [[(mask @ each_map.ravel() - change) ** 2 for mask, change in zip(drawn.masks.reshape(-1, 64), drawn.changes.ravel(), strict=True)] for each_map in maps]
    assert np.allclose(infidelity(maps, drawn.masks.reshape(3, 12, 8, 8), drawn.changes), np.mean(errors, axis=1), rtol=1e-12)


def test_occlusion_of_one_pixel_has_sensitivity_1_exactly(zoo_case: Case) -> None:
    (found,) = sensitivity_n(METHODS["occlusion"](zoo_case, window=1).attribution[None], subsets(zoo_case, (1, 8), 50))
    assert found[0] == pytest.approx(1, abs=1e-10) and found[1] is not None and found[1] < 0.999


def test_a_complete_map_foretells_the_change_to_the_baseline(zoo_case: Case) -> None:
    exact = exact_integrated_gradients(zoo_case).attribution
    assert infidelity(exact[None], WHITE[None], np.array([delta_f(zoo_case)]))[0] <= 1e-24
    assert changes_of(zoo_case, zoo_case.difference[None])[0] == pytest.approx(delta_f(zoo_case), abs=1e-12)


@given(st.integers(0, 2**32 - 1), st.sampled_from([-1e300, 1e-300, -2.5, 1e9]))
def test_the_scale_of_a_map_counts_only_where_it_should(seed: int, factor: float) -> None:
    case = random_case(ALL_NETWORKS["flat"], seed % 1000)
    drawn = subsets(case, (3, 30), 15, seed)
    maps = random_maps(1, seed)
    maps /= np.abs(maps).max()
    sign = np.sign(factor)
    one, other = sensitivity_n(maps, drawn)[0], sensitivity_n(maps * factor, drawn)[0]
    assert np.allclose(np.array(one, float), sign * np.array(other, float), rtol=0, atol=1e-9)
    masks = drawn.masks.reshape(2, 15, 8, 8)
    best = infidelity(maps, masks, drawn.changes, scaled=True)
    assert np.allclose(infidelity(maps * factor, masks, drawn.changes, scaled=True), best, rtol=1e-9)
    assert (best <= infidelity(maps * np.array([[[0.0]], [[0.01]], [[-0.01]], [[1.0]]]), masks, drawn.changes) * (1 + 1e-12)).all()


def test_all_sets_of_a_size_are_equally_likely_and_the_seed_says_which() -> None:
    case = linear_case(0)
    drawn = subsets(case, (2,), 4000, seed=1)
    masks = drawn.masks[0].astype(float)
    pairs = masks.T @ masks
    once = 4000 * 2 / 64
    assert np.abs(pairs.diagonal() - once).max() < 5 * np.sqrt(once)
    expected = 4000 / (64 * 63 / 2)
    off = pairs[np.triu_indices(64, 1)]
    assert stats.chisquare(off, np.full(off.size, expected)).pvalue > 1e-4
    assert np.array_equal(subsets(case, (2,), 50, seed=1).masks, subsets(case, (2,), 50, seed=1).masks)
    assert not np.array_equal(subsets(case, (2,), 50, seed=1).masks, subsets(case, (2,), 50, seed=2).masks)


# Degenerate cases


def test_without_variance_there_is_no_correlation() -> None:
    case = random_case(ALL_NETWORKS["flat"], 0)
    drawn = subsets(case, (1, 5, 30), 20)
    assert sensitivity_n(np.stack([np.full((8, 8), 0.1), BLACK]), drawn) == [[None] * 3] * 2
    assert sensitivity_n(random_maps(1, 0), subsets(case, (5,), 1)) == [[None]]
    same = replace(case, baseline=case.input)
    assert sensitivity_n(random_maps(1, 0), subsets(same, (5,))) == [[None]]
    # changes that are rounding of a saturated probability
    sure = Case(Network(first([[1e-16], [0]], [3, 0])), WHITE, BLACK, 0)
    assert sensitivity_n(random_maps(1, 0), subsets(sure, (1, 30))) == [[None, None]]


def test_a_map_of_zeros_misses_all_changes_however_scaled() -> None:
    changes = np.array([1.0, 3.0])
    for scaled in (False, True):
        assert infidelity(BLACK[None], random_maps(2, 0), changes, scaled=scaled).tolist() == [5]


@each(
    ("ask", "reason"),
    [
        (lambda case: subsets(case, (0,)), "sizes must be 1 to 64"),
        (lambda case: subsets(case, (65,)), "sizes must be 1 to 64"),
        (lambda case: subsets(case, ()), "sizes must be 1 to 64"),
        (lambda case: subsets(case, (1.5,)), "whole number"),
        (lambda case: subsets(case, (1,), 0), "1 or more"),
        (lambda case: sensitivity_n(np.zeros((1, 64)), subsets(case, (1,), 2)), "shape"),
        (lambda case: infidelity(BLACK[None], BLACK[None], np.zeros(2)), "shape"),
        (lambda case: infidelity(BLACK[None], np.zeros((0, 8, 8)), np.zeros(0)), "shape"),
        (lambda case: infidelity(np.full((1, 8, 8), np.nan), BLACK[None], np.zeros(1)), "not finite"),
        (lambda case: infidelity(np.full((1, 8, 8), 1e300), WHITE[None], np.zeros(1)), "infidelities are not finite"),
        (lambda case: changes_of(case, np.zeros((2, 64))), "shape"),
    ],
)
def test_what_makes_no_sense_is_refused(ask: Callable[[Case], object], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        ask(linear_case(0))


# Captum


@all_networks
@outputs
def test_captum_has_the_same_infidelity_for_the_same_perturbations(network: Network, output: Output) -> None:
    library = importlib.import_module("captum.metrics")
    case = random_case(network, 7, output)
    maps = np.concatenate([random_maps(1, 4), METHODS["gradient"](case).attribution[None], BLACK[None]])
    drawn = subsets(case, (1, 9), 10, seed=2)
    for taken in (drawn.perturbations.reshape(-1, 8, 8), 0.1 * random_maps(20, 0)):
        for scaled in (False, True):
            found = infidelity(maps, taken, changes_of(case, taken), scaled=scaled)
            for j, attribution in enumerate(maps):
                theirs = library.infidelity(
                    f_module(case),
                    lambda x, taken=taken: (torch.tensor(taken).reshape(x.shape), x - torch.tensor(taken).reshape(x.shape)),
                    tensor(case, case.input),
                    tensor(case, attribution),
                    target=case.target,
                    n_perturb_samples=len(taken),
                    normalize=scaled,
                )
                assert found[j] == pytest.approx(theirs.item(), rel=1e-9, abs=1e-15)


def tensor(case: Case, x: Floats) -> torch.Tensor:
    return torch.tensor(x).reshape(1, *case.network.input_shape)


@pytest.fixture
def zoo_case() -> Case:
    return Case(ALL_NETWORKS["image"], picture(0), BLACK, 0)
