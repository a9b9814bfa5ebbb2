"""Pictures to explain and to start from: preset patterns, real handwritten digits, and baselines.

A picture is a float64 array of shape (8, 8), indexed [row, column], row 0 at the top, values in [0, 1] (0
black, 1 white). The patterns and digits take their values from one lattice, k / `LEVELS`, so that a page can
send them as whole numbers and get the very same doubles back. This module needs numpy only.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

Picture = NDArray[np.float64]
BaselineKind = Literal["black", "white", "noise", "blur", "mean", "farthest", "drawing"]

SHAPE = (8, 8)
# The least common multiple of the brush's hundredths, the diagonal's fourteenths and the digits' sixteenths.
LEVELS = 2800
BASELINES: tuple[BaselineKind, ...] = get_args(BaselineKind)
BLUR_SIGMA = 2.0  # pixels
DIGITS_FILE = "digits-data.npz"


class StoredFileError(RuntimeError):
    """A file in models/ is missing or damaged; the message names it and says how to make it."""


def damaged(path: Path, error: Exception) -> StoredFileError:
    """The error to raise for a file in which `error` was met."""
    reason = f"it lacks {error}" if isinstance(error, KeyError) else error
    return StoredFileError(f"{path} is damaged ({reason}); make it again with: make train")


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Return all arrays of the .npz file at `path`, by name.

    Raises:
        StoredFileError: the file is missing, is no .npz file, or holds Python objects (never unpickled).
    """
    try:
        with zipfile.ZipFile(path) as archive:  # np.load alone would accept a lone .npy too
            broken = archive.testzip()
        if broken is not None:
            raise ValueError(f"{broken} does not match its checksum")
        with np.load(path, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        if not all(isinstance(array, np.ndarray) for array in arrays.values()):
            raise ValueError("it holds something that is no array")
        return arrays
    except FileNotFoundError:
        raise StoredFileError(f"{path} is missing; make it with: make train") from None
    except (OSError, EOFError, ValueError, zipfile.BadZipFile, zlib.error) as error:
        raise damaged(path, error) from error


# Patterns, in levels 0…LEVELS. One division makes each value the double nearest to k / LEVELS, so that
# 2520 / 2800 == 0.9.

_ROW, _COLUMN = np.mgrid[0:8, 0:8]


def _picture(levels: NDArray[np.integer[Any]]) -> Picture:
    """Return the read-only picture of levels (8, 8) in 0…LEVELS."""
    picture: Picture = levels / LEVELS
    picture.setflags(write=False)
    return picture


def _drawn(art: str) -> Picture:
    """Return the picture of eight words of eight characters: # is white, + is half, . is black."""
    grey = {"#": LEVELS, "+": LEVELS // 2, ".": 0}
    return _picture(np.array([[grey[character] for character in word] for word in art.split()]))


def _edge() -> Picture:
    return _picture(np.where(_COLUMN < 4, 2520, 280))  # 0.9 and 0.1


def _circle() -> Picture:
    distance = np.hypot(_ROW - 3.5, _COLUMN - 3.5)
    return _picture(np.where(distance <= 2.2, 2576, np.where(distance <= 2.8, 1260, 168)))  # 0.92, 0.45, 0.06


_RING = """
........
..####..
.##..##.
.#....#.
.#....#.
.##..##.
..####..
........
"""
_CROSS = """
...##...
...##...
...##...
########
########
...##...
...##...
...##...
"""
_X = """
#......#
.#....#.
..#..#..
...##...
...##...
..#..#..
.#....#.
#......#
"""
_BAR = """
...##...
...##...
...##...
...##...
...##...
...##...
...##...
...##...
"""
_DOT = """
........
........
........
........
....#...
........
........
........
"""

_TITLED: tuple[tuple[str, str, Picture], ...] = (
    ("edge", "Vertical edge", _edge()),
    ("circle", "Circle", _circle()),
    ("diagonal", "Diagonal", _picture((14 - _ROW - _COLUMN) * (LEVELS // 14))),
    ("horizontal", "Horizontal edge", _picture(np.where(_ROW < 4, 2520, 280))),
    ("bar", "Vertical bar", _drawn(_BAR)),
    ("ring", "Ring", _drawn(_RING)),
    ("cross", "Plus", _drawn(_CROSS)),
    ("x", "X", _drawn(_X)),
    ("checkerboard", "Checkerboard", _picture((1 - (_ROW // 2 + _COLUMN // 2) % 2) * LEVELS)),
    ("dot", "A single pixel", _drawn(_DOT)),
    ("black", "All black", _picture(np.full(SHAPE, 0))),
    ("white", "All white", _picture(np.full(SHAPE, LEVELS))),
)

PATTERNS: Mapping[str, Picture] = MappingProxyType({name: picture for name, _, picture in _TITLED})
"""The preset patterns by name: read-only float64 arrays (8, 8), values k / LEVELS in [0, 1]."""

PATTERN_TITLES: Mapping[str, str] = MappingProxyType({name: title for name, title, _ in _TITLED})
"""What the page calls each pattern."""


def digit_samples(folder: Path, per_class: int = 16) -> tuple[tuple[Picture, ...], ...]:
    """Return real handwritten digits that no network was trained on: for each of 0…9, `per_class` pictures.

    Legible first: of a digit's held-out pictures, those are dropped that lie nearer to another digit's mean
    picture than to their own (means of the training pictures, Euclidean distance), then the least typical
    fifth of the rest. Varied next: the most typical picture comes first, and each following one is the
    picture farthest from all those chosen so far. There is no chance in it. No network has a say, but hard
    cases are dropped, so do not measure accuracy on these samples.

    Args:
        folder: where digits-data.npz lies.
        per_class: how many of each digit, at least 1.

    Returns:
        Ten tuples of read-only float64 arrays (8, 8), values k / 16 in [0, 1].

    Raises:
        StoredFileError: the file is missing or damaged.
        ValueError: there are not `per_class` such pictures of some digit.
    """
    pictures, labels, held_out = read_digits(folder / DIGITS_FILE)
    means = np.stack([pictures[~held_out & (labels == digit)].mean(axis=0) for digit in range(10)])
    candidates = [pictures[held_out & (labels == digit)] for digit in range(10)]
    return tuple(_legible_and_varied(candidates[digit], means, digit, per_class) for digit in range(10))


def read_digits(path: Path) -> tuple[Picture, NDArray[np.integer[Any]], NDArray[np.bool_]]:
    """Return (pictures (k, 64) in [0, 1], class indices (k,), held-out mask (k,)) of the data file, or raise StoredFileError."""
    arrays = read_arrays(path)
    try:
        levels, labels, held_out = arrays["pictures"], arrays["labels"], arrays["held_out"]
        if levels.shape != (len(labels), *SHAPE) or held_out.shape != labels.shape:
            raise ValueError("its arrays do not fit each other")
        if held_out.dtype != np.bool_:
            raise ValueError("its held-out mask is no mask")
        if levels.min() < 0 or levels.max() > 16 or set(labels[~held_out].tolist()) != set(range(10)):
            raise ValueError("its values are out of range")
    except (KeyError, TypeError, ValueError) as error:
        raise damaged(path, error) from error
    return levels.reshape(len(labels), 64) / 16, labels, held_out


def _legible_and_varied(candidates: Picture, means: Picture, digit: int, count: int) -> tuple[Picture, ...]:
    """Choose `count` of the pictures (k, 64) of one digit as `digit_samples` says."""
    to_means = np.linalg.norm(candidates[:, None] - means, axis=2)
    order = np.argsort(to_means[:, digit], kind="stable")
    legible = [index for index in order if to_means[index].argmin() == digit]
    legible = legible[: len(legible) - len(legible) // 5]
    if not 1 <= count <= len(legible):
        raise ValueError(f"per_class must be 1 to {len(legible)} for digit {digit}, not {count}")
    chosen = legible[:1]
    while len(chosen) < count:
        apart = np.linalg.norm(candidates[legible][:, None] - candidates[chosen], axis=2).min(axis=1)
        # Never one twice: a chosen picture is 0 apart from itself, and no two of the pictures are equal.
        chosen.append(legible[int(apart.argmax())])
    samples = candidates[chosen].reshape(count, *SHAPE)
    samples.setflags(write=False)
    return tuple(samples)


def baseline(
    kind: str,
    picture: ArrayLike,
    *,
    seed: int = 0,
    mean: ArrayLike | None = None,
    drawing: ArrayLike | None = None,
) -> Picture:
    """Return the baseline x′ of a kind for a picture: a new float64 array (8, 8) with values in [0, 1].

    Args:
        kind: one of `BASELINES`. "black" is 0 and "white" 1 everywhere; "noise" is uniform on [0, 1) from
            `np.random.default_rng(seed)`; "blur" is the picture under a Gaussian of sigma 2 pixels, its
            border replicated, cut off at 4 sigma; "mean" and "drawing" are the pictures given under those
            names; "farthest" is 0 or 1 in each pixel, whichever is farther from the picture, 0 where both
            are as far.
        picture: the input x, (8, 8), values in [0, 1].
        seed: of the noise, a whole number ≥ 0; other kinds ignore it.
        mean: the mean of the training pictures, (8, 8), values in [0, 1].
        drawing: what the user painted as the baseline, (8, 8), values in [0, 1].

    Raises:
        ValueError: an unknown kind, a needed picture that is missing, or an array that is no picture.
    """
    x = _checked(picture, "picture")
    match kind:
        case "black":
            return np.zeros(SHAPE)
        case "white":
            return np.ones(SHAPE)
        case "noise":
            return np.random.default_rng(_checked_seed(seed)).random(SHAPE)
        case "blur":
            return _blur(x)
        case "mean":
            return _checked(mean, "mean")
        case "farthest":
            return np.where(x < 0.5, 1.0, 0.0)
        case "drawing":
            return _checked(drawing, "drawing")
    raise ValueError(f"unknown baseline {kind!r}; it must be one of {', '.join(BASELINES)}")


def _checked(values: ArrayLike | None, name: str) -> Picture:
    """Return a float64 copy of a picture, or raise a ValueError that names it."""
    if values is None:
        raise ValueError(f"baseline {name!r} needs {name}=, a picture (8, 8)")
    try:
        picture = np.array(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} must be an array of numbers (8, 8): {error}") from None
    if picture.shape != SHAPE:
        raise ValueError(f"{name} must have the shape (8, 8), not {picture.shape}")
    if not np.all((picture >= 0.0) & (picture <= 1.0)):  # false for NaN too
        raise ValueError(f"{name} must have all its values in [0, 1]")
    return picture


def _checked_seed(seed: int) -> int:
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
        raise ValueError(f"seed must be a whole number from 0 on, not {seed!r}")
    return int(seed)


def _blur(picture: Picture) -> Picture:
    """Return the picture under a separable Gaussian of `BLUR_SIGMA`: rows first, then columns.

    Both passes use one 8 × 8 matrix, because blurring a line of 8 pixels is linear: row i of the matrix holds
    the weights of the 8 pixels in pixel i of the result, those beyond the border added to the border pixel's.
    """
    reach = int(4 * BLUR_SIGMA)
    offsets = np.arange(-reach, reach + 1)
    weights = np.exp(-0.5 * (offsets / BLUR_SIGMA) ** 2)
    weights /= weights.sum()
    matrix = np.zeros(SHAPE)
    for pixel in range(8):
        np.add.at(matrix[pixel], np.clip(pixel + offsets, 0, 7), weights)
    # Weights sum to 1 but for rounding: one grey stays that grey, so that the picture then equals its baseline.
    return np.clip(matrix @ picture @ matrix.T, picture.min(), picture.max())
