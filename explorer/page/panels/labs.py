"""The tab Labs: a shelf of experiments, and the one that is open. Its script lays both out from what the config and an answer say."""

from __future__ import annotations

from typing import Any

import orjson
from dash import html
from dash.development.base_component import Component

from explorer.labs import LABS
from explorer.labs.lab import Lab, Values
from explorer.page.components import script_owned
from explorer.page.panel import Panel
from explorer.page.question import Key, QuestionKind, Work
from explorer.server.metrics import LAB_ANSWERS
from explorer.state import State, StateError, Zoo, shown


def _layout(_: State) -> list[Component]:
    return [html.Div(script_owned("shelf", "shelf"), id="shelf-page"), script_owned("lab", "lab", hidden=True)]


def _prepare(state: State, asked: object, zoo: Zoo) -> tuple[Key, Work]:
    name, values = check_lab_asked(asked)
    lab = LABS[name]
    if reason := lab.unsupported(state, zoo):
        raise StateError(reason.removesuffix("."))
    shown_values = {key: value for key, value in values.items() if key not in lab.looks}
    key = state.cache_key(options=True) + orjson.dumps([name, state.pinned, shown_values], option=orjson.OPT_SORT_KEYS)
    return key, lambda: lab_answer(lab, state, values, zoo)


def check_lab_asked(asked: object) -> tuple[str, Values]:
    """The lab that is asked for, and a value for each of its settings.

    Raises:
        StateError: there is no such lab, or a setting or its value is wrong.
    """
    match asked:
        case {"name": str() as name, "settings": dict() as settings, **more} if not more:
            if name not in LABS:
                raise StateError(f"there is no lab {shown(name)}")
            try:
                return name, LABS[name].values(settings)
            except ValueError as wrong:
                raise StateError(str(wrong)) from None
    raise StateError("'lab' must hold the 'name' of a lab and its 'settings'")


def lab_answer(lab: Lab, state: State, values: Values, zoo: Zoo) -> dict[str, Any]:
    """The answer of a lab with its sentences."""
    found = lab.answer(state, values, zoo)
    return {**found, "said": [sentence.to_json() for sentence in lab.narrate(found)]}


PANEL = Panel("Labs", _layout, question=QuestionKind(LAB_ANSWERS, "lab-question", _prepare, asks="lab"))
