"""What a teacher's page set off and what comes of it later."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from explorer.classroom import teaching
from explorer.classroom.actions import Lead, StartChallenge
from explorer.classroom.hub import Hub
from explorer.classroom.rooms import Member, member, open_room
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

    async def lead() -> tuple[Member, Any]:
        hub = Hub(SlowStore(tmp_path))
        async with hub.running():
            given = await open_room(hub)
            teacher = await member(hub, f"{given['code']}.{given['token']}")
            action = Lead(do="lead", n=3, state=State().to_json())
            await Teaching(hub, load_zoo(), ask, lambda _: None).do(teacher, action)
            assert teacher.room.content("lead")["n"] == 3
            await asyncio.sleep(thinking + 2 * WRITING)
            return teacher, teacher.room.content("answer")

    _, answer = asyncio.run(lead())
    assert answer == {"n": 3, "answer": {"ask": 0}}


def test_a_challenge_is_over_in_time_although_the_teachers_page_is_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(teaching, "LATE", 0.1)
    action = StartChallenge.model_construct(do="challenge", kind="flip", minutes=0.2 / 60, state=State().to_json())
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

    async def no_answer(kind: str, question: dict[str, Any]) -> str:
        raise AssertionError("nothing is asked for")

    assert asyncio.run(challenge()) == [{"alias": "Blue heron", "score": 3, "text": "3 pixels"}]
