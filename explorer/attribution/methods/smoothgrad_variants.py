"""SmoothGrad² and VarGrad: mean square and variance of the gradients at SmoothGrad's noisy copies.

Hooker, Erhan, Kindermans & Kim, "A Benchmark for Interpretability Methods in Deep Neural Networks", 2019 (SmoothGrad²);
Adebayo, Gilmer, Goodfellow & Kim, "Local Explanation Methods for Deep Neural Networks Lack Sensitivity to Parameter
Values", 2018 (VarGrad).
"""

# All three use the same points, so together they cost no more than one. With ddof 0, for every pixel:
# SmoothGrad² = SmoothGrad · SmoothGrad + VarGrad (the mean square is the square of the mean plus the variance).

from __future__ import annotations

import numpy as np

from explorer.attribution.case import Case, Settings
from explorer.attribution.field import Field
from explorer.attribution.means import error_of_mean, mean_of
from explorer.attribution.method import (
    CLEAN_LAST,
    CLIP,
    DDOF,
    NOISE_LEVEL,
    NOISE_RANGE,
    SAMPLES,
    SEED,
    VARIED,
    GradientMethod,
    Method,
    passes_per_sample,
)
from explorer.attribution.methods.smoothgrad import points
from explorer.attribution.network import Floats


def mean_square(case: Case, settings: Settings, field: Field) -> Floats:
    """The mean of the squared gradients, ``(8, 8)``, 0 or more, in (units of F for a change of 1 in the pixel)²."""
    return mean_of(field.gradients**2)


def variance(case: Case, settings: Settings, field: Field) -> Floats:
    """The variance of the gradients over the copies, ``(8, 8)``, 0 or more, in the same unit as ``mean_square``.

    With ddof 0 it is divided by n: the variance of these copies. With ddof 1 it is divided by n − 1: an estimate of the
    variance over all copies. For one copy both are 0. With ``variance_of="magnitude"`` it is the variance of |∂F/∂x|.
    Computed from the deviations, so it is never negative and accurate beside a large mean.
    """
    return mean_of(_squared_deviations(field, settings)) * _bessel(field, settings)


def _squared_deviations(field: Field, settings: Settings) -> Floats:
    gradients = np.abs(field.gradients) if settings.variance_of == "magnitude" else field.gradients
    deviations = gradients - mean_of(gradients)
    # the mean of n equal numbers may have a rounding error, which would give a variance
    deviations[:, np.ptp(gradients, axis=0) == 0] = 0
    return deviations**2


def _bessel(field: Field, settings: Settings) -> float:
    """n / (n − ddof); 1 for one copy."""
    n = len(field.gradients)
    return n / max(n - settings.ddof, 1)


def _error_of_mean_square(field: Field, settings: Settings) -> Floats | None:
    return error_of_mean(field.gradients**2, settings.clean_last)


def _error_of_variance(field: Field, settings: Settings) -> Floats | None:
    """To leading order in 1/n: the error of the mean of the squared deviations as independent draws."""
    error = error_of_mean(_squared_deviations(field, settings), settings.clean_last)
    return None if error is None else error * _bessel(field, settings)


SMOOTHGRAD_SQUARED = Method(
    name="smoothgrad_squared",
    title="SmoothGrad²",
    year=2019,
    paper="Hooker et al. 2019",
    reference="A Benchmark for Interpretability Methods in Deep Neural Networks, arXiv:1806.10758",
    family="gradient field",
    formula="mean of (∂F/∂x)² at x + ε, ε ~ N(0, σ²)",
    complete="",
    unit="(F per unit of a pixel)²",
    asks_at="copies",
    invariant=True,
    passes="n forward, n backward",
    count=passes_per_sample,
    settings=(SAMPLES, NOISE_LEVEL, SEED, CLIP, NOISE_RANGE, CLEAN_LAST),
    caveat="It has no sign, and a pixel whose gradient only flickers scores as high as one that always pushes one "
    "way.",
    compute=GradientMethod(points, mean_square, _error_of_mean_square),
)

VARGRAD = Method(
    name="vargrad",
    title="VarGrad",
    year=2018,
    paper="Adebayo et al. 2018",
    reference="Local Explanation Methods for Deep Neural Networks Lack Sensitivity to Parameter Values, "
    "arXiv:1810.03307",
    family="gradient field",
    formula="variance of ∂F/∂x at x + ε, ε ~ N(0, σ²)",
    complete="",
    unit="(F per unit of a pixel)²",
    asks_at="copies",
    invariant=True,
    passes="n forward, n backward",
    count=passes_per_sample,
    settings=(SAMPLES, NOISE_LEVEL, SEED, CLIP, NOISE_RANGE, CLEAN_LAST, VARIED, DDOF),
    caveat="It shows where the gradient varies, not where it is large: a pixel with a large, steady gradient gets 0.",
    compute=GradientMethod(points, variance, _error_of_variance),
)

ENTRIES = (SMOOTHGRAD_SQUARED, VARGRAD)
