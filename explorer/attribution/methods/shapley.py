"""Shapley values of the game in ``coalitions``: exact, and estimated by KernelSHAP with complementary pairs.

Shapley, "A Value for n-Person Games", 1953; Lundberg & Lee, "A Unified Approach to Interpreting Model Predictions",
NeurIPS 2017; Covert & Lee, "Improving KernelSHAP", AISTATS 2021 (pairs).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from explorer.attribution.case import Case
from explorer.attribution.coalitions import Coalitions, game, least_squares, members
from explorer.attribution.method import DELTA_F, SEED, Attribution, Method, Passes, Setting, Values
from explorer.attribution.network import Floats, Network

MAX_PRODUCTS = 2**17  # multiplications a picture: with 65,536 pictures about 2 s of one core
COALITIONS = Setting("coalitions", "Coalitions n", 2000, 64, 20_000)


def shapley_values(worths: Floats) -> Floats:
    """The Shapley values ``(n,)`` of the game in which coalition c, a number of n bits, is worth ``worths[c]``.

    φ_i is the mean of F(S ∪ {i}) − F(S) over all orders of the players: S has the weight |S|! (n − 1 − |S|)! / n!.

    Raises:
        ValueError: the number of worths is not a power of 2.
    """
    count = len(worths).bit_length() - 1
    if len(worths) != 2**count:
        raise ValueError(f"the worths must be those of all coalitions, 2 to some power, not {len(worths)}")
    by_size = np.array([1 / (count * math.comb(count - 1, size)) for size in range(count)] + [0.0])
    weights = by_size[_sizes(count)]
    values = np.empty(count)
    for player in range(count):
        pairs = worths.reshape(-1, 2, 2**player)  # without and with the player, for every coalition of the others
        added = pairs[:, 1] - pairs[:, 0]
        values[player] = (weights.reshape(pairs.shape)[:, 0] * added).sum()
    return values


def kernel_weights(count: int) -> Floats:
    """The Shapley kernel (n − 1) / (C(n, s) s (n − s)) of coalitions of size s = 1 … n − 1, ``(n − 1,)``."""
    return np.array([(count - 1) / (math.comb(count, s) * s * (count - s)) for s in range(1, count)])


def draw(count: int, pairs: int, seed: int) -> Coalitions:
    """Coalitions drawn from the Shapley kernel, each followed by its complement, ``(2 pairs, count)``.

    Pairs reduce the variance.
    """
    rng = np.random.default_rng(seed)
    # proportional to the kernel times C(n, s), the number of coalitions of that size; s and n − s are equally likely
    chances = np.array([1 / (s * (count - s)) for s in range(1, count)])
    sizes = rng.choice(np.arange(1, count), pairs, p=chances / chances.sum())
    ranks = rng.random((pairs, count)).argsort(axis=1).argsort(axis=1)
    drawn = ranks < sizes[:, None]
    return np.stack([drawn, ~drawn], axis=1).reshape(-1, count)


def kernel_shap(
    coalitions: Coalitions, worths: Floats, none: float, everyone: float, weights: Floats | None = None
) -> tuple[Floats, Floats]:
    """The additive game closest to the worths of some coalitions, exact for the empty and the full coalition.

    The sum of the values is constrained to everyone − none by fitting the deviations from equal values; if the coalitions
    do not determine the values, the deviations have minimal norm.

    Args:
        coalitions: ``(k, n)`` of booleans, n at least 1.
        worths: F of each, ``(k,)``.
        none, everyone: F of the empty and the full coalition.
        weights: of the coalitions, ``(k,)``; None for equal weights, if they were drawn from the kernel.

    Returns:
        The values ``(n,)``, and each coalition's influence on them, ``(k, n)``, see ``Fit.deviations``.
    """
    shares = coalitions.mean(axis=1)
    equally = (everyone - none) / coalitions.shape[1]
    fit = least_squares(coalitions - shares[:, None], worths - none - shares * (everyone - none), weights)
    return equally + fit.coefficients, fit.deviations


def unsupported_reason(network: Network) -> str:
    """Why a network is too large to evaluate all coalitions; "" when it is not."""
    if network.products <= MAX_PRODUCTS:
        return ""
    return f"65,536 pictures of up to {network.products:,} multiplications take too long; KernelSHAP estimates the same values."


def _exact(case: Case, values: Values) -> Attribution:
    blocks = game(case)
    worths = blocks.worth_of_all()
    return Attribution(blocks.to_pixels(shapley_values(worths)), len(worths), 0, expected_sum=float(worths[-1] - worths[0]))


def _kernel(case: Case, values: Values) -> Attribution:
    blocks, budget = game(case), int(values["coalitions"])
    n = blocks.count
    if 2**n <= budget + 2:  # few enough to evaluate all: the values are exact Shapley values
        worths = blocks.worth_of_all()
        among = members(np.arange(2**n), n)
        weights = kernel_weights(n)[among[1:-1].sum(axis=1) - 1]
        expected_sum = float(worths[-1] - worths[0])
        found = kernel_shap(among[1:-1], worths[1:-1], worths[0], worths[-1], weights)[0] if n else np.empty(0)
        return Attribution(blocks.to_pixels(found), len(worths), 0, expected_sum)
    pairs = budget // 2
    drawn = draw(n, pairs, int(values["seed"]))
    worths = blocks.worth(np.concatenate([np.zeros((1, n), bool), np.ones((1, n), bool), drawn]))
    found, deviations = kernel_shap(drawn, worths[2:], worths[0], worths[1])
    # a pair is one draw; the fit has n − 1 degrees of freedom
    variance = (deviations.reshape(pairs, 2, n).sum(axis=1) ** 2).sum(axis=0) * pairs / (pairs - n + 1)
    expected_sum = float(worths[1] - worths[0])
    return Attribution(blocks.to_pixels(found), len(worths), 0, expected_sum, error=blocks.to_pixels(np.sqrt(variance)))


def _count_exact(case: Case, values: Values) -> Passes:
    return Passes(2 ** game(case).count, 0)


def _count_kernel(case: Case, values: Values) -> Passes:
    budget, all_of_them = int(values["coalitions"]), 2 ** game(case).count
    return Passes(all_of_them if all_of_them <= budget + 2 else budget // 2 * 2 + 2, 0)


def _sizes(count: int) -> NDArray[np.int64]:
    """The number of players in each of the coalitions 0 … 2^count − 1."""
    sizes = np.zeros(1, np.int64)
    for _ in range(count):
        sizes = np.concatenate([sizes, sizes + 1])
    return sizes


SHAPLEY_VALUES = Method(
    name="shapley_values",
    title="Shapley values of blocks",
    year=1953,
    paper="Shapley 1953",
    reference="A Value for n-Person Games, Contributions to the Theory of Games II",
    family="perturbation",
    formula="φᵢ = Σ |S|! (n − 1 − |S|)! / n! · (F(S ∪ {i}) − F(S)), over all S without i",
    complete=DELTA_F,
    unit="F",
    asks="with every set of blocks hidden",
    invariant=True,
    passes="65,536 forward: all coalitions of 16 blocks of 2 × 2 pixels; half for each that equals the baseline",
    count=_count_exact,
    settings=(),
    caveat="Most coalitions are pictures that nobody would paint; a block's pixels each show a quarter of its value.",
    compute=_exact,
    unsupported_reason=unsupported_reason,
)

KERNEL_SHAP = Method(
    name="kernel_shap",
    title="KernelSHAP",
    year=2017,
    paper="Lundberg & Lee 2017",
    reference="A Unified Approach to Interpreting Model Predictions, arXiv:1705.07874",
    family="perturbation",
    formula="φ that minimises Σ (F(S) − F(x′) − Σ φᵢ over i in S)² over drawn S, with Σ φ = F(x) − F(x′)",
    complete=DELTA_F,
    unit="F",
    asks="with random blocks hidden",
    invariant=True,
    passes="n + 2 forward: drawn coalitions of 16 blocks of 2 × 2 pixels, and both ends",
    count=_count_kernel,
    settings=(COALITIONS, SEED),
    caveat="The sum is right however few coalitions are drawn, so it says nothing of how far single values are off.",
    compute=_kernel,
)

ENTRIES = (KERNEL_SHAP, SHAPLEY_VALUES)
