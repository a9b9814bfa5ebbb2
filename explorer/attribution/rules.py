"""Quadrature rules on [0, 1]: where along the path to look, and what each look weighs.

Every rule's weights sum to 1 (to within 1e-15), so that a constant gradient is integrated exactly.
That is worth stating: a well-known library's trapezoid sums to (m − 1)/m, another averages m points of a closed
interval, and both then miss completeness on a linear network.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from types import MappingProxyType

import numpy as np

from explorer.attribution.network import Floats

Nodes = tuple[Floats, Floats]
EXACT = "exact"  # not a quadrature: see the module of that name


def left(m: int) -> Nodes:
    """α = (k − 1)/m for k = 1…m, weights 1/m: from the baseline up to one step before the input."""
    return np.arange(m) / m, np.full(m, 1 / m)


def right(m: int) -> Nodes:
    """α = k/m, weights 1/m: the sum in the paper and in the original explorer."""
    return np.arange(1, m + 1) / m, np.full(m, 1 / m)


def midpoint(m: int) -> Nodes:
    """α = (k − ½)/m, weights 1/m: the same cost as left and right, error of second order."""
    return (np.arange(m) + 0.5) / m, np.full(m, 1 / m)


def trapezoid(m: int) -> Nodes:
    """m + 1 equally spaced α with both ends; the two end weights are half of the others' 1/m."""
    weights = np.full(m + 1, 1 / m)
    weights[[0, -1]] /= 2
    return np.arange(m + 1) / m, weights


def gauss_legendre(m: int) -> Nodes:
    """The m Gauss–Legendre nodes and weights, mapped from [−1, 1] to [0, 1]; exact to degree 2m − 1."""
    nodes, weights = np.polynomial.legendre.leggauss(m)
    return (nodes + 1) / 2, weights / weights.sum()


RULES: Mapping[str, Callable[[int], Nodes]] = MappingProxyType(
    {
        "left": left,
        "right": right,
        "midpoint": midpoint,
        "trapezoid": trapezoid,
        "gauss-legendre": gauss_legendre,
    }
)


@lru_cache(maxsize=64)  # a pure function; for Gauss–Legendre at m = 500 numpy needs tens of milliseconds
def rule(name: str, m: int) -> Nodes:
    """Nodes α in [0, 1], ascending, and their weights for m steps; ``(m,)`` each, trapezoid ``(m + 1,)``; read-only.

    Raises:
        ValueError: unknown name, or m < 1.
    """
    if name not in RULES:
        raise ValueError(f"the rule must be one of {tuple(RULES)}, not {name!r}")
    if m < 1:
        raise ValueError(f"a rule needs at least 1 step, not {m}")
    alphas, weights = RULES[name](m)
    alphas.flags.writeable = weights.flags.writeable = False
    return alphas, weights
