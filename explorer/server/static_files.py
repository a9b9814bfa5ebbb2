"""What every browser fetches alike, served from memory: compressed once, and answered with 304 where the browser has it."""

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

STORE = Path(__file__).resolve().parents[2] / "build" / "static"  # where scripts/precompress.py leaves its work
SUFFIXES = {"br": ".br", "gzip": ".gz"}  # the encodings on offer, the preferred one first
TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".html": "text/html; charset=utf-8"}
FOR_GOOD = "public, max-age=31536000, immutable"
ASK_AGAIN = "no-cache"  # kept, but asked for at every visit: a 304 while it is the same
PIECE = 64 * 1024  # bytes


def static_file(name: str, content: bytes, caching: str, store: Path = STORE) -> Callable[[Request], Awaitable[Response]]:
    """An endpoint that answers with a file, in the best encoding that the request accepts.

    Args:
        name, content: of the file; where its name has no ending it is JSON.
        caching: the ``Cache-Control`` that it is sent with.
        store: where compressed variants may lie; otherwise a quick one is made.
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
        return InPieces(encoded[encoding] if encoding else content, headers=headers, media_type=media_type)

    return respond


class InPieces(Response):
    """A response that is sent piece by piece, so that a client that reads slowly makes the server buffer one piece only."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        for start in range(0, len(self.body), PIECE):
            more = start + PIECE < len(self.body)
            await send({"type": "http.response.body", "body": self.body[start : start + PIECE], "more_body": more})
            await asyncio.sleep(0)  # whoever asks for files without end must not hold up a stroke


def digest_of(content: bytes) -> str:
    """What a file is known by."""
    return hashlib.sha256(content).hexdigest()[:16]
