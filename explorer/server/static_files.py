"""What every browser fetches alike: the page, the files that it names, and the layout.

Dash's page names some thirty files. Here they are joined into a few, in Dash's order, served from memory under addresses
made of their content, and compressed once: by ``scripts/precompress.py``, or quickly at the start.
"""

from __future__ import annotations

import gzip
import hashlib
import pkgutil
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import orjson
from dash import Dash
from dash.fingerprint import check_fingerprint
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from werkzeug.datastructures import Accept
from werkzeug.http import parse_accept_header, parse_etags

from explorer.server.dash_request import current_request

STORE = Path(__file__).resolve().parents[2] / "build" / "static"
SUFFIXES = {"br": ".br", "gzip": ".gz"}  # the encodings on offer, the preferred one first
FOR_GOOD = "public, max-age=31536000, immutable"
PIECE = 64 * 1024  # bytes
ASK_AGAIN = "no-cache"  # kept, but asked for at every visit: a 304 while it is the same

# Dash's page names these whatever is on it. No browser of the last years needs the polyfill, there is no table here, nor
# one of those core components that fetch code when they are first shown, with which comes what they share.
LEFT_OUT = ("/deps/polyfill@", "/dash_table/", "/dash_core_components-shared")
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

    def respond(self, request: Request, caching: str) -> Response:
        """The answer to a request: 304 where the browser has it, else in the best encoding that it accepts."""
        accepted = parse_accept_header(request.headers.get("accept-encoding"), Accept)
        encoding = accepted.best_match(self.encoded)
        etag = f"{self.digest}-{encoding or 'plain'}"
        headers = {"Cache-Control": caching, "ETag": f'"{etag}"', "Vary": "Accept-Encoding"}
        if parse_etags(request.headers.get("if-none-match")).contains_weak(etag):
            return Response(status_code=304, headers=headers)
        if encoding:
            headers["Content-Encoding"] = encoding
        return InPieces(self.encoded[encoding] if encoding else self.plain, headers=headers, media_type=self.media_type)


class InPieces(Response):
    """A response that is handed over piece by piece, so that a slow client makes the server buffer one piece only."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        for start in range(0, len(self.body), PIECE):
            more = start + PIECE < len(self.body)
            await send({"type": "http.response.body", "body": self.body[start : start + PIECE], "more_body": more})


@dataclass(frozen=True, slots=True)
class Files:
    """All that is served alike to everyone: the page, Dash's layout and dependencies, and the files by digest and name."""

    page: Body
    layout: Body
    dependencies: Body
    static: Mapping[tuple[str, str], Body]

    def bodies(self) -> list[Body]:
        """All of them."""
        return [self.page, self.layout, self.dependencies, *self.static.values()]


def collect(app: Dash, store: Path = STORE) -> Files:
    """Read and prepare all that the app serves alike to everyone.

    Args:
        app: the Dash app, with all its callbacks.
        store: where ``scripts/precompress.py`` left its work.
    """
    prefix: str = app.config.requests_pathname_prefix
    static: dict[tuple[str, str], Body] = {}
    app._setup_server()  # else it would finish setting up in the first request
    with current_request(Request({"type": "http"})):
        page: str = app.index()
    for tag, form in TAGS.items():
        tags = ""
        for name, sources in _groups(tag.findall(page)):
            body = prepare(_joined(app, sources), _media_type(name), store)
            static[body.digest, name] = body
            tags += form.format(f"{prefix}static/{body.digest}/{name}")
        page = _retagged(page, tag, tags)
    page = CONFIG.sub(lambda config: _lean(config[0]), page)
    return Files(
        prepare(page.encode(), _media_type(".html"), store),
        *(
            prepare(orjson.dumps(_steady(orjson.loads(answer.body))), "application/json", store)
            for answer in (app.serve_layout(), app.dependencies())
        ),
        static,
    )


def digest_of(content: bytes) -> str:
    """What a body is known by."""
    return hashlib.sha256(content).hexdigest()[:16]


def prepare(content: bytes, media_type: str, store: Path) -> Body:
    """A body with its compressed variants: from the store where they lie, else one that is quickly made."""
    digest = digest_of(content)
    paths = {encoding: store / f"{digest}{suffix}" for encoding, suffix in SUFFIXES.items()}
    encoded = {encoding: path.read_bytes() for encoding, path in paths.items() if path.is_file()}
    return Body(media_type, digest, content, encoded or {"gzip": gzip.compress(content, 5, mtime=0)})


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


def _media_type(name: str) -> str:
    return {".css": "text/css", ".js": "text/javascript"}.get(name[name.rindex(".") :], "text/html") + "; charset=utf-8"


def _lean(config: str) -> str:
    """Dash's own settings for its renderer without what is random, tells of this machine, or is empty."""
    settings: dict[str, Any] = orjson.loads(config)
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
