"""Rules that hold for every response of the server."""

from __future__ import annotations

import re

import orjson

from bench.serving import ROOT
from bench.wire import BrokenResponse, Reply

INSIDE = re.compile(r'Traceback|File "|site-packages|\.py\b|\bline \d+|werkzeug|uvicorn|starlette|/\.venv', re.IGNORECASE)
SECRETS = (b"create_app(", b"root:x:0:", b"PK\x03\x04", b"[core]", b"numpy==", b"class State", b"PATH=", b".PHONY")
SENTENCE = re.compile(r"[^a-z\s][^\x00-\x1f\x7f]{2,600}\.\n?")


def violations(reply: Reply, *, bodiless: bool = False) -> list[str]:
    """The rules that a response breaks; empty for an answer and for a refusal in one sentence.

    Args:
        reply: the response.
        bodiless: whether it is a response to HEAD.
    """
    try:
        body = reply.body
    except BrokenResponse as error:
        return [str(error)]
    text, kind = body.decode("utf-8", "replace"), reply.headers.get("content-type", "")
    refused, location = reply.status >= 400 and not bodiless, reply.headers.get("location", "/")
    rules = {
        "a server error": reply.status >= 500 and not is_shed(reply),
        "a refusal that is not plain text": refused and not kind.startswith("text/plain"),
        "a refusal that is not one sentence": refused and not SENTENCE.fullmatch(text),
        "a refusal that shows internals": refused and bool(INSIDE.search(text) or str(ROOT) in text),
        "invalid JSON": reply.status < 400 and kind.startswith("application/json") and not bodiless and not _is_json(body),
        "a file that does not belong to the page": any(secret in body for secret in SECRETS),
        "a value of the request became a header": b"\nx-split" in reply.head.lower(),
        "a cookie was set": "set-cookie" in reply.headers,
        f"a redirect to {location[:80]!r}": not location.startswith("/") or location.startswith(("//", "/\\")),
    }
    return [f"{rule} ({reply.status} {kind}): {text[:200]!r}" for rule, broken in rules.items() if broken]


def is_shed(reply: Reply) -> bool:
    """Whether the server is overloaded and says when to retry."""
    return reply.status == 503 and reply.headers.get("retry-after", "").isdigit()


def _is_json(body: bytes) -> bool:
    try:
        orjson.loads(body)
    except ValueError:
        return False
    return True
