"""The one address at which the page asks: bodies are checked, handed to Dash, and their answers compressed.

Dash's FastAPI backend dispatches, but its middleware and its routes are passed by: they answer every exception with a JSON
500 and no log, read bodies of any size, answer every address with the page, and open a websocket and ``/docs``.
"""

import asyncio
import ipaddress
from collections.abc import Awaitable, Callable
from contextlib import suppress

from dash import Dash
from isal import igzip
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from werkzeug.datastructures import Accept
from werkzeug.http import parse_accept_header

from explorer.server.callback_body import read_callback_body
from explorer.server.compute import CLIENT
from explorer.server.dash_request import current_request
from explorer.server.errors import MAX_BODY, BadRequestBody
from explorer.server.fair_queue import Busy
from explorer.server.metrics import Metrics

SMALLEST = 1000  # bytes; a smaller answer fits into one packet anyway


def callback_endpoint(app: Dash, metrics: Metrics, trusted_proxies: int) -> Callable[[Request], Awaitable[Response]]:
    """What answers the requests of Dash's callbacks. A client that disconnects cancels its question, which leaves the queue.

    Args:
        app: the Dash app, on its FastAPI backend.
        metrics: where disconnected and refused requests are counted.
        trusted_proxies: how many proxies stand in front whose ``X-Forwarded-For`` is believed.
    """
    dispatch = app.backend.serve_callback(app)

    async def respond(request: Request) -> Response:
        body = read_callback_body(await _read_body(request), app.callback_map)
        request.state.json_body = body
        request.state.callback = callback = body["output"].rpartition(".")[0]
        CLIENT.set(client_of(request, trusted_proxies))
        with current_request(request):  # which the task inherits
            answering = asyncio.create_task(dispatch(request))
        leaving = asyncio.create_task(_disconnected(request))
        try:
            await asyncio.wait((answering, leaving), return_when=asyncio.FIRST_COMPLETED)
            if not answering.done():
                metrics.given_up.labels(callback).inc()
                return Response(status_code=400)  # nobody reads it
            return _compressed(answering.result(), request)
        except Busy as busy:
            metrics.shed.labels(callback, busy.reason).inc()
            raise
        finally:
            leaving.cancel()
            answering.cancel()
            await asyncio.gather(leaving, answering, return_exceptions=True)  # else asyncio's log would quote what they raise

    return respond


async def _read_body(request: Request) -> bytes:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise BadRequestBody("the body must be JSON, sent as application/json")
    body, length = bytearray(), request.headers.get("content-length", "")
    if length.isdecimal() and int(length[:20]) > MAX_BODY:
        raise HTTPException(413)
    try:
        async for piece in request.stream():
            body += piece
            if len(body) > MAX_BODY:
                raise HTTPException(413)
    except ClientDisconnect:
        raise HTTPException(400) from None
    return bytes(body)


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _compressed(answer: Response, request: Request) -> Response:
    # ISA-L's fastest level takes a fifth of zlib's time, and answers are mostly base64 of numbers, which hardly compress
    answer.headers.update({"Content-Type": "application/json", "Vary": "Accept-Encoding"})
    encodings = parse_accept_header(request.headers.get("accept-encoding"), Accept)
    if encodings["gzip"] > 0 and len(answer.body) >= SMALLEST:
        answer.body = igzip.compress(answer.body, compresslevel=1)
        answer.headers.update({"Content-Encoding": "gzip", "Content-Length": str(len(answer.body))})
    return answer


def client_of(request: Request, trusted_proxies: int) -> str:
    """Who asks: an IPv4 address, or an IPv6 network of 64 bits, of which one household has all addresses."""
    address = forwarded(request, "for", trusted_proxies) or (request.client.host if request.client else "")
    with suppress(ValueError):
        known = ipaddress.ip_address(address)
        if known.version == 6:
            return str(known.ipv4_mapped or ipaddress.ip_network((known.packed[:8] + bytes(8), 64)))
    return address


def forwarded(request: Request, what: str, trusted_proxies: int) -> str:
    """What the outermost trusted proxy says in its ``X-Forwarded-…`` header; "" where there is none that is trusted."""
    said = ",".join(request.headers.getlist(f"x-forwarded-{what}")).split(",")
    return said[-min(trusted_proxies, len(said))].strip() if trusted_proxies else ""
