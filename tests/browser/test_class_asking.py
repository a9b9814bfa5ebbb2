"""Asking a class: answers are hidden until they are revealed, marks become a heat map, a challenge runs from its start to its end."""

from __future__ import annotations

import http.client
import json
import re
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from explorer.classroom.challenges import CHALLENGES

from .conftest import PATIENCE, Server
from .test_looks import AXE, violations
from .visit import CAUGHT_UP, Visit

Visits = Callable[..., Visit]
QUESTION, ANSWERS, CHALLENGE = ".class-question", ".class-answers", ".class-challenge"
MOST_KEYS = 150  # to go through the whole page
PHONE: dict[str, Any] = {"viewport": {"width": 360, "height": 740}, "has_touch": True}


class Room:
    """A room of a server, opened and joined without a page."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.teacher = self.ask("POST", "open", {})
        self.code: str = self.teacher["code"]

    def ask(self, method: str, path: str, body: Any = None, token: str = "") -> Any:
        """What the server answers, as JSON; 200 is required."""
        return json.loads(self.bytes(method, path, body, token))

    def bytes(self, method: str, path: str, body: Any = None, token: str = "") -> bytes:
        """What the server answers, as it comes."""
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=PATIENCE)
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {self.code}.{token}"} if token else {})
        connection.request(method, f"/room/{path}", None if body is None else json.dumps(body), headers)
        response = connection.getresponse()
        content = response.read()
        assert response.status == 200, (response.status, content)
        return content

    def join(self) -> dict[str, Any]:
        """A student's credential."""
        student: dict[str, Any] = self.ask("POST", "join", {"code": self.code})
        return student

    def do(self, who: dict[str, Any], name: str, **body: Any) -> Any:
        """One action without a page."""
        return self.ask("POST", "do", {"do": name, **body}, who["token"])

    def parts(self, who: dict[str, Any]) -> dict[str, Any]:
        """All parts that somebody may see."""
        parts: dict[str, Any] = self.ask("GET", "now", token=who["token"])["parts"]
        return parts

    def enter(self, visits: Visits, who: dict[str, Any], link: str = "", **options: Any) -> Visit:
        """A page that is in the room."""
        visit = visits(self.server.address, apart=None, **options)
        visit.at_rest = CAUGHT_UP  # a room has timers of its own
        visit.empty("(kept) => sessionStorage.setItem('explorer-room', kept)", json.dumps({**who, "code": self.code}))
        visit.open(link)
        visit.page.locator("#class-dock").wait_for(state="attached")
        return visit


@pytest.fixture
def room(class_server: Server) -> Room:
    """A room of its own for each test."""
    return Room(class_server)


def choose(visit: Visit, place: str, index: int) -> None:
    """Choose one of the choices of a question."""
    visit.page.locator(f"{place} .lesson-choice").nth(index).click()


def button(visit: Visit, place: str, name: str) -> Any:
    """A button that is seen."""
    return visit.page.locator(place).get_by_role("button", name=name, exact=True).locator("visible=true").first


def ask(teacher: Visit, name: str) -> None:
    """Press one of the teacher's buttons that ask."""
    button(teacher, "#class-bar", "Ask").click()
    button(teacher, ".class-asking", name).click()


def mark(visit: Visit, cells: list[int]) -> None:
    """Mark pixels and send them."""
    for cell in cells:
        visit.page.locator(f"{QUESTION} .to-mark .mark-cell").nth(cell).click()
    button(visit, QUESTION, "Send my marks").click()


def heat(visit: Visit, place: str) -> list[str]:
    """The numbers in the cells of a heat map."""
    texts: list[str] = visit.page.locator(f"{place} .heat-cell").all_inner_texts()
    return texts


# ---- polls


