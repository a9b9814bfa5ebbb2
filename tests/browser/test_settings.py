"""The settings: every one reaches the answer with one question, sliders ask when they are let go, nonsense is refused."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from explorer.models import Model

from .conftest import Server
from .visit import Visit

Visits = Callable[..., Visit]
Zoo = Mapping[str, Model]


def choose(id: str, value: str) -> Callable[[Visit], None]:
    """Choose an option of a select."""
    return lambda visit: visit.page.locator(f"#{id}").select_option(value)  # type: ignore[return-value]


def enter(id: str, value: str) -> Callable[[Visit], None]:
    """Type a number, or move a slider, to a value."""
    return lambda visit: visit.page.locator(f"#{id}").fill(value)


def click(id: str) -> Callable[[Visit], None]:
    """Click a button or a box."""
    return lambda visit: visit.page.locator(f"#{id}").click()


def label(text: str) -> Callable[[Visit], None]:
    """Check what has this label."""
    return lambda visit: visit.page.get_by_label(text, exact=True).check()


# In this order on one page; each changes the named field, and with it the numbers.
CHANGES: list[tuple[Callable[[Visit], None], str, Any]] = [
    (choose("network", "digits"), "network", "digits"),
    (choose("target", "3"), "target", 3),
    (label("Logit"), "output", "logit"),
    (choose("baseline", "white"), "baseline", "white"),
    (choose("baseline", "noise"), "baseline", "noise"),
    (enter("baseline_seed", "12"), "baseline_seed", 12),
    (choose("baseline", "blur"), "baseline", "blur"),
    (choose("baseline", "farthest"), "baseline", "farthest"),
    (choose("baseline", "mean"), "baseline", "mean"),
    (enter("steps", "30"), "steps", 30),
    (enter("steps-slider", "77"), "steps", 77),
    (choose("rule", "midpoint"), "rule", "midpoint"),
    (choose("rule", "exact"), "rule", "exact"),
    (enter("samples", "20"), "samples", 20),
    (enter("samples-slider", "33"), "samples", 33),
    (enter("noise_level", "30"), "noise_level", 0.3),
    (enter("noise_level", "0"), "noise_level", 0),
    (enter("noise_level", "7"), "noise_level", 0.07),
    (enter("seed", "8"), "seed", 8),
    (click("new-seed"), "seed", 9),
    (click("clip"), "clip", True),
    (click("clip"), "clip", False),
    (click("keep-drawing"), "baseline", "drawing"),
    (label("Probability"), "output", "probability"),
    (choose("target", "predicted"), "target", "predicted"),
    (choose("network", "logistic"), "network", "logistic"),
]


def test_every_setting_changes_the_answer_with_one_question(visit: Visit, models: Zoo) -> None:
    shown = json.dumps(visit.numbers())
    for change, field, value in CHANGES:
        with visit.count_requests(1):
            change(visit)
            visit.until("([field, value]) => JSON.stringify(view.asked[field]) === JSON.stringify(value)", [field, value])
        assert visit.state[field] == value
        numbers = json.dumps(visit.numbers())
        assert numbers != shown, (field, value)
        shown = numbers
        visit.shows_the_numbers_of_its_state(models)


def test_a_network_without_the_chosen_class_takes_the_predicted_one(visit: Visit, models: Zoo) -> None:
    visit.choose("target", "5")
    visit.rest()
    with visit.count_requests(1):
        visit.choose("network", "logistic")
    assert visit.state["target"] == "predicted"
    assert visit.page.locator("#target").input_value() == "predicted"
    offered = visit.page.locator("#target option").evaluate_all("options => options.map((option) => option.value)")
    assert [value for value in offered if value] == ["predicted", "0", "1"]
    visit.shows_the_numbers_of_its_state(models)


def drag(visit: Visit, id: str, *shares: float) -> None:
    """Drag a slider's thumb by the mouse through some places, as shares of its width."""
    slider = visit.page.locator(f"#{id}")
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    assert box is not None
    mouse, y = visit.page.mouse, box["y"] + box["height"] / 2
    mouse.move(box["x"] + shares[0] * box["width"], y)
    mouse.down()
    for share in shares[1:]:
        mouse.move(box["x"] + share * box["width"], y, steps=8)


