"""Answers travel compressed, to those who can read that, and are the same."""

from __future__ import annotations

import gzip
import zlib
from typing import Any

import orjson
import pytest
from explorer.page.compression import SMALLEST, compress_answers
from flask import Flask, Response
from hypothesis import given
from hypothesis import strategies as st

from explorer.models import load_zoo
from explorer.page.callbacks import respond
from explorer.state import State

ACCEPTED = ["gzip", "gzip, deflate", "br;q=1.0, gzip;q=0.2", "*", "GZIP"]
REFUSED = ["", "identity", "br", "gzip;q=0", "x-gzip-not, deflate"]
LARGE = {"numbers": [i / 7 for i in range(1000)], "word": "α"}


def serving(body: bytes, mimetype: str = "application/json") -> Flask:
    """A server whose only answer is this."""
    server = Flask("serving")
    server.add_url_rule("/", view_func=lambda: Response(body, mimetype=mimetype))
    compress_answers(server)
    return server


def asked(server: Flask, accept: str | None) -> Any:
    headers = {} if accept is None else {"Accept-Encoding": accept}
    return server.test_client().get("/", headers=headers)


@pytest.mark.parametrize("accept", ACCEPTED)
def test_who_accepts_gzip_gets_it(accept: str) -> None:
    body = orjson.dumps(LARGE)
    response = asked(serving(body), accept)
    assert response.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(response.data) == body
    assert int(response.headers["Content-Length"]) == len(response.data) < len(body)
    assert response.headers["Vary"] == "Accept-Encoding"


@pytest.mark.parametrize("accept", [None, *REFUSED])
def test_who_does_not_gets_the_plain_answer(accept: str | None) -> None:
    body = orjson.dumps(LARGE)
    response = asked(serving(body), accept)
    assert "Content-Encoding" not in response.headers
    assert response.data == body
    assert response.headers["Vary"] == "Accept-Encoding"  # a cache in between must not mix the two up


@given(accept=st.text(st.characters(codec="latin-1", exclude_categories=["Cc"]), max_size=40))
def test_no_header_breaks_an_answer(accept: str) -> None:
    body = orjson.dumps(LARGE)
    response = asked(serving(body), accept)
    assert response.status_code == 200
    assert (gzip.decompress(response.data) if "Content-Encoding" in response.headers else response.data) == body


def test_small_answers_and_other_kinds_are_left_alone() -> None:
    small = orjson.dumps("x" * (SMALLEST // 2))
    assert asked(serving(small), "gzip").data == small
    picture = asked(serving(bytes(5000), "image/png"), "gzip")
    assert picture.data == bytes(5000)
    assert "Vary" not in picture.headers


@pytest.mark.parametrize("network", ["shapes", "digits", "digits-cnn", "digits-rewritten", "logistic"])
def test_a_stroke_is_answered_in_20_kb_at_50_steps(network: str) -> None:
    zoo = load_zoo()
    picture = tuple(i * 37 % 100 / 100 for i in range(64))  # as many different values as a picture can have
    state = State(pixels=picture, network=network, steps=50)
    told = orjson.dumps(respond({"ask": 1, "state": state.to_json()}, zoo)).decode()
    body = orjson.dumps({"response": {"explanation": {"data": told}}, "multi": True})
    response = asked(serving(body), "gzip")
    assert len(response.data) <= 20_480
    assert zlib.decompress(response.data, wbits=31) == body