def test_answers_are_hidden_until_they_are_revealed(visits: Visits, room: Room) -> None:
    students = [room.join() for _ in range(4)]
    teacher = room.enter(visits, room.teacher, "?tab=labs&lab=sanity&v=2")
    phone = room.enter(visits, students[0], **PHONE)
    phone.page.locator("#tab-saliency").click()  # lets go of the teacher
    ask(teacher, "Ask: predict first")
    assert "weights of the last layer" in phone.page.locator(f"{QUESTION} .class-panel-question").inner_text()
    choose(phone, QUESTION, 2)
    room.do(students[1], "vote", key="lab/sanity", choice=1)
    room.do(students[2], "vote", key="lab/sanity", choice=1)
    teacher.page.get_by_text("3 of 4 have answered").locator("visible=true").first.wait_for()
    assert teacher.page.locator(".class-bars").count() == phone.page.locator(".class-bars").count() == 0
    sent = room.bytes("GET", "now", token=students[3]["token"])
    assert b"vote/" not in sent and json.loads(sent)["parts"]["poll"]["totals"] is None

    button(teacher, ANSWERS, "Reveal").click()
    for visit, place in ((teacher, ANSWERS), (phone, QUESTION)):
        visit.page.locator(f"{place} .class-bar-number", has_text="2 (67 %)").wait_for()
        assert visit.page.locator(f"{place} .class-bar-number").all_inner_texts() == ["0 (0 %)", "2 (67 %)", "1 (33 %)", "0 (0 %)"]
    assert phone.page.locator(".class-bars li:has(.class-bar-yours:not([hidden]))").inner_text().startswith("C")
    room.do(students[3], "vote", key="lab/sanity", choice=0)  # live
    for visit, place in ((teacher, ANSWERS), (phone, QUESTION)):
        visit.page.locator(f"{place} .class-bar-number", has_text="2 (50 %)").wait_for()
    button(teacher, ANSWERS, "End the question").click()
    phone.page.locator(QUESTION).wait_for(state="hidden")


def test_a_prediction_in_a_lab_and_in_a_lesson_is_an_answer(visits: Visits, room: Room) -> None:
    student = room.join()
    visit = room.enter(visits, student, "?tab=labs&lab=sanity&v=2")
    visit.page.locator("[data-open=sanity] .lab-choice").nth(3).click()
    visit.open("?lesson=sure-and-silent&v=2")
    visit.page.locator("#lesson-card .lesson-choice").nth(1).click()
    name = student["alias"]

    def known() -> bool:
        parts = room.parts(room.teacher)
        return parts.get(f"vote/lab/sanity/{name}") == {"choice": 3} and parts.get(f"vote/lesson/sure-and-silent/1/{name}") == {"choice": 1}

    end = time.monotonic() + PATIENCE
    while not known():
        assert time.monotonic() < end, room.parts(room.teacher)


def test_a_poll_is_there_after_a_reload_with_what_was_answered(visits: Visits, room: Room) -> None:
    student = room.join()
    room.do(room.teacher, "poll", key="lab/sanity")
    visit = room.enter(visits, student)
    choose(visit, QUESTION, 1)
    visit.page.get_by_text("You answered B.").wait_for()
    visit.page.reload()
    visit.rest()
    visit.page.get_by_text("You answered B.").wait_for()
    assert visit.page.locator(f"{QUESTION} [aria-pressed=true]").inner_text().startswith("B")


# ---- steps of lessons


def test_the_teacher_sees_how_many_have_finished_each_step(visits: Visits, room: Room) -> None:
    students = [room.join() for _ in range(3)]
    for student in students[1:]:
        room.do(student, "done", lesson="walk-the-path", step=2)
    visit = room.enter(visits, students[0], "?lesson=walk-the-path&v=2")
    mark_lesson(visit)
    teacher = room.enter(visits, room.teacher, "?lesson=walk-the-path&v=2")
    steps = teacher.page.locator(".class-steps").first
    steps.locator("li", has_text="1 of 3").wait_for(state="attached")
    assert steps.locator("b").all_text_contents() == ["1 of 3", "2 of 3", "0 of 3", "0 of 3"]


def mark_lesson(visit: Visit) -> None:
    """Mark eight pixels in the card of a lesson."""
    for cell in range(8):
        visit.page.locator("#lesson-card .to-mark .mark-cell").nth(cell).click()
    visit.page.get_by_role("button", name="Show the map").click()


# ---- marks


