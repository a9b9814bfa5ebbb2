"""The labs in the browser: the shelf, the frame of a lab, and every lab by link, by keyboard, on a phone and on a projector."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from labs.said import answer_of
from playwright.sync_api import Request

from explorer.labs import LABS
from explorer.state import State

from .conftest import Server
from .test_looks import AXE, violations
from .visit import Visit

Visits = Callable[..., Visit]
SIDEWAYS = "() => document.documentElement.scrollWidth - window.innerWidth"
SHOWN = "(name) => { const page = document.querySelector(`[data-open='${name}']`); return page && !page.classList.contains('stale') && page.querySelector('.lab-happened')?.textContent; }"
UNWRITTEN = re.compile(r"NaN|undefined|\[object|\{\w+(:\w+)?\}|Infinity")


def open_lab(visit: Visit, name: str, settings: str = "") -> None:
    """Open a lab by its link, on a network that it works with."""
    network = LABS[name].instead.get("network", "shapes")
    visit.open(f"?net={network}&tab=labs&lab={name}{settings}&v=2")
    visit.page.locator(f"[data-open={name}]").wait_for()


def predict(visit: Visit, name: str, choice: int = 0) -> None:
    visit.page.locator(f"[data-open={name}] .lab-choice").nth(choice).click()
    visit.until(SHOWN, name)


def lab_questions(visit: Visit) -> list[Request]:
    return [question for question in visit.questions if "lab-question" in (question.post_data or "")]


def test_the_shelf_has_every_lab_in_order_and_back_returns_to_it(visits: Visits, server: Server) -> None:
    visit = visits(server.address).open("?tab=labs&v=2")
    cards = visit.page.locator(".lab-card")
    assert cards.evaluate_all("(cards) => cards.map((card) => card.dataset.lab)") == list(LABS)
    for name, lab in LABS.items():
        assert lab.title in cards.locator(f"xpath=self::*[@data-lab='{name}']").inner_text()
    first = next(iter(LABS))
    with visit.count_requests():
        cards.first.click()
        visit.page.locator(f"[data-open={first}]").wait_for()
    assert f"lab={first}" in visit.page.url and visit.page.evaluate("() => document.activeElement.classList.contains('lab-question')")
    visit.page.go_back()
    visit.page.locator("#shelf").wait_for()
    assert "lab=" not in visit.page.url
    visit.page.go_forward()
    visit.page.locator(f"[data-open={first}]").wait_for()
    visit.page.get_by_role("button", name="All labs").first.click()
    visit.page.locator("#shelf").wait_for()
    assert visit.page.evaluate("() => document.activeElement.dataset.lab") == first


def test_a_lab_waits_for_the_prediction_and_then_says_what_happened(visits: Visits, server: Server) -> None:
    visit = visits(server.address)
    open_lab(visit, "convergence")
    right = answer_of("convergence", State())["outcome"]
    page = visit.page.locator("[data-open=convergence]")
    assert page.get_by_role("heading", name="Try").is_hidden() and page.get_by_role("heading", name="Why").is_hidden()
    visit.page.keyboard.press("Tab")
    page.locator(".lab-choice").nth(right).focus()
    visit.press("Enter")
    visit.until(SHOWN, "convergence")
    assert page.locator(".lab-verdict").inner_text() == "✓ As you predicted." and LABS["convergence"].choices[right] in page.locator(".lab-beside").inner_text()
    assert page.get_by_role("heading", name="Why").is_visible()
    assert LABS["convergence"].choices[right] not in visit.page.url  # kept nowhere but in the page
    visit.page.reload()
    page.wait_for()
    assert page.get_by_role("heading", name="Try").is_hidden()
    page.get_by_role("button", name="Skip").click()
    visit.until(SHOWN, "convergence")
    assert "You skipped it." in page.inner_text() and page.locator(".lab-verdict").inner_text() == ""


def test_what_only_chooses_what_is_shown_asks_nothing_and_a_new_picture_asks_once(visits: Visits, server: Server) -> None:
    visit = visits(server.address)
    open_lab(visit, "convergence", "&do=steps:5,rule:left")
    predict(visit, "convergence")
    assert len(lab_questions(visit)) == 1
    steps = visit.page.get_by_label("Steps m").locator("visible=true")
    assert steps.get_attribute("aria-valuetext") == "m = 5" and visit.page.get_by_label("left", exact=True).is_checked()
    with visit.count_requests(0):
        steps.focus()
        visit.press("ArrowRight", "ArrowRight", "End")
        visit.page.get_by_label("midpoint").check()
    assert visit.state["lab_settings"] == {"steps": 300, "rule": "midpoint"} and "do=steps%3A300%2Crule%3Amidpoint" in visit.page.url
    visit.stroke((2, 2), (2, 6))
    visit.until("(name) => document.querySelector(`[data-open='${name}']`).classList.contains('stale')", "convergence")
    visit.until(SHOWN, "convergence")
    assert len(lab_questions(visit)) == 2
    asked = json.loads(lab_questions(visit)[-1].post_data or "")["inputs"][0]["value"]
    assert asked["lab"] == {"name": "convergence", "settings": {}} and asked["state"]["pixels"] == visit.pixels


def test_a_wrong_lab_in_a_link_is_said_and_the_shelf_is_shown(visits: Visits, server: Server) -> None:
    visit = visits(server.address).open("?tab=labs&lab=alchemy&do=gold:1&v=2")
    assert "the lab must be one of" in visit.text("notices")
    assert visit.page.locator("#shelf").is_visible()


def test_charts_whose_library_does_not_come_leave_their_numbers(visits: Visits, server: Server) -> None:
    visit = visits(server.address, apart=True)
    visit.expects_errors = True
    visit.page.route("**/plotly-basic.min.js", lambda route: route.abort())
    open_lab(visit, "convergence")
    predict(visit, "convergence")
    figure = visit.page.locator("[data-open=convergence] .plot-figure").first
    figure.get_by_text("could not be drawn").wait_for()
    figure.get_by_text("The numbers of this chart").click()
    figure.locator("tbody tr").nth(10).wait_for()


@pytest.mark.parametrize("name", LABS)
def test_every_lab_works_by_link_at_every_size(name: str, visits: Visits, server: Server) -> None:
    visit = visits(server.address)
    open_lab(visit, name)
    page = visit.page.locator(f"[data-open={name}]")
    predict(visit, name, len(LABS[name].choices) - 1)
    visit.until("(name) => [...document.querySelectorAll(`[data-open='${name}'] .plot`)].every((plot) => plot.offsetParent === null || plot.querySelector('.main-svg'))", name)
    assert not UNWRITTEN.search(page.inner_text()), UNWRITTEN.search(page.inner_text())
    assert not page.locator("canvas").evaluate_all("(all) => all.filter((canvas) => canvas.offsetParent && (!canvas.width || !canvas.height)).length")
    visit.page.evaluate(AXE)
    found: dict[Any, list[str]] = {}
    for width, height in ((1440, 900), (390, 844), (360, 640)):
        visit.page.set_viewport_size({"width": width, "height": height})
        visit.rest()
        assert visit.page.evaluate(SIDEWAYS) <= 0, width
        if width == 360:
            continue
        for theme in ("dark", "light"):
            visit.page.emulate_media(color_scheme=theme, reduced_motion="reduce")  # type: ignore[arg-type]
            visit.until("(theme) => document.documentElement.dataset.bsTheme === theme", theme)
            found[width, theme] = violations(visit)
    assert not any(found.values()), found
    small = page.locator("button:visible:not(.term), input:visible, summary:visible").evaluate_all(
        "(all) => all.map((one) => [one.textContent || one.id, one.getBoundingClientRect()]).filter(([, { width, height }]) => width < 24 || height < 16).map(([name]) => name)"
    )
    assert not small
    visit.page.set_viewport_size({"width": 1920, "height": 1080})
    visit.page.locator("#present").click()
    assert page.is_visible() and visit.page.evaluate(SIDEWAYS) <= 0
    assert float(page.locator(".lab-happened").evaluate("(text) => parseFloat(getComputedStyle(text).fontSize)")) >= 24
    visit.press("Escape")


def test_on_a_phone_the_question_follows_the_lab_and_nothing_jumps(visits: Visits, server: Server) -> None:
    visit = visits(server.address, viewport={"width": 390, "height": 844}, has_touch=True)
    open_lab(visit, "convergence")
    assert visit.text("headline") == LABS["convergence"].question
    choice = visit.page.locator("[data-open=convergence] .lab-choice").first
    choice.scroll_into_view_if_needed()
    before = choice.bounding_box()
    predict(visit, "convergence")
    after = choice.bounding_box()
    assert before and after and abs(before["y"] - after["y"]) < 2
    following = list(LABS)[list(LABS).index("convergence") + 1]
    visit.page.locator("[data-open=convergence] .lab-next button").click()
    visit.page.locator(f"[data-open={following}]").wait_for()
    assert visit.text("headline") == LABS[following].question and visit.page.evaluate("() => window.scrollY") == 0


def test_a_verdict_belongs_to_the_settings_that_were_asked_about(visits: Visits, server: Server) -> None:
    visit = visits(server.address)
    open_lab(visit, "sanity")
    predict(visit, "sanity")
    verdict = visit.page.locator("[data-open=sanity] .lab-verdict")
    assert "predicted" in verdict.inner_text() or "otherwise" in verdict.inner_text()
    visit.page.get_by_label("The labels").check()
    visit.until("() => document.querySelector('[data-open=sanity] .lab-verdict').textContent === 'That was about other settings.'")
