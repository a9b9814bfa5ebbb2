"""Small pieces that several panels are laid out from."""

from __future__ import annotations

from typing import Any

import dash_bootstrap_components as dbc
from dash import html
from dash.development.base_component import Component


def script_owned(id: str, class_name: str = "", **attributes: Any) -> html.Div:
    """An empty element that an asset script fills; no callback may write into it."""
    return html.Div(id=id, className=class_name, **attributes)


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


def term(name: str, text: str) -> html.Button:
    """A term with a dotted underline, which ``terms.js`` explains in a popover; the name is in ``TERMS``."""
    return html.Button(text, type="button", className="term", **{"data-term": name, "aria-expanded": "false"})


def segmented(id: str, legend: str, options: list[dict[str, str]], value: str) -> html.Fieldset:
    """A choice between a few, drawn as one bar of buttons; native radio inputs."""
    radio = dbc.RadioItems(id=id, options=options, value=value, inline=True, className="segmented")
    return html.Fieldset([html.Legend(legend, className="visually-hidden"), radio])


def number_field(id: str, label: str, low: float, high: float, value: float, *, step: float = 1, sign: str | None = None) -> html.Div:
    """A number with its label beside it, and a place for the reason why what was typed is not used.

    Args:
        sign: a symbol that follows the label, such as m.
    """
    text: list[Component | str] = [html.Span(f"{label} ", className="wide")] if sign else [label]
    number = dbc.Input(id=id, type="number", min=low, max=high, step=step, value=value, debounce=300)
    return html.Div(
        [html.Label([*text, *([html.I(sign)] if sign else [])], htmlFor=id, className="form-label"), number, html.Div(id=f"{id}-refusal", className="refusal", role="status")],
        className="inline-field",
    )
