"""The table of methods: one entry each, which the page, the comparison and the tests all read.

To add a method of the gradient family: write its ``points`` and ``attribution`` in a module of this package and
add its line here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from explorer.attribution import gradient, integrated, smooth
from explorer.attribution.case import Case, Settings
from explorer.attribution.field import Field
from explorer.attribution.network import Floats


@dataclass(frozen=True, slots=True)
class Method:
    """A method of the gradient family.

    Attributes:
        name: as people say it.
        paper: authors and year.
        formula: in one line.
        complete: whether the attributions are meant to sum to F(x) − F(x′).
        points: where the method looks, ``(k, 8, 8)``.
        attribution: what it makes of what it sees there, ``(8, 8)``, signed.
    """

    name: str
    paper: str
    formula: str
    complete: bool
    points: Callable[[Case, Settings], Floats]
    attribution: Callable[[Case, Settings, Field], Floats]


METHODS: Mapping[str, Method] = MappingProxyType(
    {
        "gradient": Method(
            "Vanilla gradient",
            "Simonyan et al. 2013",
            "∂F/∂x at x",
            False,
            gradient.points,
            gradient.gradient,
        ),
        "gradient_times_input": Method(
            "Gradient × input",
            "Shrikumar et al. 2016",
            "x · ∂F/∂x at x",
            False,
            gradient.points,
            gradient.gradient_times_input,
        ),
        "integrated_gradients": Method(
            "Integrated Gradients",
            "Sundararajan et al. 2017",
            "(x − x′) · Σ wₖ ∂F(x′ + αₖ(x − x′))/∂x",
            True,
            integrated.points,
            integrated.attribution,
        ),
        "smoothgrad": Method(
            "SmoothGrad",
            "Smilkov et al. 2017",
            "mean of ∂F/∂x at x + ε, ε ~ N(0, σ²)",
            False,
            smooth.points,
            smooth.attribution,
        ),
    }
)
