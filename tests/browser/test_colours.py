"""What is seen where others choose the colours: the system's forced colours, and paper."""

from __future__ import annotations

import io
import re
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from .conftest import Server
from .visit import Visit

Visits = Callable[..., Visit]
VISIBLE = 3.0  # the contrast that WCAG wants of what is no text

# A colour of the system, as getComputedStyle writes it.
COLOUR = """(name) => {
  const probe = document.createElement("i");
  probe.style.cssText = `forced-color-adjust: none; color: ${name}`;
  document.body.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}"""

# The colour of the numbers beside a chart: that of the pixel that covers most.
AXIS_INK = """() => {
  window.axisInk = (canvas) => {
    const { data } = canvas.getContext("2d").getImageData(0, 0, 32, canvas.height);
    let most = 0;
    for (let i = 0; i < data.length; i += 4) if (data[i + 3] > data[most + 3]) most = i;
    return `rgb(${data.slice(most, most + 3).join()})`;
  };
}"""


def computed(visit: Visit, name: str) -> str:
    written: str = visit.page.evaluate(COLOUR, name)
    return written


def channels(written: str) -> np.ndarray:
    """Red, green, blue and, where there is one, the opacity."""
    return np.array([float(channel) for channel in re.findall(r"[\d.]+", written)])


def colour(visit: Visit, name: str) -> np.ndarray:
    """A colour of the system as it is painted; some let through what lies beneath."""
    *above, opacity = [*channels(computed(visit, name)), 1.0][:4]
    return np.rint(opacity * np.array(above) + (1 - opacity) * channels(computed(visit, "Canvas"))).astype(int)


