"""Integrated Gradients averaged: over noisy copies of the input, or over several baselines.

Smooth IG is SmoothGrad around Integrated Gradients, as Smilkov et al. suggest (2017). That one baseline decides too
much, and that an average over several is a way out: Sturmfels, Lundberg & Lee, "Visualizing the Impact of Feature
Attribution Baselines", Distill 2020.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from explorer.attribution.case import Case
from explorer.attribution.field import values_at
from explorer.attribution.method import (
    CLIP,
    NOISE_LEVEL,
    NOISE_RANGE,
    RULE,
    SAMPLES,
    SEED,
    Answer,
    Method,
    Passes,
    Setting,
    Values,
    looks_on_path,
    shared,
)
from explorer.attribution.network import SHAPE, Floats
from explorer.attribution.paths import STEPS_EACH, integrated, mean_and_error
from explorer.attribution.smooth import points

BASELINES = Setting("baselines", "Baselines b", 20, 1, 100)
SQUARES = Setting("squares", "Average the squared maps", False)


def smooth_integrated_gradients(case: Case, values: Values) -> Answer:
    """The mean of Integrated Gradients from x′ to each of SmoothGrad's noisy copies of x, ``(8, 8)``, in units of F.

    The goal is that of the mean itself: mean F(x + ε) − F(x′) over the very copies that were drawn. The standard error
    is that over copies; it knows nothing of the error of the quadrature. With ``squares`` it is the mean of the squared
    maps, as PAIR has it: without sign, in units of F², and nothing that it should sum to.
    """
    settings = shared(values)
    copies = points(case, settings)
    baselines = np.broadcast_to(case.baseline, copies.shape)
    f = values_at(case, np.concatenate([case.baseline[None], copies]))
    maps = integrated(case, copies, baselines, settings.steps, settings.rule)
    if values["squares"]:
        return _averaged(maps**2, len(copies) * looks_on_path(values), len(f), None)
    return _averaged(maps, len(copies) * looks_on_path(values), len(f), float(f[1:].mean() - f[0]))


def integrated_gradients_of_baselines(case: Case, values: Values) -> Answer:
    """The mean of Integrated Gradients of x from b baselines of uniform noise, ``(8, 8)``, in units of F.

    The case's own baseline plays no part. The goal is F(x) − mean F(x′) over the baselines that were drawn; the
    standard error tells how far the map would move with others.
    """
    settings = shared(values)
    baselines = noise_pictures(int(values["baselines"]), settings.seed)
    inputs = np.broadcast_to(case.input, baselines.shape)
    f = values_at(case, np.concatenate([case.input[None], baselines]))
    maps = integrated(case, inputs, baselines, settings.steps, settings.rule)
    return _averaged(maps, len(baselines) * looks_on_path(values), len(f), float(f[0] - f[1:].mean()))


def noise_pictures(count: int, seed: int) -> Floats:
    """Pictures of uniform noise in [0, 1), ``(count, 8, 8)``; fewer of the same seed are the first of more."""
    return np.random.default_rng(seed).random((count, *SHAPE))


def _averaged(maps: Floats, looks: int, ends: int, goal: float | None) -> Answer:
    mean, error = mean_and_error(maps)
    return Answer(mean, forward=looks + ends, backward=looks, goal=goal, error=error)


def _count(paths: str) -> Callable[[Case, Values], Passes]:
    """As many paths as the setting of that name says, with one end that they share."""

    def count(case: Case, values: Values) -> Passes:
        looks = int(values[paths]) * looks_on_path(values)
        return Passes(looks + int(values[paths]) + 1, looks)

    return count


SMOOTH_INTEGRATED_GRADIENTS = Method(
    name="smooth_integrated_gradients",
    title="Smooth IG",
    year=2017,
    paper="Smilkov et al. 2017",
    reference="SmoothGrad: removing noise by adding noise, arXiv:1706.03825",
    family="gradient field",
    formula="mean of IG from x′ to x + ε, ε ~ N(0, σ²)",
    complete="mean F(x + ε) − F(x′)",
    invariant=True,
    passes="n m + n + 1 forward, n m backward",
    count=_count("samples"),
    settings=(STEPS_EACH, RULE, replace(SAMPLES, default=20, high=100), NOISE_LEVEL, SEED, CLIP, NOISE_RANGE, SQUARES),
    misleads="It adds up to what the noisy copies score, which can be far from what this picture scores.",
    work=smooth_integrated_gradients,
)

AVERAGED_BASELINES = Method(
    name="averaged_baselines",
    title="IG over several baselines",
    year=2020,
    paper="Sturmfels et al. 2020",
    reference="Visualizing the Impact of Feature Attribution Baselines, doi:10.23915/distill.00022",
    family="gradient field",
    formula="mean of IG from x′ to x, x′ of uniform noise",
    complete="F(x) − mean F(x′) over noise pictures",
    invariant=True,
    passes="b m + b + 1 forward, b m backward",
    count=_count("baselines"),
    settings=(STEPS_EACH, RULE, BASELINES, SEED),
    misleads="The average hides how much the baselines disagree, and noise is no better than black as “nothing there”.",
    work=integrated_gradients_of_baselines,
)
