"""The cooperative game behind Shapley values, KernelSHAP and LIME.

The players of a coalition show the input's pixels, all others the baseline's; the worth of the coalition is F of that
picture. Players are blocks of 2 × 2 pixels: 16 players have 65,536 coalitions, few enough to evaluate all.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from explorer.attribution.case import Case
from explorer.attribution.conv_coalitions import logits_of_all_coalitions
from explorer.attribution.field import outputs, values_at
from explorer.attribution.network import SHAPE, SIDE, Floats

Regions = NDArray[np.int64]
Coalitions = NDArray[np.bool_]

BLOCK = 2  # side length in pixels
BLOCKS: Regions = np.add.outer(SIDE // BLOCK * (np.arange(SIDE) // BLOCK), np.arange(SIDE) // BLOCK)
BLOCKS.flags.writeable = False

CHUNK_BITS = 10  # a chunk has 2 to this power pictures: bounds memory
MAX_PLAYERS = 16  # for which all coalitions are evaluated


@dataclass(frozen=True, slots=True, eq=False)
class Game:
    """The game whose players are regions of a case's picture.

    Attributes:
        case: what is explained.
        regions: the player of each pixel, ``(8, 8)``: 0 to count − 1, or −1 for a pixel of no player, which must equal
            the baseline.
        count: the number of players.
    """

    case: Case
    regions: Regions
    count: int

    def worth(self, coalitions: Coalitions) -> Floats:
        """F of each coalition's picture, ``(k,)``, for coalitions ``(k, count)`` of booleans."""
        chunks = [coalitions[i : i + 2**CHUNK_BITS] for i in range(0, len(coalitions), 2**CHUNK_BITS)]
        return np.concatenate([values_at(self.case, self.pictures(chunk)) for chunk in chunks])

    def pictures(self, coalitions: Coalitions) -> Floats:
        """The coalitions' pictures, ``(k, 8, 8)``: the input's pixels of players that are in, else the baseline's."""
        shown = np.zeros((len(coalitions), self.count + 1), bool)  # the last column is for player −1, which is never in
        shown[:, :-1] = coalitions
        pixels = shown.take(self.regions.reshape(-1), axis=1).reshape(-1, *SHAPE)
        return np.where(pixels, self.case.input, self.case.baseline)

    def worth_of_all(self) -> Floats:
        """F of every coalition, ``(2^count,)``; player i is in coalition number c if bit i of c is 1.

        Raises:
            ValueError: there are more than 16 players.
        """
        if self.count > MAX_PLAYERS:
            raise ValueError(f"all coalitions of at most {MAX_PLAYERS} players, not {self.count}")
        case = self.case
        logits = logits_of_all_coalitions(case.network, case.input, case.baseline, self.regions, self.count)
        if logits is not None:
            return outputs(case.network, logits, case.target, case.output)[0]
        low = min(self.count, CHUNK_BITS)
        # all chunks share the low players' pixels, and within a chunk the high players' are constant
        none_high = np.zeros((2**low, self.count), bool)
        none_high[:, :low] = members(np.arange(2**low), low)
        pictures = self.pictures(none_high)
        worths = []
        for number in range(2 ** (self.count - low)):
            for player in range(low, self.count):
                where = self.regions == player
                pictures[:, where] = (self.case.input if number >> (player - low) & 1 else self.case.baseline)[where]
            worths.append(values_at(self.case, pictures))
        return np.concatenate(worths)

    def to_pixels(self, values: Floats) -> Floats:
        """The map ``(8, 8)`` of one value a player ``(count,)``: divided equally among its pixels, which keeps the sum."""
        shares = values / np.bincount(self.regions[self.regions >= 0], minlength=self.count)
        return np.append(shares, 0.0)[self.regions]


def game(case: Case, regions: Regions = BLOCKS) -> Game:
    """The game with these regions, ``(8, 8)`` of 0, 1, …, as players.

    Regions in which the input equals the baseline are left out: they change no picture, so the game is the same with
    fewer coalitions.
    """
    changed = np.unique(regions[case.difference != 0])
    numbers = np.full(regions.max() + 1, -1)
    numbers[changed] = np.arange(len(changed))
    return Game(case, numbers[regions], len(changed))


def members(numbers: NDArray[np.int64], count: int) -> Coalitions:
    """The coalitions of these numbers ``(k,)`` as booleans ``(k, count)``: the bits of each number."""
    return (numbers[:, None] >> np.arange(count) & 1).astype(bool)


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """A least-squares fit.

    Attributes:
        coefficients: ``(p,)``.
        deviations: the influence of each of k residuals on each coefficient, ``(k, p)``. For k independent draws their
            squares sum to the coefficients' variance (the sandwich estimator, Huber 1967).
    """

    coefficients: Floats
    deviations: Floats


def least_squares(rows: Floats, values: Floats, weights: Floats | None = None) -> Fit:
    """Fit values ``(k,)`` by rows ``(k, p)`` times coefficients, of minimal norm if not unique; weights ``(k,)``."""
    # torch, as it respects its number of threads; numpy's LAPACK would use all cores
    design, wanted = torch.from_numpy(rows), torch.from_numpy(values)
    roots = torch.from_numpy(np.ones(len(rows)) if weights is None else weights).sqrt()[:, None]
    inverse = torch.linalg.pinv(roots * design, rtol=1e-10).T * roots
    coefficients = wanted @ inverse
    return Fit(coefficients.numpy(), ((wanted - design @ coefficients)[:, None] * inverse).numpy())
