"""Whatever is sent as an action is read as one, or refused with one sentence; nothing that is kept is free text."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classroom.test_rooms import TEACHERS
from explorer.classroom.actions import OfTeacher, read_action
from explorer.server.errors import BadRequestBody

NAMES = ("lead", "screens", "publish", "hide", "remove", "mute", "poll", "reveal", "challenge", "challenge-end", "end", "send", "vote", "done", "try", "leave", "x")
FIELDS = ("n", "state", "pixels", "look", "mode", "id", "on", "alias", "key", "kind", "minutes", "choice", "lesson", "step", "title", "extra")
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.sampled_from(("lab/saturation", "ask/1", "a" * 12, "free"))
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=4), max_leaves=8)


@settings(max_examples=25)  # each has many fields
@given(VALUES | st.fixed_dictionaries({"do": st.sampled_from(NAMES)}, optional=dict.fromkeys(FIELDS, VALUES)))
def test_any_value_is_an_action_or_is_refused_in_one_sentence(value: Any) -> None:
    refused = None
    try:
        action = read_action(value)
    except BadRequestBody as error:
        refused = str(error)
    if refused is None:
        assert action.do == value["do"] and set(action.model_fields_set) == set(value)
    else:
        assert "\n" not in refused and len(refused) < 400


@pytest.mark.parametrize("body", TEACHERS, ids=lambda body: body["do"])
def test_every_action_of_a_teacher_is_known_as_one(body: dict[str, Any]) -> None:
    assert isinstance(read_action(body), OfTeacher)
