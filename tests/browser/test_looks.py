"""Accessibility by axe, widths from phone to projector, embedding, reduced motion, and the enlarged map."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from .conftest import Server
from .visit import AT_REST, Visit

Visits = Callable[..., Visit]
AXE = (Path(__file__).parent / "axe.min.js").read_text(encoding="utf-8")
TABS = ("saliency", "integrated", "compare")


def violations(visit: Visit) -> list[str]:
    """What axe finds wrong with the page as it is, best practices included."""
    found: list[dict[str, Any]] = visit.page.evaluate("async () => (await axe.run(document, { resultTypes: ['violations'] })).violations")
    return [f"{rule['id']}: {node['target']} {node['failureSummary']}" for rule in found for node in rule["nodes"]]


@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_no_violation(width: int, theme: str, visits: Visits, server: Server) -> None:
    visit = visits(server.address, viewport={"width": width, "height": 900}, color_scheme=theme).open("?v=1&base=noise")
    assert visit.page.evaluate("() => document.documentElement.dataset.bsTheme") == theme
    visit.page.evaluate(AXE)
    if width == 390:
        visit.page.locator("#settings > summary").click()
    found = {}
    for tab in TABS:
        visit.to_tab(tab)
        visit.rest()
        found[tab] = violations(visit)
    visit.page.locator("#concepts summary").first.click()
    visit.page.locator("#compare-maps [role=application]").first.click()
    visit.page.locator("dialog[open]").wait_for()
    found["dialog"] = violations(visit)
    visit.page.evaluate("() => explorer.notice('Something to say.')")
    assert not any(found.values()), found


@pytest.mark.parametrize("width", [390, 768, 1024, 1440, 1920])
def test_nothing_makes_the_page_scroll_sideways(width: int, visits: Visits, server: Server) -> None:
    visit = visits(server.address)
    visit.page.set_viewport_size({"width": width, "height": 800})
    visit.open("?v=1&net=digits&class=predicted")
    for tab in TABS:
        visit.to_tab(tab)
        visit.rest()
        wide = visit.page.evaluate("() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]")
        assert wide[0] <= wide[1], (tab, wide)


def test_the_page_follows_when_its_window_is_resized(visit: Visit) -> None:
    visit.to_tab("integrated")
    for width in (800, 390, 1280):
        visit.page.set_viewport_size({"width": width, "height": 800})
        visit.until(
            """() => [...document.querySelectorAll('.chart')].filter((chart) => chart.clientWidth).every((chart) => {
              const drawn = chart.querySelector('svg');
              return drawn && Math.abs(drawn.getBoundingClientRect().width - chart.clientWidth) < 2;
            })"""
        )
        visit.rest()
        wide = visit.page.evaluate("() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]")
        assert wide[0] <= wide[1]


@pytest.fixture
def course() -> Iterator[Callable[[str], str]]:
    """A learning platform on a host of its own: ``course(address)`` is the address of a page that embeds that one."""
    embedded = ""

    class Course(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            page = f'<!DOCTYPE html><title>Course</title><link rel="icon" href="data:,"><iframe src="{embedded}" width="1200" height="900"></iframe>'
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(page.encode())

        def log_message(self, *_: object) -> None:
            pass

    def embed(address: str) -> str:
        nonlocal embedded
        embedded = address
        return f"http://localhost:{platform.server_port}/"

    with ThreadingHTTPServer(("127.0.0.1", 0), Course) as platform:
        threading.Thread(target=platform.serve_forever, daemon=True).start()
        yield embed
        platform.shutdown()


def test_it_works_embedded_in_another_site(visits: Visits, server: Server, course: Callable[[str], str]) -> None:
    visit = visits(server.address, apart=True)
    address = course(server.address + "?v=1&net=digits")
    visit.friends.add(urlsplit(address).netloc)
    visit.page.goto(address)
    frame = visit.page.frame_locator("iframe")
    frame.locator("#words:not(:empty)").wait_for()
    inside = visit.page.frames[1]
    inside.wait_for_function(AT_REST)
    before = frame.locator("#scores").inner_text()
    frame.locator("#paint-clear").click()
    inside.wait_for_function(AT_REST)
    assert frame.locator("#picture-name").inner_text() == "All black"
    assert frame.locator("#scores").inner_text() != before
    frame.locator("#theme").click()
    assert inside.evaluate("() => document.documentElement.dataset.bsTheme") == "dark"
    assert inside.evaluate("() => seen.violations") == []


def test_reduced_motion_is_respected_and_playing_still_works(visits: Visits, server: Server) -> None:
    visit = visits(server.address, reduced_motion="reduce").open("?v=1&m=10&tab=integrated")
    moving = visit.page.evaluate(
        """() => [...document.querySelectorAll("body *")].filter((element) => {
          const { transitionProperty, transitionDuration, animationName, animationDuration } = getComputedStyle(element);
          const lasts = (text) => text.split(",").some((part) => parseFloat(part) > 0.01);
          const moves = /all|transform|translate|scale|left|top|right|bottom|width|height|margin|inset/.test(transitionProperty);
          return (moves && lasts(transitionDuration)) || (animationName !== "none" && lasts(animationDuration));
        }).map((element) => element.id || element.className)"""
    )
    assert moving == []
    visit.page.locator("#speed").select_option("60")
    visit.page.locator("#play").click()
    visit.until("() => view.step === 10")


def test_a_click_in_compare_opens_a_large_map_and_escape_closes_it(visit: Visit) -> None:
    visit.to_tab("compare")
    with visit.count_requests(0):
        surface = visit.page.locator("#compare-maps [role=application]").nth(1)
        count = visit.page.evaluate("() => explorer.maps.length")
        surface.click()
        dialog = visit.page.locator("dialog[open]")
        assert "Integrated Gradients" in (dialog.get_attribute("aria-label") or "")
        large = visit.page.evaluate("() => { const map = explorer.maps.at(-1); return { values: [...map.values], width: map.surface.clientWidth }; }")
        small = surface.bounding_box()
        assert small is not None and large["width"] > 1.2 * small["width"]
        assert large["values"] == visit.numbers()["methods"]["integrated_gradients"]["map"]
        visit.press("Escape")
        dialog.wait_for(state="detached")
        assert surface.evaluate("(element) => element === document.activeElement")
        assert visit.page.evaluate("() => explorer.maps.length") == count
        visit.press("Enter")
        dialog.wait_for()
        dialog.get_by_label("Close").click()
        dialog.wait_for(state="detached")
        assert surface.evaluate("(element) => element === document.activeElement")


def test_an_enlarge_button_gets_the_focus_back(visit: Visit) -> None:
    button = visit.page.get_by_label("Enlarge: Gradient").first
    button.click()
    visit.page.locator("dialog[open]").wait_for()
    visit.press("Escape")
    visit.page.locator("dialog").wait_for(state="detached")
    assert button.evaluate("(element) => element === document.activeElement")


def test_every_control_can_be_reached_by_tab_and_shows_its_focus(visit: Visit) -> None:
    visit.press("Tab")
    assert visit.page.evaluate("() => document.activeElement.getAttribute('href')") == "#stage"
    reached, end = set(), time.monotonic() + 60
    while time.monotonic() < end:
        id_, shown = visit.page.evaluate(
            """() => {
              const element = document.activeElement;
              const style = getComputedStyle(element);
              const shown = style.outlineStyle !== "none" || style.boxShadow !== "none";
              return [element === document.body ? null : element.id || element.getAttribute("aria-label") || element.textContent.slice(0, 30), shown];
            }"""
        )
        if id_ is None or (id_ in reached and len(reached) > 60):
            break
        assert shown, f"{id_} shows no focus"
        reached.add(id_)
        visit.press("Tab")
    wanted = {"copy-link", "theme", "brush", "paint-undo", "paint-clear", "network", "target", "baseline", "keep-drawing", "steps",
              "steps-slider", "rule", "samples", "noise_level", "seed", "new-seed", "clip", "tab-saliency", "play", "scrub", "speed", "loop"}  # fmt: skip
    assert wanted <= reached, wanted - reached
