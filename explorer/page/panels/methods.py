"""The tab Methods: every method on the same picture. Its script asks ``method_answers`` and sums up what it shows."""

from __future__ import annotations

from dash.development.base_component import Component

from explorer.page.components import script_owned
from explorer.page.panel import Panel


def _layout() -> list[Component]:
    return [
        script_owned("convention", "convention"),
        script_owned("methods-tools", "methods-tools"),
        script_owned("methods-grid", "methods-grid"),
    ]


PANEL = Panel("methods", "Methods", _layout)
