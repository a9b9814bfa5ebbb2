"""The model zoo: the hand-set detector to the last digit, the trained ones by what they can do, the files."""

from __future__ import annotations

import importlib.util
import math
import shutil
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from explorer.attribution import Case, exact_integrated_gradients
from explorer.models import FOLDER, Model, checkpoints, load_zoo
from explorer.pictures import PATTERNS, StoredFileError, baseline
from models import networks, train
from models.drawn_shapes import draw_shapes
from scripts.network_docs import smoothness

Floats = NDArray[np.float64]

SHAPES = (
    "vertical edge",
    "horizontal edge",
    "circle",
    "ring",
    "diagonal",
    "cross",
    "checkerboard",
    "nothing",
)

NAMES = ("shapes", "shapes-ordinary", "digits", "digits-cnn", "digits-rewritten", "logistic")
OF_SHAPES = pytest.mark.parametrize("name", ["shapes", "shapes-ordinary"])
OF_DIGITS = pytest.mark.parametrize("name", ["digits", "digits-cnn", "digits-rewritten"])

CLASS_OF_PATTERN = {
    "edge": "vertical edge",
    "bar": "vertical edge",
    "horizontal": "horizontal edge",
    "circle": "circle",
    "ring": "ring",
    "diagonal": "diagonal",
    "cross": "cross",
    "x": "cross",
    "checkerboard": "checkerboard",
    "dot": "nothing",
    "black": "nothing",
    "white": "nothing",
}

