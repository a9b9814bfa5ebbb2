"""Draws the training pictures of the shapes networks: many places, sizes, contrasts and both polarities of eight shapes."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

Array = NDArray[np.float64]
Labels = NDArray[np.int64]

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
ROW, COLUMN = np.mgrid[0:8, 0:8].astype(np.float64)

# A mask is an array (n, 8, 8) in [0, 1], 1 where the shape is; numbers that describe n
# pictures have the shape (n, 1, 1), so that they broadcast.


def uniform(rng: Generator, n: int, low: float, high: float) -> Array:
    """Return n draws from [low, high), shape (n, 1, 1)."""
    return rng.uniform(low, high, (n, 1, 1))


def chance(rng: Generator, n: int, p: float) -> NDArray[np.bool_]:
    """Return n coin tosses that are true with probability p, shape (n, 1, 1)."""
    return rng.random((n, 1, 1)) < p


def canvas(rng: Generator, n: int) -> tuple[Array, Array]:
    """Return row and column coordinates of n canvases, a third of them bent a little, as hands do."""
    bend = np.where(chance(rng, n, 1 / 3), uniform(rng, n, 0.0, 0.5), 0.0)
    row_phase, column_phase = uniform(rng, n, 0.0, 2 * np.pi), uniform(rng, n, 0.0, 2 * np.pi)
    return ROW + bend * np.sin(0.8 * COLUMN + row_phase), COLUMN + bend * np.sin(0.8 * ROW + column_phase)


def inside(rng: Generator, distance: Array, softest: float = 2.0) -> Array:
    """Turn a signed distance in pixels, negative inside the shape, into a mask; half the edges are hard."""
    n = len(distance)
    softness = np.where(chance(rng, n, 0.5), 1e-3, uniform(rng, n, 0.3, softest))
    return np.clip(0.5 - distance / softness, 0.0, 1.0)


def line(across: Array, along: Array, half_width: Array, start: Array, stop: Array) -> Array:
    """Return the signed distance to a line: the larger of those to its sides and to its two ends."""
    sides: Array = np.abs(across) - half_width
    return np.maximum(sides, np.maximum(start - along, along - stop))


def draw_edges(rng: Generator, n: int) -> Array:
    """Draw vertical edges: half-planes at any column, wide ramps, bars, lines and pairs of lines."""
    row, column = canvas(rng, n)
    across = column - 3.5 + np.tan(rng.normal(0.0, 0.07, (n, 1, 1))) * (row - 3.5)
    plane = inside(rng, across - uniform(rng, n, -3.3, 3.3))
    ramp = np.clip(0.5 + across / uniform(rng, n, 2.0, 8.0), 0.0, 1.0)
    whole = chance(rng, n, 0.5)
    start = np.where(whole, -1.0, uniform(rng, n, -0.5, 2.0))
    stop = np.where(whole, 8.0, uniform(rng, n, 5.0, 7.5))
    extra = uniform(rng, n, 0.0, 1.0) * np.where(whole, 1.1, 0.5)
    half_width = 0.5 + np.where(chance(rng, n, 0.5), 0.0, extra)
    place = uniform(rng, n, -3.5, 3.5)
    apart = np.where(place > 0, -1, 1) * uniform(rng, n, 2.2, 5.0)
    bar = line(across - place, row, half_width, start, stop)
    other = line(across - place - apart, row, half_width, start, stop)
    bars = inside(rng, np.where(chance(rng, n, 0.25), np.minimum(bar, other), bar), softest=1.0)
    return np.where(chance(rng, n, 0.45), bars, np.where(chance(rng, n, 0.2), ramp, plane))


def draw_blobs(rng: Generator, n: int, *, ring: bool) -> Array:
    """Draw filled discs or rings, round or a little square, a little oval, anywhere they fit."""
    row, column = canvas(rng, n)
    radius = uniform(rng, n, 1.5, 4.3) if ring else uniform(rng, n, 1.3, 4.0)
    room = np.maximum(0.3, 3.9 - radius)
    row = (row - 3.5 - uniform(rng, n, -1.0, 1.0) * room) * uniform(rng, n, 0.85, 1.15)
    column = (column - 3.5 - uniform(rng, n, -1.0, 1.0) * room) * uniform(rng, n, 0.85, 1.15)
    power = np.where(chance(rng, n, 0.6), 2.0, 1 / uniform(rng, n, 0.1, 0.5))
    distance = (np.abs(row) ** power + np.abs(column) ** power) ** (1 / power) - radius
    if not ring:
        return inside(rng, distance)
    # From the outer edge inwards: at most so thick that a hole of about a pixel's radius stays.
    thickness = uniform(rng, n, 0.9, 1.0) + uniform(rng, n, 0.0, 1.0) * np.clip(radius - 2.0, 0.0, 1.2)
    return inside(rng, np.abs(distance + thickness / 2) - thickness / 2, softest=1.0)


def draw_diagonals(rng: Generator, n: int) -> Array:
    """Draw diagonals of one direction: ramps from corner to corner, half-planes and lines."""
    row, column = canvas(rng, n)
    angle = np.pi / 4 + rng.normal(0.0, 0.08, (n, 1, 1))
    across = np.cos(angle) * (column - 3.5) + np.sin(angle) * (row - 3.5)
    along = np.cos(angle) * (row - 3.5) - np.sin(angle) * (column - 3.5)
    ramp = np.clip(0.5 + (across + uniform(rng, n, -1.0, 1.0)) / uniform(rng, n, 3.0, 10.5), 0.0, 1.0)
    plane = inside(rng, across - uniform(rng, n, -2.8, 2.8))
    half_width = np.where(chance(rng, n, 0.5), 0.5, uniform(rng, n, 0.5, 1.4))
    whole = chance(rng, n, 0.5)
    start = np.where(whole, -6.0, uniform(rng, n, -4.5, -2.0))
    stop = np.where(whole, 6.0, uniform(rng, n, 2.0, 4.5))
    place = uniform(rng, n, -2.2, 2.2)
    lines = inside(rng, line(across - place, along, half_width, start, stop), softest=1.0)
    mask = np.where(chance(rng, n, 0.45), lines, np.where(chance(rng, n, 0.45), ramp, plane))
    return np.where(chance(rng, n, 0.5), mask, mask[:, :, ::-1])


def draw_crosses(rng: Generator, n: int) -> Array:
    """Draw plus signs and x's: two lines, or lines' ends, through one place near the middle."""
    row, column = canvas(rng, n)
    row, column = row - 3.5 - uniform(rng, n, -1.2, 1.2), column - 3.5 - uniform(rng, n, -1.2, 1.2)
    angle = np.where(chance(rng, n, 0.5), 0.0, np.pi / 4) + rng.normal(0.0, 0.06, (n, 1, 1))
    across = np.cos(angle) * column + np.sin(angle) * row
    along = np.cos(angle) * row - np.sin(angle) * column
    half_width = np.where(chance(rng, n, 0.5), 0.5, uniform(rng, n, 0.5, 1.1))
    arm = np.where(chance(rng, n, 0.5), 8.0, uniform(rng, n, 2.4, 5.0))
    one, other = line(across, along, half_width, -arm, arm), line(along, across, half_width, -arm, arm)
    return inside(rng, np.minimum(one, other), softest=1.0)


def draw_checkerboards(rng: Generator, n: int) -> Array:
    """Draw checkerboards whose squares are 1, 2, 3 or 4 pixels wide."""
    size = rng.choice([1, 2, 3, 4], (n, 1, 1), p=[0.4, 0.35, 0.1, 0.15])
    row_phase = np.where(size == 4, 0, rng.integers(0, 6, (n, 1, 1)))
    column_phase = np.where(size == 4, 0, rng.integers(0, 6, (n, 1, 1)))
    squares = (ROW + row_phase) // size + (COLUMN + column_phase) // size
    mask: Array = (squares + rng.integers(0, 2, (n, 1, 1))) % 2
    return mask


def colour(rng: Generator, masks: Array) -> Array:
    """Give masks two greys, either way up: black and white as a brush paints, or any at least 0.3 apart."""
    n = len(masks)
    painted = chance(rng, n, 0.4)
    contrast = np.where(painted, 1.0, uniform(rng, n, 0.3, 1.0))
    # A hand misses a pixel now and then, or hits one too many; a scanner adds noise instead.
    slip = (rng.random(masks.shape) < 0.015) & chance(rng, n, 0.4)
    clean = painted | chance(rng, n, 0.3)
    noise = rng.normal(size=masks.shape) * np.where(clean, 0.0, uniform(rng, n, 0.0, 0.15))
    masks = np.where(chance(rng, n, 0.5), masks, 1.0 - masks)
    pictures = np.where(slip, 1.0 - masks, masks) + noise
    return np.clip(uniform(rng, n, 0.0, 1.0) * (1.0 - contrast) + contrast * pictures, 0.0, 1.0)


def draw_nothing(rng: Generator, n: int) -> Array:
    """Draw nothing: one grey, black and white included, with faint noise or stray pixels, or noise alone."""
    grey = np.where(chance(rng, n, 0.3), rng.integers(0, 2, (n, 1, 1)), uniform(rng, n, 0.0, 1.0))
    noise = np.where(chance(rng, n, 0.5), 0.0, uniform(rng, n, 0.0, 0.05))
    pictures = grey + rng.normal(size=(n, 8, 8)) * noise
    stray = rng.random((n, 64)).argsort(axis=1).reshape(n, 8, 8) < rng.integers(0, 4, (n, 1, 1))
    ink = np.where(chance(rng, n, 0.5), rng.random((n, 8, 8)), np.where(grey < 0.5, 1.0, 0.0))
    pictures = np.where(stray, ink, pictures)
    return np.clip(np.where(chance(rng, n, 0.15), rng.random((n, 8, 8)), pictures), 0.0, 1.0)


def draw_shapes(rng: Generator, per_class: int) -> tuple[Array, Labels]:
    """Return (pictures (k, 8, 8) in hundredths, class indices (k,)), `per_class` of each of SHAPES."""
    n = per_class
    masks = [
        draw_edges(rng, n),
        draw_edges(rng, n).transpose(0, 2, 1),
        draw_blobs(rng, n, ring=False),
        draw_blobs(rng, n, ring=True),
        draw_diagonals(rng, n),
        draw_crosses(rng, n),
        draw_checkerboards(rng, n),
    ]
    pictures: Array = np.concatenate([*(colour(rng, mask) for mask in masks), draw_nothing(rng, n)])
    return pictures.round(2), np.repeat(np.arange(len(SHAPES), dtype=np.int64), n)
