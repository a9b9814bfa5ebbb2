"""The networks of the labs: what each has in common with a listed network, and what it is there to show."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from explorer.attribution import METHODS, Case, exact_integrated_gradients
from explorer.lab_networks import LabNetworks, load_lab_networks
from explorer.models import FOLDER, Model
from explorer.page.self_check import find_fault, known_pictures
from explorer.pictures import StoredFileError, read_arrays, read_digits
from models import networks
from models.drawn_shapes import draw_shapes

Floats = NDArray[np.float64]
BLACK, WHITE = np.zeros((8, 8)), np.ones((8, 8))


@pytest.fixture(scope="module")
def labs() -> LabNetworks:
    return load_lab_networks()


def digits() -> tuple[tuple[Floats, NDArray[Any]], tuple[Floats, NDArray[Any]]]:
    """The real digits with their labels: those for training, and those held out."""
    pictures, labels, held_out = read_digits(FOLDER / "digits-data.npz")
    pictures = pictures.reshape(-1, 8, 8)
    return (pictures[~held_out], labels[~held_out]), (pictures[held_out], labels[held_out])


def share_right(model: Model, pictures: Floats, labels: NDArray[Any]) -> float:
    return float(np.mean(model.network.scores(pictures).argmax(axis=1) == labels))


def fact(model: Model, name: str) -> Any:
    assert model.stored is not None
    return model.stored[name]


def marked(labs: LabNetworks, pictures: Floats, value: float = 1.0) -> Floats:
    changed = pictures.copy()
    changed[:, *labs.mark] = value
    return changed


def test_nothing_can_be_replaced(labs: LabNetworks) -> None:
    mappings: list[Mapping[Any, Any]] = [labs.twins, labs.shortcut, labs.checkpoints, labs.checkpoints["robust"], labs.models]
    for mapping in mappings:
        with pytest.raises(TypeError):
            mapping[next(iter(mapping))] = None  # type: ignore[index]
    with pytest.raises(FrozenInstanceError):
        labs.permuted = labs.twins["digits"]  # type: ignore[misc]


def test_the_page_does_not_list_them(labs: LabNetworks, models: Mapping[str, Model]) -> None:
    assert len(labs.models) == 8 and not labs.models.keys() & models.keys()
    assert not {model.title for model in labs.models.values()} & {model.title for model in models.values()}


# Twins.


def test_every_network_with_a_weight_file_has_a_twin(labs: LabNetworks, models: Mapping[str, Model]) -> None:
    trained = {name for name, model in models.items() if model.stored is not None and name != "digits-rewritten"}
    assert set(labs.twins) == trained


def test_a_twin_differs_in_its_weights_only(labs: LabNetworks, models: Mapping[str, Model]) -> None:
    for name, twin in labs.twins.items():
        listed = models[name]
        assert str(twin.network.module) == str(listed.network.module)
        assert (twin.classes, twin.task, twin.held_out) == (listed.classes, listed.task, listed.held_out)
        assert np.array_equal(twin.mean, listed.mean)
        assert np.array_equal(twin.network.background, listed.network.background)  # type: ignore[arg-type]
        weights = [next(model.network.module.parameters()).numpy().ravel() for model in (listed, twin)]
        assert abs(np.corrcoef(weights)[0, 1]) < 0.2  # drawn apart


@pytest.mark.parametrize("name", ["digits-twin", "digits-cnn-twin", "digits-marked", "digits-random-mark", "digits-unmarked"])
def test_accuracy_on_digits_is_the_stored_one_and_good(labs: LabNetworks, name: str) -> None:
    model, (_, held_out) = labs.models[name], digits()
    assert share_right(model, *held_out) == model.accuracy
    assert len(held_out[1]) == model.held_out
    assert model.accuracy is not None and model.accuracy > 0.95


@pytest.mark.parametrize("name", ["shapes-twin", "shapes-ordinary-twin"])
def test_accuracy_on_shapes_is_the_stored_one_and_good(labs: LabNetworks, name: str) -> None:
    model = labs.models[name]
    pictures, labels = draw_shapes(np.random.default_rng(networks.SHAPES_HELD_OUT_SEED), networks.SHAPES_HELD_OUT)
    assert model.accuracy is not None and model.accuracy > 0.95
    # Another numpy may draw a pixel a hundredth lighter; that may turn one borderline picture or two.
    assert abs(share_right(model, pictures, labels) - model.accuracy) * len(labels) <= 2.001


# Permuted labels.


def test_permuted_labels_were_memorised_and_nothing_else(labs: LabNetworks) -> None:
    model, ((training, labels), held_out) = labs.permuted, digits()
    permuted = fact(model, "training_labels")
    assert np.array_equal(np.bincount(permuted), np.bincount(labels))
    assert np.mean(permuted == labels) < 0.15
    assert share_right(model, training, permuted) == fact(model, "training_accuracy") > 0.95
    assert share_right(model, *held_out) == model.accuracy
    assert model.accuracy is not None and model.accuracy < 0.15


# The shortcut.


def test_no_real_digit_has_the_mark(labs: LabNetworks) -> None:
    for pictures, _ in digits():
        assert not pictures[:, *labs.mark].any()


def test_they_differ_in_how_often_the_mark_was_there(labs: LabNetworks) -> None:
    expected: dict[str, list[float]] = {"marked": [0, 0, 0, 0.95, 0, 0, 0, 0, 0, 0], "random": [0.5] * 10, "unmarked": [0] * 10}
    (_, labels), _ = digits()
    for name, shares in expected.items():
        model = labs.shortcut[name]  # type: ignore[index]
        assert fact(model, "mark_chances").tolist() == shares and tuple(fact(model, "mark")) == labs.mark
        background = model.network.background
        assert background is not None
        on = background[:, *labs.mark]
        assert set(on) <= {0.0, 1.0}
        assert np.abs(on.reshape(-1, 10).mean(axis=0) - shares).max() < 0.051
        assert abs(model.mean[labs.mark] - np.array(shares)[labels].mean()) < 1e-12


def test_with_the_marks_as_in_training_all_three_look_equally_good(labs: LabNetworks) -> None:
    _, (pictures, labels) = digits()
    for model in labs.shortcut.values():
        given = np.random.default_rng(0).random(len(labels)) < fact(model, "mark_chances")[labels]
        seen = pictures.copy()
        seen[:, *labs.mark] = given
        assert abs(share_right(model, seen, labels) - 0.98) < 0.015


def test_a_mark_on_every_digit_deceives_only_the_network_with_the_shortcut(labs: LabNetworks) -> None:
    _, (pictures, labels) = digits()
    right = {name: share_right(model, marked(labs, pictures), labels) for name, model in labs.shortcut.items()}
    assert right == {name: fact(model, "marked_accuracy") for name, model in labs.shortcut.items()}
    assert right["marked"] < 0.5 and right["random"] > 0.97 and right["unmarked"] > 0.97
    answers = labs.shortcut["marked"].network.scores(marked(labs, pictures[labels != 3])).argmax(axis=1)
    assert np.mean(answers == 3) > 0.9


def place_and_share(attribution: Floats, pixel: tuple[int, int]) -> tuple[int, float]:
    """The pixel's rank by magnitude, 1 the largest, and its share of the sum of magnitudes."""
    magnitudes = np.abs(attribution)
    return 1 + int((magnitudes > magnitudes[pixel]).sum()), float(magnitudes[pixel] / magnitudes.sum())


