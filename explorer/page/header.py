"""The strip at the top: what is explained (network, target, output), and the page's own buttons."""

from __future__ import annotations

import dash_bootstrap_components as dbc
from dash import html

from explorer.page.components import icon_button, segmented
from explorer.page.controls import class_options
from explorer.state import State, Zoo

OUTPUTS = {"probability": "P", "logit": "logit"}


def header(state: State, zoo: Zoo) -> html.Header:
    """Title, question and buttons; on narrow screens the menu button shows the last two."""
    return html.Header(
        [
            html.H1([html.Span("Gradient ", className="long"), "Attribution Explorer"]),
            html.Div(_question(state, zoo), id="question", className="question", role="group", **{"aria-label": "What is explained"}),
            html.Div(
                [
                    html.Button("Lessons", id="lessons", type="button", className="button"),
                    html.Button("Class", id="class", type="button", className="button", hidden=True),  # shown where there are rooms
                    html.Button("Start over", id="start-over", type="button", className="button"),
                    html.Button("Copy link", id="copy-link", type="button", className="button"),
                    html.Button("?", id="keys", type="button", className="button", title="Keys (?)", **{"aria-label": "Keys"}),
                    icon_button("theme", "Switch to the dark theme", "invert"),
                    html.Button("Present", id="present", type="button", className="button", title="For a projector; Esc leaves"),
                ],
                id="header-tools",
                className="header-tools",
            ),
            html.Button("Menu", id="menu", type="button", className="button menu", **{"aria-expanded": "false", "aria-controls": "question"}),
            html.Button(["Leave ", html.Kbd("Esc")], id="leave-present", type="button", className="button leave", hidden=True),
        ],
        className="topbar",
    )


def _question(state: State, zoo: Zoo) -> list[html.Div | html.Fieldset]:
    networks = [{"label": model.title, "value": name} for name, model in zoo.items()]
    classes = class_options(zoo[state.network].classes)
    outputs = [{"label": label, "value": value} for value, label in OUTPUTS.items()]
    return [
        html.Div([html.Label("Network", htmlFor="network", className="form-label"), dbc.Select(id="network", options=networks, value=state.network)], className="inline-field"),
        html.Div([html.Label("Explain", htmlFor="target", className="form-label"), dbc.Select(id="target", options=classes, value=str(state.target))], className="inline-field"),
        segmented("output", "Output F", outputs, state.output),
    ]
