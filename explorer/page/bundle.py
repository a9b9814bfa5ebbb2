"""The files that the page consists of: Dash's page names some thirty, here they are joined into a few, in Dash's order."""

from __future__ import annotations

import pkgutil
import re
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import orjson
from dash import Dash
from dash.fingerprint import check_fingerprint
from starlette.requests import Request

from explorer.page.modules import joined
from explorer.server.dash_request import current_request
from explorer.server.static_files import digest_of

PAGE = "index.html"
# Dash's page always names these. No current browser needs the polyfill; the page has no table and no core component.
LEFT_OUT = ("/deps/polyfill@", "/dash_table/", "/dash_core_components")
BOOT, MAIN, MODULES = "boot.js", "main.js", "explorer.js"  # our only classic script loads the modules, which are served as one
STYLE, SCRIPT, MODULE = '<link rel="stylesheet" href="{}">\n', '<script src="{}"></script>\n', '<link rel="modulepreload" href="{}">\n'
PLOTLY = "vendor/plotly-basic.min.js"  # of npm's plotly.js-basic-dist-min; fetched when a chart of a lab is first drawn
LATER_STYLES = "css/later"  # stylesheets that the page fetches when they are needed, see later_style.js
CHARTS = '<meta name="explorer-charts" content="{}">\n'
PRELOAD = '<link rel="preload" as="fetch" crossorigin href="{}">\n'
DASH_FETCHES = ("_dash-layout", "_dash-dependencies")  # by its renderer, when that has started
OWN_SCRIPT = re.compile(r"/assets/[^?]+\.js")
TAGS = {form: re.compile(re.escape(form.strip()).replace(r"\{\}", '([^"]+)') + r"\n?") for form in (STYLE, SCRIPT)}
CONFIG = re.compile(r'(?<=<script id="_dash-config" type="application/json">).*?(?=</script>)')


def bundle(app: Dash, prefix: str = "/") -> dict[str, bytes]:
    """What the page, ``PAGE``, and all that it fetches contain, by their addresses.

    The joined files lie under ``static/`` and have addresses made of their content.

    Args:
        app: the Dash app, at the root of its server, with all its callbacks.
        prefix: the path under which the browser sees the page. With ``/`` the page's addresses are relative, so that it
            also works where a proxy takes a prefix away that nobody named.
    """
    base = "./" if prefix == "/" else prefix
    app._setup_server()  # else it would finish setting up in the first request
    with current_request(Request({"type": "http"})):
        page: str = app.index()
    assets = Path(app.config.assets_folder)
    own = {BOOT: (assets / BOOT).read_bytes(), **{name: text.encode() for name, text in joined(assets, MAIN, MODULES).items()}}
    own |= {style.name: style.read_bytes() for style in sorted((assets / LATER_STYLES).glob("*.css"))}
    folder = f"static/{digest_of(b''.join(own.values()))}/"  # one for all: each finds the others beside it
    files = {folder + name: content for name, content in own.items()}
    plotly = (assets / PLOTLY).read_bytes()
    charts = f"static/{digest_of(plotly)}/{Path(PLOTLY).name}"
    files[charts] = plotly
    # the boot script is the first, as it also notices when another file does not come
    early = CHARTS.format(base + charts) + MODULE.format(base + folder + MODULES) + "".join(PRELOAD.format(base + name) for name in DASH_FETCHES)
    first = {STYLE: early, SCRIPT: SCRIPT.format(base + folder + BOOT)}
    for form, tag in TAGS.items():
        tags = first[form]
        for name, sources in _groups(tag.findall(page)):
            content = _joined(app, sources)
            address = f"static/{digest_of(content)}/{name}"
            files[address] = content
            tags += form.format(base + address)
        page = _retagged(page, tag, tags)
    files[PAGE] = CONFIG.sub(lambda config: _lean(config[0], base), page).encode()
    for address, answer in zip(DASH_FETCHES, (app.serve_layout(), app.dependencies()), strict=True):
        files[address] = orjson.dumps(_steady(orjson.loads(answer.body)))
    return files


def _groups(addresses: Iterable[str]) -> list[tuple[str, list[str]]]:
    """Which of the files that Dash names are served as one, under which name: React comes first, Dash's renderer after all."""
    kept = [address for address in addresses if not any(part in address for part in LEFT_OUT) and not OWN_SCRIPT.search(address) and LATER_STYLES not in address]
    return [(name, list(group)) for name, group in groupby(kept, _group)]


def _group(address: str) -> str:
    file = address.split("?")[0].rsplit("/", 1)[-1]
    return ("explorer" if "/assets/" in address else "dash") + file[file.rindex(".") :]


def _joined(app: Dash, sources: Iterable[str]) -> bytes:
    # a semicolon before each script ends what the one before left open, and keeps its "use strict" from the others
    before = b"" if all(".css" in source for source in sources) else b";"
    return b"\n".join(before + _read(app, source) for source in sources)


def _read(app: Dash, address: str) -> bytes:
    """The content of a file that Dash's page names: one of ours in assets/, or of a package of components."""
    path = urlsplit(address).path.removeprefix(app.config.requests_pathname_prefix)
    kind, _, rest = path.partition("/")
    if kind == "assets":
        return (Path(app.config.assets_folder) / rest).read_bytes()
    package, _, name = rest.partition("/")
    return pkgutil.get_data(package, check_fingerprint(name)[0]) or b""


def _retagged(page: str, tag: re.Pattern[str], tags: str) -> str:
    first = tag.search(page)
    return page if first is None else tag.sub("", page[: first.start()] + "\0" + page[first.start() :]).replace("\0", tags)


def _lean(config: str, base: str) -> str:
    """Dash's own settings for its renderer, which asks below `base`; without what is random, tells of this machine, is empty, or opens a websocket."""
    settings: dict[str, Any] = {**orjson.loads(config), "requests_pathname_prefix": base}
    for name in ("end_id", "python_version", "websocket"):  # the first signs background callbacks, of which there are none
        settings.pop(name, None)
    components = settings["children_props"].items()
    with_children = {space: {name: props for name, props in known.items() if props} for space, known in components}
    return orjson.dumps({**settings, "children_props": with_children}).decode().replace("<", "\\u003c")


def _steady(part: object) -> object:
    """A layout with every component's attributes in one order: Dash has ``aria-*`` in another in every process."""
    if isinstance(part, list):
        return [_steady(item) for item in part]
    if isinstance(part, dict) and "namespace" in part and "props" in part:
        return {**part, "props": {name: _steady(part["props"][name]) for name in sorted(part["props"])}}
    return part
