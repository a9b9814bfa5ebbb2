"""Whether this process answers right: its results are compared with a formula, with numpy, and with labels.

The formula is that of the logistic detector; Integrated Gradients must also add up to ΔF on every network.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from explorer import models, pictures
from explorer.attribution import Network, NotPiecewiseLinear, exact_integrated_gradients
from explorer.attribution.network import Floats
from explorer.backgrounds import SHAPES_FILE
from explorer.page.answer import answer
from explorer.state import State, Zoo

READ_RIGHT = 0.9  # the least share of them that must be read right; it is 0.97 and more
NEAR = 1e-9
PART = 100  # pictures at a time


@dataclass(frozen=True, eq=False)
class Known:
    """Pictures ``(k, 8, 8)``, the class that each shows, and the scores ``(k, C)`` that a network must give them."""

    pictures: Floats
    labels: NDArray[np.integer[Any]]
    logits: Floats


def known_pictures(zoo: Zoo, folder: Path = models.FOLDER) -> Mapping[str, Known]:
    """The labelled pictures of each network that has a task, with the logits that its weight file gives them, by network."""
    samples = pictures.digit_samples(folder)
    digits = np.concatenate([np.stack(of_one) for of_one in samples]), np.repeat(np.arange(10), [len(of_one) for of_one in samples])
    drawn = pictures.read_arrays(folder / SHAPES_FILE)
    labelled = {"shapes": (drawn["hundredths"] / 100, drawn["labels"]), "digits": digits}
    return {
        name: Known(*labelled[model.task], _in_parts(partial(_logits, model.stored), labelled[model.task][0]))
        for name, model in zoo.items()
        if model.task and model.stored
    }


def _in_parts(compute: Callable[[Floats], Floats], shown: Floats) -> Floats:
    """What is computed from pictures, some at a time: all at once would take a hundred megabytes."""
    return np.concatenate([compute(part) for part in np.array_split(shown, math.ceil(len(shown) / PART))])


def _logits(arrays: Mapping[str, NDArray[Any]], shown: Floats) -> Floats:
    """The scores ``(k, C)`` of a stored network, without torch: layers of ReLU units, the first ones 3 × 3 convolutions or none."""
    layers = [(arrays[f"w{n}"].astype(float), arrays[f"b{n}"].astype(float)) for n in range(sum(name[0] == "w" for name in arrays))]
    convolutional = layers[0][0].ndim == 4
    values: Floats = shown[:, None] if convolutional else shown.reshape(-1, 64)
    for number, (weight, bias) in enumerate(layers):
        if weight.ndim == 4:
            windows = sliding_window_view(np.pad(values, ((0, 0), (0, 0), (1, 1), (1, 1))), (3, 3), axis=(2, 3))
            values = np.einsum("kirchw,oihw->korc", windows, weight, optimize=True) + bias[:, None, None]
        else:
            values = (values.mean(axis=(2, 3)) if values.ndim == 4 else values) @ weight.T + bias
        if number < len(layers) - 1:
            values = np.maximum(values, 0)
    return values


def find_fault(zoo: Zoo, known: Mapping[str, Known]) -> str | None:
    """The first thing that is wrong with a zoo, in one sentence; None when all is right.

    Args:
        zoo: the networks.
        known: from ``known_pictures``.
    """
    try:
        wrong = _logistic_fault(zoo) or _reading_fault(zoo, known) or _sum_fault(zoo)
    except Exception as error:  # any error makes this worker unfit
        return f"The probe explanation failed with {type(error).__name__}."
    return wrong and f"The network {wrong}."


def _logistic_fault(zoo: Zoo) -> str | None:
    """Its gradient and Integrated Gradients against the closed form: sigmoid(B + Σ W x) along a straight line."""
    picture, weights = pictures.PATTERNS["circle"], models.logistic_weights()
    said = answer(State(pixels=tuple(picture.ravel()), network="logistic", target=1, rule="exact"), zoo)["methods"]
    start, end = (1 / (1 + np.exp(-models.LOGISTIC_BIAS - shift)) for shift in (0.0, (weights * picture).sum()))
    expected = {
        "gradient": end * (1 - end) * weights,
        "integrated_gradients": (end - start) * weights * picture / (weights * picture).sum(),
    }
    for name, attribution in expected.items():
        if not np.allclose(said[name]["map"], attribution.ravel(), rtol=0, atol=NEAR):
            return f"logistic gets another {name.replace('_', ' ')} than its formula"
    return None


def _reading_fault(zoo: Zoo, known: Mapping[str, Known]) -> str | None:
    """Whether networks compute what their files say, and read right what people named."""
    for name, must in known.items():
        with torch.no_grad():
            logits = _in_parts(partial(_torch_logits, zoo[name].network), must.pictures)
        if logits.shape != must.logits.shape or not np.allclose(logits, must.logits, rtol=NEAR, atol=NEAR):
            return f"{name} computes something else than its file says"
        if (logits.argmax(axis=1) == must.labels).mean() < READ_RIGHT:
            return f"{name} misreads the pictures that it should know"
    return None


def _torch_logits(network: Network, shown: Floats) -> Floats:
    found: Floats = network.logits(torch.tensor(shown)).numpy()
    return found


def _sum_fault(zoo: Zoo) -> str | None:
    """Completeness: exact Integrated Gradients share out ΔF, whose two ends come from a plain forward pass."""
    for name in zoo:
        case = State(network=name).case(zoo)
        ends = zoo[name].network.scores(np.stack([case.baseline, case.input]))[:, case.target]
        try:
            attribution = exact_integrated_gradients(case).attribution
        except NotPiecewiseLinear:  # there is no exact path
            continue
        if not abs(attribution.sum() - (ends[1] - ends[0])) < NEAR * (1 + np.abs(attribution).sum()):
            return f"{name} gets attributions that do not sum to ΔF"
    return None
