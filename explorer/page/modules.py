"""Joins the page's ES modules into few files: over HTTP/1.1 every file costs a weak network a round trip.

What a module imports when it is needed, ``import("./labs/registry.js")``, is joined into a file of its own with what only it needs.
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
LATER = re.compile(r'\bimport\("([^"]+)"\)')
OTHER = re.compile(r"^(?:import|export)\b.*", re.MULTILINE)


def joined(folder: Path, entry: str, name: str) -> dict[str, str]:
    """ES modules that export ``modules``: what each module exports, by its path in ``folder``.

    Args:
        folder: that they lie in.
        entry: the path of the module from which all others are imported.
        name: of the first file. One for modules that are imported later has the name of their folder, and imports the first.

    Returns:
        The content of each file, by its name.

    Raises:
        ValueError: the imports form a cycle, or have a form that is not known.
    """
    first: dict[str, str] = {}
    later: dict[str, str] = {}  # path of what is imported when it is needed: name of its file
    _add(folder, entry, first, (), later)
    files = {name: _file(first)}
    for path, own_name in later.items():
        known = dict(first)
        _add(folder, path, known, (), {})
        own = {module: text for module, text in known.items() if module not in first}
        shared = "".join(f'const {_variable(module)} = modules["{module}"];\n' for module in first)
        text = "\n".join(own.values())
        files[own_name] = f'import {{ modules }} from "./{name}";\n{shared}{text}\nexport const entry = {_variable(path)};\n'
    return files


def _file(done: dict[str, str]) -> str:
    listed = ", ".join(f'"{name}": {_variable(name)}' for name in done)
    return "\n".join([*done.values(), f"export const modules = {{ {listed} }};\n"])


def _add(folder: Path, name: str, done: dict[str, str], importing: tuple[str, ...], later: dict[str, str]) -> None:
    """Add a module after those that it imports, as a function that returns what it exports and is called once."""
    if name in importing:
        raise ValueError(f"a cycle of imports: {' → '.join([*importing, name])}")
    text = COMMENT.sub("", (folder / name).read_text(encoding="utf-8"))

    def path_of(source: str) -> str:
        return posixpath.normpath(posixpath.join(posixpath.dirname(name), source))

    def variable(source: str) -> str:
        other = path_of(source)
        if other not in done:
            _add(folder, other, done, (*importing, name), later)
        return _variable(other)

    def when_needed(found: re.Match[str]) -> str:
        path = path_of(found[1])
        later[path] = f"{posixpath.basename(posixpath.dirname(path))}.js"
        return f'import(new URL("{later[path]}", import.meta.url).href).then(({{ entry }}) => entry)'

    exports = [exported for _, exported in EXPORT.findall(text)]
    exports += [f"{one}: {variable(source)}.{one}" if one else f"{space}: {variable(source)}" for one, space, source in REEXPORT.findall(text)]
    body = IMPORT.sub(lambda found: f"const {found[1] or found[2]} = {variable(found[3])};", text)
    body = LATER.sub(when_needed, EXPORT.sub(r"\1", REEXPORT.sub("", body)))
    if unknown := OTHER.search(body):
        raise ValueError(f"{name}: this form of import or export cannot be joined: {unknown[0]}")
    done[name] = f"// {name}\nconst {_variable(name)} = (() => {{\n{body}\nreturn {{ {', '.join(exports)} }};\n}})();"


def _variable(name: str) -> str:
    return "$" + re.sub(r"\W", "_", name.removesuffix(".js"))
