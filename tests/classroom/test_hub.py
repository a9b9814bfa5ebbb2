"""How often a worker tells its listeners of what changes."""

from __future__ import annotations

import asyncio

import pytest

from explorer.classroom.hub import PACE, Room
from explorer.classroom.store import Part

TICK = 0.01  # seconds between two changes


class Class:
    """A room with so many listeners, and a clock that goes on only by ``change``."""

    def __init__(self, listening: int, *, busy: bool = False) -> None:
        self.room, self.time, self.version = Room("BCDFG", 0, {}, lambda: busy), 100.0, 0
        self.room.listening = listening
        asyncio.get_running_loop().time = lambda: self.time  # type: ignore[method-assign]

    async def change(self, part: str) -> bool:
        """Change a part and let a tick pass; whether listeners were told of something."""
        told = self.room.next_change("student")
        self.version += 1
        self.room.take(self.version, {part: Part(self.version, b"{}")})
        self.time += TICK
        for _ in range(3):
            await asyncio.sleep(0)
        return told.is_set()


@pytest.mark.parametrize(("listening", "busy", "times"), [(3, False, 10), (50, False, 10), (100, False, 5), (1000, False, 4), (3, True, 2.5), (1000, True, 2.5)])
def test_a_picture_that_is_being_painted_comes_ten_times_a_second_less_often_to_many_and_while_strokes_wait(listening: int, busy: bool, times: float) -> None:
    async def told() -> int:
        room = Class(listening, busy=busy)
        return sum([await room.change("paint") for _ in range(200)])

    assert abs(asyncio.run(told()) - 2 * times) <= 1


@pytest.mark.parametrize("busy", [False, True])
@pytest.mark.parametrize("listening", [3, 1000])
def test_a_change_of_the_state_does_not_wait_as_long_as_a_painted_picture(listening: int, busy: bool) -> None:
    async def waits() -> int:
        room = Class(listening, busy=busy)
        while not await room.change("paint"):
            pass
        await room.change("paint")  # waits for its turn by now
        ticks = 1
        while not await room.change("lead" if ticks == 1 else "score/nobody"):  # students are not told of scores
            ticks += 1
        return ticks

    assert abs(asyncio.run(waits()) - PACE / TICK) <= 2
