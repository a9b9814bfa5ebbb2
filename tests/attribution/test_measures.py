"""The numbers beside the pictures."""

from __future__ import annotations

import numpy as np
import pytest
from each import each
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats  # type: ignore[import-untyped]

from explorer.attribution import (
    completeness,
    figures,
    mean_magnitude,
    rank_correlations,
    snr,
    statistical_snr,
    top_pixels,
)

from .toys import BLACK, WHITE, Floats, embed, picture

maps = hnp.arrays(np.float64, (8, 8), elements=st.floats(-1, 1, allow_subnormal=False))
signed = 2 * picture(0) - 1


@each(
    ("bad", "reason"),
    [
        (signed + 1j, "must hold real numbers, not complex"),
        (np.ma.masked_less(signed, 0), "must not be masked"),
        (np.where(signed < 0, np.nan, signed), r"are not finite: \d+ of"),
        (np.where(signed < 0, np.inf, signed), r"are not finite: \d+ of"),
    ],
)
def test_maps_that_are_not_real_and_finite_are_refused(bad: Floats, reason: str) -> None:
    stack = np.ma.stack([bad, signed]) if np.ma.isMaskedArray(bad) else np.stack([bad, signed])
    for ask in (
        lambda: completeness(bad, 1.0),
        lambda: mean_magnitude(bad),
        lambda: snr(bad),
        lambda: top_pixels(bad),
        lambda: statistical_snr(bad, np.abs(signed)),
        lambda: statistical_snr(signed, bad),
        lambda: figures(stack, 1.0),
        lambda: rank_correlations(stack),
    ):
        with pytest.raises(ValueError, match=f"^the attributions {reason}"):
            ask()


# Peak to mean


def test_snr_of_a_flat_map_is_1_whatever_the_signs() -> None:
    assert snr(0.3 * WHITE) == 1
    assert snr(np.where(picture(0) < 0.5, -0.3, 0.3)) == 1


@each("value", [1.0, -0.7, 1e-300, 5e-324, 1e300])
def test_snr_of_a_single_pixel_is_64(value: float) -> None:
    assert snr(embed(0, 0, value)) == 64


def test_snr_of_a_zero_map_is_0() -> None:
    assert snr(BLACK) == 0


def test_snr_is_peak_over_mean() -> None:
    assert snr(signed) == pytest.approx(np.abs(signed).max() / np.abs(signed).mean(), rel=1e-14)


@given(attribution=maps)
def test_snr_lies_between_1_and_64_or_is_0(attribution: Floats) -> None:
    assert 1 <= snr(attribution) <= 64 * (1 + 1e-15) if attribution.any() else snr(attribution) == 0


@each("scale", [-1.0, 1e-300, 3e-12, 1e300])
def test_snr_does_not_depend_on_scale_or_sign(scale: float) -> None:
    assert snr(scale * signed) == pytest.approx(snr(signed), rel=1e-13)


def test_mean_magnitude_takes_magnitudes_before_the_mean() -> None:
    assert mean_magnitude(embed(1, -3)) == 4 / 64
    assert mean_magnitude(BLACK) == 0


# Signal to noise


def test_statistical_snr_is_the_median_of_mean_over_error() -> None:
    error = picture(1) + 0.1
    assert statistical_snr(signed, error) == pytest.approx(np.median(np.abs(signed) / error), rel=1e-14)


def test_statistical_snr_is_unknown_without_an_error() -> None:
    assert statistical_snr(signed, None) is None
    assert statistical_snr(signed, BLACK) is None


def test_statistical_snr_takes_a_spread_of_rounding_for_none() -> None:
    assert statistical_snr(signed, 1e-14 * np.abs(signed)) is None
    assert statistical_snr(signed, 1e-9 * np.abs(signed)) == pytest.approx(1e9)


def test_statistical_snr_of_a_zero_map_is_0() -> None:
    assert statistical_snr(BLACK, WHITE) == 0
    assert statistical_snr(BLACK, BLACK) == 0


def test_statistical_snr_takes_a_few_pixels_without_error_as_certain() -> None:
    error = WHITE.copy()
    error[0] = 0
    assert statistical_snr(2 * WHITE, error) == 2


@each("scale", [-1.0, 1e-300, 1e12])
def test_statistical_snr_does_not_depend_on_scale(scale: float) -> None:
    error = picture(1) + 0.1
    scaled = statistical_snr(scale * signed, abs(scale) * error)
    assert scaled == pytest.approx(statistical_snr(signed, error), rel=1e-13)


# Largest pixels


def test_top_pixels_come_largest_magnitude_first_with_their_sign() -> None:
    attribution = BLACK.copy()
    attribution[2, 5], attribution[7, 0], attribution[0, 7] = -0.9, 0.4, 0.5
    assert top_pixels(attribution, 3) == [(2, 5, -0.9), (0, 7, 0.5), (7, 0, 0.4)]


