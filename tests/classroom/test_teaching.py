"""A teacher's state and its answer, whichever of them is ready first."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from explorer.classroom.actions import Lead
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