def test_the_marks_of_the_class_are_a_heat_map_beside_the_true_map(visits: Visits, room: Room) -> None:
    students = [room.join() for _ in range(4)]
    teacher = room.enter(visits, room.teacher)
    ask(teacher, "Ask: mark pixels")
    phone = room.enter(visits, students[0], **PHONE)
    mark(phone, [*range(8)])
    phone.page.get_by_text("Your marks are sent.").wait_for()
    for student, cells in zip(students[1:], ([*range(8)], [*range(4, 12)], [*range(40, 48)]), strict=True):
        room.do(student, "vote", key="ask/1", pixels=cells)
    teacher.page.get_by_text("4 of 4 have answered").locator("visible=true").first.wait_for()
    assert b"vote/" not in room.bytes("GET", "now", token=students[1]["token"])
    assert teacher.page.locator(".heat-grid").count() == 0
    button(teacher, ANSWERS, "Reveal").click()
    expected = ["50"] * 4 + ["75"] * 4 + ["25"] * 4 + [""] * 28 + ["25"] * 8 + [""] * 16
    for visit, place in ((teacher, ANSWERS), (phone, QUESTION)):
        visit.page.locator(f"{place} .heat-cell", has_text="75").first.wait_for()
        assert heat(visit, place) == expected
    phone_cells = phone.page.locator(f"{QUESTION} .heat-cell.yours")
    assert phone_cells.count() == 8
    map_ = np.abs(teacher.view["answer"]["methods"]["integrated_gradients"]["map"])
    both = len(set(range(8)) & set(np.argsort(-map_, kind="stable")[:8].tolist()))
    said = teacher.page.locator(".class-agreement")
    said.get_by_text("By chance it would be about 1.").wait_for()
    assert said.inner_text().startswith(f"{both} of the class’s 8 most marked pixels")
    teacher.page.locator(f"{ANSWERS} .heat-cell").first.focus()
    teacher.press("ArrowRight", "ArrowDown")
    assert teacher.page.locator(".heat-said").inner_text() == "row 1, column 1: 1 of 4 (25 %)"
    teacher.page.reload()  # the room resumes
    teacher.rest()
    teacher.page.locator(f"{ANSWERS} .heat-cell", has_text="75").first.wait_for()
    said.get_by_text("By chance it would be about 1.").wait_for()


# ---- the keyboard


def reach(visit: Visit, selector: str, text: str = "", key: str = "Tab") -> None:
    """Press a key until something, which says this, has the focus."""
    for _ in range(MOST_KEYS):
        if visit.page.evaluate("([selector, text]) => document.activeElement.matches(selector) && document.activeElement.textContent.includes(text)", [selector, text]):
            return
        visit.press(key)
    pytest.fail(f"{key} does not reach {selector} {text}")


def test_a_student_takes_part_with_the_keyboard_alone(visits: Visits, room: Room) -> None:
    room.do(room.teacher, "lead", n=1, state={"network": "digits"})
    visit = visits(room.server.address)
    visit.at_rest = CAUGHT_UP
    visit.open()
    page, bar = visit.page, "#class-bar button"
    reach(visit, "#class")
    visit.press("Enter")
    page.locator("#room-code").wait_for()
    page.keyboard.type(room.code)
    visit.press("Enter")
    page.get_by_text("Following your teacher.").wait_for()
    visit.until("() => view.state.network === 'digits'")
    visit.rest()
    name = page.locator("#class-bar b").inner_text()

    reach(visit, ".paint-cell")
    before = visit.pixels
    visit.press("ArrowRight", "Enter")
    page.get_by_text("You look on your own.").wait_for()
    visit.rest()
    assert visit.pixels != before
    reach(visit, bar, "Follow the teacher", "Shift+Tab")
    visit.press("Enter")
    page.get_by_text("Following your teacher.").wait_for()
    visit.until("(before) => JSON.stringify(view.state.pixels) === JSON.stringify(before)", before)
    reach(visit, bar, "Send my picture")
    visit.press("Enter")
    page.get_by_text("Your picture is sent.").wait_for()

    room.do(room.teacher, "poll", key="lab/sanity")
    page.locator(QUESTION).wait_for()
    assert page.evaluate("() => document.activeElement.textContent") == "Send my picture"  # a question takes no focus
    reach(visit, f"{QUESTION} .lesson-choice")
    visit.press("Tab", "Enter")
    page.get_by_text("You answered B.").wait_for()
    room.do(room.teacher, "poll", key="ask/1", kind="marks", pixels=2, picture=[0.5] * 64, network="shapes")
    page.locator(f"{QUESTION} .mark-cell").first.wait_for()
    reach(visit, f"{QUESTION} .mark-cell")
    visit.press(" ", "ArrowRight", "Enter", "Tab", "Enter")
    page.get_by_text("Your marks are sent.").wait_for()

    room.do(room.teacher, "challenge", kind="flip", minutes=3, state={})
    page.locator(CHALLENGE).get_by_text("fewest changed pixels").wait_for()
    for pressed in ("Start from the challenge’s picture", "Send my try"):
        reach(visit, f"{CHALLENGE} button", pressed)
        visit.press("Enter")
        visit.rest()
    page.locator(CHALLENGE).get_by_text("0 pixels changed").wait_for()
    parts = room.parts(room.teacher)
    assert [part["alias"] for key, part in parts.items() if key.startswith("picture/")] == [name]
    assert (parts[f"vote/lab/sanity/{name}"], parts[f"vote/ask/1/{name}"]) == ({"choice": 1}, {"pixels": [0, 1]})


