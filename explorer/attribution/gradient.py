"""Vanilla gradient and gradient × input: one look, at the input itself."""

from __future__ import annotations

from explorer.attribution.case import Case, Settings
from explorer.attribution.field import Field
from explorer.attribution.network import Floats


def points(case: Case, settings: Settings) -> Floats:
    """The input alone, ``(1, 8, 8)``."""
    return case.input[None]


def gradient(case: Case, settings: Settings, field: Field) -> Floats:
    """Signed ∂F/∂x at x, ``(8, 8)``, in units of F for a change of 1 in the pixel.

    Simonyan, Vedaldi & Zisserman, "Deep Inside Convolutional Networks", 2013. The paper shows |∂F/∂x|; taking the
    magnitude is a matter of display and not done here.
    """
    return field.gradients[0]


def gradient_times_input(case: Case, settings: Settings, field: Field) -> Floats:
    """x · ∂F/∂x at x, ``(8, 8)``, in units of F.

    Shrikumar et al., "Not Just a Black Box", 2016. For a linear F without offset it sums to F(x); in general it keeps
    no completeness.
    """
    return case.input * field.gradients[0]