# Painted by hand, eight of each; each is tried light on dark, dark on light and in two greys.
PAINTED = {
    "vertical edge": """
        ###..... ......## .#...... ....#... ......## .....#.. ........ ..#..#..
        ###..... ......## .#...... ....#... ......## .....#.. ..#..... ..#..#..
        ###..... ......## .#...... ....#... .....### .....#.. ..#..... ..#..#..
        ###..... ......## .#...... ....#... .....### .....#.. ..#..... ..#..#..
        ###..... ......## .#...... ....#... .....### ....#... ..#..... ..#..#..
        ###..... ......## .#...... ....#... .....### ....#... ..#..... ..#..#..
        ###..... ......## .#...... ....#... .....### ....#... ..#..... ..#..#..
        ###..... ......## .#...... ....#... .....### ....#... ........ ..#..#..
    """,
    "horizontal edge": """
        ######## ........ ........ ........ ........ ######## ........ ........
        ######## ........ ........ ######## ........ ######## ........ ........
        ........ ........ ........ ........ ........ ######## .######. ########
        ........ ........ ######## ........ ........ ######## ........ ........
        ........ ........ ######## ........ ........ #####... ........ ........
        ........ ######## ........ ........ ....#### ........ ........ ########
        ........ ######## ........ ........ ####.... ........ ........ ........
        ........ ######## ........ ........ ........ ........ ........ ........
    """,
    "circle": """
        ........ ..####.. ........ ........ ........ ........ ........ ........
        ..###... .######. ........ ........ .....##. ..####.. .####... ........
        .#####.. ######## ........ ...##... ....#### .######. .####... ....##..
        .#####.. ######## .###.... ..####.. ....#### .######. .####... ...####.
        .#####.. ######## #####... ..####.. .....##. .######. .####... ...####.
        ..###... ######## #####... ...##... ........ .######. ........ ....##..
        ........ .######. #####... ........ ........ ..####.. ........ ........
        ........ ..####.. .###.... ........ ........ ........ ........ ........
    """,
    "ring": """
        ..####.. ........ ........ ........ ######## ........ ........ ..###...
        .#....#. ........ .######. ..###... #......# ........ .####... .#...#..
        #......# ...##... .#....#. .#...#.. #......# ....###. .#..#... #.....#.
        #......# ..#..#.. .#....#. .#...#.. #......# ...#...# .#..#... #.....#.
        #......# ..#..#.. .#....#. .#...#.. #......# ...#...# .####... #.....#.
        #......# ...##... .#....#. ..###... #......# ...#...# ........ .#...#..
        .#....#. ........ .######. ........ #......# ....###. ........ ..###...
        ..####.. ........ ........ ........ ######## ........ ........ ........
    """,
    "diagonal": """
        #....... .......# ........ ##...... #....... ..#..... ######## ........
        .#...... ......#. ......#. ###..... ##...... ...#.... #######. ........
        ..#..... .....#.. .....#.. .###.... ###..... ....#... ######.. #.......
        ...#.... ....#... ....#... ..###... ####.... .....#.. #####... ##......
        ....#... ...#.... ...#.... ...###.. #####... ......#. ####.... .##.....
        .....#.. ..#..... ..#..... ....###. ######.. .......# ###..... ..##....
        ......#. .#...... .#...... .....### #######. ........ ##...... ...##...
        .......# #....... ........ ......## ######## ........ #....... ....##..
    """,
    "cross": """
        ....#... ........ ........ #......# ........ ..##.... ........ ........
        ....#... ...#.... ........ .#....#. .#...#.. ..##.... ....#... ##...##.
        ....#... ...#.... ...#.... ..#..#.. ..#.#... ######## ....#... .##.##..
        ....#... .#####.. ...#.... ...##... ...#.... ######## ..#####. ..###...
        ######## ...#.... .#####.. ...##... ..#.#... ..##.... ....#... ..###...
        ....#... ...#.... ...#.... ..#..#.. .#...#.. ..##.... ....#... .##.##..
        ....#... ........ ...#.... .#....#. ........ ..##.... ........ ##...##.
        ....#... ........ ........ #......# ........ ..##.... ........ ........
    """,
    "checkerboard": """
        #.#.#.#. ##..##.. ####.... .#.#.#.# #..##..# #.#.#.#. ..##..## #.#.#.#.
        .#.#.#.# ##..##.. ####.... #.#.#.#. .##..##. .#.#.#.# ##..##.. .#.#.#.#
        #.#.#.#. ..##..## ####.... .#.#.#.# .##..##. #.###.#. ##..##.. #.#...#.
        .#.#.#.# ..##..## ####.... #.#.#.#. #..##..# .#.#.#.# ..##..## .#.#.#.#
        #.#.#.#. ##..##.. ....#### .#.#.#.# #..##..# #.#.#.#. ..##..## #.#.#.#.
        .#.#.#.# ##..##.. ....#### #.#.#.#. .##..##. .#.#.#.# ##..##.. .#...#.#
        #.#.#.#. ..##..## ....#### .#.#.#.# .##..##. #.#.#.#. ##..##.. #.#.#.#.
        .#.#.#.# ..##..## ....#### #.#.#.#. #..##..# .#.#.#.# ..##..## .#.#.#.#
    """,
    "nothing": """
        ........ ........ ........ ........ ........ ........ ........ #.......
        ........ ........ ..#..... ........ .#...... ........ ........ ........
        ........ ........ ........ ........ ........ ........ .....#.. ........
        ........ ..#..... ........ ........ ........ ........ ........ ........
        ........ ........ ........ .......# ........ ........ ........ ........
        ........ ........ ........ ........ .....#.. ....#... ........ ........
        ........ ........ .....#.. ........ ........ ........ .#...... ........
        ........ ........ ........ ........ ........ ........ ........ .......#
    """,
}


