"""The log: one JSON object a line, whatever is logged, and nothing in it that was asked."""

from __future__ import annotations

import json
import logging
import sys

from explorer.server.logs import FIELDS, JsonFormatter, traceback_of


def logged(message: str, *values: object, **more: object) -> dict[str, object]:
    """What a line of the log says."""
    record = logging.LogRecord("explorer", logging.WARNING, __file__, 1, message, values, more.pop("exc_info", None))  # type: ignore[arg-type]
    for name, value in more.items():
        setattr(record, name, value)
    line = JsonFormatter().format(record)
    assert "\n" not in line
    told: dict[str, object] = json.loads(line)
    return told


def test_a_line_says_when_how_bad_what_and_by_whom() -> None:
    told = logged("%d of %s", 3, "four")
    assert told["level"] == "warning" and told["message"] == "3 of four" and isinstance(told["pid"], int)
    assert str(told["time"]).endswith("Z") and len(str(told["time"])) == len("2026-01-31T23:59:59.999Z")


def test_fields_come_beside_the_message_and_line_ends_stay_inside_it() -> None:
    told = logged("one\ntwo\u2028\r", **{FIELDS: {"status": 404, "path": "/a\nb"}})
    assert told["message"] == "one\ntwo\u2028\r" and told["status"] == 404 and told["path"] == "/a\nb"


def test_a_traceback_is_one_field_that_quotes_nothing() -> None:
    try:
        raise ValueError("told" + str(7))
    except ValueError:
        told = logged("failed", exc_info=sys.exc_info())
    assert "test_logs.py" in str(told["traceback"]) and "ValueError" in str(told["traceback"]) and "told7" not in str(told)


def test_the_places_of_an_error_tell_where_it_and_its_causes_were_but_not_what_they_quote() -> None:
    def inner() -> None:
        raise KeyError("0.25, 0.75")

    try:
        try:
            inner()
        except KeyError as cause:
            raise ValueError("cannot read 0.25, 0.75") from cause
    except ValueError as error:
        told = traceback_of(error)
    assert "in inner" in told and "KeyError" in told and "ValueError" in told
    assert told.index("KeyError") < told.index("ValueError")
    assert "0.25, 0.75" not in told.replace('raise KeyError("0.25, 0.75")', "").replace('raise ValueError("cannot read 0.25, 0.75")', "")
