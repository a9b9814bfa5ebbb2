"""Quadrature rules on [0, 1]. Weights of ``RULES`` sum to 1; ``FAULTY`` reproduces faults of other libraries."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from types import MappingProxyType

import numpy as np

from explorer.attribution.network import Floats

Nodes = tuple[Floats, Floats]
EXACT = "exact"  # no quadrature: see the module ``exact``


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


def captum_trapezoid(m: int) -> Nodes:
    """m equally spaced α with both ends, end weights half of the others' 1/m: Captum 0.9's ``riemann_trapezoid``.

    m points have m − 1 intervals, so the weights should be 1/(m − 1): they sum to (m − 1)/m, so a linear network's map is
    too small by that factor, and 0 for one point, which Captum rejects.
    """
    weights = np.full(m, 1 / m)
    weights[0] -= 0.5 / m
    weights[-1] -= 0.5 / m
    return np.linspace(0, 1, m), weights


def closed_average(m: int) -> Nodes:
    """m equally spaced α with both ends, all with weight 1/m: the average in PAIR's ``saliency`` 0.2.

    The weights sum to 1, but the two ends should have half of the others' weight: the error is of order 1/m, as for left
    and right, instead of the trapezoid rule's 1/m².
    """
    return np.linspace(0, 1, m), np.full(m, 1 / m)


RULES: Mapping[str, Callable[[int], Nodes]] = MappingProxyType(
    {
        "left": left,
        "right": right,
        "midpoint": midpoint,
        "trapezoid": trapezoid,
        "gauss-legendre": gauss_legendre,
    }
)
FAULTY: Mapping[str, Callable[[int], Nodes]] = MappingProxyType(
    {
        "captum-trapezoid": captum_trapezoid,
        "closed-average": closed_average,
    }
)
RULE_NAMES = (*RULES, *FAULTY)


def nodes(name: str, m: int) -> int:
    """The number of nodes of a rule with m steps."""
    return m + 1 if name == "trapezoid" else m


@lru_cache(maxsize=64)  # numpy takes tens of milliseconds for Gauss–Legendre at m = 500
def rule(name: str, m: int) -> Nodes:
    """Nodes α in [0, 1], ascending, and their weights for m steps; ``(m,)`` each, trapezoid ``(m + 1,)``; read-only.

    Raises:
        ValueError: the name is unknown, or m < 1.
    """
    if name not in RULE_NAMES:
        raise ValueError(f"the rule must be one of {RULE_NAMES}, not {name!r}")
    if m < 1:
        raise ValueError(f"a rule needs at least 1 step, not {m}")
    alphas, weights = (RULES if name in RULES else FAULTY)[name](m)
    alphas.flags.writeable = weights.flags.writeable = False
    return alphas, weights
