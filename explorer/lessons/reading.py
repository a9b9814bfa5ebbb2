"""Reads lessons: Markdown files with YAML front matter. Each problem is one sentence that names file, step and what is wrong."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar, cast

import orjson
from markdown_it import MarkdownIt

from explorer.lessons.front import FrontError, read_front
from explorer.lessons.lesson import BESIDE, CONTROLS, MAPS, Choice, Lesson, Mark, Step
from explorer.lessons.predicates import wrong_with
from explorer.link import read_link
from explorer.state import State, Zoo, shown

TEXTS = Path(__file__).parent / "texts"
MAX_SIZE = 60_000  # bytes of a file
MAX_TEXT = 1_500  # characters of one text
MAX_STEPS = 20
MAX_MARKED = 32
MISNAMED = re.compile(r"\.(markdown|md\.txt)$", re.IGNORECASE)  # what editors make of .md
NAME = re.compile(r"(?:\d+-)?([a-z0-9]+(?:-[a-z0-9]+)*)", re.ASCII)
STEP_KEYS = ("title", "start", "points", "beside", "text", "predict", "choices", "mark", "task", "done", "reveal", "explain")
LESSON_KEYS = ("title", "minutes", "steps")
REPLACED = "; the default is used instead"  # what a notice of the page ends in: a lesson is refused instead
OF_LESSON = ("lesson", "lesson_step", "hide")  # fields of the state that a start does not set

_markdown = MarkdownIt("commonmark", {"html": False}).disable("image")  # HTML in a text is shown, not run


Read = TypeVar("Read")


class LessonError(ValueError):
    """Lessons cannot be used; each line of the message is one sentence that names the file, the step and what is wrong."""

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def read_lessons(folder: Path, zoo: Zoo, *, own: bool = False) -> dict[str, Lesson]:
    """The lessons of a folder by name, in the order of the files' names: ``02-walk-the-path.md`` is ``walk-the-path``.

    Args:
        folder: with one ``.md`` file for each lesson; README.md is left out.
        zoo: the networks that lessons may name.
        own: whether it is a teacher's own folder.

    Raises:
        LessonError: all problems of all files.
    """
    lessons, found = _read_all(folder, zoo, own)
    if found:
        raise LessonError(*found)
    return lessons


def problems(folder: Path, zoo: Zoo) -> list[str]:
    """All problems of the lessons in a folder, as sentences; a folder without a lesson is one, too."""
    lessons, found = _read_all(folder, zoo, own=True)
    if not lessons and not found:
        return [f"There is no lesson in the folder {str(folder)!r}: a lesson is a file whose name ends in .md."]
    return found


def _read_all(folder: Path, zoo: Zoo, own: bool) -> tuple[dict[str, Lesson], list[str]]:
    """The lessons that can be used, and what is wrong with the others."""
    found = [f"{path.name}: the name of a lesson's file must end in .md, so this one would not be read." for path in sorted(folder.iterdir()) if MISNAMED.search(path.name)]
    lessons: dict[str, Lesson] = {}
    files: dict[str, str] = {}  # by name of the lesson: a file with a fault has a name, too
    for path in sorted(path for path in folder.iterdir() if path.suffix.lower() == ".md" and path.stem.lower() != "readme" and not path.name.startswith(".")):
        try:
            lesson = read_lesson(path, zoo, own=own)
            lessons[lesson.name] = lesson
        except LessonError as wrong:
            found += wrong.problems
        name = NAME.fullmatch(path.stem)
        if name and files.setdefault(name[1], path.name) != path.name:
            found.append(f"{path.name}: the file {files[name[1]]} is the lesson {name[1]!r} already, so give one of them another name.")
    return lessons, found


def read_lesson(path: Path, zoo: Zoo, *, own: bool = False) -> Lesson:
    """The lesson in a file.

    Raises:
        LessonError: all that is wrong with it.
    """
    try:
        return _read(path, zoo, own)
    except _Wrong as wrong:
        raise LessonError(*(f"{path.name}{reason}." for reason in wrong.args)) from None


def page_data(lessons: Mapping[str, Lesson]) -> bytes:
    """What the page needs of the lessons, as JSON."""
    data = {name: {key: value for key, value in asdict(lesson).items() if key != "name"} for name, lesson in lessons.items()}
    return orjson.dumps({"lessons": data, "controls": {name: selector for name, (selector, _) in CONTROLS.items()}})


class _Wrong(Exception):
    """What is wrong, each after the file's name: ``: …`` or ``, step 2: …``."""


def _tried(faults: list[str], read: Callable[..., Read], *given: Any, **named: Any) -> Read:
    """What is read, or None with a fault in the list: then ``_raise_any`` ends the reading before anything is used."""
    try:
        return read(*given, **named)
    except _Wrong as wrong:
        faults += wrong.args
        return cast("Read", None)


def _raise_any(faults: list[str]) -> None:
    if faults:
        raise _Wrong(*faults)


