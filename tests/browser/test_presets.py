"""A preset that the network does not know brings one that does: with a notice, one request, and one step of undo."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from playwright.sync_api import Route

from explorer.models import Model

from .visit import QUESTION, Visit

Zoo = Mapping[str, Model]


def digit(visit: Visit, number: int) -> None:
    """Press a digit."""
    visit.page.locator("#digits .digit").nth(number).click()


def pattern(visit: Visit, name: str) -> None:
    """Press a pattern."""
    visit.page.locator(f'#patterns [data-name="{name}"]').click()


def chosen(visit: Visit) -> tuple[str, object, str]:
    """Network, target and picture, as the state, the controls and the page have them alike."""
    state = visit.state
    assert visit.page.locator("#network").input_value() == state["network"]
    assert visit.page.locator("#target").input_value() == str(state["target"])
    return state["network"], state["target"], visit.text("picture-name")


def test_a_digit_on_shapes_brings_digits_and_undo_redo_and_back_bring_each(visit: Visit, models: Zoo) -> None:
    opening = chosen(visit)
    with visit.count_requests(1):
        digit(visit, 3)
    switched = chosen(visit)
    assert switched[:2] == ("digits", "predicted") and "handwritten 3" in switched[2]
    assert "The network is now “Digits”: “Shapes” does not know digits." in visit.text("notices")
    visit.shows_the_numbers_of_its_state(models)
    with visit.count_requests(1):
        visit.page.locator(".notice").get_by_role("button", name="Undo").click()
    assert chosen(visit) == opening and visit.text("notices") == ""
    visit.shows_the_numbers_of_its_state(models)
    for gesture, expected in (
        (visit.page.locator("#paint-redo").click, switched),
        (visit.page.locator("#paint-undo").click, opening),
        (lambda: visit.press("Control+y"), switched),
        (lambda: visit.press("Control+z"), opening),
        (visit.page.go_back, switched),
        (visit.page.go_back, opening),
    ):
        with visit.count_requests(1):
            gesture()
            visit.until("(name) => view.state.network === name", expected[0])
        assert chosen(visit) == expected
        visit.shows_the_numbers_of_its_state(models)


@pytest.mark.parametrize(
    ("network", "preset", "after"),
    [
        ("logistic", "3", "digits"),
        ("logistic", "ring", "logistic"),
        ("shapes", "ring", "shapes"),
        ("digits", "3", "digits"),
        ("digits-cnn", "3", "digits-cnn"),
        ("digits", "ring", "shapes"),
        ("digits-cnn", "ring", "shapes"),
        ("digits-rewritten", "ring", "shapes"),
    ],
)
def test_presets_go_with_the_networks_that_know_them(network: str, preset: str, after: str, visit: Visit) -> None:
    visit.open(f"?v=2&net={network}&class=1&p=cross")
    with visit.count_requests(1):
        digit(visit, int(preset)) if preset.isdigit() else pattern(visit, preset)
    assert chosen(visit)[:2] == (after, 1 if after == network else "predicted")
    assert ("does not know" in visit.text("notices")) is (after != network)
    visit.page.locator("#paint-undo").click()
    visit.rest()
    assert chosen(visit)[:2] == (network, 1) and visit.text("picture-name") == "Plus"


def test_the_offer_goes_with_the_next_change_and_can_be_dismissed(visit: Visit) -> None:
    visit.open("?v=2&class=2")
    digit(visit, 3)
    visit.rest()
    visit.stroke((0, 0), (0, 7))
    assert visit.text("notices") == ""
    visit.rest()
    visit.page.locator("#paint-undo").click()  # the stroke, and not the network
    visit.rest()
    assert visit.state["network"] == "digits"
    visit.page.locator("#paint-undo").click()
    visit.rest()
    assert visit.state["network"] == "shapes" and visit.state["target"] == 2
    digit(visit, 4)
    visit.rest()
    with visit.count_requests(0):
        visit.page.get_by_label("Dismiss").click()
    assert visit.text("notices") == "" and visit.state["network"] == "digits"
    visit.page.locator("#paint-undo").click()
    visit.rest()
    assert visit.state["network"] == "shapes"


def test_before_the_first_answer_the_network_of_the_link_stays(visit: Visit) -> None:
    held: list[Route] = []
    visit.page.route(f"**/{QUESTION}*", lambda route: held.append(route), times=1)
    visit.page.goto(visit.address + "?v=2&net=digits-cnn&class=predicted")
    visit.until("() => seen.flying === 1")
    digit(visit, 3)
    held[0].continue_()
    visit.rest()
    assert visit.state["network"] == "digits-cnn" and "handwritten 3" in visit.text("picture-name")
    assert visit.text("notices") == ""
