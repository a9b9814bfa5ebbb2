"""The card of a lesson in the browser: marks, the keyboard, what a link hides, phones and projectors, accessibility."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import TimeoutError as WaitedInVain

from explorer.hiding import HIDEABLE

from .conftest import Server
from .test_lessons import CARD, LESSONS, PHASE, open_lesson, phase, predict
from .test_looks import AXE, violations
from .visit import Visit

Visits = Callable[..., Visit]


def test_marks_come_before_the_map_and_their_overlap_is_told(visits: Visits, server: Server) -> None:
    visit = visits(server.address)
    open_lesson(visit, "walk-the-path")
    canvas = visit.page.locator("#map-sum canvas")
    assert canvas.evaluate("(canvas) => getComputedStyle(canvas).visibility") == "hidden"
    cells = visit.page.locator(f"{CARD} .to-mark .mark-cell")
    cells.first.focus()
    top = visit.page.evaluate("() => { const m = explorer.view.answer.methods.integrated_gradients.map; return m.map((_, i) => i).sort((a, b) => Math.abs(m[b]) - Math.abs(m[a])).slice(0, 8); }")
    others = [i for i in range(64) if i not in top][:3]
    show = visit.page.get_by_role("button", name="Show the map")
    show.click(force=True)
    assert phase(visit) == "predict"  # not before all are marked
    for i in (*top[:5], *others):
        cells.nth(i).click()
    cells.nth(63 if 63 not in (*top, *others) else 62).click()  # one too many is not taken
    assert "8 of 8 marked" in visit.page.locator(CARD).inner_text()
    show.click()
    visit.until(PHASE, "explain")
    assert "5 of your 8 pixels are among the 8 strongest of the map. By chance it would be about 1." in visit.page.locator(CARD).inner_text()
    assert canvas.evaluate("(canvas) => getComputedStyle(canvas).visibility") == "visible"
    assert visit.page.locator(f"{CARD} .mark-grid .yours").count() == 8 and visit.page.locator(f"{CARD} .mark-grid .strong").count() == 8


def test_marks_can_be_set_by_keyboard(visits: Visits, server: Server) -> None:
    visit = visits(server.address)
    open_lesson(visit, "walk-the-path")
    visit.page.locator(f"{CARD} .to-mark .mark-cell").first.focus()
    for _ in range(8):
        visit.press("Space", "ArrowDown" if _ % 2 else "ArrowRight")
    assert "8 of 8 marked" in visit.page.locator(CARD).inner_text()
    visit.page.get_by_role("button", name="Show the map").focus()
    visit.press("Enter")
    visit.until(PHASE, "explain")


def test_the_card_is_read_out_and_traps_no_focus(visits: Visits, server: Server) -> None:
    visit = visits(server.address)
    open_lesson(visit, "sure-and-silent")
    assert visit.page.locator(f"{CARD} .lesson-said").get_attribute("role") == "status"
    visit.page.locator(f"{CARD} .lesson-choice").nth(1).focus()
    visit.press("Enter")
    visit.page.get_by_role("button", name="Show me where").focus()
    visit.press("Enter")
    assert visit.page.evaluate("() => document.activeElement.classList.contains('lesson-target')")
    visit.press("Enter")
    visit.until(PHASE, "explain")
    visit.page.locator(f"{CARD} .lesson-next").focus()
    visit.press("Tab")
    assert not visit.page.evaluate("() => document.querySelector('#lesson-card').contains(document.activeElement)")


@pytest.mark.parametrize("name", HIDEABLE)
def test_a_link_hides_a_group_of_controls(name: str, visits: Visits, server: Server) -> None:
    places = {"integrated": "compare", "compare": "integrated", "smoothgrad": "compare"}
    selectors = {
        "baseline": "#baselines", "class": "#target, #scores", "concepts": "#concepts", "digits": "#digits", "figures": "#facts", "network": "#network", "output": "#output",
        "patterns": "#patterns", "player": "#play", "rule": "#rule, #steps", "smoothgrad": "#samples", "tools": "#brush",
    }  # fmt: skip
    selector = selectors.get(name, f"#tab-{name}")
    visible = "(selector) => [...document.querySelectorAll(selector)].map((one) => one.checkVisibility())"
    visit = visits(server.address).open(f"?tab={places.get(name, 'integrated')}&v=2")
    assert all(visit.page.evaluate(visible, selector))
    visit.open(f"?tab={places.get(name, 'integrated')}&hide={name}&v=2")
    assert not any(visit.page.evaluate(visible, selector)) and f"hide={name}" in visit.page.url


def test_a_link_hides_nothing_that_the_open_step_points_at(visits: Visits, server: Server) -> None:
    visit = visits(server.address)
    open_lesson(visit, "does-it-add-up", 2, "&hide=network,rule,player")
    seen = "() => ['network', 'steps', 'play'].map((id) => document.getElementById(id).checkVisibility())"
    assert visit.page.evaluate(seen) == [False, True, False]
    visit.page.locator(f"{CARD} .lesson-dot").first.click()
    visit.until("() => view.state.lesson_step === 1")
    assert visit.page.evaluate(seen) == [False, False, True] and len(visit.state["hide"]) == 3
    visit.page.get_by_role("button", name="Leave the lesson").click()
    visit.page.locator(CARD).wait_for(state="hidden")
    assert visit.page.evaluate(seen) == [False, False, False]


# ---- phones, projectors, accessibility


UNCOVERED = """() => {
  const { left, right, top, bottom } = document.querySelector(".lesson-target").getBoundingClientRect();
  const card = document.querySelector("#lesson-card").getBoundingClientRect();
  const below = right > card.left && left < card.right; // the card is a sheet, not beside it
  const covered = below && bottom > card.top && top < card.bottom;
  const room = below && card.top > innerHeight / 3 ? card.top : innerHeight;
  const inView = bottom - top > room ? top < room / 2 : top >= 0 && bottom <= innerHeight;
  return right > left && inView && (!covered || bottom - top > room);
}"""


@pytest.mark.parametrize(("width", "height", "present"), [(390, 664, False), (1366, 768, True), (1366, 768, False)])
def test_the_control_that_a_step_speaks_of_is_in_view(width: int, height: int, present: bool, visits: Visits, server: Server) -> None:
    visit = visits(server.address, viewport={"width": width, "height": height}, apart=True)
    wrong = {}
    for name, lesson in LESSONS.items():
        open_lesson(visit, name)
        if present:
            visit.page.locator("#present").click()
            assert visit.page.locator(CARD).is_visible()
        for number, step in enumerate(lesson.steps, 1):
            visit.page.locator(f"{CARD} .lesson-dot").nth(number - 1).evaluate("(dot) => dot.click()")
            visit.until("(number) => view.state.lesson_step === number", number)
            visit.rest()
            if step.mark or not step.points:
                continue
            if step.choices:
                visit.page.locator(f"{CARD} .lesson-choice").first.click()
            place = f"{name}, step {number}"
            assert visit.page.locator(".lesson-target").count() == 1, place
            try:
                visit.page.wait_for_function(UNCOVERED, timeout=3000)  # the page scrolls smoothly
            except WaitedInVain:
                wrong[place] = visit.page.locator(".lesson-target").bounding_box()
    assert not wrong


def test_a_phone_shows_the_map_that_the_step_speaks_of(visits: Visits, server: Server) -> None:
    visit = visits(server.address, viewport={"width": 390, "height": 664})
    for name, number, beside in [("walk-the-path", 1, "sum"), ("walk-the-path", 2, "gradient"), ("walk-the-path", 3, "sum"), ("sure-and-silent", 1, "gradient")]:
        open_lesson(visit, name, number)
        assert visit.page.locator(f".cell-{beside}").is_visible() and visit.page.locator("#half input:checked").input_value() == beside


def test_the_step_to_mark_in_has_room_on_a_small_phone_and_tells_nothing_of_the_map(visits: Visits, server: Server) -> None:
    visit = visits(server.address, viewport={"width": 390, "height": 664})
    open_lesson(visit, "walk-the-path")
    assert visit.page.locator(f"{CARD} .lesson-scroll").evaluate("(one) => one.scrollHeight <= one.clientHeight")
    assert visit.page.get_by_role("button", name="Skip the prediction").count() == 0  # there would be nothing left to do
    visit.page.set_viewport_size({"width": 1366, "height": 768})
    told = "() => ['#map-sum .map-figure', '#map-sum .map-caption', '#map-sum .map-foot', '#gauge', '#headline'].map((one) => getComputedStyle(document.querySelector(one)).visibility)"
    assert set(visit.page.evaluate(told)) == {"hidden"}
    predict(visit, LESSONS["walk-the-path"].steps[0], right=True)
    visit.until(PHASE, "explain")
    assert set(visit.page.evaluate(told)) == {"visible"}


@pytest.mark.parametrize(("width", "height"), [(390, 844), (390, 664), (360, 780), (820, 1180), (1024, 768), (1366, 650)])
def test_the_card_fits_and_nothing_scrolls_sideways(width: int, height: int, visits: Visits, server: Server) -> None:
    visit = visits(server.address, viewport={"width": width, "height": height})
    open_lesson(visit, "sure-and-silent")
    box = visit.page.locator(CARD).bounding_box()
    assert box and box["x"] >= 0 and box["x"] + box["width"] <= width and box["y"] + box["height"] <= height + 1
    assert visit.page.evaluate("() => document.documentElement.scrollWidth") <= width
    foot = visit.page.locator(f"{CARD} .lesson-foot").bounding_box()
    assert foot and foot["y"] + foot["height"] <= box["y"] + box["height"]
    if width < 700:
        maps = visit.page.locator("#paint-grid").bounding_box()
        assert maps and maps["y"] + maps["height"] <= box["y"]  # the maps stay in view
        visit.page.get_by_role("button", name="Smaller").click()
        small = visit.page.locator(CARD).bounding_box()
        assert small and small["height"] < box["height"] / 2
        visit.page.get_by_role("button", name="Larger").click()
    visit.page.locator(f"{CARD} .lesson-choice").nth(1).click()
    visit.page.locator(".lesson-target").wait_for()
    if width < 700:  # the map that the step speaks of stands beside the picture; at the other one, the switch is pointed at
        assert "Magnify" in visit.page.locator(".lesson-target").inner_text()
        visit.page.locator("#half").get_by_label("Sum").check()
        visit.until("() => document.querySelector('.lesson-target').id === 'half'")
        visit.page.locator("#half").get_by_label("Gradient").check()
        visit.until("() => document.querySelector('.lesson-target').textContent.includes('Magnify')")
    visit.page.get_by_role("button", name="Show me where").click()
    visit.page.wait_for_function("() => { const { top, bottom } = document.querySelector('.lesson-target').getBoundingClientRect(); return top >= 0 && bottom <= innerHeight; }")


@pytest.mark.parametrize("width", [1440, 390])
def test_axe_finds_no_violation_in_a_lesson(width: int, visits: Visits, server: Server) -> None:
    visit = visits(server.address, viewport={"width": width, "height": 844})
    open_lesson(visit, "walk-the-path")
    visit.page.evaluate(AXE)
    found = {"marks": violations(visit)}
    predict(visit, LESSONS["walk-the-path"].steps[0], right=True)
    visit.until(PHASE, "explain")
    found["marked"] = violations(visit)
    visit.page.locator(f"{CARD} .lesson-next").click()
    visit.until(PHASE, "predict")
    visit.rest()
    found["choices"] = violations(visit)
    visit.page.locator(f"{CARD} .lesson-choice").first.click()
    found["task"] = violations(visit)
    visit.page.evaluate("() => document.getElementById('lessons').click()")
    visit.page.locator("dialog[open]").wait_for()
    found["list"] = violations(visit)
    assert not any(found.values()), found
