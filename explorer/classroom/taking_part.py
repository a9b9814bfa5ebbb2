"""What a student does in a room: sends pictures, answers, says how far a lesson is, and tries a challenge."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import orjson

from explorer.classroom import actions
from explorer.classroom.challenges import CHALLENGES, Scored, asked
from explorer.classroom.hub import Hub, Room
from explorer.classroom.rooms import ATTEMPTS, Member, Refused, ended, too_many
from explorer.classroom.sharing import Ask, explanation
from explorer.classroom.store import Conflict, NoRoom, StoreAway
from explorer.classroom.teaching import LATE, Question, counted
from explorer.classroom.tiles import for_wall, tile
from explorer.state import State, Zoo

PICTURES_A_MINUTE, MOST_PICTURES, TRIES_A_MINUTE = 6, 40, 20
MOST_ON_WALL = 2000
COUNT_AFTER, AWAY_FOR = 0.1, 1.0  # seconds before answers that are revealed are counted again, and before another attempt while the store is away
Score = Callable[[Callable[[], Scored], str], Awaitable[Scored]]  # computes in a pool, for a client


class TakingPart:
    """The students' actions in all rooms of this worker; between them it keeps only where answers are about to be counted."""

    def __init__(self, hub: Hub, zoo: Zoo, ask: Ask, question: Question, compute: Score) -> None:
        self.hub, self.zoo, self.ask, self.question, self.compute = hub, zoo, ask, question, compute
        self._counting: set[str] = set()  # codes

    async def do(self, who: Member, action: actions.OfStudent) -> dict[str, Any]:
        """Do what a student's page asks for. Raises ``Refused``, ``StateError``, ``Busy``, ``NoRoom``, ``StoreAway``."""
        prepared: Any = None
        if isinstance(action, actions.Send):
            prepared = await self._tile(who, action)
        elif isinstance(action, actions.Try):
            prepared = await self._scored(who, action)
        for _ in range(ATTEMPTS):
            try:
                return await self._once(who, action, prepared)
            except Conflict:  # something that it depends on changed meanwhile
                await self.hub.refresh(who.room)
        raise too_many()

    async def _once(self, who: Member, action: actions.OfStudent, prepared: Any) -> dict[str, Any]:
        match action:
            case actions.Send():
                return await self._send(who, action, prepared)
            case actions.Vote():
                await self._vote(who, action)
            case actions.Done():
                await self._done(who, action)
            case actions.Try():
                return await self._try(who, prepared)
            case actions.Leave():
                await self.hub.write(who.room, {f"student/{who.alias}": None, who.key: None})
        return {}

    # ---- pictures

    async def _tile(self, who: Member, action: actions.Send) -> dict[str, Any]:
        self._check_muted(who)
        self._allowance(who, "sent", PICTURES_A_MINUTE)  # before anything is computed
        state = for_wall(State.from_json(action.state, self.zoo))
        return {**tile(state, orjson.loads(await explanation(self.ask, state)), self.zoo), "state": state.to_json()}

    async def _send(self, who: Member, action: actions.Send, facts: dict[str, Any]) -> dict[str, Any]:
        room, name = who.room, f"picture/{action.id}"
        told = {"class": facts["class"], "score": facts["score"]}
        before = room.content(name)
        if before is not None:  # sent again, as the answer was lost
            if before["alias"] != who.alias:
                raise Refused(400, "This picture is another student's.")
            return told
        self._check_muted(who)
        own = self._allowance(who, "sent", PICTURES_A_MINUTE)
        if own["pictures"] >= MOST_PICTURES or len(room.names("picture/")) >= MOST_ON_WALL:
            raise Refused(400, "The wall takes no more pictures from you.")
        own["pictures"] += 1
        picture = {"id": action.id, "alias": who.alias, "at": round(time.time(), 1), **facts, "published": False, "hidden": False}
        expected = {who.key: room.version_of(who.key), name: room.version_of(name)}
        await self.hub.write(room, {name: picture, who.key: own}, expected)
        return told

    def _check_muted(self, who: Member) -> None:
        if (who.room.content(f"student/{who.alias}") or {}).get("muted"):
            raise Refused(403, "Your teacher takes no more pictures from you just now.")

    def _allowance(self, who: Member, what: str, most: int) -> dict[str, Any]:
        """The student's own part with one more use of something noted."""
        own: dict[str, Any] | None = who.room.content(who.key)
        if own is None:  # another page of the same student has left meanwhile
            raise ended()
        now = time.time()
        recent = [at for at in own[what] if now - at < 60]
        if len(recent) >= most:
            raise Refused(429, f"That is more than {most} a minute; please wait a little.", {"Retry-After": str(max(1, round(60 - (now - recent[0]))))})
        return {**own, what: [*recent, round(now, 1)]}

    # ---- answers

    async def _vote(self, who: Member, action: actions.Vote) -> None:
        room, poll = who.room, who.room.content("poll")
        asked = poll if poll and poll["key"] == action.key else self.question(action.key)
        if asked is None or not (asked["choices"] or asked["pixels"]):
            raise Refused(400, "Nothing like that is asked here.")
        choices, pixels = asked["choices"], asked["pixels"]
        if choices and (action.choice is None or action.choice >= len(choices)):
            raise Refused(400, f"An answer is one of {len(choices)} choices.")
        if not choices and (action.pixels is None or len(set(action.pixels)) != len(action.pixels) or len(action.pixels) > pixels):
            raise Refused(400, f"An answer marks at most {pixels} pixels.")
        value = {"choice": action.choice} if choices else {"pixels": sorted(action.pixels or [])}
        await self.hub.write(room, {f"vote/{action.key}/{who.alias}": value})
        poll = room.content("poll")
        if poll and poll["key"] == action.key and poll["revealed"] and room.code not in self._counting:
            self._counting.add(room.code)
            self.hub.begin(self._count(room))

    async def _count(self, room: Room) -> None:
        """Bring what is revealed up to date, once for all votes of a moment: if each vote did, a class that answers at once would wait for itself."""
        await asyncio.sleep(COUNT_AFTER)
        self._counting.discard(room.code)
        while (poll := room.content("poll")) and poll["revealed"] and poll != (now := counted(room, poll)):
            try:
                await self.hub.write(room, {"poll": now}, {"poll": room.version_of("poll")})
            except NoRoom:
                return
            except (Conflict, StoreAway) as failure:  # another worker counted, or the teacher asks something else
                await asyncio.sleep(COUNT_AFTER if isinstance(failure, Conflict) else AWAY_FOR)
                with suppress(NoRoom, StoreAway):
                    await self.hub.refresh(room)

    async def _done(self, who: Member, action: actions.Done) -> None:
        if self.question(f"lesson/{action.lesson}/{action.step}") is None:
            raise Refused(400, "There is no such step of a lesson.")
        name = f"student/{who.alias}"
        student = who.room.content(name)
        if student is None:
            return
        done = sorted({*student["done"].get(action.lesson, []), action.step})
        if done != student["done"].get(action.lesson):
            await self.hub.write(who.room, {name: {**student, "done": {**student["done"], action.lesson: done}}}, {name: who.room.version_of(name)})

    # ---- challenges

    def _challenge(self, who: Member) -> dict[str, Any]:
        challenge: dict[str, Any] | None = who.room.content("challenge")
        if challenge is None or challenge["over"] or time.time() > challenge["ends"] + LATE:
            raise Refused(400, "No challenge is running just now.")
        return challenge

    async def _scored(self, who: Member, action: actions.Try) -> tuple[dict[str, Any], State, Scored]:
        self._check_muted(who)
        challenge = self._challenge(who)
        self._allowance(who, "tries", TRIES_A_MINUTE)
        start, given = State.from_json(challenge["state"], self.zoo), State.from_json(action.state, self.zoo)
        score = CHALLENGES[challenge["kind"]].score
        scored = await self.compute(lambda: score(start, given, self.zoo), f"{who.room.code} {who.alias}")
        return challenge, asked(start, given), scored  # what was scored is kept and opened: the challenge's network, and nothing else of the student's page

    async def _try(self, who: Member, prepared: tuple[dict[str, Any], State, Scored]) -> dict[str, Any]:
        challenge, state, scored = prepared
        if self._challenge(who)["started"] != challenge["started"]:
            raise Refused(400, "Another challenge has begun.")
        room, name = who.room, f"score/{who.alias}"
        before = room.content(name)
        best = scored.valid and (before is None or scored.score < before["score"])
        parts: dict[str, Any] = {who.key: self._allowance(who, "tries", TRIES_A_MINUTE)}
        expected = {who.key: room.version_of(who.key)}
        if best:
            parts[name] = {"alias": who.alias, "score": scored.score, "text": scored.text, "at": round(time.time(), 1), "state": state.to_json()}
            expected |= {name: room.version_of(name), "challenge": room.version_of("challenge")}
        await self.hub.write(room, parts, expected)
        return {"valid": scored.valid, "score": scored.score if scored.valid else None, "text": scored.text, "best": best}
