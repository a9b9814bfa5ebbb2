"""Arrays as plain data for an answer."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
from numpy.typing import ArrayLike


def numbers(array: ArrayLike) -> list[Any]:
    """All numbers in reading order, unrounded."""
    found: list[Any] = np.asarray(array, dtype=np.float64).ravel().tolist()
    return found


def packed(array: ArrayLike) -> str:
    """Base64 of little-endian float32, for what is only drawn: first the lowest byte of each number, then the next, which compresses better."""
    planes = np.asarray(array).astype("<f4").reshape(-1, 1).view(np.uint8).T
    return base64.b64encode(planes.tobytes()).decode()
