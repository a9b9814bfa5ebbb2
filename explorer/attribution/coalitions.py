"""Pixels as the players of a game: what is F when only some of them are shown?

A coalition is a set of players that show the input's pixels while all the others show the baseline's; what it is worth
is F of that picture. Shapley values, KernelSHAP and LIME ask this one question and divide the answers differently. The
players are blocks of 2 × 2 pixels: 16 of them have 65,536 coalitions, few enough to ask for all, where 64 single pixels
would have 2⁶⁴.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from explorer.attribution.all_coalitions import logits_of_all_coalitions
from explorer.attribution.case import Case
from explorer.attribution.field import outputs, values_at
from explorer.attribution.network import SHAPE, SIDE, Floats

Regions = NDArray[np.int64]
Coalitions = NDArray[np.bool_]

BLOCK = 2  # pixels a side
BLOCKS: Regions = np.add.outer(SIDE // BLOCK * (np.arange(SIDE) // BLOCK), np.arange(SIDE) // BLOCK)
BLOCKS.flags.writeable = False

CHUNK_BITS = 10  # the pictures painted at once are 2 to this power: bounds memory
MOST_PLAYERS = 16  # of whom all coalitions are asked for


@dataclass(frozen=True, slots=True, eq=False)
class Game:
    """The game that a case plays with regions of its picture.

    Attributes:
        case: the question; F is its output of its target.
        regions: which player a pixel belongs to, ``(8, 8)``: 0 to count − 1, or −1 where it belongs to none, which
            only pixels that equal the baseline may.
        count: how many players there are.
    """

    case: Case
    regions: Regions
    count: int

    def worth(self, coalitions: Coalitions) -> Floats:
        """F of each coalition's picture, ``(k,)``, for coalitions ``(k, count)``: who shows the input's pixels."""
        chunks = [coalitions[i : i + 2**CHUNK_BITS] for i in range(0, len(coalitions), 2**CHUNK_BITS)]
        return np.concatenate([values_at(self.case, self.pictures(chunk)) for chunk in chunks])

    def pictures(self, coalitions: Coalitions) -> Floats:
        """The coalitions' pictures, ``(k, 8, 8)``: the input's pixels where the player is in, else the baseline's."""
        shown = np.zeros((len(coalitions), self.count + 1), bool)  # the last column is −1's, who is never in
        shown[:, :-1] = coalitions
        pixels = shown.take(self.regions.reshape(-1), axis=1).reshape(-1, *SHAPE)
        return np.where(pixels, self.case.input, self.case.baseline)

    def worth_of_all(self) -> Floats:
        """F of every coalition, ``(2^count,)``; player i is in coalition number c if bit i of c is 1.

        Raises:
            ValueError: more players than 16.
        """
        if self.count > MOST_PLAYERS:
            raise ValueError(f"all coalitions of at most {MOST_PLAYERS} players, not {self.count}")
        case = self.case
        logits = logits_of_all_coalitions(case.network, case.input, case.baseline, self.regions, self.count)
        if logits is not None:
            return outputs(case.network, logits, case.target, case.output)[0]
        low = min(self.count, CHUNK_BITS)
        # the low players' pixels are the same in every chunk, and a high player's are the same throughout one
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

    def shared(self, values: Floats) -> Floats:
        """The map ``(8, 8)`` of one value a player ``(count,)``: shared equally among its pixels, so sums are kept."""
        shares = values / np.bincount(self.regions[self.regions >= 0], minlength=self.count)
        return np.append(shares, 0.0)[self.regions]


def game(case: Case, regions: Regions = BLOCKS) -> Game:
    """The game with these regions, ``(8, 8)`` of 0, 1, …, as players.

    Regions in which the input equals the baseline do not play: in or out, they change nothing, and so what is left is
    the same game with fewer coalitions to ask for.
    """
    changed = np.unique(regions[case.difference != 0])
    numbers = np.full(regions.max() + 1, -1)
    numbers[changed] = np.arange(len(changed))
    return Game(case, numbers[regions], len(changed))


def members(numbers: NDArray[np.int64], count: int) -> Coalitions:
    """Which of count players are in the coalitions of these numbers ``(k,)``: their bits, ``(k, count)``."""
    return (numbers[:, None] >> np.arange(count) & 1).astype(bool)


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """A least-squares fit.

    Attributes:
        coefficients: ``(p,)``.
        deviations: by how much each of k values moved each coefficient, ``(k, p)``, beyond what the fit explains. If
            the k are independent draws, the squares sum to the coefficients' variance (the sandwich, Huber 1967).
    """

    coefficients: Floats
    deviations: Floats


def least_squares(rows: Floats, values: Floats, weights: Floats | None = None) -> Fit:
    """Fit values ``(k,)`` by rows ``(k, p)`` times coefficients, the smallest ones where many do; weights ``(k,)``."""
    # torch, as it keeps to the threads that it was given: numpy's would wait for a core that serves somebody else
    design, wanted = torch.from_numpy(rows), torch.from_numpy(values)
    roots = torch.from_numpy(np.ones(len(rows)) if weights is None else weights).sqrt()[:, None]
    inverse = torch.linalg.pinv(roots * design, rtol=1e-10).T * roots
    coefficients = wanted @ inverse
    return Fit(coefficients.numpy(), ((wanted - design @ coefficients)[:, None] * inverse).numpy())
