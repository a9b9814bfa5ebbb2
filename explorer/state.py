"""Everything the user chose: checked once, here, whether it comes as JSON from the page or as a link.

``State.from_json`` is strict, for the page's own requests: the first thing wrong is refused in one sentence.
``State.from_query`` is kind, for links that people paste: what is wrong gets a notice and its default, the rest is kept.

A link is whatever differs from the defaults, one short key each (``FIELDS`` is the table), and ``v=1`` at its end, so that
one that was cut off is known. The defaults are part of version 1: a changed default needs version 2. A painted picture is
written as its palette and 64 indices into it; see ``encode``.
"""

from __future__ import annotations

import re
import reprlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from types import MappingProxyType
from typing import Any
from urllib.parse import urlencode

import numpy as np

from explorer import link
from explorer.attribution import FAULTY, METHODS, RULES, SHARED, Case, Method, Settings, Value
from explorer.attribution.network import OUTPUTS, SHAPE, Floats, Output
from explorer.models import Model
from explorer.pictures import BASELINES, LEVELS, PATTERNS, baseline

VERSION = "1"
MAX_STEPS = 500
MAX_SAMPLES = 500
MAX_NOISE = 1.0  # what a library’s convention asks for; the page’s slider goes to half of it
MAX_SEED = 999_999
MAX_QUERY = 4_000  # two painted pictures and an option for every setting of every method take some 3,100
RULE_NAMES = (*RULES, *FAULTY, "exact")
TABS = ("saliency", "integrated", "compare", "methods")
MAX_PINNED = 4
TOO_LONG = f"The link is longer than {MAX_QUERY:,} characters or {link.MAX_PARTS} parts: the opening state is shown."
SCALES = ("own", "shared")
PREDICTED = "predicted"

Pixels = tuple[float, ...]
Options = tuple[tuple[str, str, Value], ...]  # method, setting, value
Zoo = Mapping[str, Model]


class StateError(ValueError):
    """Something in a state is wrong; the message is one sentence that says what."""


