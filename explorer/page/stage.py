"""The stage in the centre: four tabs and the playback bar under them.

The maps are canvases drawn by ``saliency.js``, ``integrated.js``, ``compare.js`` and ``methods.js`` from the answers; the
charts are Plotly's, drawn by ``charts.js``.
"""

from __future__ import annotations

import dash_bootstrap_components as dbc
from dash import html

from explorer.page.parts import icon_button, labelled, script_owned
from explorer.state import TABS

TITLES = {"saliency": "Saliency", "integrated": "Integrated Gradients", "compare": "Compare", "methods": "Methods"}
SPEEDS = {"2": "2 steps/s", "5": "5 steps/s", "10": "10 steps/s", "25": "25 steps/s", "60": "60 steps/s"}


def stage() -> html.Section:
    """Tab list, the four panels, the readout of the marked pixel, and playback."""
    return html.Section(
        [
            html.Div(
                [_tab(name) for name in TABS], id="tabs", role="tablist", **{"aria-label": "Ways to look at the answer"}
            ),
            _panel("saliency", [script_owned("saliency-maps", "maps maps-2")]),
            _panel("integrated", _integrated()),
            _panel("compare", _compare()),
            _panel(
                "methods",
                [
                    script_owned("convention", "convention"),
                    script_owned("methods-tools", "methods-tools"),
                    script_owned("methods-grid", "methods-grid"),
                ],
            ),
            html.P(id="readout", className="readout"),
            html.P(id="spoken", className="visually-hidden", role="status"),
            html.P("Arrow keys move over the pixels; Enter enlarges where that is offered.", id="map-help", hidden=True),
            playback(),
            html.Div(
                [
                    html.H2("What’s happening?"),
                    html.Div(
                        [html.P(id="words", role="status"), html.P(id="narration", **{"aria-hidden": "true"})], className="told"
                    ),
                    script_owned("suggestion"),
                ],
                id="happening",
                className="happening",
            ),
        ],
        id="stage",
        tabIndex=-1,
        **{"aria-label": "Attribution"},
    )


def _tab(name: str) -> html.Button:
    return html.Button(
        TITLES[name],
        id=f"tab-{name}",
        type="button",
        role="tab",
        className="stage-tab",
        tabIndex=-1,
        **{"aria-controls": f"panel-{name}", "aria-selected": "false"},
    )


def _panel(name: str, children: list[html.Div]) -> html.Div:
    return html.Div(
        children, id=f"panel-{name}", role="tabpanel", className="panel", hidden=True, **{"aria-labelledby": f"tab-{name}"}
    )


def _integrated() -> list[html.Div]:
    return [
        script_owned("integrated-maps", "maps maps-4"),
        script_owned("gauge", "gauge"),
        html.Div(
            [
                html.Div(
                    [
                        html.H3(id="path-title"),
                        html.P(id="path-note", className="chart-note"),
                        script_owned("path-chart", "chart"),
                    ],
                    className="chart-box",
                ),
                html.Div(
                    [
                        html.H3(id="pixel-title"),
                        html.P(id="pixel-area", className="chart-note"),
                        script_owned("pixel-chart", "chart"),
                    ],
                    className="chart-box",
                ),
            ],
            className="charts",
        ),
    ]


def _compare() -> list[html.Div]:
    scale = html.Fieldset(
        [
            html.Legend("Colour scale", className="visually-hidden"),
            dbc.RadioItems(
                id="scale",
                options=[
                    {"label": "Each panel its own scale", "value": "own"},
                    {"label": "One scale for all", "value": "shared"},
                ],
                value="own",
                inline=True,
            ),
        ],
        className="scale-switch",
    )
    return [
        scale,
        script_owned("compare-maps", "maps maps-pinned"),
        html.Div(
            [
                html.Div(
                    [html.H3("Mean |attribution| per pixel"), script_owned("mean-chart", "chart chart-low")],
                    className="chart-box",
                ),
                html.Div(
                    [html.H3("Rank correlation (Spearman)"), script_owned("correlations", "correlations")],
                    className="chart-box",
                ),
            ],
            className="charts",
        ),
    ]


def playback() -> html.Div:
    """Play, step, scrub; drives Integrated Gradients without asking the server anything."""
    buttons = html.Div(
        [
            icon_button("to-start", "To the start", "start", title="To the start (Home)"),
            icon_button("step-back", "One step back", "back", title="One step back (←)"),
            icon_button("play", "Play", "play", title="Play or pause (space)", class_name="primary"),
            icon_button("step-forward", "One step forward", "forward", title="One step forward (→)"),
            icon_button("to-end", "To the end", "end", title="To the end (End)"),
            icon_button("loop", "Loop", "loop"),
        ],
        className="buttons",
    )
    scrub = html.Div(
        [
            dbc.Label("Step", html_for="scrub", className="visually-hidden"),
            dbc.Input(id="scrub", type="range", min=0, max=50, step=1, value=50),
        ],
        className="scrub",
    )
    speed = labelled(
        "Speed",
        dbc.Select(
            id="speed", options=[{"label": text, "value": value} for value, text in SPEEDS.items()], value="10", size="sm"
        ),
    )
    return html.Div(
        [buttons, scrub, html.Output(id="step-shown", htmlFor="scrub", className="shown"), speed],
        id="playback",
        className="playback",
        role="group",
        **{"aria-label": "Playback of Integrated Gradients"},
    )
