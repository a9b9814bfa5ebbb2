"""Make the trained networks and the digits data: `python -m models.train` (about five minutes on one core).

Writes, beside this script, `shapes.npz`, `shapes-ordinary.npz`, `digits.npz` and `digits-cnn.npz` (weights),
`shapes-checkpoints.npz` (weights during training), `digits-data.npz` and `shapes-background.npz` (pictures). Every seed is fixed and one thread is used, so on one machine with one torch the files come out the same byte for
byte. Another processor may add in another order; training in float64 keeps
that small for the networks without an adversary (first weights that were moved by 1e-10 ended within 1e-7). Training against
an adversary can amplify it: there `--check` may fail on another machine.

`python -m models.train --check` trains into a temporary folder, compares, and fails when the data differ, or
a weight moved by more than `WEIGHT_TOLERANCE` or an accuracy by more than `ACCURACY_TOLERANCE`.

The digits are the 1,797 pictures of the UCI "Optical Recognition of Handwritten Digits" test set (E.
Alpaydin and C. Kaynak, 1998, https://doi.org/10.24432/C50P49, CC BY 4.0), in the copy that ships with
scikit-learn, which only this script needs. The shapes are drawn by drawn_shapes.py.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray

from models.drawn_shapes import COLUMN, ROW, SHAPES, Array, Labels, chance, draw_shapes, uniform

Batches = Callable[[Generator], tuple[Array, Labels]]

FOLDER = Path(__file__).resolve().parent
TRAINED = re.compile(r"(robust_|ordinary_)?[wb]\d+")  # arrays of weights
WEIGHT_TOLERANCE = 1e-3
ACCURACY_TOLERANCE = 0.002

SHAPES_SIZES = (64, 64, 48, len(SHAPES))
SHAPES_STEPS = 12_000
SHAPES_EPSILON = 0.3  # of the adversary, L2
ATTACK_STEPS = 5
CHECKPOINTS = 20
ORDINARY_SIZES = (64, 48, 32, len(SHAPES))
ORDINARY_STEPS = 30_000
SHAPES_SEED = 1
SHAPES_HELD_OUT_SEED = 2
ROBUST_SEED = 11
SHAPES_HELD_OUT = 500  # of each class
SHAPES_TRAINING = 12_000  # of each class
SHAPES_BACKGROUND = 12  # of each class

DIGITS = tuple("0123456789")
DIGITS_SIZES = (64, 32, 32, len(DIGITS))
DIGITS_SEED = 3
DIGITS_SPLIT_SEED = 4
DIGITS_HELD_OUT = 0.2
CNN_CHANNELS = (1, 4, 8, 12)  # so few that the exact path of Integrated Gradients stays short
CNN_SEED = 5
DIGITS_CREDIT = (
    "Optical Recognition of Handwritten Digits, E. Alpaydin and C. Kaynak, 1998",
    "UCI Machine Learning Repository",
    "https://doi.org/10.24432/C50P49",
    "Licence: CC BY 4.0, https://creativecommons.org/licenses/by/4.0/",
    "The 1,797 pictures of the test set as distributed by scikit-learn; the held-out mask was added here.",
)

# The digits.


def load_digits() -> tuple[NDArray[np.uint8], Labels, NDArray[np.bool_]]:
    """Return (pictures (1797, 8, 8) in 0..16, class indices, held-out mask), a fifth of each class held out."""
    from sklearn.datasets import load_digits as load

    data = load()
    labels = data.target.astype(np.int64)
    held_out = np.zeros(len(labels), dtype=np.bool_)
    rng = np.random.default_rng(DIGITS_SPLIT_SEED)
    for digit in range(len(DIGITS)):
        members = rng.permutation(np.flatnonzero(labels == digit))
        held_out[members[: round(DIGITS_HELD_OUT * len(members))]] = True
    return data.images.astype(np.uint8), labels, held_out


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


# Training.


def new_network(sizes: tuple[int, ...], rng: Generator) -> torch.nn.Sequential:
    """Return a ReLU MLP in float64 with He initialisation drawn from `rng`, zero biases."""
    modules: list[torch.nn.Module] = []
    for before, after in pairwise(sizes):
        linear = torch.nn.Linear(before, after, dtype=torch.float64)
        draw_weights(linear.weight, linear.bias, rng)
        modules += [linear, torch.nn.ReLU()]
    return torch.nn.Sequential(*modules[:-1])


def new_convolutional_network(channels: tuple[int, ...], classes: int, rng: Generator) -> torch.nn.Sequential:
    """Return 3 × 3 convolutions with ReLU, the mean of each map, one linear layer; He initialisation, zero biases."""
    modules: list[torch.nn.Module] = [torch.nn.Unflatten(1, (1, 8, 8))]
    for before, after in pairwise(channels):
        convolution = torch.nn.Conv2d(before, after, 3, padding=1, dtype=torch.float64)
        draw_weights(convolution.weight, convolution.bias, rng)
        modules += [convolution, torch.nn.ReLU()]
    linear = torch.nn.Linear(channels[-1], classes, dtype=torch.float64)
    draw_weights(linear.weight, linear.bias, rng)
    return torch.nn.Sequential(*modules, torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), linear)


def draw_weights(weight: torch.Tensor, bias: torch.Tensor | None, rng: Generator) -> None:
    """Set weights (outputs, inputs, …) to He initialisation drawn from `rng`, biases to zero."""
    shape = tuple(weight.shape)
    with torch.no_grad():
        weight.copy_(torch.from_numpy(rng.normal(0.0, np.sqrt(2 / np.prod(shape[1:])), shape)))
        if bias is not None:
            bias.zero_()


def fit(
    network: torch.nn.Sequential,
    batches: Batches,
    rng: Generator,
    *,
    steps: int,
    decay: float,
    smoothing: float,
    rate: float = 0.005,
    epsilon: float = 0.0,
    seen: Callable[[int], None] = lambda step: None,
) -> None:
    """Train in place with AdamW and a learning rate that falls from `rate` to 0 along a cosine.

    With `epsilon` > 0 the pictures are adversarial; the adversary's reach grows over the first 40 % of the steps, as a large one
    from the start ends in a constant network. `seen` is called before each step, and once after the last.

    Weight decay and label smoothing keep the logits moderate: a network that is sure to the last bit has a
    probability gradient of nothing, and nothing to explain.
    """
    parameters = list(network.parameters())
    optimiser = torch.optim.AdamW(parameters, weight_decay=decay)
    for step in range(steps):
        optimiser.param_groups[0]["lr"] = rate * 0.5 * (1 + np.cos(np.pi * step / steps))
        seen(step)
        pictures, labels = batches(rng)
        points, targets = torch.from_numpy(pictures.reshape(len(pictures), 64)), torch.from_numpy(labels)
        if epsilon:
            points = attacked(network, points, targets, rng, epsilon * min(1.0, (step + 1) / (0.4 * steps)))
        loss = torch.nn.functional.cross_entropy(network(points), targets, label_smoothing=smoothing)
        # As everywhere in this project: gradients are asked for, never accumulated by backward().
        for parameter, gradient in zip(parameters, torch.autograd.grad(loss, parameters), strict=True):
            parameter.grad = gradient
        optimiser.step()
    seen(steps)


def attacked(network: torch.nn.Sequential, points: torch.Tensor, labels: torch.Tensor, rng: Generator, reach: float) -> torch.Tensor:
    """Pictures (n, 64) that the network classifies worse, within an L2 distance `reach` of `points`.

    By projected gradient descent (Madry et al. 2018) from a random start.
    """
    start = torch.from_numpy(rng.normal(size=points.shape))
    moved = 0.5 * reach * start / start.norm(dim=1, keepdim=True)
    for _ in range(ATTACK_STEPS):
        at = (points + moved).clamp(0, 1).requires_grad_()
        loss = torch.nn.functional.cross_entropy(network(at), labels, reduction="sum")
        (slope,) = torch.autograd.grad(loss, at)
        moved = at.detach() - points + 2.5 * reach / ATTACK_STEPS * slope / slope.norm(dim=1, keepdim=True).clamp_min(1e-12)
        moved = moved * (reach / moved.norm(dim=1, keepdim=True).clamp_min(1e-12)).clamp_max(1)
    return (points + moved).clamp(0, 1)


def weights(network: torch.nn.Sequential) -> dict[str, NDArray[np.float32]]:
    """Return the weights as float32 arrays w0, b0, w1, b1, …; w has the shape (outputs, inputs[, 3, 3])."""
    layers = [module for module in network if isinstance(module, torch.nn.Linear | torch.nn.Conv2d)]
    arrays: dict[str, NDArray[np.float32]] = {}
    for number, layer in enumerate(layers):
        assert layer.bias is not None
        arrays[f"w{number}"] = layer.weight.detach().numpy().astype(np.float32)
        arrays[f"b{number}"] = layer.bias.detach().numpy().astype(np.float32)
    return arrays


def logits(arrays: Mapping[str, NDArray[Any]], pictures: Array) -> Array:
    """Return the logits (k, classes) of the stored float32 weights, computed in float64 and without torch."""
    convolutional = arrays["w0"].ndim == 4
    values: Array = pictures.reshape(len(pictures), *((1, 8, 8) if convolutional else (64,)))
    last = sum(name.startswith("w") for name in arrays) - 1
    for number in range(last + 1):
        weight, bias = arrays[f"w{number}"].astype(np.float64), arrays[f"b{number}"]
        if weight.ndim == 4:
            padded = np.pad(values, ((0, 0), (0, 0), (1, 1), (1, 1)))
            windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(2, 3))
            values = np.einsum("kcxyij,ocij->koxy", windows, weight, optimize=True) + bias[:, None, None]
        else:
            values = (values.mean(axis=(2, 3)) if values.ndim == 4 else values) @ weight.T + bias
        values = values if number == last else np.maximum(values, 0.0)
    return values


def accuracy(arrays: Mapping[str, NDArray[Any]], pictures: Array, labels: Labels) -> float:
    """Return the share of pictures whose largest logit is that of their class."""
    return float(np.mean(logits(arrays, pictures).argmax(axis=1) == labels))


def network_file(
    arrays: Mapping[str, NDArray[Any]],
    classes: tuple[str, ...],
    training: Array,
    held_out: tuple[Array, Labels],
) -> dict[str, NDArray[Any]]:
    """Return what a network's file holds: weights, classes, accuracy measured, mean training picture."""
    return {
        **arrays,
        "classes": np.array(classes),
        "accuracy": np.array(accuracy(arrays, *held_out)),
        "held_out": np.array(len(held_out[1])),
        "mean": training.mean(axis=0),
    }