@dataclass(frozen=True, slots=True)
class State:
    """What the user chose. Numbers follow from it alone: the same state gives the same numbers anywhere.

    Attributes:
        pixels: the picture, 64 values in [0, 1], row by row.
        network: a name in the zoo.
        target: a class index, or ``"predicted"`` for whatever class scores highest.
        output: ``"probability"`` or ``"logit"``.
        baseline: a kind in ``pictures.BASELINES``.
        baseline_seed: of the noise baseline.
        drawing: the picture kept as a baseline, 64 values, or None.
        steps, rule: of Integrated Gradients; the exact rule takes no steps.
        samples, noise_level, seed, clip: of SmoothGrad.
        options: of single methods; only what differs from the method's default, in the table's order.
        pinned: the methods that are compared, one to four.
        tab, scale: what is being looked at. No number depends on it, nor on what is pinned.
    """

    pixels: Pixels = tuple(PATTERNS["edge"].ravel().tolist())
    network: str = "shapes"
    target: int | str = 0
    output: Output = "probability"
    baseline: str = "black"
    baseline_seed: int = 0
    drawing: Pixels | None = None
    steps: int = 50
    rule: str = "right"
    samples: int = 50
    noise_level: float = 0.15
    seed: int = 0
    clip: bool = False
    options: Options = ()
    pinned: tuple[str, ...] = ("gradient", "integrated_gradients", "smoothgrad")
    tab: str = "saliency"
    scale: str = "own"

    @classmethod
    def from_json(cls, data: object, zoo: Zoo) -> State:
        """A state from the page's request; fields left out keep their defaults.

        Raises:
            StateError: naming the first thing that is wrong.
        """
        if not isinstance(data, dict):
            raise StateError("the state must be an object")
        unknown = [key for key in data if key not in FIELDS]
        if unknown:
            raise StateError(f"the state has an unknown field {_shown(unknown[0])}")
        values = {name: FIELDS[name].check(value) for name, value in data.items()}
        state = cls(**values)
        if contradiction := state._contradiction(zoo):
            raise StateError(contradiction[1])
        return state

    @classmethod
    def from_query(cls, query: str, zoo: Zoo) -> tuple[State, list[str]]:
        """A state from a link's query, fragment or both, and a notice for each part that was not used as it was meant."""
        if len(query) > 10 * MAX_QUERY:
            return cls(), [TOO_LONG]
        keys = {**{field.key: name for name, field in FIELDS.items()}, "px": "pixels", "v": "version"}
        names = (*keys, *FIELDS)
        found = link.read(query, keys)
        ours = dict(found.ours)
        if not found.whole or sum(len(part.key) + len(part.value or "") for part in ours.values()) > MAX_QUERY:
            return cls(), [TOO_LONG]
        version = ours.pop("version", None)
        reasons = [f"{_shown(part.key)} is no setting of this explorer" for part in found.others if link.resembles(part, names, bool(version))]
        if version is None or link.word(version.value or "") != VERSION:
            if version is None and not ours and not reasons:
                return cls(), []  # somebody else's parameters, such as a tracker's: none of ours to complain of
            said = _shown(version.value or "") if version else ""
            was = f"is of version {said}, not {VERSION}" if version else "has no version, as one that was cut off"
            return cls(), [f"The link {was}: the opening state is shown."]
        values: dict[str, Any] = {}
        notices = [f"The link has {key!r} more than once: the first is used." for key in found.twice]
        if link.is_cut(query):
            notices.append("The link ends as one that was cut off: the rest of it is used.")
        for name, part in ours.items():
            text = link.word(part.value or "")
            try:
                if name == "options":
                    values[name], wrong_options = _kindly_read_options(text)
                    reasons += wrong_options
                elif part.key.lower() in ("px", "draw") and text not in PATTERNS:
                    values[name], sure = _kindly_decode(part.value or "", known_case=part.key.islower())
                    notices += [] if sure else [f"The picture in the link's {part.key!r} may be another: its letters were changed."]
                else:
                    values[name] = FIELDS[name].check(FIELDS[name].read(text))
            except StateError as wrong:
                reasons.append(str(wrong))
        state, more = _mended(cls(**values), zoo)
        return state, notices + [f"In the link, {reason}; the default is used instead." for reason in reasons + more]

    def asked(self, *, options: bool = False) -> State:
        """The state with all that no answer depends on at its default: what an answer can be kept under.

        Args:
            options: whether the answer depends on the options of single methods.
        """
        usual = State()
        return replace(
            self, tab=usual.tab, scale=usual.scale, pinned=usual.pinned, options=self.options if options else usual.options
        )

    def to_json(self) -> dict[str, Any]:
        """The state as the page holds it: plain lists, strings, numbers and booleans."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        plain = {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}
        options: dict[str, dict[str, Value]] = {}
        for method, setting, value in self.options:
            options.setdefault(method, {})[setting] = value
        return {**plain, "options": options}

    def to_query(self) -> str:
        """The link's query string, ``?…&v=1``; ``from_query`` gives the same state back.

        Pixels off the lattice of 1/2800 (none that the page can paint) are written as the nearest level.
        """
        parts = {}
        default = State()
        for name, codec in FIELDS.items():
            value = getattr(self, name)
            if value == getattr(default, name) or (name == "drawing" and value is None):
                continue
            if name == "pixels" and pattern_name(value) is None:
                parts["px"] = encode(value)
            else:
                parts[codec.key] = codec.write(value)
        return "?" + urlencode({**parts, "v": VERSION})

    def picture(self) -> Floats:
        """The input x, ``(8, 8)``."""
        return np.array(self.pixels).reshape(SHAPE)

    def case(self, zoo: Zoo) -> Case:
        """The question that this state puts to its network."""
        model = zoo[self.network]
        picture = self.picture()
        drawing = None if self.drawing is None else np.array(self.drawing).reshape(SHAPE)
        reference = baseline(self.baseline, picture, seed=self.baseline_seed, mean=model.mean, drawing=drawing)
        target = model.network.predict(picture) if isinstance(self.target, str) else self.target
        return Case(model.network, picture, reference, target, self.output)

    def settings(self) -> Settings:
        """What the methods are told. Under the exact rule the quadrature's settings are not used."""
        rule = "gauss-legendre" if self.rule == "exact" else self.rule
        return Settings(self.steps, rule, self.samples, self.noise_level, self.seed, self.clip)

    def values(self, method: Method) -> dict[str, Value]:
        """What a method is told: the shared settings that it lists, then its own options."""
        shared: dict[str, Value] = {s.name: getattr(self, s.name) for s in method.settings if s in SHARED}
        if shared.get("rule") == "exact":
            shared["rule"] = "gauss-legendre"
        return {**shared, **{setting: value for name, setting, value in self.options if name == method.name}}

    def _contradiction(self, zoo: Zoo) -> tuple[str, str] | None:
        """The first field that does not go with the rest, and why; None when all goes together."""
        if self.network not in zoo:
            return "network", f"the network must be one of {', '.join(zoo)}, not {_shown(self.network)}"
        count = len(zoo[self.network].classes)
        if isinstance(self.target, int) and self.target >= count:
            return "target", f"the target must be 0 to {count - 1} for the network {self.network}, not {_shown(self.target)}"
        if self.baseline == "drawing" and self.drawing is None:
            return "baseline", "the baseline is 'drawing', but no drawing is given"
        return None


