"""Reads lessons: Markdown files with YAML front matter. Each problem is one sentence that names file, step and what is wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import orjson
import yaml
from markdown_it import MarkdownIt

from explorer.lessons.lesson import CONTROLS, MAPS, Choice, Lesson, Mark, Step
from explorer.lessons.predicates import wrong_with
from explorer.link import read_link
from explorer.state import State, Zoo, shown

TEXTS = Path(__file__).parent / "texts"
MAX_SIZE = 60_000  # bytes of a file
MAX_TEXT = 1_500  # characters of one text
MAX_STEPS = 20
MAX_MARKED = 32
NAME = re.compile(r"(?:\d+-)?([a-z0-9]+(?:-[a-z0-9]+)*)", re.ASCII)
STEP_KEYS = ("title", "start", "points", "text", "predict", "choices", "mark", "task", "done", "reveal", "explain")
LESSON_KEYS = ("title", "minutes", "steps")
OF_LESSON = ("lesson", "lesson_step", "hide")  # fields of the state that a start does not set

_markdown = MarkdownIt("commonmark", {"html": False}).disable("image")  # HTML in a text is shown, not run


class LessonError(ValueError):
    """A lesson cannot be used; the message is one sentence that names the file, the step and what is wrong."""


def read_lessons(folder: Path, zoo: Zoo, *, own: bool = False) -> dict[str, Lesson]:
    """The lessons of a folder by name, in the order of the files' names: ``02-walk-the-path.md`` is ``walk-the-path``.

    Args:
        folder: with one ``.md`` file for each lesson; README.md is left out.
        zoo: the networks that lessons may name.
        own: whether it is a teacher's own folder.

    Raises:
        LessonError: the first problem found.
    """
    lessons: dict[str, Lesson] = {}
    for path in _files(folder):
        lesson = read_lesson(path, zoo, own=own)
        if lesson.name in lessons:
            raise LessonError(f"{path.name}: another file is the lesson {lesson.name!r} already.")
        lessons[lesson.name] = lesson
    return lessons


def problems(folder: Path, zoo: Zoo) -> list[str]:
    """The first problem of each lesson in a folder, as sentences."""
    found, names = [], set[str]()
    for path in _files(folder):
        try:
            name = read_lesson(path, zoo).name
            if name in names:
                found.append(f"{path.name}: another file is the lesson {name!r} already.")
            names.add(name)
        except LessonError as wrong:
            found.append(str(wrong))
    return found


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*.md") if path.name.lower() != "readme.md" and not path.name.startswith("."))


def read_lesson(path: Path, zoo: Zoo, *, own: bool = False) -> Lesson:
    """The lesson in a file.

    Raises:
        LessonError: the first thing that is wrong with it.
    """
    try:
        return _read(path, zoo, own)
    except _Wrong as wrong:
        raise LessonError(f"{path.name}{wrong}.") from None


def page_data(lessons: Mapping[str, Lesson]) -> bytes:
    """What the page needs of the lessons, as JSON."""
    data = {name: {key: value for key, value in asdict(lesson).items() if key != "name"} for name, lesson in lessons.items()}
    return orjson.dumps({"lessons": data, "controls": {name: selector for name, (selector, _) in CONTROLS.items()}})


class _Wrong(Exception):
    """What is wrong, after the file's name: ``: …`` or ``, step 2: …``."""


def _read(path: Path, zoo: Zoo, own: bool) -> Lesson:
    if not (name := NAME.fullmatch(path.stem)) or len(name[1]) > 40:
        raise _Wrong(": the file's name must be small letters, digits and hyphens, at most 40, as in 02-walk-the-path.md")
    front, body = _parts(path)
    _only_known(front, LESSON_KEYS, "")
    minutes, steps = front.get("minutes"), front.get("steps")
    title = _plain(front, "title", "")
    if isinstance(minutes, bool) or not isinstance(minutes, int) or not 1 <= minutes <= 180:
        raise _Wrong(f": 'minutes' must be a whole number from 1 to 180, not {shown(minutes)}")
    if not isinstance(steps, list) or not 1 <= len(steps) <= MAX_STEPS:
        raise _Wrong(f": 'steps' must be a list of 1 to {MAX_STEPS} steps")
    read = tuple(_step(step, f", step {number}", zoo) for number, step in enumerate(steps, 1))
    if read[0].start is None:
        raise _Wrong(", step 1: 'start' is missing, the link of the state that the lesson begins with, such as '?v=2'")
    return Lesson(name[1], title, minutes, _html(body[:MAX_TEXT]), read, own)


def _parts(path: Path) -> tuple[dict[Any, Any], str]:
    """The front matter, and the Markdown after it."""
    try:
        content = path.read_bytes()
        text = content.decode("utf-8-sig").replace("\r\n", "\n")
    except (OSError, UnicodeDecodeError):
        raise _Wrong(": the file cannot be read as UTF-8 text") from None
    if len(content) > MAX_SIZE:
        raise _Wrong(f": the file is larger than {MAX_SIZE:,} bytes")
    found = re.fullmatch(r"---[ \t]*\n(.*?\n)---[ \t]*(?:\n(.*))?", text, re.DOTALL)
    if not found:
        raise _Wrong(": the file must begin with a line '---', then YAML, then another line '---'")
    try:
        front = yaml.safe_load(found[1])
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 2}" if mark else ""
        problem = " ".join(str(getattr(error, "problem", None) or "it cannot be read").split())
        hint = "; put quotes around a text that has a colon, or write it after '|' in lines of its own" if "mapping values" in problem else ""
        raise _Wrong(f": the YAML is wrong{where}: {problem}{hint}") from None
    if not isinstance(front, dict):
        raise _Wrong(": the YAML must hold 'title', 'minutes' and 'steps'")
    return front, (found[2] or "").strip()