def make_shapes() -> dict[str, NDArray[Any]]:
    """Train the shapes network against an adversary: its gradients can be read (Tsipras et al. 2019)."""
    return fit_shapes(SHAPES_SIZES, SHAPES_STEPS, SHAPES_EPSILON, ROBUST_SEED)[0]


def make_ordinary_shapes() -> dict[str, NDArray[Any]]:
    """Train a network of the same task without an adversary."""
    return fit_shapes(ORDINARY_SIZES, ORDINARY_STEPS)[0]


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


def make_digits() -> dict[str, NDArray[Any]]:
    """Train the digits network; it is measured on the held-out pictures as they are, without augmentation."""
    rng = np.random.default_rng(DIGITS_SEED)
    network = new_network(DIGITS_SIZES, rng)
    return fit_digits(network, rng, batch=256, steps=10_000, rate=0.005)


def make_digits_cnn() -> dict[str, NDArray[Any]]:
    """Train the convolutional network on the same digits, and measure it on the same held-out ones."""
    rng = np.random.default_rng(CNN_SEED)
    network = new_convolutional_network(CNN_CHANNELS, len(DIGITS), rng)
    return fit_digits(network, rng, batch=128, steps=6_000, rate=0.01)


def fit_digits(
    network: torch.nn.Sequential, rng: Generator, *, batch: int, steps: int, rate: float
) -> dict[str, NDArray[Any]]:
    """Train a network on augmented digits that are not held out; return what its file holds."""
    integers, labels, held_out = load_digits()
    pictures = integers / 16.0
    training, training_labels = pictures[~held_out], labels[~held_out]

    def batches(rng: Generator) -> tuple[Array, Labels]:
        chosen = rng.integers(0, len(training_labels), batch)
        return augment(rng, training[chosen]), training_labels[chosen]

    fit(network, batches, rng, steps=steps, decay=0.02, smoothing=0.02, rate=rate)
    return network_file(weights(network), DIGITS, training, (pictures[held_out], labels[held_out]))


