"""The ASGI application: its routes and middleware."""

import asyncio
import gc
import multiprocessing
import signal
import threading
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext

from cachetools import TTLCache, cached
from dash import Dash
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from explorer.addresses import THIS_MACHINE, is_this_machine, urls_for_others
from explorer.server.access_log import AccessLog
from explorer.server.callback_endpoint import callback_endpoint, client_of, forwarded
from explorer.server.compute import Compute
from explorer.server.errors import handlers, sentence_response
from explorer.server.headers import CALLBACK_PATH, DASH_PATHS, Headers, content_policy
from explorer.server.metrics import CONTENT_TYPE
from explorer.server.prefix import WithoutPrefix
from explorer.server.settings import ServerSettings
from explorer.server.static_files import IMMUTABLE, REVALIDATE, static_file

FAULT_TTL = 10.0  # seconds for which ``/readyz`` caches its result


def application(
    dash: Dash,
    files: Mapping[str, bytes],
    compute: Compute,
    find_fault: Callable[[], str | None],
    settings: ServerSettings,
    version: str,
    more: Iterable[Route] = (),
    beside: Callable[[], AbstractAsyncContextManager[None]] = nullcontext,
) -> Starlette:
    """The application with all its routes; every other path is 404.

    Args:
        dash, compute: the Dash app with all its callbacks, and the pools and cache that they use.
        files: the files of the page by path; the page itself is ``index.html``.
        find_fault: checks this worker; returns one sentence about a fault, or None.
        settings, version: of the server, and of the explorer.
        more, beside: further routes, and what they need for as long as the worker serves.
    """
    metrics, error_handlers = compute.metrics, handlers(compute.metrics)
    known_fault = cached(TTLCache(1, FAULT_TTL), condition=threading.Condition())(find_fault)

    async def healthz(_: Request) -> Response:
        return sentence_response("OK", 200)

    async def readyz(_: Request) -> Response:
        fault = await asyncio.to_thread(known_fault)
        return sentence_response(fault or "Ready.", 503 if fault else 200)

    async def metrics_text(_: Request) -> Response:
        return Response(metrics.text(), headers={"Content-Type": CONTENT_TYPE})

    async def preflight(_: Request) -> Response:
        return Response()  # the headers are added by the middleware

    async def addresses(request: Request) -> Response:
        # only a client on this machine may see addresses of its networks; the Host header alone does not prove that
        host = forwarded(request, "host", settings.trusted_proxies) or request.headers.get("host", "")
        allowed = settings.public_url or is_this_machine(client_of(request, settings.trusted_proxies))
        if not (THIS_MACHINE.fullmatch(host) and allowed):
            raise HTTPException(404)
        return JSONResponse(urls_for_others(settings), headers={"Cache-Control": "no-store"})

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        threading.Thread(target=_end_with_parent, daemon=True).start()
        for pool in compute.pools.values():  # torch needs half a second for its first computation in a thread
            await pool.run(find_fault)
        gc.collect()
        gc.freeze()  # else each full collection stops all work for 170 ms, to look at objects that stay
        metrics.starts.inc()
        async with beside():
            yield

    callbacks = callback_endpoint(dash, metrics, settings.trusted_proxies)
    routes = [Route(CALLBACK_PATH, callbacks, methods=["POST"])]
    routes += [Route(path, preflight, methods=["OPTIONS"]) for path in DASH_PATHS]
    for address, content in files.items():
        endpoint = static_file(address, content, IMMUTABLE if address.startswith("static/") else REVALIDATE)
        routes.append(Route("/" if address == "index.html" else f"/{address}", endpoint))
    routes += [Route("/healthz", healthz), Route("/readyz", readyz), Route("/addresses", addresses)]
    routes += more
    if settings.metrics:
        routes.append(Route("/metrics", metrics_text))
    middleware = [
        Middleware(AccessLog, metrics=metrics, logged=settings.access_log),
        *([Middleware(WithoutPrefix, settings.prefix)] if settings.prefix != "/" else []),
        Middleware(Headers, content_policy(dash.csp_hashes(), settings.frame_ancestors), version),
        # inside the others: at Starlette's own place, outside them, its responses would lack their headers and counts
        Middleware(ExceptionMiddleware, {Exception: error_handlers[Exception]}),
    ]
    app = Starlette(routes=routes, middleware=middleware, exception_handlers=error_handlers, lifespan=lifespan)
    app.router.redirect_slashes = False
    return app


def _end_with_parent() -> None:
    """Stop this worker when its parent has ended, for instance by SIGKILL."""
    if parent := multiprocessing.parent_process():
        parent.join()
        signal.raise_signal(signal.SIGTERM)
