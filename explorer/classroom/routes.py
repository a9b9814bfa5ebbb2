"""The routes of rooms. They read and check a request, call what does it, and answer; a credential is in a header, never in an address."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import wraps
from typing import Any

import orjson
from prometheus_client import Gauge
from sse_starlette import EventSourceResponse
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from explorer.classroom.actions import OfStudent, OfTeacher, read_action
from explorer.classroom.codes import read_code
from explorer.classroom.guesses import Guesses, Often
from explorer.classroom.hub import Hub
from explorer.classroom.qr import qr_svg
from explorer.classroom.rooms import Member, Refused, ended, join_room, member, open_room
from explorer.classroom.store import NoRoom, StoreAway
from explorer.classroom.taking_part import TakingPart
from explorer.classroom.teaching import Teaching
from explorer.server.callback_endpoint import client_of, read_body
from explorer.server.compute import CLIENT, Compute
from explorer.server.errors import BadRequestBody, sentence_response
from explorer.server.metrics import METHOD_ANSWERS

AWAY = "The room's store cannot be reached just now; please try again in a moment."
AGAIN_AFTER = {"Retry-After": "2"}
NO_STORE = {"Cache-Control": "no-store"}
PING = 5  # seconds between two signs of life of a stream: proxies cut what is silent for 8 (deploy/nginx.conf)
ENDS_WITHIN = 3.0  # seconds for streams to end before the other requests, when the server stops
ROOMS_OPENED, IN_TIME = 100, 600.0  # by one client, a whole school perhaps, within so many seconds, at one worker
MOST_STREAMS = 20  # of one token, at one worker: each is a page, or one that has gone unseen
Endpoint = Callable[[Request], Awaitable[Response]]


def room_routes(hub: Hub, teaching: Teaching, taking_part: TakingPart, listening: Gauge, trusted_proxies: int) -> list[Route]:
    """All routes of rooms."""
    guesses, openings, streams = Guesses(), Often(ROOMS_OPENED, IN_TIME), Counter[str]()

    async def open_(request: Request) -> Response:
        await read_json(request)
        client = client_of(request, trusted_proxies)
        if openings.did(client):
            return sentence_response("Many rooms were opened from your network; please try again in some minutes.", 429, {"Retry-After": "60"})
        room = await open_room(hub)
        openings.note(client)
        return _json(room)

    async def join(request: Request) -> Response:
        typed = (await read_json(request)).get("code")
        if not isinstance(typed, str) or len(typed) > 100:
            raise BadRequestBody("the code must be a string of 5 letters")
        client = client_of(request, trusted_proxies)
        if not await guesses.turn(client):
            return sentence_response("Many codes from your network were wrong; please try again in a minute.", 429, {"Retry-After": "60"})
        try:
            return _json(await join_room(hub, typed))
        except NoRoom:
            guesses.wrong(client)
            said = f"There is no room {read_code(typed)}." if read_code(typed) else "A code has 5 letters."
            if guesses.suspects(client):
                return sentence_response(f"{said} Many codes from your network were wrong; please wait a minute.", 429, {"Retry-After": "60"})
            return sentence_response(said, 404)

    async def stream(request: Request) -> Response:
        who = await member(hub, _credential(request))
        if request.method == "HEAD":  # has no body that would end
            return Response(headers=NO_STORE, media_type="text/event-stream")
        own = f"{who.room.code} {who.key}"
        if streams[own] >= MOST_STREAMS:
            raise Refused(429, "Too many pages listen to this room as you.", {"Retry-After": "5"})
        messages = hub.listen(who.room, who.role, _head(who), _version(request.headers.get("room-since", "")))

        async def events() -> Any:
            streams[own] += 1
            try:
                with listening.track_inprogress():
                    async for message in messages:
                        if not who.is_in():  # another page of the same student has left
                            yield b'data: {"over":true}\n\n'
                            return
                        yield b"data: " + message + b"\n\n"
            finally:
                streams[own] -= 1
                if not streams[own]:
                    del streams[own]

        return EventSourceResponse(
            events(), ping=PING, sep="\n", shutdown_event=hub.stopping, shutdown_grace_period=ENDS_WITHIN
        )

    async def now(request: Request) -> Response:
        who = await member(hub, _credential(request))
        if who.alias:
            hub.polled(who.room, who.alias)
        since = _version(request.headers.get("if-none-match", "").removeprefix("W/").strip('"'))
        if since > who.room.version:
            since = 0
        version = who.room.version
        headers = {"ETag": f'"{version}"', "Cache-Control": "no-cache"}
        if since and not who.room.has_news(who.role, since):
            return Response(status_code=304, headers=headers)
        return Response(b"{" + _head(who) + b"," + who.room.parts_since(who.role, since), headers=headers, media_type="application/json")

    async def do(request: Request) -> Response:
        who = await member(hub, _credential(request))
        action = read_action(await read_json(request))
        CLIENT.set(f"{who.room.code} {who.alias or 'teacher'}")
        if isinstance(action, OfTeacher):
            if who.role != "teacher":
                raise Refused(403, "Only the teacher can do this.")
            return _json(await teaching.do(who, action))
        if isinstance(action, OfStudent) and who.role != "student":
            raise Refused(403, "Only students can do this.")
        return _json(await taking_part.do(who, action))

    routes = [("/room/open", open_, "POST"), ("/room/join", join, "POST"), ("/room/do", do, "POST"), ("/room/stream", stream, "GET"), ("/room/now", now, "GET")]
    return [Route(path, _guarded(endpoint), methods=[method]) for path, endpoint, method in routes]


def qr_route(compute: Compute, trusted_proxies: int) -> Route:
    """The QR code of a text, also where there are no rooms. A long one takes half a second, which is not the event loop's."""

    async def qr(request: Request) -> Response:
        text = (await read_json(request)).get("text")
        if not isinstance(text, str) or not text:
            raise BadRequestBody("the text of a QR code must be a string")
        client = client_of(request, trusted_proxies)
        try:
            svg = await compute.pools[METHOD_ANSWERS].run(lambda: qr_svg(text), client)
            return Response(svg, headers=NO_STORE, media_type="image/svg+xml")
        except ValueError as error:
            raise BadRequestBody(str(error).rstrip(".")) from None

    return Route("/qr", qr, methods=["POST"])


