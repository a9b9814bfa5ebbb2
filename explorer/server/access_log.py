"""Middleware that counts every request and, if wanted, logs it."""

from __future__ import annotations

import logging
import time

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from explorer.server.logs import ACCESS, fields
from explorer.server.metrics import Counts

LONGEST_PATH = 200
log = logging.getLogger(ACCESS)


class AccessLog:
    """Counts and logs what an application answers.

    Args:
        app: what answers; it may name the callback that is asked in ``scope["state"]["callback"]``.
        counts: where to count.
        logged: whether every request gets a line in the log, at level info.
    """

    def __init__(self, app: ASGIApp, counts: Counts, *, logged: bool) -> None:
        self.app, self.counts, self.logged = app, counts, logged

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, count it and log it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begin = time.monotonic()
        status, size = 500, None

        async def watched(message: Message) -> None:
            nonlocal status, size
            if message["type"] == "http.response.start":
                status, size = message["status"], MutableHeaders(scope=message).get("content-length")
            await send(message)

        self.counts.came()
        try:
            await self.app(scope, receive, watched)
        finally:
            seconds = time.monotonic() - begin
            callback = scope.setdefault("state", {}).get("callback")
            self.counts.answered(callback, status, seconds)
            if self.logged:
                # never the query: a link holds what somebody painted
                log.info(
                    "request",
                    extra=fields(
                        method=scope["method"],
                        path=scope["path"][:LONGEST_PATH],
                        callback=callback,
                        status=status,
                        milliseconds=round(1000 * seconds, 1),
                        bytes=None if size is None else int(size),
                    ),
                )
