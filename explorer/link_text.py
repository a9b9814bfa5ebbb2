"""A link as text: what mail, chat and office programs do to one is undone here, before its values are looked at."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import islice
from urllib.parse import unquote

MAX_PARTS = 100
LAYERS = 8  # how often an escape may be escaped again; also bounds the work
DASHES = dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2212"), "-")
ENTITY = re.compile(r"&(?:#\d+|#x[\da-f]+|[a-z][a-z\d]*);", re.IGNORECASE)
HALVES = frozenset("38 x26 nbsp quot apos lt gt shy zwj zwnj lsquo rsquo ldquo rdquo laquo raquo hellip".split())  # of entities
SEPARATOR = re.compile("[=?&#;]")
SEPARATOR_IN_VALUE = re.compile("[?&#;]")
LINE_BREAKS = dict.fromkeys([*range(33), 127, ord("+"), ord(">")])  # > marks quoted lines of a mail
INVISIBLE = ("Cc", "Cf", "Zs", "Zl", "Zp")  # controls, characters of no width, white space


@dataclass(frozen=True, slots=True)
class Part:
    """One ``key=value`` of a link, without escapes; the value is None where there is no ``=``."""

    key: str
    value: str | None


@dataclass(frozen=True, slots=True)
class Link:
    """What stands in a link.

    Attributes:
        ours: field → the first part that is one of its keys.
        others: the parts with other keys.
        twice: keys of later parts that say otherwise than the first of their field.
        whole: whether these are all; there are at most ``MAX_PARTS``.
    """

    ours: Mapping[str, Part]
    others: tuple[Part, ...]
    twice: tuple[str, ...]
    whole: bool


def read(text: str, fields: Mapping[str, str]) -> Link:
    """The parts of a query, a fragment or both; ``fields`` says which field each key, in small letters, belongs to.

    What is escaped as a whole is read as if it were not. Inside a value this holds for the keys in ``fields`` alone, whose
    values never contain a separator; what others append stays theirs.
    """
    text = re.sub(r"#[\w.-]*\Z", "", text)  # a place within the page
    ours: dict[str, Part] = {}
    others, twice = [], []
    found = list(islice(_split(text, fields, LAYERS), MAX_PARTS + 1))
    for part in found[:MAX_PARTS]:
        field = fields.get(part.key.lower())
        if field is None:
            others.append(part)
        elif word(part.value or "") != word(ours.setdefault(field, part).value or ""):
            twice.append(part.key.lower())
    return Link(ours, tuple(part for part in others if part.key), tuple(twice), len(found) <= MAX_PARTS)


def word(value: str) -> str:
    """A value without what programs add to it, in small letters: line breaks, quotes, marks of a sentence around it."""
    text = re.sub("[=!|]", "", value)
    start, end = 0, len(text)
    while start < end and text[start] != "-" and _is_mark(text[start]):
        start += 1
    while start < end and _is_mark(text[end - 1]):
        end -= 1
    return text[start:end].lower()


def resembles(part: Part, names: Collection[str], surely: bool) -> bool:
    """Whether a part with another key was perhaps one of ``names``; ``surely`` when the rest of the link has a version."""
    key, value = part.key.lower().rstrip("_"), part.value or ""
    inside = "|".join(name for name in names if surely or len(name) > 1)
    if key in names or re.search(f"(?:^|[?&#;])(?:{inside})=", value, re.IGNORECASE):
        return True
    torn = part.value is None or "=" in value.rstrip("=")
    return (torn and (surely or any(name.startswith(key) for name in names))) or (
        surely and len(key) > 2 and bool(get_close_matches(key, names, cutoff=0.75))
    )


def is_cut(text: str) -> bool:
    """Whether a link ends as one that was cut off: in an ellipsis, or where another part should follow."""
    end = _unescaped(text[-1000:])[-32:]
    start = len(end)
    while start and (_is_mark(end[start - 1]) or not _visible(end[start - 1])):
        start -= 1
    return any(mark in end[start:] for mark in ("…", "...", "&"))


def _split(text: str, fields: Mapping[str, str], layers: int) -> Iterator[Part]:
    text = _without_entities(_visible(_without_soft_breaks(text)))
    for piece in re.split("[?&#]", text):
        key, equals, value = piece.partition("=")
        name = re.sub(r"\A(?:amp)+|[^\w.-]", "", _unescaped(key)).strip(".-")  # of &amp without its semicolon
        if layers and (inner := _until(SEPARATOR, key)):
            yield from _split(inner.replace(";", "&") + equals + value, fields, layers - 1)
        elif layers and name.lower() in fields and (inner := _until(SEPARATOR_IN_VALUE, value)):
            yield from _split(f"{name}={inner.replace(';', '&')}", fields, layers - 1)
        elif layers and not name:
            yield from _split(value, fields, layers - 1) if value else ()
        elif equals or name not in HALVES:
            yield Part(name, _unescaped(value).translate(DASHES) if equals else None)


def _until(sought: re.Pattern[str], text: str) -> str:
    """The text unescaped until something appears in it; "" where that never does."""
    for _ in range(LAYERS):
        if sought.search(text):
            return text
        if "%" not in text:
            break
        text = _visible(unquote(text))
    return ""


def _unescaped(text: str) -> str:
    for _ in range(LAYERS):
        plain = _without_entities(_visible(unquote(text)))
        if plain == text:
            break
        text = plain
    return text


def _without_entities(text: str) -> str:
    for _ in range(LAYERS):
        plain = ENTITY.sub(lambda entity: html.unescape(entity[0]), text)
        if plain == text:
            break
        text = plain
    return text


def _without_soft_breaks(text: str) -> str:
    """Quoted-printable undone, where the version shows that it is: ``=3D`` is ``=``, any other ``=`` ends a line."""
    if not re.search(r"(?:^|[?&#;])v=[=\s]*3d", text, re.IGNORECASE):
        return text
    text = re.sub(r"=[ \t]*[\r\n]\s*", "", text)
    text = re.sub(r"(?:=[89A-F][\dA-F]){2,}", lambda run: bytes.fromhex(run[0].replace("=", "")).decode(errors="replace"), text)
    return re.sub("=3d", "=", re.sub("=(?!3d)", "", text, flags=re.IGNORECASE), flags=re.IGNORECASE)


def _visible(text: str) -> str:
    """The text without what a line break or its mark may be, and without characters of no width."""
    text = text.translate(LINE_BREAKS)
    if text.isascii():
        return text
    return "".join(c for c in text if unicodedata.category(c) not in INVISIBLE and not "\ufe00" <= c <= "\ufe0f")


def _is_mark(character: str) -> bool:
    return unicodedata.category(character)[0] in "PS"
