"""Felzenszwalb's graph-based segmentation of a picture into regions.

Felzenszwalb & Huttenlocher, "Efficient Graph-Based Image Segmentation", IJCV 59, 2004.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from explorer.attribution.network import SHAPE, SIDE, Floats

# k in the paper, for a picture with max − min = 1: from shades of a stroke to halves of the picture.
SCALES = (0.1, 0.25, 0.5, 1.0, 2.0, 4.0)


def _edges() -> NDArray[np.int64]:
    """The pairs of pixels that are neighbours, diagonals included, ``(210, 2)``."""
    pixel = np.arange(SIDE * SIDE).reshape(SHAPE)
    pairs = [
        (pixel[:, :-1], pixel[:, 1:]),
        (pixel[:-1], pixel[1:]),
        (pixel[:-1, :-1], pixel[1:, 1:]),
        (pixel[:-1, 1:], pixel[1:, :-1]),
    ]
    edges = np.concatenate([np.stack([one.ravel(), other.ravel()], axis=1) for one, other in pairs])
    edges.flags.writeable = False
    return edges


EDGES = _edges()


def segment(picture: Floats, scale: float) -> NDArray[np.int64]:
    """The region of each pixel, ``(8, 8)`` of 0, 1, … in the order of their first pixels.

    Regions start as single pixels. In ascending order of difference, an edge joins two regions if the difference is at
    most the largest inside each of them, plus scale / its number of pixels. Unlike the paper, there is no smoothing
    before and no merging of small regions after, as at 8 × 8 a pixel is a detail.

    Args:
        picture: ``(8, 8)``, finite.
        scale: k, 0 or more, in units of the picture; a larger k gives fewer regions.
    """
    flat = picture.ravel()
    differences = np.abs(flat[EDGES[:, 0]] - flat[EDGES[:, 1]])
    order = differences.argsort(kind="stable")
    parent = list(range(flat.size))
    allowed = [scale] * flat.size  # the largest difference inside + scale / size, at each region's root
    size = [1] * flat.size

    def root(pixel: int) -> int:
        while parent[pixel] != pixel:
            parent[pixel] = pixel = parent[parent[pixel]]
        return pixel

    for (one, other), difference in zip(EDGES[order].tolist(), differences[order].tolist(), strict=True):
        one, other = root(one), root(other)
        if one != other and difference <= allowed[one] and difference <= allowed[other]:
            one, other = min(one, other), max(one, other)
            parent[other] = one
            size[one] += size[other]
            allowed[one] = difference + scale / size[one]
    return np.unique([root(pixel) for pixel in range(flat.size)], return_inverse=True)[1].reshape(SHAPE)


def regions(picture: Floats, scales: Sequence[float] = SCALES) -> NDArray[np.bool_]:
    """The distinct regions of a picture at several scales, ``(r, 8, 8)`` of booleans, finest first.

    The picture is first scaled to max − min = 1, so contrast does not matter; a constant picture has one region.
    """
    span = picture.max() - picture.min()
    stretched = (picture - picture.min()) / span if span > 0 else np.zeros(SHAPE)
    masks: dict[bytes, NDArray[np.bool_]] = {}
    for scale in scales:
        labels = segment(stretched, scale)
        for label in range(labels.max() + 1):
            mask = labels == label
            masks.setdefault(mask.tobytes(), mask)
    return np.stack(list(masks.values()))
