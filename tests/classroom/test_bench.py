"""What the load test of rooms counts as heard, late and lost."""

from __future__ import annotations

import asyncio
from random import Random

from bench.classroom import Sent, ratio_of_percentiles
from bench.rooms import Heard, Page
from bench.wire import Endpoint


def page(*messages: bytes) -> Page:
    """A page that heard these messages; called while a loop runs."""
    made = Page(Endpoint("127.0.0.1", 1), "BCDFG", "token", "Blue heron", Random(0))
    for message in messages:
        made.heard.came(b"data: " + message[:9])
        made.heard.came(message[9:] + b"\n\n")
    return made


def test_what_a_page_heard_is_read_from_the_messages() -> None:
    async def heard() -> Heard:
        return page(
            b'{"role":"student","v":7,"now":1.5,"parts":{"lead":{"n":3,"state":{}},"answer":{"n":2,"answer":{"ask":0}}}}',
            b'{"away":true}',
            b'{"role":"student","v":9,"now":2.5,"parts":{"paint":{"n":4,"pixels":[]}}}',
            b'{"over":true}',
        ).heard.read()

    found = asyncio.run(heard())
    assert {part: [number for number, _ in news] for part, news in found.news.items()} == {"lead": [3], "answer": [2], "paint": [4], "look": []}
    assert (found.version, len(found.messages), [on for _, on in found.away], found.over) == (9, 2, [True], True)


def test_news_is_lost_for_a_page_that_heard_neither_it_nor_newer_news() -> None:
    async def delays() -> tuple[list[float], int]:
        one, other = (page(b'{"v":2,"parts":{"lead":{"n":%d}}}' % number) for number in (1, 3))
        at = one.heard.read().messages[0] - 0.25
        return Sent([([one, other], "lead", 2, at), ([one], "lead", 1, at), ([one], "paint", 1, at)]).delays("lead")

    waits, lost = asyncio.run(delays())
    assert lost == 1 and len(waits) == 2 and all(250 <= wait < 1000 for wait in waits)


def test_windows_whose_times_are_twice_as_long_have_twice_the_percentile() -> None:
    rng = Random(1)
    windows = [[rng.expovariate(0.1) for _ in range(500)] for _ in range(8)]
    ratio, low, high = ratio_of_percentiles([[2 * value for value in window] for window in windows], windows, 0.95)
    assert abs(ratio - 2) < 1e-12 and abs(low - 2) < 1e-12 and abs(high - 2) < 1e-12  # of the same pairs
    ratio, low, high = ratio_of_percentiles(windows[:4], windows[4:], 0.95)
    assert low < ratio < high and low < 1 < high
