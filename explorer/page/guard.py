"""What stands between the network and the callbacks: refusals in one sentence, size limits, and headers."""

from __future__ import annotations

import json
import logging
from typing import Any

from dash import Dash
from dash.exceptions import DependencyException
from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException, InternalServerError, NotFound

from explorer.state import StateError

MAX_BODY = 64 * 1024  # a state with two painted pictures takes about 4 kB
log = logging.getLogger(__name__)


class BadRequestBody(ValueError):
    """A callback request that no page of ours sends; the message is one sentence."""


def protect(app: Dash, *, frame_ancestors: str) -> None:
    """Add the checks and headers to the app's server. Call it when all callbacks are registered.

    Args:
        app: the Dash app.
        frame_ancestors: who may embed the page, as in the Content-Security-Policy directive of that name.
    """
    server: Flask = app.server
    server.config["MAX_CONTENT_LENGTH"] = MAX_BODY
    update_path = app.config.routes_pathname_prefix + "_dash-update-component"

    page, everything_else = app.config.routes_pathname_prefix, f"{app.config.routes_pathname_prefix}<path:path>"

    @server.before_request
    def check_address() -> None:
        # Dash answers any address with the page; this app has but one
        if request.url_rule is not None and request.url_rule.rule == everything_else and request.path != page:
            raise NotFound

    @server.before_request
    def check_body() -> None:
        if request.path == update_path and request.method == "POST":
            if not request.is_json:
                raise BadRequestBody("the body must be JSON, sent as application/json")
            check_callback(_read_body(), app.callback_map)

    for refusal in (StateError, BadRequestBody):
        server.register_error_handler(refusal, _refuse)
    server.register_error_handler(RecursionError, lambda _: _refuse(BadRequestBody("the body is nested too deeply")))
    server.register_error_handler(DependencyException, lambda _: _http_error(NotFound()))  # a file Dash does not have
    server.register_error_handler(HTTPException, _http_error)
    server.register_error_handler(Exception, _unexpected)
    _add_headers(app, frame_ancestors)


def _read_body() -> bytes:
    """The body of this request. One in chunks that are none fails in the server that reads it, in its own ways."""
    try:
        return request.get_data(cache=True)
    except HTTPException:
        raise
    except Exception:
        raise BadRequestBody("the body could not be read") from None


def check_callback(body: bytes, callbacks: dict[str, Any]) -> None:
    """Let pass only what Dash can dispatch: a known output with exactly its own inputs.

    Raises:
        BadRequestBody: naming what is wrong.
    """
    try:
        data = json.loads(body, parse_constant=_no_constant)
    except (ValueError, RecursionError):  # also UnicodeDecodeError, and numbers of thousands of digits
        raise BadRequestBody("the body must be JSON") from None
    if not isinstance(data, dict):
        raise BadRequestBody("the body must be a JSON object")
    output = data.get("output")
    if not isinstance(output, str) or output not in callbacks:
        raise BadRequestBody("the body names no output of this page")
    known = callbacks[output]
    expected = {"inputs": known["inputs"], "state": known["state"]}
    for part, wanted in expected.items():
        _check_part(part, data.get(part, []), wanted)
    _check_outputs(data.get("outputs"), output)
    changed = data.get("changedPropIds", [])
    if not isinstance(changed, list) or not all(isinstance(name, str) for name in changed):
        raise BadRequestBody("'changedPropIds' must be a list of strings")


def _check_part(part: str, given: object, wanted: list[dict[str, Any]]) -> None:
    if not isinstance(given, list) or len(given) != len(wanted):
        raise BadRequestBody(f"'{part}' must be a list of {len(wanted)}")
    for entry, want in zip(given, wanted, strict=True):
        named = isinstance(entry, dict) and entry.get("id") == want["id"] and entry.get("property") == want["property"]
        if not named:
            raise BadRequestBody(f"'{part}' must name {want['id']}.{want['property']}")


def _check_outputs(given: object, output: str) -> None:
    if not isinstance(given, dict) or f"{given.get('id')}.{given.get('property')}" != output:
        raise BadRequestBody("'outputs' must name the same property as 'output'")


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _refuse(refusal: Exception) -> tuple[Response, int]:
    return _say(f"{str(refusal)[:1].upper()}{str(refusal)[1:]}."), 400


def _http_error(error: HTTPException) -> tuple[Response, int]:
    reason = {
        404: "There is nothing at this address.",
        405: "This address does not take that method.",
        413: f"The body is larger than {MAX_BODY // 1024} kB.",
    }.get(error.code or 500, error.description or "The request could not be answered.")
    return _say(reason), error.code or 500


def _unexpected(error: Exception) -> tuple[Response, int]:
    log.error("unexpected error in %s", request.path, exc_info=error)
    return _say("Something went wrong on the server."), InternalServerError.code


def _say(sentence: str) -> Response:
    return Response(sentence + "\n", mimetype="text/plain")


def _add_headers(app: Dash, frame_ancestors: str) -> None:
    policy = "; ".join(
        [
            "default-src 'self'",
            "script-src 'self' " + " ".join(app.csp_hashes()),
            "style-src 'self' 'unsafe-inline'",  # Dash and Plotly write style attributes
            "img-src 'self' data: blob:",
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'none'",
            f"frame-ancestors {frame_ancestors}",
        ]
    )

    @app.server.after_request
    def headers(response: Response) -> Response:
        response.headers.setdefault("Content-Security-Policy", policy)
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        response.headers.setdefault("Referrer-Policy", "same-origin")
        return response