def _mended(state: State, zoo: Zoo) -> tuple[State, list[str]]:
    """The state with each field that contradicts the rest back at its default, and why."""
    reasons = []
    while contradiction := state._contradiction(zoo):
        wrong, reason = contradiction
        reasons.append(reason)
        default: Any = getattr(State(), wrong)
        state = replace(state, **{wrong: default})
    return state, reasons


# ---------------------------------------------------------------- checks and codecs, one row a field


@dataclass(frozen=True, slots=True)
class Field:
    """How one field is called in a link, checked, read from a link and written to one."""

    key: str
    check: Callable[[Any], Any]
    read: Callable[[str], Any] = str
    write: Callable[[Any], str] = str


def _one_of(label: str, names: tuple[str, ...]) -> Callable[[Any], str]:
    def check(value: Any) -> str:
        if not isinstance(value, str) or value not in names:
            raise StateError(f"the {label} must be one of {', '.join(names)}, not {_shown(value)}")
        return value

    return check


def _whole(label: str, low: int, high: int) -> Callable[[Any], int]:
    def check(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise StateError(f"the {label} must be a whole number from {low} to {high:,}, not {_shown(value)}")
        return value

    return check


def _noise_level(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= MAX_NOISE:
        raise StateError(f"the noise level must be a number from 0 to {MAX_NOISE}, not {_shown(value)}")
    return float(value)


def _network(value: Any) -> str:
    if not isinstance(value, str):
        raise StateError(f"the network must be a name, not {_shown(value)}")
    return value


def _target(value: Any) -> int | str:
    if value == PREDICTED and isinstance(value, str):
        return PREDICTED
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise StateError(f"the target must be a class index or '{PREDICTED}', not {_shown(value)}")
    return value


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise StateError(f"clip must be true or false, not {_shown(value)}")
    return value


def _pixels(label: str) -> Callable[[Any], Pixels]:
    def check(value: Any) -> Pixels:
        if not isinstance(value, list | tuple) or len(value) != 64:
            count = f"{len(value)} values" if isinstance(value, list | tuple) else _shown(value)
            raise StateError(f"the {label} must be 64 numbers, not {count}")
        for i, v in enumerate(value):
            if isinstance(v, bool) or not isinstance(v, int | float) or not 0 <= v <= 1:  # which NaN is not either
                raise StateError(
                    f"the {label} must hold numbers from 0 to 1, but row {i // 8}, column {i % 8} is {_shown(v)}"
                )
        return tuple(float(v) for v in value)

    return check


def _drawing(value: Any) -> Pixels | None:
    return None if value is None else _pixels("drawing")(value)


def _read_whole(text: str) -> int | str:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 10 else text


def _read_decimal(text: str) -> float | str:
    return float(text) if re.fullmatch(r"\d(\.\d{1,20})?(e-\d{1,3})?", text, re.ASCII) else text


def _read_truth(text: str) -> bool | str:
    return {"1": True, "0": False}.get(text, text)


def _read_pattern(text: str) -> Pixels:
    if text not in PATTERNS:
        raise StateError(f"the pattern must be one of {', '.join(PATTERNS)}, not {_shown(text)}")
    return tuple(PATTERNS[text].ravel().tolist())


def _read_drawing(text: str) -> Pixels:
    return _read_pattern(text) if text in PATTERNS else decode(text)


def _pinned(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not 1 <= len(value) <= MAX_PINNED:
        found = f"{len(value)}" if isinstance(value, list | tuple) else _shown(value)
        raise StateError(f"the pinned methods must be 1 to {MAX_PINNED}, not {found}")
    for name in value:
        if not isinstance(name, str) or name not in METHODS:
            raise StateError(f"there is no method {_shown(name)} to be pinned")
    if len(set(value)) < len(value):
        raise StateError("a method can be pinned only once")
    return tuple(value)


def _options(value: Any) -> Options:
    if not isinstance(value, dict) or not all(isinstance(own, dict) for own in value.values()):
        raise StateError(f"the options must be an object of objects, not {_shown(value)}")
    unknown = [name for name in value if name not in METHODS]
    if unknown:
        raise StateError(f"there is no method {_shown(unknown[0])} to be given options")
    kept = {name: _own_options(method, value[name]) for name, method in METHODS.items() if name in value}
    return tuple((name, setting, chosen) for name, own in kept.items() for setting, chosen in own.items())


def _own_options(method: Method, given: dict[str, Any]) -> dict[str, Value]:
    own = {s.name: s for s in method.settings}
    unknown = [name for name in given if name not in own]
    if unknown:
        raise StateError(f"{method.title} has no setting {_shown(unknown[0])}")
    try:
        checked = {name: setting.check(given[name]) for name, setting in own.items() if name in given}
    except ValueError as wrong:
        raise StateError(f"{method.title}: {wrong}") from None
    # the default of a shared setting is whatever the page says, so that there even the method's own default is a choice
    return {name: value for name, value in checked.items() if own[name] in SHARED or value != own[name].default}


def _read_options(text: str) -> Any:
    """``lime.samples:300,lrp_epsilon.epsilon:0.5``; each value is read as what its setting is."""
    options: dict[str, dict[str, Any]] = {}
    for part in text.split(","):
        found = re.fullmatch(r"(\w+)\.(\w+):([-\w.]+)", part, re.ASCII)
        if not found:
            raise StateError(f"the option {_shown(part)} is not written as method.setting:value")
        method, setting, value = found.groups()
        options.setdefault(method, {})[setting] = _read_option(method, setting, value)
    return options


def _kindly_read_options(text: str) -> tuple[Options, list[str]]:
    """The options that can be kept, each for itself, and why the others cannot."""
    kept: dict[str, dict[str, Any]] = {}
    reasons = []
    for part in text.split(","):
        try:
            for method, setting, value in _options(_read_options(part)):
                kept.setdefault(method, {})[setting] = value
        except StateError as wrong:
            reasons.append(str(wrong))
    return _options(kept), reasons


def _read_option(method: str, setting: str, text: str) -> Any:
    default = next((s.default for s in METHODS[method].settings if s.name == setting), "") if method in METHODS else ""
    if isinstance(default, bool):
        return _read_truth(text)
    if isinstance(default, int):
        return _read_whole(text)
    return _read_number(text) if isinstance(default, float) else text


def _read_number(text: str) -> float | str:
    return float(text) if re.fullmatch(r"\d{1,20}(\.\d{1,40})?(e[-+]?\d{1,3})?", text, re.ASCII) else text


def _write_options(options: Options) -> str:
    return ",".join(f"{method}.{setting}:{_option_text(value)}" for method, setting, value in options)


def _option_text(value: Value) -> str:
    return str(int(value)) if isinstance(value, bool) else repr(value).removesuffix(".0").strip("'")


FIELDS: Mapping[str, Field] = MappingProxyType(
    {
        "pixels": Field("p", _pixels("picture"), _read_pattern, lambda v: pattern_name(v) or ""),
        "network": Field("net", _network),
        "target": Field("class", _target, _read_whole),
        "output": Field("out", _one_of("output", OUTPUTS)),
        "baseline": Field("base", _one_of("baseline", BASELINES)),
        "baseline_seed": Field("bseed", _whole("baseline seed", 0, MAX_SEED), _read_whole),
        "drawing": Field("draw", _drawing, _read_drawing, lambda v: pattern_name(v) or encode(v)),
        "steps": Field("m", _whole("number of steps m", 1, MAX_STEPS), _read_whole),
        "rule": Field("rule", _one_of("rule", RULE_NAMES)),
        "samples": Field("n", _whole("number of samples n", 1, MAX_SAMPLES), _read_whole),
        "noise_level": Field("noise", _noise_level, _read_decimal, lambda v: repr(v).removesuffix(".0")),
        "seed": Field("seed", _whole("seed", 0, MAX_SEED), _read_whole),
        "clip": Field("clip", _truth, _read_truth, lambda v: str(int(v))),
        "options": Field("set", _options, _read_options, _write_options),
        "pinned": Field("pin", _pinned, lambda text: text.split(","), ",".join),
        "tab": Field("tab", _one_of("tab", TABS)),
        "scale": Field("scale", _one_of("scale", SCALES)),
    }
)


# ---------------------------------------------------------------- pictures in a link

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_DIGIT: Mapping[str, int] = MappingProxyType({letter: i for i, letter in enumerate(ALPHABET)})


def encode(pixels: Pixels) -> str:
    """64 values as text: how many levels less one, each level as two letters, then a letter a pixel.

    Levels are whole 2800ths, which hold all that can be painted exactly: hundredths, sixteenths and fourteenths.
    """
    levels = [round(v * LEVELS) for v in pixels]
    palette = list(dict.fromkeys(levels))
    index = {level: ALPHABET[i] for i, level in enumerate(palette)}
    letters = [ALPHABET[level // 64] + ALPHABET[level % 64] for level in palette]
    return ALPHABET[len(palette) - 1] + "".join(letters) + "".join(index[level] for level in levels)


def decode(text: str) -> Pixels:
    """The 64 values that ``encode`` wrote.

    Raises:
        StateError: the text is not such a picture.
    """
    try:
        digits = [_DIGIT[letter] for letter in text]
    except KeyError as unknown:
        raise StateError(f"the painted picture has an impossible letter {_shown(unknown.args[0])}") from None
    count = digits[0] + 1 if digits else 0
    if len(digits) != 1 + 2 * count + 64:
        raise StateError("the painted picture is cut short or too long")
    head, indices = digits[1 : 1 + 2 * count], digits[1 + 2 * count :]
    palette = [64 * high + low for high, low in zip(head[::2], head[1::2], strict=True)]
    if max(palette) > LEVELS or max(indices) >= count:
        raise StateError("the painted picture has a value that no pixel can have")
    return tuple(palette[i] / LEVELS for i in indices)


def _kindly_decode(text: str, known_case: bool) -> tuple[Pixels, bool]:
    """The picture in a text that programs may have broken or added to, and whether it is surely the one that was sent."""
    letters = "".join(letter for letter in text if letter in _DIGIT)
    length = 2 * _DIGIT[letters[0]] + 67 if letters else 0
    if not letters[length:].strip("-_"):  # marks that are letters too
        letters = letters[:length]
    pixels = decode(letters)
    return pixels, encode(pixels) == letters and (known_case or letters != letters.upper())


def pattern_name(pixels: Pixels) -> str | None:
    """The pattern that has exactly these pixels, if one does."""
    return next((name for name, picture in PATTERNS.items() if tuple(picture.ravel().tolist()) == pixels), None)


def _shown(value: object) -> str:
    """A refused value, short enough for a message, whatever it is."""
    if isinstance(value, int) and abs(value) >= 10**15:
        return "a huge number"
    short = reprlib.Repr()
    short.maxlevel, short.maxlist, short.maxdict, short.maxstring = 2, 3, 2, 36
    return short.repr(value)
