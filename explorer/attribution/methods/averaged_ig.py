"""Integrated Gradients averaged over noisy copies of the input (Smilkov et al. 2017), or over several baselines.

Sturmfels, Lundberg & Lee, "Visualizing the Impact of Feature Attribution Baselines", Distill 2020.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from explorer.attribution.case import Case
from explorer.attribution.field import values_at
from explorer.attribution.means import error_of_mean, mean_of
from explorer.attribution.method import (
    CLIP,
    NOISE_LEVEL,
    NOISE_RANGE,
    RULE,
    SAMPLES,
    SEED,
    STEPS_EACH,
    Attribution,
    Method,
    Passes,
    Setting,
    Values,
    points_on_path,
    shared_settings,
)
from explorer.attribution.methods.smoothgrad import points
from explorer.attribution.network import SHAPE, Floats
from explorer.attribution.paths import integrate_paths

BASELINES = Setting("baselines", "Baselines b", 20, 1, 100)
SQUARES = Setting("squares", "Average the squared maps", False)


def smooth_integrated_gradients(case: Case, values: Values) -> Attribution:
    """The mean of Integrated Gradients from x′ to each of SmoothGrad's noisy copies of x, ``(8, 8)``, in units of F.

    The expected sum is mean F(x + ε) − F(x′) over the copies that were drawn. The standard error is over copies, without
    the quadrature error. With ``squares`` it is the mean of the squared maps, as in PAIR: without sign, in units of F²,
    and without an expected sum.
    """
    settings = shared_settings(values)
    copies = points(case, settings)
    baselines = np.broadcast_to(case.baseline, copies.shape)
    f = values_at(case, np.concatenate([case.baseline[None], copies]))
    maps = integrate_paths(case, copies, baselines, settings.steps, settings.rule)
    if values["squares"]:
        return _averaged(maps**2, len(copies) * points_on_path(values), len(f), None)
    return _averaged(maps, len(copies) * points_on_path(values), len(f), float(f[1:].mean() - f[0]))


def integrated_gradients_of_baselines(case: Case, values: Values) -> Attribution:
    """The mean of Integrated Gradients of x from b baselines of uniform noise, ``(8, 8)``, in units of F.

    The case's baseline is not used. The expected sum is F(x) − mean F(x′) over the baselines that were drawn; the standard
    error is over baselines.
    """
    settings = shared_settings(values)
    baselines = noise_pictures(int(values["baselines"]), settings.seed)
    inputs = np.broadcast_to(case.input, baselines.shape)
    f = values_at(case, np.concatenate([case.input[None], baselines]))
    maps = integrate_paths(case, inputs, baselines, settings.steps, settings.rule)
    return _averaged(maps, len(baselines) * points_on_path(values), len(f), float(f[0] - f[1:].mean()))


def noise_pictures(count: int, seed: int) -> Floats:
    """Pictures of uniform noise in [0, 1), ``(count, 8, 8)``; a shorter draw of the same seed is a prefix of a longer one."""
    return np.random.default_rng(seed).random((count, *SHAPE))


def _averaged(maps: Floats, evaluations: int, ends: int, expected_sum: float | None) -> Attribution:
    return Attribution(mean_of(maps), forward=evaluations + ends, backward=evaluations, expected_sum=expected_sum, error=error_of_mean(maps))


def _count(paths: str) -> Callable[[Case, Values], Passes]:
    """``Method.count`` for as many paths as the setting of that name, which share one end."""

    def count(case: Case, values: Values) -> Passes:
        evaluations = int(values[paths]) * points_on_path(values)
        return Passes(evaluations + int(values[paths]) + 1, evaluations)

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
    unit="F",
    other_units={"squares": {True: "F²"}},
    asks="along paths to noisy copies",
    invariant=True,
    passes="n m + n + 1 forward, n m backward",
    count=_count("samples"),
    settings=(STEPS_EACH, RULE, replace(SAMPLES, default=20, high=100), NOISE_LEVEL, SEED, CLIP, NOISE_RANGE, SQUARES),
    caveat="It adds up to what the noisy copies score, which can be far from what this picture scores.",
    compute=smooth_integrated_gradients,
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
    unit="F",
    asks="along paths from random pictures",
    invariant=True,
    passes="b m + b + 1 forward, b m backward",
    count=_count("baselines"),
    settings=(STEPS_EACH, RULE, BASELINES, SEED),
    caveat="The average hides how much the baselines disagree, and noise is no better than black as “nothing there”.",
    compute=integrated_gradients_of_baselines,
)

ENTRIES = (SMOOTH_INTEGRATED_GRADIENTS, AVERAGED_BASELINES)
