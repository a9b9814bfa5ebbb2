"""What a panel is: a tab of the page, with what it shows, asks and says. Its script in ``assets/panels/`` has the same name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dash.development.base_component import Component

from explorer.page.narration import Facts, Sentence


@dataclass(frozen=True, slots=True)
class Panel:
    """One tab.

    Attributes:
        name: of the tab in a state and a link, and of the panel's module and script.
        title: on the tab.
        layout: the components of the panel, in their empty state.
        narrate: the sentences about an explanation, the most important first; None where the script writes them.
        needs_exact: whether the panel shows the exact path, which is computed only for such panels.
    """

    name: str
    title: str
    layout: Callable[[], list[Component]]
    narrate: Callable[[Facts], list[Sentence]] | None = None
    needs_exact: bool = False
