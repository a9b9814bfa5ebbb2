"""Accessibility by axe, widths from phone to projector, embedding, reduced motion, and the enlarged map."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .conftest import Server
from .visit import AT_REST, Visit, embedded

Visits = Callable[..., Visit]
AXE = (Path(__file__).parent / "axe.min.js").read_text(encoding="utf-8")
TABS = ("saliency", "integrated", "compare", "labs", "methods")


def violations(visit: Visit) -> list[str]:
    """What axe finds wrong with the page as it is, best practices included."""
    # colours are judged when they have settled; what is not painted, out of view, does not go on
    visit.page.wait_for_function("() => document.getAnimations().every(({ effect }) => !effect.target.checkVisibility({ contentVisibilityAuto: true }))")
    found: list[dict[str, Any]] = visit.page.evaluate("async () => (await axe.run(document, { resultTypes: ['violations'] })).violations")
    return [f"{rule['id']}: {node['target']} {node['failureSummary']}" for rule in found for node in rule["nodes"]]


@pytest.mark.parametrize("width", [1440, 390])
def test_axe_finds_no_violation(width: int, visits: Visits, server: Server) -> None:
    visit = visits(server.address)
    visit.page.set_viewport_size({"width": width, "height": 900})
    visit.page.emulate_media(color_scheme="dark")
    visit.open("?v=2&base=noise")
    visit.page.evaluate(AXE)
    if width == 390:
        visit.page.locator("#menu").click()
    visit.page.locator("#concepts summary").first.click()
    found = {}
    for theme in ("dark", "light"):
        assert visit.page.evaluate("() => document.documentElement.dataset.bsTheme") == theme
        for tab in TABS:
            visit.to_tab(tab)
            visit.rest()
            found[theme, tab] = violations(visit)
        visit.page.locator("#methods-all").evaluate("(all) => (all.open = true)")
        visit.rest()
        visit.page.get_by_role("button", name="SmoothGrad²").press("Enter")  # the card of a method, its map and its settings; not a click, as cards move while their maps come
        visit.page.locator("dialog[open]").wait_for()
        found[theme, "card"] = violations(visit)
        visit.press("Escape")
        visit.to_tab("compare")
        visit.page.locator("#compare-maps").get_by_label("Enlarge").first.click()
        visit.page.locator("dialog[open]").wait_for()
        found[theme, "dialog"] = violations(visit)
        visit.press("Escape")
        visit.press("?")
        found[theme, "keys"] = violations(visit)
        visit.press("Escape")
        visit.page.evaluate("() => document.getElementById('theme').click()")  # in the menu of a phone
    visit.page.locator(".scores button").last.click()  # another class than the predicted one
    visit.rest()
    visit.page.evaluate("() => explorer.notice('Something to say.')")
    found["dark", "notice"] = violations(visit)
    assert not any(found.values()), {place: said for place, said in found.items() if said}


def test_nothing_makes_the_page_scroll_sideways(visits: Visits, server: Server) -> None:
    visit = visits(server.address).open("?v=2&net=digits&class=predicted")
    too_wide = []
    for width in (1920, 1440, 1024, 768, 390):
        visit.page.set_viewport_size({"width": width, "height": 800})
        for tab in TABS:
            visit.to_tab(tab)
            visit.rest()
            wide = visit.page.evaluate("() => document.documentElement.scrollWidth")
            too_wide += [f"{tab} at {width}: {wide}"] if wide > width else []
    assert not too_wide


def test_titles_of_maps_and_the_methods_whose_figures_are_shown_are_whole(visits: Visits, server: Server) -> None:
    visit = visits(server.address).open("?v=2&tab=integrated")
    cut = []
    for width in (1440, 1366, 1280, 1200, 1024, 900, 390, 360):
        visit.page.set_viewport_size({"width": width, "height": 800})
        cut += visit.page.evaluate(
            """(width) => [...document.querySelectorAll("#panel-integrated .map-head h3, .player, .quadrature, .stage-tab, .scores button")]
              .filter((part) => part.scrollWidth > part.clientWidth || part.scrollHeight > part.clientHeight + 2)
              .map((part) => `${part.textContent.slice(0, 30)} at ${width}`)""",
            width,
        )
        cut += visit.page.locator("#method-choice select").evaluate(
            """(select) => {
              const { font, paddingLeft, paddingRight } = getComputedStyle(select);
              const pen = document.createElement("canvas").getContext("2d");
              pen.font = font;
              const room = select.clientWidth - parseFloat(paddingLeft) - parseFloat(paddingRight);
              return [...select.options].map((option) => option.text).filter((text) => pen.measureText(text).width > room);
            }"""
        )
    assert not cut


def test_the_page_follows_when_its_window_is_resized(visit: Visit) -> None:
    visit.to_tab("integrated")
    for width in (800, 390, 1280):
        visit.page.set_viewport_size({"width": width, "height": 800})
        visit.until(
            """() => [...document.querySelectorAll('.chart')].filter((chart) => chart.clientWidth).every((chart) => {
              const drawn = chart.querySelector('canvas');
              return drawn && drawn.clientWidth === chart.clientWidth && drawn.width === Math.round(chart.clientWidth * devicePixelRatio);
            })"""
        )
        visit.rest()
        wide = visit.page.evaluate("() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]")
        assert wide[0] <= wide[1]


def test_it_works_embedded_in_another_site(visits: Visits, server: Server) -> None:
    with embedded(visits(server.address, apart=True), "", "?v=2&net=digits") as inside:
        before = inside.locator("#scores").inner_text()
        inside.locator("#paint-clear").click()
        inside.wait_for_function(AT_REST)
        assert inside.locator("#picture-name").inner_text() == "All black"
        assert inside.locator("#scores").inner_text() != before
        inside.locator("#theme").click()
        assert inside.evaluate("() => document.documentElement.dataset.bsTheme") == "dark"
        assert inside.evaluate("() => seen.violations") == []


def test_it_works_in_a_sandbox_that_allows_scripts_and_nothing_else(visits: Visits, server: Server) -> None:
    visit = visits(server.address, apart=True)
    with embedded(visit, "sandbox=allow-scripts", "?v=2&net=digits&m=10") as inside:
        assert inside.evaluate("() => origin") == "null"
        inside.locator("#digits .digit").nth(7).click()
        inside.wait_for_function(AT_REST)
        assert "Seen as 7" in inside.locator("#sees").inner_text()
        inside.locator("#play").click()
        inside.wait_for_function("() => explorer.view.step === 10")
        inside.locator("#tab-methods").click()
        inside.wait_for_function("() => Object.keys(explorer.view.config.first).every((name) => explorer.resultOf(name))")
        inside.locator("#theme").click()
        assert inside.evaluate("() => document.documentElement.dataset.bsTheme") == "dark"
        link = inside.evaluate("() => explorer.currentLink()")
        inside.locator("#copy-link").click()  # the clipboard is refused: the link can be copied by hand
        assert inside.get_by_label("Link to this state").input_value() == server.address + link
        visit.press("Escape")
        # a newer version: the page takes its state along in the link, and promises no more than that
        inside.evaluate("() => explorer.hearVersion('another')")
        assert inside.locator("#notices").inner_text().endswith("Reloading keeps your picture and settings.\nReload")
        inside.evaluate("() => (window.left = true)")
        inside.get_by_role("button", name="Reload").click()
        inside.wait_for_function(f"() => !window.left && ({AT_REST})()")
        assert inside.evaluate("() => explorer.currentLink()") == link
        assert inside.evaluate("() => seen.violations") == []
    assert all("Clipboard" in error for error in visit.errors)
    visit.expects_errors = True


def test_reduced_motion_is_respected_and_playing_still_works(visits: Visits, server: Server) -> None:
    visit = visits(server.address)
    visit.page.emulate_media(reduced_motion="reduce")
    visit.open("?v=2&m=10&tab=integrated")
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


def test_a_map_of_compare_can_be_enlarged_and_escape_closes_it(visit: Visit) -> None:
    visit.to_tab("compare")
    visit.rest()
    with visit.count_requests(0):
        surface = visit.page.locator("#compare-maps [role=application]").nth(3)
        button = visit.page.locator("#compare-maps").get_by_label("Enlarge: Integrated Gradients")
        count = visit.page.evaluate("() => explorer.maps.length")
        button.click()
        dialog = visit.page.locator("dialog[open]")
        assert "Integrated Gradients" in (dialog.get_attribute("aria-label") or "")
        large = visit.page.evaluate("() => { const map = explorer.maps.at(-1); return { values: [...map.values], width: map.surface.clientWidth }; }")
        small = surface.bounding_box()
        assert small is not None and large["width"] > 1.2 * small["width"]
        assert large["values"] == visit.numbers()["methods"]["integrated_gradients"]["map"]
        visit.press("Escape")
        dialog.wait_for(state="detached")
        assert button.evaluate("(element) => element === document.activeElement")
        assert visit.page.evaluate("() => explorer.maps.length") == count
        visit.press("Enter")
        dialog.wait_for()
        dialog.get_by_label("Close").click()
        dialog.wait_for(state="detached")
        assert button.evaluate("(element) => element === document.activeElement")


def test_the_skip_link_moves_the_focus_and_reloads_nothing(visit: Visit) -> None:
    visit.stroke((0, 0), (0, 7))
    visit.rest()
    visit.page.evaluate("() => { window.notReloaded = true; document.activeElement.blur(); }")
    before = visit.pixels
    with visit.count_requests(0):
        visit.page.locator("a[href='#stage']").focus()
        visit.press("Enter")
        visit.page.wait_for_function("() => location.hash === '#stage'")
        visit.press("Tab")
    assert visit.page.evaluate("() => window.notReloaded && document.getElementById('stage').contains(document.activeElement)")
    assert visit.pixels == before


def test_every_control_can_be_reached_by_tab_and_shows_its_focus(visit: Visit) -> None:
    visit.press("Tab")
    assert visit.page.evaluate("() => document.activeElement.getAttribute('href')") == "#stage"
    reached: set[str] = set()
    end = time.monotonic() + 60
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
    wanted = {"start-over", "keys", "copy-link", "theme", "brush", "paint-undo", "paint-clear", "network", "target", "steps", "present", "Baseline: White",
              "rule", "x′", "tab-integrated", "play", "scrub", "speed", "loop"}  # fmt: skip
    assert wanted <= reached, wanted - reached
