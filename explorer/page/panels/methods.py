"""The tab Methods: every method on the same picture. Its script asks for a few at a time, and sums up what it shows."""

from __future__ import annotations

import orjson
from dash import html
from dash.development.base_component import Component

from explorer.page.components import script_owned
from explorer.page.method_answers import check_methods_asked, method_answers
from explorer.page.panel import Panel
from explorer.page.question import Key, QuestionKind, Work
from explorer.server.metrics import METHOD_ANSWERS
from explorer.state import State, Zoo

# What the tab opens with: methods that each answer another question, and what to keep in mind.
FIRST = {
    "gradient": ("What would change F now?", "Blank where F is flat."),
    "integrated_gradients": ("What moved F on the way from the baseline?", "Another baseline gives another map."),
    "smoothgrad": ("What would change F nearby, on average?", "Near a flat place it is blank, too."),
    "occlusion": ("How far does F fall when a block is hidden?", "Little, where the rest is still enough."),
    "lrp_epsilon": ("How does each layer hand the score back?", "It explains the logit, whatever output is chosen."),
    "shapley_values": ("What does a block add to a random set of others?", "The four pixels of a block share its value."),
}


def _layout(_: State) -> list[Component]:
    return [
        script_owned("methods-first", "methods-first"),
        html.Details(
            [
                html.Summary(id="methods-all-count"),
                script_owned("convention", "convention"),
                script_owned("methods-tools", "methods-tools"),
                script_owned("methods-grid", "methods-grid"),
            ],
            id="methods-all",
        ),
        html.Details([html.Summary(id="methods-unsupported-count"), html.Ul(id="methods-unsupported-list")], id="methods-unsupported"),
    ]


def _prepare(state: State, asked: object, zoo: Zoo) -> tuple[Key, Work]:
    names = check_methods_asked(state, asked, zoo)
    return state.cache_key(options=True) + orjson.dumps(names), lambda: method_answers(state, names, zoo)


PANEL = Panel("Methods", _layout, question=QuestionKind(METHOD_ANSWERS, "method-question", _prepare, asks="methods"), shows_methods=True)
