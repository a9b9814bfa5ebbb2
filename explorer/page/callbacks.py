"""The two questions that the page asks its server: explain this state, and what do these methods say of it."""

from __future__ import annotations

from typing import Any

import orjson
from dash import ClientsideFunction, Dash, Input, Output

from explorer.cost import check_explanation
from explorer.page import controls
from explorer.page.answer import answer, needs_exact
from explorer.page.method_answers import check_names, method_answers
from explorer.server.compute import Compute
from explorer.server.metrics import METHODS, STROKES
from explorer.state import MAX_QUERY, State, StateError, Zoo

MAX_ASK = 2**53


def register(app: Dash, zoo: Zoo, compute: Compute) -> None:
    """Wire the page to the server and to its scripts. ``server.js`` asks the first two callbacks itself, and says why."""

    @app.callback(Output(STROKES, "data"), Input("state", "data"), prevent_initial_call=True)
    async def explain(question: object) -> str:
        """Answer ``{"ask": number, "state": {…}}``, or ``{"ask": number, "link": "?v=1…"}`` when the page is opened."""
        # as text: Dash walks through every list of a store's data, on both sides, in search of components
        return await explained(question, zoo, compute)

    @app.callback(Output(METHODS, "data"), Input("method-question", "data"), prevent_initial_call=True)
    async def explain_methods(question: object) -> str:
        """Answer ``{"ask": number, "state": {…}, "methods": [names]}``."""
        return await explained_by_methods(question, zoo, compute)

    app.clientside_callback(ClientsideFunction("explorer", "start"), Input("config", "data"))
    app.clientside_callback(
        ClientsideFunction("explorer", "scaleChanged"), Input("scale", "value"), prevent_initial_call=True
    )
    controls.register(app)


async def explained(asked: object, zoo: Zoo, compute: Compute) -> str:
    """The payload for one question as JSON; a link's answer also says what state it was read as, and what was wrong in it.

    Raises:
        StateError: the question is not one; the message says why.
    """
    state, more = _read_question(asked, zoo)
    exact = needs_exact(state)
    question = orjson.dumps([state.asked(), exact])
    return _with(more, await compute.answer(STROKES, question, lambda: orjson.dumps(answer(state, zoo, exact=exact))))


def opening_answer(zoo: Zoo) -> str:
    """The payload for an address without a link, which the page brings along instead of asking for it."""
    state, more = _read_question({"ask": 0, "link": ""}, zoo)
    return _with(more, orjson.dumps(answer(state, zoo, exact=needs_exact(state))))


def _read_question(question: object, zoo: Zoo) -> tuple[State, dict[str, Any]]:
    """The state that a question means, and what is answered beside its numbers."""
    question, ask = _numbered(question)
    more: dict[str, Any] = {"ask": ask}
    if set(question) == {"ask", "state"}:
        state = State.from_json(question["state"], zoo)
    elif set(question) == {"ask", "link"}:
        link = question["link"]
        if not isinstance(link, str) or len(link) > 10 * MAX_QUERY:
            raise StateError("the link must be a string of reasonable length")
        state, more["notices"] = State.from_query(link, zoo)
        more["state"] = state.to_json()
    else:
        raise StateError("the question must hold 'ask' and either 'state' or 'link'")
    check_explanation(state, zoo)
    return state, more


async def explained_by_methods(question: object, zoo: Zoo, compute: Compute) -> str:
    """The payload for one question about single methods, as JSON.

    Raises:
        StateError: the question is not one; the message says why.
    """
    question, ask = _numbered(question)
    if set(question) != {"ask", "state", "methods"}:
        raise StateError("the question must hold 'ask', 'state' and 'methods'")
    state, names = State.from_json(question["state"], zoo), check_names(question["methods"])
    key = orjson.dumps([state.asked(options=True), names])
    return _with({"ask": ask}, await compute.answer(METHODS, key, lambda: orjson.dumps(method_answers(state, names, zoo))))


def _with(more: dict[str, Any], answer: bytes) -> str:
    """A JSON object with more members in front."""
    return f"{orjson.dumps(more)[:-1].decode()},{answer[1:].decode()}"


def _numbered(question: object) -> tuple[dict[str, Any], int]:
    """The question and its number."""
    if not isinstance(question, dict):
        raise StateError("the question must be an object")
    ask = question.get("ask")
    if isinstance(ask, bool) or not isinstance(ask, int) or not 0 <= ask < MAX_ASK:
        raise StateError("the question needs its number, a whole one, as 'ask'")
    return question, ask