def contrast(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """WCAG's contrast of colours, whose channels are the last axis."""

    def luminance(colours: np.ndarray) -> np.ndarray:
        share = np.asarray(colours) / 255
        linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
        return linear @ np.array([0.2126, 0.7152, 0.0722])

    light, dark = np.maximum(luminance(one), luminance(other)), np.minimum(luminance(one), luminance(other))
    return (light + 0.05) / (dark + 0.05)


def seen(visit: Visit, selector: str, index: int = 0) -> np.ndarray:
    """An element's pixels, as the browser paints it among the others."""
    picture = Image.open(io.BytesIO(visit.page.locator(selector).nth(index).screenshot(animations="disabled")))
    return np.asarray(picture.convert("RGB")).astype(int)


def at(pixels: np.ndarray, down: float, right: float) -> np.ndarray:
    """The pixel at a share of the height and of the width."""
    height, width, _ = pixels.shape
    return pixels[int(down * height), int(right * width)]


def forced(visits: Visits, server: Server, scheme: str) -> Visit:
    """A visitor to whom the system forces its colours, shortly before the end of the path, with a chosen pixel and a notice."""
    visit = visits(server.address)
    visit.page.emulate_media(forced_colors="active", color_scheme=scheme)  # type: ignore[arg-type]
    visit.open("?v=2&m=10&tab=integrated&base=noise")
    visit.page.locator("#integrated-maps [role=application]").nth(3).click(position={"x": 5, "y": 5})
    visit.page.locator("#step-back").click()
    visit.page.mouse.move(0, 0)
    visit.page.evaluate("() => { explorer.notice('Something to say.'); }")
    return visit


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_data_keeps_its_colours_where_the_system_forces_its_own(scheme: str, visits: Visits, server: Server) -> None:
    visit = forced(visits, server, scheme)
    cells = seen(visit, "#paint-grid")
    for i, value in enumerate(visit.pixels[1:], 1):  # the first one is marked
        middle = at(cells, (i // 8 + 0.5) / 8, (i % 8 + 0.5) / 8)
        assert np.abs(middle - 255 * value).max() <= 1, i
    for signed in (seen(visit, "#map-gradient .scale-signed i"), seen(visit, "#map-sum .scale-signed i")):
        minus, zero, plus = (at(signed, 0.5, share) for share in (0.2, 0.5, 0.8))
        assert minus[2] - minus[0] > 40 and plus[0] - plus[2] > 40 and np.ptp(zero) < 20
    assert np.abs(at(seen(visit, "#brush-shown"), 0.5, 0.5) - 255).max() <= 1
    # the mark of the chosen pixel lies on both grids
    marks = seen(visit, "#integrated-maps .marker", 3), cells
    for mark in marks:
        assert (np.abs(mark - [107, 70, 229]).max(-1) <= 1).sum() > 60


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_controls_are_seen_where_the_system_forces_its_colours(scheme: str, visits: Visits, server: Server) -> None:
    visit = forced(visits, server, scheme)
    canvas, highlight = colour(visit, "Canvas"), colour(visit, "Highlight")
    assert contrast(canvas, highlight) >= VISIBLE

    def share(selector: str, index: int = 0, on: np.ndarray = canvas) -> float:
        return float((contrast(seen(visit, selector, index), on) >= VISIBLE).mean())

    icons = visit.page.locator(".icon:visible").count()
    assert icons >= 14
    faint = [i for i in range(icons) if share(".icon:visible", i) < 0.05]
    assert not faint
    # nothing can be undone, and the button says so
    unusable = seen(visit, "#paint-undo .icon")
    assert np.abs(unusable - colour(visit, "GrayText")).max(-1).min() <= 8
    assert contrast(seen(visit, "#notices .notice")[:3, 50], canvas).max() >= VISIBLE  # its border
    assert share("#notices .btn-close") > 0.03
    # bars: what is reached, what is not, and where it ends
    gauge, predicted = seen(visit, "#sum-bar"), seen(visit, ".predicted .bar")
    assert (at(gauge, 0.5, 0.3) == highlight).all()
    empty = seen(visit, ".scores button:not(.predicted) .bar")
    assert (at(empty, 0.5, 0.5) == canvas).all() and contrast(empty[:, -1], canvas).max() >= VISIBLE  # within its border
    assert (at(predicted, 0.5, 0.5) == highlight).all()
    # tabs, and what else is chosen
    chosen, other = seen(visit, "#tab-integrated"), seen(visit, "#tab-compare")
    assert (at(chosen, 0.2, 0.1) == highlight).all() and (at(other, 0.2, 0.1) == canvas).all()
    assert share("#tab-integrated", on=highlight) > 0.03 and share("#tab-compare") > 0.03  # their titles
    assert (seen(visit, "#patterns [aria-pressed=true]") == highlight).all(-1).sum() > 100
    assert (at(seen(visit, "#output input:checked + label"), 0.2, 0.1) == highlight).all()
    visit.choose("rule", "exact")  # which has no number of steps
    assert visit.page.locator("#steps:disabled").evaluate("(field) => getComputedStyle(field).color") == computed(visit, "GrayText")
    # the focus, also in the grid, whose ring lies inside the cell
    visit.page.locator("#keys").focus()
    visit.press("Tab")
    outline = visit.page.locator("#theme").evaluate("(button) => { const { outlineStyle, outlineColor } = getComputedStyle(button); return [outlineStyle, outlineColor]; }")
    assert outline == ["solid", computed(visit, "Highlight")]
    visit.page.locator(".paint-cell").nth(0).focus()
    for key, cell in (("ArrowDown", 8), ("End", 15)):  # a light one and a dark one
        visit.press(key)
        visit.page.mouse.move(*visit.cell(0, cell % 3))  # which takes the mark away
        visit.until("(cell) => view.pixel === cell", cell % 3)
        focused = seen(visit, ".paint-cell", cell)
        assert (contrast(focused, at(focused, 0.5, 0.5)) >= VISIBLE).sum() > 100, cell


def test_charts_follow_when_the_system_begins_and_ends_to_force_its_colours(visits: Visits, server: Server) -> None:
    visit = visits(server.address)
    visit.page.emulate_media(color_scheme="light")
    visit.open("?v=2&m=10&tab=integrated")
    drawn = "() => explorer.figureOf(document.getElementById('path-chart')).colour"
    own = visit.page.evaluate(drawn)
    with visit.count_requests(0):
        visit.page.emulate_media(color_scheme="dark", forced_colors="active")
        visit.until(f"(own) => ({drawn})() !== own", own)
        assert (channels(visit.page.evaluate(drawn))[:3] == channels(computed(visit, "CanvasText"))[:3]).all()
        chart = seen(visit, "#path-chart")
        assert (chart == colour(visit, "CanvasText")).all(-1).sum() > 100  # the curve
        assert (chart == colour(visit, "Highlight")).all(-1).sum() > 50  # the rim of the size of the gradient
        visit.page.emulate_media(color_scheme="light", forced_colors="none")
        visit.until(f"(own) => ({drawn})() === own", own)


@pytest.mark.parametrize("tab", ["integrated", "compare"])
def test_the_dark_theme_is_printed_on_white(tab: str, visits: Visits, server: Server) -> None:
    visit = visits(server.address)
    visit.page.emulate_media(color_scheme="dark")
    visit.open(f"?v=2&m=10&tab={tab}")
    ink = """() => ({
      theme: document.documentElement.dataset.bsTheme,
      text: getComputedStyle(document.getElementById("headline")).color,
      axis: axisInk(document.querySelector(".panel:not([hidden]) .chart canvas.drawing")),
      zero: [...document.querySelector(".panel:not([hidden]) .map:has(.scale-signed) canvas").getContext("2d").getImageData(3, 3, 1, 1).data].slice(0, 3),
      charts: [...document.querySelectorAll(".chart:has(.drawing)")].filter((chart) => chart.clientWidth).map((chart) => [chart.clientWidth, chart.querySelector(".drawing")?.clientWidth]),
    })"""
    visit.page.evaluate(AXIS_INK)
    on_screen = visit.page.evaluate(ink)
    visit.page.evaluate(f"() => window.addEventListener('beforeprint', () => (window.printed = ({ink})()))")
    with visit.count_requests(0):
        visit.page.pdf()  # as the browser's own printing: it tells the page, and takes what it finds
    printed = visit.page.evaluate("() => window.printed")
    assert on_screen["theme"] == "dark" and printed["theme"] == "light"
    assert visit.page.evaluate(ink) == on_screen  # sizes of charts included
    for part in ("text", "axis"):
        assert contrast(channels(printed[part]), np.array([255, 255, 255])) >= 4.5, part
    assert min(printed["zero"]) > 150 > max(on_screen["zero"])

    visit.page.emulate_media(media="print", color_scheme="dark")
    visit.until("() => explorer.theme() === 'light'")
    paper = visit.page.locator("body").screenshot()
    corner = np.asarray(Image.open(io.BytesIO(paper)).convert("RGB"))[-1, 0]
    assert corner.tolist() == [255, 255, 255]
    # browsers leave backgrounds out: those that are data are to be printed, and what can only be pressed is not
    for data in (".paint-cell", ".scale i", ".bar i"):
        assert visit.page.locator(data).first.evaluate("(part) => getComputedStyle(part).printColorAdjust") == "exact", data
    for useless in ("#copy-link", "#play", "#paint-undo", "#brush", "#patterns", "#take-away", ".map-head .tool"):
        assert not visit.page.locator(useless).first.is_visible(), useless
    shown = visit.page.locator("[role=tab]:visible")
    assert shown.count() == 1 and shown.get_attribute("id") == f"tab-{tab}"
    visit.page.emulate_media(media="screen", color_scheme="dark")
    visit.until("() => explorer.theme() === 'dark'")