# Digits painted by hand, 0 to 9: strokes of one pixel, wide, narrow and small, and of two.
PAINTED_DIGITS = (
    """
        ..####.. ...#.... .####... .####... .....#.. ..#####. ...##... .######. ..####.. ..####..
        .#....#. ..##.... #....#.. .....#.. ....##.. ..#..... ..#..... ......#. .#....#. .#....#.
        .#....#. .#.#.... .....#.. .....#.. ...#.#.. ..#..... .#...... .....#.. .#....#. .#....#.
        .#....#. ...#.... ....#... ..###... ..#..#.. ..####.. .#.##... .....#.. ..####.. ..#####.
        .#....#. ...#.... ...#.... .....#.. .######. ......#. .##..#.. ....#... .#....#. ......#.
        .#....#. ...#.... ..#..... .....#.. .....#.. ......#. .#...#.. ...#.... .#....#. ......#.
        .#....#. ...#.... .#...... .....#.. .....#.. ......#. .#...#.. ...#.... .#....#. .....#..
        ..####.. ..###... .######. .####... .....#.. ..####.. ..###... ..#..... ..####.. ..###...
    """,
    """
        ...##... ....#... ..###... ..###... .#...... .######. ....##.. .#####.. ...##... ...##...
        ..#..#.. ...##... .#...#.. .#...#.. .#...... .#...... ...#.... .....#.. ..#..#.. ..#..#..
        ..#..#.. ....#... .....#.. .....#.. .#..#... .#...... ..#..... .....#.. ..#..#.. ..#..#..
        ..#..#.. ....#... ....#... ...##... .#..#... .#####.. ..#..... ...###.. ...##... ..#..#..
        ..#..#.. ....#... ...#.... .....#.. .######. ......#. ..####.. ....#... ..#..#.. ...###..
        ..#..#.. ....#... ..#..... .....#.. ....#... ......#. ..#..#.. ....#... ..#..#.. .....#..
        ..#..#.. ....#... .#...... .#...#.. ....#... .#....#. ..#..#.. ...#.... ..#..#.. .....#..
        ...##... ....#... .######. ..###... ....#... ..####.. ...##... ...#.... ...##... ..###...
    """,
    """
        ..####.. ...##... ..####.. .#####.. ....##.. .######. ...###.. .######. ..####.. ..####..
        .##..##. ..###... .##.##.. ....##.. ...##... .##..... ..##.... .....##. .##..##. .##..##.
        .##..##. ...##... ....##.. ....##.. ..##.... .##..... .##..... ....##.. .##..##. .##..##.
        .##..##. ...##... ....##.. ..###... .##.##.. .#####.. .#####.. ...##... ..####.. ..#####.
        .##..##. ...##... ...##... ....##.. .######. .....##. .##..##. ..####.. .##..##. .....##.
        .##..##. ...##... ..##.... .....##. ....##.. .....##. .##..##. ..##.... .##..##. ....##..
        .##..##. ...##... .##..... .##..##. ....##.. .##.##.. .##..##. ..##.... .##..##. ...##...
        ..####.. ...##... .######. ..####.. ....##.. ..###... ..####.. ..#..... ..####.. ..##....
    """,
    """
        ........ ........ ........ ........ ........ ........ ........ ........ ........ ........
        ..###... ...#.... ..###... ..###... ..#..... ..####.. ...#.... ..####.. ..###... ..###...
        ..#.#... ..##.... ....#... ....#... ..#.#... ..#..... ..#..... .....#.. ..#.#... ..#.#...
        ..#.#... ...#.... ....#... ..###... ..#.#... ..###... ..###... ....#... ..###... ..###...
        ..#.#... ...#.... ...#.... ....#... ..####.. .....#.. ..#.#... ...##... ..#.#... ....#...
        ..#.#... ...#.... ..#..... ....#... ....#... .....#.. ..#.#... ...#.... ..#.#... ....#...
        ..###... ...#.... ..####.. ..###... ....#... ..###... ..###... ...#.... ..###... ...#....
        ........ ........ ........ ........ ........ ........ ........ ........ ........ ........
    """,
)


@pytest.fixture(scope="module")
def zoo() -> Mapping[str, Model]:
    return load_zoo()


def stored(name: str) -> dict[str, NDArray[Any]]:
    with np.load(FOLDER / name, allow_pickle=False) as arrays:
        return {key: arrays[key] for key in arrays.files}


