"""Links are read kindly: what is wrong in one gets a notice and its default, the rest is kept. Only the page writes them.

A link holds what differs from the defaults, one short key each (``KEYS``), and ``v=2`` at its end, so that one that was cut
off is known. The defaults are part of a version: a changed default needs the next. Links of version 1 keep their numbers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import reduce
from operator import getitem
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError

from explorer import link_text
from explorer.attribution import METHODS
from explorer.hiding import HIDEABLE
from explorer.labs import LABS
from explorer.link_picture import decode
from explorer.link_text import Part
from explorer.pictures import PATTERNS
from explorer.state import Pixels, State, StateError, Zoo, sentences, shown

VERSION = "2"
PAINTED = "px"  # the key of a painted picture
MAX_QUERY = 4_000  # two painted pictures and an option for every setting of every method take some 3,100
TOO_LONG = f"The link is longer than {MAX_QUERY:,} characters or {link_text.MAX_PARTS} parts: the opening state is shown."
KEYS: Mapping[str, str] = MappingProxyType(
    {
        "pixels": "p",  # the name of a pattern; see PAINTED
        "network": "net",
        "target": "class",
        "output": "out",
        "baseline": "base",
        "baseline_seed": "bseed",
        "drawing": "draw",
        "steps": "m",
        "rule": "rule",
        "samples": "n",
        "noise_level": "noise",
        "seed": "seed",
        "clip": "clip",
        "options": "set",
        "pinned": "pin",
        "tab": "tab",
        "scale": "scale",
        "lab": "lab",
        "lab_settings": "do",
        "lesson": "lesson",
        "lesson_step": "step",
        "hide": "hide",
    }
)
# Version 1: its defaults where today's differ, and what is called otherwise today.
FIRST_DEFAULTS: Mapping[str, Any] = MappingProxyType(
    {
        "network": "shapes-ordinary",
        "target": 0,
        "pinned": ("gradient", "integrated_gradients", "smoothgrad"),
        "tab": "saliency",
        "scale": "own",
    }
)
FIRST_NAMES = {("network", "shapes"): "shapes-ordinary", ("scale", "shared"): "unit"}
FIELDS = {**{key: name for name, key in KEYS.items()}, PAINTED: "pixels", "v": "version"}


def read_link(query: str, zoo: Zoo) -> tuple[State, list[str]]:
    """A state from a link's query, fragment or both, and a notice for each part that was not used as it was meant."""
    if len(query) > 10 * MAX_QUERY:
        return State(), [TOO_LONG]
    names = (*FIELDS, *KEYS)
    found = link_text.read(query, FIELDS)
    ours = dict(found.ours)
    if not found.whole or sum(len(part.key) + len(part.value or "") for part in ours.values()) > MAX_QUERY:
        return State(), [TOO_LONG]
    version = ours.pop("version", None)
    reasons = [f"{shown(part.key)} is no setting of this explorer" for part in found.others if link_text.resembles(part, names, bool(version))]
    number = link_text.word(version.value or "") if version else ""
    if version is None or number not in ("1", VERSION):
        if version is None and not ours and not reasons:
            return State(), []  # only parameters of others, such as a tracker's
        said = shown(version.value or "") if version else ""
        was = f"is of version {said}, not 1 or {VERSION}" if version else "has no version, as one that was cut off"
        return State(), [f"The link {was}: the opening state is shown."]
    notices = [f"The link has {key!r} more than once: the first is used." for key in found.twice]
    if link_text.is_cut(query):
        notices.append("The link ends as one that was cut off: the rest of it is used.")
    values: dict[str, Any] = {}
    doing = ours.pop("lab_settings", None)
    for name, part in ours.items():
        text = link_text.word(part.value or "")
        try:
            if name in ("pixels", "drawing"):
                values[name], sure = _picture(part, text)
                notices += [] if sure else [f"The picture in the link's {part.key!r} may be another: its letters were changed."]
            elif name == "options":
                values[name] = _options(text, reasons)
            elif name == "hide":
                values[name] = _groups(text, notices)
            else:
                values[name] = _value(text, 0 if name == "target" else State.model_fields[name].default)
        except StateError as wrong:
            reasons.append(str(wrong))
    _check_lab(values, link_text.word(doing.value or "") if doing else "", reasons)
    defaults: Mapping[str, Any] = {}
    if number == "1":
        defaults = FIRST_DEFAULTS
        values |= {name: new for (name, old), new in FIRST_NAMES.items() if values.get(name) == old}
    state = _without_what_is_wrong(values, defaults, zoo, reasons)
    return state, notices + [f"In the link, {reason}; the default is used instead." for reason in reasons]


