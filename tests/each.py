"""Run one test over many cases under one id; a failure names its case."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

Case = TypeVar("Case")


def each(cases: Iterable[Case], name: Callable[[Case], str] = repr) -> Callable[[Callable[[Case], None]], Callable[[], None]]:
    """Decorate a test that takes a case: it runs for all of them, and what fails at the end names the first that failed and how many did."""

    def decorate(test: Callable[[Case], None]) -> Callable[[], None]:
        def for_each() -> None:
            failures: list[tuple[str, Exception]] = []
            tried = list(cases)
            for case in tried:
                try:
                    test(case)
                except Exception as failure:  # all are counted
                    failures.append((name(case), failure))
            assert tried, "there are no cases"
            if failures:
                first, failure = failures[0]
                failure.add_note(f"for {first}; {len(failures)} of {len(tried)} cases fail: {', '.join(case for case, _ in failures[:20])}")
                raise failure

        for_each.__name__, for_each.__doc__, for_each.__module__ = test.__name__, test.__doc__, test.__module__
        return for_each

    return decorate
