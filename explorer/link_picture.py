"""A painted picture as a link has it: the number of levels less one, each level as two letters, then a letter a pixel.

Levels are whole 2800ths, which hold exactly what can be painted: hundredths, sixteenths and fourteenths.
"""

from __future__ import annotations

from explorer.pictures import LEVELS
from explorer.state import Pixels, StateError

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def decode(text: str, known_case: bool = True) -> tuple[Pixels, bool]:
    """The 64 values in a text that programs may have broken or added to, and whether they are surely those that were sent.

    Args:
        text: of the letters in ``ALPHABET``; others are left out.
        known_case: whether capital letters are as they were sent.

    Raises:
        StateError: the text is no such picture.
    """
    letters = "".join(letter for letter in text if letter in ALPHABET)
    digits = [ALPHABET.index(letter) for letter in letters]
    count = digits[0] + 1 if digits else 0
    length = 1 + 2 * count + 64
    if len(letters) < length or letters[length:].strip("-_"):  # marks that follow a link in a text may be letters too
        raise StateError("the painted picture is cut short or too long")
    head, indices = digits[1 : 1 + 2 * count], digits[1 + 2 * count : length]
    palette = [64 * high + low for high, low in zip(head[::2], head[1::2], strict=True)]
    if not palette or max(palette) > LEVELS or max(indices) >= count:
        raise StateError("the painted picture has a value that no pixel can have")
    # a picture is written in one way only: each level once, in the order in which the pixels have them
    as_written = len(set(palette)) == count and list(dict.fromkeys(indices)) == list(range(count))
    return tuple(palette[i] / LEVELS for i in indices), as_written and (known_case or letters != letters.upper())


def encode(pixels: Pixels) -> str:
    """A picture as ``decode`` reads it, each value rounded to the nearest level.

    Args:
        pixels: 64 values in [0, 1].
    """
    levels = [round(value * LEVELS) for value in pixels]
    palette = list(dict.fromkeys(levels))
    head = "".join(ALPHABET[level // 64] + ALPHABET[level % 64] for level in palette)
    return ALPHABET[len(palette) - 1] + head + "".join(ALPHABET[palette.index(level)] for level in levels)
