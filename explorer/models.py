"""The model zoo: the networks one can choose on the page, with the facts the page tells about them.

Weights come from the small .npz files in models/ that models/train.py makes; nothing is ever unpickled.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from explorer.attribution import Network
from explorer.pictures import SHAPE, StoredFileError, read_arrays

FOLDER = Path(__file__).resolve().parent.parent / "models"

LOGISTIC_BIAS = -0.15


@dataclass(frozen=True, eq=False)
class Model:
    """A network and what there is to say about it.

    Attributes:
        name: the short name, as in the URL.
        title: the name on the page.
        about: one sentence for the page.
        classes: the class names, in the order of the class indices.
        linear: whether the logits are a linear function of the input: their gradient is the same everywhere.
        accuracy: the share of held-out pictures classified right, in [0, 1]; None if it was never measured.
        held_out: how many pictures that accuracy was measured on; None if it was never measured.
        mean: the mean of the training pictures, a read-only float64 array (8, 8) with values in [0, 1].
        network: the network itself, frozen.
    """

    name: str
    title: str
    about: str
    classes: tuple[str, ...]
    linear: bool
    accuracy: float | None
    held_out: int | None
    mean: NDArray[np.float64]
    network: Network


def load_zoo(folder: Path = FOLDER) -> Mapping[str, Model]:
    """Load every model; return a read-only mapping from name to model, in the order the page shows them.

    Raises:
        StoredFileError: a weight file is missing or damaged; the message names it and says how to make it.
    """
    shapes = _trained(
        folder,
        "shapes",
        "Shapes",
        "A small ReLU network trained on drawn shapes, light on dark and dark on light. What you paint by hand is harder.",
    )
    digits = _trained(
        folder,
        "digits",
        "Digits",
        "A small ReLU network trained on real handwritten digits. Whatever you paint, it answers with one of the ten.",
    )
    models = (shapes, digits, _logistic(shapes.mean))
    return MappingProxyType({model.name: model for model in models})


def logistic_weights() -> NDArray[np.float64]:
    """Return W of the original explorer's detector, a float64 array (8, 8) indexed [row, column]."""
    row, column = np.mgrid[0:8, 0:8].astype(np.float64)
    ramp = 0.28 * (column - 3.5)
    bump = 0.82 * np.exp(-((row - 3.5) ** 2 + (column - 3.5) ** 2) / 5.5)
    weights: NDArray[np.float64] = ramp + bump
    return weights


def _logistic(mean: NDArray[np.float64]) -> Model:
    """Return the hand-set detector. Its logits are −s and s with s = B + Σ W x: its classes are opposites."""
    weights = torch.from_numpy(logistic_weights().reshape(64))
    linear = torch.nn.Linear(64, 2, dtype=torch.float64)
    with torch.no_grad():
        linear.weight.copy_(torch.stack([-weights, weights]))
        linear.bias.copy_(torch.tensor([-LOGISTIC_BIAS, LOGISTIC_BIAS], dtype=torch.float64))
    classes = ("class 0", "class 1")
    return Model(
        name="logistic",
        title="Logistic detector",
        about="One weighted sum and a sigmoid, set by hand and never trained: its gradient has the same shape for every "
        "picture. Its mean baseline is that of the shapes.",
        classes=classes,
        linear=True,
        accuracy=None,
        held_out=None,
        mean=mean,
        network=Network(torch.nn.Sequential(linear), activation="sigmoid", classes=classes),
    )


def _trained(folder: Path, name: str, title: str, about: str) -> Model:
    """Return the trained model of a weight file, checked."""
    path = folder / f"{name}.npz"
    arrays = read_arrays(path)
    try:
        classes = tuple(str(label) for label in arrays["classes"])
        accuracy, held_out, mean = float(arrays["accuracy"]), int(arrays["held_out"]), arrays["mean"]
        if mean.shape != SHAPE or not np.all((mean >= 0) & (mean <= 1)) or not 0 <= accuracy <= 1:
            raise ValueError("its facts are out of range")
        module = _mlp(arrays, len(classes))
    except (KeyError, TypeError, ValueError) as error:
        reason = f"it lacks {error}" if isinstance(error, KeyError) else error
        raise StoredFileError(f"{path} is damaged ({reason}); make it again with: make train") from error
    mean.setflags(write=False)
    return Model(
        name=name,
        title=title,
        about=about,
        classes=classes,
        linear=False,
        accuracy=accuracy,
        held_out=held_out,
        mean=mean,
        network=Network(module, classes=classes),
    )


def _mlp(arrays: Mapping[str, NDArray[Any]], classes: int) -> torch.nn.Sequential:
    """Return the ReLU network, 64 inputs to `classes` logits, of the arrays w0, b0, w1, b1 and so on."""
    count = sum(name.startswith("w") for name in arrays)
    layers = [(arrays[f"w{number}"], arrays[f"b{number}"]) for number in range(count)]
    sizes = [64, *(len(bias) for _, bias in layers)]
    if count == 0 or sizes[-1] != classes:
        raise ValueError("its layers do not fit its classes")
    modules: list[torch.nn.Module] = []
    for (weight, bias), (before, after) in zip(layers, pairwise(sizes), strict=True):
        if weight.shape != (after, before) or bias.shape != (after,):
            raise ValueError("its layers do not fit each other")
        if not (np.isfinite(weight).all() and np.isfinite(bias).all()):
            raise ValueError("its weights are not finite")
        linear = torch.nn.Linear(before, after, dtype=torch.float64)
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(weight.astype(np.float64)))
            linear.bias.copy_(torch.from_numpy(bias.astype(np.float64)))
        modules += [linear, torch.nn.ReLU()]
    return torch.nn.Sequential(*modules[:-1])
