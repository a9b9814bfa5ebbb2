"""``each`` runs all cases and reports every failure with its parameters."""

from __future__ import annotations

import inspect

import pytest

from .each import each


def test_all_cases_run_and_every_failure_is_reported() -> None:
    seen = []

    @each("letter", "abc")
    @each(("x", "y"), [(1, 2), (3, 4)], ids=["low", "high"])
    def test(tmp: int, letter: str, x: int, y: int) -> None:
        seen.append((tmp, letter, x, y))
        assert letter != "b" or x != 3
        with pytest.raises(ValueError, match=letter):
            raise ValueError("a or b")

    assert list(inspect.signature(test).parameters) == ["tmp"]
    with pytest.raises(BaseExceptionGroup, match="2 of 3 cases") as found:
        test(tmp=0)
    assert seen == [(0, letter, x, x + 1) for letter in "abc" for x in (1, 3)]
    first, second = found.value.exceptions
    assert isinstance(first, BaseExceptionGroup) and isinstance(second, BaseExceptionGroup)
    assert [first.__notes__, first.exceptions[0].__notes__] == [["where letter = b"], ["where x, y = high"]]
    assert [type(failure) for failure in first.exceptions] == [AssertionError]
    assert len(second.exceptions) == 2  # the failures of pytest.raises count too


def test_a_test_without_failures_passes() -> None:
    each("number", range(3))(lambda number: None)()
