"""The ASGI application: the few addresses that there are, and the middleware around them."""

import asyncio
import multiprocessing
import signal
import threading
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

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
from explorer.server.errors import handlers, say
from explorer.server.headers import ASKED_BY_THE_PAGE, CALLBACK_PATH, Headers, content_policy
from explorer.server.metrics import CONTENT_TYPE
from explorer.server.prefix import WithoutPrefix
from explorer.server.settings import ServerSettings
from explorer.server.static_files import ASK_AGAIN, FOR_GOOD, static_file

VALID = 10.0  # seconds for which ``/readyz`` believes what was found


def application(
    dash: Dash, files: Mapping[str, bytes], compute: Compute, find_fault: Callable[[], str | None], settings: ServerSettings, version: str
) -> Starlette:
    """Everything that answers requests. Only what is named here can be asked; all else is 404.

    Args:
        dash, compute: the Dash app with all its callbacks, and what they compute with.
        files: what the page consists of, by address; the page itself is ``index.html``.
        find_fault: one sentence about what keeps this worker from answering right; None when all is right.
        settings, version: what the environment says, and of the explorer.
    """
    metrics, answers = compute.metrics, handlers(compute.metrics)
    known_fault = cached(TTLCache(1, VALID), condition=threading.Condition())(find_fault)

    async def healthz(_: Request) -> Response:
        return say("OK", 200)

    async def readyz(_: Request) -> Response:
        refusal = await asyncio.to_thread(known_fault)
        return say(refusal or "Ready.", 503 if refusal else 200)

    async def counts(_: Request) -> Response:
        return Response(metrics.text(), headers={"Content-Type": CONTENT_TYPE})

    async def preflight(_: Request) -> Response:
        return Response()  # its headers are the answer

    async def addresses(request: Request) -> Response:
        # addresses inside a network are nobody's business who is not on this machine, whatever host a request names
        host = forwarded(request, "host", settings.trusted_proxies) or request.headers.get("host", "")
        own = settings.public_url or is_this_machine(client_of(request, settings.trusted_proxies))
        if not (THIS_MACHINE.fullmatch(host) and own):
            raise HTTPException(404)
        return JSONResponse(urls_for_others(settings), headers={"Cache-Control": "no-store"})

    @asynccontextmanager
    async def started(_: Starlette) -> AsyncIterator[None]:
        threading.Thread(target=_end_with_parent, daemon=True).start()
        for pool in compute.pools.values():  # torch takes half a second to get going in every thread that computes
            await pool.run(find_fault)
        metrics.starts.inc()
        yield

    callbacks = callback_endpoint(dash, metrics, settings.trusted_proxies)
    routes = [Route(CALLBACK_PATH, callbacks, methods=["POST"])]
    routes += [Route(path, preflight, methods=["OPTIONS"]) for path in ASKED_BY_THE_PAGE]
    for address, content in files.items():
        endpoint = static_file(address, content, FOR_GOOD if address.startswith("static/") else ASK_AGAIN)
        routes.append(Route("/" if address == "index.html" else f"/{address}", endpoint))
    routes += [Route("/healthz", healthz), Route("/readyz", readyz), Route("/addresses", addresses)]
    if settings.metrics:
        routes.append(Route("/metrics", counts))
    around = [
        Middleware(AccessLog, metrics=metrics, logged=settings.access_log),
        *([Middleware(WithoutPrefix, settings.prefix)] if settings.prefix != "/" else []),
        Middleware(Headers, content_policy(dash.csp_hashes(), settings.frame_ancestors), version),
        # Starlette's own place for this one is around those above, whose headers and counts it would not get
        Middleware(ExceptionMiddleware, {Exception: answers[Exception]}),
    ]
    app = Starlette(routes=routes, middleware=around, exception_handlers=answers, lifespan=started)
    app.router.redirect_slashes = False
    return app


def _end_with_parent() -> None:
    """Stop this worker when its parent is gone, killed for instance: nobody else would."""
    if parent := multiprocessing.parent_process():
        parent.join()
        signal.raise_signal(signal.SIGTERM)
