"""What stands between the network and the callbacks: only what makes sense gets in, and only as much as can be answered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
from dash import Dash
from flask import Flask, request
from flask.json.provider import DefaultJSONProvider
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound
from werkzeug.middleware.proxy_fix import ProxyFix

from explorer.page import probes, refusals, sharing
from explorer.page.account import CALLBACK, Account
from explorer.page.admission import Admission, Busy, Gone, hung_up
from explorer.page.headers import WithHeaders, content_policy
from explorer.page.metrics import Counts, Metrics
from explorer.page.prefix import WithoutPrefix
from explorer.page.probes import Readiness
from explorer.page.refusals import MAX_BODY, BadRequestBody
from explorer.page.turns import visitor_at
from explorer.serving import Serving
from explorer.state import Zoo

NAME = "explorer"  # of what stands guard, in the server's extensions
UPDATE = "/_dash-update-component"  # where Dash answers callbacks


class Guard:
    """What stands before the callbacks of one server, for those who start and stop it.

    Attributes:
        counts: of what is asked and answered.
        readiness: whether this worker would answer right.
        admission: who may compute.
    """

    def __init__(self, serving: Serving, zoo: Zoo, version: str) -> None:
        self.counts: Counts = Metrics(version) if serving.metrics else Counts()
        self.readiness = Readiness(zoo)
        self.admission = Admission(serving.threads)

    def worker_started(self, stopping: Callable[[], bool]) -> None:
        """Make a worker ready to be asked: torch takes half a second to get going, in every thread that computes.

        Args:
            stopping: whether the worker is about to end.
        """
        for lane in self.admission.lanes.values():
            lane.compute(self.readiness.find_fault)
        self.readiness.refusal()
        self.readiness.stopping = stopping
        self.counts.worker_started()


def protect(app: Dash, zoo: Zoo, serving: Serving, version: str) -> None:
    """Put everything that stands guard before the app's server. Call it when all callbacks are registered.

    Args:
        app: the Dash app.
        zoo: the networks, to be probed.
        serving: the settings.
        version: of the explorer, to be counted under.
    """
    server: Flask = app.server
    guard = Guard(serving, zoo, version)
    server.extensions[NAME] = guard
    server.config["MAX_CONTENT_LENGTH"] = MAX_BODY
    server.json = StrictJson(server)
    refusals.register(server, guard.counts)
    _check_requests(app)
    server.view_functions[UPDATE] = _admitted(server.view_functions[UPDATE], guard)
    probes.add(server, guard.readiness)
    sharing.add(server, serving)
    if isinstance(guard.counts, Metrics):
        guard.counts.add(server)


def surround(app: Dash, serving: Serving, version: str) -> None:
    """Put headers, counts and the log around everything that the app's server answers. Call it when all else is done.

    Args:
        app: the Dash app, protected.
        serving: the settings.
        version: of the explorer; answers of callbacks carry it.
    """
    server: Flask = app.server
    guard: Guard = server.extensions[NAME]
    policy = content_policy(app.csp_hashes(), serving.frame_ancestors)
    inner = WithHeaders(server.wsgi_app, policy, UPDATE, (("X-Explorer-Version", version),))
    counted = Account(inner, guard.counts, logged=serving.access_log)
    outer = counted if serving.prefix == "/" else WithoutPrefix(counted, serving.prefix)
    trusted = serving.trusted_proxies
    server.wsgi_app = ProxyFix(outer, x_for=trusted, x_proto=trusted, x_host=trusted) if trusted else outer  # type: ignore[method-assign]


class StrictJson(DefaultJSONProvider):
    """How Dash reads a body: just as ``check_callback`` does, and several times faster than by itself."""

    def loads(self, s: str | bytes, **_: Any) -> Any:
        """What a JSON text says."""
        return orjson.loads(s)


def _check_requests(app: Dash) -> None:
    """Refuse what no page of ours asks, before Dash sees it."""
    everything_else = "/<path:path>"

    @app.server.before_request
    def check_address() -> None:
        # Dash answers any address with the page; this app has but one
        if request.url_rule is not None and request.url_rule.rule == everything_else and request.path != "/":
            raise MethodNotAllowed(["POST", "OPTIONS"]) if request.path == UPDATE else NotFound

    @app.server.before_request
    def check_body() -> None:
        if request.path == UPDATE and request.method == "POST":
            if not request.is_json:
                raise BadRequestBody("the body must be JSON, sent as application/json")
            request.environ[CALLBACK] = check_callback(_body(), app.callback_map)


def _body() -> bytes:
    try:
        return request.get_data(cache=True)
    except HTTPException:  # too large
        raise
    except Exception:  # what the server beneath has to say of broken chunks, and each server says it in its own way
        raise BadRequestBody("the body could not be read") from None


def _admitted(dispatch: Callable[[], Any], guard: Guard) -> Callable[[], Any]:
    """Dash's dispatch, for those whose turn it is."""

    def dispatch_in_turn() -> Any:
        callback = request.environ[CALLBACK]
        connection = request.environ.get("gunicorn.socket")
        try:
            return guard.admission.lane(callback).compute(dispatch, lambda: not hung_up(connection), visitor_at(request.remote_addr))
        except Busy as busy:
            guard.counts.shed(callback, busy.reason)
            raise
        except Gone:
            guard.counts.given_up(callback)
            raise

    return dispatch_in_turn


def check_callback(body: bytes, callbacks: dict[str, Any]) -> str:
    """Let pass only what Dash can dispatch: a known output with exactly its own inputs.

    Returns:
        The id of the output's component.

    Raises:
        BadRequestBody: naming what is wrong.
    """
    try:
        data = orjson.loads(body)  # strictly: no NaN, no broken unicode, no endless depth
    except ValueError:
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
    return output.rpartition(".")[0]


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

