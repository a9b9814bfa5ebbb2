"""The endpoint of the callbacks: validates bodies, lets Dash dispatch them, and compresses the responses.

Of Dash's FastAPI backend only the dispatch is used. Its middleware and routes answer every exception with a JSON 500
and no log, read bodies of any size, answer every path with the page, and open a websocket and ``/docs``.
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

MIN_COMPRESSED = 1000  # bytes; a smaller response fits into one packet


def callback_endpoint(app: Dash, metrics: Metrics, trusted_proxies: int) -> Callable[[Request], Awaitable[Response]]:
    """The endpoint of Dash's callbacks. A client that disconnects cancels its computation, which leaves the queue.

    Args:
        app: the Dash app, on its FastAPI backend.
        metrics: counts disconnected clients and shed requests.
        trusted_proxies: how many proxies in front are trusted to set ``X-Forwarded-For``.
    """
    dispatch = app.backend.serve_callback(app)

    async def respond(request: Request) -> Response:
        body = read_callback_body(await read_body(request), app.callback_map)
        request.state.json_body = body
        request.state.callback = callback = body["output"].rpartition(".")[0]
        CLIENT.set(client_of(request, trusted_proxies))
        with current_request(request):  # the task inherits the context
            dispatching = asyncio.create_task(dispatch(request))
        disconnecting = asyncio.create_task(_wait_for_disconnect(request))
        try:
            await asyncio.wait((dispatching, disconnecting), return_when=asyncio.FIRST_COMPLETED)
            if not dispatching.done():
                metrics.given_up.labels(callback).inc()
                return Response(status_code=400)  # the client is gone
            return _compressed(dispatching.result(), request)
        except Busy as busy:
            metrics.shed.labels(callback, busy.reason).inc()
            raise
        finally:
            disconnecting.cancel()
            dispatching.cancel()
            await asyncio.gather(disconnecting, dispatching, return_exceptions=True)  # otherwise asyncio logs what they raise

    return respond


async def read_body(request: Request) -> bytes:
    """The body of a request, which must be JSON of at most ``MAX_BODY`` bytes.

    Raises:
        BadRequestBody, HTTPException: it is not.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise BadRequestBody("the body must be JSON, sent as application/json")
    body, length = bytearray(), request.headers.get("content-length", "")
    if length.isdecimal() and int(length[:20]) > MAX_BODY:
        raise HTTPException(413)
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAX_BODY:
                raise HTTPException(413)
    except ClientDisconnect:
        raise HTTPException(400) from None
    return bytes(body)


async def _wait_for_disconnect(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _compressed(response: Response, request: Request) -> Response:
    # ISA-L's fastest level takes a fifth of zlib's time; responses are mostly base64 of numbers, which hardly compress
    response.headers.update({"Content-Type": "application/json", "Vary": "Accept-Encoding"})
    encodings = parse_accept_header(request.headers.get("accept-encoding"), Accept)
    if encodings["gzip"] > 0 and len(response.body) >= MIN_COMPRESSED:
        response.body = igzip.compress(response.body, compresslevel=1)
        response.headers.update({"Content-Encoding": "gzip", "Content-Length": str(len(response.body))})
    return response


def client_of(request: Request, trusted_proxies: int) -> str:
    """The client's key: an IPv4 address, or an IPv6 /64 network, as one household has all of its addresses."""
    address = forwarded(request, "for", trusted_proxies) or (request.client.host if request.client else "")
    with suppress(ValueError):
        parsed = ipaddress.ip_address(address)
        if parsed.version == 6:
            return str(parsed.ipv4_mapped or ipaddress.ip_network((parsed.packed[:8] + bytes(8), 64)))
    return address


def forwarded(request: Request, name: str, trusted_proxies: int) -> str:
    """The value that the outermost trusted proxy set in the ``X-Forwarded-…`` header; "" without a trusted proxy."""
    values = ",".join(request.headers.getlist(f"x-forwarded-{name}")).split(",")
    return values[-min(trusted_proxies, len(values))].strip() if trusted_proxies else ""
