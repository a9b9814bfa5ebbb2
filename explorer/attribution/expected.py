"""Expected Gradients and GradientSHAP: the network's own kind of pictures as baselines, drawn at random.

Both estimate the average of Integrated Gradients over all background pictures, with one random point on one random path
for each sample. GradientSHAP starts from a noisy copy of the input each time; without noise the two are the same.

Erion, Janizek, Sturmfels, Lundberg & Lee, "Improving performance of deep learning models with axiomatic attribution
priors and expected gradients", Nature Machine Intelligence 2021; Lundberg & Lee, "A Unified Approach to Interpreting
Model Predictions", NeurIPS 2017, for the Shapley values that GradientSHAP is named after.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from explorer.attribution.case import Case
from explorer.attribution.field import values_at
from explorer.attribution.method import CLIP, NOISE_LEVEL, SAMPLES, SEED, Answer, Method, Passes, Values, shared
from explorer.attribution.network import Floats, Network
from explorer.attribution.paths import mean_and_error, one_look_each
from explorer.attribution.smooth import points

MORE_SAMPLES = replace(SAMPLES, default=500, high=5000)  # two things to average out, and each sample is one look only


class Draw(NamedTuple):
    """What was drawn for n samples: background pictures ``(n, 8, 8)`` and places on the path ``(n,)`` in [0, 1)."""

    baselines: Floats
    alphas: Floats


def expected_gradients(case: Case, values: Values) -> Answer:
    """The mean of (x − x′) · ∂F(x′ + α (x − x′)) over random x′ and α, ``(8, 8)``, in units of F.

    The case's own baseline plays no part. In the limit of many samples the map is the mean of Integrated Gradients over
    the background and sums to the goal, F(x) − mean F(background); the standard error tells how far off a pixel may be.
    """
    settings = shared(values)
    inputs = np.broadcast_to(case.input, (settings.samples, *case.input.shape))
    return _answer(case, inputs, settings.seed, case.input[None])


def gradient_shap(case: Case, values: Values) -> Answer:
    """The same from noisy copies x + ε, the ones of SmoothGrad, ``(8, 8)``, in units of F.

    Its goal is that of its limit, mean F(x + ε) − mean F(background), with the copies that were drawn.
    """
    settings = shared(values)
    copies = points(case, settings)
    return _answer(case, copies, settings.seed, copies)


def draw(background: Floats, samples: int, seed: int) -> Draw:
    """Background pictures with replacement, and α uniform in [0, 1); fewer samples are the first of more.

    The two have generators of their own, neither of which is that of SmoothGrad's noise.
    """
    which = np.random.default_rng([seed, 1]).integers(len(background), size=samples)
    return Draw(background[which], np.random.default_rng([seed, 2]).random(samples))


def refusal(network: Network) -> str:
    """Why the methods do not apply: no background."""
    if network.background is not None:
        return ""
    return "it takes its baselines from pictures like those the network was trained on, and this network brings none"


def _answer(case: Case, inputs: Floats, seed: int, scored: Floats) -> Answer:
    background = case.network.background
    if background is None:
        raise ValueError(refusal(case.network))
    drawn = draw(background, len(inputs), seed)
    mean, error = mean_and_error(one_look_each(case, inputs, drawn.baselines, drawn.alphas))
    goal = values_at(case, scored).mean() - values_at(case, background).mean()
    forward = len(inputs) + len(scored) + len(background)
    return Answer(mean, forward=forward, backward=len(inputs), goal=float(goal), error=error)


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
    invariant=True,
    passes="n + b + 1 forward for b background pictures, n backward",
    count=_count,
    settings=(MORE_SAMPLES, SEED),
    misleads="It explains what sets this picture apart from the background pictures, and few samples leave much noise.",
    work=expected_gradients,
    refusal=refusal,
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
    invariant=True,
    passes="2 n + b forward for b background pictures, n backward",
    count=_count_shap,
    settings=(MORE_SAMPLES, NOISE_LEVEL, SEED, CLIP),
    misleads="It comes near to Shapley values only where pixels vary independently and the network is almost linear.",
    work=gradient_shap,
    refusal=refusal,
)
