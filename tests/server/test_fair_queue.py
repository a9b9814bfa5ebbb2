"""The queue: who computes, who waits, who is told to come back, and that no thread is lost however callers leave."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from serving import awaited

from explorer.server.fair_queue import MAX_RETRY_AFTER, Busy, FairQueue

PATIENCE = 60.0


def asynchronous(test: Callable[..., Awaitable[None]]) -> Callable[[], None]:
    """A test that is run in an event loop of its own."""

    def run() -> None:
        awaited(asyncio.wait_for(test(), PATIENCE))  # type: ignore[arg-type]

    return run


@asynccontextmanager
async def occupied(queue: FairQueue) -> AsyncIterator[asyncio.Task[str]]:
    """A queue whose threads are busy for as long as the block lasts; yields the task of the first of them."""
    may_end = threading.Event()

    def slow() -> str:
        assert may_end.wait(PATIENCE)
        return "slow"

    tasks = [asyncio.create_task(queue.run(slow, "slow")) for _ in range(queue.threads)]
    await asyncio.sleep(0)
    try:
        yield tasks[0]
    finally:
        may_end.set()
        await asyncio.gather(*tasks, return_exceptions=True)


async def asked(queue: FairQueue, work: Callable[[], Any], client: str = "") -> asyncio.Task[Any]:
    """A question that has its place in the queue, or was refused."""
    task = asyncio.create_task(queue.run(work, client))
    await asyncio.sleep(0)
    return task


async def idle(queue: FairQueue) -> None:
    """Every thread is free again, and nobody waits: else this never ends."""
    while queue._free < queue.threads or any(queue._waiting.values()):
        await asyncio.sleep(0.001)
    assert queue._free == queue.threads


@asynchronous
async def test_what_the_work_returns_or_raises_comes_back() -> None:
    queue = FairQueue(1, 0)
    assert await queue.run(lambda: 7) == 7
    with pytest.raises(TimeoutError, match="the work's own"):
        await queue.run(lambda: (_ for _ in ()).throw(TimeoutError("the work's own")))
    assert await queue.run(lambda: 8) == 8  # and the place is free again


@asynchronous
async def test_never_more_compute_at_once_than_there_are_threads() -> None:
    queue, lock = FairQueue(2, 100), threading.Lock()
    now, most, seen = [0], [0], set()
    both = threading.Barrier(2)

    def work() -> None:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
            seen.add(threading.get_ident())
        both.wait(PATIENCE)  # so that two are at it
        with lock:
            now[0] -= 1

    await asyncio.gather(*(queue.run(work) for _ in range(40)))
    assert most[0] == 2 and len(seen) == 2  # always the same threads


@asynchronous
async def test_those_who_wait_are_served_in_the_order_in_which_they_came_and_clients_in_turn() -> None:
    queue, served = FairQueue(1, 20), list[int]()
    names = "aaaaaabcbc"
    async with occupied(queue):
        waiting = [await asked(queue, lambda number=number: served.append(number), name) for number, name in enumerate(names)]
    await asyncio.gather(*waiting)
    assert [names[number] for number in served] == list("abcabcaaaa")
    assert [number for number in served if number < 6] == list(range(6))


@asynchronous
async def test_in_a_full_queue_the_client_with_most_of_it_makes_room() -> None:
    queue = FairQueue(1, 6)
    async with occupied(queue):
        greedy = [await asked(queue, lambda: "greedy", "greedy") for _ in range(6)]
        with pytest.raises(Busy, match="full"):
            await queue.run(lambda: "seventh", "greedy")
        others = [await asked(queue, lambda: "other", f"other {number}") for number in range(3)]
        for refused in greedy[3:]:
            with pytest.raises(Busy, match="full"):
                await refused
    assert await asyncio.gather(*greedy[:3], *others) == ["greedy"] * 3 + ["other"] * 3


@asynchronous
async def test_a_class_behind_one_address_is_served_as_if_it_were_one() -> None:
    queue = FairQueue(1, 3)
    async with occupied(queue):
        same = [await asked(queue, lambda: "same", "school") for _ in range(3)]
        with pytest.raises(Busy, match="full") as refusal:
            await queue.run(lambda: "one more", "school")
        assert refusal.value.reason == "full" and 1 <= refusal.value.retry_after <= MAX_RETRY_AFTER
    assert await asyncio.gather(*same) == ["same"] * 3


@asynchronous
async def test_a_question_that_waits_too_long_is_refused_and_never_computed() -> None:
    queue, computed = FairQueue(1, 1, max_wait=0.01), list[int]()
    async with occupied(queue) as first:
        with pytest.raises(Busy) as refusal:
            await queue.run(lambda: computed.append(1))
        assert refusal.value.reason == "late" and not first.done()  # which took longer than that, but had begun
    assert await queue.run(lambda: "later") == "later" and computed == []


@asynchronous
async def test_the_longer_the_queue_takes_the_later_one_should_come_back() -> None:
    queue = FairQueue(1, 1000)
    found = []
    for seconds in (0.0, 0.1, 0.1, 100.0):
        queue._mean_seconds = seconds
        async with occupied(queue):
            waiting = [await asked(queue, int, "one") for _ in range(25 if found else 0)]
            found.append(queue._busy("full").retry_after)
        await asyncio.gather(*waiting)
    assert found == [1, 3, 3, MAX_RETRY_AFTER]


@asynchronous
async def test_nothing_is_computed_for_those_who_left_while_waiting() -> None:
    queue, computed = FairQueue(1, 5), list[str]()
    async with occupied(queue):
        gone = await asked(queue, lambda: computed.append("gone"), "a")
        here = await asked(queue, lambda: computed.append("here"), "b")
        gone.cancel()
        await asyncio.wait([gone])
    await here
    assert gone.cancelled() and computed == ["here"]
    await idle(queue)


@asynchronous
async def test_a_caller_that_leaves_in_the_moment_of_its_turn_gives_it_to_the_next() -> None:
    queue = FairQueue(1, 5)
    queue._free = 0  # as if its thread were busy
    first, second = await asked(queue, lambda: 1, "a"), await asked(queue, lambda: 2, "b")
    queue._release()  # as if it were done
    first.cancel()
    assert await second == 2
    assert first.cancelled()
    await idle(queue)


@asynchronous
async def test_a_caller_that_leaves_while_computing_holds_the_thread_until_it_is_done() -> None:
    queue = FairQueue(1, 5)
    async with occupied(queue) as first:
        second = await asked(queue, lambda: "second")
        first.cancel()
        await asyncio.wait([first])
        assert first.cancelled() and not second.done() and queue._free == 0
    assert await second == "second"
    await idle(queue)


ACTIONS = st.lists(st.tuples(st.sampled_from(["ask", "ask", "ask", "leave", "step"]), st.integers(0, 7)), max_size=60)


@given(ACTIONS, st.integers(1, 3), st.integers(0, 6))
def test_whoever_asks_and_leaves_in_whatever_order_all_have_an_end_and_no_thread_is_lost(
    actions: list[tuple[str, int]], threads: int, places: int
) -> None:
    async def play() -> None:
        queue, tasks = FairQueue(threads, places), list[asyncio.Task[int]]()
        for what, number in actions:
            if what == "ask":
                tasks.append(asyncio.create_task(queue.run(lambda: 1, "abc"[number % 3])))
            elif what == "leave" and tasks:
                tasks[number % len(tasks)].cancel()
            else:
                for _ in range(number):
                    await asyncio.sleep(0)
        ends = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(end == 1 or isinstance(end, Busy | asyncio.CancelledError) for end in ends)
        await idle(queue)

    awaited(asyncio.wait_for(play(), PATIENCE))


@given(st.lists(st.one_of(st.sampled_from("abcd"), st.none()), max_size=60))
def test_nobody_is_served_twice_while_another_waits(asked_for: list[str | None]) -> None:
    async def play() -> None:
        queue, waiting, passed_over = FairQueue(1, 100), Counter[str](), Counter[str]()
        queue._free = 0  # its threads are busy; here they are given by hand
        served, tasks = list[str](), list[asyncio.Task[None]]()

        async def wait(client: str) -> None:
            await queue._acquire(client)
            served.append(client)

        for client in [*asked_for, None]:
            if client is not None:
                tasks.append(asyncio.create_task(wait(client)))
                waiting[client] += 1
                await asyncio.sleep(0)
                continue
            queue._release()
            queue._free = 0
            await asyncio.sleep(0)
            if not served:
                assert waiting.total() == 0
                continue
            one = served.pop()
            waiting[one] -= 1
            passed_over[one] = 0
            for other in "abcd".replace(one, ""):
                passed_over[other] = passed_over[other] + 1 if waiting[other] else 0
            assert max(passed_over.values()) <= 3  # each of the three others at most once
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    awaited(play())
