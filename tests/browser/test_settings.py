"""The settings: every one reaches the answer with one question, nonsense is refused."""

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
    return lambda visit: visit.choose(id, value)


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
    (label("logit"), "output", "logit"),
    (choose("baseline", "white"), "baseline", "white"),
    (choose("baseline", "noise"), "baseline", "noise"),
    (enter("baseline_seed", "12"), "baseline_seed", 12),
    (choose("baseline", "blur"), "baseline", "blur"),
    (choose("baseline", "farthest"), "baseline", "farthest"),
    (choose("baseline", "mean"), "baseline", "mean"),
    (enter("steps", "30"), "steps", 30),
    (choose("rule", "midpoint"), "rule", "midpoint"),
    (choose("rule", "exact"), "rule", "exact"),
    (choose("baseline", "drawing"), "baseline", "drawing"),
    (label("P"), "output", "probability"),
    (choose("target", "predicted"), "target", "predicted"),
    (choose("network", "logistic"), "network", "logistic"),
    (choose("network", "digits-rewritten"), "network", "digits-rewritten"),
]
OF_SMOOTHGRAD: list[tuple[Callable[[Visit], None], str, Any]] = [
    (enter("samples", "20"), "samples", 20),
    (enter("noise_level", "0.3"), "noise_level", 0.3),
    (enter("noise_level", "0"), "noise_level", 0),
    (enter("noise_level", "0.07"), "noise_level", 0.07),
    (enter("seed", "8"), "seed", 8),
    (click("new-seed"), "seed", 9),
    (click("clip"), "clip", True),
    (click("clip"), "clip", False),
]


def test_every_setting_changes_the_answer_with_one_question(visit: Visit, models: Zoo) -> None:
    changes_ask(visit, models, CHANGES)
    visit.to_tab("compare")  # where SmoothGrad's settings stand under its map
    changes_ask(visit, models, OF_SMOOTHGRAD)


def changes_ask(visit: Visit, models: Zoo, changes: list[tuple[Callable[[Visit], None], str, Any]]) -> None:
    """Each change asks one question, and brings the numbers of its state."""
    shown = json.dumps(visit.numbers())
    for change, field, value in changes:
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


@pytest.mark.parametrize(("field", "wrongs"), [("steps", ("0", "501", "2.5", "")), ("samples", ("-3",))])
def test_a_number_out_of_range_keeps_the_state_and_says_why(field: str, wrongs: tuple[str, ...], visit: Visit) -> None:
    visit.to_tab("compare" if field == "samples" else "integrated")
    visit.rest()
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
        visit.enter(field, "60")
    assert refusal.inner_text() == ""
    assert number.input_value() == "60" and visit.state[field] == 60


def test_a_seed_that_is_none_keeps_the_state_and_says_why(visit: Visit) -> None:
    visit.to_tab("compare")
    visit.rest()
    with visit.count_requests(0):
        visit.page.locator("#seed").fill("-4")
        visit.until("() => document.body.innerText.includes('999999')")
    assert visit.state["seed"] == 0


def test_my_drawing_stays_the_baseline_while_i_paint_on(visit: Visit, models: Zoo) -> None:
    visit.page.locator('#patterns [data-name="circle"]').click()
    visit.page.locator("#baselines [data-name=drawing]").click()
    visit.rest()
    drawing = visit.state["drawing"]
    assert drawing == visit.pixels and visit.page.locator("#baselines [aria-pressed=true]").get_attribute("data-name") == "drawing"
    assert visit.numbers()["equal_pixels"] == 64
    said = "so Integrated Gradients is 0 at every pixel. Paint on"
    for tab in ("saliency", "compare", "methods"):
        visit.to_tab(tab)
        assert said in visit.text("say"), tab
    visit.to_tab("integrated")
    visit.rest()
    assert said in visit.text("baseline-hint") and "There is no path." in visit.text("headline")
    with visit.count_requests():
        visit.stroke((0, 0), (0, 3))
    assert "Paint on" not in visit.text("baseline-hint") + visit.text("say")
    assert visit.state["drawing"] == drawing
    assert visit.numbers()["equal_pixels"] == 60
    visit.shows_the_numbers_of_its_state(models)


def test_any_baseline_that_equals_the_picture_says_what_follows(visit: Visit) -> None:
    for link, equal in (("p=black", True), ("p=white", False), ("p=white&base=white", True), ("p=white&base=blur", True)):
        visit.open(f"?v=2&tab=integrated&{link}")
        assert (visit.numbers()["methods"]["integrated_gradients"]["map"] == [0] * 64) is equal
        assert ("Paint on" in visit.text("baseline-hint")) is ("There is no path" in visit.text("headline")) is equal, link


def test_the_small_picture_of_the_blur_is_the_servers_blur(visit: Visit) -> None:
    visit.open("?v=2&base=blur&p=ring")
    drawn = visit.page.evaluate("() => [...explorer.blurred(explorer.view.state.pixels)]")
    assert max(abs(a - b) for a, b in zip(drawn, visit.numbers()["baseline"], strict=True)) < 1e-9


def test_the_exact_rule_takes_no_steps(visit: Visit) -> None:
    visit.choose("rule", "exact")
    visit.rest()
    assert visit.page.locator("#steps").is_disabled()
    visit.choose("rule", "left")
    visit.rest()
    assert visit.page.locator("#steps").is_enabled()


def test_the_wheel_scrolls_the_page_and_leaves_the_field_under_it_alone(visits: Visits, server: Server) -> None:
    visit = visits(server.address)
    visit.page.set_viewport_size({"width": 1000, "height": 500})
    visit.open("?v=2&base=noise")
    for field in ("steps", "baseline_seed", "rule"):
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


def test_the_question_is_in_a_menu_on_a_phone(visits: Visits, server: Server) -> None:
    visit = visits(server.address)
    visit.page.set_viewport_size({"width": 390, "height": 780})
    assert not visit.open().page.locator("#network").is_visible()
    visit.page.locator("#menu").click()
    with visit.count_requests(1):
        visit.choose("network", "digits")


def test_the_class_that_the_network_sees_can_be_asked_about_with_one_click(visit: Visit, models: Zoo) -> None:
    visit.open("?v=2&p=ring&class=0")
    assert "The network sees “ring”." in visit.text("headline")
    visit.page.get_by_role("button", name="Explain “ring” instead").click()
    visit.rest()
    assert visit.view["answer"]["target"] == visit.view["answer"]["predicted"] and visit.state["target"] == "predicted"
    assert visit.page.locator("#target").input_value() == "predicted"
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
