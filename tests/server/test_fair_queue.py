"""Admission: who computes, who waits, and who is told to come back."""

from __future__ import annotations

import contextvars
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from explorer.page.admission import LONGEST_RETRY, METHODS, STROKES, Admission, Busy, Gone, Lane, hung_up
from explorer.page.turns import Turn, Turns, visitor_at
from hypothesis import given
from hypothesis import strategies as st

PATIENCE = 60.0


class Slow:
    """Work that lasts until it is allowed to end."""

    def __init__(self) -> None:
        self.begun, self.may_end = threading.Event(), threading.Event()

    def __call__(self) -> str:
        self.begun.set()
        assert self.may_end.wait(PATIENCE)
        return "slow"


@contextmanager
def occupied(lane: Lane, visitors: ThreadPoolExecutor) -> Iterator[Future[str]]:
    """A lane of one whose only thread is busy for as long as the block lasts."""
    slow = Slow()
    answer = visitors.submit(lane.compute, slow)
    assert slow.begun.wait(PATIENCE)
    try:
        yield answer
    finally:
        slow.may_end.set()


@pytest.fixture
def visitors() -> Iterator[ThreadPoolExecutor]:
    """Those who ask."""
    with ThreadPoolExecutor(40) as pool:
        yield pool


def wait_in_line(lane: Lane, count: int) -> None:
    """Until so many are inside or waiting."""
    end = threading.Event()
    while lane._inside < count:
        assert not end.wait(0.001)


def test_what_the_work_returns_or_raises_comes_back() -> None:
    lane = Lane(1, 0)
    assert lane.compute(lambda: 7) == 7
    with pytest.raises(TimeoutError, match="the work's own"):
        lane.compute(lambda: (_ for _ in ()).throw(TimeoutError("the work's own")))
    assert lane.compute(lambda: 8) == 8  # and the place is free again


def test_the_work_sees_the_context_of_whoever_asks() -> None:
    told: contextvars.ContextVar[int] = contextvars.ContextVar("told")
    told.set(5)
    assert Lane(1, 0).compute(told.get) == 5


def test_never_more_compute_at_once_than_a_lane_has_threads(visitors: ThreadPoolExecutor) -> None:
    lane, lock = Lane(2, 100), threading.Lock()
    now, most, seen = [0], [0], set()

    def work() -> None:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
            seen.add(threading.get_ident())
        threading.Event().wait(0.002)
        with lock:
            now[0] -= 1

    for answer in [visitors.submit(lane.compute, work) for _ in range(40)]:
        answer.result(PATIENCE)
    assert 1 <= most[0] <= 2
    assert len(seen) <= 2  # always the same threads


def test_those_who_wait_are_served_in_the_order_in_which_they_came(visitors: ThreadPoolExecutor) -> None:
    lane, served = Lane(1, 10), []
    with occupied(lane, visitors):
        answers = []
        for number in range(8):
            answers.append(visitors.submit(lane.compute, lambda number=number: served.append(number)))
            wait_in_line(lane, number + 2)
    for answer in answers:
        answer.result(PATIENCE)
    assert served == list(range(8))


def test_visitors_have_their_turns_one_after_the_other(visitors: ThreadPoolExecutor) -> None:
    lane, served = Lane(1, 20), []
    with occupied(lane, visitors):
        answers = []
        for number, name in enumerate("aaaaaabcbc"):
            answers.append(visitors.submit(lane.compute, lambda number=number: served.append(number), visitor=name))
            wait_in_line(lane, number + 2)
    for answer in answers:
        answer.result(PATIENCE)
    assert ["aaaaaabcbc"[number] for number in served] == list("abcabcaaaa")
    assert [number for number in served if number < 6] == list(range(6))


def test_in_a_full_line_whoever_has_most_of_it_makes_room(visitors: ThreadPoolExecutor) -> None:
    lane = Lane(1, 6)
    with occupied(lane, visitors):
        greedy = []
        for number in range(6):
            greedy.append(visitors.submit(lane.compute, lambda: "greedy", visitor="greedy"))
            wait_in_line(lane, number + 2)
        with pytest.raises(Busy):
            lane.compute(lambda: "seventh", visitor="greedy")
        others = [visitors.submit(lane.compute, lambda: "other", visitor=f"other {number}") for number in range(3)]
        for refused in greedy[3:]:
            with pytest.raises(Busy, match="full"):
                refused.result(PATIENCE)
    assert [answer.result(PATIENCE) for answer in greedy[:3] + others] == ["greedy"] * 3 + ["other"] * 3


def test_a_class_behind_one_address_is_served_as_if_it_were_one(visitors: ThreadPoolExecutor) -> None:
    lane = Lane(1, 3)
    with occupied(lane, visitors):
        same = [visitors.submit(lane.compute, lambda: "same", visitor="school") for _ in range(3)]
        wait_in_line(lane, 4)
        with pytest.raises(Busy, match="full"):
            lane.compute(lambda: "one more", visitor="school")
    assert [answer.result(PATIENCE) for answer in same] == ["same"] * 3