def test_top_pixels_are_five_unless_told() -> None:
    assert len(top_pixels(signed)) == 5
    assert len(top_pixels(signed, 64)) == len(top_pixels(signed, 100)) == 64


def test_top_pixels_that_tie_come_in_reading_order() -> None:
    assert [pixel[:2] for pixel in top_pixels(WHITE, 3)] == [(0, 0), (0, 1), (0, 2)]
    assert [pixel[:2] for pixel in top_pixels(BLACK, 2)] == [(0, 0), (0, 1)]
    assert [pixel[:2] for pixel in top_pixels(embed(0, -1, 1), 2)] == [(0, 1), (0, 2)]


@each("scale", [-1.0, 1e-300, 5e-324 * 2**40, 3e-12, 1e300])
def test_top_pixels_do_not_depend_on_scale(scale: float) -> None:
    attribution = np.where(picture(1) < 0.8, 0.0, signed)
    expected = [pixel[:2] for pixel in top_pixels(attribution)]
    assert [pixel[:2] for pixel in top_pixels(scale * attribution)] == expected


def test_top_pixels_that_differ_by_rounding_tie() -> None:
    assert [pixel[:2] for pixel in top_pixels(embed(0.3, 0.1 + 0.2), 2)] == [(0, 0), (0, 1)]


@given(attribution=maps)
def test_top_pixels_are_what_sorting_says(attribution: Floats) -> None:
    found = top_pixels(attribution, 64)
    assert sorted((r, c) for r, c, _ in found) == [(r, c) for r in range(8) for c in range(8)]
    assert all(attribution[r, c] == value for r, c, value in found)
    magnitudes = np.abs([value for _, _, value in found])
    assert (np.diff(magnitudes) <= 2e-12 * magnitudes.max()).all()


# Rank correlation


@given(stack=hnp.arrays(np.float64, (4, 8, 8), elements=st.sampled_from([-1.0, -0.0, 0.0, 0.25, 0.5, 1.0])))
def test_rank_correlations_equal_scipys_with_ties(stack: Floats) -> None:
    found = rank_correlations(stack)
    for i in range(4):
        for j in range(4):
            if np.ptp(stack[i]) == 0 or np.ptp(stack[j]) == 0:
                assert np.isnan(found[i, j])
            else:
                expected = stats.spearmanr(stack[i].ravel(), stack[j].ravel()).statistic
                assert found[i, j] == pytest.approx(expected, abs=1e-12)


def test_rank_correlations_equal_scipys_without_ties() -> None:
    stack = np.stack([picture(seed) for seed in range(5)])
    expected = stats.spearmanr(stack.reshape(5, 64), axis=1).statistic
    np.testing.assert_allclose(rank_correlations(stack), expected, atol=1e-13)


def test_rank_correlations_see_order_only_and_its_reversal() -> None:
    found = rank_correlations(np.stack([signed, signed**3, np.exp(signed), -signed]))
    expected = np.outer([1, 1, 1, -1], [1, 1, 1, -1])
    np.testing.assert_allclose(found, expected, atol=1e-14)
    assert np.abs(found).max() <= 1


def test_rank_correlations_never_leave_minus_1_to_1_by_rounding() -> None:
    rng = np.random.default_rng(0)
    for levels in (2, 3, 5, 1000):
        maps = np.round(levels * rng.random((40, 8, 8)))
        found = rank_correlations(np.concatenate([maps, -maps]))
        assert np.nanmax(np.abs(found)) <= 1


def test_rank_correlations_of_a_flat_map_are_nan_and_leave_the_others_alone() -> None:
    found = rank_correlations(np.stack([signed, 0.5 * WHITE, picture(3)]))
    assert np.isnan(found[1]).all()
    assert np.isnan(found[:, 1]).all()
    assert np.array_equal(found[::2, ::2], rank_correlations(np.stack([signed, picture(3)])))


# Completeness


def test_completeness_holds_the_sum_against_the_difference() -> None:
    found = completeness(embed(0.5, -0.25, 0.125), 0.5)
    assert (found.total, found.delta, found.share) == (0.375, -0.125, 0.25)


def test_completeness_share_is_a_magnitude_also_for_a_negative_difference() -> None:
    assert completeness(embed(-0.625), -0.5).share == 0.25


def test_completeness_has_no_share_of_nothing() -> None:
    found = completeness(embed(0.25), 0.0)
    assert (found.delta, found.share) == (0.25, None)


def test_completeness_has_no_share_of_what_is_rounding() -> None:
    (of_many,) = figures(embed(3e-17)[None], 2e-16, size=0.8)
    assert of_many.completeness == completeness(embed(3e-17), 2e-16, size=0.8)
    assert of_many.completeness.share is None
    assert completeness(embed(3e-17), 2e-16, size=1e-6).share == pytest.approx(0.85)
