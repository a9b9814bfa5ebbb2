"""Errors: whatever is wrong with a request, the answer is a status and one sentence in plain text."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from explorer.server.fair_queue import Busy
from explorer.server.logs import fields, places
from explorer.server.metrics import Counts
from explorer.state import StateError

MAX_BODY = 64 * 1024  # bytes; a state with two painted pictures takes about 4 kB
SENTENCES = {
    400: "The request could not be read.",
    404: "There is nothing at this address.",
    405: "This address does not take that method.",
    408: "The body did not come in time.",
    413: f"The body is larger than {MAX_BODY // 1024} kB.",
    414: "The address is too long.",
    415: "The body is of a type that this address does not take.",
    500: "Something went wrong on the server.",
    503: "Many are asking just now; please try again in a moment.",
}
OTHERWISE = "The request could not be answered."
REASONS = {404: "address", 405: "method", 413: "size"}  # as counted
Handler = Callable[[Request, Any], Awaitable[Response]]
log = logging.getLogger("explorer")


class BadRequestBody(ValueError):
    """A callback request that no page of ours sends; the message is one sentence."""


def say(sentence: str, status: int, headers: dict[str, str] | None = None) -> Response:
    """A sentence as an answer."""
    return PlainTextResponse(sentence + "\n", status, headers)


def handlers(counts: Counts) -> dict[Any, Handler]:
    """What is answered to each kind of error, which is also counted."""

    async def refused(_: Request, error: Exception) -> Response:
        counts.refused("question" if isinstance(error, StateError) else "body")
        return say(f"{str(error)[:1].upper()}{str(error)[1:]}.", 400)

    async def too_deep(_: Request, __: RecursionError) -> Response:
        counts.refused("body")
        return say("The body is nested too deeply.", 400)

    async def busy(_: Request, error: Busy) -> Response:
        counts.refused("busy")
        return say(SENTENCES[503], 503, {"Retry-After": str(error.retry_after)})

    async def http_error(_: Request, error: HTTPException) -> Response:
        counts.refused(REASONS.get(error.status_code, "other"))
        return say(SENTENCES.get(error.status_code, OTHERWISE), error.status_code, dict(error.headers or {}))

    return {StateError: refused, BadRequestBody: refused, RecursionError: too_deep, Busy: busy, HTTPException: http_error}


class UnexpectedErrors:
    """Middleware that answers 500 where nothing else handled an exception, and logs where it happened.

    The log says no word of the exception's message, which may quote what was asked.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self.app(scope, receive, watched)
        except Exception as error:
            log.error("unexpected error", extra=fields(path=scope.get("path"), error=type(error).__name__, traceback=places(error)))
            if not started:
                await say(SENTENCES[500], 500)(scope, receive, send)
