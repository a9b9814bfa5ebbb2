"""Validates the body of a callback request before Dash reads it."""

from typing import Any

import orjson

from explorer.server.errors import BadRequestBody


def read_callback_body(body: bytes, callbacks: dict[str, Any]) -> dict[str, Any]:
    """The parsed body of a request that Dash can dispatch: a known output with exactly its own inputs.

    Raises:
        BadRequestBody: the body is invalid; the message says why.
    """
    try:
        data = orjson.loads(body)  # strict: no NaN, no invalid unicode, limited depth
    except ValueError:
        raise BadRequestBody("the body must be JSON") from None
    if not isinstance(data, dict):
        raise BadRequestBody("the body must be a JSON object")
    output = data.get("output")
    if not isinstance(output, str) or output not in callbacks:
        raise BadRequestBody("the body names no output of this page")
    for part in ("inputs", "state"):
        expected = [(entry["id"], entry["property"]) for entry in callbacks[output][part]]
        given = data.get(part, [])
        if not isinstance(given, list) or [_property_of(entry) for entry in given] != expected:
            raise BadRequestBody(f"'{part}' must name {' and '.join('.'.join(names) for names in expected) or 'nothing'}")
    if ".".join(map(str, _property_of(data.get("outputs")))) != output:
        raise BadRequestBody("'outputs' must name the same property as 'output'")
    changed = data.get("changedPropIds", [])
    if not isinstance(changed, list) or not all(isinstance(name, str) for name in changed):
        raise BadRequestBody("'changedPropIds' must be a list of strings")
    return data


def _property_of(entry: object) -> tuple[object, object]:
    return (entry.get("id"), entry.get("property")) if isinstance(entry, dict) else (None, None)