def test_dragging_a_slider_asks_once_when_it_is_let_go(visit: Visit, models: Zoo) -> None:
    for slider, field in (("steps-slider", "steps"), ("samples-slider", "samples"), ("noise_level", "noise_level")):
        with visit.count_requests(1) as made:
            before, asked = len(visit.requests), visit.page.evaluate("() => JSON.stringify(explorer.view.asked)")
            drag(visit, slider, 0.2, 0.8, 0.4, 0.6)
            visit.until("() => !seen.timers.size")  # resting in the middle of a drag is not the end of it
            assert len(visit.requests) == before
            visit.page.mouse.up()
            visit.until("(was) => JSON.stringify(view.asked) !== was", asked)
        assert made[0].method == "POST"
        low, high = (float(visit.page.locator(f"#{slider}").get_attribute(bound) or 0) for bound in ("min", "max"))
        share = (float(visit.page.locator(f"#{slider}").input_value()) - low) / (high - low)
        assert abs(share - 0.6) < 0.08
        if field != "noise_level":
            assert str(visit.state[field]) == visit.page.locator(f"#{field}").input_value()
        visit.shows_the_numbers_of_its_state(models)


def test_a_quick_slider_drag_asks_once(visit: Visit) -> None:
    with visit.count_requests(1):
        drag(visit, "steps-slider", 0.1, 0.9)
        visit.page.mouse.up()
        visit.until("() => view.state.steps > 350")
    assert visit.state["steps"] > 350


def test_arrow_keys_on_a_slider_settle_before_they_ask(visit: Visit) -> None:
    visit.page.locator("#samples-slider").focus()
    with visit.count_requests() as made:
        visit.press(*["ArrowRight"] * 5)
        visit.until("() => view.state.samples === 55")
    assert visit.state["samples"] == 55
    assert 1 <= len(made) <= 5


@pytest.mark.parametrize(("field", "wrongs"), [("steps", ("0", "501", "2.5", "")), ("samples", ("-3",))])
def test_a_number_out_of_range_keeps_the_state_and_says_why(field: str, wrongs: tuple[str, ...], visit: Visit) -> None:
    number, refusal = visit.page.locator(f"#{field}"), visit.page.locator(f"#{field}-refusal")
    for wrong in wrongs:
        with visit.count_requests(0):
            number.fill(wrong)
            visit.until("(id) => document.getElementById(id).textContent !== ''", f"{field}-refusal")
        assert "1" in refusal.inner_text() and "500" in refusal.inner_text()
        assert visit.state[field] == 50
        number.fill("50")
        visit.until("(id) => document.getElementById(id).textContent === ''", f"{field}-refusal")
        visit.rest()
    number.fill("9999")
    visit.until("(id) => document.getElementById(id).textContent !== ''", f"{field}-refusal")
    with visit.count_requests(1):
        visit.enter(f"{field}-slider", "60")
    assert refusal.inner_text() == ""
    assert number.input_value() == "60" and visit.state[field] == 60


def test_a_seed_that_is_none_keeps_the_state_and_says_why(visit: Visit) -> None:
    with visit.count_requests(0):
        visit.page.locator("#seed").fill("-4")
        visit.until("() => document.body.innerText.includes('999999')")
    assert visit.state["seed"] == 0


