"""Checks of arrays: real numbers in, finite numbers out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def real(name: str, value: object) -> Floats:
    """A float64 copy of an array or array-like, with the same shape.

    Raises:
        ValueError: it is complex, masked, or not numeric; ``name`` is the subject of the message.
    """
    if _masked(value):
        raise ValueError(f"{name} must not be masked: fill the masked places first, as with .filled(0)")
    try:
        found = np.asarray(value)
        if found.dtype.kind in "biufO":
            return np.array(found, dtype=np.float64, order="C")
    except (TypeError, ValueError, RuntimeError, OverflowError):  # ragged lists, objects, tensors that need a gradient
        raise ValueError(f"{name} must be real numbers in an array, and numpy makes none of this {type(value).__name__}") from None
    if found.dtype.kind == "c":
        raise ValueError(f"{name} must hold real numbers, not complex ones: choose their real part or magnitude")
    raise ValueError(f"{name} must hold real numbers, not {found.dtype}")


def _masked(value: object) -> bool:
    return np.ma.isMaskedArray(value) or (isinstance(value, list | tuple) and any(map(_masked, value)))


def finite(what: str, values: Floats) -> Floats:
    """Return the values if all of them are finite.

    Raises:
        ValueError: one is NaN or infinite; ``what``, in the plural, is the subject of the message.
    """
    fine = np.isfinite(values)
    if not fine.all():
        bad = fine.size - np.count_nonzero(fine)
        raise ValueError(f"{what} are not finite: {bad} of {fine.size} numbers are NaN or infinite")
    return values
