"""Middleware that counts every request and, if enabled, logs it."""

import logging
import time

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from explorer.server.logs import ACCESS, FIELDS
from explorer.server.metrics import NO_CALLBACK, Metrics

MAX_LOGGED_PATH = 200
log = logging.getLogger(ACCESS)


class AccessLog:
    """Counts the responses of an application and logs them at level info. The callback's name is read from ``scope["state"]``."""

    def __init__(self, app: ASGIApp, metrics: Metrics, *, logged: bool) -> None:
        self.app, self.metrics, self.logged = app, metrics, logged

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request, count it and log it."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        start, status, size = time.monotonic(), 500, ""

        async def send_observed(message: Message) -> None:
            nonlocal status, size
            if message["type"] == "http.response.start":
                status, size = message["status"], Headers(raw=message["headers"]).get("content-length", "")
            await send(message)

        with self.metrics.in_flight.track_inprogress():
            try:
                await self.app(scope, receive, send_observed)
            finally:
                seconds, callback = time.monotonic() - start, scope.get("state", {}).get("callback")
                self.metrics.requests.labels(callback or NO_CALLBACK, str(status)).inc()
                if callback is not None:
                    self.metrics.seconds.labels(callback).observe(seconds)
                if self.logged:  # without the query string: a link contains the painted picture
                    fields = {"method": scope["method"], "path": scope["path"][:MAX_LOGGED_PATH], "callback": callback, "status": status}
                    fields |= {"milliseconds": round(1000 * seconds, 1), "bytes": int(size) if size else None}
                    log.info("request", extra={FIELDS: fields})
        return None
