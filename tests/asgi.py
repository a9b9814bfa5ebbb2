"""A client that asks an ASGI application without a server, by werkzeug's test client."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from serving import awaited
from starlette.types import ASGIApp, Message
from werkzeug.datastructures import EnvironHeaders
from werkzeug.test import Client

from app import create_app
from explorer.page.callbacks import answered
from explorer.server.compute import Compute
from explorer.server.metrics import EXPLANATION, METHOD_ANSWERS, Metrics
from explorer.state import Zoo

COMPUTE = Compute(1, 0, Metrics("test"))


def client_of(app: ASGIApp | None = None) -> Client:
    """A client of an application, or of one made anew; each request has an event loop of its own."""
    application = app or create_app()

    def answer(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        sent = awaited(exchange(application, environ))
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in sent[0]["headers"]]
        start_response(f"{sent[0]['status']} -", headers)
        body = b"".join(message.get("body", b"") for message in sent[1:])
        return [b"" if environ["REQUEST_METHOD"] == "HEAD" else body]

    return Client(answer)


def respond(question: object, zoo: Zoo) -> dict[str, Any]:
    """What the page's callbacks answer to a question, as a function."""
    name = METHOD_ANSWERS if isinstance(question, dict) and "methods" in question else EXPLANATION
    said: dict[str, Any] = json.loads(awaited(answered(name, question, zoo, COMPUTE)))
    return said


async def exchange(app: ASGIApp, environ: dict[str, Any]) -> list[Message]:
    """What an application sends for a request given as in WSGI; the client stays connected."""
    body, sent = [{"type": "http.request", "body": environ["wsgi.input"].read()}], list[Message]()

    async def receive() -> Message:
        return body.pop() if body else await asyncio.Event().wait()  # type: ignore[return-value]

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in EnvironHeaders(environ)]
    path = environ["PATH_INFO"].encode("latin-1").decode("utf-8", "replace")
    scope = {
        "type": "http", "http_version": "1.1", "scheme": "http", "method": environ["REQUEST_METHOD"], "path": path, "root_path": "",
        "query_string": environ["QUERY_STRING"].encode("latin-1"), "headers": headers, "client": (environ.get("REMOTE_ADDR", "127.0.0.1"), 0), "state": {},
    }  # fmt: skip
    await app(scope, receive, send)
    return sent
