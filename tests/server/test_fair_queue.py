"""The queue: order, fairness, refusals, and that no thread is lost when callers leave."""

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

TIMEOUT = 60.0


def asynchronous(test: Callable[..., Awaitable[None]]) -> Callable[[], None]:
    """Run a test in a new event loop."""

    def run() -> None:
        awaited(asyncio.wait_for(test(), TIMEOUT))  # type: ignore[arg-type]

    return run


@asynccontextmanager
async def occupied(queue: FairQueue) -> AsyncIterator[asyncio.Task[str]]:
    """Keep the threads of a queue busy during the block; yields the task of the first thread."""
    may_end = threading.Event()

    def slow() -> str:
        assert may_end.wait(TIMEOUT)
        return "slow"

    tasks = [asyncio.create_task(queue.run(slow, "slow")) for _ in range(queue.threads)]
    await asyncio.sleep(0)
    try:
        yield tasks[0]
    finally:
        may_end.set()
        await asyncio.gather(*tasks, return_exceptions=True)


async def queued(queue: FairQueue, work: Callable[[], Any], client: str = "") -> asyncio.Task[Any]:
    """The task of a call that waits in the queue, or was refused."""
    task = asyncio.create_task(queue.run(work, client))
    await asyncio.sleep(0)
    return task


async def idle(queue: FairQueue) -> None:
    """Wait until every thread is free and nothing waits."""
    while queue._free < queue.threads or any(queue._waiting.values()):
        await asyncio.sleep(0.001)
    assert queue._free == queue.threads


@asynchronous
async def test_results_and_errors_of_the_work_are_passed_on() -> None:
    queue = FairQueue(1, 0)
    assert await queue.run(lambda: 7) == 7
    with pytest.raises(TimeoutError, match="the work's own"):
        await queue.run(lambda: (_ for _ in ()).throw(TimeoutError("the work's own")))
    assert await queue.run(lambda: 8) == 8  # and the thread is free again


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
        both.wait(TIMEOUT)  # two run at once
        with lock:
            now[0] -= 1

    await asyncio.gather(*(queue.run(work) for _ in range(40)))
    assert most[0] == 2 and len(seen) == 2  # the threads are reused


@asynchronous
async def test_calls_of_a_client_are_served_in_order_and_clients_in_turn() -> None:
    queue, served = FairQueue(1, 20), list[int]()
    names = "aaaaaabcbc"
    async with occupied(queue):
        waiting = [await queued(queue, lambda number=number: served.append(number), name) for number, name in enumerate(names)]
    await asyncio.gather(*waiting)
    assert [names[number] for number in served] == list("abcabcaaaa")
    assert [number for number in served if number < 6] == list(range(6))


@asynchronous
async def test_in_a_full_queue_the_client_with_the_most_calls_loses_its_newest() -> None:
    queue = FairQueue(1, 6)
    async with occupied(queue):
        greedy = [await queued(queue, lambda: "greedy", "greedy") for _ in range(6)]
        with pytest.raises(Busy, match="full"):
            await queue.run(lambda: "seventh", "greedy")
        others = [await queued(queue, lambda: "other", f"other {number}") for number in range(3)]
        for refused in greedy[3:]:
            with pytest.raises(Busy, match="full"):
                await refused
    assert await asyncio.gather(*greedy[:3], *others) == ["greedy"] * 3 + ["other"] * 3


@asynchronous
async def test_a_class_behind_one_address_is_one_client() -> None:
    queue = FairQueue(1, 3)
    async with occupied(queue):
        same = [await queued(queue, lambda: "same", "school") for _ in range(3)]
        with pytest.raises(Busy, match="full") as refusal:
            await queue.run(lambda: "one more", "school")
        assert refusal.value.reason == "full" and 1 <= refusal.value.retry_after <= MAX_RETRY_AFTER
    assert await asyncio.gather(*same) == ["same"] * 3


@asynchronous
async def test_a_call_that_waits_too_long_is_refused_and_never_run() -> None:
    queue, computed = FairQueue(1, 1, max_wait=0.01), list[int]()
    async with occupied(queue) as first:
        with pytest.raises(Busy) as refusal:
            await queue.run(lambda: computed.append(1))
        assert refusal.value.reason == "late" and not first.done()  # it took longer, but had started
    assert await queue.run(lambda: "later") == "later" and computed == []


@asynchronous
async def test_retry_after_grows_with_the_time_that_the_queue_takes() -> None:
    queue = FairQueue(1, 1000)
    found = []
    for seconds in (0.0, 0.1, 0.1, 100.0):
        queue._mean_seconds = seconds
        async with occupied(queue):
            waiting = [await queued(queue, int, "one") for _ in range(25 if found else 0)]
            found.append(queue._busy("full").retry_after)
        await asyncio.gather(*waiting)
    assert found == [1, 3, 3, MAX_RETRY_AFTER]


@asynchronous
async def test_nothing_is_run_for_callers_that_left_the_queue() -> None:
    queue, computed = FairQueue(1, 5), list[str]()
    async with occupied(queue):
        gone = await queued(queue, lambda: computed.append("gone"), "a")
        here = await queued(queue, lambda: computed.append("here"), "b")
        gone.cancel()
        await asyncio.wait([gone])
    await here
    assert gone.cancelled() and computed == ["here"]
    await idle(queue)


@asynchronous
async def test_a_caller_that_leaves_at_the_moment_of_its_turn_passes_it_on() -> None:
    queue = FairQueue(1, 5)
    queue._free = 0  # as if its thread was busy
    first, second = await queued(queue, lambda: 1, "a"), await queued(queue, lambda: 2, "b")
    queue._release()  # as if it was done
    first.cancel()
    assert await second == 2
    assert first.cancelled()
    await idle(queue)


@asynchronous
async def test_a_caller_that_leaves_during_its_call_holds_the_thread_until_it_ends() -> None:
    queue = FairQueue(1, 5)
    async with occupied(queue) as first:
        second = await queued(queue, lambda: "second")
        first.cancel()
        await asyncio.wait([first])
        assert first.cancelled() and not second.done() and queue._free == 0
    assert await second == "second"
    await idle(queue)


ACTIONS = st.lists(st.tuples(st.sampled_from(["ask", "ask", "ask", "leave", "step"]), st.integers(0, 7)), max_size=60)


@given(ACTIONS, st.integers(1, 3), st.integers(0, 6))
def test_in_any_order_of_calls_and_leaving_every_call_ends_and_no_thread_is_lost(
    actions: list[tuple[str, int]], threads: int, capacity: int
) -> None:
    async def play() -> None:
        queue, tasks = FairQueue(threads, capacity), list[asyncio.Task[int]]()
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

    awaited(asyncio.wait_for(play(), TIMEOUT))


@given(st.lists(st.one_of(st.sampled_from("abcd"), st.none()), max_size=60))
def test_no_client_is_served_twice_while_another_waits(calls: list[str | None]) -> None:
    async def play() -> None:
        queue, waiting, passed_over = FairQueue(1, 100), Counter[str](), Counter[str]()
        queue._free = 0  # as if its thread was busy: turns are given below
        served, tasks = list[str](), list[asyncio.Task[None]]()

        async def wait(client: str) -> None:
            await queue._acquire(client)
            served.append(client)

        for client in [*calls, None]:
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
