"""Links into rooms: to another room, a teacher's that is wrong, and in a frame that lets no request through."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from .conftest import Server
from .test_classroom import BAR, FOLLOWING, STATUS, Class, alias
from .visit import CAUGHT_UP, Visit, embedded

Visits = Callable[..., Visit]


@pytest.fixture
def pupils(visits: Visits, class_server: Server) -> Class:
    """A class of its own for each test."""
    return Class(visits, class_server.address)


def test_who_does_not_join_the_room_of_a_link_is_in_the_own_one_again(pupils: Class) -> None:
    pupils.teach()
    student = pupils.join()
    name, code = alias(student), pupils.code
    other = Class(pupils.visits, pupils.address)
    other.teach()
    page = student.page
    page.goto(f"{student.address}?room={other.code}")
    expect(page.get_by_label("Code of your class")).to_have_value(other.code)
    page.keyboard.press("Escape")
    expect(page.locator(STATUS)).to_have_text(FOLLOWING)
    assert alias(student) == name and page.evaluate("() => JSON.parse(sessionStorage['explorer-room']).code") == code
    page.goto(f"{student.address}?room={other.code}")
    page.get_by_role("button", name="Join", exact=True).click()
    expect(page.locator(STATUS)).to_have_text(FOLLOWING)
    assert page.evaluate("() => JSON.parse(sessionStorage['explorer-room']).code") == other.code


def test_a_wrong_teacher_link_says_so_and_the_room_of_the_tab_is_one_press_away(pupils: Class) -> None:
    teacher = pupils.teach()
    visitor = pupils.come()
    for visit in (teacher, visitor):
        visit.expects_errors = True  # the console notes that the link was refused
        visit.page.goto("about:blank")
        visit.page.goto(f"{visit.address}#teacher={pupils.code}.{'x' * 32}")
        expect(visit.page.locator("#notices")).to_contain_text("This teacher link leads to no room")
        assert visit.page.locator(BAR).count() == 0
    assert visitor.page.evaluate("() => sessionStorage['explorer-room'] === undefined")
    teacher.page.get_by_role("button", name=f"Back to room {pupils.code}").click()
    expect(teacher.page.locator(f"{BAR} b")).to_have_text(pupils.code)
    expect(teacher.page.locator(BAR).get_by_role("button", name="End class")).to_be_visible()


def test_in_a_frame_that_lets_nothing_through_the_page_says_what_to_do(pupils: Class) -> None:
    visit = pupils.visits(pupils.address, apart=True)
    visit.at_rest = CAUGHT_UP
    with embedded(visit, "sandbox=allow-scripts", "?room=bcdfg") as frame:
        expect(frame.locator("#room-failure")).to_contain_text("Open the explorer in a tab of its own.")
        frame.get_by_role("button", name="Open a room").click()
        expect(frame.locator("#room-failure")).to_contain_text("Open the explorer in a tab of its own.")
