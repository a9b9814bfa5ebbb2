"""How long the page waits before it asks again: assets/core/retry.js and server.js in Python. tests/test_load.py compares them."""

from __future__ import annotations

from random import Random

AWAY_FIRST, AWAY_MOST = 0.4, 5.0  # seconds, doubled each time
LONG_AWAY_TRIES, LONG_AWAY_MOST = 12, 15.0
BUSY_GROWTH, BUSY_MOST = 1.5, 15.0
LEAST_SECONDS, MOST_SECONDS = 1, 10  # of what a busy server says


def pause_after(told: int | None, before: int, chance: Random) -> float:
    """Seconds to wait after a failure.

    Args:
        told: for how long a busy server wants no request; None when no answer came.
        before: failures in a row before this one.
        chance: every pause is drawn at random, as a hall must not come back all at once.
    """
    growing = min(before, LONG_AWAY_TRIES)  # by then every pause is at its most
    if told is not None:
        pause = min(BUSY_MOST, min(MOST_SECONDS, max(LEAST_SECONDS, told)) * BUSY_GROWTH**growing)
        return chance.uniform(pause, 2 * pause)
    limit = LONG_AWAY_MOST if before >= LONG_AWAY_TRIES else AWAY_MOST
    return min(limit, AWAY_FIRST * 2**growing) * chance.uniform(0.75, 1.25)