def _without_what_is_wrong(values: dict[str, Any], defaults: Mapping[str, Any], zoo: Zoo, reasons: list[str]) -> State:
    """The state of the values that can be kept; why the others cannot is added to the reasons."""
    while True:
        try:
            return State.model_validate({**defaults, **values}, context=zoo)
        except ValidationError as wrong:
            for (*outer, name), reason in sentences(wrong).items():
                reasons.append(reason)
                del reduce(getitem, outer, values)[name]


def _picture(part: Part, text: str) -> tuple[Pixels, bool]:
    """The picture, and whether it is surely the one that was sent."""
    if text in PATTERNS:
        return tuple(PATTERNS[text].ravel().tolist()), True
    if part.key.lower() == KEYS["pixels"]:
        raise StateError(f"the pattern must be one of {', '.join(PATTERNS)}, not {shown(text)}")
    return decode(part.value or "", known_case=part.key.islower())


def _options(text: str, reasons: list[str]) -> dict[str, dict[str, Any]]:
    """The options in ``lime.samples:300,lrp_epsilon.epsilon:0.5``."""
    options: dict[str, dict[str, Any]] = {}
    for part in text.split(","):
        if found := re.fullmatch(r"(\w+)\.(\w+):([-\w.]+)", part, re.ASCII):
            method, name, value = found.groups()
            settings = METHODS[method].settings if method in METHODS else ()
            default = next((setting.default for setting in settings if setting.name == name), "")
            options.setdefault(method, {})[name] = _value(value, default)
        else:
            reasons.append(f"the option {shown(part)} is not written as method.setting:value")
    return options


def _groups(text: str, notices: list[str]) -> list[str]:
    """The groups of controls to hide; a teacher's slip in one name does not show all the others."""
    names = dict.fromkeys(name.strip() for name in text.split(","))
    notices += [f"The link cannot hide {shown(name)}: it can hide {', '.join(HIDEABLE)}." for name in names if name not in HIDEABLE]
    return [name for name in names if name in HIDEABLE]


def _check_lab(values: dict[str, Any], settings: str, reasons: list[str]) -> None:
    """Read the settings of the lab, as in ``layers:2,kind:cascading``, into the values; what is wrong goes, with a reason."""
    name = values.get("lab", "")
    if name and name not in LABS:
        reasons.append(f"the lab must be one of {', '.join(LABS)}, not {shown(name)}")
        del values["lab"]
    elif settings and not name:
        reasons.append("there are settings of a lab, but no lab")
    elif settings:
        known = {setting.name: setting for setting in LABS[name].settings}
        values["lab_settings"] = {}
        for part in settings.split(","):
            key, _, value = part.partition(":")
            try:
                if key not in known:
                    raise ValueError(f"it has no setting {shown(key)}")
                values["lab_settings"][key] = known[key].check(_value(value, known[key].default))
            except ValueError as wrong:
                reasons.append(f"{LABS[name].title}: {wrong}")


def _value(text: str, default: object) -> Any:
    """The text as a value of the default's type; text that is none stays text, for the state to refuse."""
    match default:
        case bool():
            return {"1": True, "0": False}.get(text, text)
        case int() if re.fullmatch(r"\d{1,10}", text, re.ASCII):
            return int(text)
        case float() if re.fullmatch(r"(0|[1-9]\d{0,19})(\.\d{1,40})?(e[-+]?\d{1,3})?", text, re.ASCII):
            return float(text)
        case tuple():
            return text.split(",")
    return text
