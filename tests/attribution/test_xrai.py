"""XRAI and the segmentation that it ranks: PAIR, scikit-image, and worked cases."""

from __future__ import annotations

import importlib
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.attribution import METHODS, Case, Network, exact_integrated_gradients
from explorer.attribution.methods.xrai import base_attribution, xrai
from explorer.attribution.network import Output
from explorer.attribution.segments import SCALES, regions, segment
from explorer.pictures import PATTERNS

from .toys import (
    ALL_NETWORKS,
    BLACK,
    WHITE,
    Floats,
    all_networks,
    embed,
    f_at,
    linear,
    outputs,
    picture,
    random_case,
    relative_error,
)

seeds = st.integers(0, 10**6)
XRAI = METHODS["xrai"]


def same_partition(one: np.ndarray, other: np.ndarray) -> bool:
    pairs = {*zip(one.ravel().tolist(), other.ravel().tolist(), strict=True)}
    return len(pairs) == len(np.unique(one)) == len(np.unique(other))


def pair_xrai(base: Floats, masks: np.ndarray) -> Floats:
    saliency = importlib.import_module("saliency.core")
    parameters = saliency.XRAIParameters()
    parameters.experimental_params["min_pixel_diff"] = 1  # its 50 is meant for photographs
    found = saliency.XRAI().GetMask(
        base, None, segments=list(masks), base_attribution=base, extra_parameters=parameters
    )
    return np.asarray(found, np.float64)


@given(seeds, st.sampled_from([0.05, *SCALES]))
def test_segments_are_scikit_images(seed: int, scale: float) -> None:
    segmentation = importlib.import_module("skimage.segmentation")
    found = segment(picture(seed), scale)
    theirs = segmentation.felzenszwalb(picture(seed), scale=255 * scale, sigma=0, min_size=1)  # it divides by 255
    assert same_partition(found, theirs)


@given(seeds, st.floats(0, 5))
def test_segments_are_connected_and_numbered_by_their_first_pixels(seed: int, scale: float) -> None:
    levels = np.random.default_rng(seed).integers(0, 4, (8, 8)) / 3
    labels = segment(levels, scale)
    firsts = np.unique(labels.ravel(), return_index=True)[1]
    assert (np.diff(firsts) > 0).all() and labels.max() + 1 == len(firsts)
    for first in firsts.tolist():
        reached, waiting = {first}, [first]
        while waiting:
            row, column = divmod(waiting.pop(), 8)
            near = {
                8 * r + c
                for r in range(row - 1, row + 2)
                for c in range(column - 1, column + 2)
                if 0 <= r < 8 and 0 <= c < 8
            }
            new = {pixel for pixel in near - reached if labels.flat[pixel] == labels.flat[first]}
            reached |= new
            waiting += new
        assert len(reached) == (labels == labels.flat[first]).sum()


def test_segments_of_pictures_with_plain_answers() -> None:
    assert not segment(BLACK, 0).any() and not segment(WHITE, 1).any()
    halves = segment(PATTERNS["edge"], 0.1)
    assert (halves[:, :4] == 0).all() and (halves[:, 4:] == 1).all()
    strokes = segment(PATTERNS["x"], 0.5)  # corners touch, so a diagonal stroke is one region
    assert len(np.unique(strokes[PATTERNS["x"] == 1])) == 1
    assert not segment(PATTERNS["edge"], 100).any()
    assert segment(picture(0), 0).max() == 63


def test_coarser_scales_have_fewer_regions_and_contrast_does_not_matter() -> None:
    for seed in range(5):
        counts = [segment(picture(seed), scale).max() for scale in (0, *SCALES)]
        assert all(fine >= coarse for fine, coarse in pairwise(counts)) and counts[-1] < counts[0]
        masks = regions(picture(seed))
        assert np.array_equal(masks, regions(0.25 + picture(seed) / 2))
        assert len({mask.tobytes() for mask in masks}) == len(masks)
        assert masks.any(axis=0).all()
    assert regions(BLACK).tolist() == [[[True] * 8] * 8]


