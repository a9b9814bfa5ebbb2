"""The wall: the pictures of a class as tiles, what a teacher does with them, and what students get of them."""

from __future__ import annotations

import csv
import io
import string
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Locator

from explorer.pictures import PATTERNS

from .conftest import Server
from .test_class_asking import Room
from .test_export import saved
from .test_looks import AXE, violations
from .visit import Visit

Visits = Callable[..., Visit]
TILES = ".wall .tile"
PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "has_touch": True}


def id_of(number: int) -> str:
    """What a page would make at random."""
    return f"{number:012d}"


class Class:
    """A room with some students' pictures, which are sent without a page."""

    def __init__(self, server: Server) -> None:
        self.room = Room(server)
        self.students: list[dict[str, Any]] = []

    def send(self, number: int, pattern: str = "edge", *, student: int = 0, **state: Any) -> str:
        """One picture; students join as they are needed."""
        while len(self.students) <= student:
            self.students.append(self.room.join())
        self.room.do(self.students[student], "send", id=id_of(number), state={"pixels": PATTERNS[pattern].ravel().tolist(), **state})
        return id_of(number)

    def picture(self, id: str) -> dict[str, Any] | None:
        """What the room has of it."""
        found: dict[str, Any] | None = self.room.parts(self.room.teacher).get(f"picture/{id}")
        return found

    def newest(self, *numbers: int) -> list[str]:
        """Their ids, the newest picture first; times have one decimal."""
        parts = self.room.parts(self.room.teacher)
        return sorted(map(id_of, numbers), key=lambda known: (-parts[f"picture/{known}"]["at"], known))

    def teacher(self, visits: Visits, **options: Any) -> Visit:
        """The teacher's page, with the class in view."""
        visit = self.room.enter(visits, self.room.teacher, **options)
        visit.page.locator("#class-bar button", has_text="Wall").click()
        visit.page.locator(".class-invitation svg").wait_for()
        return visit

    def student(self, visits: Visits, student: int = 0, **options: Any) -> Visit:
        """A student's page."""
        return self.room.enter(visits, self.students[student], **options)


@pytest.fixture
def some(class_server: Server) -> Class:
    """Four pictures of three students."""
    made = Class(class_server)
    for number, (pattern, student) in enumerate([("edge", 0), ("ring", 1), ("edge", 2), ("cross", 0)]):
        made.send(number, pattern, student=student)
    return made


def ids(visit: Visit) -> list[str]:
    """Of the tiles, in their order."""
    found: list[str] = visit.page.locator(TILES).evaluate_all("(tiles) => tiles.map((tile) => tile.dataset.id)")
    return found


def shows(visit: Visit, *wanted: str) -> None:
    """Wait for these tiles, in this order."""
    visit.until("(wanted) => [...document.querySelectorAll('.wall .tile')].map((tile) => tile.dataset.id).join() === wanted", ",".join(wanted))


def tile(visit: Visit, id: str) -> Locator:
    return visit.page.locator(f"{TILES}[data-id='{id}']")


def choose(visit: Visit, id: str, action: str) -> None:
    """One action of a tile's menu."""
    tile(visit, id).locator(".tile-menu").click()
    visit.page.get_by_role("menuitem", name=action).click()


def select(visit: Visit, label: str, option: str) -> None:
    visit.page.locator(".wall").get_by_label(label, exact=True).select_option(option)


def drawn(visit: Visit, id: str) -> list[list[int]]:
    """The colours in the corners of a tile's 64 cells, beside the lines and signs."""
    found: list[list[int]] = tile(visit, id).locator("canvas").evaluate(
        """(canvas) => Array.from({ length: 64 }, (_, i) => {
          const at = (k) => Math.round(((k + 0.12) * canvas.width) / 8);
          return [...canvas.getContext("2d").getImageData(at(i % 8), at(i >> 3), 1, 1).data];
        })"""
    )
    return found


def test_tiles_come_live_with_prediction_and_map_and_are_sorted(some: Class, visits: Visits) -> None:
    visit = some.teacher(visits)
    shows(visit, *some.newest(3, 2, 1, 0))
    first = some.picture(id_of(0))
    assert first is not None
    assert tile(visit, id_of(0)).inner_text().split("\n")[:3] == [first["class"], f"P = {first['score']:.3f}", some.students[0]["alias"]]
    assert "4 pictures from 3 people. 2 vertical edge, 1 cross, 1 ring." in " ".join(visit.page.locator(".wall-said").inner_text().split())
    some.send(4, "ring", student=1)
    shows(visit, *some.newest(4, 3, 2, 1, 0))
    select(visit, "Sort by", "oldest")
    shows(visit, *reversed(some.newest(*range(5))))
    by_class = sorted(range(5), key=lambda n: ((p := some.picture(id_of(n)) or {})["class"], -p["score"], -p["at"], id_of(n)))
    select(visit, "Sort by", "class")
    shows(visit, *map(id_of, by_class))
    select(visit, "Sort by", "highest")
    scores = [(some.picture(shown) or {})["score"] for shown in ids(visit)]
    assert scores == sorted(scores, reverse=True)


