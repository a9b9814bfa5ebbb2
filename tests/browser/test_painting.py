"""Painting: by mouse, finger, pen and keyboard, without gaps, and with as few questions as a stroke needs."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from playwright.sync_api import Route

from explorer.models import Model

from .conftest import Server
from .visit import QUESTION, Visit

Visits = Callable[..., Visit]
LIVE_EVERY = 150  # ms between two questions while a stroke lasts, as in session.js

TIME_STROKES = """
() => {
  const grid = document.getElementById("paint-grid");
  grid.addEventListener("pointerdown", () => (window.began = performance.now()), true);
  grid.addEventListener("pointerup", () => (window.lasted = performance.now() - began), true);
}
"""


def painted(visit: Visit, value: float = 1) -> set[tuple[int, int]]:
    """The cells that have a value, as (row, column)."""
    return {(i // 8, i % 8) for i, v in enumerate(visit.pixels) if v == value}


def cleared(visit: Visit) -> Visit:
    """The visit with an all-black picture."""
    visit.page.locator("#paint-clear").click()
    visit.rest()
    assert painted(visit, 0) == {(r, c) for r in range(8) for c in range(8)}
    return visit


def test_the_first_visit_asks_nothing_and_shows_pythons_numbers(
    visits: Visits, server: Server, models: Mapping[str, Model]
) -> None:
    visit = visits(server.address, apart=True).open()
    assert visit.questions == []
    visit.shows_the_numbers_of_its_state(models)
    assert visit.view["step"] == 50
    assert visit.text("words")


def test_a_fast_diagonal_leaves_no_gaps_and_a_quick_stroke_asks_once(visit: Visit, models: Mapping[str, Model]) -> None:
    cleared(visit)
    visit.page.evaluate(TIME_STROKES)
    with visit.count_requests() as made:
        visit.stroke((0, 0), (7, 7))
    cells = painted(visit)
    assert {(i, i) for i in range(8)} <= cells
    assert all(abs(row - column) <= 1 for row, column in cells)
    lasted = visit.page.evaluate("() => lasted")
    assert 1 <= len(made) <= 1 + lasted // LIVE_EVERY
    with visit.count_requests() as made:
        visit.stroke((0, 7), (7, 0), (7, 7), (0, 7))
    lasted = visit.page.evaluate("() => lasted")
    assert 1 <= len(made) <= 1 + lasted // LIVE_EVERY
    assert {(7, c) for c in range(8)} | {(r, 7) for r in range(8)} | {(i, 7 - i) for i in range(8)} <= painted(visit)
    visit.shows_the_numbers_of_its_state(models)


def test_a_click_paints_one_cell_and_asks_once(visit: Visit) -> None:
    cleared(visit)
    with visit.count_requests(1):
        visit.stroke((2, 5))
    assert painted(visit) == {(2, 5)}
    with visit.count_requests(1):
        visit.page.mouse.move(*visit.cell(4, 4))
        visit.page.mouse.down()
        visit.rest()  # it is answered while the button is held
        visit.page.mouse.up()
    assert painted(visit) == {(2, 5), (4, 4)}


def test_a_stroke_that_leaves_the_grid_and_ends_outside_is_finished(visit: Visit) -> None:
    cleared(visit)
    with visit.count_requests():
        visit.stroke((3, 5), (3, 12), (5, 12), (5, 6))
    assert painted(visit) == {(3, 5), (3, 6), (3, 7), (5, 7), (5, 6)}
    visit.page.mouse.move(*visit.cell(0, 0))
    visit.page.mouse.move(*visit.cell(7, 7))
    assert (4, 4) not in painted(visit)


def test_a_long_stroke_never_has_two_questions_in_flight(visit: Visit, models: Mapping[str, Model]) -> None:
    cleared(visit)
    visit.page.evaluate(TIME_STROKES)
    before = visit.page.evaluate("() => seen.entries")
    with visit.count_requests() as made:
        mouse = visit.page.mouse
        mouse.move(*visit.cell(0, 0))
        mouse.down()
        place = 0
        while visit.page.evaluate("() => performance.now() - began") < 5 * LIVE_EVERY:
            place += 1
            row, column = divmod(place % 64, 8)
            mouse.move(*visit.cell(row, column if row % 2 == 0 else 7 - column))
        mouse.up()
    lasted = visit.page.evaluate("() => lasted")
    assert visit.page.evaluate("() => seen.most") == 1
    assert 1 <= len(made) <= 2 + lasted // LIVE_EVERY
    assert visit.page.evaluate("() => seen.entries") == before + 1
    visit.shows_the_numbers_of_its_state(models)


def test_while_the_server_is_slow_one_question_flies_and_the_newest_follows(visit: Visit, models: Mapping[str, Model]) -> None:
    cleared(visit)
    held: list[Route] = []
    slow = True
    visit.page.route(f"**/{QUESTION}*", lambda route: held.append(route) if slow else route.continue_())
    for row in range(4):
        visit.stroke((row, 0), (row, 7))
    visit.until("() => seen.flying === 1")
    assert len(held) == 1
    slow = False
    before = len(visit.questions)
    held[0].continue_()
    visit.rest()
    assert len(visit.questions) == before + 1  # the three strokes meanwhile have become one question
    assert visit.page.evaluate("() => seen.most") == 1
    assert len(painted(visit)) == 32
    visit.shows_the_numbers_of_its_state(models)


def touch(visit: Visit) -> Callable[..., None]:
    """Send touch events to the page: ``send("touchStart", (row, column), …)``, one place a finger."""
    devtools = visit.devtools()

    def send(kind: str, *cells: tuple[float, float], first: int = 0) -> None:
        points = [dict(zip("xy", visit.cell(*cell), strict=True), id=i) for i, cell in enumerate(cells, first)]
        devtools.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    return send


def test_a_finger_paints_and_does_not_scroll_the_page(visits: Visits, server: Server) -> None:
    phone = {"viewport": {"width": 390, "height": 780}, "has_touch": True, "is_mobile": True}
    visit = cleared(visits(server.address, **phone).open())
    visit.page.locator("#map-sum [role=application]").tap(position={"x": 5, "y": 5})
    visit.until("() => view.chosen === 0")  # a tap chooses a pixel, and it stays marked
    assert "row 0, column 0" in visit.text("readout")
    assert visit.page.evaluate("() => explorer.maps.every((map) => !map.marker.hidden)")
    visit.cell(0, 0)  # brings the grid into view
    top = visit.page.evaluate("() => scrollY")
    send = touch(visit)
    with visit.count_requests() as made:
        send("touchStart", (1, 1))
        send("touchMove", (6, 1))
        send("touchMove", (6, 6))
        send("touchEnd")
    assert painted(visit) == {(r, 1) for r in range(1, 7)} | {(6, c) for c in range(1, 7)}
    assert made
    assert visit.page.evaluate("() => scrollY") == top


def test_a_second_finger_does_not_disturb_the_stroke_of_the_first(visit: Visit) -> None:
    send = touch(cleared(visit))
    send("touchStart", (0, 0))
    send("touchMove", (0, 1))
    send("touchStart", (0, 1), (7, 7))
    send("touchMove", (0, 2), (7, 6))
    send("touchMove", (0, 3), (7, 5))
    send("touchEnd", (7, 5), first=1)  # the first finger is lifted
    send("touchMove", (4, 5), first=1)
    send("touchEnd")
    assert painted(visit) == {(0, c) for c in range(4)}, "only the first finger paints"
    send("touchStart", (7, 7))
    send("touchEnd")
    assert painted(visit) == {(0, c) for c in range(4)} | {(7, 7)}
    visit.press("Control+z", "Control+z")
    assert painted(visit) == set()
    visit.rest()


def test_a_finger_that_the_browser_takes_away_leaves_one_undo_step_and_the_next_one_paints(visit: Visit) -> None:
    send = touch(cleared(visit))
    # The pointer events that follow each of these are the browser's own.
    losses: dict[str, Callable[[], Any]] = {
        "pointercancel": lambda: send("touchCancel"),
        "lostpointercapture": lambda: visit.page.evaluate(
            "() => document.getElementById('paint-grid').releasePointerCapture(pointer)"
        ),
        "blur": lambda: visit.page.evaluate("() => window.dispatchEvent(new Event('blur'))"),
    }
    visit.page.evaluate(
        "() => document.getElementById('paint-grid').addEventListener('pointerdown', (event) => (window.pointer = event.pointerId), true)"
    )
    for row, (name, lose) in enumerate(losses.items()):
        was = visit.pixels
        visit.page.evaluate(TIME_STROKES)
        with visit.count_requests() as made:
            send("touchStart", (row, 1))
            send("touchMove", (row, 4))
            lose()
            if name != "pointercancel":  # the rest of that touch is nobody's stroke
                send("touchMove", (row, 9))
                send("touchEnd")
            lasted = visit.page.evaluate("() => performance.now() - began")
        assert 1 <= len(made) <= 1 + lasted // LIVE_EVERY, name
        assert {(row, c) for c in range(1, 5)} <= painted(visit) and (row, 7) not in painted(visit), name
        lost = visit.pixels
        send("touchStart", (7, row))
        send("touchEnd")
        assert (7, row) in painted(visit), f"after {name} nothing paints"
        visit.press("Control+z")
        assert visit.pixels == lost, name
        visit.press("Control+z")
        assert visit.pixels == was, f"{name}: the stroke is one step of undo"
        visit.press("Control+y", "Control+y")
        visit.rest()


def pointer(visit: Visit, kind: str = "mouse") -> Callable[..., None]:
    """Send mouse or pen events: ``send("mousePressed", (row, column), buttons=1)``."""
    devtools = visit.devtools()

    def send(event: str, cell: tuple[float, float], buttons: int = 1) -> None:
        place = dict(zip("xy", visit.cell(*cell), strict=True))
        button = "left" if buttons or event == "mouseReleased" else "none"
        devtools.send(
            "Input.dispatchMouseEvent",
            {"type": event, **place, "button": button, "buttons": buttons, "clickCount": 1, "pointerType": kind},
        )

    return send


def test_a_button_that_was_released_where_the_page_could_not_see_it_no_longer_paints(visit: Visit, models: Mapping[str, Model]) -> None:
    cleared(visit)
    for row, kind in ((1, "mouse"), (3, "pen")):
        before, send = visit.pixels, pointer(visit, kind)
        send("mousePressed", (row, 1))
        send("mouseMoved", (row, 3))
        with visit.count_requests():
            send("mouseMoved", (row, 4), buttons=0)  # no mouseReleased came
            send("mouseMoved", (row + 4, 4), buttons=0)
        stroke = {(row, c) for c in range(1, 4)}
        assert {cell for cell in painted(visit) if before[8 * cell[0] + cell[1]] == 0} == stroke, kind
        assert visit.view["pixel"] == 8 * (row + 4) + 4, "it hovers again"
        visit.press("Control+z")
        assert visit.pixels == before
        visit.press("Control+y")
        send("mouseReleased", (row + 4, 4), buttons=0)
        send("mousePressed", (row, 6))
        send("mouseReleased", (row, 6), buttons=0)
        assert (row, 6) in painted(visit)
    visit.rest()
    visit.shows_the_numbers_of_its_state(models)


def test_a_pen_paints_instead_of_the_palm_that_came_first(visit: Visit) -> None:
    palm, pen = touch(cleared(visit)), pointer(visit, "pen")
    palm("touchStart", (6, 6))
    palm("touchMove", (6, 7))
    assert painted(visit) == {(6, 6), (6, 7)}
    with visit.count_requests():
        pen("mousePressed", (1, 1))
        pen("mouseMoved", (1, 4))
        palm("touchMove", (5, 7))
        pen("mouseMoved", (1, 5))
        palm("touchEnd")
        pen("mouseMoved", (1, 6))
        pen("mouseReleased", (1, 6), buttons=0)
    assert painted(visit) == {(1, c) for c in range(1, 7)}, "what the palm painted is gone"
    visit.press("Control+z")
    assert painted(visit) == set(), "one step of undo"
    palm("touchStart", (2, 2))
    palm("touchEnd")
    assert painted(visit) == {(2, 2)}, "a finger alone paints as ever"
    visit.rest()


def test_a_picture_is_painted_while_a_number_was_being_typed(visit: Visit) -> None:
    before = visit.pixels
    visit.page.locator("#steps").focus()
    visit.stroke((0, 0), (0, 3))
    painted_now = visit.pixels
    visit.press("Control+z")
    assert visit.pixels == before, "the keys go to what was used last"
    visit.press("Control+y")
    assert visit.pixels == painted_now
    visit.rest()


def test_the_right_button_erases(visit: Visit) -> None:
    white = visit.page.locator('#patterns [data-name="white"]')
    white.click()
    with visit.count_requests():
        visit.stroke((4, 0), (4, 7), button="right")
    assert painted(visit, 0) == {(4, c) for c in range(8)}


def test_the_erasing_end_of_a_pen_erases(visit: Visit) -> None:
    visit.page.locator('#patterns [data-name="white"]').click()
    visit.page.mouse.move(*visit.cell(0, 0))
    visit.page.evaluate(
        """(places) => {
          const grid = document.getElementById("paint-grid");
          grid.setPointerCapture = () => {}; // these events are no pointer that the browser knows
          const send = (type, [clientX, clientY], buttons) =>
            grid.dispatchEvent(new PointerEvent(type, { pointerType: "pen", pointerId: 7, button: type === "pointermove" ? -1 : 5,
              buttons, clientX, clientY, bubbles: true, cancelable: true, isPrimary: true }));
          send("pointerdown", places[0], 32);
          send("pointermove", places[1], 32);
          send("pointerup", places[1], 0);
        }""",
        [visit.cell(1, 1), visit.cell(1, 6)],
    )
    visit.rest()
    assert painted(visit, 0) == {(1, c) for c in range(1, 7)}


def test_the_eraser_button_and_the_brush_decide_what_is_painted(visit: Visit) -> None:
    cleared(visit)
    visit.page.locator("#brush").fill("35")
    visit.stroke((1, 1), (1, 3))
    assert painted(visit, 0.35) == {(1, 1), (1, 2), (1, 3)}
    visit.page.locator("#paint-eraser").click()
    visit.stroke((1, 2))
    assert painted(visit, 0.35) == {(1, 1), (1, 3)}
    visit.page.locator("#paint-eraser").click()
    visit.stroke((1, 2))
    assert painted(visit, 0.35) == {(1, 1), (1, 2), (1, 3)}
    visit.rest()


def reached(visit: Visit) -> list[int]:
    """The cells that Tab can reach."""
    cells: list[int] = visit.page.evaluate(
        "() => [...document.querySelectorAll('#paint-grid [role=gridcell]')].flatMap((cell, i) => cell.tabIndex === 0 ? [i] : [])"
    )
    return cells


def test_the_keyboard_paints(visit: Visit) -> None:
    cleared(visit)
    focused = "() => [...document.querySelectorAll('#paint-grid [role=gridcell]')].indexOf(document.activeElement)"
    visit.page.locator('#paint-grid [role=gridcell][tabindex="0"]').focus()
    for keys, at in (
        (["ArrowRight", "ArrowRight", "ArrowDown"], 10),
        (["ArrowLeft"], 9),
        (["ArrowUp"], 1),
        (["End"], 7),
        (["ArrowRight"], 7),
        (["Home"], 0),
        (["ArrowUp", "ArrowLeft"], 0),
        (["Control+End"], 63),
        (["Control+Home"], 0),
    ):
        with visit.count_requests(0):
            visit.press(*keys)
        assert reached(visit) == [at] == [visit.page.evaluate(focused)], keys
    with visit.count_requests(1):
        visit.press("Space")
    assert painted(visit) == {(0, 0)}
    visit.press("ArrowRight", "5", "ArrowRight", "9", "ArrowRight", "0", "ArrowRight", "Enter", "Home", "Delete")
    visit.rest()
    assert visit.pixels[:5] == [0, 0.5, 0.9, 0, 1]
    labels = visit.page.locator("#paint-grid [role=gridcell]").evaluate_all("cells => cells.map((c) => c.getAttribute('aria-label'))")
    assert labels[1] == "row 0, column 1: 0.50" and labels[63] == "row 7, column 7: 0.00"
    assert len(set(labels)) == 64


def test_undo_redo_clear_and_invert(visit: Visit) -> None:
    edge = visit.pixels
    undo, redo = visit.page.locator("#paint-undo"), visit.page.locator("#paint-redo")
    assert undo.get_attribute("aria-disabled") == redo.get_attribute("aria-disabled") == "true"
    visit.stroke((0, 0), (0, 7))
    stroke = visit.pixels
    visit.page.locator("#paint-invert").click()
    inverted = visit.pixels
    assert [round(a + b, 12) for a, b in zip(inverted, stroke, strict=True)] == [1] * 64
    visit.page.locator("#paint-clear").click()
    assert visit.pixels == [0] * 64
    for expected in (inverted, stroke, edge):
        with visit.count_requests(1):
            undo.click()
        assert visit.pixels == expected
    assert undo.get_attribute("aria-disabled") == "true"
    undo.click(force=True)  # nothing is left to undo
    visit.press("Control+y")
    assert visit.pixels == stroke
    visit.press("Control+Shift+z")
    assert visit.pixels == inverted
    visit.press("Control+z", "Control+z")
    assert visit.pixels == edge
    visit.stroke((7, 7))
    assert redo.get_attribute("aria-disabled") == "true"  # a new stroke ends what could be done again
    visit.rest()


CONTROL, COMMAND, SHIFT = 2, 4, 8  # as Chromium's own protocol has them


def typing(visit: Visit) -> Callable[..., None]:
    """Press a key of any layout: ``send("я", "KeyZ", CONTROL)``, the character and the key's place."""
    devtools = visit.devtools()

    def send(key: str, code: str, modifiers: int = 0) -> None:
        event = {"key": key, "code": code, "modifiers": modifiers}
        devtools.send("Input.dispatchKeyEvent", {"type": "rawKeyDown", **event})
        devtools.send("Input.dispatchKeyEvent", {"type": "keyUp", **event})

    return send


