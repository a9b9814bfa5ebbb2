"""Answers of a worker: cached or computed alike, equal questions computed once, bounded memory, callers that leave."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from serving import awaited

from explorer.models import load_zoo
from explorer.page.callbacks import answered
from explorer.server.compute import ENTRY_OVERHEAD, Compute, answer_cache
from explorer.server.fair_queue import Busy
from explorer.server.metrics import EXPLANATION, METHOD_ANSWERS, Metrics
from explorer.state import State

from .test_fair_queue import asynchronous, idle, occupied

ZOO = load_zoo()


def compute_with(cache_size: int = 10**6, queue: int = 10) -> Compute:
    return Compute(queue, cache_size, Metrics("test"))


def looked_up(compute: Compute) -> tuple[int, int]:
    """The numbers of hits and misses."""
    hit, miss = (compute.metrics.cache.labels(EXPLANATION, result)._value.get() for result in ("hit", "miss"))
    return int(hit), int(miss)


class Work:
    """Counts its calls."""

    def __init__(self, answer: bytes = b"answer") -> None:
        self.answer, self.calls = answer, 0

    def __call__(self) -> bytes:
        self.calls += 1
        return self.answer


async def waiting(compute: Compute, question: bytes, work: Callable[[], bytes]) -> asyncio.Task[bytes]:
    """The task of a question that waits in the queue."""
    task = asyncio.create_task(compute.answer(EXPLANATION, question, work))
    for _ in range(3):
        await asyncio.sleep(0)
    return task


@asynchronous
async def test_a_question_is_computed_once_and_cached_and_each_lookup_is_counted() -> None:
    compute, work = compute_with(), Work()
    assert [await compute.answer(EXPLANATION, b"q", work) for _ in range(3)] == [b"answer"] * 3
    assert work.calls == 1 and looked_up(compute) == (2, 1)
    assert await compute.answer(METHOD_ANSWERS, b"q", Work(b"another")) == b"another"  # the other callback


@asynchronous
async def test_without_a_cache_each_question_is_computed_again() -> None:
    compute, work = compute_with(cache_size=0), Work()
    assert [await compute.answer(EXPLANATION, b"q", work) for _ in range(3)] == [b"answer"] * 3
    assert work.calls == 3 and looked_up(compute) == (0, 3)


@asynchronous
async def test_a_question_that_is_being_computed_is_not_computed_again() -> None:
    compute, work = compute_with(cache_size=0), Work()
    async with occupied(compute.pools[EXPLANATION]):
        tasks = [await waiting(compute, b"q", work) for _ in range(4)]
    assert await asyncio.gather(*tasks) == [b"answer"] * 4
    assert work.calls == 1 and looked_up(compute) == (3, 1)


@asynchronous
async def test_of_two_callers_one_may_leave_and_the_other_is_answered() -> None:
    for leaving in (0, 1):
        compute, work = compute_with(), Work()
        async with occupied(compute.pools[EXPLANATION]):
            tasks = [await waiting(compute, b"q", work) for _ in range(2)]
            tasks.pop(leaving).cancel()
            await asyncio.sleep(0)
        assert await tasks[0] == b"answer"
        await idle(compute.pools[EXPLANATION])


@asynchronous
async def test_when_all_callers_leave_nothing_is_computed_and_the_next_one_is_answered() -> None:
    compute, work, again = compute_with(), Work(b"first"), Work(b"again")
    async with occupied(compute.pools[EXPLANATION]):
        tasks = [await waiting(compute, b"q", work) for _ in range(2)]
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        late = await waiting(compute, b"q", again)  # before the loop has cancelled the first computation
    assert await late == b"again" and (work.calls, again.calls) == (0, 1)
    await idle(compute.pools[EXPLANATION])


@asynchronous
async def test_an_error_or_a_refusal_reaches_all_callers_and_is_not_cached() -> None:
    compute = compute_with(queue=1)

    def fail() -> bytes:
        raise ZeroDivisionError

    async with occupied(compute.pools[EXPLANATION]):
        tasks = [await waiting(compute, b"q", fail) for _ in range(2)]
        with pytest.raises(Busy, match="full"):
            await compute.answer(EXPLANATION, b"other", Work())
    assert all(isinstance(end, ZeroDivisionError) for end in await asyncio.gather(*tasks, return_exceptions=True))
    assert await compute.answer(EXPLANATION, b"q", Work(b"well")) == b"well"
    assert await compute.answer(EXPLANATION, b"other", Work(b"free")) == b"free"


@asynchronous
async def test_a_stroke_does_not_wait_for_a_long_question_about_methods() -> None:
    compute, may_end = compute_with(), threading.Event()
    long = asyncio.create_task(compute.answer(METHOD_ANSWERS, b"q", lambda: bytes(may_end.wait(60))))
    assert await compute.answer(EXPLANATION, b"q", Work()) == b"answer"
    may_end.set()
    await long


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 3000)), max_size=60), st.integers(0, 8000))
def test_the_cache_keeps_the_most_recently_used_answers_within_its_limit(lookups: list[tuple[int, int]], size: int) -> None:
    cache, newest = answer_cache(size), dict[bytes, int]()
    for number, length in lookups:
        question = bytes([number])
        kept = cache.get((EXPLANATION, question))
        assert (kept is not None) == (question in newest)
        if kept is not None:
            newest[question] = newest.pop(question)
        elif ENTRY_OVERHEAD + 1 + length <= size:  # Compute does not cache larger ones
            cache[EXPLANATION, question] = question, bytes(length)
            newest[question] = length
        while sum(ENTRY_OVERHEAD + 1 + length for length in newest.values()) > size:
            newest.pop(next(iter(newest)))
        assert cache.currsize == sum(ENTRY_OVERHEAD + 1 + length for length in newest.values()) <= size


def test_the_size_of_the_cache_is_the_memory_that_it_takes() -> None:
    import tracemalloc

    cache = answer_cache(10**7)
    tracemalloc.start()
    for number in range(2000):
        question = bytes(600 + number % 2)
        cache[str(number), question] = question, bytes(1000)
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert 0.9 * cache.currsize < taken < 1.1 * cache.currsize, taken / 2000 - 1600.5


def test_cached_answers_equal_computed_ones_and_the_view_does_not_matter() -> None:
    compute, fresh = compute_with(), compute_with(cache_size=0)
    state = State(network="digits", steps=7, tab="saliency").to_json()
    first = orjson.loads(awaited(answered(EXPLANATION, {"ask": 1, "state": state}, ZOO, compute)))
    looks = {"tab": "methods", "scale": "own", "pinned": ["gradient"], "options": {"lrp_epsilon": {"epsilon": 0.02}}}
    for look, value in looks.items():
        question = {"ask": 2, "state": {**state, look: value}}
        kept, computed = (orjson.loads(awaited(answered(EXPLANATION, question, ZOO, one))) for one in (compute, fresh))
        assert kept == computed == {**first, "ask": 2}, look
    assert (looked_up(compute), looked_up(fresh)) == ((4, 1), (0, 4))
    whole = orjson.loads(awaited(answered(EXPLANATION, {"ask": 1, "state": {**state, "tab": "integrated"}}, ZOO, compute)))
    assert {name for name in whole if whole[name] != first[name]} <= {"exact", "curves", "narration"} and first["exact"] is None
    assert first["narration"] == {"saliency": whole["narration"]["saliency"]}


def test_every_setting_that_numbers_depend_on_makes_another_question() -> None:
    usual = State()
    others = {"output": "logit", "target": 1, "rule": "left", "steps": 51, "samples": 51, "seed": 1, "noise_level": 0.2, "clip": True,
              "baseline": "white", "network": "digits", "drawing": (0.0,) * 64, "pixels": (0.0,) * 64, "baseline_seed": 1}  # fmt: skip
    seen = {usual.replace(**{name: value}).cache_key() for name, value in others.items()}
    assert len(seen | {usual.cache_key()}) == len(others) + 1
    assert set(State.model_fields) == {*others, "tab", "scale", "pinned", "options", "lab", "lab_settings", "lesson", "lesson_step", "hide"}
    chosen = usual.replace(options={"lrp_epsilon": {"epsilon": 0.02}})
    assert chosen.cache_key(options=True) != usual.cache_key(options=True)