async def read_json(request: Request) -> dict[str, Any]:
    """The JSON object that a request sends.

    Raises:
        BadRequestBody, HTTPException: it sends something else, or too much.
    """
    body = await read_body(request)
    with suppress(ValueError):
        data = orjson.loads(body)
        if isinstance(data, dict):
            return data
    raise BadRequestBody("the body must be a JSON object")


def _guarded(endpoint: Endpoint) -> Endpoint:
    @wraps(endpoint)
    async def respond(request: Request) -> Response:
        try:
            return await endpoint(request)
        except Refused as refused:
            return sentence_response(refused.detail, refused.status_code, {**NO_STORE, **(refused.headers or {})})
        except NoRoom:
            return sentence_response(ended().detail, 404)
        except StoreAway:
            return sentence_response(AWAY, 503, AGAIN_AFTER)

    return respond


def _credential(request: Request) -> str:
    kind, _, credential = request.headers.get("authorization", "").partition(" ")
    return credential.strip() if kind.lower() == "bearer" else ""


def _version(text: str) -> int:
    return int(text) if re.fullmatch(r"\d{1,15}", text, re.ASCII) else 0


def _head(who: Member) -> bytes:
    return orjson.dumps({"role": who.role, "alias": who.alias})[1:-1]


def _json(data: dict[str, Any]) -> Response:
    return Response(orjson.dumps(data), headers=NO_STORE, media_type="application/json")
