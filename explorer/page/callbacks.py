"""The questions that the page asks its server: each kind is read, checked, computed and answered in the same way.

They are Dash callbacks, although ``server.js`` sends the requests itself: Dash's renderer would visit every component of the
page for each answer. Dash's ``api_endpoint=`` is not used: it encodes with the standard library's JSON (0.9 ms more an
answer), ignores the URL prefix and goes past Dash's middleware.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from dash import ClientsideFunction, Dash, Input, Output

from explorer.cost import check_explanation
from explorer.link import MAX_QUERY, read_link
from explorer.page import controls
from explorer.page.answer import answer, needs_exact
from explorer.page.panels import PANELS
from explorer.page.question import Key, QuestionKind, Work
from explorer.page.take_home import NOTEBOOK_KIND
from explorer.server.compute import Compute
from explorer.server.metrics import EXPLANATION
from explorer.state import State, StateError, Zoo

MAX_ASK = 2**53


@dataclass(frozen=True, slots=True)
class Question:
    """A question that was read and checked; ``beside`` has the members of its answer that are not cached: ask, notices, state."""

    key: Key
    work: Work
    beside: dict[str, Any]

    def joined(self, computed: bytes) -> str:
        """The whole answer as JSON."""
        return f"{orjson.dumps(self.beside)[:-1].decode()},{computed[1:].decode()}"


def _explanation(state: State, _: None, zoo: Zoo) -> tuple[Key, Work]:
    check_explanation(state, zoo)
    exact = needs_exact(state)
    return state.cache_key() + bytes([exact]), lambda: answer(state, zoo, exact=exact)


EXPLANATION_KIND = QuestionKind(EXPLANATION, "state", _explanation)
KINDS: Mapping[str, QuestionKind] = {
    kind.output: kind for kind in (EXPLANATION_KIND, NOTEBOOK_KIND, *(panel.question for panel in PANELS.values() if panel.question))
}


def register(app: Dash, zoo: Zoo, compute: Compute) -> None:
    """Connect the page to the server and to its scripts."""
    for name in KINDS:
        _register(name, app, zoo, compute)
    app.clientside_callback(ClientsideFunction("explorer", "start"), Input("config", "children"))
    app.clientside_callback(
        ClientsideFunction("explorer", "scaleChanged"), Input("scale", "value"), prevent_initial_call=True
    )
    controls.register(app)


def _register(name: str, app: Dash, zoo: Zoo, compute: Compute) -> None:
    @app.callback(Output(name, "data"), Input(KINDS[name].source, "data"), prevent_initial_call=True)
    async def respond(question: object) -> str:
        # as text: Dash walks through every list of a store's data, on both sides, in search of components
        return await answered(name, question, zoo, compute)


async def answered(name: str, question: object, zoo: Zoo, compute: Compute) -> str:
    """The answer to a question as JSON.

    Raises:
        StateError: the question is not one, or too much work; the message says why.
    """
    asked = read_question(name, question, zoo)
    return asked.joined(await compute.answer(name, asked.key, lambda: orjson.dumps(asked.work())))


def opening_answer(zoo: Zoo) -> str:
    """The answer for an address without a link, which the page brings along instead of asking for it."""
    asked = read_question(EXPLANATION, {"ask": 0, "link": ""}, zoo)
    return asked.joined(orjson.dumps(asked.work()))


def read_question(name: str, question: object, zoo: Zoo) -> Question:
    """Read and check a question of the kind with this name.

    Args:
        name: in ``KINDS``.
        question: ``{"ask": number, "state": {…}}`` and what the kind ``asks`` for, such as ``"methods": [names]``. While a page
            opens, ``{"ask": number, "link": "?…&v=2"}``: the answer then has the state that was read, and notices.
        zoo: the networks.

    Raises:
        StateError: it is not such a question, or too much work.
    """
    kind = KINDS[name]
    if not isinstance(question, dict):
        raise StateError("the question must be an object")
    ask = question.get("ask")
    if isinstance(ask, bool) or not isinstance(ask, int) or not 0 <= ask < MAX_ASK:
        raise StateError("the question needs its number, a whole one, as 'ask'")
    beside: dict[str, Any] = {"ask": ask}
    match question:
        case {"state": given, **more} if more.keys() == {"ask", kind.asks} - {None}:
            state = State.from_json(given, zoo)
        case {"link": link, **more} if more.keys() == {"ask"} and not kind.asks:
            if not isinstance(link, str) or len(link) > 10 * MAX_QUERY:
                raise StateError("the link must be a string of reasonable length")
            state, beside["notices"] = read_link(link, zoo)
            beside["state"] = state.to_json()
        case _:
            members = f", 'state' and '{kind.asks}'" if kind.asks else " and either 'state' or 'link'"
            raise StateError(f"the question must hold 'ask'{members}")
    return Question(*kind.prepare(state, question.get(kind.asks), zoo), beside)
