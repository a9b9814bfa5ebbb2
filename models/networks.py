"""The networks that the page lists, and how each is trained: on drawn shapes, with or without an adversary, or on digits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray

from models.drawn_shapes import SHAPES, Array, Labels, draw_shapes
from models.handwritten_digits import DIGITS, augment, split_digits
from models.training import fit, network_file, new_convolutional_network, new_network, weights

SHAPES_SIZES = (64, 64, 48, len(SHAPES))
SHAPES_STEPS = 12_000
SHAPES_EPSILON = 0.3  # of the adversary, L2
CHECKPOINTS = 20
ORDINARY_SIZES = (64, 48, 32, len(SHAPES))
ORDINARY_STEPS = 30_000
SHAPES_SEED = 1
SHAPES_HELD_OUT_SEED = 2
ROBUST_SEED = 11
SHAPES_HELD_OUT = 500  # of each class
SHAPES_TRAINING = 12_000  # of each class
SHAPES_BACKGROUND = 12  # of each class

DIGITS_SIZES = (64, 32, 32, len(DIGITS))
DIGITS_SEED = 3
CNN_CHANNELS = (1, 4, 8, 12)  # so few that the exact path of Integrated Gradients stays short
CNN_SEED = 5

Vary = Callable[[Generator, Array, Labels], Array]  # what is done to the pictures of a batch, given their classes


def augmented(rng: Generator, pictures: Array, labels: Labels) -> Array:
    """Vary digits whatever they are."""
    return augment(rng, pictures)


def make_shapes(seed: int = ROBUST_SEED) -> dict[str, NDArray[Any]]:
    """Train the shapes network against an adversary: its gradients can be read (Tsipras et al. 2019)."""
    return fit_shapes(SHAPES_SIZES, SHAPES_STEPS, SHAPES_EPSILON, seed)[0]


def make_ordinary_shapes(seed: int | None = None) -> dict[str, NDArray[Any]]:
    """Train a network of the same task without an adversary."""
    return fit_shapes(ORDINARY_SIZES, ORDINARY_STEPS, seed=seed)[0]


def make_checkpoints() -> dict[str, NDArray[Any]]:
    """Train the shapes network with and without an adversary, all else equal, and keep its weights on the way, as float16."""
    reaches = {"robust": SHAPES_EPSILON, "ordinary": 0.0}
    kept = {name: fit_shapes(SHAPES_SIZES, SHAPES_STEPS, epsilon, ROBUST_SEED)[1] for name, epsilon in reaches.items()}
    steps = np.array(list(kept["robust"]))
    arrays = {
        f"{name}_{key}": np.stack([weights[key] for weights in stages.values()]).astype(np.float16)
        for name, stages in kept.items()
        for key in stages[0]
    }
    return {"steps": steps, **arrays}


def fit_shapes(
    sizes: tuple[int, ...], steps: int, epsilon: float = 0.0, seed: int | None = None
) -> tuple[dict[str, NDArray[Any]], dict[int, dict[str, NDArray[np.float32]]]]:
    """Train a shapes network; return what its file holds, measured on shapes drawn anew, and its weights at some steps.

    All see the same pictures. Weights and batches are drawn by the generator of the pictures, or by one with this `seed`.
    """
    rng = np.random.default_rng(SHAPES_SEED)
    pictures, labels = draw_shapes(rng, SHAPES_TRAINING)
    rng = rng if seed is None else np.random.default_rng(seed)

    def batches(rng: Generator) -> tuple[Array, Labels]:
        chosen = rng.integers(0, len(labels), 256)
        return pictures[chosen], labels[chosen]

    network = new_network(sizes, rng)
    wanted = {0, *np.geomspace(1, steps, CHECKPOINTS - 1).round().astype(int).tolist()}
    kept: dict[int, dict[str, NDArray[np.float32]]] = {}

    def seen(step: int) -> None:
        if step in wanted:
            kept[step] = weights(network)

    fit(network, batches, rng, steps=steps, decay=0.02, smoothing=0.02, epsilon=epsilon, seen=seen)
    held_out = draw_shapes(np.random.default_rng(SHAPES_HELD_OUT_SEED), SHAPES_HELD_OUT)
    return network_file(weights(network), SHAPES, pictures, held_out), kept


def make_shapes_background() -> dict[str, NDArray[Any]]:
    """Return a few of the very pictures that the shapes network is trained on, in whole hundredths, with labels."""
    pictures, labels = draw_shapes(np.random.default_rng(SHAPES_SEED), SHAPES_TRAINING)
    every = SHAPES_TRAINING // SHAPES_BACKGROUND  # they come class by class
    hundredths = (100 * pictures[::every]).round().astype(np.uint8)
    return {"hundredths": hundredths, "labels": labels[::every].astype(np.uint8)}


def make_digits(seed: int = DIGITS_SEED, vary: Vary = augmented) -> dict[str, NDArray[Any]]:
    """Train the digits network; it is measured on the held-out pictures as they are, without augmentation."""
    rng = np.random.default_rng(seed)
    network = new_network(DIGITS_SIZES, rng)
    return fit_digits(network, rng, batch=256, steps=10_000, rate=0.005, vary=vary)


def make_digits_cnn(seed: int = CNN_SEED) -> dict[str, NDArray[Any]]:
    """Train the convolutional network on the same digits, and measure it on the same held-out ones."""
    rng = np.random.default_rng(seed)
    network = new_convolutional_network(CNN_CHANNELS, len(DIGITS), rng)
    return fit_digits(network, rng, batch=128, steps=6_000, rate=0.01)


def fit_digits(
    network: torch.nn.Sequential, rng: Generator, *, batch: int, steps: int, rate: float, vary: Vary = augmented
) -> dict[str, NDArray[Any]]:
    """Train a network on varied digits that are not held out; return what its file holds."""
    (training, training_labels), held_out = split_digits()

    def batches(rng: Generator) -> tuple[Array, Labels]:
        chosen = rng.integers(0, len(training_labels), batch)
        return vary(rng, training[chosen], training_labels[chosen]), training_labels[chosen]

    fit(network, batches, rng, steps=steps, decay=0.02, smoothing=0.02, rate=rate)
    return network_file(weights(network), DIGITS, training, held_out)
