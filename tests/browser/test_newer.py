"""A server that runs another version than the page: said once, never forced, and a reload keeps what was done."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Route

from explorer.models import Model
from explorer.version import version

from .conftest import Server
from .test_looks import AXE, violations
from .visit import QUESTION, Visit

Visits = Callable[..., Visit]
Zoo = Mapping[str, Model]
OWN, NEXT, LAST = "0" * 12, "1" * 12, "2" * 12
OFFERED = "() => document.getElementById('notices').textContent.includes('newer version')"
URGENT = "() => document.getElementById('notices').textContent.includes('cannot show')"
META = re.compile(r'<meta name="explorer-version" content="([^"]*)">')
NEWEST = "() => JSON.stringify(view.asked.pixels) === JSON.stringify(view.state.pixels)"


class Versions:
    """Says in the server's place of which version the page, its layout and each answer are, and may spoil the answers."""

    def __init__(self, visit: Visit) -> None:
        self.page: str | None = OWN
        self.replaced: str | None = None  # the version of the layout, where another replica gives it
        self.answers: list[str | None] = [OWN]  # the next ones; the last stays
        self.spoil: Callable[[dict[str, Any]], Any] = lambda answer: answer
        self.refusal: str | None = None  # what is said instead of an answer
        visit.page.route(lambda url: urlsplit(url).path == "/", self.html)
        visit.page.route("**/_dash-layout", self.layout)
        visit.page.route(f"**/{QUESTION}*", self.answer)

    def html(self, route: Route) -> None:
        if route.request.method == "HEAD":
            return route.continue_()
        response = route.fetch()
        own = f'<meta name="explorer-version" content="{self.page}">' if self.page else ""
        html, found = META.subn(own, response.text())
        assert found == 1
        return route.fulfill(response=response, body=html)

    def layout(self, route: Route) -> None:
        response = route.fetch()
        layout = response.json()
        config = next(part["props"] for part in layout["props"]["children"] if part["props"].get("id") == "config")
        config["children"] = json.dumps(json.loads(config["children"]) | {"build": self.replaced or self.page})
        route.fulfill(response=response, json=layout)

    def answer(self, route: Route) -> None:
        version = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        named = {"X-Explorer-Version": version} if version else {}
        if self.refusal:
            return route.fulfill(status=400, headers={"Content-Type": "text/plain"} | named, body=self.refusal)
        response = route.fetch()
        body = response.json()
        output = next(iter(body["response"]))
        body["response"][output]["data"] = json.dumps(self.spoil(json.loads(body["response"][output]["data"])))
        headers = {name: value for name, value in response.headers.items() if name not in ("x-explorer-version", "content-encoding")}
        return route.fulfill(status=response.status, headers=headers | named, body=json.dumps(body))


@pytest.fixture
def apart() -> None:
    """Asks for a context of the test's own, as what is put into a page before its scripts stays there."""


@pytest.fixture
def visit(visits: Visits, server: Server, request: pytest.FixtureRequest) -> Visit:
    """A visitor who has not opened the page yet."""
    return visits(server.address, apart="apart" in request.fixturenames)


@pytest.fixture
def versions(visit: Visit) -> Versions:
    """What this visitor hears of versions."""
    return Versions(visit)


def paint(visit: Visit) -> None:
    """Change the picture, and wait for its numbers."""
    visit.page.locator("#paint-invert").click()
    visit.until(NEWEST)
    visit.rest()


def reload(visit: Visit) -> None:
    """Press the notice's button, and wait for the numbers of the page that then opens."""
    visit.page.evaluate("() => (window.notReloaded = true)")
    visit.page.get_by_role("button", name="Reload").click()
    visit.page.wait_for_function("() => !window.notReloaded && window.explorer?.view?.answer")
    visit.rest()


def test_while_replicas_are_replaced_one_notice_is_enough(visit: Visit, versions: Versions, models: Zoo) -> None:
    visit.open()
    paint(visit)
    assert visit.text("notices") == ""
    versions.answers = [NEXT, OWN, NEXT, OWN, NEXT]
    for _ in range(5):
        paint(visit)
        assert visit.page.locator(".notice").count() == 1
    visit.shows_the_numbers_of_its_state(models)  # the answers are used all the same
    visit.page.get_by_label("Dismiss").click()
    paint(visit)
    assert visit.text("notices") == ""  # no nagging
    versions.answers = [LAST]
    paint(visit)
    assert visit.page.locator(".notice").count() == 1  # another one is news again


