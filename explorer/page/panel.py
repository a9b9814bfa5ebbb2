"""What a panel is: one tab of the page. A new one is a module in ``panels/``, a script of the same name, and its name in ``state.Tab``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dash.development.base_component import Component

from explorer.page.narration import Facts
from explorer.page.question import QuestionKind
from explorer.sentences import Sentence
from explorer.state import State


@dataclass(frozen=True, slots=True)
class Panel:
    """One tab.

    Further things that a panel may need: a field of the state (``state.py``, ``link.KEYS``, ``assets/types.d.ts``), a Dash control
    (``controls.py``), claims of its sentences (``narration.Claim`` and a predicate in ``tests/claims.py``).

    Attributes:
        title: on the tab.
        short: on the tab of a narrow screen; None if the title fits.
        layout: the components of the panel, empty but for the controls, which show the state.
        narrate: the sentences about an explanation, the most important first; None where the script writes them.
        question: what the panel asks beside the explanation, None if nothing.
        shows_methods: whether the panel shows answers of single methods, which are requested only for such panels.
        needs_exact: whether the panel shows the exact path, which is computed only for such panels.
    """

    title: str
    layout: Callable[[State], list[Component]]
    narrate: Callable[[Facts], list[Sentence]] | None = None
    question: QuestionKind | None = None
    shows_methods: bool = False
    needs_exact: bool = False
    short: str | None = None
