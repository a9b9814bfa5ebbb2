"""What the body of a callback request must be, checked before Dash reads it."""

from __future__ import annotations

from typing import Any

import orjson

from explorer.server.errors import BadRequestBody


def read_callback_body(body: bytes, callbacks: dict[str, Any]) -> dict[str, Any]:
    """The body of a request that Dash can dispatch: a known output with exactly its own inputs.

    Raises:
        BadRequestBody: naming what is wrong.
    """
    try:
        data = orjson.loads(body)  # strictly: no NaN, no broken unicode, no endless depth
    except ValueError:
        raise BadRequestBody("the body must be JSON") from None
    if not isinstance(data, dict):
        raise BadRequestBody("the body must be a JSON object")
    output = data.get("output")
    if not isinstance(output, str) or output not in callbacks:
        raise BadRequestBody("the body names no output of this page")
    known = callbacks[output]
    expected = {"inputs": known["inputs"], "state": known["state"]}
    for part, wanted in expected.items():
        _check_part(part, data.get(part, []), wanted)
    _check_outputs(data.get("outputs"), output)
    changed = data.get("changedPropIds", [])
    if not isinstance(changed, list) or not all(isinstance(name, str) for name in changed):
        raise BadRequestBody("'changedPropIds' must be a list of strings")
    return data


def _check_part(part: str, given: object, wanted: list[dict[str, Any]]) -> None:
    if not isinstance(given, list) or len(given) != len(wanted):
        raise BadRequestBody(f"'{part}' must be a list of {len(wanted)}")
    for entry, want in zip(given, wanted, strict=True):
        named = isinstance(entry, dict) and entry.get("id") == want["id"] and entry.get("property") == want["property"]
        if not named:
            raise BadRequestBody(f"'{part}' must name {want['id']}.{want['property']}")


def _check_outputs(given: object, output: str) -> None:
    if not isinstance(given, dict) or f"{given.get('id')}.{given.get('property')}" != output:
        raise BadRequestBody("'outputs' must name the same property as 'output'")

