"""Presets to the last bit, samples that no network was trained on, baselines against independent oracles."""

from __future__ import annotations

import importlib
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from explorer.pictures import (
    BASELINES,
    LEVELS,
    PATTERN_TITLES,
    PATTERNS,
    StoredFileError,
    baseline,
    digit_samples,
    read_arrays,
)

Floats = NDArray[np.float64]

MODELS = Path(__file__).resolve().parent.parent / "models"
PICTURES = arrays(np.float64, (8, 8), elements=st.floats(0.0, 1.0))
MEAN, DRAWING = np.full((8, 8), 0.3), np.linspace(0, 1, 64).reshape(8, 8)

quick = settings(max_examples=60, deadline=None)


def any_baseline(kind: str, picture: Floats) -> Floats:
    return baseline(kind, picture, seed=3, mean=MEAN, drawing=DRAWING)


# Patterns.


def test_the_original_explorers_patterns_are_exact() -> None:
    for r in range(8):
        for c in range(8):
            d = ((r - 3.5) ** 2 + (c - 3.5) ** 2) ** 0.5
            assert PATTERNS["edge"][r, c] == (0.9 if c < 4 else 0.1)
            assert PATTERNS["circle"][r, c] == (0.92 if d <= 2.2 else 0.45 if d <= 2.8 else 0.06)
            assert PATTERNS["diagonal"][r, c] == (14 - r - c) / 14
            assert abs(PATTERNS["diagonal"][r, c] - (1 - (r + c) / 14)) <= 1.2e-16
    np.testing.assert_array_equal(PATTERNS["horizontal"], PATTERNS["edge"].T)


