"""The prediction list: each class is a button that explains it, with one request and without losing its focus; names are whole."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from explorer.models import Model

from .conftest import Server
from .visit import Visit

Visits = Callable[..., Visit]
Zoo = Mapping[str, Model]

CUT = """() => [...document.querySelectorAll(".scores .score-name, .scores .figure")]
  .filter((part) => part.scrollWidth > part.clientWidth + 1).map((part) => part.textContent)"""
SHORT_BARS = """() => [...document.querySelectorAll(".scores .bar")].filter((bar) => bar.clientWidth < 24).length"""


def explained(visit: Visit) -> list[str]:
    """The classes whose buttons are pressed."""
    return visit.page.locator('.scores [aria-pressed="true"] .score-name').all_inner_texts()


def test_a_click_on_a_class_explains_it_and_the_way_back_is_there(visit: Visit, models: Zoo) -> None:
    visit.open("?v=2&p=ring&class=predicted")
    ring = models["shapes"].classes.index("ring")
    back = visit.page.get_by_role("button", name="Back to the predicted class")
    assert visit.view["answer"]["predicted"] == ring
    assert explained(visit)[0].startswith("ring") and not back.is_visible()
    stage = visit.page.locator("#facts").bounding_box()
    with visit.count_requests(1):
        visit.page.get_by_role("button", name="cross").click()
    cross = models["shapes"].classes.index("cross")
    assert visit.state["target"] == visit.view["answer"]["target"] == cross
    assert visit.page.locator("#target").input_value() == str(cross)
    assert explained(visit) == ["cross"]
    assert visit.page.locator(".scores .predicted .score-name").inner_text().startswith("ring")
    visit.shows_the_numbers_of_its_state(models)
    with visit.count_requests(1):
        back.click()
    assert visit.state["target"] == "predicted" and visit.view["answer"]["target"] == ring
    assert not back.is_visible() and visit.page.locator("#facts").bounding_box() == stage  # nothing moved
    visit.page.go_back()
    visit.rest()
    assert visit.state["target"] == cross and explained(visit) == ["cross"]


def test_the_keyboard_explains_one_class_after_the_other(visit: Visit) -> None:
    visit.page.locator(".scores button").first.focus()
    for target in (1, 2):
        visit.press("Tab")
        with visit.count_requests(1):
            visit.press("Enter")
        assert visit.state["target"] == target
        assert visit.page.evaluate("() => document.activeElement.getAttribute('aria-pressed')") == "true"  # it kept the focus


@pytest.mark.parametrize("width", [1366, 1440, 390, 360])
def test_names_of_classes_are_whole(width: int, visits: Visits, server: Server) -> None:
    visit = visits(server.address)
    visit.page.set_viewport_size({"width": width, "height": 900})
    for network in ("shapes", "digits", "logistic"):
        visit.open(f"?v=2&net={network}&class=1")
        assert visit.page.evaluate(CUT) == [], network
        assert visit.page.evaluate(SHORT_BARS) == 0, network
    assert visit.page.locator(".scores .score-name").all_inner_texts()[0].startswith("score below 0")
