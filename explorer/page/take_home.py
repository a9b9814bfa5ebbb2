"""What the page asks its server for to be taken home: the notebook of a state. Report and pictures need no server."""

from __future__ import annotations

import orjson

from explorer.notebook import check_notebook, notebook
from explorer.page.question import Key, QuestionKind, Work
from explorer.state import State, Zoo


def _prepare(state: State, asked: object, zoo: Zoo) -> tuple[Key, Work]:
    address = check_notebook(state, asked, zoo)
    return state.cache_key(options=True) + orjson.dumps([state.pinned, address]), lambda: {"notebook": notebook(state, zoo, address)}


NOTEBOOK_KIND = QuestionKind("notebook-answers", "notebook-question", _prepare, asks="address")
