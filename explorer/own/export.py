"""Writes a network to the two files that ``--network`` reads."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from safetensors.torch import save
from torch import nn

from explorer.attribution.network_checks import checked_copy, probe_pictures
from explorer.own.chain import NotAChain, chain, is_classifier, of_classifier
from explorer.own.facts import FORMAT, MOST_SAMPLES
from explorer.own.layers import written_layer
from explorer.own.load import COUNTER, NAME, load_network
from explorer.own.named import FACTS, WEIGHTS, NetworkFileError

AGREE = 1e-6  # of the largest logit: by how much the file's network may differ from the module
NO_PICTURES = "No training pictures came with it, so its mean baseline is grey."
PAIR = 2  # classes of a single score


def export_network(
    module: Any,
    path: str | os.PathLike[str],
    *,
    classes: Sequence[str] | None = None,
    title: str | None = None,
    about: str | None = None,
    activation: str | None = None,
    normalisation: tuple[Any, Any] = (0.0, 1.0),
    pictures: ArrayLike | None = None,
    accuracy: tuple[float, int] | None = None,
) -> Path:
    """Write a network to ``path.safetensors`` and ``path.json``, from which ``gradient-explorer --network`` reads it.

    Args:
        module: a ``torch.nn.Sequential`` of the allowed layers, a module whose forward is a chain of such layers, or a fitted
            ``sklearn.neural_network.MLPClassifier``. It maps ``(k, 64)`` or ``(k, 1, 8, 8)`` to logits, not probabilities.
        path: where; its name, of small letters, digits, - and _, becomes part of links. The ending may be left out.
        classes: a name for each class. By default a classifier's own, else their numbers.
        title: on the page, at most 40 characters; by default the name of the file.
        about: one sentence for the page.
        activation: "softmax" for exclusive classes (default), "sigmoid" for independent ones. A single score becomes two
            classes, −s and s, under a sigmoid.
        normalisation: mean and std: the module was trained on (pixel − mean) / std, where a pixel is 0 if black and 1 if
            white. ``(0, 1/16)`` for the digits of scikit-learn as they come, 0 to 16. One number each, or one for each pixel.
        pictures: training pictures, ``(n, 8, 8)`` or ``(n, 64)``, values in [0, 1]: for the mean baseline, and some of them
            for methods that average over training pictures.
        accuracy: the share of held-out pictures classified right, in [0, 1], and how many there were.

    Returns:
        The path of the weight file.

    Raises:
        ValueError: the network cannot be written, or cannot be explained; the message is one sentence that says why.
    """
    target = _target(Path(path))
    try:
        layers, activation, names = as_layers(module, activation)
    except NotAChain as reason:
        raise NotAChain(f"no file can hold this network: {reason}; explorer.show takes it as it is") from None
    classes = classes if classes is not None else names or None
    known: dict[str, Any] = {"title": title, "about": about, "activation": activation, "normalisation": normalisation, "pictures": pictures, "accuracy": accuracy}
    facts = described(target.stem, classes, module=layers, **known) | {"layers": [written_layer(layer) for layer in layers]}
    _write(target, facts, {key: tensor.contiguous().clone() for key, tensor in layers.state_dict().items() if not key.endswith(COUNTER)})
    return target


def described(
    name: str,
    classes: Sequence[str] | None,
    *,
    module: nn.Module,
    title: str | None,
    about: str | None,
    activation: str,
    normalisation: tuple[Any, Any],
    pictures: ArrayLike | None,
    accuracy: tuple[float, int] | None = None,
) -> dict[str, Any]:
    """What the JSON file says of a network, with a single layer in place of its own ones.

    Raises:
        ValueError: the pictures are wrong.
    """
    whole, mean, samples = _pictures(pictures)
    facts: dict[str, Any] = {
        "format": FORMAT,
        "version": 1,
        "title": title or re.sub(r"[-_]+", " ", name).strip().capitalize(),
        "about": about or ("A network of your own." if whole else f"A network of your own. {NO_PICTURES}"),
        "classes": _numbers(module, activation) if classes is None else [str(one) for one in classes],
        "activation": activation,
        "input_size": [8, 8],
        "normalisation": {"mean": _plain(normalisation[0]), "std": _plain(normalisation[1])},
        "layers": [{"kind": type(module).__name__}],
        "mean": mean,
        "samples": samples,
    }
    if accuracy is not None:
        facts |= {"accuracy": float(accuracy[0]), "held_out": int(accuracy[1])}
    return facts


def as_layers(module: Any, activation: str | None = None) -> tuple[nn.Sequential, str, list[str]]:
    """A network as a plain sequence of layers, with its activation and, if it knows them, the names of its classes.

    Raises:
        NotAChain: it is none.
        ValueError: it cannot be explained at all.
    """
    if is_classifier(module):
        return of_classifier(module)
    if not isinstance(module, nn.Module):
        raise ValueError(f"the network must be a torch.nn.Module or a fitted MLPClassifier, not a {type(module).__name__}")
    layers = chain(module)
    try:
        for layer in layers:
            written_layer(layer)
    except ValueError as reason:
        raise NotAChain(str(reason)) from None
    layers, single = _two_classes(layers)
    activation = activation or ("sigmoid" if single else "softmax")
    own, shape, _ = checked_copy(layers, activation)
    if not single:
        with torch.no_grad():
            given, _, _ = checked_copy(module, activation)
            x = probe_pictures(shape)
            expected, answered = given(x) if type(module) is nn.Sequential else _first_answer(given, x), own(x)
        if answered.shape != expected.shape or not bool(((answered - expected).abs() <= AGREE * expected.abs().max()).all()):
            raise NotAChain("its layers, called in turn, do not give its own logits")
    return layers, activation, []


def _first_answer(module: nn.Module, x: torch.Tensor) -> torch.Tensor:
    """The logits of a module that takes flat pictures, or else images."""
    try:
        found: torch.Tensor = module(x)
    except Exception:  # whatever a network of somebody else raises
        found = module(x.reshape(-1, 1, 8, 8))
    return found


def _two_classes(layers: nn.Sequential) -> tuple[nn.Sequential, bool]:
    """A network with a single score s as one with two, −s and s; and whether it was."""
    last = layers[-1] if len(layers) else None
    if not isinstance(last, nn.Linear) or last.out_features != 1:
        return layers, False
    doubled = nn.Linear(last.in_features, PAIR, bias=last.bias is not None, device="meta")
    doubled.load_state_dict({name: torch.cat([-tensor, tensor]) for name, tensor in last.state_dict().items()}, assign=True)
    return nn.Sequential(*list(layers)[:-1], doubled).requires_grad_(False), True


def _numbers(module: nn.Module, activation: str) -> list[str]:
    """A number for each class of a network without names."""
    _, _, count = checked_copy(module, activation)
    return [str(number) for number in range(count)]


def _target(path: Path) -> Path:
    target = path if path.suffix == WEIGHTS else path.with_name(path.name.removesuffix(FACTS) + WEIGHTS)
    if not NAME.fullmatch(target.stem):
        raise ValueError(f"the name {target.stem!r} becomes part of links: use at most 40 small letters, digits, - and _")
    if not target.parent.is_dir():
        raise ValueError(f"there is no folder {str(target.parent)!r}")
    return target


def _plain(value: Any) -> float | list[float]:
    array = np.asarray(value, dtype=np.float64)
    return float(array) if array.ndim == 0 else [float(number) for number in array.ravel()]


def _pictures(given: ArrayLike | None) -> tuple[bool, list[float], list[list[float]]]:
    """Whether there are pictures, their mean (else grey), and some of them, evenly spread."""
    if given is None:
        return False, [0.5] * 64, []
    pictures = np.asarray(given, dtype=np.float64)
    if pictures.ndim < 2 or not len(pictures) or pictures[0].size != 64:
        raise ValueError(f"the pictures must have the shape (n, 8, 8) or (n, 64), not {pictures.shape}")
    pictures = pictures.reshape(-1, 64)
    if not np.isfinite(pictures).all() or pictures.min() < 0 or pictures.max() > 1:
        raise ValueError("the pictures must have values in [0, 1], 0 black and 1 white: divide scikit-learn's digits by 16 (normalisation says what the network was trained on)")
    chosen = pictures[np.linspace(0, len(pictures) - 1, min(MOST_SAMPLES, len(pictures))).astype(int)]
    return True, pictures.mean(axis=0).clip(0, 1).tolist(), np.round(chosen, 4).tolist()


def _write(target: Path, facts: dict[str, Any], tensors: dict[str, torch.Tensor]) -> None:
    """Write both files under other names, read them as the server does, and only then give them their own."""
    drafts = target.with_name(f"{target.stem[:20]}-draft-{os.getpid()}{WEIGHTS}")
    pairs = [(drafts, target), (drafts.with_suffix(FACTS), target.with_suffix(FACTS))]
    try:
        drafts.write_bytes(save(tensors))  # with the rights of any new file: save_file lets nobody else read it, such as the user of a container
        drafts.with_suffix(FACTS).write_text(json.dumps(facts, ensure_ascii=False, indent=1), encoding="utf-8")
        load_network(drafts)
        for draft, final in pairs:
            os.replace(draft, final)
    except NetworkFileError as wrong:
        raise ValueError(str(wrong).partition(": ")[2] or str(wrong)) from None
    finally:
        for draft, _ in pairs:
            draft.unlink(missing_ok=True)
