"""The ASGI application: the few addresses that there are, and the middleware around them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from dash import Dash
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from explorer.server.access_log import AccessLog
from explorer.server.callback_endpoint import PATH, CallbackEndpoint
from explorer.server.compute import Compute
from explorer.server.errors import UnexpectedErrors, handlers, say
from explorer.server.headers import Headers, content_policy
from explorer.server.health import Readiness
from explorer.server.metrics import CONTENT_TYPE, Metrics
from explorer.server.settings import ServerSettings
from explorer.server.static_files import ASK_AGAIN, FOR_GOOD, Body, collect

Endpoint = Callable[[Request], Awaitable[Response]]


def application(dash: Dash, compute: Compute, readiness: Readiness, settings: ServerSettings, version: str) -> Starlette:
    """Everything that answers requests. Only what is named here can be asked; all else is 404.

    Args:
        dash: the Dash app with all its callbacks.
        compute: what its callbacks compute with.
        readiness: what ``/readyz`` asks.
        settings: of the environment.
        version: of the explorer.
    """
    counts, files = compute.counts, collect(dash)

    async def healthz(_: Request) -> Response:
        return say("OK", 200)

    async def readyz(_: Request) -> Response:
        refusal = await readiness.refusal()
        return say(refusal or "Ready.", 503 if refusal else 200)

    async def metrics(_: Request) -> Response:
        assert isinstance(counts, Metrics)
        return Response(counts.text(), headers={"Content-Type": CONTENT_TYPE})

    async def static(request: Request) -> Response:
        body = files.static.get((request.path_params["digest"], request.path_params["name"]))
        if body is None:
            raise HTTPException(404)
        return body.respond(request, FOR_GOOD)

    @asynccontextmanager
    async def warmed_up(_: Starlette) -> AsyncIterator[None]:
        # torch takes half a second to get going in every thread that computes
        for pool in compute.pools.values():
            await pool.run(readiness.find_fault)
        await readiness.refusal()
        counts.worker_started()
        yield

    prefix = settings.prefix
    routes = [
        Route(prefix, _kept(files.page)),
        Route(f"{prefix}_dash-layout", _kept(files.layout)),
        Route(f"{prefix}_dash-dependencies", _kept(files.dependencies)),
        Route(prefix + "static/{digest}/{name}", static),
        Route(prefix + PATH, CallbackEndpoint(dash, counts, settings.trusted_proxies).__call__, methods=["POST"]),
        Route(f"{prefix}healthz", healthz),
        Route(f"{prefix}readyz", readyz),
        *([Route(f"{prefix}metrics", metrics)] if isinstance(counts, Metrics) else []),
    ]
    policy = content_policy(dash.csp_hashes(), settings.frame_ancestors)
    app = Starlette(
        routes=routes,
        middleware=[
            Middleware(AccessLog, counts=counts, logged=settings.access_log),
            Middleware(Headers, policy=policy, callback_path=PATH, version=version),
            Middleware(UnexpectedErrors),
        ],
        exception_handlers=handlers(counts),
        lifespan=warmed_up,
    )
    app.router.redirect_slashes = False
    return app


def _kept(body: Body) -> Endpoint:
    async def respond(request: Request) -> Response:
        return body.respond(request, ASK_AGAIN)

    return respond