def _read(path: Path, zoo: Zoo, own: bool) -> Lesson:
    faults: list[str] = []
    name = NAME.fullmatch(path.stem)
    if not name or len(name[1]) > 40:
        faults.append(": the file's name must be small letters, digits and hyphens, at most 40, as in 02-walk-the-path.md")
    front, body = _tried(faults, _parts, path) or ({}, "")
    _raise_any(faults)
    assert name
    _tried(faults, _only_known, front, LESSON_KEYS, "")
    title = _tried(faults, _plain, front, "title", "")
    minutes, steps = front.get("minutes"), front.get("steps")
    if isinstance(minutes, bool) or not isinstance(minutes, int) or not 1 <= minutes <= 180:
        faults.append(f": 'minutes' must be a whole number from 1 to 180, not {shown(minutes)}")
    if not isinstance(steps, list) or not 1 <= len(steps) <= MAX_STEPS:
        raise _Wrong(*faults, f": 'steps' must be a list of 1 to {MAX_STEPS} steps")
    read = tuple(_tried(faults, _step, step, f", step {number}", zoo) for number, step in enumerate(steps, 1))
    if isinstance(steps[0], dict) and steps[0].get("start") is None:
        faults.append(", step 1: 'start' is missing, the link of the state that the lesson begins with, such as '?v=2'")
    _raise_any(faults)
    return Lesson(name[1], title, cast("int", minutes), _html(body[:MAX_TEXT]), read, own)


def _parts(path: Path) -> tuple[dict[Any, Any], str]:
    """The front matter, and the Markdown after it."""
    try:
        content = path.read_bytes()
        text = content.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except (OSError, UnicodeDecodeError):
        raise _Wrong(": the file cannot be read as UTF-8 text; save it with the encoding UTF-8") from None
    if len(content) > MAX_SIZE:
        raise _Wrong(f": the file is larger than {MAX_SIZE:,} bytes")
    found = re.fullmatch(r"---[ \t]*\n(.*?\n)---[ \t]*(?:\n(.*))?", text, re.DOTALL)
    if not found:
        raise _Wrong(": the file must begin with a line '---', then YAML, then another line '---'")
    try:
        front = read_front(found[1])
    except FrontError as wrong:
        raise _Wrong(f": {wrong}") from None
    if not isinstance(front, dict):
        raise _Wrong(": the YAML must hold 'title', 'minutes' and 'steps'")
    return front, (found[2] or "").strip()


def _step(given: object, where: str, zoo: Zoo) -> Step:
    if not isinstance(given, dict):
        raise _Wrong(f"{where}: a step must be a mapping of keys to values, as in title: A step")
    faults: list[str] = []
    _tried(faults, _only_known, given, STEP_KEYS, where)
    points, done, asked = given.get("points"), given.get("done"), given.get("mark")
    if points is not None and not (isinstance(points, str) and points in CONTROLS):
        near = get_close_matches(str(points), CONTROLS, 1)
        faults.append(f"{where}: there is no control {shown(points)} to point at" + (f"; perhaps {near[0]!r} is meant" if near else ""))
    if given.get("beside") not in (None, *BESIDE):
        faults.append(f"{where}: 'beside' must be one of {', '.join(BESIDE)}, not {shown(given['beside'])}")
    if asked is not None and given.get("choices") is not None:
        faults.append(f"{where}: a step has either 'choices' or 'mark', not both")
    elif bool(given.get("choices")) != bool(given.get("predict")) and asked is None:
        faults.append(f"{where}: 'predict' and 'choices' belong together")
    faults += [f"{where}: {reason}" for reason in wrong_with(done, zoo)]
    predicates = done if isinstance(done, dict) else {}
    if "marked" in predicates and asked is None:
        faults.append(f"{where}: the predicate 'marked' needs 'mark', as in mark: {{map: integrated_gradients, pixels: 8}}")
    step = Step(
        title=_tried(faults, _plain, given, "title", where),
        start=_tried(faults, _start, given.get("start"), where, zoo),
        points=points or "",
        beside=given.get("beside") or "",
        text=_tried(faults, _text, given, "text", where, needed=False),
        predict=_tried(faults, _text, given, "predict", where, needed=asked is not None),
        choices=_tried(faults, _choices, given.get("choices"), where),
        mark=_tried(faults, _mark, asked, where),
        task=_tried(faults, _text, given, "task", where, needed=not (asked is not None and predicates.keys() == {"marked"})),
        done={name: dict(arguments) if isinstance(arguments, dict) else {} for name, arguments in predicates.items()},
        reveal=_tried(faults, _text, given, "reveal", where, needed=True),
        explain=_tried(faults, _text, given, "explain", where, needed=True),
    )
    if not faults and step.mark and step.start is not None and step.mark.map not in _maps_of(step.start):
        faults.append(f"{where}: 'start' does not show the map {step.mark.map!r} that is to be marked: choose another tab, or pin it to Compare")
    _raise_any(faults)
    return step


