"""When the server is away: the page says so, keeps what was painted, and catches up by itself without a reload."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
from playwright.sync_api import Route

from explorer.link import read_link
from explorer.models import Model
from explorer.state import State

from .conftest import Server
from .visit import QUESTION, Visit

Visits = Callable[..., Visit]
Zoo = Mapping[str, Model]
AWAY = "() => { const away = document.getElementById('away'); return away && /reconnecting|trying again/.test(away.textContent); }"
BACK = "() => !document.getElementById('away')"


@pytest.fixture
def unlucky(visits: Visits, server: Server) -> Visit:
    """A visitor whose browser may report failed requests."""
    visit = visits(server.address)
    visit.expects_errors = True
    visit.open()
    visit.page.evaluate("() => (window.notReloaded = true)")
    return visit


def test_a_server_that_comes_back_is_caught_up_with(visits: Visits, mortal_server: Server, models: Zoo) -> None:
    visit = visits(mortal_server.address, apart=True)
    visit.expects_errors = True
    visit.open()
    visit.page.evaluate("() => (window.notReloaded = true)")
    mortal_server.stop()
    visit.stroke((0, 0), (7, 7))
    painted = visit.pixels
    visit.until(AWAY)
    visit.to_tab("integrated")  # the rest goes on working
    visit.press("Home", "ArrowRight")
    visit.stroke((7, 0), (0, 7))
    assert visit.pixels != painted
    painted = visit.pixels
    mortal_server.start()
    visit.until(BACK)
    visit.rest()
    assert visit.pixels == painted
    assert visit.page.evaluate("() => notReloaded")
    visit.shows_the_numbers_of_its_state(models)


def test_a_server_gone_for_half_a_minute_costs_nothing_that_was_done(visits: Visits, mortal_server: Server, models: Zoo) -> None:
    visit = visits(mortal_server.address, apart=True)
    visit.expects_errors = True
    visit.install_clock()  # so that half a minute takes some seconds
    visit.open("?v=2&net=digits&tab=integrated&m=20")
    visit.page.evaluate("() => (window.notReloaded = true)")
    visit.stroke((0, 0), (0, 7))
    visit.rest()
    mortal_server.stop()
    asked, began = len(visit.questions), visit.page.evaluate("() => performance.now()")

    visit.stroke((1, 0), (1, 7))
    visit.stroke((2, 0), (2, 7))
    visit.page.locator("#paint-undo").click()
    visit.choose("rule", "midpoint")
    state = visit.state
    assert state["pixels"][:24] == [1] * 16 + state["pixels"][16:24] and state["pixels"][16:24] != [1] * 8
    visit.let_pass_until(AWAY)
    visit.page.locator("#to-start").click()
    visit.page.locator("#step-forward").click()
    visit.press("ArrowRight")
    assert visit.text("step-shown") == "2 / 20"
    visit.page.locator("#play").click()
    visit.let_pass(30_000)
    assert visit.text("step-shown") == "20 / 20"

    assert visit.page.evaluate(AWAY)
    assert visit.state == state
    link = visit.page.evaluate("() => location.search")
    assert read_link(link, models) == (State.from_json(state, models), [])
    waited = visit.page.evaluate("() => performance.now()") - began
    assert waited >= 30_000
    assert 5 <= len(visit.questions) - asked <= 6 + waited / 3_750  # the pause grows to 5 s, less a quarter at most
    assert visit.page.evaluate("() => seen.most") == 1

    mortal_server.start()
    visit.let_pass_until(BACK)
    visit.rest()
    assert visit.state == state
    assert visit.page.evaluate("() => notReloaded")
    visit.shows_the_numbers_of_its_state(models)
    visit.page.locator("#paint-redo").click()
    assert visit.pixels[16:24] == [1] * 8
    for _ in range(3):
        visit.page.locator("#paint-undo").click()
    assert visit.text("picture-name") == "Vertical edge"
    visit.rest()
    visit.shows_the_numbers_of_its_state(models)


def test_a_cut_network_is_noticed_and_caught_up_with(unlucky: Visit, models: Zoo) -> None:
    unlucky.context.set_offline(True)
    unlucky.stroke((0, 0), (7, 7))
    unlucky.until(AWAY)
    painted = unlucky.pixels
    unlucky.context.set_offline(False)
    unlucky.until(BACK)
    unlucky.rest()
    assert unlucky.pixels == painted
    assert unlucky.page.evaluate("() => notReloaded")
    unlucky.shows_the_numbers_of_its_state(models)


def test_a_network_that_is_back_before_anything_was_asked_is_not_called_away(unlucky: Visit) -> None:
    unlucky.context.set_offline(True)
    unlucky.until("() => !navigator.onLine")
    unlucky.context.set_offline(False)
    unlucky.until("() => navigator.onLine")
    unlucky.page.wait_for_function(BACK, timeout=8_000)


def failing_once(visit: Visit, fail: Callable[[Route], None]) -> list[Route]:
    """Let the next question fail, and those after it pass."""
    failed: list[Route] = []

    def handle(route: Route) -> None:
        if failed:
            route.continue_()
        else:
            failed.append(route)
            fail(route)

    visit.page.route(f"**/{QUESTION}*", handle)
    return failed


@pytest.mark.parametrize(
    "fail",
    [
        lambda route: route.abort("connectionreset"),
        lambda route: route.fulfill(status=502, body="<html>Bad gateway</html>", content_type="text/html"),
        lambda route: route.fulfill(status=200, body='{"mult', content_type="application/json"),
    ],
    ids=["connection lost", "bad gateway", "cut short"],
)
def test_a_question_that_fails_once_is_asked_again(fail: Callable[[Route], None], unlucky: Visit, models: Zoo) -> None:
    failed = failing_once(unlucky, fail)
    unlucky.stroke((1, 0), (1, 7))
    unlucky.rest()
    assert failed
    unlucky.until(BACK)
    assert unlucky.page.evaluate("() => notReloaded")
    unlucky.shows_the_numbers_of_its_state(models)


def test_an_answer_that_comes_too_late_does_not_replace_a_newer_one(visits: Visits, server: Server, models: Zoo) -> None:
    visit = visits(server.address, apart=True)
    visit.expects_errors = True
    visit.install_clock()  # so that the page's patience ends at once
    visit.open()
    late = failing_once(visit, lambda _: None)  # held, not failed
    visit.stroke((2, 0), (2, 7))
    visit.until("() => seen.flying === 1")
    visit.stroke((5, 0), (5, 7))
    while len(visit.questions) < 2:  # the late one, and one instead of it
        visit.page.clock.fast_forward(5_000)
        visit.page.evaluate("() => fetch('/healthz')")
    visit.until("() => JSON.stringify(view.asked.pixels) === JSON.stringify(view.state.pixels)")
    late[0].continue_()
    visit.until("() => seen.flying === 0")
    visit.page.evaluate("() => fetch('/healthz')")  # whatever came of it has been handed on by then
    visit.shows_the_numbers_of_its_state(models)


def test_nothing_breaks_before_the_first_answer(visits: Visits, server: Server, models: Zoo) -> None:
    visit = visits(server.address)
    visit.expects_errors = True  # they are looked at here
    held = failing_once(visit, lambda _: None)  # held, not failed
    visit.page.goto(server.address + "?v=2")
    visit.page.wait_for_function("() => window.seen && seen.flying === 1")
    for button in ("play", "step-forward", "step-back", "to-start", "to-end", "loop", "theme", "tab-compare", "tab-integrated"):
        visit.page.locator(f"#{button}").click()
    visit.page.locator("#scrub").fill("3")
    visit.page.locator("#theme").click()
    visit.page.locator("#tab-saliency").click()
    visit.page.keyboard.press("Tab")
    visit.page.locator("#saliency-maps [role=application]").nth(1).focus()
    visit.press("ArrowRight", "ArrowDown")
    visit.page.locator("#saliency-maps [role=application]").nth(1).hover()
    visit.page.get_by_label("Enlarge: Gradient of P").click()
    visit.press("Escape")
    visit.page.locator("#tab-compare").click()
    visit.page.locator("#tab-methods").click()
    visit.page.locator("#methods-all > summary").click()
    assert visit.errors == []
    held[0].continue_()
    visit.rest()
    visit.shows_the_numbers_of_its_state(models)


def test_the_first_answer_may_be_late_too(visits: Visits, server: Server, models: Zoo) -> None:
    visit = visits(server.address)
    visit.expects_errors = True
    failing_once(visit, lambda route: route.abort("connectionreset"))
    visit.open("?v=2&net=digits&p=circle")
    assert visit.state["network"] == "digits"
    assert visit.text("picture-name") == "Circle"
    visit.shows_the_numbers_of_its_state(models)


def test_a_refusal_is_told_in_the_servers_words_and_asked_once(unlucky: Visit) -> None:
    shown = unlucky.numbers()
    refusal = "The steps must be a whole number from 1 to 500, not 'many'."
    asked = failing_once(unlucky, lambda route: route.fulfill(status=400, body=refusal, content_type="text/plain"))
    unlucky.stroke((1, 0), (1, 7))
    unlucky.until("(text) => document.getElementById('notices').textContent.includes(text)", refusal)
    assert len(asked) == 1
    assert unlucky.numbers() == shown  # the old numbers stay, and so does the picture
    assert unlucky.pixels[8:16] == [1] * 8
    assert unlucky.page.locator("#away").count() == 0


def test_numbers_of_an_earlier_picture_are_dimmed_until_the_new_ones_come(unlucky: Visit) -> None:
    held = failing_once(unlucky, lambda _: None)
    unlucky.stroke((1, 0), (1, 7))
    unlucky.until("() => document.getElementById('stage').getAttribute('aria-busy') === 'true'")
    assert float(unlucky.page.evaluate("() => getComputedStyle(document.getElementById('facts')).opacity")) < 1
    held[0].continue_()
    unlucky.rest()
    assert unlucky.page.evaluate("() => getComputedStyle(document.getElementById('facts')).opacity") == "1"
