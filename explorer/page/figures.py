"""The figures on the right, filled by ``figures.js`` from the explanation."""

from __future__ import annotations

from dash import html

from explorer.page.components import script_owned


def figures() -> html.Aside:
    """Scores, F and ΔF, top pixels, completeness, SNR, and what can be taken away."""
    return html.Aside(
        [
            _box("Prediction for the input", script_owned("scores")),
            _box("From baseline to picture", script_owned("f-table")),
            _box("Top pixels", script_owned("top-pixels"), after=script_owned("method-choice")),
            _box("Completeness", script_owned("completeness")),
            _box("Signal and noise", script_owned("snr")),
            _box("Take away", script_owned("take-away", "take-away")),
        ],
        id="facts",
        **{"aria-label": "Figures"},
    )


def _box(title: str, body: html.Div, after: html.Div | None = None) -> html.Section:
    head = html.H2(title)
    return html.Section([html.Div([head] if after is None else [head, after], className="head"), body], className="card-quiet")
