"""Bytes on the wire: a first visit file by file, a second one, and a stroke's answer; real answers of a real server."""

from __future__ import annotations

import http.client
import json
from collections.abc import Sequence
from dataclasses import replace

from bench.asking import callback_request, named
from bench.serving import served
from explorer.state import State

ENCODINGS = ("identity", "gzip", "gzip, deflate, br")  # the last as browsers offer it over https and on localhost
FIRST_VISIT, STROKE = 700_000, 20_000  # the aims
UPDATE = "/_dash-update-component"


def main(_: Sequence[str] = ()) -> None:
    """Print the table."""
    with served("app.py") as port:
        server = Server(port)
        opening = [*(("GET", address) for address in ("/", *server.files(), "/_dash-layout", "/_dash-dependencies"))]
        print(f"\nBytes of bodies on the wire\n  {'what':<52} {'plain':>11} {'gzip':>11} {'br offered':>11}   aim")
        total = [0, 0, 0]
        for method, address in opening:
            sizes = [server.size(method, address, encoding) for encoding in ENCODINGS]
            total = [sum_ + size for sum_, size in zip(total, sizes, strict=True)]
            _line(address, sizes)
        answer = [server.asked({"ask": 1, "link": ""}, encoding) for encoding in ENCODINGS]
        _line("the first answer", answer)
        _line("a first visit", [a + b for a, b in zip(total, answer, strict=True)], f"≤ {FIRST_VISIT:,}")
        again = [sum(server.again(address, encoding) for _, address in opening) for encoding in ENCODINGS]
        _line("a visit after it, without its answer", again)
        stroke = {"ask": 2, "state": replace(State(), steps=50, pixels=_painted()).to_json()}
        _line("the answer to a stroke, m = 50", [server.asked(stroke, encoding) for encoding in ENCODINGS], f"≤ {STROKE:,}")


class Server:
    """What a browser's side of the connection sees."""

    def __init__(self, port: int) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port)
        self.tags: dict[tuple[str, str], tuple[str, bool]] = {}

    def files(self) -> list[str]:
        """The addresses that the page names."""
        self.connection.request("GET", "/")
        return named(self.connection.getresponse().read().decode())

    def size(self, method: str, address: str, encoding: str, body: bytes | None = None) -> int:
        """The length of an answer's body as it is sent."""
        headers = {"Accept-Encoding": encoding, "Content-Type": "application/json"}
        self.connection.request(method, address, body, headers)
        response = self.connection.getresponse()
        sent = len(response.read())
        if response.status != 200:
            raise RuntimeError(f"{address}: {response.status}")
        kept = "immutable" in response.headers.get("Cache-Control", "")
        self.tags[address, encoding] = response.headers.get("ETag", ""), kept
        return sent

    def again(self, address: str, encoding: str) -> int:
        """The same for a browser that has the answer already: nothing where it may keep it, else what asking again sends."""
        tag, kept = self.tags[address, encoding]
        if kept:
            return 0
        self.connection.request("GET", address, headers={"Accept-Encoding": encoding, "If-None-Match": tag})
        return len(self.connection.getresponse().read())

    def asked(self, question: dict[str, object], encoding: str) -> int:
        """The length of the answer to a question of the page."""
        return self.size("POST", UPDATE, encoding, json.dumps(callback_request("explanation", "state", question)).encode())


def _painted() -> tuple[float, ...]:
    """A stroke over the opening picture."""
    pixels = list(State().pixels)
    pixels[25:30] = [1.0] * 5
    return tuple(pixels)


def _line(what: str, sizes: list[int], aim: str = "") -> None:
    print(f"  {what:<52} " + " ".join(f"{size:11,}" for size in sizes) + (f"   {aim}" if aim else ""), flush=True)