def painted(art: str) -> Floats:
    """The pictures (k, 8, 8) that stand side by side in `art`."""
    words = np.array([[list(word) for word in line.split()] for line in art.strip().splitlines()])
    pictures: Floats = (words == "#").astype(np.float64).transpose(1, 0, 2)
    return pictures


def test_the_zoo_is_in_order_and_cannot_be_changed(zoo: Mapping[str, Model]) -> None:
    assert tuple(zoo) == NAMES
    assert all(model.name == name for name, model in zoo.items())
    with pytest.raises(TypeError):
        zoo["mine"] = zoo["shapes"]  # type: ignore[index]
    with pytest.raises(FrozenInstanceError):
        zoo["shapes"].accuracy = 1.0  # type: ignore[misc]


@pytest.mark.parametrize("name", NAMES)
def test_each_model_is_whole(zoo: Mapping[str, Model], name: str) -> None:
    model = zoo[name]
    assert model.title
    assert model.about.endswith(".")
    assert model.classes == model.network.classes
    assert model.mean.shape == (8, 8)
    assert model.mean.dtype == np.float64
    with pytest.raises(ValueError, match="read-only"):
        model.mean[0, 0] = 0.5
    assert not any(parameter.requires_grad for parameter in model.network.module.parameters())


def test_classes_come_in_the_agreed_order(zoo: Mapping[str, Model]) -> None:
    assert zoo["shapes"].classes == zoo["shapes-ordinary"].classes == SHAPES
    for name in ("digits", "digits-cnn", "digits-rewritten"):
        assert zoo[name].classes == ("0", "1", "2", "3", "4", "5", "6", "7", "8", "9")
    assert zoo["logistic"].classes == ("score below 0", "score above 0")
    assert [model.linear for model in zoo.values()] == [False, False, False, False, False, True]


# The hand-set detector.


def test_logistic_is_the_published_formula(zoo: Mapping[str, Model]) -> None:
    picture = np.random.default_rng(7).random((8, 8))
    score = -0.15
    for r in range(8):
        for c in range(8):
            weight = 0.28 * (c - 3.5) + 0.82 * math.exp(-((r - 3.5) ** 2 + (c - 3.5) ** 2) / 5.5)
            score += weight * picture[r, c]
    expected = 1 / (1 + math.exp(-score))
    scores = zoo["logistic"].network.scores(picture[None])[0]
    np.testing.assert_allclose(scores, [1 - expected, expected], rtol=0, atol=1e-14)


@pytest.mark.parametrize(
    ("pattern", "base", "target", "f_x", "f_baseline"),
    [  # from original_explorer.json
        ("edge", "black", 0, 0.9995013738845597, 0.5374298453437496),
        ("circle", "black", 1, 0.9998583329428796, 0.46257015465625045),
        ("diagonal", "white", 1, 0.503211140790832, 0.9999987788172489),
        ("circle", "white", 0, 0.00014166705712037597, 1.221182751143246e-06),
    ],
)
def test_logistic_agrees_with_the_original_explorer(
    zoo: Mapping[str, Model], pattern: str, base: str, target: int, f_x: float, f_baseline: float
) -> None:
    x = PATTERNS[pattern]
    scores = zoo["logistic"].network.scores(np.stack([x, baseline(base, x)]))
    np.testing.assert_allclose(scores[:, target], [f_x, f_baseline], rtol=0, atol=1e-14)


def test_logistic_classes_are_opposites(zoo: Mapping[str, Model]) -> None:
    pictures = np.random.default_rng(1).random((200, 8, 8))
    scores = zoo["logistic"].network.scores(pictures)
    np.testing.assert_allclose(scores.sum(axis=1), 1.0, atol=1e-15)
    weight, bias = zoo["logistic"].network.module.parameters()
    np.testing.assert_array_equal(weight[0].numpy(), -weight[1].numpy())
    assert bias.tolist() == [0.15, -0.15]


