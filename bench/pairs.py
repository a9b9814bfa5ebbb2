"""Measures times in pairs, A B A B …, so that a change of the machine's speed affects both alike, and prints the results."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

Work = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: times in milliseconds, their ratio, and the aim."""

    what: str
    ours: float
    against: str = ""
    theirs: float | None = None
    ratio: str = ""
    aim: str = ""


def time_pairs(works: Sequence[Work], repeats: int, warm_up: int = 5) -> list[list[float]]:
    """Times in ms of each function, measured in turn; ``[function][repeat]``."""
    for work in list(works) * warm_up:
        work()
    times: list[list[float]] = [[] for _ in works]
    for _ in range(repeats):
        for work, results in zip(works, times, strict=True):
            start = time.perf_counter()
            work()
            results.append(1000 * (time.perf_counter() - start))
    return times


def faster_row(what: str, ours: Work, against: str, theirs: Work, *, repeats: int, aim: str = "") -> Row:
    """How many times faster ours is: the median of the pairs' ratios."""
    a, b = time_pairs([ours, theirs], repeats)
    return Row(what, median(a), against, median(b), f"{_ratio(b, a):.1f} × faster", aim)


def slower_row(what: str, ours: Work, against: str, theirs: Work, *, repeats: int, aim: str = "") -> Row:
    """Our time divided by theirs: the median of the pairs' ratios."""
    a, b = time_pairs([ours, theirs], repeats)
    return Row(what, median(a), against, median(b), f"{_ratio(a, b):.2f} ×", aim)


def _ratio(a: Sequence[float], b: Sequence[float]) -> float:
    return median(x / y for x, y in zip(a, b, strict=True))


def print_table(title: str, rows: Sequence[Row]) -> None:
    """Print rows under a title, in columns."""
    print(f"\n{title}")
    print(f"  {'what':<52} {'ms':>9}   {'against':<44} {'ms':>9}   {'ratio':<15} aim")
    for row in rows:
        theirs = "" if row.theirs is None else f"{row.theirs:9.3f}"
        print(f"  {row.what:<52} {row.ours:9.3f}   {row.against:<44} {theirs:>9}   {row.ratio:<15} {row.aim}", flush=True)


def percentile(values: Sequence[float], share: float) -> float:
    """The percentile of the values (nearest rank); ``share`` is 0 to 1."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
