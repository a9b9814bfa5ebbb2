"""The handwritten digits: which are held out, and how the others are varied in training.

They are the 1,797 pictures of the UCI "Optical Recognition of Handwritten Digits" test set (E. Alpaydin and C. Kaynak, 1998,
https://doi.org/10.24432/C50P49, CC BY 4.0), in the copy that ships with scikit-learn, which only this module needs.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from models.drawn_shapes import COLUMN, ROW, Array, Labels, chance, uniform

DIGITS = tuple("0123456789")
SPLIT_SEED = 4
HELD_OUT = 0.2
CREDIT = (
    "Optical Recognition of Handwritten Digits, E. Alpaydin and C. Kaynak, 1998",
    "UCI Machine Learning Repository",
    "https://doi.org/10.24432/C50P49",
    "Licence: CC BY 4.0, https://creativecommons.org/licenses/by/4.0/",
    "The 1,797 pictures of the test set as distributed by scikit-learn; the held-out mask was added here.",
)


def load_digits() -> tuple[NDArray[np.uint8], Labels, NDArray[np.bool_]]:
    """Return (pictures (1797, 8, 8) in 0..16, class indices, held-out mask), a fifth of each class held out."""
    from sklearn.datasets import load_digits as load

    data = load()
    labels = data.target.astype(np.int64)
    held_out = np.zeros(len(labels), dtype=np.bool_)
    rng = np.random.default_rng(SPLIT_SEED)
    for digit in range(len(DIGITS)):
        members = rng.permutation(np.flatnonzero(labels == digit))
        held_out[members[: round(HELD_OUT * len(members))]] = True
    return data.images.astype(np.uint8), labels, held_out


def split_digits() -> tuple[tuple[Array, Labels], tuple[Array, Labels]]:
    """Return the pictures (n, 8, 8) in [0, 1] and their classes: those for training, and those held out."""
    integers, labels, held_out = load_digits()
    pictures = integers / 16.0
    return (pictures[~held_out], labels[~held_out]), (pictures[held_out], labels[held_out])


def sample(pictures: Array, row: Array, column: Array) -> Array:
    """Read pictures (n, 8, 8) at coordinates (n, 8, 8) between pixels, bilinearly; outside is black."""
    padded = np.pad(pictures, ((0, 0), (2, 2), (2, 2)))
    row, column = np.clip(row + 2, 0.0, 10.999), np.clip(column + 2, 0.0, 10.999)
    above, left, number = row.astype(int), column.astype(int), np.arange(len(pictures))[:, None, None]
    down, right = row - above, column - left
    upper = (1 - right) * padded[number, above, left] + right * padded[number, above, left + 1]
    lower = (1 - right) * padded[number, above + 1, left] + right * padded[number, above + 1, left + 1]
    values: Array = (1 - down) * upper + down * lower
    return values


def reshape(rng: Generator, pictures: Array) -> Array:
    """Move digits by up to a pixel, make them wider or smaller, slant them; a fifth stay as they are."""
    n = len(pictures)
    changed = chance(rng, n, 0.8)
    row = ROW - 3.5 - np.where(changed, uniform(rng, n, -0.7, 0.7), 0.0)
    column = COLUMN - 3.5 - np.where(changed, uniform(rng, n, -1.0, 1.0), 0.0)
    # The coordinates read from: a factor below 1 enlarges. The originals are narrow, painted digits are not.
    slant = np.where(changed, rng.normal(0.0, 0.15, (n, 1, 1)), 0.0) * row
    column = np.where(changed, uniform(rng, n, 0.6, 1.2), 1.0) * column + slant
    row = np.where(changed, uniform(rng, n, 0.9, 1.5), 1.0) * row
    return sample(pictures, row + 3.5, column + 3.5)


def augment(rng: Generator, pictures: Array) -> Array:
    """Vary digits (n, 8, 8): another shape, plain black and white as painted, thin strokes, paler, noisy."""
    n = len(pictures)
    pictures = reshape(rng, pictures)
    padded = np.pad(pictures, ((0, 0), (1, 1), (1, 1)))
    around = sum(padded[:, r : r + 8, c : c + 8] for r in range(3) for c in range(3)) / 9
    # A fixed threshold keeps the originals' thick strokes; one above the surroundings leaves their ridge.
    thin = chance(rng, n, 0.5)
    threshold = np.where(thin, around + uniform(rng, n, 0.05, 0.3), uniform(rng, n, 0.25, 0.75))
    pictures = np.where(chance(rng, n, 0.5), np.where(pictures > threshold, 1.0, 0.0), pictures)
    pictures = pictures * np.where(chance(rng, n, 0.5), 1.0, uniform(rng, n, 0.4, 1.0))
    noise = rng.normal(size=pictures.shape) * np.where(chance(rng, n, 0.5), 0.0, uniform(rng, n, 0.0, 0.15))
    return np.clip(pictures + noise, 0.0, 1.0)


def make_digits_data() -> dict[str, NDArray[Any]]:
    """Return the digits as whole numbers 0..16 with their class indices, the held-out mask and the credit."""
    pictures, labels, held_out = load_digits()
    credit = np.array(CREDIT)
    return {"pictures": pictures, "labels": labels.astype(np.uint8), "held_out": held_out, "credit": credit}
