"""What of the layout Dash has nothing to do with, as HTML: its renderer takes some 0.6 ms for each element, the browser's parser next to nothing."""

from __future__ import annotations

from html import escape
from typing import Any

from dash.development.base_component import Component

HTML = "dash_html_components"
NAMES = {"className": "class", "htmlFor": "for"}
NOT_IN_HTML = ("children", "disable_n_clicks")


def take_out(layout: Component) -> list[str]:
    """Empty each largest element that holds only elements of HTML, and number it in ``data-part``.

    Returns:
        What the script puts into these elements, in their order, as HTML.
    """
    parts: list[str] = []
    _take_out(layout, parts)
    return parts


def _take_out(component: Component, parts: list[str]) -> None:
    inner = [child for child in _children(component) if isinstance(child, Component)]
    if inner and _is_plain(component):
        setattr(component, "data-part", str(len(parts)))
        parts.append("".join(_html(child) for child in _children(component)))
        component.children = None
    else:
        for child in inner:
            _take_out(child, parts)


def _is_plain(part: object) -> bool:
    """Whether a part consists of text and HTML elements."""
    return not isinstance(part, Component) or (part._namespace == HTML and all(map(_is_plain, _children(part))))


def _children(component: Component) -> list[Any]:
    children = getattr(component, "children", None)
    return children if isinstance(children, list) else [] if children is None else [children]


def _html(part: object) -> str:
    if not isinstance(part, Component):
        return escape(str(part), quote=False)
    tag = part._type.lower()
    props = part.to_plotly_json()["props"]
    attributes = "".join(_attribute(name, value) for name, value in sorted(props.items()) if name not in NOT_IN_HTML)
    return f"<{tag}{attributes}>{''.join(map(_html, _children(part)))}</{tag}>"


def _attribute(name: str, value: object) -> str:
    name = NAMES.get(name, name if "-" in name else name.lower())
    if isinstance(value, bool) and "-" not in name:
        return f" {name}" if value else ""
    return f' {name}="{escape(str(value).lower() if isinstance(value, bool) else str(value))}"'