@given(seeds)
def test_pair_ranks_the_same_segments_the_same(seed: int) -> None:
    base = np.random.default_rng(seed).standard_normal((8, 8))
    for masks in (regions(picture(seed)), np.random.default_rng(seed).random((12, 8, 8)) < 0.2):
        assert relative_error(xrai(base, masks), pair_xrai(base, masks)) < 1e-12


@all_networks
@outputs
def test_pair_gives_the_same_heatmap_for_a_network(network: Network, output: Output) -> None:
    case = random_case(network, 1, output)
    values = XRAI.values({"steps": 500, "rule": "midpoint"})
    base, looks = base_attribution(case, values)
    assert looks == 1000
    assert relative_error(XRAI(case, **values).attribution, pair_xrai(base, regions(case.input))) < 1e-12
    ends = [Case(network, case.input, end, case.target, output) for end in (BLACK, WHITE)]
    exact = np.mean([exact_integrated_gradients(end).attribution for end in ends], axis=0)
    assert relative_error(base, exact) < 5e-3  # 500 steps


def test_the_ranking_by_hand() -> None:
    base = embed(4, 2, 0, -3)
    masks = np.array([embed(1, 1), embed(0, 1, 1), embed(1, 1, 1, 1)], bool)
    # {0, 1} holds 3 a pixel and comes first; then {2} is left of {1, 2} with 0, before {2, 3} with −1.5; then {3}
    assert xrai(base, masks).ravel()[:5].tolist() == [3, 3, 0, -3, 0]
    assert xrai(base, masks[2:]).ravel()[:5].tolist() == [0.75, 0.75, 0.75, 0.75, 0]
    # in no region at all: the mean of what is left, 2 + 0 − 3 over 63 pixels
    lone = xrai(base, embed(1)[None].astype(bool)).ravel()
    assert lone[0] == 4
    np.testing.assert_allclose(lone[1:], -1 / 63, rtol=1e-14)


@given(seeds)
def test_the_heatmap_sums_to_its_base_and_is_flat_on_the_finest_regions(seed: int) -> None:
    base = np.random.default_rng(seed).standard_normal((8, 8))
    heat = xrai(base, regions(picture(seed)))
    assert heat.sum() == pytest.approx(base.sum(), abs=1e-12)
    finest = segment((picture(seed) - picture(seed).min()) / np.ptp(picture(seed)), 0)
    assert all(np.ptp(heat[finest == label]) == 0 for label in range(finest.max() + 1))


@all_networks
@outputs
def test_the_sum_is_what_f_changes_by_from_black_and_white(network: Network, output: Output) -> None:
    case = random_case(network, 2, output)
    answer = XRAI(case, steps=500, rule="gauss-legendre")
    f, black, white = f_at(case, np.stack([case.input, BLACK, WHITE]))
    assert answer.expected_sum == pytest.approx(f - (black + white) / 2, rel=1e-12)
    assert answer.attribution.sum() == pytest.approx(answer.expected_sum, abs=2e-3 * max(1, abs(answer.expected_sum)))
    assert (answer.forward, answer.backward) == (1003, 1000)
    assert np.isfinite(answer.attribution).all() and answer.attribution.any()
    assert np.array_equal(answer.attribution, XRAI(case, steps=500, rule="gauss-legendre").attribution)
    # the case's own baseline plays no part
    elsewhere = Case(network, case.input, BLACK, case.target, output)
    assert np.array_equal(answer.attribution, XRAI(elsewhere, steps=500, rule="gauss-legendre").attribution)


@pytest.mark.parametrize("x", [BLACK, WHITE, np.full((8, 8), 0.5)])
def test_flat_pictures_and_constant_networks_get_flat_maps(x: Floats) -> None:
    flat = XRAI(Case(ALL_NETWORKS["flat"], x, BLACK, 0)).attribution
    assert np.isfinite(flat).all() and np.ptp(flat) == 0
    constant = Network(linear(np.zeros((3, 64)), [1, 2, 3]))
    assert not XRAI(Case(constant, x, BLACK, 0)).attribution.any()
    assert not XRAI(Case(constant, picture(0), BLACK, 0)).attribution.any()
