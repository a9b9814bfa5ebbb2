"""Terms: a definition on a click or a key, one at a time, within the window, also in dialogs; and the concept that says more."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator

from explorer.page.terms import TERMS

from .test_looks import AXE, violations
from .visit import Visit

Visits = Callable[..., Visit]


def popover(visit: Visit) -> Locator:
    """The popover."""
    return visit.page.locator("#term-popover")


def test_keys_show_and_hide_the_definition_and_the_focus_stays(visit: Visit) -> None:
    visit.rest()
    term = visit.page.locator("#stage [data-term=alpha]")
    with visit.count_requests(0):
        term.focus()
        for key in ("Enter", "Space"):
            visit.press(key)
            assert popover(visit).is_visible() and TERMS["alpha"][0] in popover(visit).inner_text()
            assert (term.get_attribute("aria-expanded"), term.get_attribute("aria-describedby")) == ("true", "term-popover")
            visit.press(key)
            assert not popover(visit).is_visible() and term.get_attribute("aria-expanded") == "false"
            assert term.evaluate("(button) => button === document.activeElement")
    assert visit.text("play") == "Play"
    visit.press("Enter", "Tab")
    assert popover(visit).get_by_role("button", name="More").evaluate("(button) => button === document.activeElement")
    assert visit.page.locator("#spoken").text_content() == TERMS["alpha"][0]
    visit.press("Tab")  # on from the term
    assert not popover(visit).is_visible()


def test_escape_closes_the_popover_and_nothing_else_and_only_one_is_open(visit: Visit) -> None:
    visit.page.evaluate("() => explorer.choosePixel(9)")
    visit.page.locator("[data-term=alpha]").click()
    visit.page.locator("#gauge [data-term=delta]").click()
    assert visit.page.locator(".term[aria-expanded=true]").count() == 1 and TERMS["delta"][0] in popover(visit).inner_text()
    visit.press("Escape")
    assert not popover(visit).is_visible() and visit.view["chosen"] == 9
    visit.press("Escape")
    assert visit.view["chosen"] is None
    visit.page.locator("[data-term=alpha]").click()
    visit.page.locator("#headline").click()
    assert not popover(visit).is_visible()


def test_it_stays_at_its_term_and_goes_with_it(visit: Visit) -> None:
    visit.page.set_viewport_size({"width": 1440, "height": 900})
    term = visit.page.locator("#gauge [data-term=delta]")
    term.click()
    before, at = popover(visit).bounding_box(), term.bounding_box()
    visit.page.evaluate("() => scrollBy({ top: 40, behavior: 'instant' })")
    visit.page.wait_for_function("(y) => document.getElementById('term-popover').getBoundingClientRect().y !== y", arg=before and before["y"])
    after, now = popover(visit).bounding_box(), term.bounding_box()
    assert before and at and after and now and abs((after["y"] - before["y"]) - (now["y"] - at["y"])) < 1
    visit.page.evaluate("() => scrollTo({ top: 3000, behavior: 'instant' })")
    visit.page.wait_for_function("() => !document.getElementById('term-popover')")
    assert term.get_attribute("aria-expanded") == "false"


def test_more_opens_the_concept(visit: Visit) -> None:
    visit.page.locator("[data-term=alpha]").click()
    popover(visit).get_by_role("button", name="More").click()
    concept = visit.page.locator("#concept-integrated-gradients")
    assert concept.get_attribute("open") is not None and not popover(visit).is_visible()
    assert visit.page.evaluate("() => document.activeElement.parentElement.id") == "concept-integrated-gradients"


@pytest.mark.parametrize("width", [1440, 360])
def test_it_stays_within_the_window_and_axe_finds_nothing(width: int, visit: Visit) -> None:
    visit.page.set_viewport_size({"width": width, "height": 600})
    visit.page.evaluate(AXE)
    for term in visit.page.locator(".term:visible").all():
        term.evaluate("(button) => button.scrollIntoView({ block: 'center', behavior: 'instant' })")
        term.evaluate("(button) => button.click()")
        box = popover(visit).bounding_box()
        assert box and box["x"] >= 0 and box["y"] >= 0 and box["x"] + box["width"] <= width and box["y"] + box["height"] <= 600
    assert violations(visit) == []


def test_it_works_in_a_dialog_whose_escape_comes_second(visit: Visit) -> None:
    visit.to_tab("methods")
    visit.page.locator("#methods-first .method-title").first.click()
    dialog = visit.page.locator("dialog[open]")
    dialog.locator("[data-term=passes]").click()
    assert popover(visit).is_visible() and TERMS["passes"][0] in popover(visit).inner_text()
    visit.press("Escape")
    assert not popover(visit).is_visible() and dialog.is_visible()
    visit.press("Escape")
    assert dialog.count() == 0
