"""What Dash does not render is put into the page as HTML: the same elements, and no control among them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from html.parser import HTMLParser

import dash_bootstrap_components as dbc
from dash import html
from dash.development.base_component import Component

from explorer.models import Model
from explorer.page.layout import layout
from explorer.page.static_parts import take_out


def test_the_largest_elements_without_controls_are_taken_out_with_all_that_they_say() -> None:
    page = html.Div(
        [
            html.P(["Rows & ", html.B("columns", className="quiet"), " < 8"], id="plain"),
            html.Div([html.Label(html.Span("m"), htmlFor="steps"), dbc.Input(id="steps")], id="field"),
            html.Div("text alone", id="alone"),
            html.Div([html.Button("1", hidden=True, tabIndex=-1, **{"aria-expanded": False, "data-x": 'a"b'})], id="more", disable_n_clicks=True),
        ]
    )
    assert take_out(page) == [
        'Rows &amp; <b class="quiet">columns</b> &lt; 8',
        "<span>m</span>",
        '<button aria-expanded="false" data-x="a&quot;b" hidden tabindex="-1">1</button>',
    ]
    plain, field, alone, more = page.children
    label, control = field.children
    assert [getattr(part, "data-part") for part in (plain, label, more)] == ["0", "1", "2"]
    assert [part.children for part in (plain, label, more)] == [None] * 3
    assert alone.children == "text alone" and isinstance(control, dbc.Input)


class Elements(HTMLParser):
    """Counts open elements and collects ids."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open.append(tag)
        self.ids += [value for name, value in attrs if name == "id" and value]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_has_every_id_once_and_closes_every_element(models: Mapping[str, Model]) -> None:
    left = [part for part in layout(models, "")._traverse() if isinstance(part, Component)]
    (config,) = (part for part in left if getattr(part, "id", "") == "config")
    parts = [Elements(text) for text in json.loads(config.children)["parts"]]
    assert all(not part.open for part in parts)
    ids = [part.id for part in left if hasattr(part, "id")] + [each for part in parts for each in part.ids]
    assert len(ids) == len(set(ids)) > 50
    numbers = [int(getattr(part, "data-part")) for part in left if hasattr(part, "data-part")]
    assert numbers == list(range(len(parts)))
    assert len(left) < 130  # a third of a first visit to a slow phone was React's work on twice as many
