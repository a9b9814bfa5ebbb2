"""The charts of the labs: Plotly figures in one template, light and dark, each with a sentence that says what it shows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from explorer.sentences import Sentence

# Red and blue are left to attributions. A line differs from the others by its dashes and its marks, too.
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "x", "cross")
CONTROL = "#7d8591"  # of controls: readable in both themes, and quieter than what is compared
DIGITS = 6  # significant digits of what is only drawn
FONT = 'system-ui, -apple-system, "Segoe UI", "Noto Sans", "Liberation Sans", sans-serif'


def _template(ink: str, soft: str, line: str, surface: str, colours: Sequence[str]) -> dict[str, Any]:
    axis = {"gridcolor": line, "linecolor": soft, "zerolinecolor": soft, "zerolinewidth": 1, "ticks": "outside", "tickcolor": soft, "automargin": True}
    axis |= {"title": {"standoff": 8, "font": {"size": 12}}, "tickfont": {"size": 12}, "exponentformat": "power"}
    lines = [{"line": {"width": 2.5, "dash": dash}, "marker": {"size": 7, "symbol": symbol}} for dash, symbol in zip(DASHES, SYMBOLS, strict=True)]
    template = go.layout.Template(
        layout={
            "font": {"family": FONT, "size": 13, "color": ink},
            "paper_bgcolor": surface,
            "plot_bgcolor": surface,
            "colorway": list(colours),
            "xaxis": axis,
            "yaxis": axis,
            "margin": {"l": 10, "r": 10, "t": 10, "b": 10},
            "legend": {"orientation": "h", "yanchor": "bottom", "y": 1.02, "xanchor": "left", "x": 0, "font": {"size": 12}, "entrywidth": 0, "itemclick": False, "itemdoubleclick": False, "bgcolor": "rgba(0,0,0,0)"},
            "hovermode": "closest",
            "hoverlabel": {"bgcolor": surface, "bordercolor": soft, "font": {"color": ink}},
            "dragmode": False,
            "bargap": 0.25,
        },
        data={"scatter": lines, "bar": [{"marker": {"line": {"width": 0}}}]},
    )
    return dict(template.to_plotly_json())


TEMPLATES: Mapping[str, dict[str, Any]] = MappingProxyType(
    {
        "light": _template("#1b2330", "#525d6b", "#e2e5ea", "#ffffff", ("#5b3fc4", "#1b2330", "#0b7264", "#96520a", "#6b7480", "#a82f78")),
        "dark": _template("#e9ecf1", "#a9b2bf", "#2b323d", "#181d25", ("#b9a7ff", "#e9ecf1", "#4fc3ae", "#e0a850", "#97a2b0", "#f08cc8")),
    }
)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a chart: its name in the legend, and its points. A y that is None is a gap. A control is thin and grey."""

    name: str
    x: ArrayLike
    y: Sequence[float | None] | ArrayLike
    marks: bool = False
    steps: bool = False
    control: bool = False


def lines(
    drawn: Sequence[Line], *, x: str, y: str, log_x: bool = False, log_y: bool = False, x_range: Sequence[float] | None = None, y_range: Sequence[float] | None = None
) -> go.Figure:
    """A chart of lines over one axis.

    Args:
        drawn: the lines; colours, dashes and marks follow from their order: at most six, and six controls.
        x, y: the titles of the axes.
        log_x, log_y: whether an axis is logarithmic.
        x_range, y_range: the ends of an axis in its own values (of a logarithmic one, the powers of ten); None lets Plotly choose.
    """
    figure = go.Figure(layout={"template": None})
    dashes = iter(DASHES)
    for line in drawn:
        style = {"color": CONTROL, "width": 1.5, "dash": next(dashes)} if line.control else {}
        figure.add_scatter(
            x=plain(line.x),
            y=plain(line.y),
            name=line.name,
            mode="lines+markers" if line.marks else "lines",
            line=style | ({"shape": "hv"} if line.steps else {}) or None,
            hovertemplate="%{y:.3g}" if len(drawn) == 1 else f"{line.name}: %{{y:.3g}}<extra></extra>",
        )
    figure.update_xaxes(title_text=x, range=x_range, **(_decades(line.x for line in drawn) if log_x else {}))
    figure.update_yaxes(title_text=y, range=y_range, **(_decades(line.y for line in drawn) if log_y else {}))
    figure.update_layout(showlegend=len(drawn) > 1)
    return figure


def _decades(values: Iterable[Any]) -> dict[str, Any]:
    """A logarithmic axis with few ticks, at powers of ten: by itself Plotly writes small digits between them."""
    positive = [number for some in values for number in plain(some) if number and number > 0]
    span = np.log10(max(positive) / min(positive)) if positive else 1
    return {"type": "log", "dtick": max(1, round(span / 4))}


def bars(names: Sequence[str], values: Sequence[float | None], *, x: str, x_range: Sequence[float] | None = None, controls: int = 0) -> go.Figure:
    """A chart of horizontal bars, the first on top.

    Args:
        names: one for each bar.
        values: their lengths; None leaves a bar out.
        x: the title of the axis.
        x_range: its ends; None lets Plotly choose.
        controls: how many of the last bars are controls, which are drawn faintly.
    """
    figure = go.Figure(layout={"template": None})
    marker = {"opacity": [1.0] * (len(names) - controls) + [0.4] * controls} if controls else None
    texts = ["–" if value is None else f"{value:.2f}".replace("-", "−") for value in values]
    figure.add_bar(x=plain(values), y=list(names), orientation="h", text=texts, textposition="outside", cliponaxis=False, marker=marker, name=x, hovertemplate="%{y}: %{x:.3g}<extra></extra>")
    figure.update_xaxes(title_text=x, range=x_range)
    figure.update_yaxes(autorange="reversed", ticks="")
    figure.update_layout(showlegend=False)
    return figure


def chart(figure: go.Figure, says: Sentence) -> dict[str, Any]:
    """A figure as plain data, with the sentence that stands for it where it is not seen."""
    drawn = figure.to_plotly_json()
    drawn["layout"].pop("template", None)  # the page has both, and puts in the one that fits its theme
    return {"figure": drawn, "says": says.to_json()}


def plain(values: Sequence[float | None] | ArrayLike) -> list[Any]:
    """Numbers as a list, with the digits that a drawing needs; None and what is not finite become None."""
    found: list[Any] = []
    for value in np.asarray(values, dtype=object).ravel().tolist():
        number = None if value is None else value if isinstance(value, str) else float(value)
        found.append(number if number is None or isinstance(number, str) else float(f"{number:.{DIGITS}g}") if np.isfinite(number) else None)
    return found
