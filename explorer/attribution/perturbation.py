"""Deletion and insertion curves: F while pixels are replaced one by one, and the greedy order that they are compared with.

Bach et al., "On Pixel-Wise Explanations …", PLoS ONE 2015 (pixel flipping); Samek et al., IEEE TNNLS 2017; Petsiuk et al.,
"RISE", BMVC 2018 (deletion and insertion).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from explorer.attribution.arrays import finite, real
from explorer.attribution.case import Case, integer
from explorer.attribution.field import CHUNK, values_at
from explorer.attribution.measures import ROUNDING
from explorer.attribution.network import SHAPE, SIDE, Floats

PIXELS = SIDE * SIDE
Masks = NDArray[np.bool_]
Orders = NDArray[np.intp]


def pixel_order(maps: Floats) -> Orders:
    """The pixels of each map ``(…, 8, 8)`` by descending signed attribution, ``(…, 64)``: indices 0 to 63 in reading order.

    Ties stay in reading order; values that differ only by rounding count as ties (compared at 12 digits of the largest
    |attribution|). The order of ``-map``, least relevant first, is a control: not quite this one reversed, because of ties.

    Raises:
        ValueError: the maps have another shape or are not finite.
    """
    flat = checked_maps(maps).reshape(*np.shape(maps)[:-2], PIXELS)
    peaks = np.abs(flat).max(axis=-1, keepdims=True, initial=0)
    scaled = flat / np.where(peaks == 0, 1, peaks)
    order: Orders = np.rint(scaled / -ROUNDING).argsort(axis=-1, kind="stable")
    return order


def random_maps(count: int, seed: int) -> Floats:
    """Maps ``(count, 8, 8)`` of independent standard normal numbers, the control that knows nothing.

    Raises:
        ValueError: the count or the seed is negative or not an integer.
    """
    count, seed = integer("the number of maps", count), integer("the seed", seed)
    if min(count, seed) < 0:
        raise ValueError(f"the number of maps and the seed must be 0 or more, not {count} and {seed}")
    return np.random.default_rng(seed).standard_normal((count, *SHAPE))


def deletion_curves(case: Case, orders: Orders, reference: Floats) -> Floats:
    """F of the input after the first 0 to 64 pixels of each order have been replaced by those of a reference picture.

    Args:
        case: what is explained; its baseline is not used.
        orders: permutations of 0 to 63, ``(…, 64)``, such as those of ``pixel_order``.
        reference: ``(8, 8)``, such as black or the mean of the training pictures.

    Returns:
        ``(…, 65)`` in units of F: from F(input) to F(reference). A map is the better, the sooner F falls. Each different
        picture passes through the network once.

    Raises:
        ValueError: an order is no permutation, the reference has another shape or is not finite, or logits are not finite.
    """
    return values_with_replaced(case, first_pixels(orders), reference)


def insertion_curves(case: Case, orders: Orders, reference: Floats) -> Floats:
    """F of the reference picture after the first 0 to 64 pixels of each order have been replaced by the input's.

    Arguments, shape and errors as for ``deletion_curves``. From F(reference) to F(input); a map is the better, the sooner F
    rises. It is the deletion curve of the reversed order, read backwards.
    """
    return values_with_replaced(case, ~first_pixels(orders), reference)


def area(curves: Floats, positions: ArrayLike | None = None) -> Floats:
    """The area under each curve ``(…, p)`` by the trapezoid rule, ``(…)``, divided by its width: a mean, in units of F.

    Args:
        curves: values of F.
        positions: where they stand ``(p,)``, ascending, in any unit; None for equal distances. For a curve of 65 values the
            area is (½ F₀ + F₁ + … + F₆₃ + ½ F₆₄) / 64.

    Raises:
        ValueError: there are fewer than two values, the positions do not ascend or are not p, or a number is not finite.
    """
    curves = finite("the curves", real("the curves", curves))
    count = curves.shape[-1] if curves.ndim else 0
    steps = np.ones(max(count - 1, 0)) if positions is None else np.diff(finite("the positions", real("the positions", positions)))
    if count < 2 or steps.shape != (count - 1,) or steps.min() <= 0:
        raise ValueError("a curve needs at least two values, and as many positions, which ascend")
    return finite("the areas", (curves[..., 1:] / 2 + curves[..., :-1] / 2) @ (steps / steps.sum()))


def greedy_order(case: Case, reference: Floats, *, insertion: bool = False) -> Orders:
    """An order ``(64,)`` that asks the network at each step which pixel to replace next: the one that lowers F most.

    The control for deletion curves, or for insertion curves, where it is the pixel that raises F most. It is the best at its first step,
    not necessarily later: greedy steps miss pixels that matter only together. Ties, also by rounding, go in reading order.
    At most 64 + 63 + … + 1 = 2080 forward passes; pixels in which input and reference agree need none.

    Raises:
        ValueError: the reference has another shape or is not finite, or logits are not finite.
    """
    end = checked_picture("the reference", reference).reshape(-1)
    now = case.input.reshape(-1).copy()
    if insertion:
        now, end = end, now
    sign = -1 if insertion else 1
    differs = now != end
    left, order = np.arange(PIXELS), []
    reached = sign * values_at(case, now.reshape(1, *SHAPE))[0]
    values = None  # of F after each pixel that is left
    while (moving := differs[left]).any():
        if values is None:
            pictures = np.repeat(now[None], np.count_nonzero(moving), axis=0)
            pictures[np.arange(len(pictures)), left[moving]] = end[left[moving]]
            values = np.full(len(left), reached)
            values[moving] = sign * values_at(case, pictures.reshape(-1, *SHAPE))
        best = int((values <= values.min() + ROUNDING * np.abs(values).max()).argmax())
        pixel = left[best]
        order.append(pixel)
        left = np.delete(left, best)
        if differs[pixel]:
            now[pixel], reached, values = end[pixel], values[best], None
        else:  # the picture is as before
            values = np.delete(values, best)
    return np.concatenate([np.array(order, dtype=np.intp), left])


def first_pixels(orders: Orders, counts: NDArray[np.intp] | None = None) -> Masks:
    """Masks ``(…, k, 64)`` of the first pixels of orders ``(…, 64)``, for each of k counts; all of 0 to 64 if None.

    Raises:
        ValueError: an order is no permutation of 0 to 63.
    """
    orders = np.asarray(orders)
    if orders.shape[-1:] != (PIXELS,) or orders.dtype.kind not in "iu" or not (np.sort(orders, axis=-1) == np.arange(PIXELS)).all():
        raise ValueError("an order must be a permutation of the pixels 0 to 63")
    counts = np.arange(PIXELS + 1) if counts is None else counts
    masks: Masks = orders.argsort(axis=-1)[..., None, :] < counts[:, None]
    return masks


def values_with_replaced(case: Case, masks: Masks, reference: Floats) -> Floats:
    """F of the input with the pixels of each mask ``(…, 64)`` replaced by a reference picture's ``(8, 8)``: ``(…)``.

    Masks that make the same picture share one forward pass, and so the same number to the last bit.

    Raises:
        ValueError: the masks or the reference have another shape or type, or logits are not finite.
    """
    reference = checked_picture("the reference", reference)
    masks = np.asarray(masks)
    if masks.shape[-1:] != (PIXELS,) or masks.dtype != np.bool_:
        raise ValueError(f"masks must be booleans (…, {PIXELS}), not {masks.dtype} {masks.shape}")
    if not masks.size:
        return np.empty(masks.shape[:-1])
    used = masks & (case.input != reference).reshape(-1)
    keys = np.packbits(used, axis=-1).view(np.uint64).reshape(-1)
    _, first, place = np.unique(keys, return_index=True, return_inverse=True)
    different = used.reshape(-1, *SHAPE)[first]
    parts = (different[i : i + CHUNK] for i in range(0, len(different), CHUNK))
    values = np.concatenate([values_at(case, np.where(part, reference, case.input)) for part in parts])
    return values[place].reshape(masks.shape[:-1])


def checked_picture(name: str, picture: Floats) -> Floats:
    """A float64 copy of a picture ``(8, 8)``.

    Raises:
        ValueError: it has another shape or is not finite.
    """
    picture = real(name, picture)
    if picture.shape != SHAPE:
        raise ValueError(f"{name} must have shape {SHAPE}, not {picture.shape}")
    if not np.isfinite(picture).all():
        raise ValueError(f"{name} must hold finite numbers only")
    return picture


def checked_maps(maps: Floats) -> Floats:
    """A float64 copy of maps ``(…, 8, 8)``.

    Raises:
        ValueError: they have another shape or are not finite.
    """
    maps = finite("the attributions", real("the attributions", maps))
    if maps.shape[-2:] != SHAPE:
        raise ValueError(f"attributions must have shape (…, 8, 8), not {maps.shape}")
    return maps
