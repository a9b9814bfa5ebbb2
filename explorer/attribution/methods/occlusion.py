"""Occlusion: the decrease of F when a window of the picture is replaced by the baseline.

Zeiler & Fergus, "Visualizing and Understanding Convolutional Networks", ECCV 2014.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from explorer.attribution.case import Case
from explorer.attribution.field import values_at
from explorer.attribution.method import Attribution, Method, Passes, Setting, Values
from explorer.attribution.network import SHAPE, SIDE, Floats

WINDOW = Setting("window", "Window w × w", 1, 1, 4)


def windows(side: int) -> NDArray[np.bool_]:
    """Masks of all positions of a window of side × side pixels inside the picture, ``((9 − side)², 8, 8)``."""
    starts = np.arange(SIDE - side + 1)[:, None]
    covered = (starts <= np.arange(SIDE)) & (np.arange(SIDE) < starts + side)
    return (covered[:, None, :, None] & covered[None, :, None, :]).reshape(-1, *SHAPE)


def occlusion(case: Case, side: int) -> Floats:
    """F(x) − F(x with the window at the baseline), averaged over the windows on a pixel, ``(8, 8)``, in units of F.

    A window's whole decrease counts for each of its pixels; a window in which the input equals the baseline counts as 0.
    """
    places = windows(side)
    pictures = np.where(places, case.baseline, case.input)
    falls = values_at(case, case.input[None]) - values_at(case, pictures)
    falls[(pictures == case.input).all(axis=(1, 2))] = 0.0  # exactly 0, without rounding differences between batches
    covered = places.reshape(len(places), -1)
    return (falls @ covered / covered.sum(axis=0)).reshape(SHAPE)


def _occlusion(case: Case, values: Values) -> Attribution:
    side = int(values["window"])
    return Attribution(occlusion(case, side), (SIDE - side + 1) ** 2 + 1, 0)


def _count(case: Case, values: Values) -> Passes:
    return Passes((SIDE - int(values["window"]) + 1) ** 2 + 1, 0)


OCCLUSION = Method(
    name="occlusion",
    title="Occlusion",
    year=2014,
    paper="Zeiler & Fergus 2014",
    reference="Visualizing and Understanding Convolutional Networks, arXiv:1311.2901",
    family="perturbation",
    formula="F(x) − F(x with the window at x′), averaged over the windows on a pixel",
    complete="",
    unit="F",
    asks="with pieces of the picture hidden",
    invariant=True,
    passes="(9 − w)² + 1 forward",
    count=_count,
    settings=(WINDOW,),
    caveat="Pixels that can stand in for each other all get little, as F hardly falls when only one of them is gone.",
    compute=_occlusion,
)

ENTRIES = (OCCLUSION,)
