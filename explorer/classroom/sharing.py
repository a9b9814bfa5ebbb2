"""Answers of single methods and of the open lab, which the teacher's page asked for: computed once for the whole room."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import orjson

from explorer.classroom import actions
from explorer.classroom.hub import Hub, Room
from explorer.server.metrics import EXPLANATION, LAB_ANSWERS, METHOD_ANSWERS
from explorer.state import LOOKS, State

Ask = Callable[[str, dict[str, Any]], Awaitable[str]]  # what a page would get for a question of a kind, as JSON


async def explanation(ask: Ask, state: State) -> str:
    """The explanation of a state, as JSON. Raises ``StateError``, ``Busy``."""
    return await ask(EXPLANATION, {"ask": 0, "state": state.to_json()})


def numbers_of(state: Mapping[str, Any]) -> dict[str, Any]:
    """What all numbers of a state depend on, apart from those of a lab."""
    return {name: value for name, value in state.items() if name not in LOOKS}


async def share(hub: Hub, room: Room, action: actions.Share, ask: Ask) -> None:
    """Compute what the teacher's page asked for, and write it; nothing if its state has changed meanwhile. Raises as ``explanation``."""
    if (lead := await _lead(hub, room, action.n)) is None:
        return
    state, parts = lead["state"], dict[str, Any]()
    if action.methods:
        answer = await ask(METHOD_ANSWERS, {"ask": 0, "state": state, "methods": action.methods})
        parts[f"methods/{action.methods[0]}"] = {"n": action.n, "answer": orjson.Fragment(answer)}
    if action.lab and state["lab"]:
        lab = {"name": state["lab"], "settings": state["lab_settings"]}
        answer = await ask(LAB_ANSWERS, {"ask": 0, "state": state, "lab": lab})
        parts["lab"] = {"n": action.n, "lab": lab, "pinned": state["pinned"], "answer": orjson.Fragment(answer)}
    if parts and (lead := await _lead(hub, room, action.n)):
        kept = [*room.names("methods/"), *room.names("lab")]
        old = {name: None for name in kept if room.content(name)["n"] < lead["since"]}
        await hub.write(room, old | parts)


async def _lead(hub: Hub, room: Room, n: int) -> dict[str, Any] | None:
    """The part with the teacher's state; None if its numbers are no longer those of the nth change."""
    if (room.content("lead") or {"n": 0})["n"] < n:  # another worker wrote it just now
        await hub.refresh(room)
    lead: dict[str, Any] | None = room.content("lead")
    return lead if lead and lead["since"] <= n <= lead["n"] else None
