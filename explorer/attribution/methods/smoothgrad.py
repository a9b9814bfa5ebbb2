"""SmoothGrad: the gradient averaged over noisy copies of the input.

Smilkov, Thorat, Kim, Viégas & Wattenberg, "SmoothGrad: removing noise by adding noise", 2017.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from explorer.attribution.case import Case, Settings
from explorer.attribution.field import Field
from explorer.attribution.means import error_of_mean, mean_of
from explorer.attribution.method import (
    AVERAGE_OF,
    CLEAN_LAST,
    CLIP,
    NOISE_LEVEL,
    NOISE_RANGE,
    SAMPLES,
    SEED,
    GradientMethod,
    Method,
    passes_per_sample,
)
from explorer.attribution.network import SHAPE, Floats


def points(case: Case, settings: Settings) -> Floats:
    """x + ε, ε ~ N(0, σ²), ``(samples, 8, 8)``; σ = noise level × 1, the range of a pixel.

    With ``noise_range="picture"`` σ is a share of the picture's max − min, so a constant picture gets no noise. The same seed
    gives the same copies; a shorter draw is a prefix of a longer one. ``clip`` clips the copies to [0, 1]; with
    ``clean_last`` the last copy is x itself.
    """
    share_of = 1.0 if settings.noise_range == "one" else float(np.ptp(case.input))
    copies = settings.noise_level * share_of * _noise(settings.seed, settings.samples)
    copies += case.input
    if settings.clip:
        np.clip(copies, 0, 1, out=copies)
    if settings.clean_last:
        copies[-1] = case.input
    return copies


def attribution(case: Case, settings: Settings, field: Field) -> Floats:
    """The mean of the gradients, ``(8, 8)``, in units of F for a change of 1 in the pixel.

    With ``of`` the mean of their magnitudes or of their squares (in that unit squared), without sign.
    """
    return mean_of(_averaged(field, settings))


def standard_error(field: Field, settings: Settings | None = None) -> Floats | None:
    """Standard error of each pixel's mean, ``(8, 8)``, from the sample variance (ddof 1); None for one sample.

    The settings (by default ``Settings()``) give the averaged quantity and whether the last copy has no noise.
    """
    settings = settings or Settings()
    return error_of_mean(_averaged(field, settings), settings.clean_last)


def _averaged(field: Field, settings: Settings) -> Floats:
    if settings.of == "gradient":
        return field.gradients
    return np.abs(field.gradients) if settings.of == "magnitude" else field.gradients**2


@lru_cache(maxsize=8)  # the noise is the same for every stroke of a picture
def _noise(seed: int, samples: int) -> Floats:
    noise = np.random.default_rng(seed).standard_normal((samples, *SHAPE))
    noise.flags.writeable = False
    return noise


SMOOTHGRAD = Method(
    name="smoothgrad",
    title="SmoothGrad",
    year=2017,
    paper="Smilkov et al. 2017",
    reference="SmoothGrad: removing noise by adding noise, arXiv:1706.03825",
    family="gradient field",
    formula="mean of ∂F/∂x at x + ε, ε ~ N(0, σ²)",
    complete="",
    unit="F per unit of a pixel",
    other_units={"of": {"square": "(F per unit of a pixel)²"}},
    asks_at="copies",
    invariant=True,
    passes="n forward, n backward",
    count=passes_per_sample,
    settings=(SAMPLES, NOISE_LEVEL, SEED, CLIP, NOISE_RANGE, CLEAN_LAST, AVERAGE_OF),
    caveat="Much noise explains noisy pictures rather than this one, and few samples leave a map that is noise itself.",
    compute=GradientMethod(points, attribution, standard_error),
)

ENTRIES = (SMOOTHGRAD,)
