"""Codes of rooms, and the secrets by which a teacher or a student is known."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets

LETTERS = "BCDFGHJKMNPRSTWXYZ"  # no two that look alike, and no vowels, so that no code is a word
LENGTH = 5


def new_code() -> str:
    """A code of 5 letters, drawn at random."""
    return "".join(secrets.choice(LETTERS) for _ in range(LENGTH))


def read_code(text: str) -> str | None:
    """The code that somebody typed, whatever its case, spaces and hyphens; None if it cannot be one."""
    code = re.sub(r"[\s\-]", "", text[:100]).upper()
    return code if len(code) == LENGTH and all(letter in LETTERS for letter in code) else None


def new_token() -> str:
    """A secret of 192 bits."""
    return secrets.token_urlsafe(24)


def digest(token: str) -> str:
    """What is kept of a token: its SHA-256 hash, as 64 hexadecimal digits."""
    return hashlib.sha256(token.encode()).hexdigest()


def matches(token: str, kept: str) -> bool:
    """Whether a token has this hash, in a time that does not depend on where they differ."""
    return hmac.compare_digest(digest(token), kept)