@pytest.mark.parametrize("parts", [100, 14, 16])
def test_the_lattice_holds_the_doubles_of_brush_diagonal_and_digits(parts: int) -> None:
    assert LEVELS % parts == 0
    for k in range(parts + 1):
        assert k * (LEVELS // parts) / LEVELS == k / parts


@pytest.mark.parametrize("name", PATTERNS)
def test_patterns_are_pictures_on_the_lattice(name: str) -> None:
    picture = PATTERNS[name]
    assert picture.shape == (8, 8)
    assert picture.dtype == np.float64
    levels = np.rint(picture * LEVELS).astype(int)
    assert 0 <= levels.min() <= levels.max() <= LEVELS
    np.testing.assert_array_equal(levels / LEVELS, picture)
    with pytest.raises(ValueError, match="read-only"):
        picture[0, 0] = 0.5


def test_patterns_differ_and_have_titles() -> None:
    assert len({picture.tobytes() for picture in PATTERNS.values()}) == len(PATTERNS)
    assert tuple(PATTERN_TITLES) == tuple(PATTERNS)
    assert len(set(PATTERN_TITLES.values())) == len(PATTERNS)
    with pytest.raises(TypeError):
        PATTERNS["mine"] = PATTERNS["edge"]  # type: ignore[index]


def test_drawn_patterns_have_the_symmetries_of_their_names() -> None:
    for name in ("circle", "ring", "cross", "x"):
        np.testing.assert_array_equal(PATTERNS[name], np.rot90(PATTERNS[name]), err_msg=name)
    assert np.ptp(PATTERNS["bar"], axis=0).max() == 0  # every row alike
    np.testing.assert_array_equal(PATTERNS["checkerboard"], 1 - np.roll(PATTERNS["checkerboard"], 2, axis=1))
    assert np.count_nonzero(PATTERNS["dot"]) == 1
    assert np.all(PATTERNS["black"] == 0)
    assert np.all(PATTERNS["white"] == 1)


# Digits.


@pytest.mark.parametrize("per_class", [1, 16])
def test_digit_samples_are_held_out_pictures_of_their_digit(per_class: int) -> None:
    data = read_arrays(MODELS / "digits-data.npz")
    samples = digit_samples(MODELS, per_class)
    assert len(samples) == 10
    for digit, pictures in enumerate(samples):
        chosen = data["held_out"] & (data["labels"] == digit)
        allowed = {(picture / 16).tobytes() for picture in data["pictures"][chosen]}
        assert len({picture.tobytes() for picture in pictures}) == len(pictures) == per_class
        for picture in pictures:
            assert picture.shape == (8, 8)
            assert picture.tobytes() in allowed
            with pytest.raises(ValueError, match="read-only"):
                picture[0, 0] = 0.5


def test_digit_samples_start_alike_however_many_are_wanted() -> None:
    for few, many in zip(digit_samples(MODELS, 5), digit_samples(MODELS, 12), strict=True):
        np.testing.assert_array_equal(few, many[:5])


def test_digit_samples_are_legible() -> None:
    data = read_arrays(MODELS / "digits-data.npz")
    training = ~data["held_out"]
    sides = [data["pictures"][training & (data["labels"] == digit)] / 16 for digit in range(10)]
    means = np.stack([pictures.mean(axis=0) for pictures in sides])
    for digit, pictures in enumerate(digit_samples(MODELS)):
        for picture in pictures:
            assert np.square(means - picture).sum(axis=(1, 2)).argmin() == digit


def test_digit_samples_are_more_varied_than_the_most_typical_ones() -> None:
    data = read_arrays(MODELS / "digits-data.npz")

    def closest_pair(pictures: Floats) -> float:
        apart = np.linalg.norm(pictures[:, None] - pictures, axis=(2, 3))
        return float(apart[~np.eye(len(pictures), dtype=bool)].min())

    for digit, samples in enumerate(digit_samples(MODELS, 8)):
        every = data["pictures"][data["held_out"] & (data["labels"] == digit)] / 16
        mean = data["pictures"][~data["held_out"] & (data["labels"] == digit)].mean(axis=0) / 16
        typical = every[np.linalg.norm(every - mean, axis=(1, 2)).argsort()[:8]]
        assert closest_pair(np.stack(samples)) > closest_pair(typical)


@pytest.mark.parametrize("per_class", [0, -1, 1000])
def test_digit_samples_refuse_what_they_do_not_have(per_class: int) -> None:
    with pytest.raises(ValueError, match="per_class must be"):
        digit_samples(MODELS, per_class)


def test_digit_samples_name_a_missing_or_damaged_file(tmp_path: Path) -> None:
    with pytest.raises(StoredFileError, match=r"digits-data\.npz is missing.*make train"):
        digit_samples(tmp_path)
    file = Path(shutil.copy(MODELS / "digits-data.npz", tmp_path))
    data = read_arrays(file)
    damages: list[dict[str, NDArray[np.generic]]] = [
        {"pictures": data["pictures"] * np.uint8(2)},
        {"pictures": data["pictures"][:-1]},
        {"held_out": np.ones(1797, dtype=bool)},
        {"held_out": data["held_out"].astype(np.int64)},
    ]
    for damage in damages:
        np.savez(file, allow_pickle=False, **{**data, **damage})
        with pytest.raises(StoredFileError, match=r"digits-data\.npz is damaged.*make train"):
            digit_samples(tmp_path)
    np.savez(file, pictures=data["pictures"], labels=data["labels"])
    with pytest.raises(StoredFileError, match="lacks 'held_out'"):
        digit_samples(tmp_path)


# Baselines.


@quick
@given(PICTURES)
@pytest.mark.parametrize("kind", BASELINES)
def test_every_baseline_is_a_new_picture_and_leaves_its_input_alone(kind: str, picture: Floats) -> None:
    before = picture.copy()
    first, second = any_baseline(kind, picture), any_baseline(kind, picture)
    assert first.shape == (8, 8)
    assert first.dtype == np.float64
    assert first.min() >= 0
    assert first.max() <= 1
    np.testing.assert_array_equal(first, second)
    first[:] = -1  # must reach nothing else
    np.testing.assert_array_equal(picture, before)
    np.testing.assert_array_equal(any_baseline(kind, picture), second)


def test_the_plain_baselines() -> None:
    x = PATTERNS["circle"]
    np.testing.assert_array_equal(baseline("black", x), np.zeros((8, 8)))
    np.testing.assert_array_equal(baseline("white", x), np.ones((8, 8)))
    np.testing.assert_array_equal(baseline("mean", x, mean=MEAN), MEAN)
    np.testing.assert_array_equal(baseline("drawing", x, drawing=DRAWING), DRAWING)


def test_noise_is_that_of_numpys_generator_and_follows_its_seed() -> None:
    x = PATTERNS["edge"]
    np.testing.assert_array_equal(baseline("noise", x, seed=5), np.random.default_rng(5).random((8, 8)))
    np.testing.assert_array_equal(baseline("noise", x), np.random.default_rng(0).random((8, 8)))
    assert not np.array_equal(baseline("noise", x, seed=5), baseline("noise", x, seed=6))


@quick
@given(PICTURES)
def test_blur_is_that_of_scipy(picture: Floats) -> None:
    ndimage = importlib.import_module("scipy.ndimage")
    expected = ndimage.gaussian_filter(picture, sigma=2.0, mode="nearest", truncate=4.0)
    np.testing.assert_allclose(baseline("blur", picture), expected, atol=1e-14)


@quick
@given(PICTURES)
def test_blur_keeps_within_the_pictures_range_and_turns_with_it(picture: Floats) -> None:
    blurred = baseline("blur", picture)
    assert picture.min() <= blurred.min() <= blurred.max() <= picture.max()
    np.testing.assert_allclose(baseline("blur", np.rot90(picture)), np.rot90(blurred), atol=1e-15)


@quick
@given(st.floats(0, 1))
def test_the_blur_of_one_grey_is_that_grey_to_the_last_bit(grey: float) -> None:
    assert np.all(baseline("blur", np.full((8, 8), grey)) == grey)


@quick
@given(PICTURES)
def test_no_corner_is_farther_than_the_farthest(picture: Floats) -> None:
    corner = baseline("farthest", picture)
    assert np.all((corner == 0) | (corner == 1))
    assert np.all(np.abs(picture - corner) >= np.abs(picture - (1 - corner)))
    assert np.all(np.abs(picture - corner) >= 0.5)


def test_the_farthest_corner_of_middle_grey_is_black() -> None:
    assert np.all(baseline("farthest", np.full((8, 8), 0.5)) == 0)
    assert np.all(baseline("farthest", np.full((8, 8), np.nextafter(0.5, 0))) == 1)
    assert np.all(baseline("farthest", np.full((8, 8), np.nextafter(0.5, 1))) == 0)


@pytest.mark.parametrize(
    ("kind", "changes", "message"),
    [
        ("grey", {}, "unknown baseline 'grey'; it must be one of black, white, noise"),
        ("mean", {}, "'mean' needs mean="),
        ("drawing", {}, "'drawing' needs drawing="),
        ("mean", {"mean": np.zeros(64)}, r"mean must have the shape \(8, 8\), not \(64,\)"),
        ("drawing", {"drawing": np.full((8, 8), 1.01)}, r"drawing must have all its values in \[0, 1\]"),
        ("drawing", {"drawing": [["a"] * 8] * 8}, "drawing must be an array of numbers"),
        ("noise", {"seed": -1}, "seed must be a whole number"),
        ("noise", {"seed": 1.5}, "seed must be a whole number"),
        ("noise", {"seed": True}, "seed must be a whole number"),
    ],
)
def test_baselines_refuse_with_a_reason(kind: str, changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        baseline(kind, PATTERNS["edge"], **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("wrong", [np.zeros((8, 7)), np.full((8, 8), np.nan), np.full((8, 8), -1e-9), None])
@pytest.mark.parametrize("kind", BASELINES)
def test_every_baseline_checks_its_picture(kind: str, wrong: Floats | None) -> None:
    with pytest.raises(ValueError, match="picture"):
        any_baseline(kind, wrong)  # type: ignore[arg-type]
