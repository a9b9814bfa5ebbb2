"""What must hold for every answer of the server, whatever it was asked."""

from __future__ import annotations

import re

import orjson

from bench.serving import ROOT
from bench.wire import Broken, Reply

INSIDE = re.compile(r'Traceback|File "|site-packages|\.py\b|\bline \d+|werkzeug|uvicorn|starlette|/\.venv', re.IGNORECASE)
SECRETS = (b"create_app(", b"root:x:0:", b"PK\x03\x04", b"[core]", b"numpy==", b"class State", b"PATH=", b".PHONY")
SENTENCE = re.compile(r"[^a-z\s][^\x00-\x1f\x7f]{2,600}\.\n?")


def complaints(reply: Reply, *, bodiless: bool = False) -> list[str]:
    """What is wrong with an answer; none if it is an answer, or a refusal in one sentence.

    Args:
        reply: the answer.
        bodiless: whether it was asked for without its body (HEAD).
    """
    try:
        body = reply.body
    except Broken as broken:
        return [str(broken)]
    text, kind = body.decode("utf-8", "replace"), reply.headers.get("content-type", "")
    refused, location = reply.status >= 400 and not bodiless, reply.headers.get("location", "/")
    wrong = {
        "a status": reply.status >= 500 and not is_shed(reply),
        "a refusal that is no plain text": refused and not kind.startswith("text/plain"),
        "a refusal that is not one sentence": refused and not SENTENCE.fullmatch(text),
        "a refusal that tells of the inside": refused and bool(INSIDE.search(text) or str(ROOT) in text),
        "no JSON although it says so": reply.status < 400 and kind.startswith("application/json") and not bodiless and not _is_json(body),
        "a file that is none of the page's": any(secret in body for secret in SECRETS),
        "what was sent came back as a header": b"\nx-split" in reply.head.lower(),
        "a cookie was set": "set-cookie" in reply.headers,
        f"sent on to {location[:80]!r}": not location.startswith("/") or location.startswith(("//", "/\\")),
    }
    return [f"{what} ({reply.status} {kind}): {text[:200]!r}" for what, found in wrong.items() if found]


def is_shed(reply: Reply) -> bool:
    """Whether the server said that it is too busy just now, and when to come again."""
    return reply.status == 503 and reply.headers.get("retry-after", "").isdigit()


def _is_json(body: bytes) -> bool:
    try:
        orjson.loads(body)
    except ValueError:
        return False
    return True