@pytest.mark.parametrize(("page", "answers"), [(None, NEXT), (OWN, None), (None, None), (OWN, OWN)])
def test_nothing_is_said_where_a_version_is_not_known_or_the_same(page: str | None, answers: str | None, visit: Visit, versions: Versions) -> None:
    versions.page, versions.answers = page, [answers]
    visit.open()
    paint(visit)
    assert visit.text("notices") == ""


def test_a_reload_keeps_the_state_and_what_can_be_undone(visit: Visit, versions: Versions, models: Zoo) -> None:
    visit.open("?v=2&net=digits&m=30&rule=midpoint&scale=own&pin=gradient,lime")
    visit.stroke((0, 0), (0, 7))
    visit.page.locator("#baselines [data-name=drawing]").click()
    visit.stroke((1, 0), (1, 7))
    visit.stroke((2, 0), (2, 7))
    visit.page.locator("#paint-undo").click()
    visit.to_tab("compare")
    versions.answers = [NEXT]
    visit.page.locator("#paint-undo").click()
    visit.until(OFFERED)
    visit.rest()
    state = visit.state
    assert state["drawing"] and state["pinned"] == ["gradient", "lime"] and state["tab"] == "compare"
    versions.page = NEXT
    reload(visit)
    assert visit.state == state
    assert visit.text("notices") == ""
    assert visit.page.evaluate("() => sessionStorage.length") == 0
    visit.shows_the_numbers_of_its_state(models)
    pixels = [visit.pixels]
    for button in ("paint-redo", "paint-redo", "paint-undo", "paint-undo", "paint-undo"):
        visit.page.locator(f"#{button}").click()
        pixels.append(visit.pixels)
    assert pixels[1][8:16] == [1] * 8 and pixels[2][16:24] == [1] * 8
    assert pixels[3:5] == [pixels[1], pixels[0]]
    assert visit.text("picture-name") == "Vertical edge"
    visit.page.reload()  # a reload of the visitor's own starts as ever
    visit.rest()
    assert visit.page.locator("#paint-undo").get_attribute("aria-disabled") == "true"


def test_a_reload_keeps_the_network_that_undo_brings_back(visit: Visit, versions: Versions) -> None:
    visit.open()
    versions.answers = [NEXT]
    visit.page.locator("#digits .digit").nth(3).click()
    visit.until(OFFERED)
    visit.rest()
    versions.page = NEXT
    reload(visit)
    assert visit.state["network"] == "digits"
    visit.page.locator("#paint-undo").click()
    visit.rest()
    assert visit.state["network"] == "shapes" and visit.text("picture-name") == "Vertical edge"


def test_pictures_that_an_earlier_version_kept_can_be_undone_and_what_is_unknown_is_dropped(visit: Visit) -> None:
    visit.open()
    done = [[0.5] * 64, {"pixels": [0.25] * 64, "network": "gone"}, {"network": "digits"}, {"pixels": [2] * 64}, None, 7]
    visit.page.evaluate(
        "(done) => sessionStorage.setItem('explorer-kept', JSON.stringify({ address: location.search, link: '?v=2', painting: { done, undone: 3 } }))", done
    )
    visit.page.reload()
    visit.rest()
    visit.page.locator("#paint-undo").click()
    visit.rest()
    assert visit.pixels == [0.5] * 64
    assert visit.page.locator("#paint-undo").get_attribute("aria-disabled") == "true"


@pytest.mark.usefixtures("apart")
def test_a_reload_without_storage_keeps_the_state(visit: Visit, versions: Versions) -> None:
    visit.page.add_init_script("Object.defineProperty(window, 'sessionStorage', { get() { throw new DOMException('refused', 'SecurityError'); } })")
    visit.open()
    visit.stroke((0, 0), (0, 7))
    versions.answers = [NEXT]
    paint(visit)
    state = visit.state
    versions.page = NEXT
    reload(visit)
    assert visit.state == state


def test_a_page_that_is_not_there_is_not_reloaded_into(visit: Visit, versions: Versions, server: Server) -> None:
    visit.expects_errors = True
    visit.open()
    versions.answers = [NEXT]
    paint(visit)
    visit.page.evaluate("() => (window.notReloaded = true)")
    visit.page.route(server.address + "*", lambda route: route.fulfill(status=502))
    visit.page.get_by_role("button", name="Reload").click()
    visit.until("() => document.getElementById('notices').textContent.includes('away just now')")
    assert visit.page.evaluate("() => notReloaded")
    assert visit.page.evaluate("() => sessionStorage.length") == 0


