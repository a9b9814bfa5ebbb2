"""Similarity of two attribution maps: rank correlations and structural similarity.

Spearman's correlation and SSIM are the measures of Adebayo et al., "Sanity Checks for Saliency Maps", NeurIPS 2018.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from explorer.attribution.arrays import finite, real
from explorer.attribution.measures import rank_correlations
from explorer.attribution.network import SHAPE, Floats

Mask = NDArray[np.bool_]
WINDOW = 5  # pixels; 7, the usual one, has only four positions in 8 × 8
# Wang et al. 2004: constants that keep the ratio stable where both maps are flat, as shares of the range, which is 1.
LUMINANCE, CONTRAST = 0.01, 0.03


@dataclass(frozen=True, slots=True)
class Similarity:
    """How alike two maps are. All lie in [−1, 1]; 1 means alike, 0 unrelated, negative opposite.

    Attributes:
        signed: Spearman's rank correlation of the signed values of all 64 pixels.
        magnitude: the same of the magnitudes.
        signed_moving, magnitude_moving: the same over the moving pixels only; None without a mask. Pixels that equal the
            baseline get 0 from many methods whatever the network does, which alone makes magnitudes alike.
        ssim: see ``structural_similarity``.

    A rank correlation is None where one of the maps is constant, or fewer than two pixels are compared: nothing is ranked.
    """

    signed: float | None
    magnitude: float | None
    signed_moving: float | None
    magnitude_moving: float | None
    ssim: float


def similarity(one: Floats, other: Floats, moving: Mask | None = None) -> Similarity:
    """Compare two maps of any unit and scale.

    Args:
        one, other: attributions, ``(8, 8)``, finite.
        moving: which pixels move on the path, ``(8, 8)`` booleans, such as ``case.difference != 0``; None to leave out
            what is measured on these pixels only.

    Raises:
        ValueError: a map or mask has another shape; a map is complex, masked or not finite; or the mask is not boolean.
    """
    one = real("the attributions", one)
    if one.shape != SHAPE:
        raise ValueError(f"the attributions must have shape {SHAPE}, not {one.shape}")
    return similarities(one[None], other, moving)[0]


def similarities(maps: Floats, other: Floats, moving: Mask | None = None) -> list[Similarity]:
    """``similarity`` of each of j maps ``(j, 8, 8)`` to one other ``(8, 8)``, all at once."""
    maps, other = _maps(maps, 3), _maps(other, 2)
    if not len(maps):
        return []
    whole = np.concatenate([other[None], maps])
    stack = np.concatenate([whole, np.abs(whole)])
    columns = _correlations(stack, None)
    if moving is None:
        columns += [[None] * len(maps)] * 2
    else:
        moving = np.asarray(moving)
        if moving.dtype != np.bool_ or moving.shape != SHAPE:
            raise ValueError(f"the moving pixels must be booleans in shape {SHAPE}, not {moving.dtype} in {moving.shape}")
        columns += _correlations(stack, moving)
    columns.append(structural_similarity(maps, other).tolist())
    return [Similarity(*row) for row in zip(*columns, strict=True)]


def structural_similarity(maps: Floats, other: Floats) -> Floats:
    """SSIM (Wang et al. 2004) of each of j maps ``(j, 8, 8)`` and one other ``(8, 8)``: ``(j,)`` in [−1, 1].

    Each map is shaded first, as for drawing: 0 becomes ½, and its largest magnitude 0 or 1. So units and scales do not
    matter, and the range of the data is 1. (SSIM multiplies the means of two windows: with signed values a map and its
    negation would seem alike.) The window is 5 × 5, uniform, with sample covariances, and its 16 positions inside the picture
    are averaged: the defaults of scikit-image but for the window's size.

    Raises:
        ValueError: a map has another shape, is complex, masked or not finite.
    """
    maps, other = _shaded(_maps(maps, 3)), _shaded(_maps(other, 2))
    one, two = (sliding_window_view(map_, (WINDOW, WINDOW), (-2, -1)) for map_ in (maps, other))
    mean_one, mean_two = (windows.mean((-2, -1)) for windows in (one, two))
    from_mean_one, from_mean_two = one - mean_one[..., None, None], two - mean_two[..., None, None]
    freedom = WINDOW * WINDOW - 1
    variance_one, variance_two = ((d * d).sum((-2, -1)) / freedom for d in (from_mean_one, from_mean_two))
    covariance = (from_mean_one * from_mean_two).sum((-2, -1)) / freedom
    c1, c2 = LUMINANCE**2, CONTRAST**2
    luminance = (2 * mean_one * mean_two + c1) / (mean_one**2 + mean_two**2 + c1)
    structure = (2 * covariance + c2) / (variance_one + variance_two + c2)
    means: Floats = (luminance * structure).mean((-2, -1))
    return np.minimum(np.maximum(means, -1), 1)


def _correlations(stack: Floats, pixels: Mask | None) -> list[list[float | None]]:
    """Of each map to the first: of signed values, then of magnitudes, which are the second half of the stack."""
    half = len(stack) // 2
    table = rank_correlations(stack, pixels)
    return [[None if np.isnan(r) else r for r in row.tolist()] for row in (table[0, 1:half], table[half, half + 1 :])]


def _maps(maps: Floats, dimensions: int) -> Floats:
    found = finite("the attributions", real("the attributions", maps))
    if found.ndim != dimensions or found.shape[-2:] != SHAPE:
        expected = "(8, 8)" if dimensions == 2 else "(j, 8, 8)"
        raise ValueError(f"the attributions must have shape {expected}, not {found.shape}")
    return found


def _shaded(maps: Floats) -> Floats:
    """Each map on a scale from 0 to 1 that is symmetric about its zero, which is ½."""
    peaks = np.abs(maps).max((-2, -1), keepdims=True)
    return 0.5 + 0.5 * (maps / np.where(peaks > 0, peaks, 1.0))
