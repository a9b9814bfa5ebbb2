"""Vanilla gradient and gradient × input: the gradient at the input itself."""

from __future__ import annotations

import numpy as np

from explorer.attribution.case import Case, Settings
from explorer.attribution.field import Field
from explorer.attribution.method import MAGNITUDE, GradientMethod, Method, fixed_passes
from explorer.attribution.network import Floats


def points(case: Case, settings: Settings) -> Floats:
    """The input alone, ``(1, 8, 8)``."""
    return case.input[None]


def gradient(case: Case, settings: Settings, field: Field) -> Floats:
    """Signed ∂F/∂x at x, ``(8, 8)``, in units of F for a change of 1 in the pixel.

    Simonyan, Vedaldi & Zisserman, "Deep Inside Convolutional Networks", 2013. The paper shows |∂F/∂x|, as
    some libraries do: set ``magnitude``.
    """
    return np.abs(field.gradients[0]) if settings.magnitude else field.gradients[0]


def gradient_times_input(case: Case, settings: Settings, field: Field) -> Floats:
    """x · ∂F/∂x at x, ``(8, 8)``, in units of F.

    Shrikumar et al., "Not Just a Black Box", 2016. For a linear F without offset it sums to F(x); in general it
    has no completeness.
    """
    return case.input * field.gradients[0]


GRADIENT = Method(
    name="gradient",
    title="Vanilla gradient",
    year=2013,
    paper="Simonyan et al. 2013",
    reference="Deep Inside Convolutional Networks, arXiv:1312.6034",
    family="gradient field",
    formula="∂F/∂x at x",
    complete="",
    unit="F per unit of a pixel",
    asks_at="picture",
    invariant=True,
    passes="1 forward, 1 backward",
    count=fixed_passes(1, 1),
    settings=(MAGNITUDE,),
    caveat="Where F has saturated it is nearly 0 although the picture decided everything: it tells what would change F now, "
    "not what made it.",
    compute=GradientMethod(points, gradient),
)
GRADIENT_TIMES_INPUT = Method(
    name="gradient_times_input",
    title="Gradient × input",
    year=2016,
    paper="Shrikumar et al. 2016",
    reference="Not Just a Black Box, arXiv:1605.01713",
    family="gradient field",
    formula="x · ∂F/∂x at x",
    complete="",
    unit="F",
    asks_at="picture",
    invariant=True,
    passes="1 forward, 1 backward",
    count=fixed_passes(1, 1),
    settings=(),
    caveat="Black pixels get 0 whatever the network makes of them, and where F has saturated all of it is nearly 0.",
    compute=GradientMethod(points, gradient_times_input),
)

ENTRIES = (GRADIENT, GRADIENT_TIMES_INPUT)
