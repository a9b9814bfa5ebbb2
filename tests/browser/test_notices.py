"""Where notices are: nothing moves when one comes, and none lies on the grid or on what is being used."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Route

from .conftest import Server
from .visit import QUESTION, Visit

Visits = Callable[..., Visit]
BOXES = """() => Object.fromEntries(["paint-grid", "stage", "playback"].map((id) => {
  const { left, top, right, bottom } = document.getElementById(id).getBoundingClientRect();
  return [id, [left, top, right, bottom]];
}))"""
NOTICES = """() => { const { left, top, right, bottom } = document.getElementById("notices").getBoundingClientRect(); return [left, top, right, bottom]; }"""
LONG = "A newer version of this page is here. Reloading keeps your picture, settings and undo steps."


def overlap(one: list[float], other: list[float]) -> bool:
    """Whether two boxes (left, top, right, bottom) share any place."""
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (390, 844)])
def test_a_notice_in_the_middle_of_a_stroke_moves_and_covers_nothing(width: int, height: int, visits: Visits, server: Server) -> None:
    visit = visits(server.address)
    visit.expects_errors = True
    visit.page.set_viewport_size({"width": width, "height": height})
    visit.open()
    visit.page.route(f"**/{QUESTION}*", lambda route: route.fulfill(status=400, body="That would take too long.", content_type="text/plain"))
    mouse = visit.page.mouse
    mouse.move(*visit.cell(3, 0))
    before = visit.page.evaluate(BOXES)
    mouse.down()
    mouse.move(*visit.cell(3, 4))
    visit.until("() => document.querySelector('.notice')")
    assert visit.page.evaluate(BOXES) == before
    assert not overlap(visit.page.evaluate(NOTICES), before["paint-grid"])
    mouse.move(*visit.cell(3, 7))
    mouse.up()
    assert visit.pixels[24:32] == [1] * 8
    visit.page.unroute_all()


def test_refusals_share_one_notice_until_a_question_is_answered(visits: Visits, server: Server) -> None:
    visit = visits(server.address)
    visit.expects_errors = True
    visit.open()
    refused: list[str] = []

    def refuse(route: Route) -> None:
        refused.append(f"No, {len(refused)} times no.")
        route.fulfill(status=400, body=refused[-1], content_type="text/plain")

    def the_newest_is_told() -> bool:
        visit.until("() => !explorer.isAsking()")
        return visit.text("notices") == refused[-1] and visit.page.locator(".notice").count() == 1

    visit.page.route(f"**/{QUESTION}*", refuse)
    for row in range(8):
        visit.stroke((row, 0), (row, 7))
        assert the_newest_is_told()
    assert len(refused) >= 8
    visit.page.get_by_label("Dismiss").click()
    assert visit.text("notices") == ""
    visit.page.locator("#paint-undo").click()
    assert the_newest_is_told()
    visit.page.unroute_all()
    visit.page.locator("#paint-undo").click()
    visit.rest()
    assert visit.text("notices") == ""


def test_a_link_that_is_refused_is_told_of_until_that_is_dismissed(visits: Visits, server: Server) -> None:
    visit = visits(server.address)
    visit.expects_errors = True
    visit.page.route(f"**/{QUESTION}*", lambda route: route.fulfill(status=400, body="Too long.", content_type="text/plain"), times=1)
    visit.open("?v=2&p=ring")
    assert visit.text("picture-name") == "Vertical edge"  # the opening state, and its numbers
    assert visit.page.evaluate("() => location.search") == "?v=2&p=ring"
    assert visit.text("notices") == "Too long."
    visit.page.get_by_label("Dismiss").click()
    assert visit.text("notices") == ""


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (1024, 700), (390, 844), (360, 640)])
def test_notices_keep_off_the_grid_wherever_the_page_is_scrolled_to(width: int, height: int, visits: Visits, server: Server) -> None:
    visit = visits(server.address)
    visit.page.set_viewport_size({"width": width, "height": height})
    visit.open("?v=2&tab=integrated")
    visit.page.evaluate("(text) => { explorer.notice(text); explorer.showTrouble('session', text); }", LONG)
    for top in range(0, 2_000, 97):
        visit.page.evaluate("(top) => window.scrollTo({ top, behavior: 'instant' })", top)
        visit.page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        boxes, notices = visit.page.evaluate(BOXES), visit.page.evaluate(NOTICES)
        assert not overlap(notices, boxes["paint-grid"]), top
        left, above, right, below = notices
        elsewhere = [left, height - below, right, height - above]  # the other end of the window
        assert not overlap(notices, boxes["playback"]) or (overlap(elsewhere, boxes["paint-grid"]) and width > 700), top  # it stands at the bottom of phones


def test_what_lies_under_a_notice_without_buttons_stays_in_reach(visit: Visit) -> None:
    visit.page.evaluate("(text) => explorer.showTrouble('session', text)", LONG)
    x, y = visit.page.evaluate("() => { const { left, top, width, height } = document.getElementById('away').getBoundingClientRect(); return [left + width / 2, top + height / 2]; }")
    assert not visit.page.evaluate("([x, y]) => document.getElementById('away').contains(document.elementFromPoint(x, y))", [x, y])


def test_one_notice_tells_for_all_who_wait_and_goes_when_nobody_does(visit: Visit) -> None:
    for who in ("session", "methods", "session"):
        visit.page.evaluate("(who) => explorer.showTrouble(who, `${who} waits`)", who)
        assert visit.page.locator("#away").count() == 1
    visit.page.evaluate("() => explorer.showTrouble('session', null)")
    assert visit.text("notices") == "methods waits"
    visit.page.evaluate("() => explorer.showTrouble('methods', null)")
    assert visit.text("notices") == ""
    host = visit.page.locator("#notices")
    assert (host.get_attribute("role"), host.get_attribute("aria-atomic")) == ("status", "false")  # politely, and each once