def test_a_tile_shows_the_picture_or_the_map_on_its_own_scale(some: Class, visits: Visits) -> None:
    visit = some.teacher(visits)
    shows(visit, *some.newest(3, 2, 1, 0))
    assert "Each map has its own scale" in visit.page.locator(".wall-said").inner_text()
    picture = some.picture(id_of(1))
    assert picture is not None
    attributions = np.array(picture["map"])
    strongest = int(np.argmax(np.abs(attributions)))
    extreme = {1: [142, 16, 35, 255], -1: [11, 61, 120, 255]}[int(np.sign(attributions[strongest]))]  # the ends of the scale
    visit.until("(id) => document.querySelector(`[data-id='${id}'] canvas`).width > 100", id_of(1))
    assert drawn(visit, id_of(1))[strongest] == extreme
    visit.page.get_by_role("radio", name="Pictures").check()
    levels = [round(255 * value) for value in picture["pixels"]]
    assert drawn(visit, id_of(1)) == [[level, level, level, 255] for level in levels]


def test_only_what_is_published_is_seen_by_students_and_they_open_it(some: Class, visits: Visits) -> None:
    teacher, student = some.teacher(visits), some.student(visits, 2, **PHONE)
    opener = student.page.locator("#class-bar button", has_text="The class")
    assert not opener.is_visible()
    choose(teacher, id_of(1), "Publish")
    tile(teacher, id_of(1)).get_by_text("published").wait_for()
    opener.click()
    shows(student, id_of(1))
    assert not student.page.locator(".tile-menu, .tile-pick, .class-invitation").count()
    student.page.evaluate(AXE)
    assert not violations(student)
    assert [name for name in some.room.parts(some.students[2]) if name.startswith(("picture/", "student/"))] == []
    tile(student, id_of(0)).wait_for(state="detached")
    tile(student, id_of(1)).locator(".tile-open").click()
    student.page.locator("#class-view").wait_for(state="hidden")
    student.rest()
    assert student.pixels == (some.picture(id_of(1)) or {})["pixels"]
    assert student.page.evaluate("() => JSON.parse(sessionStorage['explorer-room']).away")  # it follows no more
    choose(teacher, id_of(1), "Hide")  # what is hidden is published no more
    opener.wait_for(state="hidden")


def test_hidden_ones_can_be_shown_again_and_removed_ones_are_gone(some: Class, visits: Visits) -> None:
    visit = some.teacher(visits)
    choose(visit, id_of(2), "Hide")
    shows(visit, *some.newest(3, 1, 0))
    select(visit, "Show", "hidden")
    shows(visit, id_of(2))
    choose(visit, id_of(2), "Show again")
    shows(visit)
    select(visit, "Show", "all")
    tile(visit, id_of(3)).locator(".tile-menu").click()
    visit.page.get_by_role("menuitem", name="Remove").click()
    assert some.picture(id_of(3)) is not None  # a second press is asked for
    visit.page.get_by_role("menuitem", name="Press again").click()
    shows(visit, *some.newest(2, 1, 0))
    assert some.picture(id_of(3)) is None


def test_a_muted_alias_sends_no_more_until_it_may_again(some: Class, visits: Visits) -> None:
    visit = some.teacher(visits)
    alias = some.students[1]["alias"]
    choose(visit, id_of(1), f"Mute {alias}")
    tile(visit, id_of(1)).get_by_text("muted").wait_for()
    with pytest.raises(AssertionError, match="403"):
        some.send(9, "ring", student=1)
    choose(visit, id_of(1), f"Unmute {alias}")
    tile(visit, id_of(1)).get_by_text("muted").wait_for(state="hidden")
    some.send(9, "ring", student=1)
    shows(visit, *some.newest(9, 3, 2, 1, 0))


