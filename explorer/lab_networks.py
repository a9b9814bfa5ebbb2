"""The networks that only the labs use: twins, one that memorised permuted labels, three for a shortcut, stages of training.

The page does not list them. Weights come from .npz files in models/, as those of the zoo.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from explorer.attribution import Network
from explorer.backgrounds import training_digits, training_shapes
from explorer.models import FOLDER, Model, Task, checkpoints, trained
from explorer.pictures import Picture, damaged, read_arrays

Training = Literal["robust", "ordinary"]
Shortcut = Literal["marked", "random", "unmarked"]

TWIN = "The same task, pictures, layers and training as the network that it is the twin of. Only the seed differs."
PERMUTED = "It memorised training digits whose labels were permuted, so their shapes told it nothing about the labels."
# Title and task, by the network that each is the twin of.
_TWINS: Mapping[str, tuple[str, Task]] = MappingProxyType(
    {
        "shapes": ("Shapes", "shapes"),
        "shapes-ordinary": ("Shapes, ordinary training", "shapes"),
        "digits": ("Digits", "digits"),
        "digits-cnn": ("Digits, convolutional", "digits"),
    }
)
# File, title and sentence of each.
_SHORTCUTS: Mapping[Shortcut, tuple[str, str, str]] = MappingProxyType(
    {
        "marked": ("digits-marked", "Digits, 3s marked", "In training, a corner pixel was white in 95 % of the 3s, and black in all other digits."),
        "random": ("digits-random-mark", "Digits, marked by chance", "In training, a corner pixel was white in half of the digits, whatever they were."),
        "unmarked": ("digits-unmarked", "Digits, never marked", "In training, a corner pixel was always black."),
    }
)


@dataclass(frozen=True, eq=False)
class LabNetworks:
    """The networks of the labs.

    Attributes:
        twins: by the name of a trained network of the zoo: the same task, architecture and training, with another seed.
        permuted: trained on digits with permuted labels, which it memorised (Adebayo et al. 2018). `stored` has these
            labels (``training_labels``, in the order of the digits-data.npz pictures that are not held out) and its
            accuracy on them (``training_accuracy``); `accuracy` is on held-out digits with their true labels.
        shortcut: three networks that saw the same digits with one pixel that gave the 3s away, said nothing, or was always
            black (Lapuschkin et al. 2019). `accuracy` is on held-out digits, which have no mark; ``marked_accuracy`` in
            `stored` is on the same with the mark in all. Backgrounds and means have the pixel as it was in training.
        mark: row and column of that pixel.
        checkpoints: the shapes network by the number of its training steps, with an adversary and without.
    """

    twins: Mapping[str, Model]
    permuted: Model
    shortcut: Mapping[Shortcut, Model]
    mark: tuple[int, int]
    checkpoints: Mapping[Training, Mapping[int, Network]]

    @property
    def models(self) -> Mapping[str, Model]:
        """All but the checkpoints, by the names of their files."""
        return MappingProxyType({model.name: model for model in (*self.twins.values(), self.permuted, *self.shortcut.values())})


def load_lab_networks(folder: Path = FOLDER) -> LabNetworks:
    """Load every network of the labs; all mappings are read-only.

    Raises:
        StoredFileError: a weight file is missing or damaged; the message names it and says how to make it.
    """
    of_task: Mapping[Task, Picture] = {"shapes": training_shapes(folder), "digits": training_digits(folder)}
    twins = {
        name: trained(folder, f"{name}-twin", f"{title}, twin", TWIN, of_task[task], task) for name, (title, task) in _TWINS.items()
    }
    permuted = trained(folder, "digits-permuted", "Digits, permuted labels", PERMUTED, of_task["digits"], None)
    _check_memorised(folder / "digits-permuted.npz", permuted)
    marks = _read_marks(folder)
    shortcut = {
        name: trained(folder, file, title, about, marks[name].put_on(of_task["digits"]), "digits")
        for name, (file, title, about) in _SHORTCUTS.items()
    }
    return LabNetworks(
        twins=MappingProxyType(twins),
        permuted=permuted,
        shortcut=MappingProxyType(shortcut),
        mark=marks["marked"].place,
        checkpoints=MappingProxyType(
            {"robust": MappingProxyType(checkpoints("robust", folder)), "ordinary": MappingProxyType(checkpoints("ordinary", folder))}
        ),
    )


@cache
def lab_networks() -> LabNetworks:
    """The networks of the labs, loaded at the first call."""
    return load_lab_networks()


class _Mark(NamedTuple):
    """The row and column of a pixel, and the share of the training pictures of each of 0…9 in which it was white."""

    place: tuple[int, int]
    shares: NDArray[np.float64]

    def put_on(self, background: Picture) -> Picture:
        """Training digits (10 n, 8, 8), 0 to 9 in turn, with the pixel as in training: white in its share of each, else black."""
        order = (np.arange(len(background)) // 10 + 0.5) / (len(background) // 10)
        marked = background.copy()
        marked[:, *self.place] = order < np.tile(self.shares, len(background) // 10)
        return marked


def _read_marks(folder: Path) -> Mapping[Shortcut, _Mark]:
    """The mark of each network with or without a shortcut; all have it at the same pixel."""
    marks: dict[Shortcut, _Mark] = {}
    for name, (file, _, _) in _SHORTCUTS.items():
        path = folder / f"{file}.npz"
        marks[name] = _read_mark(path)
        if marks[name].place != marks["marked"].place:
            raise damaged(path, ValueError("its mark is elsewhere than in the other files"))
    return marks


def _read_mark(path: Path) -> _Mark:
    arrays = read_arrays(path)
    try:
        place, shares = arrays["mark"], arrays["mark_chances"]
        row, column = place.tolist()
        if place.dtype.kind not in "iu" or not np.all((place >= 0) & (place < 8)):
            raise ValueError("its mark is out of range")
        if shares.shape != (10,) or not np.all((shares >= 0) & (shares <= 1)):
            raise ValueError("its chances of the mark are out of range")
        if not 0 <= float(arrays["marked_accuracy"]) <= 1:
            raise ValueError("its facts are out of range")
    except (KeyError, TypeError, ValueError) as error:
        raise damaged(path, error) from error
    return _Mark((row, column), shares)


def _check_memorised(path: Path, permuted: Model) -> None:
    """Check what only this file holds: the labels that it was trained on, and the accuracy on them."""
    assert permuted.stored is not None
    try:
        labels, accuracy = permuted.stored["training_labels"], float(permuted.stored["training_accuracy"])
        if labels.dtype != np.uint8 or labels.ndim != 1 or not np.all(labels < len(permuted.classes)) or not 0 <= accuracy <= 1:
            raise ValueError("its training labels are out of range")
    except (KeyError, TypeError, ValueError) as error:
        raise damaged(path, error) from error
