"""The log: one JSON object per line, without contents of requests."""

from __future__ import annotations

import json
import logging
import sys

from explorer.server.logs import FIELDS, JsonFormatter, traceback_of


def logged(message: str, *values: object, **more: object) -> dict[str, object]:
    """The fields of a line of the log."""
    record = logging.LogRecord("explorer", logging.WARNING, __file__, 1, message, values, more.pop("exc_info", None))  # type: ignore[arg-type]
    for name, value in more.items():
        setattr(record, name, value)
    line = JsonFormatter().format(record)
    assert "\n" not in line
    fields: dict[str, object] = json.loads(line)
    return fields


def test_a_line_has_time_level_message_and_pid() -> None:
    fields = logged("%d of %s", 3, "four")
    assert fields["level"] == "warning" and fields["message"] == "3 of four" and isinstance(fields["pid"], int)
    assert str(fields["time"]).endswith("Z") and len(str(fields["time"])) == len("2026-01-31T23:59:59.999Z")


def test_further_fields_are_added_and_newlines_are_escaped() -> None:
    fields = logged("one\ntwo\u2028\r", **{FIELDS: {"status": 404, "path": "/a\nb"}})
    assert fields["message"] == "one\ntwo\u2028\r" and fields["status"] == 404 and fields["path"] == "/a\nb"


def test_a_traceback_is_one_field_without_messages() -> None:
    try:
        raise ValueError("secret" + str(7))
    except ValueError:
        fields = logged("failed", exc_info=sys.exc_info())
    assert "test_logs.py" in str(fields["traceback"]) and "ValueError" in str(fields["traceback"]) and "secret7" not in str(fields)


def test_the_places_of_an_error_tell_where_it_and_its_causes_were_but_not_what_they_quote() -> None:
    def inner() -> None:
        raise KeyError("0.25, 0.75")

    try:
        try:
            inner()
        except KeyError as cause:
            raise ValueError("cannot read 0.25, 0.75") from cause
    except ValueError as error:
        fields = traceback_of(error)
    assert "in inner" in fields and "KeyError" in fields and "ValueError" in fields
    assert fields.index("KeyError") < fields.index("ValueError")
    assert "0.25, 0.75" not in fields.replace('raise KeyError("0.25, 0.75")', "").replace('raise ValueError("cannot read 0.25, 0.75")', "")