def test_logistic_was_never_trained_and_says_so(zoo: Mapping[str, Model]) -> None:
    model = zoo["logistic"]
    assert model.accuracy is None
    assert model.held_out is None
    assert "never trained" in model.about
    np.testing.assert_array_equal(model.mean, zoo["shapes"].mean)


# The trained networks.


@OF_DIGITS
def test_digits_accuracy_is_the_stored_one_and_good(zoo: Mapping[str, Model], name: str) -> None:
    data, model = stored("digits-data.npz"), zoo[name]
    held_out = data["held_out"]
    answers = model.network.scores(data["pictures"][held_out] / 16).argmax(axis=1)
    assert np.mean(answers == data["labels"][held_out]) == model.accuracy
    assert held_out.sum() == model.held_out
    assert model.accuracy is not None
    assert model.accuracy >= 0.975


@OF_DIGITS
def test_digits_in_plain_black_and_white_are_recognised(zoo: Mapping[str, Model], name: str) -> None:
    data = stored("digits-data.npz")
    held_out = data["held_out"]
    pictures = (data["pictures"][held_out] >= 8).astype(np.float64)
    answers = zoo[name].network.scores(pictures).argmax(axis=1)
    assert np.mean(answers == data["labels"][held_out]) >= 0.93


@OF_DIGITS
@pytest.mark.parametrize("art", PAINTED_DIGITS)
def test_digits_recognises_what_a_hand_paints(zoo: Mapping[str, Model], art: str, name: str) -> None:
    answers = zoo[name].network.scores(painted(art)).argmax(axis=1)
    assert np.sum(answers == np.arange(10)) >= 8, answers


@OF_DIGITS
def test_digits_mean_is_that_of_the_training_pictures_alone(zoo: Mapping[str, Model], name: str) -> None:
    data = stored("digits-data.npz")
    training = data["pictures"][~data["held_out"]] / 16
    np.testing.assert_allclose(zoo[name].mean, training.mean(axis=0), atol=1e-15)


@OF_SHAPES
def test_shapes_accuracy_is_the_stored_one_and_good(zoo: Mapping[str, Model], name: str) -> None:
    model = zoo[name]
    rng = np.random.default_rng(networks.SHAPES_HELD_OUT_SEED)
    pictures, labels = draw_shapes(rng, networks.SHAPES_HELD_OUT)
    right = np.sum(model.network.scores(pictures).argmax(axis=1) == labels)
    assert len(labels) == model.held_out
    assert model.accuracy is not None
    # Another numpy may draw a pixel a hundredth lighter; that may turn one borderline picture or two.
    assert abs(right - model.accuracy * len(labels)) <= 2
    assert model.accuracy >= 0.96


@OF_SHAPES
def test_shapes_recognises_every_pattern_surely_but_not_absurdly(zoo: Mapping[str, Model], name: str) -> None:
    assert set(CLASS_OF_PATTERN) == set(PATTERNS)
    for pattern, expected in CLASS_OF_PATTERN.items():
        scores = zoo[name].network.scores(np.stack([PATTERNS[pattern]]))[0]
        assert SHAPES[scores.argmax()] == expected, pattern
        # p (1 − p), the sigmoid's slope, has to leave a gradient that is more than rounding.
        assert 0.9 <= scores.max() <= 1 - 1e-5, pattern


@OF_SHAPES
def test_shapes_calls_every_grey_nothing(zoo: Mapping[str, Model], name: str) -> None:
    greys = np.arange(101)[:, None, None] / 100 * np.ones((8, 8))
    assert np.all(zoo[name].network.scores(greys)[:, SHAPES.index("nothing")] >= 0.89)


