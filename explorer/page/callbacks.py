"""The two questions that the page asks its server: explain this state, and what do these methods say of it."""

from __future__ import annotations

from typing import Any

import orjson
from dash import ClientsideFunction, Dash, Input, Output

from explorer.page import controls
from explorer.page.answer import answer
from explorer.page.method_answers import method_answers
from explorer.state import MAX_QUERY, State, StateError, Zoo
from explorer.work import check_explanation

MAX_ASK = 2**53


def register(app: Dash, zoo: Zoo) -> None:
    """Wire the page to the server and to its scripts. ``server.js`` asks the first callback by itself, and says why."""

    @app.callback(Output("explanation", "data"), Input("state", "data"), prevent_initial_call=True)
    def explain(question: object) -> str:
        """Answer ``{"ask": number, "state": {…}}``, or ``{"ask": number, "link": "?v=1…"}`` when the page is opened."""
        # as text: Dash walks through every list of a store's data, on both sides, in search of components
        return orjson.dumps(respond(question, zoo)).decode()

    @app.callback(Output("method-answers", "data"), Input("method-question", "data"), prevent_initial_call=True)
    def explain_methods(question: object) -> str:
        """Answer ``{"ask": number, "state": {…}, "methods": [names]}``."""
        return orjson.dumps(respond_methods(question, zoo)).decode()

    app.clientside_callback(ClientsideFunction("explorer", "start"), Input("config", "data"))
    app.clientside_callback(
        ClientsideFunction("explorer", "scaleChanged"), Input("scale", "value"), prevent_initial_call=True
    )
    controls.register(app)


def respond(question: object, zoo: Zoo) -> dict[str, Any]:
    """The payload for one question; a link's answer also says what state it was read as, and what was wrong in it.

    Raises:
        StateError: the question is not one; the message says why.
    """
    question, ask = _numbered(question)
    if set(question) == {"ask", "state"}:
        state = State.from_json(question["state"], zoo)
        check_explanation(state, zoo)
        return {"ask": ask, **answer(state, zoo)}
    if set(question) == {"ask", "link"}:
        link = question["link"]
        if not isinstance(link, str) or len(link) > 10 * MAX_QUERY:
            raise StateError("the link must be a string of reasonable length")
        state, notices = State.from_query(link, zoo)
        check_explanation(state, zoo)
        return {"ask": ask, **answer(state, zoo), "state": state.to_json(), "notices": notices}
    raise StateError("the question must hold 'ask' and either 'state' or 'link'")


def respond_methods(question: object, zoo: Zoo) -> dict[str, Any]:
    """The payload for one question about single methods.

    Raises:
        StateError: the question is not one; the message says why.
    """
    question, ask = _numbered(question)
    if set(question) != {"ask", "state", "methods"}:
        raise StateError("the question must hold 'ask', 'state' and 'methods'")
    return {"ask": ask, **method_answers(State.from_json(question["state"], zoo), question["methods"], zoo)}


def _numbered(question: object) -> tuple[dict[str, Any], int]:
    """The question and its number."""
    if not isinstance(question, dict):
        raise StateError("the question must be an object")
    ask = question.get("ask")
    if isinstance(ask, bool) or not isinstance(ask, int) or not 0 <= ask < MAX_ASK:
        raise StateError("the question needs its number, a whole one, as 'ask'")
    return question, ask
