"""The figures below the panels, filled by ``figures.js`` from the explanation, and the downloads."""

from __future__ import annotations

from dash import html

from explorer.page.components import script_owned


def figures() -> html.Aside:
    """More sentences, F and ΔF, top pixels, completeness, concentration, the network, and the downloads."""
    return html.Aside(
        [
            _box("What else the numbers say", html.Ul(id="more"), class_name="more-said"),
            _box("From baseline to picture", script_owned("f-table")),
            _box("Completeness", script_owned("completeness")),
            _box("Concentration and noise", script_owned("snr")),
            _box("Top pixels", script_owned("top-pixels"), after=script_owned("method-choice")),
            _box("The network", html.P(id="network-hint")),
            _box("Downloads", script_owned("take-away", "take-away")),
        ],
        id="facts",
        tabIndex=-1,
        **{"aria-label": "Figures and downloads"},
    )


def _box(title: str, body: html.Div | html.P | html.Ul, *, after: html.Div | None = None, class_name: str | None = None) -> html.Section:
    head = html.H2(title)
    return html.Section([html.Div([head] if after is None else [head, after], className="head"), body], className=class_name)
