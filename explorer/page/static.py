"""What every browser fetches alike: the page, the files that it names, and the layout.

Dash's own page names some thirty files by the time they were last changed, and nothing is compressed. Here they are joined
into a few, in Dash's order, and served under addresses made of their content, so that a browser keeps them for good and
all replicas of a version name the same. Bodies are compressed once: by ``scripts/precompress.py`` as well as it can be
done or, where that has not run for just this content, quickly at the start. Every one comes from memory; no visitor makes
the server read a file.
"""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urljoin

import orjson
from dash import Dash
from flask import Response, request
from flask.testing import FlaskClient
from werkzeug.exceptions import NotFound

STORE = Path(__file__).resolve().parents[2] / "build" / "static"
SUFFIXES = {"br": ".br", "gzip": ".gz"}  # the encodings on offer, the preferred one first
FOR_GOOD = "public, max-age=31536000, immutable"
ASK_AGAIN = "no-cache"  # kept, but asked for at every visit: a 304 while it is the same

# Dash's page names these whatever is on it. No browser of the last years needs the polyfill, there is no table here, nor
# one of those core components that fetch code when they are first shown, with which comes what they share.
LEFT_OUT = ("/deps/polyfill@", "/dash_table/", "/dash_core_components-shared")
# Where Dash has all files of its packages and ours, named or not, and reads them afresh for everyone; its icon, which the
# page replaces; and what only a page under development asks.
CLOSED = ("_dash-component-suites/", "assets/", "_favicon.ico", "_reload-hash")
WATCH = "/assets/opening.js"
TAGS = {
    re.compile(r'<link rel="stylesheet" href="([^"]+)">\n?'): '<link rel="stylesheet" href="{}">\n',
    re.compile(r'<script src="([^"]+)"></script>\n?'): '<script src="{}"></script>\n',
}
CONFIG = re.compile(r'(?<=<script id="_dash-config" type="application/json">).*?(?=</script>)')


@dataclass(frozen=True, slots=True)
class Body:
    """What is sent from one address, as it is and compressed."""

    media_type: str
    digest: str
    plain: bytes
    encoded: dict[str, bytes]

    def answer(self, caching: str) -> Response:
        """The answer to the current request: 304 where the browser has it, else in the best encoding that it takes."""
        encoding = request.accept_encodings.best_match(self.encoded)
        response = Response(self.encoded[encoding] if encoding else self.plain, content_type=self.media_type)
        if encoding:
            response.content_encoding = encoding
        response.vary.add("Accept-Encoding")
        response.headers["Cache-Control"] = caching
        response.set_etag(f"{self.digest}-{encoding or 'plain'}")
        response.make_conditional(request)
        return response


def serve(app: Dash, prefix: str = "/", store: Path = STORE) -> None:
    """Answer with prepared bodies where Dash would make the same anew for every visitor.

    It asks the app for its page, and so lets Dash finish setting up: call it when everything else is registered. Dash's
    own addresses of the files lead nowhere from then on.

    Args:
        app: the Dash app, at the root of its server.
        prefix: the path under which the browser sees the page. With ``/`` the page's addresses are relative, so that it
            also works where a proxy takes a prefix away that nobody named.
        store: where ``scripts/precompress.py`` left its work.
    """
    base = "./" if prefix == "/" else prefix
    files: dict[str, Body] = {}

    @app.server.get("/static/<string:digest>/<string:name>")
    def static_file(digest: str, name: str) -> Response:
        body = files.get(f"static/{digest}/{name}")
        return body.answer(FOR_GOOD) if body else _missing()

    client = app.server.test_client()
    page: str = client.get("/").text
    for tag, form in TAGS.items():
        named = {}
        for name, sources in _groups(tag.findall(page)):
            body = prepare(_joined(client, sources), _media_type(name), store)
            named[f"static/{body.digest}/{name}"] = body
        page = _retagged(page, tag, "".join(form.format(base + address) for address in named))
        files |= named
    page = CONFIG.sub(lambda config: _lean(config[0], base), page)

    for path in ("/_dash-layout", "/_dash-dependencies"):
        content = orjson.dumps(_steady(orjson.loads(client.get(path).data)))
        app.server.view_functions[path] = _view(prepare(content, "application/json", store))
    app.server.view_functions["/"] = _view(prepare(page.encode(), _media_type(".html"), store))
    _close(app)


