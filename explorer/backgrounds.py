"""Backgrounds: some training pictures of the networks, for methods that average over baselines.

Held-out pictures are never among them. The choice is fixed, so all workers have the same; classes alternate.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from explorer.pictures import DIGITS_FILE, SHAPE, Picture, damaged, read_arrays, read_digits

SHAPES_FILE = "shapes-background.npz"


def training_digits(folder: Path, per_class: int = 10) -> Picture:
    """Return real handwritten digits that the networks were trained on: of each of 0…9, `per_class` pictures.

    They are spread evenly over the file, and come 0 to 9 in turn.

    Args:
        folder: where digits-data.npz lies.
        per_class: how many of each digit, at least 1.

    Returns:
        A float64 array (10 * per_class, 8, 8), values k / 16 in [0, 1].

    Raises:
        StoredFileError: the file is missing or damaged.
        ValueError: there are not `per_class` such pictures of some digit.
    """
    pictures, labels, held_out = read_digits(folder / DIGITS_FILE)
    chosen = []
    for digit in range(10):
        members = np.flatnonzero(~held_out & (labels == digit))
        if not 1 <= per_class <= len(members):
            raise ValueError(f"per_class must be 1 to {len(members)} for digit {digit}, not {per_class}")
        chosen.append(members[np.linspace(0, len(members) - 1, per_class).astype(int)])
    return pictures[np.stack(chosen, axis=1).ravel()].reshape(-1, *SHAPE)


def training_shapes(folder: Path) -> Picture:
    """Return drawn shapes that the shapes network was trained on, as many of each class.

    Args:
        folder: where shapes-background.npz lies.

    Returns:
        A float64 array (b, 8, 8), values k / 100 in [0, 1]; the classes in turn, in the order of their indices.

    Raises:
        StoredFileError: the file is missing or damaged.
    """
    path = folder / SHAPES_FILE
    arrays = read_arrays(path)
    try:
        hundredths, labels = arrays["hundredths"], arrays["labels"]
        if hundredths.shape != (len(labels), *SHAPE):
            raise ValueError("its arrays do not fit each other")
        if hundredths.dtype != np.uint8 or hundredths.max() > 100:
            raise ValueError("its values are out of range")
        if len(set(np.unique(labels, return_counts=True)[1].tolist())) != 1:
            raise ValueError("its classes are not balanced")
    except (KeyError, TypeError, ValueError) as error:
        raise damaged(path, error) from error
    by_class = np.argsort(labels, kind="stable").reshape(len(np.unique(labels)), -1)
    return hundredths[by_class.T.ravel()] / 100
