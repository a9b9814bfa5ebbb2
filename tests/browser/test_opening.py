"""When the page itself comes late or in part: it says so in words, and opens by itself when it can."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress

import pytest
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Route

from explorer.models import Model

from .conftest import Server
from .test_looks import AXE, violations
from .visit import PATIENCE, QUESTION, Visit

Visits = Callable[..., Visit]
Zoo = Mapping[str, Model]
UNOPENED = "() => document.querySelector('.unopened') && /trying again/.test(document.querySelector('.unopened').textContent)"


@pytest.fixture
def early(visits: Visits, server: Server) -> Visit:
    """A visitor in a context of their own, whose browser may report what does not come."""
    visit = visits(server.address, apart=True)
    visit.expects_errors = True
    return visit


def busy(route: Route) -> None:
    route.fulfill(status=503, body="The server is busy.", headers={"Retry-After": "1"})


def lost(route: Route) -> None:
    route.abort("connectionreset")


@pytest.mark.parametrize(
    ("file", "fail"),
    [
        ("**/_dash-layout", busy),
        ("**/_dash-dependencies", busy),
        ("**/explorer.js", lost),
        ("**/dash.js", busy),
        ("**/explorer.css", lost),
    ],
    ids=["layout", "dependencies", "own scripts", "Dash", "stylesheet"],
)
def test_a_page_that_comes_in_part_says_so_and_opens_when_it_can(file: str, fail: Callable[[Route], None], early: Visit, models: Zoo) -> None:
    early.page.route(file, fail)
    early.page.goto(early.address + "?v=2&p=ring")
    early.page.wait_for_function(UNOPENED)
    early.page.unroute_all()
    early.page.wait_for_function("() => window.explorer?.view?.answer && !document.querySelector('.unopened')")
    early.rest()
    assert early.text("picture-name") == "Ring"
    assert early.page.evaluate("() => sessionStorage.length") == 0
    early.shows_the_numbers_of_its_state(models)


def test_a_layout_that_never_comes_is_told_of_and_it_may_come_late(early: Visit, models: Zoo) -> None:
    held: list[Route] = []
    early.page.route("**/_dash-layout", lambda route: held.append(route))
    early.install_clock()
    early.page.goto(early.address)
    early.page.wait_for_function("() => window.DashRenderer")
    early.page.clock.run_for(15_500)
    early.page.wait_for_function(UNOPENED)
    held[0].continue_()
    early.page.clock.run_for(250)
    early.page.wait_for_function("() => window.explorer?.hasStarted?.()")
    early.page.clock.run_for(5_000)  # the time for trying again: there is no need to
    early.page.wait_for_function("() => !document.querySelector('.unopened')")
    early.rest()
    assert len(held) == 1
    early.shows_the_numbers_of_its_state(models)


def test_a_page_that_is_not_there_is_not_loaded_again(early: Visit, server: Server) -> None:
    early.page.route("**/_dash-layout", busy)
    early.install_clock()
    early.page.goto(early.address)
    early.page.wait_for_function(UNOPENED)
    early.page.evaluate("() => (window.notReloaded = true)")
    asked: list[str] = []

    def away(route: Route) -> None:
        asked.append(route.request.method)
        route.abort("connectionrefused")

    early.page.route(server.address, away)
    while len(asked) < 4:
        early.let_pass(5_000)
    assert early.page.evaluate("() => notReloaded")
    assert set(asked) == {"HEAD"}
    early.page.unroute_all()
    end = time.monotonic() + PATIENCE / 1000
    with suppress(PlaywrightError):  # the page is left under our hands
        while early.page.evaluate("() => window.notReloaded") and time.monotonic() < end:
            early.let_pass(5_000)
    early.page.wait_for_function("() => window.explorer?.view")
    early.let_pass_until("() => view.answer")
    assert early.page.evaluate("() => window.notReloaded") is None


def test_a_crowded_opening_is_honest_about_it(early: Visit, models: Zoo) -> None:
    early.page.route(f"**/{QUESTION}*", busy)
    early.install_clock()
    early.page.goto(early.address + "?v=2&p=ring&net=digits")
    early.page.wait_for_function("() => window.explorer?.hasStarted?.()")
    early.let_pass_until("() => /first numbers/.test(document.getElementById('words').textContent)")
    assert early.text("sees") == "Opening…"
    assert early.page.locator("#away").count() == 0
    early.let_pass_until("() => /Many are asking/.test((document.getElementById('away') || {}).textContent)")
    early.page.evaluate(AXE)
    assert [said for said in violations(early) if "color-contrast" not in said] == []  # what is not there yet is dim
    early.page.unroute_all()
    early.let_pass_until("() => view.answer")
    early.rest()
    assert early.text("picture-name") == "Ring" and early.state["network"] == "digits"
    assert early.page.locator("#away").count() == 0 and early.text("sees").startswith("Seen as")
    early.shows_the_numbers_of_its_state(models)


@pytest.mark.parametrize(("link", "questions"), [("", 0), ("?v=2&p=ring", 1), ("?utm_source=course", 1)])
def test_an_address_without_a_link_opens_without_a_question(link: str, questions: int, visits: Visits, server: Server, models: Zoo) -> None:
    visit = visits(server.address, apart=True).open(link)
    assert len(visit.questions) == questions
    visit.shows_the_numbers_of_its_state(models)
    visit.stroke((1, 0), (1, 7))
    visit.rest()
    assert len(visit.questions) == questions + 1
    visit.shows_the_numbers_of_its_state(models)
