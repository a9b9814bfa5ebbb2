"""Reads the YAML of a lesson, and says what is wrong in it in the words of who wrote it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import yaml

# a part of what the parser says: what the writer can do
HINTS: Mapping[str, str] = MappingProxyType(
    {
        "'\\t'": "indent with spaces, not with the tab key",
        "mapping values are not allowed": "put quotes around a text that has a colon, or write it after '|' in lines of its own",
        "could not find expected ':'": "each line needs a key and a colon; the lines of a text after '|' need more spaces before them than its key",
        "expected <block end>": "the keys of a step must begin at the same column",
        "alphabetic or numeric": "put quotes around a text that begins with a sign such as *, & or !",
        "cannot start any token": "put quotes around a text that begins with a sign such as % or @",
    }
)
FIRST_LINE = 2  # of the YAML, in its file


class FrontError(ValueError):
    """The YAML cannot be read; the message is a clause that names the line."""


class _Loader(yaml.SafeLoader):  # type: ignore[misc]  # yaml has no types
    """Refuses a key that stands twice: YAML itself keeps the last one and says nothing."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        lines: dict[str, int] = {}
        for key, _ in node.value:
            line = key.start_mark.line + FIRST_LINE
            if isinstance(key, yaml.ScalarNode):
                if key.value in lines:
                    raise FrontError(f"{key.value!r} in line {line} stands in line {lines[key.value]} already")
                lines[key.value] = line
        return super().construct_mapping(node, deep)


def read_front(text: str) -> object:
    """What the YAML holds.

    Raises:
        FrontError: it cannot be read.
    """
    try:
        return yaml.load(text, _Loader)
    except FrontError:
        raise
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise FrontError(_said(error)) from None


def _said(error: Exception) -> str:
    problem = " ".join(str(getattr(error, "problem", None) or "it cannot be read").split())
    mark, context = getattr(error, "problem_mark", None), getattr(error, "context", None)
    if context == "while scanning a quoted scalar":  # the parser notices it at the end of the file only
        return f"the YAML is wrong: the quotes that open in line {error.context_mark.line + FIRST_LINE} are not closed"  # type: ignore[attr-defined]
    where = f" in line {mark.line + FIRST_LINE}" if mark else ""
    hint = next((f"; {hint}" for part, hint in HINTS.items() if part in problem), "")
    return f"the YAML is wrong{where}: {problem}{hint}"