# Characters as these layouts have them at these places; those of QWERTZ, AZERTY and Dvorak are not where they are on QWERTY.
UNDO = {
    "QWERTY": ("z", "KeyZ"), "QWERTZ": ("z", "KeyY"), "AZERTY": ("z", "KeyW"), "Dvorak": ("z", "Slash"), "caps lock": ("Z", "KeyZ"),
    "Russian": ("я", "KeyZ"), "Greek": ("ζ", "KeyZ"), "Hebrew": ("ז", "KeyZ"), "Arabic": ("ئ", "KeyZ"), "Persian": ("ظ", "KeyZ"),
    "Thai": ("ผ", "KeyZ"), "Hindi": ("ॉ", "KeyZ"), "Georgian": ("ზ", "KeyZ"), "Korean": ("ㅋ", "KeyZ"),
}  # fmt: skip
REDO = {
    "QWERTY": ("y", "KeyY"), "QWERTZ": ("y", "KeyZ"), "AZERTY": ("y", "KeyY"), "Dvorak": ("y", "KeyT"), "Russian": ("н", "KeyY"),
    "Greek": ("υ", "KeyY"), "Hebrew": ("ט", "KeyY"), "Arabic": ("غ", "KeyY"), "Thai": ("ั", "KeyY"),
}  # fmt: skip
NEITHER = {"AZERTY": ("w", "KeyZ"), "Dvorak": ("f", "KeyY"), "Spanish": ("ñ", "KeyZ"), "Polish": ("ż", "KeyZ")}


