"""When the server has no room, or something stands in its place: the page waits as befits it, quietly at first."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from itertools import product
from typing import Any

import pytest
from playwright.sync_api import Route

from explorer.models import Model

from .conftest import Server
from .visit import QUESTION, Visit

Visits = Callable[..., Visit]
Zoo = Mapping[str, Model]
BUSY = "() => /Many are asking/.test((document.getElementById('away') || {}).textContent)"
AWAY = "() => /server is away/.test((document.getElementById('away') || {}).textContent)"
BACK = "() => !document.getElementById('away')"
NEWEST = "() => JSON.stringify(view.asked.pixels) === JSON.stringify(view.state.pixels)"
# Notes why the page waits and for how many seconds it is asked to, and makes every pause a short one.
HURRY = "() => { window.paused = []; explorer.Retry.prototype.pause = (failure) => (paused.push([failure.constructor.name, failure.seconds]), 20); }"


@pytest.fixture
def patient(visits: Visits, server: Server) -> Visit:
    """A visitor at whose page time can be made to pass."""
    visit = visits(server.address, apart=True)
    visit.expects_errors = True
    visit.install_clock()
    visit.open()
    return visit


def answering(visit: Visit, status: int, body: str = "", **headers: str) -> Callable[[], None]:
    """Have every question answered so, until what is returned is called."""
    visit.page.route(f"**/{QUESTION}*", lambda route: route.fulfill(status=status, body=body, headers=headers))
    return lambda: visit.page.unroute_all()


def test_a_busy_server_is_asked_again_quietly_and_with_the_newest_state(patient: Visit, models: Zoo) -> None:
    room = answering(patient, 503, "The server is busy.", **{"Retry-After": "1"})
    patient.stroke((0, 0), (0, 7))
    patient.let_pass(1_000)
    assert patient.page.evaluate(BACK)  # said nothing yet
    patient.stroke((1, 0), (1, 7))
    patient.let_pass_until(BUSY)
    before = len(patient.questions)
    patient.stroke((2, 0), (2, 7))
    patient.let_pass(40_000)
    assert patient.page.evaluate(BUSY)
    assert 1 <= len(patient.questions) - before <= 10
    assert patient.page.evaluate("() => seen.most") == 1
    assert patient.text("notices").count("Many are asking") == 1
    room()
    answered = len(patient.questions)
    patient.let_pass_until(NEWEST)
    assert len(patient.questions) == answered + 1  # of all that was painted meanwhile, only the newest is asked
    assert patient.page.evaluate(BACK)
    patient.shows_the_numbers_of_its_state(models)


def test_a_rush_that_is_over_at_once_is_not_spoken_of(patient: Visit, models: Zoo) -> None:
    patient.page.evaluate(
        """() => new MutationObserver(() => (window.noticed = true)).observe(document.getElementById("notices"), { childList: true })"""
    )
    room = answering(patient, 503, **{"Retry-After": "1"})
    patient.stroke((0, 0), (0, 7))
    patient.let_pass(250)
    room()
    patient.let_pass_until(NEWEST)
    patient.shows_the_numbers_of_its_state(models)
    assert not patient.page.evaluate("() => window.noticed")


def test_the_page_waits_as_long_as_it_is_told_within_reason(visit: Visit) -> None:
    visit.expects_errors = True
    told = {"3": 3, " 4 ": 4, "0": 1, "600": 10, "soon": 2, "-5": 2, "1.5": 2, "Wed, 21 Oct 2026 07:28:00 GMT": 2, None: 2}
    for status, (header, seconds) in product((503, 429), told.items()):
        visit.page.evaluate(HURRY)
        room = answering(visit, status, **({"Retry-After": header} if header else {}))
        visit.page.locator("#paint-invert").click()
        visit.page.wait_for_function("() => paused.length > 1")
        room()
        visit.rest()
        assert visit.page.evaluate("() => paused")[0] == ["Busy", seconds], (status, header)


def test_what_a_proxy_or_a_hotspot_says_is_a_server_away(patient: Visit, models: Zoo) -> None:
    said = [
        (502, "text/html", "<html>Bad gateway</html>"),
        (504, "text/html", "<html>Gateway time-out</html>"),
        (522, "text/html", "<html></html>"),
        (200, "text/html", "<html>Sign in to the network</html>"),
        (200, "application/json", '{"multi": true}'),
        (204, "text/plain", ""),
    ]
    for row, (status, kind, body) in enumerate(said):
        there = answering(patient, status, body, **{"Content-Type": kind})
        patient.stroke((row, 0), (row, 7))
        patient.let_pass_until(AWAY)
        there()
        patient.let_pass_until(BACK)
        patient.rest()
        patient.shows_the_numbers_of_its_state(models)


def test_another_program_at_the_address_is_named_and_asked_seldom(patient: Visit, models: Zoo) -> None:
    for row, status in enumerate((401, 403, 404, 405, 415, 500)):
        shown = patient.numbers()
        there = answering(patient, status, "<html>not the explorer</html>", **{"Content-Type": "text/html"})
        before = len(patient.questions)
        patient.stroke((row, 0), (row, 7))
        patient.let_pass_until("(said) => document.getElementById('notices').textContent.includes(said)", "Something")
        said = patient.text("notices")
        assert "kept; trying again" in said and "html" not in said
        assert status == 500 or str(status) in said
        patient.let_pass(60_000)
        assert 2 <= len(patient.questions) - before <= 7, status
        assert patient.numbers() == shown and patient.pixels[8 * row : 8 * row + 8] == [1] * 8
        there()
        patient.let_pass_until(BACK)
        patient.rest()
        patient.shows_the_numbers_of_its_state(models)


def test_a_refusal_that_is_a_proxys_own_page_is_not_shown_as_it_is(visit: Visit) -> None:
    visit.expects_errors = True
    answering(visit, 413, "<html>Request Entity Too Large</html>", **{"Content-Type": "text/html"})
    visit.page.locator("#paint-invert").click()
    visit.until("() => document.querySelector('.notice')")
    assert visit.text("notices") == "The question was refused (413)."


def methods_only(handle: Callable[[Route], Any]) -> Callable[[Route], Any]:
    """Handle questions about single methods so; let all others pass."""
    return lambda route: handle(route) if json.loads(route.request.post_data or "{}")["output"] == "method-answers.data" else route.continue_()


SIX_THERE = "() => Object.keys(view.config.first).every((name) => (explorer.resultOf(name) || {}).map)"


def test_methods_wait_for_a_busy_server_too_and_strokes_go_first(patient: Visit, models: Zoo) -> None:
    patient.page.route(f"**/{QUESTION}*", methods_only(lambda route: route.fulfill(status=503, headers={"Retry-After": "2"})))
    patient.to_tab("methods")
    patient.let_pass_until(BUSY)
    before = len(patient.questions)
    patient.page.locator("#methods-all > summary").click()  # more is wanted now
    patient.page.locator("#methods-sort").select_option("year")
    patient.let_pass(40_000)
    assert 1 <= len(patient.questions) - before <= 10
    patient.stroke((0, 0), (0, 7))
    patient.let_pass_until(NEWEST)
    patient.shows_the_numbers_of_its_state(models)
    patient.page.unroute_all()
    patient.let_pass_until(SIX_THERE)
    assert patient.page.evaluate(BACK)


def test_a_question_about_methods_gives_way_to_a_stroke(visits: Visits, server: Server, models: Zoo) -> None:
    visit = visits(server.address, apart=True).open()  # with a page of its own, which nobody else hears
    visit.expects_errors = True
    dropped: list[str] = []
    visit.page.on("requestfailed", lambda request: dropped.append(json.loads(request.post_data or "{}")["output"]))
    held: list[Route] = []
    visit.page.route(f"**/{QUESTION}*", methods_only(lambda route: route.continue_() if held else held.append(route)))
    visit.to_tab("methods")
    visit.until("() => seen.flying === 1")
    visit.stroke((0, 0), (0, 7))
    visit.until(NEWEST)
    assert dropped == ["method-answers.data"]
    visit.until(SIX_THERE)
    visit.shows_the_numbers_of_its_state(models)


def test_methods_are_asked_for_again_when_the_question_that_went_first_is_refused(visit: Visit) -> None:
    visit.expects_errors = True
    refusing: list[Route] = []

    def handle(route: Route) -> None:
        if not refusing and json.loads(route.request.post_data or "{}")["output"] == "explanation.data":
            refusing.append(route)
            route.fulfill(status=400, body="That would take too long.", content_type="text/plain")
        else:
            route.continue_()

    visit.page.route(f"**/{QUESTION}*", handle)
    visit.to_tab("methods")
    visit.page.locator("#paint-invert").click()
    visit.until("() => document.getElementById('notices').textContent.includes('too long')")
    visit.until(SIX_THERE)
