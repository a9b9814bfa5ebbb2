"""What a teacher does in a room: steers, publishes, asks, and starts challenges."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any

import orjson

from explorer.classroom import actions
from explorer.classroom.challenges import CHALLENGES, ranked
from explorer.classroom.hub import Hub, Room
from explorer.classroom.rooms import ATTEMPTS, Member, Refused, too_many
from explorer.classroom.store import Conflict, NoRoom, StoreAway
from explorer.state import State, Zoo

Explain = Callable[[State], Awaitable[str]]  # the explanation of a state, as JSON
Question = Callable[[str], dict[str, Any] | None]  # the title, choices and number of pixels that a lesson's step or a lab asks for, by its key
TOGETHER = 0.12  # seconds that a state waits for its answer, so that both are seen at once
BEST = 10
LEADING = ("lead", "paint", "look")
ANSWER_FAILED = (NoRoom, StoreAway, Conflict)


class Teaching:
    """The teacher's actions in all rooms of this worker; it keeps nothing between them."""

    def __init__(self, hub: Hub, zoo: Zoo, explain: Explain, question: Question) -> None:
        self.hub, self.zoo, self.explain, self.question = hub, zoo, explain, question

    async def do(self, who: Member, action: actions.OfTeacher) -> dict[str, Any]:
        """Do what a teacher's page asks for. Raises ``Refused``, ``StateError``, ``NoRoom``, ``StoreAway``."""
        for _ in range(ATTEMPTS):
            try:
                await self._once(who.room, action)
                return {}
            except Conflict:  # another device, or a student, changed what it depends on
                await self.hub.refresh(who.room)
        raise too_many()

    async def _once(self, room: Room, action: actions.OfTeacher) -> None:
        match action:
            case actions.Lead():
                await self._lead(room, action)
            case actions.Screens():
                await self.hub.write(room, {"screens": {"mode": action.mode}})
            case actions.OfPicture():
                await self._mark(room, action)
            case actions.Remove():
                _picture(room, action.id)
                await self.hub.write(room, {f"picture/{action.id}": None, f"shown/{action.id}": None})
            case actions.Mute():
                await self._mute(room, action)
            case actions.Poll():
                await self._ask(room, action)
            case actions.Reveal():
                await self._reveal(room, action.on)
            case actions.StartChallenge():
                await self._start(room, action)
            case actions.EndChallenge():
                await self._finish(room)
            case actions.End():
                await self.hub.close(room)

    # ---- follow

    async def _lead(self, room: Room, action: actions.Lead) -> None:
        n, parts = action.n, dict[str, Any]()
        answering = None
        if action.pixels is not None:
            parts["paint"] = {"n": n, "pixels": action.pixels}
        if action.look is not None:
            parts["look"] = {"n": n, **action.look.model_dump()}
        if action.state is not None:
            state = State.from_json(action.state, self.zoo)
            answering = self.hub.begin(self._answer(state))
            with suppress(TimeoutError):
                answer = await asyncio.wait_for(asyncio.shield(answering), TOGETHER)
                if answer:
                    parts["answer"] = {"n": n, "answer": orjson.Fragment(answer)}
            parts["lead"] = {"n": n, "state": state.to_json()}
        while parts and n >= _newest(room):  # one that was overtaken by a newer one says nothing
            try:
                await self.hub.write(room, parts, {name: room.version_of(name) for name in LEADING})
            except Conflict:
                await self.hub.refresh(room)
                continue
            if answering and "answer" not in parts:  # not before the state is written: the answer to a state that is not there is dropped
                self.hub.begin(self._answer_later(room, n, answering))
            return

    async def _answer(self, state: State) -> str | None:
        try:
            return await self.explain(state)
        except Exception:  # busy, or too much work: each page asks for itself, and shows why
            return None

    async def _answer_later(self, room: Room, n: int, answering: asyncio.Task[str | None]) -> None:
        answer = await answering
        if answer and (room.content("lead") or {}).get("n") == n:
            with suppress(*ANSWER_FAILED):
                await self.hub.write(room, {"answer": {"n": n, "answer": orjson.Fragment(answer)}})

    # ---- gather

    async def _mark(self, room: Room, action: actions.OfPicture) -> None:
        picture = _picture(room, action.id)
        changed = {**picture, "published" if action.do == "publish" else "hidden": action.on}
        if action.on:  # what is hidden is hidden from everybody
            changed["published" if action.do == "hide" else "hidden"] = False
        shown = {name: value for name, value in changed.items() if name not in ("published", "hidden")} if changed["published"] else None
        parts: dict[str, Any] = {f"picture/{action.id}": changed}
        if shown or room.version_of(f"shown/{action.id}"):
            parts[f"shown/{action.id}"] = shown
        await self.hub.write(room, parts, {f"picture/{action.id}": room.version_of(f"picture/{action.id}")})

    async def _mute(self, room: Room, action: actions.Mute) -> None:
        name = f"student/{action.alias}"
        if (student := room.content(name)) is None:
            raise Refused(400, f"Nobody here is called {action.alias}.")
        await self.hub.write(room, {name: {**student, "muted": action.on}}, {name: room.version_of(name)})

    # ---- ask

    async def _ask(self, room: Room, action: actions.Poll) -> None:
        if action.key is None:
            await self.hub.write(room, {"poll": None})
            return
        known = self.question(action.key)
        if action.key.startswith("ask/"):
            known = {"title": "Where do you expect the attribution?", "choices": None, "pixels": action.pixels or 8}
        if known is None or not (known["choices"] or known["pixels"]):
            raise Refused(400, "There is no such question to ask.")
        if action.network is not None and action.network not in self.zoo:
            raise Refused(400, "There is no such network.")
        kind = "choice" if known["choices"] else "marks"
        poll = {"key": action.key, "kind": kind, **known, "picture": action.picture, "network": action.network}
        await self.hub.write(room, {"poll": {**poll, "revealed": False, "answered": len(room.names(f"vote/{action.key}/")), "totals": None}})

    async def _reveal(self, room: Room, on: bool) -> None:
        if (poll := room.content("poll")) is None:
            raise Refused(400, "Nothing is asked just now.")
        await self.hub.write(room, {"poll": counted(room, {**poll, "revealed": on})})  # expects nothing: many votes that come in do not hold it up

    # ---- challenges

    async def _start(self, room: Room, action: actions.StartChallenge) -> None:
        if action.kind not in CHALLENGES:
            raise Refused(400, f"A challenge is one of {', '.join(CHALLENGES)}.")
        state, chosen, now = State.from_json(action.state, self.zoo), CHALLENGES[action.kind], round(time.time(), 1)
        challenge = {"kind": action.kind, "title": chosen.title, "rule": chosen.rule, "state": state.to_json()}
        timed = {"started": now, "ends": now + 60 * action.minutes, "over": False, "best": []}
        await self.hub.write(room, {"challenge": challenge | timed, **dict.fromkeys(room.names("score/"))})
        if before := [name for name in room.names("score/") if room.version_of(name) < room.version_of("challenge")]:  # came in at the last moment
            await self.hub.write(room, dict.fromkeys(before))

    async def _finish(self, room: Room) -> None:
        if (challenge := room.content("challenge")) is None:
            raise Refused(400, "No challenge is running.")
        ended = {**challenge, "over": True, "ends": min(challenge["ends"], round(time.time(), 1))}
        await self.hub.write(room, {"challenge": {**ended, "best": best_of(room)}}, {"challenge": room.version_of("challenge")})
        if (best := best_of(room)) != room.content("challenge")["best"]:  # a try came in before: from now on none does
            await self.hub.write(room, {"challenge": {**ended, "best": best}}, {"challenge": room.version_of("challenge")})


