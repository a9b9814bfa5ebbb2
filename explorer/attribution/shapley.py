"""Shapley values of blocks of pixels: exactly, from all coalitions, and estimated from some of them (KernelSHAP).

Shapley, "A Value for n-Person Games", 1953; Lundberg & Lee, "A Unified Approach to Interpreting Model Predictions",
NeurIPS 2017. Coalitions are drawn in opposite pairs as in Covert & Lee, "Improving KernelSHAP", AISTATS 2021.

The game is that of ``coalitions``: a block that is out shows the baseline's pixels, and F, the target's probability or
logit, says what a coalition is worth.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from explorer.attribution.case import Case
from explorer.attribution.coalitions import Coalitions, game, least_squares, members
from explorer.attribution.method import DELTA_F, SEED, Answer, Method, Passes, Setting, Values
from explorer.attribution.network import Floats, Network

MOST_PRODUCTS = 2**17  # multiplications a picture: times 65,536 pictures, about 2 s of one core
COALITIONS = Setting("coalitions", "Coalitions n", 2000, 64, 20_000)


def shapley_values(worths: Floats) -> Floats:
    """The Shapley values ``(n,)`` of the game in which coalition c, a number of n bits, is worth ``worths[c]``.

    φ_i is what player i adds to a coalition, F(S ∪ {i}) − F(S), averaged over all orders in which the players can
    join: S weighs |S|! (n − 1 − |S|)! / n!.

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
        pairs = worths.reshape(-1, 2, 2**player)  # without and with the player, for all that the others do
        added = pairs[:, 1] - pairs[:, 0]
        values[player] = (weights.reshape(pairs.shape)[:, 0] * added).sum()
    return values


def kernel_weights(count: int) -> Floats:
    """The Shapley kernel (n − 1) / (C(n, s) s (n − s)): what a coalition of size s = 1 … n − 1 weighs, ``(n − 1,)``."""
    return np.array([(count - 1) / (math.comb(count, s) * s * (count - s)) for s in range(1, count)])


def draw(count: int, pairs: int, seed: int) -> Coalitions:
    """Coalitions drawn by the Shapley kernel, each followed by its opposite, ``(2 pairs, count)``.

    What a coalition misses of a game's even part its opposite makes up for, so pairs leave less noise. The generator is
    the call's own, made from the seed.
    """
    rng = np.random.default_rng(seed)
    # by the kernel times C(n, s), as there are so many coalitions of that size; opposite sizes are equally likely
    chances = np.array([1 / (s * (count - s)) for s in range(1, count)])
    sizes = rng.choice(np.arange(1, count), pairs, p=chances / chances.sum())
    ranks = rng.random((pairs, count)).argsort(axis=1).argsort(axis=1)
    drawn = ranks < sizes[:, None]
    return np.stack([drawn, ~drawn], axis=1).reshape(-1, count)


def kernel_shap(
    coalitions: Coalitions, worths: Floats, none: float, everyone: float, weights: Floats | None = None
) -> tuple[Floats, Floats]:
    """The additive game closest to the worths of some coalitions that agrees with them on nobody and everybody.

    The sum of the values is held at everyone − none by fitting only what is left when that is shared equally; where
    the coalitions do not settle the values, they stay as equal as they can.

    Args:
        coalitions: who is in, ``(k, n)``, n at least 1.
        worths: F of each, ``(k,)``.
        none, everyone: F of nobody and of everybody.
        weights: of the coalitions, ``(k,)``; None where they were drawn by the kernel and so weigh the same.

    Returns:
        The values ``(n,)``, and by how much each coalition moved them off, ``(k, n)``, see ``Fit``.
    """
    shares = coalitions.mean(axis=1)
    equally = (everyone - none) / coalitions.shape[1]
    fit = least_squares(coalitions - shares[:, None], worths - none - shares * (everyone - none), weights)
    return equally + fit.coefficients, fit.deviations


def refusal(network: Network) -> str:
    """Why a network cannot be asked for all coalitions, "" if it can."""
    if network.products <= MOST_PRODUCTS:
        return ""
    return f"65,536 pictures of up to {network.products:,} multiplications take too long; KernelSHAP estimates the same values."


def _exact(case: Case, values: Values) -> Answer:
    blocks = game(case)
    worths = blocks.worth_of_all()
    return Answer(blocks.shared(shapley_values(worths)), len(worths), 0, goal=float(worths[-1] - worths[0]))


def _kernel(case: Case, values: Values) -> Answer:
    blocks, budget = game(case), int(values["coalitions"])
    n = blocks.count
    if 2**n <= budget + 2:  # no need to draw where all can be asked; then the values are Shapley's own
        worths = blocks.worth_of_all()
        among = members(np.arange(2**n), n)
        weights = kernel_weights(n)[among[1:-1].sum(axis=1) - 1]
        goal = float(worths[-1] - worths[0])
        found = kernel_shap(among[1:-1], worths[1:-1], worths[0], worths[-1], weights)[0] if n else np.empty(0)
        return Answer(blocks.shared(found), len(worths), 0, goal)
    pairs = budget // 2
    drawn = draw(n, pairs, int(values["seed"]))
    worths = blocks.worth(np.concatenate([np.zeros((1, n), bool), np.ones((1, n), bool), drawn]))
    found, deviations = kernel_shap(drawn, worths[2:], worths[0], worths[1])
    # a pair is one draw; n − 1 values are fitted to them
    variance = (deviations.reshape(pairs, 2, n).sum(axis=1) ** 2).sum(axis=0) * pairs / (pairs - n + 1)
    goal = float(worths[1] - worths[0])
    return Answer(blocks.shared(found), len(worths), 0, goal, error=blocks.shared(np.sqrt(variance)))


def _count_exact(case: Case, values: Values) -> Passes:
    return Passes(2 ** game(case).count, 0)


def _count_kernel(case: Case, values: Values) -> Passes:
    budget, all_of_them = int(values["coalitions"]), 2 ** game(case).count
    return Passes(all_of_them if all_of_them <= budget + 2 else budget // 2 * 2 + 2, 0)


def _sizes(count: int) -> NDArray[np.int64]:
    """How many players the coalitions 0 … 2^count − 1 have."""
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
    invariant=True,
    passes="65,536 forward: all coalitions of 16 blocks of 2 × 2 pixels; half for each that equals the baseline",
    count=_count_exact,
    settings=(),
    misleads="Most coalitions are pictures that nobody would paint; a block's pixels each show a quarter of its value.",
    work=_exact,
    refusal=refusal,
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
    invariant=True,
    passes="n + 2 forward: drawn coalitions of 16 blocks of 2 × 2 pixels, and both ends",
    count=_count_kernel,
    settings=(COALITIONS, SEED),
    misleads="The sum is right however few coalitions are drawn, so it says nothing of how far single values are off.",
    work=_kernel,
)
