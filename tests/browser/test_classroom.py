"""A class in a room: students see what the teacher does, may go their own way, and stay the same student whatever happens to the network."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest
from classroom.people import opened
from playwright.sync_api import Page, expect
from proxy import Line

from .conftest import Server
from .test_labs import SHOWN, predict
from .test_looks import AXE, violations
from .visit import CAUGHT_UP, Visit

Visits = Callable[..., Visit]
PHONE: dict[str, Any] = {"viewport": {"width": 360, "height": 740}, "has_touch": True}
BAR, STATUS, QUALITY = "#class-bar", ".class-status", ".class-quality"
FOLLOWING, ALONE = "Following your teacher.", "You look on your own."
ENDED = "This room has ended."


class Class:
    """The pages of one class, each in a browser context of its own."""

    def __init__(self, visits: Visits, address: str) -> None:
        self.visits, self.address, self.code = visits, address, ""

    def come(self, link: str = "", *, clock: bool = False, **options: Any) -> Visit:
        """A page of this server; with a clock that can be put forward."""
        visit = self.visits(self.address, apart=clock or None, **options)
        visit.at_rest = CAUGHT_UP  # a room has timers of its own
        if clock:
            visit.install_clock()
        return visit.open(link)

    def teach(self, link: str = "") -> Visit:
        """The teacher, who has just opened the room and is back in the explorer."""
        visit = self.come(link)
        visit.page.locator("#class").click()
        visit.page.get_by_role("button", name="Open a room").click()
        self.code = visit.page.locator(f"{BAR} b").inner_text()
        visit.page.locator("#class-view").wait_for()
        visit.press("Escape")
        visit.page.locator("#class-view").wait_for(state="hidden")
        return visit

    def join(self, **options: Any) -> Visit:
        """A student, by the link of the room, who follows."""
        visit = self.come(f"?room={self.code.lower()}", **options)
        visit.page.get_by_role("button", name="Join", exact=True).click()
        expect(visit.page.locator(STATUS)).to_have_text(FOLLOWING)
        visit.rest()
        return visit


@pytest.fixture
def pupils(visits: Visits, class_server: Server) -> Class:
    """A class of its own for each test."""
    return Class(visits, class_server.address)


def see_the_same(teacher: Visit, *students: Visit) -> None:
    """Wait until the students' pages show the teacher's state and numbers."""
    teacher.rest()
    for student in students:
        student.until("(state) => JSON.stringify(view.state) === JSON.stringify(state)", teacher.state)
        student.until("(ends) => JSON.stringify([view.answer.f, view.step]) === JSON.stringify(ends)", teacher.page.evaluate("() => [explorer.view.answer.f, explorer.view.step]"))


def alias(visit: Visit) -> str:
    """By which a student is known."""
    return visit.page.locator(f"{BAR} b").inner_text()


def press(page: Page, name: str) -> None:
    """Press a button of the bar."""
    page.locator(BAR).get_by_role("button", name=name, exact=True).click()


# ---------------------------------------------------------------- opening and joining


def test_without_rooms_nothing_of_them_shows(visit: Visit) -> None:
    assert visit.page.locator("#class").is_hidden()
    visit.open("?room=bcdfg")
    assert visit.page.locator("dialog").count() == 0 and visit.text("notices") == ""


def test_a_student_joins_by_typing_the_code_and_menu_and_notice_give_way(pupils: Class) -> None:
    teacher = pupils.teach()
    student = pupils.come(**PHONE)
    page = student.page
    page.locator("#menu").click()
    page.locator("#class").click()
    dialog = page.locator("dialog[open]")
    expect(dialog.get_by_label("Code of your class")).to_be_focused()
    assert all(box["height"] >= 44 for box in (part.bounding_box() for part in dialog.locator("input, .tool, .button").all()) if box)
    for kept in ("aliases", "No name", "4 hours", "ends the class"):
        assert kept in dialog.inner_text()
    student.expects_errors = True  # Chromium notes a 404 in the console
    page.keyboard.type("bbbbb")
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("alert")).to_have_text("There is no room BBBBB.")
    page.keyboard.type(f"{pupils.code[:2].lower()} {pupils.code[2:]}")
    page.keyboard.press("Enter")
    expect(page.locator(STATUS)).to_have_text(FOLLOWING)
    expect(page.locator("#menu")).to_have_attribute("aria-expanded", "false")
    assert page.evaluate("() => document.activeElement.id") == "class-bar"
    see_the_same(teacher, student)
    expect(teacher.page.locator(".class-count")).to_have_text("1 student")
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    press(page, "Send my picture")
    expect(page.locator("#notices")).to_contain_text("Your picture is sent.")
    press(teacher.page, "Ask")
    teacher.page.get_by_role("button", name="Ask: mark pixels").click()
    expect(page.get_by_role("heading", name="Your teacher asks")).to_be_visible()
    expect(page.locator("#notices")).to_be_empty()  # it would lie on the question


def test_the_teacher_resumes_on_another_device_and_the_secret_is_in_no_address(pupils: Class) -> None:
    teacher = pupils.teach()
    teacher.stroke((0, 0), (0, 7))
    token = teacher.page.evaluate("() => JSON.parse(sessionStorage['explorer-room']).token")
    student = pupils.join()
    other = pupils.come(f"#teacher={pupils.code.lower()}.{token}")
    expect(other.page.locator(f"{BAR} b")).to_have_text(pupils.code)
    assert other.page.url.rstrip("#") == pupils.address or "#" not in other.page.url
    see_the_same(teacher, other, student)  # it takes over what is there, and does not replace it
    other.to_tab("compare")
    see_the_same(other, teacher, student)
    secrets = [token, student.page.evaluate("() => JSON.parse(sessionStorage['explorer-room']).token")]
    for visit in (teacher, student, other):
        told = [part for request in visit.requests if request.url.startswith("http") for part in (request.url.partition("#")[0], request.headers.get("referer", ""), request.post_data or "")]
        assert not [part for part in told for secret in secrets if secret in part]


def test_two_devices_of_the_teacher_end_with_one_picture_and_a_link_that_is_opened_is_led(pupils: Class) -> None:
    teacher, student = pupils.teach(), pupils.join()
    see_the_same(teacher, student)
    secret = teacher.page.evaluate("() => JSON.parse(sessionStorage.getItem('explorer-room')).token")
    other = pupils.come(f"#teacher={pupils.code}.{secret}")
    see_the_same(teacher, other)
    before = teacher.pixels
    for visit, pattern in ((teacher, 1), (other, 2)):
        visit.page.evaluate("(pattern) => void setTimeout(() => document.querySelectorAll('#patterns button')[pattern].click(), 50)", pattern)
    for visit in (teacher, other, student):
        visit.until("(before) => JSON.stringify(view.state.pixels) !== JSON.stringify(before)", before)
    end = time.monotonic() + 30
    while not teacher.pixels == other.pixels == student.pixels:
        assert time.monotonic() < end
        student.rest()
    see_the_same(teacher, student, other)
    teacher.open("?v=2&p=cross&net=digits&m=17")
    student.until("() => view.state.network === 'digits' && view.state.steps === 17")
    see_the_same(teacher, student, other)
    assert teacher.state["network"] == "digits"


def test_a_second_device_leads_while_the_first_one_has_told_only_a_part_of_its_first_stroke(pupils: Class, class_server: Server) -> None:
    teacher = opened(class_server.port)
    teacher.done("lead", n=1, pixels=[0.5] * 64)
    pupils.code = teacher.code
    other = pupils.come(f"#teacher={teacher.code.lower()}.{teacher.token}")
    see_the_same(other, pupils.join())


# ---------------------------------------------------------------- following


def test_single_methods_and_labs_come_from_the_room_too(pupils: Class) -> None:
    teacher, student = pupils.teach(), pupils.join()
    see_the_same(teacher, student)
    cards = "() => [...document.querySelectorAll('#methods-first .first:not(.waiting)')].map((card) => card.innerText).join()"
    all_there = "() => document.querySelectorAll('#methods-first .first:not(.waiting)').length === 6"
    asked = student.page.evaluate("() => seen.questions")
    teacher.to_tab("methods")
    teacher.until(all_there)
    student.until(f"(shown) => ({cards})() === shown", teacher.page.evaluate(cards))
    teacher.to_tab("labs")
    teacher.page.locator("[data-lab=convergence]").click()
    for visit in (teacher, student):
        predict(visit, "convergence")
    said = teacher.page.evaluate(SHOWN, "convergence")
    assert student.page.evaluate(SHOWN, "convergence") == said and student.page.evaluate("() => seen.questions") == asked
    late = pupils.join()
    asked = late.page.evaluate("() => seen.questions")
    predict(late, "convergence")
    assert late.page.evaluate(SHOWN, "convergence") == said and late.page.evaluate("() => seen.questions") == asked
    late.to_tab("methods")  # on its own
    late.until(all_there)
    assert late.page.evaluate("() => seen.questions") > asked


def test_students_see_each_stroke_and_ask_nothing_and_playing_is_one_message(pupils: Class) -> None:
    teacher = pupils.teach()
    student, phone = pupils.join(), pupils.join(**PHONE)
    entries = student.page.evaluate("() => history.length")
    with student.count_requests(0), phone.count_requests(0):
        mouse = teacher.page.mouse
        mouse.move(*teacher.cell(1, 1))
        mouse.down()
        mouse.move(*teacher.cell(1, 6))
        for visit in (student, phone):  # while the stroke lasts
            visit.until("(pixels) => JSON.stringify(view.state.pixels) === JSON.stringify(pixels)", teacher.pixels)
        mouse.up()
        see_the_same(teacher, student, phone)
        teacher.choose("network", "digits")
        see_the_same(teacher, student, phone)
        teacher.to_tab("saliency")
        see_the_same(teacher, student, phone)
        teacher.to_tab("integrated")
        see_the_same(teacher, student, phone)
        teacher.page.locator("#scrub").fill("20")
        see_the_same(teacher, student, phone)
        assert student.page.evaluate("() => explorer.view.step") == 20
    assert student.page.evaluate("() => history.length") == entries
    late = pupils.join()
    see_the_same(teacher, late)
    sent = len([r for r in teacher.requests if r.url.endswith("/room/do")])
    teacher.page.locator("#speed").select_option("5")
    teacher.page.locator("#play").click()
    student.until("() => explorer.playhead().playing && view.step > 2")
    teacher.page.locator("#play").click()
    student.until("() => !explorer.playhead().playing")
    see_the_same(teacher, student)  # each page played by itself
    assert len([r for r in teacher.requests if r.url.endswith("/room/do")]) - sent <= 6  # not one for each frame


def test_a_touch_lets_go_and_one_button_comes_back(pupils: Class) -> None:
    teacher = pupils.teach()
    student = pupils.join(**PHONE)
    student.page.locator("#patterns button").nth(5).tap()
    expect(student.page.locator(STATUS)).to_have_text(ALONE)
    own = student.pixels
    teacher.stroke((7, 0), (7, 7))
    teacher.rest()
    expect(teacher.page.locator(QUALITY)).to_have_text("live")
    other = pupils.join()
    see_the_same(teacher, other)
    assert student.pixels == own
    student.page.reload()
    expect(student.page.locator(STATUS)).to_have_text(ALONE)  # a reload changes nothing
    press(student.page, "Follow the teacher")
    see_the_same(teacher, student)
    expect(student.page.locator(STATUS)).to_have_text(FOLLOWING)
    student.until("() => document.getElementById('paint-undo').getAttribute('aria-disabled') === 'false'")
    student.page.locator("#paint-undo").dispatch_event("click")
    student.until("(own) => JSON.stringify(view.state.pixels) === JSON.stringify(own)", own)
    expect(student.page.locator(STATUS)).to_have_text(ALONE)
    press(student.page, "Follow the teacher")
    see_the_same(teacher, student)
    student.page.locator("#play").tap()
    expect(student.page.locator(STATUS)).to_have_text(ALONE)


def test_the_teacher_sees_who_is_here_and_mutes_before_a_picture_came(pupils: Class) -> None:
    teacher = pupils.teach()
    students = [pupils.join(), pupils.join(**PHONE)]
    assert students[0].page.evaluate("() => document.activeElement.id") == "class-bar"  # the next Tab leads on from there
    names = sorted(alias(student) for student in students)
    teacher.page.get_by_role("button", name="2 students").press("Enter")
    people = teacher.page.get_by_role("dialog", name="Students")
    expect(people.locator("li b")).to_have_text(names)
    press(students[1].page, "Send my picture")
    expect(people.locator("li", has_text=alias(students[1]))).to_contain_text("1 picture")
    people.get_by_role("button", name=f"Mute {alias(students[0])}", exact=True).press("Enter")
    unmute = people.get_by_role("button", name=f"Unmute {alias(students[0])}", exact=True)
    expect(unmute).to_be_focused()  # so that it is easily undone
    students[0].expects_errors = True  # a refusal is noted in the console
    press(students[0].page, "Send my picture")
    expect(students[0].page.locator("#notices")).to_contain_text("Your teacher takes no more pictures from you just now.")
    teacher.page.evaluate(AXE)
    assert violations(teacher) == []
    teacher.press("Escape")
    expect(teacher.page.get_by_role("button", name="2 students")).to_be_focused()


def test_hold_pressed_twice_frees_the_screens_again(pupils: Class) -> None:
    teacher = pupils.teach()
    hold = teacher.page.locator(BAR).get_by_role("button", name="Hold", exact=True)
    before = hold.bounding_box()
    hold.click()
    expect(teacher.page.locator(STATUS)).to_have_text("The screens are held.")
    assert hold.bounding_box() == before  # the next press is not on another button
    hold.click()
    expect(teacher.page.locator(STATUS)).to_have_text("")
    teacher.page.set_viewport_size({"width": 1366, "height": 650})
    teacher.until("() => document.getElementById('scrub').getBoundingClientRect().bottom <= innerHeight")  # below the bar, too, the path needs no scrolling


def test_held_screens_follow_whatever_is_pressed_and_cleared_ones_show_one_sentence(pupils: Class) -> None:
    teacher = pupils.teach()
    student = pupils.join()
    student.stroke((0, 4), (5, 4))
    expect(student.page.locator(STATUS)).to_have_text(ALONE)
    press(teacher.page, "Hold")
    expect(student.page.locator(STATUS)).to_have_text("Your teacher holds the screens.")
    see_the_same(teacher, student)
    with student.count_requests(0):
        student.stroke((0, 0), (7, 7))
        student.press("Space", "ArrowLeft", "Control+z")
        student.page.locator("#start-over").click()
        student.page.locator("#tab-labs").click()
        student.page.evaluate("() => explorer.goToStep(3)")  # what gets through all the same is taken back
        see_the_same(teacher, student)
    press(teacher.page, "Release")
    expect(student.page.locator(STATUS)).to_have_text(FOLLOWING)
    student.to_tab("saliency")
    expect(student.page.locator(STATUS)).to_have_text(ALONE)
    press(teacher.page, "Clear screens")
    cover = student.page.get_by_role("dialog", name="Please look up. Your teacher has cleared the screens.")
    expect(cover).to_be_visible()
    student.press("Escape", "Escape", "Escape", "Tab", "Tab")
    expect(cover).to_be_visible()
    assert student.page.evaluate("() => document.activeElement === document.body || Boolean(document.activeElement.closest('.class-clear'))")
    student.page.evaluate(AXE)
    assert violations(student) == []
    teacher.stroke((3, 0), (3, 7))
    press(teacher.page, "Release")
    expect(cover).to_be_hidden()
    see_the_same(teacher, student)


# ---------------------------------------------------------------- the network


def test_a_reload_and_a_network_that_the_device_loses_for_a_moment_change_nothing(pupils: Class) -> None:
    teacher = pupils.teach()
    student = pupils.join()
    student.expects_errors = True  # requests that cannot be sent are noted in the console
    name = alias(student)
    student.page.reload()
    expect(student.page.locator(STATUS)).to_have_text(FOLLOWING)
    student.context.set_offline(True)  # which in Chromium leaves the stream as it is
    expect(student.page.locator(QUALITY)).to_have_text("reconnecting…")
    student.context.set_offline(False)
    expect(student.page.locator(QUALITY)).to_have_text("live")  # the stream goes on
    teacher.stroke((2, 0), (2, 7))
    see_the_same(teacher, student)
    assert alias(student) == name


def test_a_network_that_is_gone_for_a_while_loses_nothing(pupils: Class, class_server: Server) -> None:
    # By hand, with 30 real seconds: the page said “reconnecting…” 11 s after the cut (2 s where the device knew of it); it was
    # live, and what had been sent was on the wall, within a second after the network was back.
    teacher = pupils.teach()
    with closing(Line(class_server.port)) as line:
        student = Class(pupils.visits, f"http://127.0.0.1:{line.port}/").come(f"?room={pupils.code}", clock=True)
        student.expects_errors = True
        student.page.get_by_role("button", name="Join", exact=True).click()
        expect(student.page.locator(QUALITY)).to_have_text("live")
        name, clock = alias(student), student.page.clock
        line.cut(True)
        teacher.stroke((2, 0), (2, 7))
        clock.run_for(14_000)  # in which there should have been two signs of life
        expect(student.page.locator(QUALITY)).to_have_text("reconnecting…")
        press(student.page, "Send my picture")
        student.stroke((4, 0), (4, 7))
        own = student.pixels
        clock.run_for(16_000)  # attempts of all kinds meanwhile
        expect(student.page.locator("#notices")).to_contain_text("What you sent is kept")
        expect(student.page.locator(STATUS)).to_have_text(ALONE)
        line.cut(False)
        expect(student.page.locator("#notices")).to_contain_text("Your picture is sent.")
        student.rest()  # the stroke is answered
        assert student.pixels == own and alias(student) == name
        expect(student.page.locator(QUALITY)).to_have_text("live")
        press(student.page, "Follow the teacher")
        see_the_same(teacher, student)
        teacher.page.locator(f"{BAR} button", has_text="Wall").click()
        sent = [request for request in student.requests if '"do":"send"' in (request.post_data or "")]
        expect(teacher.page.locator(".wall .tile")).to_have_count(1)
        assert len(sent) > 1  # it was sent again, and is there once


def test_where_no_stream_comes_through_the_page_polls(pupils: Class) -> None:
    teacher = pupils.teach()
    student = pupils.come()
    student.expects_errors = True
    student.page.route("**/room/stream", lambda route: route.abort())
    student.page.locator("#class").click()
    student.page.get_by_label("Code of your class").fill(pupils.code)
    student.press("Enter")
    expect(student.page.locator(QUALITY)).to_have_text("every 2 seconds")
    teacher.stroke((5, 0), (5, 7))
    see_the_same(teacher, student)
    with student.page.expect_response(lambda response: response.url.endswith("/room/now") and response.status == 304):
        pass  # nothing is sent again that is known


def test_a_stream_that_is_held_back_is_given_up(pupils: Class) -> None:
    teacher = pupils.teach()
    student = pupils.come(clock=True)
    student.page.route("**/room/stream", lambda route: None)  # as a proxy that waits for its end
    student.page.locator("#class").click()
    student.page.get_by_label("Code of your class").fill(pupils.code)
    with student.page.expect_request("**/room/stream"):
        student.press("Enter")
    student.page.clock.run_for(5000)
    expect(student.page.locator(QUALITY)).to_have_text("every 2 seconds")
    teacher.stroke((6, 0), (6, 7))
    see_the_same(teacher, student)


def test_a_hidden_tab_closes_its_stream_and_comes_back(pupils: Class) -> None:
    teacher = pupils.teach()
    student = pupils.join(clock=True)
    turn = "(hidden) => { Object.defineProperty(document, 'visibilityState', { value: hidden ? 'hidden' : 'visible', configurable: true }); document.dispatchEvent(new Event('visibilitychange')); }"
    with student.page.expect_event("requestfailed", lambda request: request.url.endswith("/room/stream")):
        student.page.evaluate(turn, True)
        student.page.clock.run_for(3000)
    teacher.stroke((4, 0), (4, 7))
    teacher.rest()
    student.page.evaluate(turn, False)
    see_the_same(teacher, student)
    expect(student.page.locator(QUALITY)).to_have_text("live")


def test_a_server_that_is_started_again_without_redis_has_no_room_any_more_and_pages_say_so(pupils: Class, class_server: Server) -> None:
    teacher = pupils.teach()
    student = pupils.join()
    for visit in (teacher, student):
        visit.expects_errors = True
    class_server.stop()
    expect(student.page.locator(QUALITY)).to_have_text("reconnecting…")
    class_server.start()
    for visit in (teacher, student):
        expect(visit.page.locator("#notices")).to_contain_text(ENDED)
        assert visit.page.locator(BAR).count() == 0
        assert visit.page.evaluate("() => sessionStorage['explorer-room'] === undefined")
    student.stroke((0, 0), (0, 7))
    student.rest()
    gone = pupils.code
    teacher.page.get_by_role("button", name="Another room").click()
    teacher.page.get_by_role("button", name="Open a room").click()
    teacher.until("(gone) => document.querySelector('#class-bar b') && document.querySelector('#class-bar b').textContent !== gone", gone)
    student.page.get_by_role("button", name="Another room").click()
    expect(student.page.get_by_label("Code of your class")).to_be_focused()
    student.page.keyboard.type(teacher.page.locator(f"{BAR} b").inner_text())
    student.press("Enter")
    expect(student.page.locator(STATUS)).to_have_text(FOLLOWING)


def test_the_teacher_ends_the_class(pupils: Class) -> None:
    teacher = pupils.teach()
    student = pupils.join()
    press(teacher.page, "End class")
    teacher.page.locator("dialog[open]").get_by_role("button", name="End class").click()
    for visit in (student, teacher):
        expect(visit.page.locator("#notices")).to_contain_text(ENDED)
        assert visit.page.locator(BAR).count() == 0
    student.page.reload()
    student.rest()
    assert student.page.locator(BAR).count() == 0 and student.text("notices") == ""


# ---------------------------------------------------------------- looks


def test_axe_finds_no_violation(pupils: Class) -> None:
    teacher, student = pupils.teach(), pupils.come(f"?room={pupils.code}")
    found = {}
    for width in (1440, 360):
        student.page.set_viewport_size({"width": width, "height": 800})
        student.page.evaluate(AXE)
        found[f"join {width}"] = violations(student)
    student.page.get_by_role("button", name="Join", exact=True).click()
    expect(student.page.locator(STATUS)).to_have_text(FOLLOWING)
    student.page.keyboard.press("Tab")
    teacher.page.evaluate(AXE)
    for visit in (teacher, student):
        for width in (1440, 360):
            visit.page.set_viewport_size({"width": width, "height": 800})
            assert visit.page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
            for theme in ("light", "dark"):
                visit.page.emulate_media(color_scheme=theme, reduced_motion="reduce")
                found[f"{visit.page.locator(f'{BAR} b').inner_text()} {width} {theme}"] = violations(visit)
    assert {where: what for where, what in found.items() if what} == {}


# ---------------------------------------------------------------- the QR code of a link


def test_the_link_of_the_page_has_a_qr_code_also_without_rooms(visits: Visits, server: Server) -> None:
    visit = visits(server.address, permissions=["clipboard-read", "clipboard-write"]).open()
    visit.page.locator("#copy-link").click()
    visit.page.get_by_role("button", name="Show its QR code").click()
    dialog = visit.page.locator("dialog[open]")
    expect(dialog.get_by_role("img", name="QR code of this link").locator("svg")).to_be_visible()
    assert dialog.get_by_role("textbox").input_value().endswith("?v=2")
    visit.page.evaluate(AXE)
    assert violations(visit) == []
