"""SmoothGrad: the gradient averaged over noisy copies of the input.

Smilkov, Thorat, Kim, Viégas & Wattenberg, "SmoothGrad: removing noise by adding noise", 2017.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from explorer.attribution.case import Case, Settings
from explorer.attribution.field import Field
from explorer.attribution.method import CLIP, NOISE_LEVEL, SAMPLES, SEED, FieldWork, Method
from explorer.attribution.network import SHAPE, Floats


def points(case: Case, settings: Settings) -> Floats:
    """x + ε, ε ~ N(0, σ²), ``(samples, 8, 8)``; σ = noise level × 1, the range of a pixel.

    The generator is the call's own, made from the seed: the same seed gives the same copies, and the first n
    of a longer draw are the draw of n. Clipped to [0, 1] only if the settings ask.
    """
    copies = settings.noise_level * _noise(settings.seed, settings.samples)
    copies += case.input
    return np.clip(copies, 0, 1, out=copies) if settings.clip else copies


def attribution(case: Case, settings: Settings, field: Field) -> Floats:
    """The mean of the gradients, ``(8, 8)``, in units of F for a change of 1 in the pixel."""
    return _mean(field.gradients)


def standard_error(field: Field) -> Floats | None:
    """Standard error of each pixel's mean, ``(8, 8)``, from the sample variance (ddof 1); None for one sample.

    How far the map would move with other noise: what is not well above it is noise.
    """
    n = len(field.gradients)
    if n < 2:
        return None
    squares = field.gradients - _mean(field.gradients)
    squares *= squares
    variance = squares.reshape(n, -1).sum(axis=0) / (n - 1)
    return np.sqrt(variance / n).reshape(SHAPE)


@lru_cache(maxsize=8)  # a pure function; while a picture is painted every question has the same noise
def _noise(seed: int, samples: int) -> Floats:
    noise = np.random.default_rng(seed).standard_normal((samples, *SHAPE))
    noise.flags.writeable = False
    return noise


def _mean(gradients: Floats) -> Floats:
    n = len(gradients)
    return (gradients.reshape(n, -1).sum(axis=0) / n).reshape(SHAPE)


SMOOTHGRAD = Method(
    name="smoothgrad",
    title="SmoothGrad",
    year=2017,
    paper="Smilkov et al. 2017",
    reference="SmoothGrad: removing noise by adding noise, arXiv:1706.03825",
    family="gradient field",
    formula="mean of ∂F/∂x at x + ε, ε ~ N(0, σ²)",
    complete="",
    invariant=True,
    passes="n forward, n backward",
    settings=(SAMPLES, NOISE_LEVEL, SEED, CLIP),
    misleads="Much noise explains noisy pictures rather than this one, and few samples leave a map that is noise itself.",
    work=FieldWork(points, attribution, standard_error),
)
