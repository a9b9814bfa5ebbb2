"""The left column: painting grid, tools, presets, and the prediction. Drawn and driven by ``painting.js`` and ``figures.js``."""

from __future__ import annotations

import dash_bootstrap_components as dbc
from dash import html

from explorer.page.components import icon_button, script_owned


def painting() -> html.Section:
    """What the network is shown, and what it says; always in view on wide screens."""
    return html.Section(
        [
            html.Div(
                [
                    html.Div([html.H2("Your picture"), html.Span(id="picture-name", className="quiet")], className="head"),
                    script_owned("paint-grid", "paint-grid"),
                    script_owned("sees", "sees"),
                ],
                className="paint-box",
            ),
            _tools(),
            script_owned("patterns", "thumbs presets", role="group", **{"aria-label": "Patterns"}),
            script_owned("own-samples", "thumbs presets", role="group", hidden=True, **{"aria-label": "Sample pictures of this network"}),
            script_owned("digits", "digits", role="group", **{"aria-label": "Handwritten digits"}),
            html.Div(
                [
                    html.Div([html.H2("Prediction"), html.Span("click to explain", className="quiet")], className="head"),
                    script_owned("scores"),
                ],
                className="prediction",
            ),
            script_owned("lesson-card", "lesson-card", hidden=True, role="region", **{"aria-label": "Lesson"}),
            html.Div(
                [html.A([html.Span("Figures, ", className="figures"), "downloads"], href="#facts"), html.Button("My pictures", id="my-pictures", type="button")],
                className="more-below",
            ),
        ],
        id="painting",
        className="rail",
        **{"aria-label": "Your picture"},
    )


def _tools() -> html.Div:
    return html.Div(
        [
            html.Output(id="brush-shown", htmlFor="brush", className="swatch"),
            html.Label("Brush", htmlFor="brush", className="form-label visually-hidden"),
            dbc.Input(id="brush", type="range", min=0, max=100, step=5, value=100),
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
