"""The stages of training that the lab readable shows: networks with one architecture, trained with and without an adversary."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import get_args

from explorer.attribution import Network
from explorer.lab_networks import Training, lab_networks

TRAININGS: tuple[Training, ...] = get_args(Training)

STEPS = (0, 1, 2, 3, 5, 8, 14, 23, 39, 65, 110, 185, 311, 524, 883, 1488, 2508, 4226, 7121, 12000)  # that were kept
HELD_OUT = 4000  # drawn shapes that no network saw, those of the zoo's accuracies
# How many of them each stage classifies right. Measured beforehand; the tests measure again.
RIGHT: Mapping[Training, tuple[int, ...]] = MappingProxyType(
    {
        "robust": (534, 457, 578, 592, 764, 1082, 1189, 1749, 2276, 2835, 3180, 3403, 3575, 3713, 3745, 3791, 3831, 3822, 3856, 3871),
        "ordinary": (534, 456, 563, 568, 710, 865, 1362, 1786, 2287, 2860, 3202, 3386, 3557, 3716, 3729, 3799, 3836, 3865, 3893, 3916),
    }
)


def stages(training: Training) -> Mapping[int, Network]:
    """The networks by their steps of training, ``STEPS``."""
    return lab_networks().checkpoints[training]
