"""LIME: the linear model of which blocks are shown that fits F best near the picture.

Ribeiro, Singh & Guestrin, "'Why Should I Trust You?': Explaining the Predictions of Any Classifier", KDD 2016.

Blocks of 2 × 2 pixels are shown or replaced by the baseline at random; F, the target's probability or logit, is fitted
by plain least squares with an intercept, where pictures that show more of the input weigh more. As in the authors' code
for images, distance is measured between coalitions, not pictures: 1 − the cosine of the angle between who is in and
everybody, 1 − √(share shown).
"""

from __future__ import annotations

import numpy as np

from explorer.attribution.case import Case
from explorer.attribution.coalitions import BLOCKS, Coalitions, Fit, Game, least_squares
from explorer.attribution.method import SEED, Answer, Method, Passes, Setting, Values
from explorer.attribution.network import Floats

LIME_SAMPLES = Setting("lime_samples", "Samples of blocks n", 1000, 64, 20_000)
KERNEL_WIDTH = Setting("kernel_width", "Kernel width", 0.25, 0.05, 10.0)


def draw(count: int, samples: int, seed: int) -> Coalitions:
    """The coalition of everybody, then coalitions in which each player is in with probability ½, ``(samples, count)``.

    The generator is the call's own, made from the seed; the first n of a longer draw are the draw of n.
    """
    drawn = np.random.default_rng(seed).random((samples, count)) < 0.5
    drawn[0] = True
    return drawn


def weights(coalitions: Coalitions, kernel_width: float) -> Floats:
    """exp(−d² / 2w²) of each coalition ``(k,)``, in [0, 1], with d = 1 − √(share shown) and w the kernel width."""
    distances = 1 - np.sqrt(coalitions.mean(axis=1))
    return np.exp(-((distances / kernel_width) ** 2) / 2)


def lime(coalitions: Coalitions, worths: Floats, kernel: Floats) -> Fit:
    """The weighted fit of the worths ``(k,)`` by an intercept, the first coefficient, and one of n players each.

    The first coalition's worth is what the intercept counts from, so that a constant F gets exactly 0 everywhere.
    """
    rows = np.hstack([np.ones((len(coalitions), 1)), coalitions])
    return least_squares(rows, worths - worths[0], kernel)


def _lime(case: Case, values: Values) -> Answer:
    blocks = Game(case, BLOCKS, BLOCKS.max() + 1)  # all play, as distance counts how many are shown
    drawn = draw(blocks.count, int(values["lime_samples"]), int(values["seed"]))
    fit = lime(drawn, blocks.worth(drawn), weights(drawn, float(values["kernel_width"])))
    k, p = fit.deviations.shape
    error = np.sqrt((fit.deviations**2).sum(axis=0) * k / (k - p))
    return Answer(blocks.shared(fit.coefficients[1:]), k, 0, error=blocks.shared(error[1:]))


def _count(case: Case, values: Values) -> Passes:
    return Passes(int(values["lime_samples"]), 0)


LIME = Method(
    name="lime",
    title="LIME",
    year=2016,
    paper="Ribeiro et al. 2016",
    reference="“Why Should I Trust You?”: Explaining the Predictions of Any Classifier, arXiv:1602.04938",
    family="perturbation",
    formula="β that minimises Σ exp(−d(S)² / 2w²) (F(S) − β₀ − Σ βᵢ over i in S)² over drawn S",
    complete="",
    invariant=True,
    passes="n forward: drawn coalitions of 16 blocks of 2 × 2 pixels",
    count=_count,
    settings=(LIME_SAMPLES, KERNEL_WIDTH, SEED),
    misleads="It explains a straight-line stand-in for F, which may fit F badly, and which the kernel width and the "
    "draw move.",
    work=_lime,
)
