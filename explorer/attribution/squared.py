"""SmoothGrad² and VarGrad: what else there is to know of the gradients at SmoothGrad's noisy copies.

Both look at the very points where SmoothGrad looks, so asking all three costs no more than asking one. For every pixel

    SmoothGrad² = (SmoothGrad)² + VarGrad

that is: the mean square is the square of the mean plus the variance.

Hooker, Erhan, Kindermans & Kim, "A Benchmark for Interpretability Methods in Deep Neural Networks", 2019 (SmoothGrad²);
Adebayo, Gilmer, Goodfellow & Kim, "Local Explanation Methods for Deep Neural Networks Lack Sensitivity to Parameter
Values", 2018 (VarGrad).
"""

from __future__ import annotations

import numpy as np

from explorer.attribution.case import Case, Settings
from explorer.attribution.field import Field
from explorer.attribution.method import (
    CLEAN_LAST,
    CLIP,
    DDOF,
    NOISE_LEVEL,
    NOISE_RANGE,
    SAMPLES,
    SEED,
    VARIED,
    FieldWork,
    Method,
    each_sample,
)
from explorer.attribution.network import SHAPE, Floats
from explorer.attribution.smooth import error_of_mean, points


def mean_square(case: Case, settings: Settings, field: Field) -> Floats:
    """The mean of the squared gradients, ``(8, 8)``, 0 or more, in (units of F for a change of 1 in the pixel)²."""
    return _mean(field.gradients**2)


def variance(case: Case, settings: Settings, field: Field) -> Floats:
    """The variance of the gradients over the copies, ``(8, 8)``, 0 or more, in the same unit as ``mean_square``.

    It is divided by n (ddof 0): it describes these copies, one copy has none, and the identity above holds exactly.
    With ddof 1 it is divided by n − 1, which estimates the variance over all possible copies; of one copy it is 0 still.
    If the settings ask for it, it is the variance of |∂F/∂x|.
    Computed in two passes, from the deviations, so it is never negative and keeps its digits beside a large mean.
    """
    return _mean(_squared_deviations(field, settings)) * _bessel(field, settings)


def _squared_deviations(field: Field, settings: Settings) -> Floats:
    gradients = np.abs(field.gradients) if settings.variance_of == "magnitude" else field.gradients
    deviations = gradients - _mean(gradients)
    # where all are equal, the mean of n of them may still be off by a rounding error, and so would be the variance
    deviations[:, np.ptp(gradients, axis=0) == 0] = 0
    return deviations**2


def _bessel(field: Field, settings: Settings) -> float:
    """n / (n − ddof); one copy has no deviations to divide."""
    n = len(field.gradients)
    return n / max(n - settings.ddof, 1)


def _mean(values: Floats) -> Floats:
    n = len(values)
    return (values.reshape(n, -1).sum(axis=0) / n).reshape(SHAPE)


def _error_of_mean_square(field: Field, settings: Settings) -> Floats | None:
    return error_of_mean(field.gradients**2, settings.clean_last)


def _error_of_variance(field: Field, settings: Settings) -> Floats | None:
    """To leading order in 1/n: that of the mean of the squared deviations, taken as draws of their own."""
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
    invariant=True,
    passes="n forward, n backward",
    count=each_sample,
    settings=(SAMPLES, NOISE_LEVEL, SEED, CLIP, NOISE_RANGE, CLEAN_LAST),
    misleads="It has no sign, and a pixel whose gradient only flickers scores as high as one that always pushes one "
    "way.",
    work=FieldWork(points, mean_square, _error_of_mean_square),
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
    invariant=True,
    passes="n forward, n backward",
    count=each_sample,
    settings=(SAMPLES, NOISE_LEVEL, SEED, CLIP, NOISE_RANGE, CLEAN_LAST, VARIED, DDOF),
    misleads="It shows where the gradient varies, not where it is large: a pixel with a large, steady gradient gets 0.",
    work=FieldWork(points, variance, _error_of_variance),
)
