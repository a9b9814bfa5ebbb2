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
    text = body.decode("utf-8", "replace")
    kind = reply.headers.get("content-type", "")
    found = []
    if reply.status >= 500 and not is_shed(reply):
        found.append(f"status {reply.status}: {text[:200]!r}")
    if reply.status >= 400 and not bodiless:
        if not kind.startswith("text/plain"):
            found.append(f"a refusal ({reply.status}) as {kind or 'nothing'}: {text[:120]!r}")
        elif not SENTENCE.fullmatch(text):
            found.append(f"a refusal ({reply.status}) that is not one sentence: {text[:200]!r}")
        if INSIDE.search(text) or str(ROOT) in text:
            found.append(f"a refusal that tells of the inside: {text[:200]!r}")
    if reply.status < 400 and kind.startswith("application/json") and not bodiless and not _is_json(body):
        found.append(f"no JSON although it says so: {text[:80]!r}")
    if any(secret in body for secret in SECRETS):
        found.append(f"a file that is none of the page's: {text[:80]!r}")
    return found + _in_headers(reply)


def is_shed(reply: Reply) -> bool:
    """Whether the server said that it is too busy just now, and when to come again."""
    return reply.status == 503 and reply.headers.get("retry-after", "").isdigit()


def _in_headers(reply: Reply) -> list[str]:
    found = []
    if b"\nx-split" in reply.head.lower():
        found.append("what was sent came back as a header")
    if "set-cookie" in reply.headers:
        found.append("a cookie was set")
    location = reply.headers.get("location")
    if location is not None and (not location.startswith("/") or location.startswith(("//", "/\\"))):
        found.append(f"sent on to {location[:80]!r}")
    return found


def _is_json(body: bytes) -> bool:
    try:
        orjson.loads(body)
    except ValueError:
        return False
    return True