def test_the_maps_of_shapes_can_be_read(zoo: Mapping[str, Model]) -> None:
    found: dict[str, list[Floats]] = {}
    for name in ("shapes", "shapes-ordinary"):
        exact = []
        for pattern in ("edge", "ring", "diagonal", "cross"):
            picture = PATTERNS[pattern]
            network = zoo[name].network
            exact.append(exact_integrated_gradients(Case(network, picture, np.zeros((8, 8)), network.predict(picture))))
        assert pattern == "cross"
        found[name] = [one.attribution for one in exact]
        if name == "shapes":
            assert len(exact[0].alphas) <= 1.5 * 48  # linear pieces on the opening path; 48 of the ordinary network
    for robust, ordinary in zip(found["shapes"], found["shapes-ordinary"], strict=True):
        assert smoothness(robust) < smoothness(ordinary)
    edge, ring = found["shapes"][:2]
    bright = PATTERNS["edge"] > 0.5
    assert np.abs(edge[bright]).sum() > 0.9 * np.abs(edge).sum() and smoothness(edge) < 0.5
    assert (edge[bright] > 0).mean() > 0.9 and (ring[PATTERNS["ring"] > 0.5] > 0).all()


@OF_SHAPES
@pytest.mark.parametrize("shape", SHAPES)
def test_shapes_recognises_what_a_hand_paints(zoo: Mapping[str, Model], shape: str, name: str) -> None:
    light = painted(PAINTED[shape])
    for pictures in (light, 1 - light, 0.2 + 0.5 * light):
        answers = zoo[name].network.scores(pictures).argmax(axis=1)
        assert np.sum(answers == SHAPES.index(shape)) >= 6, answers


@pytest.mark.parametrize("name", ["shapes", "shapes-ordinary", "digits", "digits-cnn"])
def test_logits_stay_moderate(zoo: Mapping[str, Model], name: str) -> None:
    data = stored("digits-data.npz")
    drawn = draw_shapes(np.random.default_rng(5), 100)[0]
    pictures = drawn if "shapes" in name else data["pictures"] / 16
    assert zoo[name].network.scores(pictures).max() < 1 - 1e-6


# The files.


def test_checkpoints_follow_the_training_to_its_end(zoo: Mapping[str, Model]) -> None:
    pictures, labels = draw_shapes(np.random.default_rng(networks.SHAPES_HELD_OUT_SEED), 100)
    for training in ("robust", "ordinary"):
        stages = checkpoints(training)  # type: ignore[arg-type]
        steps = list(stages)
        assert len(steps) == networks.CHECKPOINTS and steps[0] == 0 and steps[-1] == networks.SHAPES_STEPS
        late = np.array(steps[8:])
        np.testing.assert_allclose(late[1:] / late[:-1], (late[-1] / late[0]) ** (1 / (len(late) - 1)), rtol=0.05)  # by one factor
        right = [np.mean(network.scores(pictures).argmax(axis=1) == labels) for network in stages.values()]
        assert right[0] < 0.3 and right[-1] > 0.95
    last = checkpoints("robust")[networks.SHAPES_STEPS]
    np.testing.assert_allclose(last.scores(pictures), zoo["shapes"].network.scores(pictures), atol=0.02)


def test_all_files_are_small() -> None:
    assert sum(path.stat().st_size for path in FOLDER.glob("*.npz")) <= 2_000_000


def test_digits_data_is_that_of_scikit_learn() -> None:
    datasets = importlib.import_module("sklearn.datasets")
    original, data = datasets.load_digits(), stored("digits-data.npz")
    np.testing.assert_array_equal(data["pictures"], original.images)
    np.testing.assert_array_equal(data["labels"], original.target)


def test_a_fifth_of_each_digit_is_held_out_and_no_picture_is_on_both_sides() -> None:
    data = stored("digits-data.npz")
    for digit in range(10):
        members = data["labels"] == digit
        assert abs(np.sum(data["held_out"] & members) - 0.2 * members.sum()) <= 0.5
    held_out = {picture.tobytes() for picture in data["pictures"][data["held_out"]]}
    training = {picture.tobytes() for picture in data["pictures"][~data["held_out"]]}
    assert not held_out & training
    assert len(held_out) + len(training) == 1797