def test_undo_and_redo_go_by_the_character_and_by_the_place_in_other_scripts(visit: Visit) -> None:
    before = visit.pixels
    visit.stroke((0, 0), (0, 7))
    after, send = visit.pixels, typing(visit)
    for layout, (key, code) in UNDO.items():
        for modifier in (CONTROL, COMMAND):
            send(key, code, modifier)
            assert visit.pixels == before, layout
            send(key.upper(), code, modifier | SHIFT)
            assert visit.pixels == after, f"{layout}, with shift"
    for layout, (key, code) in REDO.items():
        visit.page.locator("#paint-undo").click()
        send(key, code, CONTROL)
        assert visit.pixels == after, layout
    for layout, (key, code) in NEITHER.items():
        send(key, code, CONTROL)
        assert visit.pixels == after, layout
    visit.rest()


def test_digits_paint_by_the_character_and_by_the_place_in_other_scripts(visit: Visit) -> None:
    cleared(visit)
    send = typing(visit)
    visit.page.locator('#paint-grid [role=gridcell][tabindex="0"]').focus()
    painting: dict[tuple[str, str, int], float] = {
        ("5", "Digit5", 0): 0.5, ("7", "Numpad7", 0): 0.7,
        ("3", "Digit3", SHIFT): 0.3,  # AZERTY
        ("٤", "Digit4", 0): 0.4, ("۶", "Digit6", 0): 0.6, ("८", "Digit8", 0): 0.8,  # Arabic, Persian, Hindi
        ("๑", "Digit2", SHIFT): 0.1, ("ภ", "Digit4", 0): 0.4,  # Thai has its own digits elsewhere
    }  # fmt: skip
    for key, expected in painting.items():
        send("Delete", "Delete")
        send(*key)
        assert visit.pixels[0] == expected, key
    for key in (("é", "Digit2", 0), ("(", "Digit5", 0), ("№", "Digit3", SHIFT), ("!", "Digit1", SHIFT), ("я", "KeyZ", 0)):
        send(*key)
        assert visit.pixels[0] == expected, f"{key} is no digit"
    visit.rest()


def test_a_preset_that_is_painted_over_is_custom_until_that_is_undone(visit: Visit) -> None:
    assert visit.text("picture-name") == "Vertical edge"
    visit.page.locator('#patterns [data-name="ring"]').click()
    assert visit.text("picture-name") == "Ring"
    visit.stroke((3, 3))
    assert visit.text("picture-name") == "Custom"
    visit.page.locator("#paint-undo").click()
    assert visit.text("picture-name") == "Ring"
    pressed = visit.page.locator('#patterns [aria-pressed="true"]')
    assert pressed.count() == 1 and pressed.get_attribute("data-name") == "ring"
    visit.rest()


def test_a_digits_button_gives_another_sample_each_time(visit: Visit) -> None:
    three = visit.page.locator("#digits button").nth(3)
    seen = []
    for _ in range(4):
        with visit.count_requests(1):
            three.click()
        seen.append(json.dumps(visit.pixels))
        assert "handwritten 3" in visit.text("picture-name")
    assert len(set(seen)) == 4
