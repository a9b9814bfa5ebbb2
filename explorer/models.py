"""The model zoo: the networks one can choose on the page, with the facts the page tells about them.

Weights come from the small .npz files in models/ that models/train.py makes; nothing is ever unpickled.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from explorer.attribution import Network
from explorer.backgrounds import training_digits, training_shapes
from explorer.pictures import SHAPE, damaged, read_arrays
from explorer.places import ROOT

FOLDER = ROOT / "models"

LOGISTIC_BIAS = -0.15
Task = Literal["shapes", "digits"]
Layer = TypeVar("Layer", torch.nn.Linear, torch.nn.Conv2d)


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
        task: which labelled pictures it must classify; None if it has no such task.
        stored: the arrays of its weight file, which the self-check computes with in numpy; None if there is no file.
        own: whether it is a user's own, added to the zoo.
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
    task: Task | None = None
    stored: Mapping[str, NDArray[Any]] | None = None
    own: bool = False


def load_zoo(folder: Path = FOLDER) -> Mapping[str, Model]:
    """Load every model; return a read-only mapping from name to model, in the order the page shows them.

    Raises:
        StoredFileError: a weight file is missing or damaged; the message names it and says how to make it.
    """
    of_shapes, of_digits = training_shapes(folder), training_digits(folder)
    shapes = trained(
        folder,
        "shapes",
        "Shapes",
        "A small ReLU network, trained on drawn shapes against small changes of their pixels. Its maps can be read.",
        of_shapes,
        "shapes",
    )
    ordinary = trained(
        folder,
        "shapes-ordinary",
        "Shapes, ordinary training",
        "The same task and pictures, without the changes: as good on drawn shapes, but its maps look like noise.",
        of_shapes,
        "shapes",
    )
    digits = trained(
        folder,
        "digits",
        "Digits",
        "A small ReLU network trained on real handwritten digits. Whatever you paint, it answers with one of the ten.",
        of_digits,
        "digits",
    )
    digits_cnn = trained(
        folder,
        "digits-cnn",
        "Digits, convolutional",
        "A convolutional network trained on the same digits: 12 maps of where it finds what, each averaged, then one "
        "weighted sum.",
        of_digits,
        "digits",
    )
    models = (shapes, ordinary, digits, digits_cnn, _rewritten(digits), _logistic(shapes.mean, of_shapes))
    return MappingProxyType({model.name: model for model in models})


def checkpoints(training: Literal["robust", "ordinary"], folder: Path = FOLDER) -> dict[int, Network]:
    """The shapes network during its training, by the number of steps, from 0 to the last; with an adversary or without.

    The weights are rounded to float16; all else is as in the zoo.

    Raises:
        StoredFileError: the file is missing or damaged.
    """
    path = folder / "shapes-checkpoints.npz"
    arrays = read_arrays(path)
    try:
        stages = {key.partition("_")[2]: values.astype(np.float32) for key, values in arrays.items() if key.startswith(f"{training}_")}
        count = stages[f"b{len(stages) // 2 - 1}"].shape[1]
        networks = [_relu_network({key: values[stage] for key, values in stages.items()}, count) for stage in range(len(arrays["steps"]))]
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise damaged(path, error) from error
    return {int(step): Network(network) for step, network in zip(arrays["steps"], networks, strict=True)}


def logistic_weights() -> NDArray[np.float64]:
    """Return W of the original explorer's detector, a float64 array (8, 8) indexed [row, column]."""
    row, column = np.mgrid[0:8, 0:8].astype(np.float64)
    ramp = 0.28 * (column - 3.5)
    bump = 0.82 * np.exp(-((row - 3.5) ** 2 + (column - 3.5) ** 2) / 5.5)
    weights: NDArray[np.float64] = ramp + bump
    return weights


def _logistic(mean: NDArray[np.float64], background: NDArray[np.float64]) -> Model:
    """Return the hand-set detector. Its logits are −s and s with s = B + Σ W x: its classes are opposites."""
    weights = logistic_weights().reshape(64)
    linear = _linear(np.stack([-weights, weights]), np.array([-LOGISTIC_BIAS, LOGISTIC_BIAS]))
    classes = ("score below 0", "score above 0")
    return Model(
        name="logistic",
        title="Logistic detector",
        about="Its score is one weighted sum, set by hand and never trained. Its gradient has the same shape for every "
        "picture. Its mean baseline is that of the shapes.",
        classes=classes,
        linear=True,
        accuracy=None,
        held_out=None,
        mean=mean,
        network=Network(torch.nn.Sequential(linear), activation="sigmoid", classes=classes, background=background),
    )