@pytest.mark.parametrize(("width", "height"), [(390, 664), (360, 640), (1366, 650)])
def test_every_pixel_and_the_button_are_within_reach_beside_a_challenge(visits: Visits, room: Room, width: int, height: int) -> None:
    student = room.join()
    visit = room.enter(visits, student, viewport={"width": width, "height": height}, has_touch=True)
    room.do(room.teacher, "challenge", kind="flip", minutes=3, state={})
    visit.page.locator(CHALLENGE).wait_for()
    room.do(room.teacher, "poll", key="ask/1", kind="marks", pixels=4, picture=[0.5] * 64, network="shapes")
    cells = visit.page.locator(f"{QUESTION} .mark-cell")
    for cell in (0, 7, 56, 63):  # a tap fails where something lies on it
        cells.nth(cell).tap()
    button(visit, QUESTION, "Send my marks").tap()
    visit.page.get_by_text("Your marks are sent.").wait_for()
    assert room.parts(room.teacher)[f"vote/ask/1/{student['alias']}"] == {"pixels": [0, 7, 56, 63]}


def test_marks_and_map_stand_side_by_side_also_after_the_wall_and_in_present(visits: Visits, room: Room) -> None:
    teacher = room.enter(visits, room.teacher, viewport={"width": 1366, "height": 768})
    teacher.page.locator("#class").click()  # brings the wall's stylesheet
    teacher.page.locator("#class-view").wait_for()
    teacher.press("Escape")
    room.do(room.teacher, "poll", key="ask/1", kind="marks", pixels=1, picture=[0.5] * 64, network="shapes")
    room.do(room.join(), "vote", key="ask/1", pixels=[0])
    button(teacher, ANSWERS, "Reveal").click()
    for present in (False, True):
        if present:
            teacher.page.locator("#present").click()
            teacher.page.locator("body.present").wait_for()
        heat_ = teacher.page.locator(f"{ANSWERS} .heat-grid").bounding_box()
        map_ = teacher.page.locator(f"{ANSWERS} .beside-map .map-surface").bounding_box()
        assert heat_ and map_
        assert abs(heat_["y"] - map_["y"]) < 2 and abs(heat_["width"] - map_["width"]) < 2
        assert heat_["x"] + heat_["width"] < map_["x"] and map_["y"] + map_["height"] <= 768


def test_the_focus_stays_in_the_class_when_what_had_it_goes(visits: Visits, room: Room) -> None:
    teacher = room.enter(visits, room.teacher)
    ask(teacher, "Ask: mark pixels")
    visit = room.enter(visits, room.join())
    button(visit, QUESTION, "Skip").press("Enter")
    button(teacher, ANSWERS, "End the question").first.press("Enter")
    for who, panel in ((visit, QUESTION), (teacher, ANSWERS)):
        who.page.locator(panel).wait_for(state="hidden")
        assert who.page.evaluate("() => document.activeElement.closest('#class-bar') !== null")


def test_after_a_reload_a_question_of_the_lesson_is_asked_in_one_place(visits: Visits, room: Room) -> None:
    student = room.join()
    room.do(room.teacher, "poll", key="lesson/sure-and-silent/1", kind="choice", title="Why?", choices=["a", "b", "c"])
    visit = room.enter(visits, student, "?lesson=sure-and-silent&v=2")
    for _ in range(2):
        visit.page.locator("#lesson-card .lesson-choice").first.wait_for()
        visit.page.locator(f"{QUESTION}.small .class-panel-aside", has_text="Answer it in the lesson.").wait_for()
        assert visit.page.locator(f"{QUESTION} .lesson-choice").count() == 0
        visit.page.reload()
        visit.rest()


# ---- challenges


def test_a_challenge_begins_in_the_explorer(visits: Visits, room: Room) -> None:
    student = room.join()
    sent = room.do(student, "send", id="a" * 12, state={})
    assert sent["score"] > 0
    room.do(room.teacher, "publish", id=next(name for name in room.parts(room.teacher) if name.startswith("picture/")).removeprefix("picture/"), on=True)
    visit = room.enter(visits, student)
    visit.page.get_by_role("button", name="The class (1)").click()
    visit.page.locator("#class-view").wait_for()
    visit.page.get_by_text("You look at the pictures of the class.").wait_for()
    room.do(room.teacher, "challenge", kind="flip", minutes=3, state={})
    button(visit, CHALLENGE, "Start from the challenge’s picture").click()
    visit.page.locator("#class-view").wait_for(state="hidden")


