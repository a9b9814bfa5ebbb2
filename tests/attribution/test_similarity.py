"""Similarity of two maps: parity with scipy and scikit-image, what must not matter, and maps without a ranking."""

from __future__ import annotations

import numpy as np
import pytest
from each import each
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats  # type: ignore[import-untyped]
from skimage.metrics import structural_similarity as skimages

from explorer.attribution import Similarity, rank_correlations, similarities, similarity, structural_similarity

from .toys import BLACK, WHITE, Floats, embed, picture

signed = 2 * picture(0) - 1
other = 2 * picture(1) - 1
moving = picture(2) < 0.4

values = st.floats(-1, 1, allow_subnormal=False)
maps = hnp.arrays(np.float64, (3, 8, 8), elements=st.one_of(values, st.sampled_from([0.0, 0.5])))
masks = hnp.arrays(np.bool_, (8, 8))


def spearman(one: Floats, two: Floats) -> float | None:
    if one.size < 2 or np.ptp(one) == 0 or np.ptp(two) == 0:
        return None
    return float(stats.spearmanr(one, two).statistic)


@given(maps, masks)
def test_it_is_scipys_spearman_and_scikit_images_ssim(stack: Floats, mask: np.ndarray) -> None:
    for one, found in zip(stack[1:], similarities(stack[1:], stack[0], mask), strict=True):
        two = stack[0]
        expected = [
            spearman(f(one[pixels]), f(two[pixels])) for pixels in (WHITE > 0, mask) for f in (lambda a: a.ravel(), lambda a: np.abs(a).ravel())
        ]
        assert [found.signed, found.magnitude, found.signed_moving, found.magnitude_moving] == [
            None if r is None else pytest.approx(r, abs=1e-12) for r in expected
        ]
        peaks = [np.abs(a).max() or 1.0 for a in (one, two)]
        ssim = skimages((one / peaks[0] + 1) / 2, (two / peaks[1] + 1) / 2, win_size=5, data_range=1.0)
        assert found.ssim == pytest.approx(ssim, abs=1e-9) and abs(found.ssim) <= 1


def test_one_map_at_a_time_or_many_at_once_is_the_same() -> None:
    stack = np.stack([picture(seed) - 0.5 for seed in range(60)])
    assert similarities(stack, other, moving) == [similarity(one, other, moving) for one in stack]
    assert similarities(stack[:0], other) == []


@given(st.floats(1e-200, 1e200), st.floats(1e-200, 1e200))
def test_units_and_scales_do_not_matter(a: float, b: float) -> None:
    plain, scaled = similarity(signed, other, moving), similarity(a * signed, b * other, moving)
    assert scaled.ssim == pytest.approx(plain.ssim, abs=1e-12)
    assert (scaled.signed, scaled.magnitude_moving) == (plain.signed, plain.magnitude_moving)


def test_a_map_is_like_itself_and_the_negated_map_is_like_it_in_magnitude_only() -> None:
    assert similarity(signed, signed, moving) == Similarity(*[pytest.approx(1.0, abs=1e-14)] * 5)
    negated = similarity(signed, -signed, moving)
    assert (negated.signed, negated.signed_moving) == (pytest.approx(-1.0), pytest.approx(-1.0))
    assert (negated.magnitude, negated.magnitude_moving) == (pytest.approx(1.0), pytest.approx(1.0))
    assert -1 <= negated.ssim < 0


def test_pixels_that_are_0_in_both_maps_make_magnitudes_alike_but_not_among_the_moving_ones() -> None:
    found = similarity(signed * moving, other * moving, moving)
    assert found.magnitude is not None and found.magnitude_moving is not None
    assert found.magnitude > 0.6 and abs(found.magnitude_moving) < 0.4


def test_ssim_by_hand() -> None:
    # a white pixel among 24 grey ones in the window at the corner: mean 0.52, variance (0.5² − 0.5²/25) / 24 = 0.01; the other map is grey
    c1, c2 = 0.01**2, 0.03**2
    at_corner = (2 * 0.52 * 0.5 + c1) / (0.52**2 + 0.5**2 + c1) * c2 / (0.01 + c2)
    assert structural_similarity(embed(1.0)[None], BLACK)[0] == pytest.approx((15 + at_corner) / 16, rel=1e-14)


def test_constant_maps_have_no_ranking_but_a_structure() -> None:
    assert similarity(BLACK, BLACK, moving) == Similarity(None, None, None, None, 1.0)
    found = similarity(3 * WHITE, signed, moving)
    assert found == Similarity(None, None, None, None, found.ssim) and abs(found.ssim) < 0.2
    # one that is constant among the moving pixels only, and one of constant magnitude
    assert similarity(np.where(moving, 1.0, signed), other, moving).signed_moving is None
    assert similarity(np.sign(signed), other).magnitude is None


@each("pixels", [0, 1])
def test_fewer_than_two_moving_pixels_are_no_ranking(pixels: int) -> None:
    found = similarity(signed, other, np.arange(64).reshape(8, 8) < pixels)
    assert (found.signed_moving, found.magnitude_moving) == (None, None)
    assert found.signed is not None


def test_without_a_mask_nothing_is_said_of_moving_pixels() -> None:
    found = similarity(signed, other)
    assert (found.signed_moving, found.magnitude_moving) == (None, None)


def test_rank_correlations_of_chosen_pixels_are_those_of_these_pixels_alone() -> None:
    found = rank_correlations(np.stack([signed, other]), moving)
    assert found[0, 1] == pytest.approx(stats.spearmanr(signed[moving], other[moving]).statistic, abs=1e-13)


@each(
    ("one", "two", "mask", "reason"),
    [
        (signed[:4], other, None, r"must have shape \(8, 8\), not \(4, 8\)"),
        (signed, other.ravel(), None, r"must have shape \(8, 8\), not \(64,\)"),
        (np.where(signed < 0, np.nan, signed), other, None, "are not finite"),
        (signed, other + 1j, None, "must hold real numbers, not complex"),
        (signed, other, moving.astype(float), "must be booleans in shape .8, 8., not float64"),
        (signed, other, moving.ravel(), r"must be booleans in shape .8, 8., not bool in \(64,\)"),
    ],
)
def test_what_is_no_map_or_mask_is_refused(one: Floats, two: Floats, mask: np.ndarray | None, reason: str) -> None:
    with pytest.raises(ValueError, match=f"^the (attributions|moving pixels) {reason}"):
        similarity(one, two, mask)