def named(page: str) -> list[str]:
    """The paths of all files that a page at ``/`` names."""
    return [urljoin("/", address) for tag in TAGS for address in tag.findall(page)]


def bodies(app: Dash) -> list[bytes]:
    """Everything that an app serves alike to everyone, uncompressed."""
    client = app.server.test_client()
    addresses = ["/", "/_dash-layout", "/_dash-dependencies", *named(client.get("/").text)]
    return [client.get(address).data for address in addresses]


def digest_of(content: bytes) -> str:
    """What a body is known by."""
    return hashlib.sha256(content).hexdigest()[:16]


def prepare(content: bytes, media_type: str, store: Path) -> Body:
    """A body with its compressed variants: from the store where they lie, else one that is quickly made."""
    digest = digest_of(content)
    paths = {encoding: store / f"{digest}{suffix}" for encoding, suffix in SUFFIXES.items()}
    encoded = {encoding: path.read_bytes() for encoding, path in paths.items() if path.is_file()}
    return Body(media_type, digest, content, encoded or {"gzip": gzip.compress(content, 5, mtime=0)})


def _view(body: Body) -> Callable[[], Response]:
    return lambda: body.answer(ASK_AGAIN)


def _groups(addresses: Iterable[str]) -> list[tuple[str, list[str]]]:
    """Which files are served as one, under which name. Their order stays: React comes first, Dash's renderer after all.

    Only the script that tells of others that did not come goes before them, alone.
    """
    kept = [address for address in addresses if not any(part in address for part in LEFT_OUT)]
    kept.sort(key=lambda address: WATCH not in address)
    return [(name, list(group)) for name, group in groupby(kept, _group)]


def _group(address: str) -> str:
    file = address.split("?")[0].rsplit("/", 1)[-1]
    if "/assets/vendor/" in address or WATCH in address:
        return file
    return ("explorer" if "/assets/" in address else "dash") + file[file.rindex(".") :]


def _joined(client: FlaskClient, sources: Iterable[str]) -> bytes:
    # a semicolon before each script ends what the one before left open, and keeps its "use strict" from the others
    before = b"" if all(".css" in source for source in sources) else b";"
    return b"\n".join(before + client.get(source).data for source in sources)


def _retagged(page: str, tag: re.Pattern[str], tags: str) -> str:
    first = tag.search(page)
    return page if first is None else tag.sub("", page[: first.start()] + "\0" + page[first.start() :]).replace("\0", tags)


def _media_type(name: str) -> str:
    return {".css": "text/css", ".js": "text/javascript"}.get(name[name.rindex(".") :], "text/html") + "; charset=utf-8"


def _lean(config: str, base: str) -> str:
    """Dash's own settings for its renderer, which asks below `base`; without what is random, tells of this machine, or is empty."""
    settings: dict[str, Any] = {**orjson.loads(config), "requests_pathname_prefix": base}
    for name in ("end_id", "python_version"):  # the first signs background callbacks, of which there are none
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


def _close(app: Dash) -> None:
    """Take away what no page of ours asks; call it when the files are read."""
    closed = tuple(f"/{name}" for name in CLOSED)
    for rule in app.server.url_map.iter_rules():
        if rule.endpoint == "static" or rule.rule.startswith(closed):  # the former is Flask's own, for a folder
            app.server.view_functions[rule.endpoint] = _missing


def _missing(**_: str) -> NoReturn:
    raise NotFound
