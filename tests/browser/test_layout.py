"""What must be in view together, measured: the loop of painting, playing and comparing needs no scrolling."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from each import each
from playwright.sync_api import ViewportSize

from .conftest import Server
from .visit import Visit

LARGE = [(1366, 650), (1440, 790), (1440, 900), (1920, 1080)]
LOOP = ("#headline", "#second", "#paint-grid", "#map-baseline .map-surface", "#baselines", "#map-interpolated .map-surface", "#map-gradient .map-surface",
        "#map-sum .map-surface", "#play", "#steps", "#rule", "#strip", "#path-chart", "#scrub", "#sum-bar", "#network", "#target", "#output")
BOXES = """(selectors) => Object.fromEntries(selectors.map((selector) => {
  const { left, top, right, bottom } = document.querySelector(selector).getBoundingClientRect();
  return [selector, [left, top, right, bottom]];
}))"""
SIDEWAYS = "() => document.documentElement.scrollWidth - window.innerWidth"


def boxes(visit: Visit, *selectors: str) -> dict[str, list[float]]:
    """Left, top, right and bottom of elements, in CSS pixels of the window."""
    found: dict[str, list[float]] = visit.page.evaluate(BOXES, list(selectors))
    return found


def in_view(visit: Visit, *selectors: str, foot: float = 0) -> None:
    """These are wholly in the window, above what is fixed at its foot, and none overlaps another."""
    size: Any = visit.page.viewport_size
    found = boxes(visit, *selectors)
    for name, (left, top, right, bottom) in found.items():
        assert left >= 0 and top >= 0 and right <= size["width"] and bottom <= size["height"] - foot, (name, found[name], size)
        assert right - left > 4 and bottom - top > 4, (name, "is not shown")
    names = list(found)
    for i, one in enumerate(names):
        for other in names[i + 1 :]:
            a, b = found[one], found[other]
            apart = a[2] <= b[0] + 1 or b[2] <= a[0] + 1 or a[3] <= b[1] + 1 or b[3] <= a[1] + 1
            assert apart, f"{one} {a} and {other} {b} overlap"


def opened(visits: Callable[..., Visit], server: Server, width: int, height: int, link: str = "", **options: Any) -> Visit:
    """The page in a window of this size."""
    return visits(server.address, viewport=ViewportSize(width=width, height=height), **options).open(link)


@each(("width", "height"), LARGE)
def test_the_loop_needs_no_scrolling(visits: Callable[..., Visit], server: Server, width: int, height: int) -> None:
    """Paint, baseline, play, maps, curve, Σ bar and sentence are in view together; the gradient and the sum are large."""
    visit = opened(visits, server, width, height)
    for step in ("to-end", "to-start"):  # the sentences of both are the longest or the shortest
        visit.page.locator(f"#{step}").click()
        in_view(visit, *LOOP)
    left, _, right, _ = boxes(visit, "#map-sum .map-surface")["#map-sum .map-surface"]
    assert right - left >= 200
    assert visit.page.evaluate(SIDEWAYS) <= 0


@each(("width", "height"), [(1024, 650), (820, 1080)])
def test_tablets_have_two_columns(visits: Callable[..., Visit], server: Server, width: int, height: int) -> None:
    """The painting stays beside the maps, the player and the timeline."""
    visit = opened(visits, server, width, height)
    in_view(visit, "#paint-grid", "#map-gradient .map-surface", "#map-sum .map-surface", "#play", "#strip", "#path-chart")
    assert visit.page.evaluate(SIDEWAYS) <= 0


@each(("width", "height"), [(1090, 800), (1024, 650), (985, 820), (900, 700), (899, 700), (700, 1000)])
def test_nothing_overlaps_at_the_top_and_all_tabs_have_room(visits: Callable[..., Visit], server: Server, width: int, height: int) -> None:
    """A page in a cell of a notebook is about this wide."""
    visit = opened(visits, server, width, height)
    in_view(visit, ".topbar h1", "#network", "#target", "#output", "#lessons", "#start-over", "#copy-link", "#keys", "#theme", "#present", "#tab-labs")
    assert visit.page.evaluate(SIDEWAYS) <= 0


@each(("width", "height"), [(390, 664), (360, 560)])
def test_on_a_phone_the_picture_and_a_map_are_seen_side_by_side(visits: Callable[..., Visit], server: Server, width: int, height: int) -> None:
    """While painting and while playing, above the player."""
    visit = opened(visits, server, width, height, has_touch=True)
    foot = 66
    in_view(visit, "#paint-grid", "#map-sum .map-surface", foot=foot)
    visit.page.get_by_label("Gradient", exact=True).check()
    in_view(visit, "#paint-grid", "#map-gradient .map-surface", foot=foot)
    visit.page.locator("#step-back").click()
    in_view(visit, "#map-interpolated .map-surface", "#map-gradient .map-surface", foot=foot)
    assert visit.page.locator("#paint-grid").is_hidden()
    one, other = boxes(visit, "#map-interpolated .map-surface", "#map-gradient .map-surface").values()
    assert abs(one[1] - other[1]) <= 2, "side by side"
    visit.to_tab("saliency")
    in_view(visit, "#paint-grid", "#saliency-maps .map:nth-child(2) .map-surface")
    assert visit.page.evaluate(SIDEWAYS) <= 0


def test_a_phone_on_its_side_has_the_painting_and_two_maps(visits: Callable[..., Visit], server: Server) -> None:
    """And the sentence in a fourth column."""
    visit = opened(visits, server, 844, 340, has_touch=True)
    in_view(visit, "#paint-grid", "#map-gradient .map-surface", "#map-sum .map-surface", "#headline", foot=52)
    assert visit.page.evaluate(SIDEWAYS) <= 0


@each("tab", ["saliency", "integrated", "compare", "methods"])
def test_nothing_is_lost_at_a_zoom_of_200_per_cent(visits: Callable[..., Visit], server: Server, tab: str) -> None:
    """A laptop is then 683 × 325: nothing lies beside the window, and every control can be reached."""
    visit = opened(visits, server, 683, 325, f"?tab={tab}&v=2")
    assert visit.page.evaluate(SIDEWAYS) <= 0
    visit.page.locator("#menu").click()
    controls = "#network #target #start-over #copy-link #present".split()
    for control in [*controls, *("#play #steps #rule #speed #scrub".split() if tab == "integrated" else [])]:
        visit.page.locator(control).scroll_into_view_if_needed()
        assert visit.page.locator(control).is_visible(), control


def test_present_is_readable_at_six_metres(visits: Callable[..., Visit], server: Server) -> None:
    """Three maps, the curve and one sentence, texts of 24 px or more at 1920 × 1080; Esc leaves, and unmarks no pixel."""
    visit = opened(visits, server, 1920, 1080, "?tab=compare&v=2")
    visit.page.locator("#present").click()
    parts = ("#headline", "#second", "#map-interpolated .map-surface", "#map-gradient .map-surface", "#map-sum .map-surface", "#play", "#strip", "#path-chart", "#scrub")
    in_view(visit, *parts)
    small = visit.page.evaluate(
        """() => [...document.querySelectorAll("body *")].filter((e) => e.checkVisibility() && [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim()) &&
          !e.closest(".visually-hidden, .skip, noscript, option, kbd") && parseFloat(getComputedStyle(e).fontSize) < 24).map((e) => `${e.id} ${e.className} ${e.textContent}`)"""
    )
    assert small == []
    visit.page.locator("#map-sum .map-surface").click()
    chosen = visit.view["chosen"]
    visit.press("Escape")
    assert visit.page.locator("#paint-grid").is_visible() and visit.view["chosen"] == chosen is not None
