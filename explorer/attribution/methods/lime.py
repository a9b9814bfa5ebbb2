"""LIME: a weighted linear fit of F to which 2 × 2 blocks of the input are shown.

Ribeiro, Singh & Guestrin, "'Why Should I Trust You?': Explaining the Predictions of Any Classifier", KDD 2016.
"""

# Blocks are shown or replaced by the baseline at random; F is fitted by least squares with an intercept. As in the authors'
# code for images, the distance is between coalitions, not pictures: the cosine distance to the full coalition, which is
# 1 − √(share shown).

from __future__ import annotations

import numpy as np

from explorer.attribution.case import Case
from explorer.attribution.coalitions import BLOCKS, Coalitions, Fit, Game, least_squares
from explorer.attribution.method import SEED, Attribution, Method, Passes, Setting, Values
from explorer.attribution.network import Floats

LIME_SAMPLES = Setting("lime_samples", "Samples of blocks n", 1000, 64, 20_000)
KERNEL_WIDTH = Setting("kernel_width", "Kernel width", 0.25, 0.05, 10.0)


def draw(count: int, samples: int, seed: int) -> Coalitions:
    """The full coalition, then coalitions in which each player is in with probability ½, ``(samples, count)``.

    A shorter draw of the same seed is a prefix of a longer one.
    """
    drawn = np.random.default_rng(seed).random((samples, count)) < 0.5
    drawn[0] = True
    return drawn


def weights(coalitions: Coalitions, kernel_width: float) -> Floats:
    """exp(−d² / 2w²) of each coalition ``(k,)``, in [0, 1], with d = 1 − √(share shown) and w the kernel width."""
    distances = 1 - np.sqrt(coalitions.mean(axis=1))
    return np.exp(-((distances / kernel_width) ** 2) / 2)


def lime(coalitions: Coalitions, worths: Floats, kernel: Floats) -> Fit:
    """The weighted fit of the worths ``(k,)``: an intercept, the first coefficient, and one coefficient for each player.

    The first coalition's worth is subtracted before, so that a constant F gets exactly 0.
    """
    rows = np.hstack([np.ones((len(coalitions), 1)), coalitions])
    return least_squares(rows, worths - worths[0], kernel)


def _lime(case: Case, values: Values) -> Attribution:
    blocks = Game(case, BLOCKS, BLOCKS.max() + 1)  # all blocks, as the distance depends on their number
    drawn = draw(blocks.count, int(values["lime_samples"]), int(values["seed"]))
    fit = lime(drawn, blocks.worth(drawn), weights(drawn, float(values["kernel_width"])))
    k, p = fit.deviations.shape
    error = np.sqrt((fit.deviations**2).sum(axis=0) * k / (k - p))
    return Attribution(blocks.to_pixels(fit.coefficients[1:]), k, 0, error=blocks.to_pixels(error[1:]))


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
    unit="F",
    asks="with random blocks hidden",
    invariant=True,
    passes="n forward: drawn coalitions of 16 blocks of 2 × 2 pixels",
    count=_count,
    settings=(LIME_SAMPLES, KERNEL_WIDTH, SEED),
    caveat="It explains a straight-line stand-in for F, which may fit F badly, and which the kernel width and the "
    "draw move.",
    compute=_lime,
)

ENTRIES = (LIME,)