def board(room: Room) -> list[Mapping[str, Any]]:
    """The scores of the challenge, best first."""
    return ranked([room.content(name) for name in room.names("score/")])


def best_of(room: Room) -> list[dict[str, Any]]:
    """What everybody sees of the board."""
    return [{name: score[name] for name in ("alias", "score", "text")} for score in board(room)[:BEST]]


def counted(room: Room, poll: Mapping[str, Any]) -> dict[str, Any]:
    """A poll with how many answered, and, where it is revealed, what."""
    votes = [room.content(name) for name in room.names(f"vote/{poll['key']}/")]
    totals = None
    if poll["revealed"]:
        size = 64 if poll["kind"] == "marks" else len(poll["choices"])
        totals = [0] * size
        for vote in votes:
            for place in vote.get("pixels") or [vote.get("choice")]:
                if place is not None and place < size:
                    totals[place] += 1
    return {**poll, "answered": len(votes), "totals": totals}


def _newest(room: Room) -> int:
    return max((room.content(name) or {}).get("n", 0) for name in LEADING)


def _picture(room: Room, id: str) -> dict[str, Any]:
    picture: dict[str, Any] | None = room.content(f"picture/{id}")
    if picture is None:
        raise Refused(400, "This picture is no longer on the wall.")
    return picture