def _maps_of(start: Mapping[str, Any]) -> tuple[str, ...]:
    """The maps that the tab of a start shows."""
    state = {**State().to_json(), **start}
    return {"saliency": ("gradient",), "integrated": ("gradient", "integrated_gradients"), "compare": tuple(state["pinned"])}.get(state["tab"], ())


def _start(link: object, where: str, zoo: Zoo) -> dict[str, Any] | None:
    """What the state of a link has other than the defaults."""
    if link is None:
        return None
    if not isinstance(link, str) or "?" not in link:
        raise _Wrong(f"{where}: 'start' must be a link in quotes, such as '?p=ring&v=2', not {shown(link)}")
    query = link[link.index("?") :]
    if not re.search(r"[?&]v=", query):
        raise _Wrong(f"{where}: the link of 'start' must end in its version, as in '?p=ring&v=2'")
    state, notices = read_link(query, zoo)
    if notices:
        raise _Wrong(*(f"{where}: the link of 'start' does not work: {notice.removesuffix('.').removesuffix(REPLACED)}" for notice in notices))
    usual, chosen = State().to_json(), state.to_json()
    if any(chosen[name] != usual[name] for name in OF_LESSON):
        raise _Wrong(f"{where}: the link of 'start' must not have 'lesson', 'step' or 'hide'")
    return {name: value for name, value in chosen.items() if value != usual[name]}


def _choices(given: object, where: str) -> tuple[Choice, ...]:
    if given is None:
        return ()
    if not isinstance(given, list) or not 2 <= len(given) <= 5:
        raise _Wrong(f"{where}: 'choices' must be a list of 2 to 5 choices")
    faults: list[str] = []
    choices = tuple(_tried(faults, _choice, choice, f"{where}, choice {number}") for number, choice in enumerate(given, 1))
    if not faults and sum(choice.right for choice in choices) != 1:
        faults.append(f"{where}: exactly one choice must have 'right: true'")
    _raise_any(faults)
    return choices


def _choice(given: object, place: str) -> Choice:
    if not isinstance(given, dict):
        raise _Wrong(f"{place}: a choice must have 'text', and 'right: true' or 'feedback'")
    faults: list[str] = []
    _tried(faults, _only_known, given, ("text", "right", "feedback"), place)
    right = given.get("right", False)
    if not isinstance(right, bool):
        faults.append(f"{place}: 'right' must be true or false, not {shown(right)}")
    text = _tried(faults, _text, given, "text", place, needed=True, inline=True)
    feedback = _tried(faults, _text, given, "feedback", place, needed=right is False, inline=True)
    _raise_any(faults)
    return Choice(text, bool(right), feedback)


def _mark(given: object, where: str) -> Mark | None:
    match given:
        case None:
            return None
        case {"map": str() as name, "pixels": int() as pixels, **more} if not more and name in MAPS and not isinstance(pixels, bool) and 1 <= pixels <= MAX_MARKED:
            return Mark(name, pixels)
    raise _Wrong(f"{where}: 'mark' must have a 'map', one of {', '.join(MAPS)}, and 'pixels', a whole number from 1 to {MAX_MARKED}")


def _only_known(given: Mapping[Any, Any], keys: tuple[str, ...], where: str) -> None:
    faults = []
    for key in given:
        if key not in keys:
            near = get_close_matches(str(key), keys, 1)
            faults.append(f"{where}: {shown(key)} is not known here" + (f"; perhaps {near[0]!r} is meant" if near else f"; known are {', '.join(keys)}"))
    _raise_any(faults)


def _plain(given: Mapping[Any, Any], key: str, where: str) -> str:
    value = given.get(key)
    if not isinstance(value, str) or not value.strip() or len(value) > 100:
        raise _Wrong(f"{where}: {key!r} must be a text of 1 to 100 characters, not {_unquoted(value)}")
    return value.strip()


def _text(given: Mapping[Any, Any], key: str, where: str, *, needed: bool, inline: bool = False) -> str:
    """A text as HTML."""
    value = given.get(key)
    if value is None and not needed:
        return ""
    if value is None:
        raise _Wrong(f"{where}: {key!r} is missing")
    if not isinstance(value, str) or not value.strip() or len(value) > MAX_TEXT:
        raise _Wrong(f"{where}: {key!r} must be a text of 1 to {MAX_TEXT:,} characters, not {_unquoted(value)}")
    return _html(value, inline=inline)


def _unquoted(value: object) -> str:
    """A value that is no text, and what to do if it was meant as one: YAML reads 2024, yes and 1.5 as something else."""
    return shown(value) + ("; put quotes around it" if isinstance(value, bool | int | float | date) else "")


def _html(text: str, *, inline: bool = False) -> str:
    html: str = _markdown.renderInline(text.strip()) if inline else _markdown.render(text.strip())
    return html.strip().replace("<a href=", '<a target="_blank" rel="noopener noreferrer" href=')
