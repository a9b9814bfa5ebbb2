"""Error responses: a status and one sentence in plain text."""

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from explorer.server.fair_queue import Busy
from explorer.server.logs import FIELDS, traceback_of
from explorer.server.metrics import Metrics
from explorer.state import StateError

MAX_BODY = 64 * 1024  # bytes; a state with two painted pictures takes about 4 kB
SENTENCES = {
    400: "The request could not be read.",
    404: "There is nothing at this address.",
    405: "This address does not take that method.",
    413: f"The body is larger than {MAX_BODY // 1024} kB.",
    500: "Something went wrong on the server.",
    503: "Many are asking just now; please try again in a moment.",
}
REASONS = {404: "address", 405: "method", 413: "size"}  # labels in the metrics
log = logging.getLogger("explorer")


class BadRequestBody(ValueError):
    """An invalid callback request, which the page never sends; the message is one sentence."""


def sentence_response(sentence: str, status: int, headers: dict[str, str] | None = None) -> Response:
    """A sentence as a plain text response."""
    return PlainTextResponse(sentence + "\n", status, headers)


def handlers(metrics: Metrics) -> dict[Any, Callable[[Request, Any], Awaitable[Response]]]:
    """Exception handlers by type of exception; they also count it."""

    async def refused(_: Request, error: Exception) -> Response:
        metrics.refusals.labels("question" if isinstance(error, StateError) else "body").inc()
        return sentence_response(f"{str(error)[:1].upper()}{str(error)[1:]}.", 400)

    async def busy(_: Request, error: Busy) -> Response:
        metrics.refusals.labels("busy").inc()
        return sentence_response(SENTENCES[503], 503, {"Retry-After": str(error.retry_after)})

    async def http_error(_: Request, error: HTTPException) -> Response:
        metrics.refusals.labels(REASONS.get(error.status_code, "other")).inc()
        return sentence_response(SENTENCES.get(error.status_code, SENTENCES[400]), error.status_code, dict(error.headers or {}))

    async def unexpected(request: Request, error: Exception) -> Response:
        # without the exception's message, which may quote the request
        fields = {"path": request.scope["path"], "error": type(error).__name__, "traceback": traceback_of(error)}
        log.error("unexpected error", extra={FIELDS: fields})
        return sentence_response(SENTENCES[500], 500)

    return {StateError: refused, BadRequestBody: refused, Busy: busy, HTTPException: http_error, Exception: unexpected}
