"""ROAD: F while pixels are removed by noisy linear imputation, which leaves less trace of what was removed than one colour.

Rong et al., "A Consistent and Efficient Evaluation Strategy for Attribution Methods", ICML 2022.
"""

# Blurred maps profit: what an isolated pixel showed is imputed from its neighbours, what a region showed is not.

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from explorer.attribution.arrays import finite, real
from explorer.attribution.case import Case, integer
from explorer.attribution.field import values_at
from explorer.attribution.network import SHAPE, SIDE, Floats
from explorer.attribution.perturbation import PIXELS, Masks, Orders, checked_picture, first_pixels

DIRECT, DIAGONAL = 1 / 6, 1 / 12  # weights of the neighbours of a pixel
LEVEL = 0.01  # σ of the noise
COUNTS = tuple(range(0, PIXELS, 4))  # pixels removed; of 64 nothing would be left to impute from


def _weights() -> Floats:
    rows, columns = np.divmod(np.arange(PIXELS), SIDE)
    steps = np.abs(rows[:, None] - rows) + np.abs(columns[:, None] - columns)
    near = np.maximum(np.abs(rows[:, None] - rows), np.abs(columns[:, None] - columns)) == 1
    return np.where(near, np.where(steps == 1, DIRECT, DIAGONAL), 0.0)


WEIGHTS = _weights()  # of each pixel's neighbours, (64, 64)
WEIGHTS.flags.writeable = False
BATCH = 256  # systems of equations that are solved at once: bounds memory


def road_noise(seed: int, level: float = LEVEL) -> Floats:
    """Normal noise of standard deviation ``level`` for each pixel, ``(8, 8)``.

    Raises:
        ValueError: the seed is negative, or the level negative or not finite.
    """
    seed = integer("the seed", seed)
    if seed < 0 or not 0 <= level < np.inf:
        raise ValueError(f"the seed and the noise level must be 0 or more, not {seed} and {level}")
    return level * np.random.default_rng(seed).standard_normal(SHAPE)


def imputed(picture: Floats, removed: Masks, noise: Floats | None = None) -> Floats:
    """A picture with pixels replaced by the weighted mean of their neighbours, which may be replaced themselves.

    Args:
        picture: ``(8, 8)``.
        removed: masks ``(…, 64)``, pixels in reading order.
        noise: added to the removed pixels, ``(8, 8)`` or ``(…, 8, 8)``.

    Returns:
        ``(…, 8, 8)``, not clipped. Before the noise each removed pixel is the mean of its neighbours, direct ones with weight
        1/6, diagonal ones with 1/12; at the edge the weights of those that exist count. This is one system of linear
        equations for each mask. If all 64 pixels are removed, every constant solves it: the picture's mean is taken.

    Raises:
        ValueError: a shape or type does not fit, or a number is not finite.
    """
    flat = checked_picture("the picture", picture).reshape(-1)
    removed = np.asarray(removed)
    if removed.shape[-1:] != (PIXELS,) or removed.dtype != np.bool_:
        raise ValueError(f"masks must be booleans (…, {PIXELS}), not {removed.dtype} {removed.shape}")
    rows = removed.reshape(-1, PIXELS)
    solved = np.empty(rows.shape)
    for i in range(0, len(rows), BATCH):
        solved[i : i + BATCH] = _solved(flat, rows[i : i + BATCH])
    pictures = solved.reshape(*removed.shape[:-1], *SHAPE)
    if noise is not None:
        noise = finite("the noise", real("the noise", noise))
        if noise.shape not in (SHAPE, pictures.shape):
            raise ValueError(f"the noise must have shape {SHAPE} or {pictures.shape}, not {noise.shape}")
        pictures += noise * removed.reshape(pictures.shape)
    return finite("the imputed pictures", pictures)


def road_curves(case: Case, orders: Orders, counts: Sequence[int] = COUNTS, *, level: float = LEVEL, seed: int = 0) -> Floats:
    """F of the input after the first pixels of each order have been removed by noisy linear imputation.

    Most relevant first with ``pixel_order(map)``, where a map is the better, the sooner F falls; least relevant first with
    ``pixel_order(-map)``, where it is the better, the longer F stays. The paper reports the accuracy over a set of pictures
    instead of F.

    Args:
        case: what is explained; its baseline is not used.
        orders: permutations of 0 to 63, ``(…, 64)``.
        counts: how many pixels are removed, 0 to 64 each.
        level: σ of the noise.
        seed: of the noise, one draw for each pixel: the same for all masks, so that maps are compared without its chance.

    Returns:
        ``(…, len(counts))`` in units of F; ``area(curves, counts)`` is its mean.

    Raises:
        ValueError: an order is no permutation, a count is not 0 to 64, level or seed is invalid, or logits are not finite.
    """
    counts = [integer("a count", count) for count in counts]
    if not counts or not all(0 <= count <= PIXELS for count in counts):
        raise ValueError(f"counts must be 0 to {PIXELS}, not {counts}")
    removed = first_pixels(orders, np.array(counts))
    pictures = imputed(case.input, removed, road_noise(seed, level))
    return values_at(case, pictures.reshape(-1, *SHAPE)).reshape(removed.shape[:-1])


def _solved(flat: Floats, removed: Masks) -> Floats:
    everything = removed.all(axis=1)
    if everything.any():  # no equation says which constant
        found = np.full(removed.shape, flat.mean())
        if not everything.all():
            found[~everything] = _solved(flat, removed[~everything])
        return found
    sums = np.diag(WEIGHTS.sum(axis=1)) - WEIGHTS
    equations = np.where(removed[:, :, None], sums, np.eye(PIXELS))
    solution = np.linalg.solve(equations, np.where(removed, 0.0, flat)[:, :, None])[:, :, 0]
    return np.where(removed, solution, flat)
