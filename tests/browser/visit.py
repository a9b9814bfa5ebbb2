"""One visitor: a page that is watched for errors and requests, and the few gestures that the tests share."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from html import escape
from typing import Any
from urllib.parse import urljoin, urlsplit

from packed import floats
from playwright.sync_api import BrowserContext, CDPSession, ConsoleMessage, Frame, Page, Request
from proxy import course

from explorer.models import Model
from explorer.page.answer import answer, needs_exact
from explorer.state import State

QUESTION = "_dash-update-component"
PATIENCE = 30_000  # ms, for a loaded machine; conditions are usually met within some tens
LOOKS = ("tab", "scale", "pinned", "options", "lab", "lab_settings")

# Runs before any script of the page: notes violations of the policy, questions in flight, entries in the history, and
# timers that may still ask something (those of a second or more only watch over the server).
WATCH = """
(() => {
  const seen = (window.seen = { violations: [], flying: 0, most: 0, questions: 0, entries: 0, timers: new Set() });
  document.addEventListener("securitypolicyviolation", (event) => seen.violations.push(`${event.violatedDirective} ${event.blockedURI}`));
  const fetched = window.fetch;
  window.fetch = async (...wanted) => {
    const asks = String(wanted[0] && wanted[0].url ? wanted[0].url : wanted[0]).includes("_dash-update-component");
    if (!asks) return fetched(...wanted);
    seen.questions++;
    seen.most = Math.max(seen.most, ++seen.flying);
    try {
      return await fetched(...wanted);
    } finally {
      seen.flying--;
    }
  };
  const push = history.pushState;
  history.pushState = (...values) => {
    seen.entries++;
    return push.apply(history, values);
  };
  const set = window.setTimeout;
  const clear = window.clearTimeout;
  window.setTimeout = (action, delay, ...values) => {
    const id = set((...given) => {
      seen.timers.delete(id);
      if (typeof action === "function") action(...given);
    }, delay, ...values);
    if (!(delay >= 1000)) seen.timers.add(id);
    return id;
  };
  window.clearTimeout = (id) => {
    seen.timers.delete(id);
    clear(id);
  };
})();
"""

# The numbers shown are those of the state, and nothing is under way that could ask again.
AT_REST = """
() => {
  const { view } = window.explorer ?? {};
  if (!view || !view.answer || seen.flying || seen.timers.size) return false;
  return Object.keys(view.state).every(
    (key) => ["tab", "scale", "pinned", "options", "lab", "lab_settings", "lesson", "lesson_step", "hide"].includes(key) || JSON.stringify(view.state[key]) === JSON.stringify(view.asked[key])
  );
}
"""
# Where the page's clock is Playwright's, which keeps a timer of its own going.
CAUGHT_UP = AT_REST.replace(" || seen.timers.size", "")


PACKED = ("gradients", "probability", "logit", "logit_gradient", "switches")

COURSE = "http://localhost"  # another site than 127.0.0.1


def alike(one: Any, other: Any, tolerance: float = 1e-9) -> bool:
    """Whether two answers, or parts of them, are equal up to the rounding of another process."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, int | float) and isinstance(other, int | float):
        return math.isclose(one, other, rel_tol=tolerance, abs_tol=1e-12)
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(
            alike(floats(one[name]).tolist(), floats(other[name]).tolist(), 1e-4) if name in PACKED else alike(one[name], other[name])
            for name in one
        )
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(alike(a, b, tolerance) for a, b in zip(one, other, strict=True))
    return bool(one == other)


def are_pythons_numbers(shown: dict[str, Any], state: dict[str, Any], models: Mapping[str, Model]) -> None:
    """The numbers that a page shows are the ones that Python gives for its state."""
    asked, exact = State.from_json(state, models), "integrated" in shown["narration"]
    assert exact or not needs_exact(asked)  # it may have been asked for by another tab
    expected = json.loads(json.dumps(answer(asked, models, exact=exact)))
    assert shown.keys() == expected.keys()
    differing = {name: (shown[name], expected[name]) for name in expected if not alike(shown[name], expected[name])}
    assert not differing


@contextmanager
def embedded(visit: Visit, attributes: str, link: str = "") -> Iterator[Frame]:
    """The visited explorer, at rest in an iframe of a page of another site; ``attributes`` are the iframe's."""
    address = escape(visit.address + link)
    page = f'<!DOCTYPE html><title>Course</title><link rel="icon" href="data:,"><iframe src="{address}" width="1200" height="900" {attributes}></iframe>'
    with course(page) as port:
        visit.friends.add(f"localhost:{port}")
        visit.page.goto(f"{COURSE}:{port}/")
        frame = visit.page.frames[1]
        frame.wait_for_function(AT_REST)
        yield frame


