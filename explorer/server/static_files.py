"""Serves the page's files from memory: compressed once, with entity tags and 304."""

import asyncio
import gzip
import hashlib
from collections.abc import Awaitable, Callable
from pathlib import Path, PurePath

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from werkzeug.datastructures import Accept
from werkzeug.http import parse_accept_header, parse_etags

from explorer.places import ROOT

STORE = ROOT / "build" / "static"  # written by scripts/precompress.py
SUFFIXES = {"br": ".br", "gzip": ".gz"}  # supported encodings, the preferred one first
TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".html": "text/html; charset=utf-8"}
IMMUTABLE = "public, max-age=31536000, immutable"
REVALIDATE = "no-cache"  # cached, but revalidated at every visit
CHUNK = 64 * 1024  # bytes


def static_file(name: str, content: bytes, caching: str, store: Path = STORE) -> Callable[[Request], Awaitable[Response]]:
    """An endpoint that serves a file in the best encoding that the request accepts.

    Args:
        name, content: of the file; a name without an extension means JSON.
        caching: the value of ``Cache-Control``.
        store: folder of precompressed variants; without one the file is compressed here by gzip.
    """
    digest = digest_of(content)
    paths = {encoding: store / f"{digest}{suffix}" for encoding, suffix in SUFFIXES.items()}
    encoded = {encoding: path.read_bytes() for encoding, path in paths.items() if path.is_file()}
    encoded = encoded or {"gzip": gzip.compress(content, 5, mtime=0)}
    media_type = TYPES.get(PurePath(name).suffix, "application/json")

    async def respond(request: Request) -> Response:
        accepted = parse_accept_header(request.headers.get("accept-encoding"), Accept)
        encoding = accepted.best_match(encoded)
        etag = f"{digest}-{encoding or 'plain'}"
        headers = {"Cache-Control": caching, "ETag": f'"{etag}"', "Vary": "Accept-Encoding"}
        if parse_etags(request.headers.get("if-none-match")).contains_weak(etag):
            return Response(status_code=304, headers=headers)
        if encoding:
            headers["Content-Encoding"] = encoding
        return ChunkedResponse(encoded[encoding] if encoding else content, headers=headers, media_type=media_type)

    return respond


class ChunkedResponse(Response):
    """A response that is sent in chunks, so that only one chunk is buffered for a client that reads slowly."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the response."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        for start in range(0, len(self.body), CHUNK):
            more = start + CHUNK < len(self.body)
            await send({"type": "http.response.body", "body": self.body[start : start + CHUNK], "more_body": more})
            await asyncio.sleep(0)  # lets other requests run between two chunks


def digest_of(content: bytes) -> str:
    """The hash that identifies a file's content."""
    return hashlib.sha256(content).hexdigest()[:16]