def test_digits_data_credits_its_source() -> None:
    credit = " ".join(stored("digits-data.npz")["credit"])
    assert "UCI" in credit
    assert "CC BY 4.0" in credit


@pytest.mark.parametrize("name", sorted(path.name for path in FOLDER.glob("*.npz")))
def test_files_are_small_plain_and_dateless(name: str) -> None:
    assert (FOLDER / name).stat().st_size < (600_000 if "checkpoints" in name else 100_000)
    for array in stored(name).values():
        assert array.dtype.kind in "biufU"
        if array.dtype.kind == "f":
            assert np.all(np.isfinite(array))
    with zipfile.ZipFile(FOLDER / name) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def rewrite(path: Path, **changes: object) -> None:
    """Store a file again with some arrays changed, or left out where the change is None."""
    arrays = {**stored(path.name), **changes}
    np.savez(path, allow_pickle=True, **{key: np.asarray(a) for key, a in arrays.items() if a is not None})


def flip(path: Path) -> None:
    """Change one bit in the middle of the file, which is in the middle of a weight."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


DAMAGE: dict[str, Callable[[Path], object]] = {
    "missing": lambda path: path.unlink(),
    "empty": lambda path: path.write_bytes(b""),
    "cut short": lambda path: path.write_bytes(path.read_bytes()[:-500]),
    "a flipped bit": lambda path: flip(path),
    "no archive": lambda path: path.write_text("git-lfs pointer"),
    "a pickle": lambda path: rewrite(path, w0=np.array([{}], dtype=object)),
    "no bias": lambda path: rewrite(path, b1=None),
    "no classes": lambda path: rewrite(path, classes=None),
    "one class too many": lambda path: rewrite(path, classes=[*stored(path.name)["classes"], "dog"]),
    "not finite": lambda path: rewrite(path, b0=stored(path.name)["b0"] * np.nan),
    "transposed": lambda path: rewrite(path, w2=stored(path.name)["w2"].T),
    "no number": lambda path: rewrite(path, accuracy="good"),
    "mean too small": lambda path: rewrite(path, mean=np.zeros((7, 7))),
}


@pytest.mark.parametrize("name", ["shapes", "digits", "digits-cnn"])
@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_file_is_named_with_its_remedy(tmp_path: Path, name: str, damage: str) -> None:
    for file in FOLDER.glob("*.npz"):
        shutil.copy(file, tmp_path)
    load_zoo(tmp_path)
    DAMAGE[damage](tmp_path / f"{name}.npz")
    with pytest.raises(StoredFileError, match=rf"{name}\.npz.*make train"):
        load_zoo(tmp_path)


def test_the_check_of_train_sees_what_changed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = Path(shutil.copy(FOLDER / "digits.npz", tmp_path))
    assert train.differences(made, FOLDER / "digits.npz") == []
    assert "the same bytes, largest weight difference 0\n" in capsys.readouterr().out
    changes: list[tuple[dict[str, object], str]] = [
        ({"w1": stored("digits.npz")["w1"] + np.float32(0.002)}, "weights differ by more than 0.001"),
        ({"w1": stored("digits.npz")["w1"] * np.float32(np.nan)}, "weights differ by more than 0.001"),
        ({"accuracy": 0.5}, "accuracy differs by more than 0.002"),
        ({"classes": list("9876543210")}, "classes differs"),
        ({"mean": np.zeros((8, 8))}, "mean differs"),
        ({"b2": None}, "other arrays, or arrays of another shape"),
    ]
    for change, complaint in changes:
        rewrite(made, **change)
        assert train.differences(made, FOLDER / "digits.npz") == [f"digits.npz: {complaint}"]
