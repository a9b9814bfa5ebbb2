"""``python -m explorer.lessons FOLDER`` checks the lessons of a folder."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from explorer.lessons import TEXTS, problems, read_lessons
from explorer.models import load_zoo
from explorer.own.load import load_added
from explorer.own.named import NetworkFileError


def counted(number: int, noun: str) -> str:
    """As in ``1 step`` and ``4 steps``."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def main(arguments: list[str]) -> int:
    """Print what is wrong, or which lessons there are; returns the exit code."""
    if len(arguments) != 1 or arguments[0].startswith("-"):
        print("Usage: python -m explorer.lessons FOLDER", file=sys.stderr)
        return 2
    folder = Path(arguments[0])
    if not folder.is_dir():
        print(f"There is no folder {arguments[0]!r}.", file=sys.stderr)
        return 2
    try:
        zoo = load_zoo()
        zoo = {**zoo, **load_added(os.environ, zoo)}  # a lesson may name a network of the teacher's own
    except NetworkFileError as wrong:
        print(wrong, file=sys.stderr)
        return 1
    if found := problems(folder, zoo):
        print(*found, sep="\n", file=sys.stderr)
        return 1
    shipped = {} if folder.samefile(TEXTS) else read_lessons(TEXTS, zoo)
    lessons = read_lessons(folder, zoo)
    for name, lesson in lessons.items():
        print(f"?lesson={name}&v=2: {lesson.title}, {counted(len(lesson.steps), 'step')}" + (", in place of the explorer's own" if name in shipped else ""))
    print(f"{counted(len(lessons), 'lesson')}, nothing wrong.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
