"""``each``: one test for many cases, which reports all that fail."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable
from typing import Any

import pytest

Test = Callable[..., None]


def each(names: str | tuple[str, ...], values: Iterable[Any], ids: Iterable[str] | None = None) -> Callable[[Test], Test]:
    """Like ``pytest.mark.parametrize``, but a single test id: the test runs for all values and fails with every failure.

    Args:
        names: the parameter, or several that each value is unpacked to.
        values: one value, or tuple of values, for each case.
        ids: names of the cases for the notes of failures; by default the values' representations.
    """
    keys = (names,) if isinstance(names, str) else names
    rows = [(value,) if isinstance(names, str) else tuple(value) for value in values]
    titles = [", ".join(map(str, row)) for row in rows] if ids is None else list(ids)

    def decorate(test: Test) -> Test:
        signature = inspect.signature(test)

        @functools.wraps(test)
        def run(*args: Any, **others: Any) -> None:
            failures = []
            for row, title in zip(rows, titles, strict=True):
                try:
                    test(*args, **others, **dict(zip(keys, row, strict=True)))
                except (Exception, pytest.fail.Exception) as failure:
                    failure.add_note(f"where {', '.join(keys)} = {title}")
                    failures.append(failure)
            if failures:
                raise BaseExceptionGroup(f"{len(failures)} of {len(rows)} cases", failures)

        run.__signature__ = signature.replace(  # type: ignore[attr-defined]
            parameters=[p for p in signature.parameters.values() if p.name not in keys]
        )
        return run

    return decorate