def make_digits_data() -> dict[str, NDArray[Any]]:
    """Return the digits as whole numbers 0..16 with their class indices, the held-out mask and the credit."""
    pictures, labels, held_out = load_digits()
    credit = np.array(DIGITS_CREDIT)
    return {"pictures": pictures, "labels": labels.astype(np.uint8), "held_out": held_out, "credit": credit}


# The files.

MAKERS: Mapping[str, Callable[[], dict[str, NDArray[Any]]]] = {
    "shapes.npz": make_shapes,
    "shapes-ordinary.npz": make_ordinary_shapes,
    "shapes-checkpoints.npz": make_checkpoints,
    "shapes-background.npz": make_shapes_background,
    "digits.npz": make_digits,
    "digits-cnn.npz": make_digits_cnn,
    "digits-data.npz": make_digits_data,
}


def make(folder: Path) -> None:
    """Make all files in `folder` and say what came out."""
    torch.set_num_threads(1)
    for name, maker in MAKERS.items():
        started = time.perf_counter()
        arrays = maker()
        # numpy dates every entry 1980-01-01, so equal arrays make equal files.
        np.savez_compressed(folder / name, allow_pickle=False, **arrays)
        facts = [f"{(folder / name).stat().st_size:,} bytes", f"{time.perf_counter() - started:.1f} s"]
        if "accuracy" in arrays:
            facts.append(f"accuracy {arrays['accuracy']:.4f} on {arrays['held_out']} held out")
        print(f"{name}: {', '.join(facts)}")


