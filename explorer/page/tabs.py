"""The middle of the page: the tabs, the sentences, the panels and the readout."""

from __future__ import annotations

from dash import html

from explorer.page.components import script_owned
from explorer.page.panel import Panel
from explorer.page.panels import PANELS
from explorer.state import State


def tabs(state: State) -> html.Section:
    """Tab list, headline and second line, panels, and the readout of the marked pixel."""
    return html.Section(
        [
            html.Div(
                [_tab(name, panel) for name, panel in PANELS.items()], id="tabs", role="tablist", **{"aria-label": "Ways to look at the answer"}
            ),
            html.Div([html.P(id="headline"), html.P(id="second"), script_owned("suggestion")], id="say", className="say"),
            html.P(id="words", className="visually-hidden", role="status"),
            *[_panel(name, panel, state) for name, panel in PANELS.items()],
            html.P(id="readout", className="readout", hidden=True),
            html.P(id="spoken", className="visually-hidden", role="status"),
            html.P("Arrow keys move over the pixels; Enter enlarges where that is offered.", id="map-help", hidden=True),
        ],
        id="stage",
        tabIndex=-1,
        **{"aria-label": "Attribution"},
    )


def _tab(name: str, panel: Panel) -> html.Button:
    return html.Button(
        [panel.title] if panel.short is None else [html.Span(panel.title, className="long"), html.Span(panel.short, className="short")],
        id=f"tab-{name}",
        type="button",
        role="tab",
        className="stage-tab",
        tabIndex=-1,
        **{"aria-controls": f"panel-{name}", "aria-selected": "false"},
    )


def _panel(name: str, panel: Panel, state: State) -> html.Div:
    attributes = {"aria-labelledby": f"tab-{name}"}
    return html.Div(panel.layout(state), id=f"panel-{name}", role="tabpanel", className="panel", hidden=True, **attributes)