def test_my_drawing_stays_the_baseline_while_i_paint_on(visit: Visit, models: Zoo) -> None:
    visit.page.locator('#patterns [data-name="circle"]').click()
    visit.page.locator("#keep-drawing").click()
    visit.rest()
    drawing = visit.state["drawing"]
    assert drawing == visit.pixels and visit.page.locator("#baseline").input_value() == "drawing"
    assert visit.numbers()["equal_pixels"] == 64
    said = "so Integrated Gradients is 0 at every pixel. Paint on"
    for tab in ("saliency", "compare", "methods", "integrated"):
        visit.to_tab(tab)
        assert "equals your picture" in visit.text("baseline-hint") and said in visit.text("baseline-hint")
        assert "Paint on" in visit.text("happening"), tab
    visit.rest()
    with visit.count_requests():
        visit.stroke((0, 0), (0, 3))
    assert "Paint on" not in visit.text("baseline-hint") + visit.text("happening")
    assert visit.state["drawing"] == drawing
    assert visit.numbers()["equal_pixels"] == 60
    visit.shows_the_numbers_of_its_state(models)


def test_any_baseline_that_equals_the_picture_says_what_follows(visit: Visit) -> None:
    for link, equal in (("p=black", True), ("p=white", False), ("p=white&base=white", True), ("p=white&base=blur", True)):
        visit.open(f"?v=2&tab=integrated&{link}")
        assert (visit.numbers()["methods"]["integrated_gradients"]["map"] == [0] * 64) is equal
        assert ("Paint on" in visit.text("baseline-hint")) is ("Paint on" in visit.text("suggestion")) is equal, link


def test_the_exact_rule_takes_no_steps(visit: Visit) -> None:
    visit.choose("rule", "exact")
    visit.rest()
    assert visit.page.locator("#steps").is_disabled() and visit.page.locator("#steps-slider").is_disabled()
    visit.choose("rule", "left")
    visit.rest()
    assert visit.page.locator("#steps").is_enabled()


def test_the_wheel_scrolls_the_page_and_leaves_the_field_under_it_alone(visits: Visits, server: Server) -> None:
    visit = visits(server.address)
    visit.page.set_viewport_size({"width": 1000, "height": 500})
    visit.open("?v=2&base=noise")
    for field in ("steps", "baseline_seed", "steps-slider", "rule"):
        visit.page.evaluate("() => window.scrollTo(0, 0)")
        place = visit.page.locator(f"#{field}")
        place.evaluate("(element) => element.scrollIntoView({ block: 'center', behavior: 'instant' })")
        place.focus()
        was, top = place.input_value(), visit.page.evaluate("() => scrollY")
        with visit.count_requests(0):
            place.hover()
            visit.page.mouse.wheel(0, 120)
            visit.until("(top) => scrollY > top + 50", top)
        assert place.input_value() == was, field


def test_settings_are_folded_on_a_phone(visits: Visits, server: Server) -> None:
    visit = visits(server.address)
    visit.page.set_viewport_size({"width": 390, "height": 780})
    assert not visit.open().page.locator("#network").is_visible()
    visit.page.locator("#settings > summary").click()
    with visit.count_requests(1):
        visit.choose("network", "digits")


def test_the_class_that_the_network_sees_can_be_asked_about_with_one_click(visit: Visit, models: Zoo) -> None:
    visit.open("?v=2&p=ring")
    assert "ring" in visit.text("sees")
    visit.page.get_by_role("button", name="Ask about “ring” instead").click()
    visit.rest()
    assert visit.view["answer"]["target"] == visit.view["answer"]["predicted"] == visit.state["target"]
    assert visit.page.locator("#target").input_value() == str(visit.state["target"])
    assert visit.page.locator("#suggestion button").count() == 0
    visit.shows_the_numbers_of_its_state(models)


def test_a_field_that_is_left_empty_shows_what_is_in_use(visit: Visit) -> None:
    visit.open("?v=2&m=70")
    field = visit.page.locator("#steps")
    field.fill("")
    visit.until("() => document.getElementById('steps-refusal').textContent.includes('still using 70')")
    field.blur()
    visit.until("() => document.getElementById('steps').value === '70'")
    assert visit.text("steps-refusal") == ""
    assert visit.state["steps"] == 70