def _step(given: object, where: str, zoo: Zoo) -> Step:
    if not isinstance(given, dict):
        raise _Wrong(f"{where}: a step must be a mapping of keys to values")
    _only_known(given, STEP_KEYS, where)
    points = given.get("points")
    if points is not None and not (isinstance(points, str) and points in CONTROLS):
        near = get_close_matches(str(points), CONTROLS, 1)
        raise _Wrong(f"{where}: there is no control {shown(points)} to point at" + (f"; perhaps {near[0]!r} is meant" if near else ""))
    mark = _mark(given.get("mark"), where)
    choices = tuple(_choices(given.get("choices"), where))
    if mark and choices:
        raise _Wrong(f"{where}: a step has either 'choices' or 'mark', not both")
    if bool(choices) != bool(given.get("predict")) and not mark:
        raise _Wrong(f"{where}: 'predict' and 'choices' belong together")
    done = given.get("done")
    if reason := wrong_with(done, zoo):
        raise _Wrong(f"{where}: {reason}")
    assert isinstance(done, dict)
    if "marked" in done and not mark:
        raise _Wrong(f"{where}: the predicate 'marked' needs 'mark', as in mark: {{map: integrated_gradients, pixels: 8}}")
    return Step(
        title=_plain(given, "title", where),
        start=_start(given.get("start"), where, zoo),
        points=points or "",
        text=_text(given, "text", where, needed=False),
        predict=_text(given, "predict", where, needed=bool(mark)),
        choices=choices,
        mark=mark,
        task=_text(given, "task", where, needed=not (mark and done.keys() == {"marked"})),
        done={name: dict(arguments or {}) for name, arguments in done.items()},
        reveal=_text(given, "reveal", where, needed=True),
        explain=_text(given, "explain", where, needed=True),
    )


def _start(link: object, where: str, zoo: Zoo) -> dict[str, Any] | None:
    """What the state of a link has other than the defaults."""
    if link is None:
        return None
    if not isinstance(link, str):
        raise _Wrong(f"{where}: 'start' must be a link in quotes, such as '?p=ring&v=2', not {shown(link)}")
    query = link[link.index("?") :] if "?" in link else link
    state, notices = read_link(query, zoo)
    if notices:
        raise _Wrong(f"{where}: the link of 'start' does not work: {notices[0].removesuffix('.')}")
    if "v=" not in query:
        raise _Wrong(f"{where}: the link of 'start' must end in its version, as in '?p=ring&v=2'")
    usual, chosen = State().to_json(), state.to_json()
    if any(chosen[name] != usual[name] for name in OF_LESSON):
        raise _Wrong(f"{where}: the link of 'start' must not have 'lesson', 'step' or 'hide'")
    return {name: value for name, value in chosen.items() if value != usual[name]}


def _choices(given: object, where: str) -> Iterator[Choice]:
    if given is None:
        return
    if not isinstance(given, list) or not 2 <= len(given) <= 5:
        raise _Wrong(f"{where}: 'choices' must be a list of 2 to 5 choices")
    for number, choice in enumerate(given, 1):
        place = f"{where}, choice {number}"
        if not isinstance(choice, dict):
            raise _Wrong(f"{place}: a choice must have 'text', and 'right: true' or 'feedback'")
        _only_known(choice, ("text", "right", "feedback"), place)
        right = choice.get("right", False)
        if not isinstance(right, bool):
            raise _Wrong(f"{place}: 'right' must be true or false, not {shown(right)}")
        yield Choice(_text(choice, "text", place, needed=True, inline=True), right, _text(choice, "feedback", place, needed=not right, inline=True))
    if sum(choice.get("right", False) for choice in given) != 1:
        raise _Wrong(f"{where}: exactly one choice must have 'right: true'")


def _mark(given: object, where: str) -> Mark | None:
    match given:
        case None:
            return None
        case {"map": str() as name, "pixels": int() as pixels, **more} if not more and name in MAPS and not isinstance(pixels, bool) and 1 <= pixels <= MAX_MARKED:
            return Mark(name, pixels)
    raise _Wrong(f"{where}: 'mark' must have a 'map', one of {', '.join(MAPS)}, and 'pixels', a whole number from 1 to {MAX_MARKED}")


def _only_known(given: Mapping[Any, Any], keys: tuple[str, ...], where: str) -> None:
    for key in given:
        if key not in keys:
            near = get_close_matches(str(key), keys, 1)
            raise _Wrong(f"{where}: {shown(key)} is not known here" + (f"; perhaps {near[0]!r} is meant" if near else f"; known are {', '.join(keys)}"))


def _plain(given: Mapping[Any, Any], key: str, where: str) -> str:
    value = given.get(key)
    if not isinstance(value, str) or not value.strip() or len(value) > 100:
        raise _Wrong(f"{where}: {key!r} must be a text of 1 to 100 characters, not {shown(value)}")
    return value.strip()


def _text(given: Mapping[Any, Any], key: str, where: str, *, needed: bool, inline: bool = False) -> str:
    """A text as HTML."""
    value = given.get(key)
    if value is None and not needed:
        return ""
    if value is None:
        raise _Wrong(f"{where}: {key!r} is missing")
    if not isinstance(value, str) or not value.strip() or len(value) > MAX_TEXT:
        raise _Wrong(f"{where}: {key!r} must be a text of 1 to {MAX_TEXT:,} characters, not {shown(value)}")
    return _html(value, inline=inline)


def _html(text: str, *, inline: bool = False) -> str:
    html: str = _markdown.renderInline(text.strip()) if inline else _markdown.render(text.strip())
    return html.strip().replace("<a href=", '<a target="_blank" rel="noopener noreferrer" href=')
