"""Sensitivity-n and infidelity: does a map foretell how F changes when several pixels change together?

Ancona et al., "Towards better understanding of gradient-based attribution methods …", ICLR 2018; Yeh et al., "On the
(In)fidelity and Sensitivity of Explanations", NeurIPS 2019.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from explorer.attribution.arrays import finite, real
from explorer.attribution.case import Case, integer
from explorer.attribution.field import values_at
from explorer.attribution.measures import ROUNDING
from explorer.attribution.network import SHAPE, Floats
from explorer.attribution.perturbation import PIXELS, Masks, checked_maps, values_with_replaced

SIZES = (1, 2, 4, 8, 16, 32)
COUNT = 100  # subsets of each size, as Ancona et al.


@dataclass(frozen=True, slots=True, eq=False)
class Subsets:
    """Random sets of pixels, and F when these are set to the baseline: the same for all maps that are judged.

    Attributes:
        case: whose input and baseline.
        sizes: n, the number of pixels in a set, ``(s,)``.
        masks: c sets of each size, ``(s, c, 64)``; pixels in reading order.
        value: F(x).
        values: F with the pixels of each set at the baseline, ``(s, c)``.
    """

    case: Case
    sizes: tuple[int, ...]
    masks: Masks
    value: float
    values: Floats

    @property
    def changes(self) -> Floats:
        """F(x) − F(x − I) of each set, ``(s, c)``, in units of F."""
        return finite("the changes of F", self.value - self.values)

    @property
    def perturbations(self) -> Floats:
        """I = mask · (x − x′) of each set, ``(s, c, 8, 8)``: what is taken from the input."""
        return (self.masks * self.case.difference.reshape(-1)).reshape(*self.masks.shape[:2], *SHAPE)


def subsets(case: Case, sizes: Sequence[int] = SIZES, count: int = COUNT, seed: int = 0) -> Subsets:
    """Draw ``count`` sets of each size, uniformly among all sets of that size, and evaluate F; at most sizes × count + 1 passes.

    Raises:
        ValueError: a size is not 1 to 64, the count is below 1, the seed is negative, or logits are not finite.
    """
    sizes = tuple(integer("a size", size) for size in sizes)
    if not sizes or not all(1 <= size <= PIXELS for size in sizes):
        raise ValueError(f"sizes must be 1 to {PIXELS}, not {sizes}")
    count, seed = integer("the number of subsets", count), integer("the seed", seed)
    if count < 1 or seed < 0:
        raise ValueError(f"the number of subsets must be 1 or more and the seed 0 or more, not {count} and {seed}")
    ranks = np.random.default_rng(seed).random((len(sizes), count, PIXELS)).argsort(axis=-1)
    masks: Masks = ranks < np.array(sizes)[:, None, None]
    with_none = np.concatenate([masks.reshape(-1, PIXELS), np.zeros((1, PIXELS), bool)])
    values = values_with_replaced(case, with_none, case.baseline)
    return Subsets(case, sizes, masks, float(values[-1]), values[:-1].reshape(len(sizes), count))


def sensitivity_n(maps: Floats, drawn: Subsets) -> list[list[float | None]]:
    """Pearson's correlation between Σ attribution over a set of n pixels and the change of F without them (Ancona et al. 2018).

    Args:
        maps: ``(j, 8, 8)``, signed. Meant for maps in units of F, which promise such sums; others are correlated as they are.
        drawn: the sets, the same for all maps.

    Returns:
        For each map one number in [−1, 1] for each size; 1 if the map foretells the changes up to a factor and a constant.
        None where there is no correlation: all sums or all changes of that size are equal to rounding.

    Raises:
        ValueError: the maps have another shape or are not finite.
    """
    maps = _scaled(checked_maps(maps).reshape(-1, PIXELS))
    sums = np.einsum("scp,jp->jsc", drawn.masks.astype(np.float64), maps)
    sums = _centred(sums, np.abs(maps).sum(axis=1)[:, None, None])
    changes = _centred(drawn.changes, np.array(max(abs(drawn.value), np.abs(drawn.values).max())))
    products = (sums * changes).sum(axis=-1)
    lengths = np.linalg.norm(sums, axis=-1) * np.linalg.norm(changes, axis=-1)
    correlations = np.divide(products, lengths, out=np.zeros_like(products), where=lengths > 0).clip(-1, 1)
    return [[r if length > 0 else None for r, length in zip(*rows, strict=True)] for rows in zip(correlations.tolist(), lengths.tolist(), strict=True)]


def infidelity(maps: Floats, perturbations: Floats, changes: Floats, *, scaled: bool = False) -> Floats:
    """Mean over the perturbations of (Σ I · attribution − (F(x) − F(x − I)))², ``(j,)``, in units of F² (Yeh et al. 2019).

    Args:
        maps: ``(j, 8, 8)``.
        perturbations: I, ``(…, 8, 8)``, for maps in F per unit of a pixel, such as a gradient. Maps in units of F, such as
            Integrated Gradients, have x − x′ in them already: for these pass I / (x − x′), which for a set of pixels is its
            mask.
        changes: F(x) − F(x − I) of each, ``(…)``: ``Subsets.changes``, or those of ``changes_of``.
        scaled: multiply each map first by the number that makes its infidelity smallest, so that only its proportions count:
            β = E[ab] / E[a²] with a = Σ I · attribution and b the change; 0 if all a are 0. As in Yeh et al.'s code. It may be
            negative: a map and its negative get the same value.

    Raises:
        ValueError: the shapes do not fit, there is no perturbation, or a number is not finite, also one of the result.
    """
    maps = checked_maps(maps).reshape(-1, PIXELS)
    perturbations = finite("the perturbations", real("the perturbations", perturbations))
    changes = finite("the changes", real("the changes", changes))
    if perturbations.shape != (*changes.shape, *SHAPE) or not changes.size:
        raise ValueError(f"perturbations must have shape (…, 8, 8) and changes (…), not {perturbations.shape} and {changes.shape}")
    with np.errstate(over="ignore", invalid="ignore"):  # then it is not finite
        foretold = (_scaled(maps) if scaled else maps) @ perturbations.reshape(-1, PIXELS).T
        if scaled:
            foretold = _scaled(foretold)  # before squares, which could underflow
            squares = (foretold**2).sum(axis=1, keepdims=True)
            foretold *= np.divide(foretold @ changes.reshape(-1, 1), squares, out=np.zeros_like(squares), where=squares > 0)
        errors: Floats = ((foretold - changes.reshape(-1)) ** 2).mean(axis=1)
    return finite("the infidelities", errors)


def changes_of(case: Case, perturbations: Floats) -> Floats:
    """F(x) − F(x − I) for perturbations ``(…, 8, 8)`` of the input, ``(…)``, for ``infidelity`` with perturbations of one's own.

    Raises:
        ValueError: the perturbations have another shape or are not finite, or logits are not finite.
    """
    perturbations = finite("the perturbations", real("the perturbations", perturbations))
    if perturbations.shape[-2:] != SHAPE:
        raise ValueError(f"perturbations must have shape (…, 8, 8), not {perturbations.shape}")
    values = values_at(case, np.concatenate([case.input[None], case.input - perturbations.reshape(-1, *SHAPE)]))
    return (values[0] - values[1:]).reshape(perturbations.shape[:-2])


def _scaled(rows: Floats) -> Floats:
    """Each row divided by its largest magnitude; rows of zeros stay zeros."""
    peaks = np.abs(rows).max(axis=1, keepdims=True)
    return rows / np.where(peaks == 0, 1, peaks)


def _centred(values: Floats, size: Floats) -> Floats:
    """Values ``(…, c)`` minus their mean, divided by their largest size; 0 where all are equal to rounding of ``size``."""
    values = values / np.where(size == 0, 1, size)
    deviations = values - values.mean(axis=-1, keepdims=True)
    peaks = np.abs(deviations).max(axis=-1, keepdims=True)
    return np.divide(deviations, peaks, out=np.zeros_like(deviations), where=peaks > ROUNDING)