def _rewritten(digits: Model) -> Model:
    """Return the digits network written with other layers: the same function, so the same gradients, to rounding.

    What is rewritten, with no chance in it:

    - every fourth unit of the first layer is there twice, with one and three quarters of its outgoing weights; all units
      are shuffled, and scaled by powers of 2 that the next layer takes back;
    - a unit relu(z) of the second layer is computed as relu(relu(z + n) − n), where n is a quarter of what speaks for it:
      as n ≥ 0 that is the same number, but reached over another kink;
    - the last layer is split into two, through a matrix of ±1 whose inverse is its transpose over 32.
    """
    w1, b1, w2, b2, w3, b3 = (tensor.numpy() for tensor in digits.network.module.parameters())
    hidden = len(b2)
    shares = np.concatenate([np.where(np.arange(len(b1)) % 4, 1.0, 0.25), np.full(len(b1[::4]), 0.75)])
    units = np.concatenate([np.arange(len(b1)), np.arange(0, len(b1), 4)])
    shuffle = np.arange(len(units)) * 7 % len(units)  # 7 has no divisor in common with 40
    units, shares, scale = units[shuffle], shares[shuffle], 2.0 ** (np.arange(len(units)) % 5 - 2)
    inner = w2[:, units] * (shares / scale)
    in_favour = np.maximum(inner, 0) / 4
    turned = np.ones((1, 1))
    while len(turned) < hidden:
        turned = np.block([[turned, turned], [turned, -turned]])
    layers = [
        _linear(scale[:, None] * w1[units], scale * b1[units]),
        torch.nn.ReLU(),
        _linear(np.concatenate([inner + in_favour, in_favour]), np.concatenate([b2, np.zeros(hidden)])),
        torch.nn.ReLU(),
        _linear(np.hstack([np.eye(hidden), -np.eye(hidden)]), np.zeros(hidden)),
        torch.nn.ReLU(),
        _linear(turned, np.zeros(hidden)),
        _linear(w3 @ turned.T / hidden, b3),
    ]
    return replace(
        digits,
        name="digits-rewritten",
        title="Digits, rewritten",
        about="It computes the same function as the digits network, with other layers inside. Methods that ask only for F "
        "and its gradient give the same maps, to rounding. Others need not.",
        network=Network(
            torch.nn.Sequential(*layers), classes=digits.classes, background=digits.network.background
        ),
    )


def trained(folder: Path, name: str, title: str, about: str, background: NDArray[np.float64], task: Task | None) -> Model:
    """Return the trained model of the weight file `name`.npz in `folder`, checked.

    Args:
        background: pictures (b, 8, 8) from its training.
        task: which labelled pictures it must classify; None if it need not classify any.

    Raises:
        StoredFileError: the file is missing or damaged; the message names it and says how to make it.
    """
    path = folder / f"{name}.npz"
    arrays = read_arrays(path)
    try:
        classes = tuple(str(label) for label in arrays["classes"])
        accuracy, held_out, mean = float(arrays["accuracy"]), int(arrays["held_out"]), arrays["mean"]
        if mean.shape != SHAPE or not np.all((mean >= 0) & (mean <= 1)) or not 0 <= accuracy <= 1:
            raise ValueError("its facts are out of range")
        module = _relu_network(arrays, len(classes))
    except (KeyError, TypeError, ValueError) as error:
        raise damaged(path, error) from error
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
        network=Network(module, classes=classes, background=background),
        task=task,
        stored=arrays,
    )


def _relu_network(arrays: Mapping[str, NDArray[Any]], classes: int) -> torch.nn.Sequential:
    """Return the ReLU network of the arrays w0, b0, w1, b1 and so on, from pictures to `classes` logits.

    Weights with four axes are those of 3 × 3 convolutions with a border of zeros; their last maps are averaged.
    """
    count = sum(name.startswith("w") for name in arrays)
    layers = [(arrays[f"w{number}"], arrays[f"b{number}"]) for number in range(count)]
    if count == 0 or layers[-1][1].shape != (classes,):
        raise ValueError("its layers do not fit its classes")
    convolutional = layers[0][0].ndim == 4
    before = 1 if convolutional else 64
    modules: list[torch.nn.Module] = []
    for number, (weight, bias) in enumerate(layers):
        window = (3, 3) if convolutional and number < count - 1 else ()
        if weight.shape != (len(bias), before, *window) or bias.ndim != 1:
            raise ValueError("its layers do not fit each other")
        if not (np.isfinite(weight).all() and np.isfinite(bias).all()):
            raise ValueError("its weights are not finite")
        if convolutional and not window:
            modules += [torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten()]
        modules += [_convolution(weight, bias) if window else _linear(weight, bias), torch.nn.ReLU()]
        before = len(bias)
    return torch.nn.Sequential(*modules[:-1])


def _linear(weight: NDArray[Any], bias: NDArray[Any]) -> torch.nn.Linear:
    return _filled(torch.nn.Linear(weight.shape[1], len(weight), dtype=torch.float64), weight, bias)


def _convolution(weight: NDArray[Any], bias: NDArray[Any]) -> torch.nn.Conv2d:
    layer = torch.nn.Conv2d(weight.shape[1], len(weight), weight.shape[2], padding=weight.shape[2] // 2, dtype=torch.float64)
    return _filled(layer, weight, bias)


def _filled(layer: Layer, weight: NDArray[Any], bias: NDArray[Any]) -> Layer:
    assert layer.bias is not None
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(weight.astype(np.float64)))
        layer.bias.copy_(torch.from_numpy(bias.astype(np.float64)))
    return layer
