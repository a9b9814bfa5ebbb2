"""What a teacher's page set off and what comes of it later."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
import pytest

from explorer.classroom import teaching
from explorer.classroom.actions import Lead, Poll, Reveal, StartChallenge
from explorer.classroom.hub import Hub, Room
from explorer.classroom.rooms import member, open_room
from explorer.classroom.sqlite_store import SqliteStore
from explorer.classroom.store import NOTHING
from explorer.classroom.teaching import TOGETHER, Teaching
from explorer.models import load_zoo
from explorer.state import State

WRITING = 0.15  # seconds, as on a busy machine


class SlowStore(SqliteStore):
    async def write(self, code: str, parts: Mapping[str, bytes | None], expected: Mapping[str, int] = NOTHING, *, action: bool = True) -> int:
        await asyncio.sleep(WRITING)
        return await super().write(code, parts, expected, action=action)


@pytest.mark.parametrize("thinking", [0.0, TOGETHER + WRITING / 2, TOGETHER + 2 * WRITING])
def test_an_answer_comes_also_if_it_is_ready_while_its_state_is_being_written(thinking: float, tmp_path: Path) -> None:
    async def ask(kind: str, question: dict[str, Any]) -> str:
        await asyncio.sleep(thinking)
        return '{"ask":0}'

    async def lead() -> Any:
        hub = Hub(SlowStore(tmp_path))
        async with hub.running():
            given = await open_room(hub)
            teacher = await member(hub, f"{given['code']}.{given['token']}")
            action = Lead(do="lead", n=3, state=State().to_json())
            await Teaching(hub, load_zoo(), ask, lambda _: None).do(teacher, action)
            assert teacher.room.content("lead")["n"] == 3
            async with asyncio.timeout(10):
                while teacher.room.content("answer") is None:
                    await teacher.room.next_change("teacher").wait()
            return teacher.room.content("answer")

    assert asyncio.run(lead()) == {"n": 3, "answer": {"ask": 0}}


class Meanwhile(Hub):
    """Another worker writes something just before this one writes a part."""

    def __init__(self, folder: Path, before: str, theirs: Mapping[str, Any]) -> None:
        super().__init__(SqliteStore(folder))
        self.before, self.theirs = before, {name: orjson.dumps(content) for name, content in theirs.items()}

    async def write(self, room: Room, parts: Any, *others: Any, **more: Any) -> None:
        if self.before in parts and self.theirs:
            theirs, self.theirs = self.theirs, {}
            await self.store.write(room.code, theirs)
        await super().write(room, parts, *others, **more)


async def no_answer(kind: str, question: dict[str, Any]) -> str:
    raise AssertionError("nothing is asked for")


def test_an_answer_that_another_device_wrote_just_before_is_not_written_again(tmp_path: Path) -> None:
    theirs = {"answer": {"n": 2, "answer": {"ask": 0}}, "lead": {"n": 2, "since": 2, "answered": 2, "state": State().to_json()}}

    async def ask(kind: str, question: dict[str, Any]) -> str:
        return '{"ask":0}'

    async def lead() -> tuple[Any, Any]:
        hub = Meanwhile(tmp_path, "lead", theirs)
        async with hub.running():
            given = await open_room(hub)
            teacher = await member(hub, f"{given['code']}.{given['token']}")
            await Teaching(hub, load_zoo(), ask, lambda _: None).do(teacher, Lead(do="lead", n=3, state=State().to_json()))
            return teacher.room.content("lead"), teacher.room.content("answer")

    led, answer = asyncio.run(lead())
    assert led["n"] == 3 and led["answered"] == answer["n"] == 2


def test_a_vote_that_comes_in_while_the_answers_are_revealed_is_counted(tmp_path: Path) -> None:
    question = {"title": "Where?", "choices": ["here", "there"], "pixels": None}

    async def reveal() -> Any:
        hub = Meanwhile(tmp_path, "poll", {})
        async with hub.running():
            given = await open_room(hub)
            teacher = await member(hub, f"{given['code']}.{given['token']}")
            teaching = Teaching(hub, load_zoo(), no_answer, lambda _: question)
            await teaching.do(teacher, Poll(do="poll", key="lab/saturation"))
            hub.theirs = {"vote/lab/saturation/Blue heron": b'{"choice":1}'}
            await teaching.do(teacher, Reveal(do="reveal", on=True))
            return teacher.room.content("poll")

    poll = asyncio.run(reveal())
    assert (poll["revealed"], poll["answered"], poll["totals"]) == (True, 1, [0, 1])


def test_a_challenge_is_over_in_time_although_the_teachers_page_is_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(teaching, "LATE", 0.1)
    action = StartChallenge.model_construct(do="challenge", kind="flip", minutes=0.6 / 60, state=State().to_json())
    score = {"alias": "Blue heron", "score": 3, "text": "3 pixels", "at": 1.0, "state": {}}

    async def challenge() -> Any:
        hub = Hub(SqliteStore(tmp_path))
        async with hub.running():
            given = await open_room(hub)
            teacher = await member(hub, f"{given['code']}.{given['token']}")
            await Teaching(hub, load_zoo(), no_answer, lambda _: None).do(teacher, action)
            await hub.write(teacher.room, {"score/Blue heron": score})
            assert not teacher.room.content("challenge")["over"]
            async with asyncio.timeout(10):
                while not teacher.room.content("challenge")["over"]:
                    await teacher.room.next_change("teacher").wait()
            return teacher.room.content("challenge")["best"]

    assert asyncio.run(challenge()) == [{"alias": "Blue heron", "score": 3, "text": "3 pixels"}]
