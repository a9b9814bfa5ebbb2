"""The mean of maps and its standard error."""

from __future__ import annotations

import numpy as np

from explorer.attribution.network import SHAPE, Floats


def mean_of(terms: Floats) -> Floats:
    """The mean of n terms ``(n, 8, 8)``, ``(8, 8)``."""
    n = len(terms)
    return (terms.reshape(n, -1).sum(axis=0) / n).reshape(SHAPE)


def error_of_mean(terms: Floats, clean_last: bool = False) -> Floats | None:
    """Standard error of the mean of n terms ``(n, 8, 8)``, ``(8, 8)``; None if fewer than two are random.

    From the sample variance (ddof 1). A last term without noise does not contribute to the error.
    """
    count, n = len(terms), len(terms) - clean_last
    if n < 2:
        return None
    squares = terms[:n] - mean_of(terms[:n])
    squares *= squares
    variance = squares.reshape(n, -1).sum(axis=0) / (n - 1)
    return (np.sqrt(variance / n) * (n / count)).reshape(SHAPE)
