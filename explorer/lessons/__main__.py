"""``python -m explorer.lessons FOLDER`` checks the lessons of a folder."""

from __future__ import annotations

import sys
from pathlib import Path

from explorer.lessons import problems, read_lessons
from explorer.models import load_zoo


def main(arguments: list[str]) -> int:
    """Print what is wrong, or which lessons there are; returns the exit code."""
    if len(arguments) != 1 or not Path(arguments[0]).is_dir():
        print("Usage: python -m explorer.lessons FOLDER", file=sys.stderr)
        return 2
    folder, zoo = Path(arguments[0]), load_zoo()
    if found := problems(folder, zoo):
        print(*found, sep="\n", file=sys.stderr)
        return 1
    lessons = read_lessons(folder, zoo)
    print(*(f"{name}: {lesson.title}, {len(lesson.steps)} steps" for name, lesson in lessons.items()), sep="\n")
    print(f"{len(lessons)} lessons, nothing wrong.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
