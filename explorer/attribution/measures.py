"""Measures of attribution maps: completeness, concentration, noise, rank correlation.

All raise ValueError for maps that are complex, masked or not finite.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from explorer.attribution.arrays import finite, real
from explorer.attribution.network import SIDE, Floats

ROUNDING = 1e-12  # relative differences up to this count as rounding


@dataclass(frozen=True, slots=True)
class Completeness:
    """The sum of an attribution against ΔF.

    Attributes:
        total: Σ attribution, in units of F.
        delta: Σ attribution − ΔF.
        share: |delta| / |ΔF|; None if ΔF is 0 to rounding.
    """

    total: float
    delta: float
    share: float | None


@dataclass(frozen=True, slots=True)
class Figures:
    """The measures of one map.

    Attributes:
        completeness: Σ attribution against ΔF.
        mean: mean of |attribution| over the 64 pixels, in the map's own unit.
        snr: peak-to-mean ratio, see ``snr``.
        top: the five pixels of largest |attribution|, see ``top_pixels``.
    """

    completeness: Completeness
    mean: float
    snr: float
    top: list[tuple[int, int, float]]


def figures(maps: Floats, delta_f: float, size: float = 0.0) -> list[Figures]:
    """The figures of each of j maps ``(j, 8, 8)``; ``size`` as in ``completeness``."""
    maps = _maps(maps)
    flat, magnitude = maps.reshape(len(maps), -1), np.abs(maps).reshape(len(maps), -1)
    means = magnitude.sum(axis=1)
    means /= magnitude.shape[1]
    scaled = _scaled(magnitude)
    columns = (flat.sum(axis=1).tolist(), means.tolist(), _snr(scaled).tolist(), _top(flat, scaled, 5))
    return [Figures(_completeness(total, mean, delta_f, size), mean, ratio, top) for total, mean, ratio, top in zip(*columns, strict=True)]


def completeness(attribution: Floats, delta_f: float, size: float = 0.0) -> Completeness:
    """Compare Σ attribution with ΔF = F(x) − F(x′) (Sundararajan 2017's Completeness axiom).

    ``size`` is the magnitude of F(x) and F(x′), where known: a ΔF within their rounding counts as 0.

    A small delta is necessary, not sufficient, as errors of pixels can cancel: compare with the exact attribution too.
    """
    attribution = _maps(attribution)
    return _completeness(float(attribution.sum()), mean_magnitude(attribution), delta_f, size)


def mean_magnitude(attribution: Floats) -> float:
    """Mean of |attribution| over the 64 pixels."""
    attribution = _maps(attribution)
    return float(np.abs(attribution).sum()) / attribution.size


def snr(attribution: Floats) -> float:
    """Peak-to-mean ratio max|a| / mean|a|, the original explorer's "SNR": 1 is flat, 64 is a single pixel.

    It measures concentration, not statistical certainty. An all-zero map gives 0.
    """
    return float(_snr(_scaled(np.abs(_maps(attribution)).reshape(1, -1)))[0])


def top_pixels(attribution: Floats, k: int = 5) -> list[tuple[int, int, float]]:
    """The k pixels of largest |attribution| as (row, column, value), largest first; ties in reading order.

    Values that differ only by rounding count as ties (compared at 12 significant digits of the peak).
    """
    flat = _maps(attribution).reshape(1, -1)
    return _top(flat, _scaled(np.abs(flat)), k)[0]


def statistical_snr(attribution: Floats, error: Floats | None) -> float | None:
    """Median over the pixels of |mean| / standard error, with 0 for pixels that are exactly 0.

    None without an error: for one sample, or if the samples are equal at most of the pixels.
    """
    if error is None:
        return None
    magnitude, error = np.abs(_maps(attribution)).reshape(-1), _maps(error).reshape(-1)
    differ = error > ROUNDING * magnitude  # less is the rounding of equal samples
    if differ.all():
        ratios = magnitude / error
    else:
        ratios = np.divide(magnitude, error, out=np.where(magnitude > 0, np.inf, 0.0), where=differ)
    ratios.sort()
    middle = ratios.size // 2  # the number of pixels is even
    median = float(ratios[middle - 1] + ratios[middle]) / 2
    return median if np.isfinite(median) else None


def rank_correlations(maps: Floats, pixels: NDArray[np.bool_] | None = None) -> Floats:
    """Spearman's correlation of the signed values between each two of j maps ``(j, 8, 8)``: ``(j, j)``.

    In [−1, 1]; tied values share their mean rank. Row and column of a constant map are NaN. ``pixels`` ``(8, 8)`` chooses
    which are compared; None for all.
    """
    maps = _maps(maps)
    flat = maps.reshape(len(maps), -1) if pixels is None else maps[:, pixels]
    middle = (flat.shape[1] - 1) / 2
    rows, order = np.arange(len(flat))[:, None], flat.argsort(axis=1)
    ordered = flat[rows, order]
    ranks = np.empty(flat.shape)
    ranks[rows, order] = np.arange(-middle, middle + 1)
    ties = ordered[:, 1:] == ordered[:, :-1]
    if ties.any():
        for row in ties.any(axis=1).nonzero()[0]:
            ranks[row] = _shared_ranks(flat[row], ordered[row]) - middle
    products = ranks @ ranks.T
    lengths = np.sqrt(products.diagonal())
    lengths[lengths == 0] = np.nan
    correlations: Floats = products / (lengths * lengths[:, None])
    return np.minimum(np.maximum(correlations, -1), 1)


def _maps(maps: Floats) -> Floats:
    """The maps as float64, in memory of their own."""
    return finite("the attributions", real("the attributions", maps))


def _shared_ranks(values: Floats, ordered: Floats) -> Floats:
    """Ranks from 0; ties share their mean rank."""
    return (ordered.searchsorted(values, "left") + ordered.searchsorted(values, "right") - 1) / 2


def _completeness(total: float, mean: float, delta_f: float, size: float) -> Completeness:
    nothing = abs(delta_f) <= ROUNDING * max(SIDE * SIDE * mean, size)
    return Completeness(total, total - delta_f, None if nothing else abs((total - delta_f) / delta_f))


def _scaled(magnitude: Floats) -> Floats:
    """Each row divided by its maximum, ``(j, 64)``, so that tiny maps do not underflow. Rows of zeros stay zeros."""
    peaks = magnitude.max(axis=1, keepdims=True)
    peaks[peaks == 0] = 1
    return magnitude / peaks


def _snr(scaled: Floats) -> Floats:
    totals = scaled.sum(axis=1)
    return np.divide(scaled.shape[1], totals, out=np.zeros_like(totals), where=totals > 0)


def _top(flat: Floats, scaled: Floats, k: int) -> list[list[tuple[int, int, float]]]:
    orders = np.rint(scaled / -ROUNDING).argsort(axis=1, kind="stable")[:, :k]
    values = flat[np.arange(len(flat))[:, None], orders].tolist()
    return [
        [(i // SIDE, i % SIDE, value) for i, value in zip(order, row, strict=True)]
        for order, row in zip(orders.tolist(), values, strict=True)
    ]