def test_a_challenge_from_its_start_to_its_end(visits: Visits, room: Room) -> None:
    students = [room.join() for _ in range(3)]
    teacher = room.enter(visits, room.teacher)
    ask(teacher, "Start a challenge…")
    start = teacher.page.locator(".class-start")
    start.get_by_label("Minutes").fill("3")
    start.get_by_role("button", name="Start", exact=True).click()
    visit = room.enter(visits, students[0], **PHONE)
    panel = visit.page.locator(CHALLENGE)
    panel.get_by_text("fewest changed pixels").wait_for()
    assert re.fullmatch(r"(2:[0-5]\d|3:00) left", panel.locator(".class-panel-aside").inner_text())
    button(visit, CHALLENGE, "Send my try").click()
    panel.get_by_text("It is still “vertical edge”, with 0 pixels changed.").wait_for()

    picture = np.array(visit.pixels)
    for student, count in ((students[1], 64), (students[2], 60)):
        changed = picture.copy()
        changed[:count] = 0.0
        assert room.do(student, "try", state={**visit.state, "pixels": changed.tolist()})["valid"]
    board = teacher.page.locator(f"{CHALLENGE} .class-board li b")
    board.nth(1).wait_for()
    tried = room.parts(room.teacher)
    scores = sorted((part["score"], part["at"], part["alias"]) for name, part in tried.items() if name.startswith("score/"))
    assert board.all_inner_texts() == [alias for _, _, alias in scores]
    assert b"score/" not in room.bytes("GET", "now", token=students[0]["token"])

    visit.page.reload()  # in the middle
    visit.rest()
    panel.get_by_text("fewest changed pixels").wait_for()
    visit.page.locator("#patterns [data-name=ring]").click()
    visit.until("() => view.state.pixels[0] === 0")
    button(visit, CHALLENGE, "Send my try").click()
    panel.get_by_text("Your best.").wait_for()
    button(visit, CHALLENGE, "Start from the challenge’s picture").click()
    visit.until("(before) => JSON.stringify(view.state.pixels) === JSON.stringify(before)", picture.tolist())
    board.nth(2).wait_for()
    button(teacher, CHALLENGE, "End the challenge").click()
    panel.locator(".class-board li").nth(2).wait_for()
    parts = room.parts(room.teacher)
    best = parts["challenge"]["best"]
    assert [one["score"] for one in best] == sorted(one["score"] for one in best) and len(best) == 3
    assert [text.removesuffix(" (you)") for text in panel.locator(".class-board li b").all_inner_texts()] == [one["alias"] for one in best]
    assert panel.locator(".class-board .own b").inner_text() == f"{students[0]['alias']} (you)"
    teacher.page.locator(f"{CHALLENGE} .class-panel-aside").get_by_text(f"won by {best[0]['alias']}", exact=True).wait_for()
    winner = parts[f"score/{best[0]['alias']}"]["state"]["pixels"]
    teacher.until("(pixels) => JSON.stringify(view.state.pixels) === JSON.stringify(pixels)", winner)
    assert not panel.get_by_role("button", name="Send my try").is_visible()


@pytest.mark.parametrize("options", [{}, PHONE, {"color_scheme": "dark"}, {"forced_colors": "active"}])
def test_the_panels_are_accessible_and_fit(visits: Visits, room: Room, options: dict[str, Any]) -> None:
    student = room.join()
    room.do(room.teacher, "poll", key="ask/1", kind="marks", pixels=8, picture=[0.5] * 64, network="shapes")
    for first in (0, 2, 4):  # several shares in the heat map
        room.do(room.join(), "vote", key="ask/1", pixels=[*range(first, first + 8)])
    room.do(room.teacher, "challenge", kind="disagree", minutes=3, state={})
    for who in (student, room.teacher):
        visit = room.enter(visits, who, **options)
        visit.page.evaluate(AXE)
        for revealed in (False, True):
            room.do(room.teacher, "reveal", on=revealed)
            visit.page.locator("#class-dock .heat-grid").first.wait_for(state="visible" if revealed else "hidden")
            for theme in ("light",) if "forced_colors" in options else ("light", "dark"):  # axe takes the page's own dark colours for forced ones
                visit.page.emulate_media(color_scheme=theme, reduced_motion="reduce")
                assert not violations(visit)
            wide = visit.page.evaluate("() => [document.documentElement.scrollWidth, innerWidth]")
            assert wide[0] <= wide[1]
        room.do(room.teacher, "reveal", on=False)


def test_the_page_knows_of_challenges_only_where_there_are_rooms(visit: Visit, visits: Visits, room: Room) -> None:
    assert not visit.page.evaluate("() => 'challenges' in explorer.view.config")
    known = room.enter(visits, room.teacher).page.evaluate("() => explorer.view.config.challenges.map(({ kind }) => kind)")
    assert known == list(CHALLENGES)
