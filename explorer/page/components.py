"""Small pieces that several panels are laid out from."""

from __future__ import annotations

from typing import Any

import dash_bootstrap_components as dbc
from dash import html
from dash.development.base_component import Component


def script_owned(id: str, class_name: str = "", **attributes: Any) -> html.Div:
    """An empty element that an asset script fills; no callback may write into it."""
    return html.Div(id=id, className=class_name, **attributes)


def chart_box(children: list[Component]) -> html.Div:
    """A chart with its title and note."""
    return html.Div(children, className="chart-box")


def icon_button(id: str, label: str, icon: str, *, title: str | None = None, class_name: str = "") -> html.Button:
    """A button with a drawn icon (a CSS mask, so no icon font) and a name for those who cannot see it."""
    return html.Button(
        html.Span(className=f"icon icon-{icon}", **{"aria-hidden": "true"}),
        id=id,
        type="button",
        title=title or label,
        className=f"tool {class_name}".strip(),
        **{"aria-label": label},
    )


def labelled(label: str, control: Component, *, hint: str | None = None, beside: Component | None = None) -> html.Div:
    """A control under its visible label, with an optional word of explanation below."""
    children: list[Component] = [dbc.Label(label, html_for=control.id), control]
    if beside is not None:
        children = [children[0], html.Div([control, beside], className="pair")]
    if hint:
        children.append(html.Div(hint, id=f"{control.id}-hint", className="hint"))
    return html.Div(children, className="field")


def slider_with_number(label: str, name: str, low: int, high: int, value: int) -> html.Div:
    """A native slider and a number field for one setting, which the script keeps equal."""
    number = dbc.Input(id=name, type="number", min=low, max=high, step=1, value=value, debounce=300, size="sm")
    slider = dbc.Input(id=f"{name}-slider", type="range", min=low, max=high, step=1, value=value)
    return html.Div(
        [
            dbc.Label(label, html_for=name),
            html.Div([slider, number], className="pair"),
            dbc.Label(f"{label}, slider", html_for=f"{name}-slider", className="visually-hidden"),
            html.Div(id=f"{name}-refusal", className="refusal", role="status"),
        ],
        className="field",
    )
