"""The endpoint of the callbacks: compression, the key of a client, clients that disconnect. (Bodies: test_callbacks.py.)"""

from __future__ import annotations

import asyncio
import gzip
import json
import threading
import zlib
from typing import Any

import orjson
from asgi import client_of
from each import each
from hypothesis import given
from hypothesis import strategies as st
from serving import awaited, stroke
from starlette.requests import Request
from starlette.types import Message
from werkzeug.test import TestResponse

from app import create_app
from bench.asking import callback_request
from explorer.server.callback_endpoint import MIN_COMPRESSED
from explorer.server.callback_endpoint import client_of as client_key
from explorer.server.errors import MAX_BODY
from explorer.state import State

UPDATE = "/_dash-update-component"
SERVER = create_app()
CLIENT = client_of(SERVER)
ACCEPTED = ["gzip", "gzip, deflate", "br;q=1.0, gzip;q=0.2", "*", "GZIP"]
REFUSED = ["", "identity", "br", "gzip;q=0", "x-gzip-not, deflate"]
PICTURE = tuple(i * 37 % 100 / 100 for i in range(64))  # as many different values as a picture can have


def response_to(accept: str | None, **state: Any) -> TestResponse:
    headers = {} if accept is None else {"Accept-Encoding": accept}
    return CLIENT.post(UPDATE, data=stroke(**state), content_type="application/json", headers=headers)


PLAIN = response_to(None).data


@each("accept", ACCEPTED)
def test_gzip_is_used_where_it_is_accepted(accept: str) -> None:
    response = response_to(accept)
    assert response.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(response.data) == PLAIN
    assert int(response.headers["Content-Length"]) == len(response.data) < len(PLAIN)
    assert response.headers["Vary"] == "Accept-Encoding"


@each("accept", [None, *REFUSED])
def test_other_clients_get_a_plain_response(accept: str | None) -> None:
    response = response_to(accept)
    assert "Content-Encoding" not in response.headers and response.data == PLAIN
    assert response.headers["Vary"] == "Accept-Encoding"  # a cache must not mix them up


@given(accept=st.text(st.characters(codec="latin-1", exclude_categories=["Cc"]), max_size=40))
def test_no_header_breaks_an_answer(accept: str) -> None:
    response = response_to(accept)
    assert response.status_code == 200
    assert (gzip.decompress(response.data) if "Content-Encoding" in response.headers else response.data) == PLAIN


def test_small_responses_are_not_compressed() -> None:
    response = CLIENT.post(UPDATE, json={"output": "x"}, headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in response.headers and len(response.data) < MIN_COMPRESSED


@each("network", ["shapes", "shapes-ordinary", "digits", "digits-cnn", "digits-rewritten", "logistic"])
def test_a_stroke_is_answered_in_20_kb_at_50_steps(network: str) -> None:
    response = response_to("gzip", **State(pixels=PICTURE, network=network, steps=50).to_json())
    assert len(response.data) <= 20_480
    assert zlib.decompress(response.data, wbits=31) == response_to(None, **State(pixels=PICTURE, network=network, steps=50).to_json()).data


# ---------------------------------------------------------------- the key of a client


def named(address: str | None, trusted: int = 0, *forwarded: str) -> str:
    client = None if address is None else (address, 1)
    headers = [(b"x-forwarded-for", value.encode()) for value in forwarded]
    return client_key(Request({"type": "http", "client": client, "headers": headers}), trusted)


@each(
    "case",
    [
        ("10.0.0.1", "10.0.0.1", True),
        ("10.0.0.1", "10.0.0.2", False),
        ("::ffff:10.0.0.1", "10.0.0.1", True),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        (None, "", True),
        ("unix", "unix", True),
    ],
)
def test_a_client_is_an_ipv4_address_or_an_ipv6_network(case: tuple[str | None, str | None, bool]) -> None:
    one, other, same = case
    assert (named(one) == named(other)) is same


@each(
    "case",
    [
        (0, ["1.1.1.1"], "10.0.0.1"),
        (1, ["1.1.1.1"], "1.1.1.1"),
        (1, ["6.6.6.6, 1.1.1.1"], "1.1.1.1"),
        (1, ["6.6.6.6", "1.1.1.1"], "1.1.1.1"),  # a proxy may add a header of its own
        (2, ["6.6.6.6, 1.1.1.1, 10.1.1.1"], "1.1.1.1"),
        (3, ["1.1.1.1"], "1.1.1.1"),
        (1, [], "10.0.0.1"),
        (1, [""], "10.0.0.1"),
    ],
)
def test_only_trusted_proxies_can_name_the_client(case: tuple[int, list[str], str]) -> None:
    trusted, forwarded, expected = case
    assert named("10.0.0.1", trusted, *forwarded) == expected


# ---------------------------------------------------------------- clients that disconnect


def scope() -> dict[str, Any]:
    headers = [(b"content-type", b"application/json")]
    return {"type": "http", "method": "POST", "path": UPDATE, "root_path": "", "query_string": b"", "headers": headers, "client": ("1.1.1.1", 1), "state": {}}


def test_a_client_that_disconnects_leaves_the_queue_and_another_one_with_the_same_question_is_answered() -> None:
    server = create_app()
    pool, computed = server.state.compute.pools["explanation"], threading.Event()

    async def play() -> None:
        leaving = asyncio.Event()

        async def ask(steps: int, left: asyncio.Event) -> list[Message]:
            sent, body = list[Message](), [{"type": "http.request", "body": stroke(steps=steps)}]

            async def receive() -> Message:
                if body:
                    return body.pop()
                await left.wait()
                return {"type": "http.disconnect"}

            async def send(message: Message) -> None:
                sent.append(message)

            await server(scope(), receive, send)
            return sent

        busy = asyncio.create_task(pool.run(lambda: computed.wait(60)))
        stays = asyncio.Event()
        asking = [asyncio.create_task(ask(*what)) for what in ((50, leaving), (60, leaving), (60, stays))]
        while sum(map(len, pool._waiting.values())) < 2:
            await asyncio.sleep(0)
        leaving.set()
        await asyncio.wait(asking[:2])
        assert sum(map(len, pool._waiting.values())) == 1  # the question with 50 steps is gone
        computed.set()
        last = await asking[2]
        assert last[0]["status"] == 200 and b"explanation" in last[1]["body"]
        await busy

    awaited(asyncio.wait_for(play(), 60))


def test_a_body_that_is_announced_as_too_large_is_refused_before_it_is_read() -> None:
    sent: list[Message] = []

    async def receive() -> Message:
        raise AssertionError("it was read")

    async def send(message: Message) -> None:
        sent.append(message)

    announced = scope()
    announced["headers"].append((b"content-length", b"%d" % (MAX_BODY + 1)))
    awaited(SERVER(announced, receive, send))
    assert sent[0]["status"] == 413


def test_a_websocket_is_refused() -> None:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message)

    for path in ("/_dash-ws-callback", UPDATE, "/"):
        awaited(SERVER({"type": "websocket", "path": path, "root_path": "", "query_string": b"", "headers": [], "state": {}}, receive, send))
    assert {message["type"] for message in sent} == {"websocket.close"}


def test_answers_hold_what_dash_expects() -> None:
    envelope = orjson.loads(PLAIN)
    assert envelope.keys() == {"multi", "response"} and json.loads(envelope["response"]["explanation"]["data"])["ask"] == 1
    assert callback_request("explanation", "state", 1)["output"] == "explanation.data"
