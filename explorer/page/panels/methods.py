"""The tab Methods: every method on the same picture. Its script asks for a few at a time, and sums up what it shows."""

from __future__ import annotations

import orjson
from dash.development.base_component import Component

from explorer.page.components import script_owned
from explorer.page.method_answers import check_methods_asked, method_answers
from explorer.page.panel import Panel
from explorer.page.question import Key, QuestionKind, Work
from explorer.server.metrics import METHOD_ANSWERS
from explorer.state import State, Zoo


def _layout(_: State) -> list[Component]:
    return [
        script_owned("convention", "convention"),
        script_owned("methods-tools", "methods-tools"),
        script_owned("methods-grid", "methods-grid"),
    ]


def _prepare(state: State, asked: object, zoo: Zoo) -> tuple[Key, Work]:
    names = check_methods_asked(state, asked, zoo)
    return state.cache_key(options=True) + orjson.dumps(names), lambda: method_answers(state, names, zoo)


PANEL = Panel("Methods", _layout, question=QuestionKind(METHOD_ANSWERS, "method-question", _prepare, asks="methods"), shows_methods=True)