def test_the_keyboard_alone_moderates(some: Class, visits: Visits) -> None:
    visit = some.teacher(visits)
    first, second, third, fourth = some.newest(0, 1, 2, 3)
    shows(visit, first, second, third, fourth)
    tile(visit, first).locator(".tile-open").focus()
    assert visit.page.locator(f"{TILES} [tabindex='0']").count() == 3  # Tab goes through one tile, arrows through all
    visit.press("ArrowRight", "p")
    tile(visit, second).get_by_text("published").wait_for()
    visit.press("ArrowRight", "s", "ArrowLeft", "s", "m")
    menu = visit.page.get_by_role("menu")
    menu.wait_for()
    visit.press("End", "Home", "ArrowDown", "ArrowDown", "ArrowDown")
    assert visit.page.evaluate("() => document.activeElement.textContent") == "Hide"
    visit.press("Escape")
    menu.wait_for(state="hidden")
    assert visit.page.locator(".wall-compare").inner_text() == "Compare 2"
    tile(visit, second).locator(".tile-open").focus()
    visit.press("h")
    shows(visit, first, third, fourth)
    assert visit.page.evaluate("() => document.activeElement.closest('.tile').dataset.id") == third  # at its place
    visit.press("Escape")  # the room goes on
    visit.page.locator("#class-view").wait_for(state="hidden")
    assert visit.page.locator("#class-bar").is_visible()


def test_a_tile_opens_in_the_explorer(some: Class, visits: Visits) -> None:
    some.send(5, "ring", student=1, network="digits", baseline="white", tab="labs")
    visit = some.teacher(visits)
    tile(visit, id_of(5)).locator(".tile-open").click()
    visit.page.locator("#class-view").wait_for(state="hidden")
    visit.until("() => view.state.network === 'digits'")
    visit.rest()
    assert (visit.state["baseline"], visit.state["tab"]) == ("white", "integrated")
    assert visit.pixels == PATTERNS["ring"].ravel().tolist()


def test_two_to_six_are_side_by_side_on_one_scale(some: Class, visits: Visits) -> None:
    visit = some.teacher(visits)
    compare = visit.page.locator(".wall-compare")
    tile(visit, id_of(0)).get_by_role("checkbox").check()
    assert compare.get_attribute("aria-disabled") == "true"
    tile(visit, id_of(1)).get_by_role("checkbox").check()
    compare.click()
    maps = visit.page.locator(".beside .map-surface")
    assert maps.count() == 4  # a picture and a map of each
    limits = visit.page.evaluate("() => explorer.maps.filter(({ options, root }) => root.closest('.beside') && options.kind === 'signed').map((map) => map.shownLimit())")
    most = max(abs(value) for number in (0, 1) for value in (some.picture(id_of(number)) or {})["map"])
    assert limits == [most, most]
    assert "One scale for all maps" in visit.page.locator(".class-view").inner_text()
    maps.nth(0).hover(position={"x": 2, "y": 2})
    assert visit.page.locator(".beside .marker:visible").count() == 4
    assert visit.page.locator(".beside-value").all_inner_texts()[0].startswith("x = ")
    visit.page.evaluate(AXE)
    assert not violations(visit)
    visit.press("Escape")
    shows(visit, *some.newest(3, 2, 1, 0))
    for number in range(10, 15):
        some.send(number, student=2)
    for number in (2, 3, 10, 11, 12):
        tile(visit, id_of(number)).locator(".tile-pick input").click()
    assert visit.page.locator(f"{TILES} input:checked").count() == 6  # the seventh is not taken
    compare.click()
    visit.page.evaluate(AXE)
    assert not violations(visit)  # also where one student sent the same twice
    visit.press("Escape")
    visit.page.locator("#wall-show").select_option("published")
    assert compare.inner_text() == "Compare"  # what is not shown is not counted


def test_the_wall_is_saved_as_csv(some: Class, visits: Visits) -> None:
    visit = some.teacher(visits)
    choose(visit, id_of(1), "Publish")
    tile(visit, id_of(1)).get_by_text("published").wait_for()
    choose(visit, id_of(0), "Hide")
    shows(visit, *some.newest(3, 2, 1))
    name, content = saved(visit, visit.page.get_by_role("button", name="Save as CSV"))
    assert name == f"wall-{some.room.code.lower()}.csv"
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
    for row, saved_one in zip(rows, some.newest(3, 2, 1), strict=True):
        picture = some.picture(saved_one)
        assert picture is not None
        assert (row["alias"], row["network"], row["class"]) == (picture["alias"], picture["network"], picture["class"])
        assert (float(row["P"]), row["published"]) == (picture["score"], "true" if saved_one == id_of(1) else "false")
        assert [float(row[f"pixel {i // 8},{i % 8}"]) for i in range(64)] == picture["pixels"]


