"""The painting grid, its tools, the preset patterns and the digit samples. Drawn and driven by ``painting.js``."""

from __future__ import annotations

import dash_bootstrap_components as dbc
from dash import html

from explorer.page.components import icon_button, script_owned


def painting() -> html.Section:
    """The left column's upper part: always visible, always live."""
    tools = html.Div(
        [
            icon_button("paint-undo", "Undo", "undo", title="Undo (Ctrl Z)"),
            icon_button("paint-redo", "Redo", "redo", title="Redo (Ctrl Y)"),
            icon_button("paint-eraser", "Eraser", "eraser", title="Eraser: paint black"),
            icon_button("paint-invert", "Invert", "invert"),
            icon_button("paint-clear", "Clear", "clear"),
        ],
        className="tools",
        role="toolbar",
        **{"aria-label": "Painting tools"},
    )
    brush = html.Div(
        [
            dbc.Label("Brush", html_for="brush"),
            dbc.Input(id="brush", type="range", min=0, max=100, step=5, value=100),
            html.Output(id="brush-shown", htmlFor="brush", className="swatch"),
        ],
        className="brush",
    )
    return html.Section(
        [
            html.Div([html.H2("Your picture"), html.Span(id="picture-name", className="quiet")], className="head"),
            script_owned("paint-grid", "paint-grid"),
            script_owned("sees", "sees"),
            brush,
            tools,
            html.H3("Patterns", id="patterns-title"),
            script_owned("patterns", "presets", role="group", **{"aria-labelledby": "patterns-title"}),
            html.H3("Handwritten digits", id="digits-title"),
            script_owned("digits", "presets digits", role="group", **{"aria-labelledby": "digits-title"}),
        ],
        id="painting",
        className="card-quiet",
        **{"aria-label": "Your picture"},
    )
