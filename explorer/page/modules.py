"""Joins the page's ES modules into one file: over HTTP/1.1 every file costs a weak network a round trip.

Only the forms of import and export that the modules use are known; any other is an error.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path

IMPORT = re.compile(r'^import (?:\* as (\w+)|(\{\s*\w+(?:,\s*\w+)*,?\s*\})) from "([^"]+)";$', re.MULTILINE)
EXPORT = re.compile(r"^export ((?:async )?(?:function|const|class) (\w+))", re.MULTILINE)
REEXPORT = re.compile(r'^export (?:\{ (\w+) \}|\* as (\w+)) from "([^"]+)";$', re.MULTILINE)
COMMENT = re.compile(r"^ *(?://[^\n]*|/\*\*(?:(?!\*/).)*\*/)\n", re.MULTILINE | re.DOTALL)  # on lines of its own: a fifth of what would be sent
OTHER = re.compile(r"^(?:import|export)\b.*", re.MULTILINE)


def joined(folder: Path, entry: str) -> str:
    """An ES module that exports ``modules``: what each module exports, by its path in ``folder``.

    Args:
        folder: that they lie in.
        entry: the path of the module from which all others are imported.

    Raises:
        ValueError: the imports form a cycle, or have a form that is not known.
    """
    done: dict[str, str] = {}
    _add(folder, entry, done, ())
    listed = ", ".join(f'"{name}": {_variable(name)}' for name in done)
    return "\n".join([*done.values(), f"export const modules = {{ {listed} }};\n"])


def _add(folder: Path, name: str, done: dict[str, str], importing: tuple[str, ...]) -> None:
    """Add a module after those that it imports, as a function that returns what it exports and is called once."""
    if name in importing:
        raise ValueError(f"a cycle of imports: {' → '.join([*importing, name])}")
    text = COMMENT.sub("", (folder / name).read_text(encoding="utf-8"))

    def variable(source: str) -> str:
        other = posixpath.normpath(posixpath.join(posixpath.dirname(name), source))
        if other not in done:
            _add(folder, other, done, (*importing, name))
        return _variable(other)

    exports = [exported for _, exported in EXPORT.findall(text)]
    exports += [f"{one}: {variable(source)}.{one}" if one else f"{space}: {variable(source)}" for one, space, source in REEXPORT.findall(text)]
    body = IMPORT.sub(lambda found: f"const {found[1] or found[2]} = {variable(found[3])};", text)
    body = EXPORT.sub(r"\1", REEXPORT.sub("", body))
    if unknown := OTHER.search(body):
        raise ValueError(f"{name}: this form of import or export cannot be joined: {unknown[0]}")
    done[name] = f"// {name}\nconst {_variable(name)} = (() => {{\n{body}\nreturn {{ {', '.join(exports)} }};\n}})();"


def _variable(name: str) -> str:
    return "$" + re.sub(r"\W", "_", name.removesuffix(".js"))