def test_the_code_is_large_until_a_picture_comes_and_present_shows_what_is_published(class_server: Server, visits: Visits) -> None:
    room = Class(class_server)
    visit = room.teacher(visits, viewport={"width": 1920, "height": 1080})
    code = visit.page.locator(".class-code")
    letters = [letter for letter in code.inner_text() if letter in string.ascii_uppercase]
    assert "".join(letters) == room.room.code.upper()
    height = "() => parseFloat(getComputedStyle(document.querySelector('.class-code')).fontSize)"
    assert visit.page.evaluate(height) > 150
    visit.page.evaluate(AXE)
    assert not violations(visit)
    room.send(0)
    shows(visit, id_of(0))
    visit.until("() => !document.querySelector('.inviting')")
    assert visit.page.evaluate(height) > 60
    assert not violations(visit)
    visit.page.locator("#present").click()
    shows(visit)  # it is for everybody to see
    room.room.do(room.room.teacher, "publish", id=id_of(0), on=True)
    shows(visit, id_of(0))
    assert visit.state["tab"] == "integrated" and visit.page.locator("#class-view").is_visible()
    small = visit.page.evaluate("() => [...document.querySelectorAll('.class-view .tile-open *, .class-address, .wall-said *')].filter((e) => e.checkVisibility() && e.textContent && parseFloat(getComputedStyle(e).fontSize) < 23.9).map((e) => e.className)")
    assert not small
    assert not violations(visit)
    visit.press("Escape")
    visit.until("() => !document.body.classList.contains('present')")
    assert room.room.teacher["token"] not in visit.page.locator("body").inner_text()


@pytest.mark.parametrize(("touch", "widths"), [(True, (820, 360)), (False, (1366, 1920))])
def test_the_class_fits_its_window(touch: bool, widths: tuple[int, int], some: Class, visits: Visits) -> None:
    visit = some.teacher(visits, has_touch=touch, color_scheme="dark")
    shows(visit, *some.newest(3, 2, 1, 0))
    visit.page.evaluate(AXE)
    least = 44 if touch else 24
    sizes = "(least) => [...document.querySelectorAll('.tile-pick, .tile-menu, .tile-open')].map((e) => e.getBoundingClientRect()).filter(({ width, height }) => Math.min(width, height) < least).length"
    for width in widths:
        visit.page.set_viewport_size({"width": width, "height": 768})
        assert visit.page.evaluate("() => document.documentElement.scrollWidth") <= width
        assert visit.page.evaluate(sizes, least) == 0
        assert not violations(visit)
    if touch:
        for number in range(4):
            tile(visit, id_of(number)).locator(".tile-pick").click()
        visit.page.locator(".wall-compare").click()
        for width in widths:
            visit.page.set_viewport_size({"width": width, "height": 768})
            assert visit.page.evaluate("() => document.documentElement.scrollWidth") <= width


def test_three_hundred_tiles_stay_quick(class_server: Server, visits: Visits) -> None:
    crowd = Class(class_server)
    for number in range(300):  # a student may send six a minute
        crowd.send(number, tuple(PATTERNS)[number % 5], student=number // 6)
    visit = crowd.teacher(visits)
    visit.until("() => document.querySelectorAll('.wall .tile').length === 300")
    visit.until("(id) => document.querySelector(`[data-id='${id}'] canvas`).width > 100", id_of(299))
    visit.page.evaluate(
        """() => {
          window.painted = new Set();
          const { fillRect } = CanvasRenderingContext2D.prototype;
          CanvasRenderingContext2D.prototype.fillRect = function (...box) {
            painted.add(this.canvas.closest(".tile")?.dataset.id);
            return fillRect.apply(this, box);
          };
        }"""
    )
    crowd.send(300, student=50)
    visit.until("(id) => painted.has(id)", id_of(300))
    assert visit.page.evaluate("() => [...painted]") == [id_of(300)]  # and no other
    took = visit.page.evaluate(
        """async () => {
          const order = document.querySelector(".wall-select select");
          const began = performance.now();
          order.value = "class";
          order.dispatchEvent(new Event("change"));
          await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
          return performance.now() - began;
        }"""
    )
    assert took < 500  # ms for all to be in another place, on a loaded machine
    last = visit.page.locator(".wall .tile").last.get_attribute("data-id")
    assert last and not any(alpha for *_, alpha in drawn(visit, last))  # it is not in sight
    visit.page.evaluate("() => window.dispatchEvent(new Event('beforeprint'))")
    assert all(alpha for *_, alpha in drawn(visit, last))  # on paper it is