SPOILED = {
    "nothing in it": lambda answer: {"ask": answer["ask"]},
    "another path": lambda answer: {**answer, "path": {"unknown": []}},
    "not an object": lambda answer: None,
}


@pytest.mark.parametrize("how", SPOILED)
def test_an_answer_that_cannot_be_drawn_leaves_what_was_shown(how: str, visit: Visit, versions: Versions, models: Zoo) -> None:
    visit.open("?v=2&tab=integrated")
    shown = visit.numbers()
    versions.answers, versions.spoil = [NEXT], SPOILED[how]
    visit.page.locator("#paint-invert").click()
    visit.until(URGENT)
    assert visit.page.get_by_role("button", name="Reload").count() == 1
    assert visit.numbers() == shown
    visit.page.locator("#to-start").click()
    visit.press("ArrowRight")
    assert visit.text("step-shown") == "1 / 50"
    visit.page.get_by_label("Dismiss").click()
    versions.answers, versions.spoil = [OWN], lambda answer: answer  # a replica of the page's own version
    visit.until(NEWEST)
    visit.rest()
    visit.shows_the_numbers_of_its_state(models)
    assert visit.text("notices") == ""
    assert visit.errors == []


@pytest.mark.parametrize("how", ["nothing in it", "another path"])
def test_a_first_answer_that_cannot_be_drawn_offers_the_reload(how: str, visit: Visit, versions: Versions, models: Zoo) -> None:
    versions.answers, versions.spoil = [NEXT], SPOILED[how]
    visit.page.goto(visit.address + "?v=2&p=ring&net=digits")
    visit.page.wait_for_function("() => (document.getElementById('notices') || {}).textContent?.includes('cannot show')")
    assert not re.search(r"\d", visit.text("words") + visit.text("sees"))  # no number of an answer is said
    versions.page, versions.spoil = NEXT, lambda answer: answer
    reload(visit)
    assert visit.text("picture-name") == "Ring" and visit.state["network"] == "digits"
    visit.shows_the_numbers_of_its_state(models)
    assert visit.errors == []


def unreadable(answer: dict[str, Any]) -> dict[str, Any]:
    """An answer with a path that is written in a way that this page does not know."""
    return {**answer, "path": {**answer["path"], "gradients": "~new~"}}


def test_a_page_whose_layout_comes_from_a_newer_replica_knows_its_own_version(visit: Visit, versions: Versions, models: Zoo) -> None:
    versions.replaced = NEXT
    visit.open()
    assert visit.page.locator(".notice").count() == 1 and visit.page.evaluate(OFFERED)  # the layout is heard of
    shown = visit.numbers()
    versions.answers, versions.spoil = [NEXT], unreadable
    visit.page.locator("#paint-invert").click()
    visit.until(URGENT)
    assert visit.page.locator(".notice").count() == 1 and visit.numbers() == shown
    visit.stroke((0, 0), (0, 7))
    asked = len(visit.questions)
    versions.answers, versions.spoil = [OWN], lambda answer: answer  # a replica of the page's own version
    visit.until(NEWEST)
    visit.rest()
    assert len(visit.questions) == asked + 1  # of all that was painted meanwhile, only the newest is asked
    visit.shows_the_numbers_of_its_state(models)
    versions.page, versions.answers = NEXT, [NEXT]
    reload(visit)
    assert visit.text("notices") == ""
    visit.shows_the_numbers_of_its_state(models)
    assert visit.errors == []


def test_a_newer_page_with_an_older_layout_offers_the_reload_too(visit: Visit, versions: Versions, models: Zoo) -> None:
    versions.page, versions.replaced, versions.answers, versions.spoil = NEXT, OWN, [NEXT], unreadable
    visit.page.goto(visit.address + "?v=2&p=ring")
    visit.page.wait_for_function("() => window.explorer?.view?.state && document.getElementById('notices')?.textContent.includes('cannot show')")
    versions.replaced, versions.spoil = NEXT, lambda answer: answer
    reload(visit)
    assert visit.text("picture-name") == "Ring" and visit.text("notices") == ""
    visit.shows_the_numbers_of_its_state(models)
    assert visit.errors == []


