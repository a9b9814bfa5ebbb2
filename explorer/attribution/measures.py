"""The numbers beside the pictures: whether to believe them, and how they differ."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from explorer.attribution.network import SIDE, Floats

ROUNDING = 1e-12  # numbers that differ by this part of what they are made of differ by rounding only


@dataclass(frozen=True, slots=True)
class Completeness:
    """How far an attribution is from adding up.

    Attributes:
        total: Σ attribution, in units of F.
        delta: Σ attribution − ΔF.
        share: |delta| / |ΔF|; None when ΔF is 0 (to rounding), since nothing is there to be a share of.
    """

    total: float
    delta: float
    share: float | None


def completeness(attribution: Floats, delta_f: float) -> Completeness:
    """Hold Σ attribution against ΔF = F(x) − F(x′) (Sundararajan 2017's Completeness axiom).

    A small delta is necessary and not sufficient: errors of single pixels can cancel. So look at the per-pixel error
    against the exact attribution too.
    """
    total = float(attribution.sum())
    delta = total - delta_f
    nothing = abs(delta_f) <= ROUNDING * float(np.abs(attribution).sum())
    return Completeness(total, delta, None if nothing else abs(delta / delta_f))


def mean_magnitude(attribution: Floats) -> float:
    """Mean of |attribution| over the 64 pixels."""
    return float(np.abs(attribution).sum()) / attribution.size


def snr(attribution: Floats) -> float:
    """Peak-to-mean ratio max|a| / mean|a|, the original explorer's "SNR": 1 is flat, 64 is a single pixel.

    It measures concentration, not statistical certainty. An all-zero map gives 0.
    """
    magnitude = np.abs(attribution)
    peak = magnitude.max()
    if peak == 0:
        return 0.0
    return magnitude.size / float((magnitude / peak).sum())  # scaled first, so that tiny maps do not underflow


def statistical_snr(attribution: Floats, error: Floats | None) -> float | None:
    """Median over the pixels of |mean| / standard error: how far SmoothGrad's map stands above its own noise.

    0 for pixels that are exactly 0. None where there is no error to speak of: one sample, or samples that do not differ
    at most of the pixels.
    """
    if error is None:
        return None
    magnitude = np.abs(attribution)
    differ = error > ROUNDING * magnitude  # below that the "spread" is the rounding of equal numbers
    ratios = np.divide(magnitude, error, out=np.where(magnitude > 0, np.inf, 0.0), where=differ)
    ordered = np.sort(ratios, axis=None)
    middle = ordered.size // 2  # of an even number of pixels
    median = float(ordered[middle - 1] + ordered[middle]) / 2
    return median if np.isfinite(median) else None


def top_pixels(attribution: Floats, k: int = 5) -> list[tuple[int, int, float]]:
    """The k pixels of largest |attribution| as (row, column, value), largest first; ties in reading order.

    Values that differ only by rounding count as ties (compared at 12 significant digits of the peak).
    """
    flat = attribution.ravel()
    magnitude = np.abs(flat)
    peak = magnitude.max()
    keys = np.rint(magnitude / peak / -ROUNDING) if peak > 0 else magnitude
    order = keys.argsort(kind="stable")[:k]
    return [(i // SIDE, i % SIDE, value) for i, value in zip(order.tolist(), flat[order].tolist(), strict=True)]


def rank_correlations(maps: Floats) -> Floats:
    """Spearman's correlation of the signed values between each two of j maps ``(j, 8, 8)``: ``(j, j)``.

    In [−1, 1]; tied values share their mean rank. A flat map has no ranks to speak of: its row and column are NaN, and
    whoever shows the table says so.
    """
    flat = maps.reshape(len(maps), -1)
    ranks = flat.argsort(axis=1).argsort(axis=1) + 1.0
    ordered = np.sort(flat, axis=1)
    for row in np.flatnonzero((ordered[:, 1:] == ordered[:, :-1]).any(axis=1)):
        ranks[row] = _shared_ranks(flat[row], ordered[row])
    ranks -= (flat.shape[1] + 1) / 2
    products = ranks @ ranks.T
    lengths = np.sqrt(products.diagonal())
    lengths[lengths == 0] = np.nan
    correlations: Floats = products / (lengths * lengths[:, None])
    return np.minimum(np.maximum(correlations, -1), 1)


def _shared_ranks(values: Floats, ordered: Floats) -> Floats:
    """Ranks from 1, ties sharing their mean rank."""
    return (ordered.searchsorted(values, "left") + ordered.searchsorted(values, "right") + 1) / 2
