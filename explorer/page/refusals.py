"""Refusals: whatever is wrong with a request, the answer is a status and one sentence in plain text."""

from __future__ import annotations

import logging
from collections.abc import Callable

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from explorer.logs import fields, places
from explorer.page.admission import Busy, Gone
from explorer.page.metrics import Counts
from explorer.state import StateError

MAX_BODY = 64 * 1024  # a state with two painted pictures takes about 4 kB
BUSY = "Many are asking just now; please try again in a moment."
SENTENCES = {
    400: "The request could not be read.",
    404: "There is nothing at this address.",
    405: "This address does not take that method.",
    411: "The request must say how long its body is.",
    413: f"The body is larger than {MAX_BODY // 1024} kB.",
    414: "The address is too long.",
    415: "The body is of a type that this address does not take.",
    431: "The headers are too large.",
    500: "Something went wrong on the server.",
    503: BUSY,
}
OTHERWISE = "The request could not be answered."
REASONS = {404: "address", 405: "method", 413: "size"}  # as counted
log = logging.getLogger("explorer")


class BadRequestBody(ValueError):
    """A callback request that no page of ours sends; the message is one sentence."""


def register(server: Flask, counts: Counts) -> None:
    """Make the server refuse in this way, and count what it refuses."""

    def counted(reason: str, refuse: Callable[[Exception], Response]) -> Callable[[Exception], Response]:
        def refuse_and_count(error: Exception) -> Response:
            counts.refused(reason)
            return refuse(error)

        return refuse_and_count

    def http_error(error: HTTPException) -> Response:
        counts.refused(REASONS.get(error.code or 500, "other"))
        return _http_error(error)

    nested = BadRequestBody("the body is nested too deeply")
    server.register_error_handler(StateError, counted("question", _refuse))
    server.register_error_handler(BadRequestBody, counted("body", _refuse))
    server.register_error_handler(RecursionError, counted("body", lambda _: _refuse(nested)))
    server.register_error_handler(Busy, counted("busy", _busy))
    server.register_error_handler(Gone, lambda _: say(OTHERWISE, 400))  # nobody is there to read it
    server.register_error_handler(HTTPException, http_error)
    server.register_error_handler(Exception, _unexpected)


def say(sentence: str, status: int) -> Response:
    """A sentence as an answer."""
    return Response(sentence + "\n", status, mimetype="text/plain")


def _refuse(refusal: Exception) -> Response:
    return say(f"{str(refusal)[:1].upper()}{str(refusal)[1:]}.", 400)


def _busy(busy: Exception) -> Response:
    response = say(BUSY, 503)
    response.headers["Retry-After"] = str(busy.retry_after if isinstance(busy, Busy) else 1)
    return response


def _http_error(error: HTTPException) -> Response:
    status = error.code or 500
    response = say(SENTENCES.get(status, OTHERWISE), status)
    for name, value in error.get_headers():
        if name.lower() != "content-type":  # such as Allow
            response.headers[name] = value
    return response


def _unexpected(error: Exception) -> Response:
    log.error("unexpected error", extra=fields(path=request.path, error=type(error).__name__, traceback=places(error)))
    return say(SENTENCES[500], 500)
