"""Opening and joining a room, and who may do what in it."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.exceptions import HTTPException

from explorer.classroom.aliases import free_alias
from explorer.classroom.codes import digest, matches, new_code, new_token, read_code
from explorer.classroom.hub import Hub, Role, Room
from explorer.classroom.store import Conflict, NoRoom

MOST_STUDENTS = 500
MOST_JOINED = 4000  # also those who have left, of whom a name is kept
ATTEMPTS = 20  # at a code or an alias that others may take at the same moment
OPENING: dict[str, Any] = {"screens": {"mode": "free"}, "poll": None, "challenge": None}


class Refused(HTTPException):
    """Something is not allowed, or not there; the detail is one sentence."""


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody in a room, known by their token."""

    room: Room
    role: Role
    alias: str | None
    key: str  # name of the part that only the server reads

    def is_in(self) -> bool:
        """Whether they have not left."""
        part = self.room.parts.get(self.key)
        return part is not None and part.content is not None


async def open_room(hub: Hub) -> dict[str, Any]:
    """Open a room; returns its code and the teacher's token."""
    token = new_token()
    parts = {**OPENING, "key/teacher": {"digest": digest(token)}}
    for _ in range(ATTEMPTS):
        code = new_code()
        if await hub.store.open(code, {name: orjson.dumps(content) for name, content in parts.items()}):
            return {"code": code, "token": token, "role": "teacher"}
    raise Refused(503, "No code is free for another room.")


async def join_room(hub: Hub, typed: str) -> dict[str, Any]:
    """Join a room by its code; returns a token and an alias.

    Raises:
        NoRoom: no room has this code.
        Refused: the room is full.
    """
    code = read_code(typed)
    if code is None:
        raise NoRoom
    room = await hub.room(code)
    for _ in range(ATTEMPTS):
        taken = [name.removeprefix("student/") for name in room.parts if name.startswith("student/")]  # who has left, too: pictures and answers stay theirs
        if len(room.names("student/")) >= MOST_STUDENTS or len(taken) >= MOST_JOINED:
            raise Refused(409, f"This room is full: it takes {MOST_STUDENTS} students.")
        alias, token = free_alias(taken, random.SystemRandom()), new_token()
        student = {"joined": round(time.time()), "muted": False, "done": {}}
        parts = {f"student/{alias}": student, f"key/{digest(token)}": {"alias": alias, "sent": [], "pictures": 0, "tries": []}}
        try:
            await hub.write(room, parts, {f"student/{alias}": room.version_of(f"student/{alias}")})
        except Conflict:
            await hub.refresh(room)
            continue
        return {"code": code, "token": token, "role": "student", "alias": alias}
    raise Refused(503, "Too many join at once; please try again in a moment.")


async def member(hub: Hub, credential: str) -> Member:
    """Who sent a request, by ``CODE.TOKEN``. What another worker wrote before is known then.

    Raises:
        Refused: 401 without a credential; 404 for a room that is gone and for a wrong token alike, so that no code can be found out here.
    """
    code, dot, token = credential.partition(".")
    if not dot or read_code(code) != code or not token:
        raise Refused(401, "The room needs the credential that it gave when it was opened or joined.")
    try:
        room = await hub.room(code)
        await hub.refresh(room)
    except NoRoom:
        raise ended() from None
    if matches(token, (room.content("key/teacher") or {}).get("digest", "")):
        return Member(room, "teacher", None, "key/teacher")
    key = f"key/{digest(token)}"  # a look-up by the hash: how long it takes says nothing of the token
    if (own := room.content(key)) is None:
        raise ended()
    return Member(room, "student", own["alias"], key)


def too_many() -> Refused:
    """The answer to somebody whose write came again and again after another's."""
    return Refused(503, "Too many write at once; please try again in a moment.", {"Retry-After": "2"})


def ended() -> Refused:
    """The answer to everybody who asks for a room that is gone."""
    return Refused(404, "This room has ended.")
