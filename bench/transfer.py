"""Bytes on the wire of a real server: a first visit file by file, a second visit, and the answer to a stroke."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping, Sequence

from bench.asking import callback_request, named
from bench.serving import running
from explorer.state import State

ENCODINGS = ("identity", "gzip", "gzip, deflate, br")  # the last as browsers send it over https and on localhost
FIRST_VISIT, STROKE = 450_000, 20_000  # the aims


def main(_: Sequence[str] = ()) -> None:
    """Print the table."""
    pixels = list(State().pixels)
    pixels[25:30] = [1.0] * 5
    stroke = State(steps=50, pixels=tuple(pixels))
    with running("app.py") as (port, _id):
        connection = http.client.HTTPConnection("127.0.0.1", port)
        page, _headers = _fetch(connection, "/")
        print(f"\nBytes of bodies on the wire\n  {'what':<52} {'plain':>11} {'gzip':>11} {'br offered':>11}   aim")
        first, later = [0, 0, 0], [0, 0, 0]
        for address in ("/", *named(page.decode()), "/_dash-layout", "/_dash-dependencies"):
            sizes = [0, 0, 0]
            for i, encoding in enumerate(ENCODINGS):
                body, headers = _fetch(connection, address, encoding)
                sizes[i] = len(body)
                first[i] += len(body)
                if "immutable" not in headers.get("Cache-Control", ""):
                    later[i] += len(_fetch(connection, address, encoding, {"If-None-Match": headers.get("ETag", "")})[0])
            _line(address, sizes)
        opening = [len(_answer(connection, {"ask": 1, "link": ""}, encoding)) for encoding in ENCODINGS]
        _line("the first answer", opening)
        _line("a first visit", [a + b for a, b in zip(first, opening, strict=True)], f"≤ {FIRST_VISIT:,}")
        _line("a visit after it, without its answer", later)
        answers = [len(_answer(connection, {"ask": 2, "state": stroke.to_json()}, encoding)) for encoding in ENCODINGS]
        _line("the answer to a stroke, m = 50", answers, f"≤ {STROKE:,}")


def _fetch(
    connection: http.client.HTTPConnection, address: str, encoding: str = "identity", more: Mapping[str, str] | None = None, body: bytes | None = None
) -> tuple[bytes, http.client.HTTPMessage]:
    """The raw body and the headers of a response."""
    connection.request("GET" if body is None else "POST", address, body, {"Accept-Encoding": encoding, **(more or {})})
    response = connection.getresponse()
    if response.status not in (200, 304):
        raise RuntimeError(f"{address}: {response.status}")
    return response.read(), response.headers


def _answer(connection: http.client.HTTPConnection, question: dict[str, object], encoding: str) -> bytes:
    body = json.dumps(callback_request("explanation", "state", question)).encode()
    return _fetch(connection, "/_dash-update-component", encoding, {"Content-Type": "application/json"}, body)[0]


def _line(what: str, sizes: list[int], aim: str = "") -> None:
    print(f"  {what:<52} " + " ".join(f"{size:11,}" for size in sizes) + (f"   {aim}" if aim else ""), flush=True)
