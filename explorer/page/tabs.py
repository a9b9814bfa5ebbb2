"""The middle of the page: the tabs with their panels, the readout, playback, and the sentences under them."""

from __future__ import annotations

import dash_bootstrap_components as dbc
from dash import html

from explorer.page.components import icon_button, labelled, script_owned
from explorer.page.panel import Panel
from explorer.page.panels import PANELS

SPEEDS = {"2": "2 steps/s", "5": "5 steps/s", "10": "10 steps/s", "25": "25 steps/s", "60": "60 steps/s"}


def tabs() -> html.Section:
    """Tab list, panels, the readout of the marked pixel, playback and sentences."""
    return html.Section(
        [
            html.Div(
                [_tab(name, panel) for name, panel in PANELS.items()], id="tabs", role="tablist", **{"aria-label": "Ways to look at the answer"}
            ),
            *[_panel(name, panel) for name, panel in PANELS.items()],
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


def _tab(name: str, panel: Panel) -> html.Button:
    return html.Button(
        panel.title,
        id=f"tab-{name}",
        type="button",
        role="tab",
        className="stage-tab",
        tabIndex=-1,
        **{"aria-controls": f"panel-{name}", "aria-selected": "false"},
    )


def _panel(name: str, panel: Panel) -> html.Div:
    attributes = {"aria-labelledby": f"tab-{name}"}
    return html.Div(panel.layout(), id=f"panel-{name}", role="tabpanel", className="panel", hidden=True, **attributes)


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
