"""What a teacher does in a room: steers, publishes, asks, and starts challenges."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import orjson

from explorer.classroom import actions
from explorer.classroom.challenges import CHALLENGES, ranked
from explorer.classroom.hub import Hub, Room
from explorer.classroom.rooms import ATTEMPTS, Member, Refused, too_many
from explorer.classroom.sharing import Ask, explanation, numbers_of, share
from explorer.classroom.store import Conflict, NoRoom, StoreAway
from explorer.state import State, Zoo

Question = Callable[[str], dict[str, Any] | None]  # the title, choices and number of pixels that a lesson's step or a lab asks for, by its key
TOGETHER = 0.12  # seconds that a state waits for its answer, so that both are seen at once
BEST = 10
LATE = 2.0  # seconds after the end of a challenge in which a try that was on its way still counts
LEADING = ("lead", "paint", "look")
ANSWER_FAILED = (NoRoom, StoreAway, Conflict)


class Teaching:
    """The teacher's actions in all rooms of this worker; it keeps nothing between them."""

    def __init__(self, hub: Hub, zoo: Zoo, ask: Ask, question: Question) -> None:
        self.hub, self.zoo, self.ask, self.question = hub, zoo, ask, question

    async def do(self, who: Member, action: actions.OfTeacher) -> dict[str, Any]:
        """Do what a teacher's page asks for. Raises ``Refused``, ``StateError``, ``Busy``, ``NoRoom``, ``StoreAway``."""
        for _ in range(ATTEMPTS):
            try:
                return await self._once(who.room, action)
            except Conflict:  # another device, or a student, changed what it depends on
                await self.hub.refresh(who.room)
        raise too_many()

    async def _once(self, room: Room, action: actions.OfTeacher) -> dict[str, Any]:
        match action:
            case actions.Lead():
                return {"taken": await self._lead(room, action)}
            case actions.Share():
                await share(self.hub, room, action, self.ask)
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
        return {}

    # ---- follow

    async def _lead(self, room: Room, action: actions.Lead) -> bool:
        """Whether it was taken: not if another device of the teacher's was quicker."""
        n, parts, answer = action.n, dict[str, Any](), None
        state = answering = None
        if action.pixels is not None:
            parts["paint"] = {"n": n, "pixels": action.pixels}
        if action.look is not None:
            parts["look"] = {"n": n, **action.look.model_dump()}
        if action.state is not None:
            state = State.from_json(action.state, self.zoo)
            answering = self.hub.begin(self._answer(state))
            with suppress(TimeoutError):
                answer = await asyncio.wait_for(asyncio.shield(answering), TOGETHER)
        while (parts or state) and n > _newest(room):
            led = _led(room, n, state, answer) if state else {}  # anew each time: what another device wrote may hold the same answer
            try:
                await self.hub.write(room, parts | led, {name: room.version_of(name) for name in (*LEADING, "answer")})
            except Conflict:
                await self.hub.refresh(room)
                continue
            if answering and not answer:  # not before the state is written: the answer to a state that is not there is dropped
                self.hub.begin(self._answer_later(room, n, answering))
            return True
        return False

    async def _answer(self, state: State) -> str | None:
        try:
            return await explanation(self.ask, state)
        except Exception:  # busy, or too much work: each page asks for itself, and shows why
            return None

    async def _answer_later(self, room: Room, n: int, answering: asyncio.Task[str | None]) -> None:
        answer = await answering
        if answer and (room.content("lead") or {}).get("n") == n:
            with suppress(*ANSWER_FAILED):
                await self.hub.write(room, {"answer": {"n": n, "answer": orjson.Fragment(answer)}}, {"lead": room.version_of("lead")})

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
        poll = room.content("poll")
        if poll and poll != (now := counted(room, poll)):  # votes that came in before it was revealed: nobody else counts them
            await self.hub.write(room, {"poll": now}, {"poll": room.version_of("poll")})

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
        self.hub.begin(self._finish_later(room.code, timed))

    async def _finish_later(self, code: str, timed: Mapping[str, Any]) -> None:
        """Rank when the time is over, also if the teacher's page is away by then."""
        await asyncio.sleep(timed["ends"] + LATE - time.time())
        with suppress(NoRoom, StoreAway):
            room = await self.hub.room(code)
            while (challenge := room.content("challenge")) and challenge["started"] == timed["started"] and not challenge["over"]:
                try:
                    await self._finish(room)
                except Conflict:
                    await self.hub.refresh(room)

    async def _finish(self, room: Room) -> None:
        if (challenge := room.content("challenge")) is None:
            raise Refused(400, "No challenge is running.")
        ended = {**challenge, "over": True, "ends": min(challenge["ends"], round(time.time(), 1))}
        await self.hub.write(room, {"challenge": {**ended, "best": best_of(room)}}, {"challenge": room.version_of("challenge")})
        if (best := best_of(room)) != room.content("challenge")["best"]:  # a try came in before: from now on none does
            await self.hub.write(room, {"challenge": {**ended, "best": best}}, {"challenge": room.version_of("challenge")})


def _led(room: Room, n: int, state: State, answer: str | None) -> dict[str, Any]:
    """The parts of a teacher's state: where only its looks changed, those that have its numbers stay as they are."""
    before, new = room.content("lead"), state.to_json()
    since = before["since"] if before and numbers_of(before["state"]) == numbers_of(new) else n
    known = room.parts.get("answer")
    if answer and known and known.content and known.content.endswith(b',"answer":%b}' % answer.encode()):
        return {"lead": {"n": n, "since": since, "answered": room.content("answer")["n"], "state": new}}
    parts: dict[str, Any] = {"lead": {"n": n, "since": since, "answered": n, "state": new}}
    return parts | ({"answer": {"n": n, "answer": orjson.Fragment(answer)}} if answer else {})


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