class Visit:
    """A page under watch. ``page`` is Playwright's; ``questions`` holds what was asked of the server so far."""

    def __init__(self, page: Page, address: str) -> None:
        self._page = page
        self._to_open: str | None = None  # the link of the page that is loaded when a test first uses it
        self.context: BrowserContext = page.context
        self.address = address
        self._requests: list[Request] = []
        self.errors: list[str] = []
        self.expects_errors = False  # a test that takes the server away sets it
        self.at_rest = AT_REST
        self.friends: set[str] = set()  # other hosts that a test itself sends the page to
        page.set_default_timeout(PATIENCE)
        self._heard: dict[Any, Callable[[Any], None]] = {
            "request": lambda request: self._requests.append(request),
            "pageerror": lambda error: self.errors.append(f"page error: {error}"),
            "console": self._hear,
        }
        for event, listener in self._heard.items():
            page.on(event, listener)

    def _hear(self, message: ConsoleMessage) -> None:
        # the browser itself asks for an icon where a page that is being left has none yet
        if message.type == "error" and not message.location.get("url", "").endswith("/favicon.ico"):
            self.errors.append(f"console: {message.text} ({message.location.get('url', '')})")

    # ---- coming and going

    @property
    def page(self) -> Page:
        """Playwright's page, loaded if that was put off."""
        if self._to_open is not None:
            self.open(self._to_open)
        return self._page

    @property
    def requests(self) -> list[Request]:
        """The requests so far, those of loading the page among them."""
        _ = self.page
        return self._requests

    def open_when_used(self, link: str = "") -> Visit:
        """Load the page when it is first used, unless ``open`` loads another one before: loading takes most of a test's time."""
        self._to_open = link
        return self

    def open(self, link: str = "") -> Visit:
        """Load the page and wait for its numbers."""
        self._to_open = None
        self.page.goto(self.address + link)
        self.rest()
        return self

    def rest(self) -> None:
        """Wait until the numbers shown are those of the state and nothing more will be asked."""
        self.page.wait_for_function(self.at_rest)

    def until(self, condition: str, *given: Any) -> None:
        """Wait for a condition on the page, an arrow function; ``view`` is the explorer's."""
        self.page.wait_for_function(f"(given) => {{ const {{ view }} = window.explorer ?? {{}}; return view && ({condition})(...given); }}", arg=list(given))

    def check(self) -> None:
        """Nothing went wrong in this visit, and all of it came from this server."""
        known = {urlsplit(self.address).netloc, *self.friends}
        foreign = [r.url for r in self._requests if r.url.startswith(("http", "ws")) and urlsplit(r.url).netloc not in known]
        assert not foreign, f"asked another host: {foreign}"
        if not self._page.is_closed():
            violations = self._page.evaluate("() => window.seen ? seen.violations : []")
            assert not violations, violations
        assert self.expects_errors or not self.errors, self.errors

    def empty(self, act: str, given: Any = None) -> None:
        """Do something on an empty page of the site, which the server need not have."""
        empty = urljoin(self.address, "/empty")
        self._page.route(empty, lambda route: route.fulfill(body='<link rel="icon" href="data:,">', content_type="text/html"))
        self._page.goto(empty)
        self._page.evaluate(act, given)
        self._page.unroute(empty)

    def leave(self) -> None:
        """Leave the page as if nobody had been there."""
        for event, listener in self._heard.items():
            self._page.remove_listener(event, listener)
        self._page.unroute_all()
        self._page.emulate_media(media="null", color_scheme="null", reduced_motion="null", forced_colors="null")
        # An empty page of the same site keeps the browser's process: the next load is then twice as fast.
        self.empty("() => (localStorage.clear(), sessionStorage.clear())")
        self._page.request_gc()  # else every further load is slower, by a half after a hundred

    # ---- what is seen

    @property
    def view(self) -> dict[str, Any]:
        """The explorer's view: state, asked, answer, step, pixel, chosen, method."""
        keys = "state asked answer step pixel chosen method".split()
        seen: dict[str, Any] = self.page.evaluate("keys => Object.fromEntries(keys.map((k) => [k, explorer.view[k]]))", keys)
        return seen

    @property
    def state(self) -> dict[str, Any]:
        """What the user chose."""
        state: dict[str, Any] = self.page.evaluate("() => explorer.view.state")
        return state

    @property
    def pixels(self) -> list[float]:
        """The painted picture."""
        pixels: list[float] = self.page.evaluate("() => explorer.view.state.pixels")
        return pixels

    def numbers(self) -> dict[str, Any]:
        """The answer shown, without what belongs to the request alone."""
        said: dict[str, Any] = self.page.evaluate("() => explorer.view.answer")
        return {name: value for name, value in said.items() if name not in ("ask", "state", "notices")}

    def shows_the_numbers_of_its_state(self, models: Mapping[str, Model]) -> None:
        """The page's numbers are the ones that Python gives for the page's state."""
        are_pythons_numbers(self.numbers(), self.state, models)

    @property
    def questions(self) -> list[Request]:
        """The requests for numbers so far."""
        return [r for r in self.requests if r.method == "POST" and QUESTION in r.url]

    @contextmanager
    def count_requests(self, expected: int | None = None) -> Iterator[list[Request]]:
        """The requests of any kind that the block makes, until the page is at rest; checked when a number is given."""
        before, made = len(self.requests), list[Request]()
        yield made
        self.rest()
        made += [r for r in self.requests[before:] if r.url.startswith("http")]
        assert expected is None or len(made) == expected, [f"{r.method} {r.url}" for r in made]

    def text(self, id: str) -> str:
        """The text of an element."""
        return self.page.locator(f"#{id}").inner_text()

    # ---- gestures

    def cell(self, row: float, column: float) -> tuple[float, float]:
        """Where the middle of a cell of the painting grid is, in CSS pixels of the window; the grid is brought there."""
        left, top, width, height = self.page.evaluate(
            """() => {
              const grid = document.getElementById("paint-grid");
              grid.scrollIntoView({ block: "nearest", behavior: "instant" });
              const { left, top, width, height } = grid.getBoundingClientRect();
              return [left, top, width, height];
            }"""
        )
        return left + width * (column + 0.5) / 8, top + height * (row + 0.5) / 8

    def stroke(self, *cells: tuple[float, float], button: Any = "left") -> None:
        """Paint with the mouse through the middles of some cells."""
        mouse = self.page.mouse
        mouse.move(*self.cell(*cells[0]))
        mouse.down(button=button)
        for cell in cells[1:]:
            mouse.move(*self.cell(*cell))
        mouse.up(button=button)

    def to_tab(self, name: str) -> None:
        """Show one of the three tabs."""
        self.page.locator(f"#tab-{name}").click()
        self.until("(name) => view.state.tab === name", name)

    def choose(self, id: str, value: str) -> None:
        """Choose an option of a setting, and wait until it has reached the state."""
        if id == "baseline":
            self.page.locator(f"#baselines [data-name={value}]").click()
        else:
            self.page.locator(f"#{id}").select_option(value)
        self.until("([name, value]) => String(view.state[name]) === value", [id, value])

    def enter(self, id: str, value: str) -> None:
        """Type a number, and wait until it has reached the state."""
        self.page.locator(f"#{id}").fill(value)
        self.until("([name, value]) => String(view.state[name]) === value", [id, value])

    def press(self, *keys: str) -> None:
        """Press keys one after another."""
        for key in keys:
            self.page.keyboard.press(key)

    def install_clock(self) -> None:
        """From the next page on, time passes as ever, and faster with ``let_pass``."""
        self.page.clock.install()
        self.at_rest = CAUGHT_UP

    def let_pass(self, milliseconds: int) -> None:
        """Let time pass in a page whose clock is installed, with what comes over the network meanwhile."""
        portion = min(milliseconds, max(500, milliseconds // 20))
        for _ in range(0, milliseconds, portion):
            self.page.clock.run_for(portion)
            self.page.evaluate("() => fetch('/healthz').catch(() => null)")  # comes after what was asked before

    def let_pass_until(self, condition: str, *given: Any) -> None:
        """Let time pass in such a page until a condition holds."""
        end = time.monotonic() + PATIENCE / 1000
        while not self.page.evaluate(f"(given) => {{ const {{ view }} = window.explorer ?? {{}}; return view && ({condition})(...given); }}", list(given)):
            assert time.monotonic() < end, f"waited in vain for {condition}"
            self.let_pass(500)

    def devtools(self) -> CDPSession:
        """Chromium's own protocol, for what Playwright has no call for."""
        return self.context.new_cdp_session(self.page)


Open = Callable[..., Visit]
