"""A teacher and students as their pages meet the server: by HTTP, with a credential in a header."""

from __future__ import annotations

import http.client
import json
import secrets
import string
import time
from collections.abc import Callable, Iterator
from typing import Any

from explorer.state import State

PATIENCE = 20.0  # seconds, on a slow machine
EDGE = State().to_json()


class Answer:
    """A response that was read to its end."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status, self.headers, self.body = response.status, response.headers, response.read()

    @property
    def text(self) -> str:
        return self.body.decode().strip()

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def request(port: int, method: str, path: str, body: object = None, headers: dict[str, str] | None = None) -> Answer:
    """One request on a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        sent = None if body is None else body if isinstance(body, (bytes, str)) else json.dumps(body)
        connection.request(method, path, sent, {"Content-Type": "application/json", **(headers or {})})
        return Answer(connection.getresponse())
    finally:
        connection.close()


class Person:
    """Somebody in a room."""

    def __init__(self, port: int, given: dict[str, Any]) -> None:
        self.port, self.code, self.token = port, given["code"], given["token"]
        self.role, self.alias = given["role"], given.get("alias")

    @property
    def credential(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.code}.{self.token}"}

    def do(self, name: str, **more: Any) -> Answer:
        return request(self.port, "POST", "/room/do", {"do": name, **more}, self.credential)

    def done(self, name: str, **more: Any) -> Any:
        """What an action that must work answers."""
        answer = self.do(name, **more)
        assert answer.status == 200, answer.text
        return answer.json

    def now(self, since: int | None = None) -> Answer:
        return request(self.port, "GET", "/room/now", headers=self.credential | ({} if since is None else {"If-None-Match": f'"{since}"'}))

    def parts(self) -> dict[str, Any]:
        """All parts that this person sees."""
        answer = self.now()
        assert answer.status == 200, answer.text
        parts: dict[str, Any] = answer.json["parts"]
        return parts

    def until(self, holds: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
        """The parts as soon as something holds of them: another worker may be some milliseconds behind."""
        end = time.monotonic() + PATIENCE
        while True:
            parts = self.parts()
            if holds(parts):
                return parts
            assert time.monotonic() < end, sorted(parts)
            time.sleep(0.02)

    def stream(self, since: int = 0) -> Iterator[dict[str, Any]]:
        """The messages of a stream, each when it comes."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request("GET", "/room/stream", headers=self.credential | {"Room-Since": str(since)})
            response = connection.getresponse()
            assert response.status == 200, response.read()
            while line := response.readline():
                if line.startswith(b"data: "):
                    yield json.loads(line[6:])
        finally:
            connection.close()


def opened(port: int) -> Person:
    """A teacher who opened a room."""
    return Person(port, request(port, "POST", "/room/open", {}).json)


def joined(port: int, code: str) -> Person:
    """A student who joined it."""
    return Person(port, request(port, "POST", "/room/join", {"code": code}).json)


def new_id() -> str:
    """The id that a page makes for a picture."""
    return "".join(secrets.choice(string.ascii_lowercase + string.digits) for _ in range(12))