@given(st.lists(st.one_of(st.sampled_from("abcd"), st.none()), max_size=60))
def test_nobody_is_served_twice_while_another_waits(asked: list[str | None]) -> None:
    turns, passed_over = Turns(), Counter[str]()
    waiting: Counter[str] = Counter()
    for visitor in asked:  # None: somebody is served
        if visitor is not None:
            turns.add(Turn(visitor, int))
            waiting[visitor] += 1
            continue
        turn = turns.next()
        if turn is None:
            assert waiting.total() == 0
            continue
        waiting[turn.visitor] -= 1
        passed_over[turn.visitor] = 0
        for other in "abcd":
            if other != turn.visitor:
                passed_over[other] = passed_over[other] + 1 if waiting[other] else 0
        assert max(passed_over.values()) <= 3  # each of the three others at most once


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("10.0.0.1", "10.0.0.1", True),
        ("10.0.0.1", "10.0.0.2", False),
        ("::ffff:10.0.0.1", "10.0.0.1", True),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        (None, "", True),
        ("unix", "unix", True),
    ],
)
def test_who_asks_is_told_by_the_address(one: str | None, other: str | None, same: bool) -> None:
    assert (visitor_at(one) == visitor_at(other)) is same


def test_whoever_finds_the_line_full_is_told_at_once_when_to_come_back(visitors: ThreadPoolExecutor) -> None:
    lane = Lane(1, 1)
    with occupied(lane, visitors) as first:
        second = visitors.submit(lane.compute, lambda: "second")
        wait_in_line(lane, 2)
        with pytest.raises(Busy) as refusal:
            lane.compute(lambda: "third")
        assert refusal.value.reason == "full" and 1 <= refusal.value.retry_after <= LONGEST_RETRY
    assert (first.result(PATIENCE), second.result(PATIENCE)) == ("slow", "second")
    assert lane.compute(lambda: "later") == "later"


def test_whoever_waited_too_long_is_told_and_never_computed(visitors: ThreadPoolExecutor) -> None:
    lane, computed = Lane(1, 1, patience=0.01), []
    with occupied(lane, visitors) as first:
        with pytest.raises(Busy) as refusal:
            lane.compute(lambda: computed.append(1))
        assert refusal.value.reason == "late"
    assert first.result(PATIENCE) == "slow"  # which took longer than that, but had begun
    assert lane.compute(lambda: "later") == "later" and computed == []


def test_nothing_is_computed_for_those_who_left_while_waiting(visitors: ThreadPoolExecutor) -> None:
    lane, computed = Lane(1, 5), []
    with occupied(lane, visitors):
        gone = visitors.submit(lane.compute, lambda: computed.append("gone"), lambda: False)
        wait_in_line(lane, 2)
        here = visitors.submit(lane.compute, lambda: computed.append("here"), lambda: True)
        wait_in_line(lane, 3)
    with pytest.raises(Gone):
        gone.result(PATIENCE)
    here.result(PATIENCE)
    assert computed == ["here"]


def test_the_longer_the_line_takes_the_later_one_should_come_back() -> None:
    lane = Lane(1, 100)
    lane._usual, lane._inside = 0.1, 1
    soon = lane._retry_after()
    lane._inside = 25
    later = lane._retry_after()
    lane._inside = 1000
    assert (soon, later, lane._retry_after()) == (1, 3, LONGEST_RETRY)


@pytest.mark.parametrize("threads", [4, 5, 8, 16, 64, 128, 1024])
def test_lanes_never_take_all_threads_of_a_worker(threads: int) -> None:
    lanes = Admission(threads).lanes
    held = {name: lane.at_once + lane.places for name, lane in lanes.items()}
    assert sum(held.values()) + max(1, threads // 8) <= threads
    assert all(lane.at_once >= 1 and lane.places >= 0 for lane in lanes.values())
    assert held[STROKES] >= held[METHODS] or threads < 8


def test_questions_about_methods_have_a_lane_of_their_own(visitors: ThreadPoolExecutor) -> None:
    admission = Admission(16)
    with occupied(admission.lane(METHODS), visitors):
        assert admission.lane(STROKES).compute(lambda: "stroke") == "stroke"
    assert admission.lane("anything else") is admission.lane(STROKES)


def test_a_closed_connection_is_seen_and_an_open_one_is_left_as_it_is() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert not hung_up(ours)
        theirs.sendall(b"x")
        assert not hung_up(ours)
        assert ours.recv(10) == b"x"  # nothing was taken
        theirs.close()
        assert hung_up(ours)
    assert hung_up(ours)
    assert not hung_up(None)