def differences(made: Path, kept: Path) -> list[str]:
    """Compare a file just made with the one kept, print the numbers, return what is not as it should be."""
    with np.load(made, allow_pickle=False) as new, np.load(kept, allow_pickle=False) as old:
        if set(new.files) != set(old.files) or any(new[name].shape != old[name].shape for name in new.files):
            return [f"{kept.name}: other arrays, or arrays of another shape"]
        trained = [name for name in new.files if TRAINED.fullmatch(name)]
        moved = np.max([np.abs(new[name] - old[name]).max() for name in trained], initial=0.0)  # NaN stays NaN
        # The drawn shapes pass through exp, sin and rounding, where another numpy may differ in a last bit.
        exact = set(new.files) - {*trained, "accuracy", "mean", "hundredths"}
        other = [name for name in sorted(exact) if not np.array_equal(new[name], old[name])]
        wrong = [f"{kept.name}: {name} differs" for name in other]
        if "mean" in new.files and not np.allclose(new["mean"], old["mean"], atol=1e-4):
            wrong.append(f"{kept.name}: mean differs")
        if "hundredths" in new.files and np.abs(new["hundredths"].astype(int) - old["hundredths"]).max() > 1:
            wrong.append(f"{kept.name}: hundredths differs")
        same = "the same bytes" if made.read_bytes() == kept.read_bytes() else "other bytes"
        if not trained:
            print(f"{kept.name}: {same}")
            return wrong
        print(f"{kept.name}: {same}, largest weight difference {moved:.3g}")
        if not moved <= WEIGHT_TOLERANCE:
            wrong.append(f"{kept.name}: weights differ by more than {WEIGHT_TOLERANCE}")
        if "accuracy" not in new.files:
            return wrong
        print(f"{kept.name}: accuracy {float(new['accuracy']):.4f} made, {float(old['accuracy']):.4f} kept")
        if abs(float(new["accuracy"]) - float(old["accuracy"])) > ACCURACY_TOLERANCE:
            wrong.append(f"{kept.name}: accuracy differs by more than {ACCURACY_TOLERANCE}")
    return wrong


def check() -> int:
    """Make everything anew in a temporary folder and compare; return the exit code."""
    with tempfile.TemporaryDirectory() as folder:
        make(Path(folder))
        wrong = [line for name in MAKERS for line in differences(Path(folder) / name, FOLDER / name)]
    for line in wrong:
        print(line, file=sys.stderr)
    return 1 if wrong else 0


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description="Make the trained networks and the digits data.")
    parser.add_argument("--check", action="store_true", help="train into a temporary folder and compare")
    if parser.parse_args().check:
        return check()
    make(FOLDER)
    return 0


if __name__ == "__main__":
    sys.exit(main())
