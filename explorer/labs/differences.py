"""Whether two maps of one method are the same to rounding: what the labs shift and invariance measure."""

from __future__ import annotations

import numpy as np

from explorer.attribution import METHODS
from explorer.attribution.network import Floats

SAME = 1e-9  # of the peak: rounding stays below 1e-12, a map of another kind differs by far more
ROUNDING = 1e-14  # of F, for what is a difference of two values of F


def relative_difference(one: Floats, other: Floats) -> float:
    """The largest |difference| of a pixel ÷ the larger peak of two maps ``(8, 8)``: 0 to 2, and 0 if both maps are 0."""
    peak = float(max(np.abs(one).max(), np.abs(other).max()))
    return float(np.abs(one - other).max()) / peak if peak else 0.0


def same_map(method: str, one: Floats, other: Floats, f: float) -> bool:
    """Whether two maps of a method ``(8, 8)`` are equal but for rounding.

    Args:
        method: its name in the registry. A perturbation method subtracts values of F: where these are nearly equal, the
            difference has few correct digits.
        f: F at the input.
    """
    if METHODS[method].family == "perturbation" and np.abs(one - other).max() <= ROUNDING * max(1.0, abs(f)):
        return True
    return relative_difference(one, other) <= SAME
