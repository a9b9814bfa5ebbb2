"""Start over brings the opening state back, and Undo and Back bring back what was there; the keys are told on the page."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from explorer.models import Model
from explorer.state import State

from .visit import Visit

Zoo = Mapping[str, Model]
RICH = "?v=2&tab=integrated&net=digits&class=3&out=logit&p=ring&base=white&m=30&rule=midpoint&n=20&noise=0.3&seed=7&scale=own&pin=gradient,lime"
OPENING = State().to_json()


def test_start_over_brings_the_opening_state_and_undo_and_back_bring_all_back(visit: Visit, models: Zoo) -> None:
    visit.open(RICH)
    visit.page.locator("#baselines [data-name=drawing]").click()
    visit.page.locator("#brush").fill("30")
    visit.page.locator("#paint-eraser").click()
    visit.rest()
    visit.press("Home")
    rich = visit.state
    assert rich["drawing"] and rich["pinned"] == ["gradient", "lime"] and rich["target"] == 3
    with visit.count_requests(1):
        visit.page.locator("#start-over").click()
    assert visit.state == OPENING
    assert visit.page.locator("#network").input_value() == "shapes" and visit.page.locator("#steps").input_value() == "50"
    assert visit.page.locator("#tab-integrated").get_attribute("aria-selected") == "true"
    assert visit.page.locator("#brush-shown").text_content() == "1.00" and visit.page.locator("#paint-eraser").get_attribute("aria-pressed") == "false"
    assert visit.view["step"] == 50
    visit.shows_the_numbers_of_its_state(models)
    with visit.count_requests(1):
        visit.page.locator(".notice").get_by_role("button", name="Undo").click()
    assert visit.state == rich and visit.text("notices") == ""
    assert visit.page.locator("#network").input_value() == "digits" and visit.page.locator("#target").input_value() == "3"
    visit.shows_the_numbers_of_its_state(models)
    for gesture, expected in ((visit.page.locator("#paint-redo").click, OPENING), (visit.page.go_back, rich), (visit.page.go_forward, OPENING)):
        with visit.count_requests(1):
            gesture()
            visit.until("(tab) => view.state.tab === tab", expected["tab"])
        assert visit.state == expected
        visit.shows_the_numbers_of_its_state(models)


def test_start_over_asks_nothing_where_no_number_changes(visit: Visit) -> None:
    entries = visit.page.evaluate("() => seen.entries")
    with visit.count_requests(0):
        visit.page.locator("#start-over").click()
    assert visit.text("notices") == "" and visit.page.evaluate("() => seen.entries") == entries
    visit.to_tab("compare")
    visit.rest()
    with visit.count_requests(0):
        visit.page.locator("#start-over").click()
        visit.until("() => view.state.tab === 'integrated'")
        visit.page.locator("#paint-undo").click()
        visit.until("() => view.state.tab === 'compare'")


@pytest.mark.parametrize("width", [1440, 360])
def test_the_keys_are_told_by_a_button_and_by_a_key(width: int, visit: Visit) -> None:
    visit.page.set_viewport_size({"width": width, "height": 800})
    dialog = visit.page.get_by_role("dialog", name="Keys")
    if width == 360:
        visit.page.locator("#menu").click()
    with visit.count_requests(0):
        visit.page.locator("#keys").click()
        assert dialog.is_visible()
        told = dialog.inner_text()
        visit.press("?")
        assert dialog.count() == 1
        visit.press("Escape")
        assert dialog.count() == 0
        assert visit.page.evaluate("() => document.activeElement.id") == "keys"
        visit.page.locator(".paint-cell").first.focus()
        visit.press("?")
        assert dialog.is_visible()
        assert dialog.evaluate("(box) => box.scrollWidth <= box.clientWidth")
        visit.press("Escape")
    for key in ("Space", "←", "Home", "End", "Ctrl", "Esc", "?", "Page ↑", "Enter", "0", "9", "Delete"):
        assert key in told, key


def test_a_question_mark_is_typed_where_text_is_typed(visit: Visit) -> None:
    visit.page.locator("#steps").focus()
    visit.press("?")
    assert visit.page.get_by_role("dialog").count() == 0
