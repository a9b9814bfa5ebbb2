"""The page in Firefox: it opens, paints, plays, steps, scrolls and opens links. Only `make test-firefox` runs this."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from explorer.models import Model

from .conftest import Server
from .firefox import NAMES, Firefox, find_firefox
from .visit import are_pythons_numbers

CONTROL, LEFT = "\ue009", "\ue012"  # as WebDriver writes these keys
AT_REST = "view.answer && JSON.stringify([view.state.pixels, view.state.steps]) === JSON.stringify([view.asked.pixels, view.asked.steps]) && !explorer.isAsking()"
WATCH = """
window.faults = [];
addEventListener("error", (event) => faults.push(event.message));
addEventListener("unhandledrejection", (event) => faults.push(String(event.reason)));
addEventListener("securitypolicyviolation", (event) => faults.push(event.violatedDirective + event.blockedURI));
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    server = Server(WORKERS="2")
    server.command = ["-m", "tests.browser.exposed"]
    try:
        yield server.start().warm()
    finally:
        server.stop()


@pytest.fixture(scope="module")
def browser() -> Iterator[Firefox]:
    path = find_firefox()
    assert path, f"no Firefox: set FIREFOX to one, or install any of {', '.join(NAMES)}"
    with Firefox(path, 1440, 1100) as firefox:
        yield firefox


@pytest.fixture
def firefox(browser: Firefox, server: Server) -> Iterator[Firefox]:
    """The page in its opening state; nothing may go wrong on it."""
    load(browser, server)
    yield browser
    assert browser.run("return faults") == []


def load(firefox: Firefox, server: Server, link: str = "") -> None:
    """Load the page, and wait for its numbers."""
    firefox.open(server.address + link)
    firefox.run("const script = document.createElement('script'); script.type = 'module'; script.src = arguments[0]; document.head.append(script)", "/expose.js")
    firefox.until(AT_REST)
    firefox.run(WATCH)


def numbers(firefox: Firefox) -> dict[str, Any]:
    """The answer shown, without what belongs to the request alone."""
    said = firefox.run("return explorer.view.answer")
    return {name: value for name, value in said.items() if name not in ("ask", "state", "notices")}


def state(firefox: Firefox) -> dict[str, Any]:
    """What the user chose."""
    chosen: dict[str, Any] = firefox.run("return explorer.view.state")
    return chosen


def middle(firefox: Firefox, selector: str, row: float = 3.5, column: float = 3.5) -> tuple[float, float]:
    """Where an element's middle is in the window, or a cell's middle where it is the grid; it is brought there."""
    left, top, width, height = firefox.run(
        """const element = document.querySelector(arguments[0]);
        element.scrollIntoView({ block: "center", behavior: "instant" });
        const { left, top, width, height } = element.getBoundingClientRect();
        return [left, top, width, height];""",
        selector,
    )
    return left + width * (column + 0.5) / 8, top + height * (row + 0.5) / 8


def painted(firefox: Firefox) -> set[tuple[int, int]]:
    """The white cells, as (row, column)."""
    return {(i // 8, i % 8) for i, value in enumerate(state(firefox)["pixels"]) if value == 1}


def test_mouse_and_finger_paint_and_keys_undo(firefox: Firefox, models: Mapping[str, Model]) -> None:
    are_pythons_numbers(numbers(firefox), state(firefox), models)
    firefox.stroke("mouse", middle(firefox, "#paint-clear"))
    for kind, row in (("mouse", 1), ("touch", 5)):
        firefox.stroke(kind, *(middle(firefox, "#paint-grid", row, column) for column in (1, 6)))
    both = {(row, column) for row in (1, 5) for column in range(1, 7)}
    assert painted(firefox) == both
    firefox.stroke("mouse", *(middle(firefox, "#paint-grid", row, column) for row, column in ((1, 6), (1, 12), (3, 12))))
    firefox.stroke("mouse", middle(firefox, "#paint-grid", 3, 3))
    assert painted(firefox) == both | {(1, 7), (3, 3)}, "a stroke ends outside"
    firefox.press(CONTROL, "z")
    firefox.press(CONTROL, "z")
    assert painted(firefox) == both
    firefox.press(CONTROL, "y")
    assert painted(firefox) == both | {(1, 7)}
    firefox.until(AT_REST)
    are_pythons_numbers(numbers(firefox), state(firefox), models)


def test_it_plays_and_steps_after_a_click_on_the_tab(firefox: Firefox) -> None:
    firefox.stroke("mouse", middle(firefox, "#tab-integrated"))
    firefox.until(f"view.answer.exact && ({AT_REST})")  # the first look asks for the exact path
    firefox.run('document.getElementById("speed").value = "60"; window.steps = []; explorer.on("step", (step) => steps.push(step));')
    firefox.press(" ")
    firefox.until("steps.length && view.step === view.path.count && document.getElementById('play').textContent === 'Play'")
    steps = firefox.run("return steps")
    assert steps[0] == 0 and steps == sorted(steps) and steps[-1] == 50
    firefox.press(LEFT)
    assert firefox.run("return [explorer.view.step, explorer.view.state.tab]") == [49, "integrated"]
    assert firefox.run("return document.getElementById('step-shown').innerText") == "49 / 50"


def test_a_link_shows_the_same_numbers_again(firefox: Firefox, server: Server, models: Mapping[str, Model]) -> None:
    load(firefox, server, "?v=2&net=digits&rule=exact&base=blur&out=logit")
    firefox.stroke("mouse", *(middle(firefox, "#paint-grid", row, column) for row, column in ((0, 0), (6, 3), (2, 7))))
    firefox.until(AT_REST)
    link, shown, chosen = firefox.run("return explorer.link()"), numbers(firefox), state(firefox)
    assert firefox.run("return location.search") == link and "px=" in link
    load(firefox, server)
    assert state(firefox) != chosen
    load(firefox, server, link)
    assert (state(firefox), numbers(firefox)) == (chosen, shown)
    are_pythons_numbers(shown, chosen, models)


def test_the_wheel_scrolls_the_page_over_a_focused_field(firefox: Firefox) -> None:
    firefox.call("WebDriver:SetWindowRect", width=1000, height=600)
    for field in ("steps", "rule"):
        place = middle(firefox, f"#{field}")
        firefox.run("document.getElementById(arguments[0]).focus()", field)
        was, top = firefox.run("return [document.getElementById(arguments[0]).value, scrollY]", field)
        firefox.wheel(place, 120)
        firefox.until("scrollY > arguments[0] + 20", top)
        assert firefox.run("return document.getElementById(arguments[0]).value", field) == was, field
    firefox.call("WebDriver:SetWindowRect", width=1440, height=1100)
