"""The link of a state, for tests: as the page's script writes it."""

from __future__ import annotations

from urllib.parse import urlencode

from explorer.link import KEYS, PAINTED, VERSION
from explorer.link_picture import ALPHABET
from explorer.pictures import LEVELS, PATTERNS
from explorer.state import Pixels, State


def link_of(state: State) -> str:
    """The query string, ``?…&v=1``; pixels off the lattice of 1/2800 are written as the nearest level."""
    parts, values, defaults = {}, state.to_json(), State().to_json()
    for name, value in values.items():
        if value == defaults[name]:
            continue
        if name in ("pixels", "drawing"):
            pattern = next((name for name, picture in PATTERNS.items() if picture.ravel().tolist() == value), None)
            parts[PAINTED if name == "pixels" and not pattern else KEYS[name]] = pattern or encode(value)
        elif name == "options":
            parts[KEYS[name]] = ",".join(f"{method}.{one}:{_text(it)}" for method, own in value.items() for one, it in own.items())
        else:
            parts[KEYS[name]] = ",".join(value) if isinstance(value, list) else _text(value)
    return "?" + urlencode({**parts, "v": VERSION})


def encode(pixels: Pixels) -> str:
    """A painted picture as text."""
    levels = [round(value * LEVELS) for value in pixels]
    palette = list(dict.fromkeys(levels))
    letters = [ALPHABET[level // 64] + ALPHABET[level % 64] for level in palette]
    return ALPHABET[len(palette) - 1] + "".join(letters) + "".join(ALPHABET[palette.index(level)] for level in levels)


def _text(value: object) -> str:
    return str(int(value)) if isinstance(value, bool) else str(value).removesuffix(".0")
