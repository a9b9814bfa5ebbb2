"""How long the page waits before it retries: assets/core/retry.js and server.js in Python. tests/test_load.py compares the constants."""

from __future__ import annotations

from random import Random

AWAY_FIRST, AWAY_MOST = 0.4, 5.0  # seconds without an answer from the server, doubled each time
LONG_AWAY_TRIES, LONG_AWAY_MOST = 12, 15.0
BUSY_GROWTH, BUSY_MOST = 1.5, 15.0
LEAST_SECONDS, MOST_SECONDS = 1, 10  # limits of Retry-After


def pause_after(retry_after: int | None, failures: int, rng: Random) -> float:
    """Seconds to wait after a failure.

    Args:
        retry_after: the header of a 503; None when no answer came.
        failures: consecutive failures before this one.
        rng: every pause is random, so that a class does not retry all at once.
    """
    exponent = min(failures, LONG_AWAY_TRIES)  # by then every pause is at its maximum
    if retry_after is not None:
        pause = min(BUSY_MOST, min(MOST_SECONDS, max(LEAST_SECONDS, retry_after)) * BUSY_GROWTH**exponent)
        return rng.uniform(pause, 2 * pause)
    limit = LONG_AWAY_MOST if failures >= LONG_AWAY_TRIES else AWAY_MOST
    return min(limit, AWAY_FIRST * 2**exponent) * rng.uniform(0.75, 1.25)