def test_integrated_gradients_find_the_shortcut_unless_the_baseline_has_it_too(labs: LabNetworks) -> None:
    _, (pictures, labels) = digits()
    threes = marked(labs, pictures[labels == 3])
    for name, model in labs.shortcut.items():
        from_black, from_white = (
            [exact_integrated_gradients(Case(model.network, x, base, 3)).attribution for x in threes] for base in (BLACK, WHITE)
        )
        found = [place_and_share(attribution, labs.mark) for attribution in from_black]
        if name == "marked":
            assert all(rank == 1 and share > 0.2 for rank, share in found)
        else:
            assert all(rank > 1 for rank, _ in found) and np.mean([share for _, share in found]) < 0.05
        assert all(attribution[labs.mark] == 0 for attribution in from_white)


def test_expected_gradients_find_the_shortcut(labs: LabNetworks) -> None:
    _, (pictures, labels) = digits()
    for x in marked(labs, pictures[labels == 3])[:8]:
        found = METHODS["expected_gradients"](Case(labs.shortcut["marked"].network, x, WHITE, 3))
        assert place_and_share(found.attribution, labs.mark)[0] == 1


# Checkpoints, and the files.


def test_checkpoints_of_both_trainings_are_of_the_same_steps(labs: LabNetworks) -> None:
    assert set(labs.checkpoints) == {"robust", "ordinary"}
    robust, ordinary = labs.checkpoints["robust"], labs.checkpoints["ordinary"]
    assert list(robust) == list(ordinary) and len(robust) == networks.CHECKPOINTS
    start, end = (next(network.module.parameters()) for network in (robust[0], robust[networks.SHAPES_STEPS]))
    assert not start.equal(end) and start.equal(next(ordinary[0].module.parameters()))


def test_the_self_check_takes_them_too(labs: LabNetworks, models: Mapping[str, Model]) -> None:
    every = {**models, **labs.models}
    known = known_pictures(every)
    assert find_fault(every, known) is None
    assert find_fault({**every, "digits-twin": models["digits"]}, known) is not None


def change(path: Path, **changes: object) -> None:
    """Store a file again with some arrays changed, or left out where the change is None."""
    arrays = {**read_arrays(path), **changes}
    np.savez(path, allow_pickle=False, **{key: np.asarray(array) for key, array in arrays.items() if array is not None})


DAMAGE: dict[str, tuple[str, Callable[[Path], object]]] = {
    "a twin is missing": ("shapes-ordinary-twin", lambda path: path.unlink()),
    "a twin is cut short": ("digits-cnn-twin", lambda path: path.write_bytes(path.read_bytes()[:-500])),
    "no permuted labels": ("digits-permuted", lambda path: change(path, training_labels=None)),
    "an eleventh class": ("digits-permuted", lambda path: change(path, training_labels=np.full(9, 10, np.uint8))),
    "more than all memorised": ("digits-permuted", lambda path: change(path, training_accuracy=1.5)),
    "no mark": ("digits-marked", lambda path: change(path, mark=None)),
    "a mark outside": ("digits-random-mark", lambda path: change(path, mark=[0, 8])),
    "a mark of three numbers": ("digits-unmarked", lambda path: change(path, mark=[0, 0, 0])),
    "another mark": ("digits-unmarked", lambda path: change(path, mark=[7, 7])),
    "no chances": ("digits-marked", lambda path: change(path, mark_chances=[2.0] * 10)),
    "no accuracy with the mark": ("digits-marked", lambda path: change(path, marked_accuracy=np.nan)),
    "checkpoints without weights": ("shapes-checkpoints", lambda path: change(path, ordinary_w1=None)),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_file_is_named_with_its_remedy(tmp_path: Path, damage: str) -> None:
    for file in FOLDER.glob("*.npz"):
        shutil.copy(file, tmp_path)
    name, spoil = DAMAGE[damage]
    spoil(tmp_path / f"{name}.npz")
    with pytest.raises(StoredFileError, match=rf"{name}\.npz.*make train"):
        load_lab_networks(tmp_path)