def test_a_layout_that_the_scripts_cannot_start_with_is_loaded_again(visit: Visit, versions: Versions, models: Zoo) -> None:
    visit.expects_errors = True
    versions.replaced = NEXT
    visit.page.route("**/_dash-layout", without_a_tab, times=1)
    visit.page.goto(visit.address + "?v=2&p=ring")
    visit.page.wait_for_selector(".unopened")
    versions.replaced = None
    visit.page.wait_for_function("() => window.explorer?.view?.answer && !document.querySelector('.unopened')")
    visit.rest()
    assert visit.text("picture-name") == "Ring" and visit.text("notices") == ""
    visit.shows_the_numbers_of_its_state(models)


def without_a_tab(route: Route) -> None:
    """Fulfil with a layout in which the scripts miss something."""
    response = route.fetch()
    route.fulfill(response=response, body=response.text().replace("tab-compare", "tab-of-late"))


def test_the_page_its_layout_and_its_answers_name_one_version(visit: Visit) -> None:
    heard: list[str | None] = []
    visit.page.on("response", lambda response: QUESTION in response.url and heard.append(response.header_value("X-Explorer-Version")))
    visit.open("?v=2")
    named = visit.page.evaluate("() => [document.querySelector('meta[name=explorer-version]').content, explorer.view.config.build]")
    assert {*named, *heard} == {version()} and len(heard) == 1


@pytest.mark.usefixtures("apart")
@pytest.mark.parametrize("opened", [False, True])
def test_an_answer_of_the_pages_own_version_that_cannot_be_drawn_is_asked_for_again(opened: bool, visit: Visit, versions: Versions, models: Zoo) -> None:
    visit.expects_errors = True  # the page reports what is wrong with it
    visit.install_clock()
    if opened:
        visit.open()
    versions.spoil = unreadable
    if opened:
        visit.page.locator("#paint-invert").click()
    else:
        visit.page.goto(visit.address + "?v=2&p=ring")
        visit.page.wait_for_function("() => window.explorer?.hasStarted?.()")
    visit.let_pass_until("() => /could not be shown.*trying again/.test((document.getElementById('away') || {}).textContent)")
    assert any("atob" in error for error in visit.errors)
    assert visit.page.locator(".notice").count() == 1 and visit.page.get_by_role("button", name="Reload").count() == 0
    visit.stroke((0, 0), (0, 7))
    before = len(visit.questions)
    visit.let_pass(30_000)
    assert 2 <= len(visit.questions) - before <= 12  # the pause grows
    assert visit.page.evaluate("() => seen.most") == 1
    versions.spoil = lambda answer: answer
    visit.let_pass_until("() => view.asked && JSON.stringify(view.asked.pixels) === JSON.stringify(view.state.pixels)")
    visit.rest()
    assert visit.pixels[:8] == [1] * 8 and visit.text("notices") == ""
    visit.shows_the_numbers_of_its_state(models)


def test_a_refusal_by_another_version_is_not_the_last_word(visit: Visit, versions: Versions, models: Zoo) -> None:
    visit.expects_errors = True
    visit.open()
    shown = visit.numbers()
    versions.answers, versions.refusal = [NEXT], "There is no such setting."
    visit.page.locator("#paint-invert").click()
    visit.until(URGENT)
    assert "no such setting" not in visit.text("notices") and visit.page.locator(".notice").count() == 1
    assert visit.page.get_by_role("button", name="Reload").count() == 1
    assert visit.numbers() == shown
    versions.answers, versions.refusal = [OWN], None
    visit.until(NEWEST)
    visit.rest()
    visit.shows_the_numbers_of_its_state(models)


def test_methods_that_cannot_be_drawn_offer_the_reload(visit: Visit, versions: Versions) -> None:
    visit.open()
    versions.answers = [NEXT]
    versions.spoil = lambda answer: {"ask": answer["ask"], "methods": {name: {"map": 7} for name in answer["methods"]}}
    visit.to_tab("methods")
    visit.until(URGENT)
    assert visit.page.evaluate("() => Object.keys(explorer.knownResults()).length") == 0
    versions.spoil = lambda answer: answer
    visit.until("() => Object.keys(view.config.first).every((name) => explorer.resultOf(name)?.map)")
    assert visit.errors == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_no_violation_in_the_offer(theme: Any, visit: Visit, versions: Versions) -> None:
    visit.page.emulate_media(color_scheme=theme)
    visit.open()
    versions.answers = [NEXT]
    paint(visit)
    visit.page.evaluate("() => explorer.showTrouble('session', 'The server is away. Your picture and settings are kept; reconnecting…')")
    visit.page.evaluate(AXE)
    assert violations(visit) == []
