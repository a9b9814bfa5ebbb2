"""Expected Gradients and GradientSHAP: Integrated Gradients averaged over random background pictures as baselines.

Erion, Janizek, Sturmfels, Lundberg & Lee, "Improving performance of deep learning models with axiomatic attribution
priors and expected gradients", Nature Machine Intelligence 2021; Lundberg & Lee, NeurIPS 2017 (GradientSHAP).
"""

# Both use one random point on one random path for each sample. GradientSHAP's paths end at noisy copies of the input; without
# noise the two methods are the same.

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from explorer.attribution.case import Case
from explorer.attribution.field import values_at
from explorer.attribution.means import error_of_mean, mean_of
from explorer.attribution.method import (
    CLIP,
    NOISE_LEVEL,
    SAMPLES,
    SEED,
    Attribution,
    Method,
    Passes,
    Values,
    shared_settings,
)
from explorer.attribution.methods.smoothgrad import points
from explorer.attribution.network import Floats, Network
from explorer.attribution.paths import one_point_per_path

MORE_SAMPLES = replace(SAMPLES, default=500, high=5000)  # averages over α and x′, and a sample is only one point


class Draw(NamedTuple):
    """n random draws: background pictures ``(n, 8, 8)`` and α on the path ``(n,)`` in [0, 1)."""

    baselines: Floats
    alphas: Floats


def expected_gradients(case: Case, values: Values) -> Attribution:
    """The mean of (x − x′) · ∂F(x′ + α (x − x′)) over random x′ and α, ``(8, 8)``, in units of F.

    The case's baseline is not used. For many samples the map converges to the mean of Integrated Gradients over the
    background, and its sum to the expected sum, F(x) − mean F(background).
    """
    settings = shared_settings(values)
    inputs = np.broadcast_to(case.input, (settings.samples, *case.input.shape))
    return _answer(case, inputs, settings.seed, case.input[None])


def gradient_shap(case: Case, values: Values) -> Attribution:
    """Expected Gradients of noisy copies x + ε, the same as SmoothGrad's, ``(8, 8)``, in units of F.

    The expected sum is mean F(x + ε) − mean F(background), with the copies that were drawn.
    """
    settings = shared_settings(values)
    copies = points(case, settings)
    return _answer(case, copies, settings.seed, copies)


def draw(background: Floats, samples: int, seed: int) -> Draw:
    """Background pictures with replacement, and α uniform in [0, 1); a shorter draw is a prefix of a longer one.

    The two have separate generators, neither of which is that of SmoothGrad's noise.
    """
    which = np.random.default_rng([seed, 1]).integers(len(background), size=samples)
    return Draw(background[which], np.random.default_rng([seed, 2]).random(samples))


def unsupported_reason(network: Network) -> str:
    """Why the methods do not apply to a network, without a full stop: it has no background; "" when they do."""
    if network.background is not None:
        return ""
    return "it takes its baselines from pictures like those the network was trained on, and this network brings none"


def _answer(case: Case, inputs: Floats, seed: int, scored: Floats) -> Attribution:
    background = case.network.background
    if background is None:
        raise ValueError(unsupported_reason(case.network))
    drawn = draw(background, len(inputs), seed)
    maps = one_point_per_path(case, inputs, drawn.baselines, drawn.alphas)
    expected_sum = values_at(case, scored).mean() - values_at(case, background).mean()
    forward = len(inputs) + len(scored) + len(background)
    return Attribution(mean_of(maps), forward=forward, backward=len(inputs), expected_sum=float(expected_sum), error=error_of_mean(maps))


def _count(case: Case, values: Values, scored: int = 1) -> Passes:
    samples, background = int(values["samples"]), case.network.background
    return Passes(samples + scored + (0 if background is None else len(background)), samples)


def _count_shap(case: Case, values: Values) -> Passes:
    return _count(case, values, scored=int(values["samples"]))


EXPECTED_GRADIENTS = Method(
    name="expected_gradients",
    title="Expected Gradients",
    year=2021,
    paper="Erion et al. 2021",
    reference="Improving performance of deep learning models with axiomatic attribution priors and expected gradients, "
    "arXiv:1906.10670",
    family="gradient field",
    formula="mean of (x − x′) · ∂F(x′ + α(x − x′))/∂x, x′ from the background, α ~ U(0, 1)",
    complete="F(x) − mean F(background)",
    unit="F",
    asks="along paths from background pictures",
    invariant=True,
    passes="n + b + 1 forward for b background pictures, n backward",
    count=_count,
    settings=(MORE_SAMPLES, SEED),
    caveat="It explains what sets this picture apart from the background pictures, and few samples leave much noise.",
    compute=expected_gradients,
    unsupported_reason=unsupported_reason,
)

GRADIENT_SHAP = Method(
    name="gradient_shap",
    title="GradientSHAP",
    year=2017,
    paper="Lundberg & Lee 2017",
    reference="A Unified Approach to Interpreting Model Predictions, arXiv:1705.07874",
    family="gradient field",
    formula="mean of (x + ε − x′) · ∂F(x′ + α(x + ε − x′))/∂x, ε ~ N(0, σ²), x′ from the background, α ~ U(0, 1)",
    complete="mean F(x + ε) − mean F(background)",
    unit="F",
    asks="along paths from background pictures to noisy copies",
    invariant=True,
    passes="2 n + b forward for b background pictures, n backward",
    count=_count_shap,
    settings=(MORE_SAMPLES, NOISE_LEVEL, SEED, CLIP),
    caveat="It comes near to Shapley values only where pixels vary independently and the network is almost linear.",
    compute=gradient_shap,
    unsupported_reason=unsupported_reason,
)

ENTRIES = (EXPECTED_GRADIENTS, GRADIENT_SHAP)
