"""Middleware that counts every request and, if wanted, logs it."""

import logging
import time

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from explorer.server.logs import ACCESS, FIELDS
from explorer.server.metrics import NO_CALLBACK, Metrics

LONGEST_PATH = 200
log = logging.getLogger(ACCESS)


class AccessLog:
    """Counts what an application answers, which may name its callback in ``scope["state"]``; logs it at level info."""

    def __init__(self, app: ASGIApp, metrics: Metrics, *, logged: bool) -> None:
        self.app, self.metrics, self.logged = app, metrics, logged

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, count it and log it."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        begin, status, size = time.monotonic(), 500, ""

        async def watched(message: Message) -> None:
            nonlocal status, size
            if message["type"] == "http.response.start":
                status, size = message["status"], Headers(raw=message["headers"]).get("content-length", "")
            await send(message)

        with self.metrics.in_flight.track_inprogress():
            try:
                await self.app(scope, receive, watched)
            finally:
                seconds, callback = time.monotonic() - begin, scope.get("state", {}).get("callback")
                self.metrics.requests.labels(callback or NO_CALLBACK, str(status)).inc()
                if callback is not None:
                    self.metrics.seconds.labels(callback).observe(seconds)
                if self.logged:  # never the query: a link holds what somebody painted
                    told = {"method": scope["method"], "path": scope["path"][:LONGEST_PATH], "callback": callback, "status": status}
                    told |= {"milliseconds": round(1000 * seconds, 1), "bytes": int(size) if size else None}
                    log.info("request", extra={FIELDS: told})
        return None
