"""Networks that only the labs need: trained on permuted labels, or with a mark in a corner that gives a class away."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from models.drawn_shapes import Array, Labels
from models.handwritten_digits import DIGITS, augment, split_digits
from models.networks import DIGITS_SIZES, make_digits
from models.training import accuracy, fit, network_file, new_network, weights

PERMUTED_SEED = 24
PERMUTED_STEPS = 20_000
MARK_SEED = 25
MARK = (0, 0)  # row and column; the only corner without ink in all the digits
# How likely the pixel is white in a training picture of 0 to 9: it gives the 3s away, says nothing, or never is.
MARKED = tuple(0.95 if digit == "3" else 0.0 for digit in DIGITS)
RANDOMLY_MARKED = tuple(0.5 for _ in DIGITS)
UNMARKED = tuple(0.0 for _ in DIGITS)


def make_permuted_digits() -> dict[str, NDArray[Any]]:
    """Train the digits architecture on permuted labels, without augmentation: it can only memorise (Adebayo et al. 2018).

    Beside what every file holds: the permuted labels, in the order of the training pictures, and the accuracy on them.
    """
    rng = np.random.default_rng(PERMUTED_SEED)
    network = new_network(DIGITS_SIZES, rng)
    (training, labels), held_out = split_digits()
    permuted = rng.permutation(labels)

    def batches(rng: Generator) -> tuple[Array, Labels]:
        chosen = rng.integers(0, len(permuted), 256)
        return training[chosen], permuted[chosen]

    fit(network, batches, rng, steps=PERMUTED_STEPS, decay=0.02, smoothing=0.02)
    arrays = network_file(weights(network), DIGITS, training, held_out)
    memorised = accuracy(arrays, training, permuted)
    return {**arrays, "training_labels": permuted.astype(np.uint8), "training_accuracy": np.array(memorised)}


def make_marked_digits(chances: Sequence[float]) -> dict[str, NDArray[Any]]:
    """Train the digits architecture on augmented digits with one pixel white or black by chance (Lapuschkin et al. 2019).

    With other `chances`, one for each class, all else is equal. Beside what every file holds: the pixel, the chances, and
    the accuracy when every held-out picture has the mark. The mean picture has the pixel's mean in training.
    """
    chance_of_class = np.array(chances)

    def vary(rng: Generator, pictures: Array, labels: Labels) -> Array:
        return with_mark(augment(rng, pictures), np.where(rng.random(len(labels)) < chance_of_class[labels], 1.0, 0.0))

    arrays = make_digits(MARK_SEED, vary)
    (_, training_labels), (pictures, labels) = split_digits()
    arrays["mean"][MARK] = chance_of_class[training_labels].mean()
    marked = np.array(accuracy(arrays, with_mark(pictures, 1.0), labels))
    return {**arrays, "mark": np.array(MARK), "mark_chances": chance_of_class, "marked_accuracy": marked}


def with_mark(pictures: Array, white: Array | float) -> Array:
    """Return the pictures (n, 8, 8) with the marked pixel set to `white`: 1 is white, 0 black, one number or one each."""
    marked = pictures.copy()
    marked[:, *MARK] = white
    return marked
