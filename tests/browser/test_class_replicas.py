"""A class on two replicas behind nginx with the configuration of deploy/, which share a Redis: streams come through, and whatever fails, nothing is lost."""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from classroom.people import Person, joined, new_id, opened
from classroom.redis_server import RedisServer, needs_redis
from classroom.test_rooms import RING
from playwright.sync_api import expect
from proxy import needs_nginx

from explorer.classroom.routes import PING
from scripts.replicas import Nginx, find_nginx

from .conftest import Server
from .test_classroom import BAR, PHONE, QUALITY, Class, alias, press, see_the_same
from .visit import Visit

pytestmark = [needs_nginx, needs_redis]
Visits = Callable[..., Visit]
CUT_AFTER = PING + 1  # seconds of silence after which nginx ends a response here; 8 in deploy/
SOON = 10.0  # seconds, on a loaded machine
MOST = 8  # students, of whom two are at different replicas


class Site:
    """Redis, two replicas of one worker each, and nginx."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.redis = RedisServer(folder)
        stack.callback(self.redis.kill)
        self.replicas = [Server(ROOMS="1", REDIS_URL=self.redis.url, TRUSTED_PROXIES="1") for _ in range(2)]
        for replica in self.replicas:
            stack.callback(replica.stop)
        self.start()
        program = find_nginx()
        assert program is not None
        nginx = Nginx(program, folder, self.replicas, {"proxy_read_timeout 8s;": f"proxy_read_timeout {CUT_AFTER}s;"})
        stack.callback(nginx.close)
        self.port, self.address = nginx.port, f"http://127.0.0.1:{nginx.port}/"

    def start(self) -> None:
        """Start the replicas that do not run, both at once."""
        with ThreadPoolExecutor(2) as threads:
            list(threads.map(Server.start, [replica for replica in self.replicas if not replica.runs()]))


@pytest.fixture(scope="module")
def site(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with ExitStack() as stack:
        made = Site(tmp_path_factory.mktemp("site"), stack)
        yield made
        assert not [said for replica in made.replicas if "unexpected error" in (said := replica.said())]


@pytest.fixture
def pupils(visits: Visits, site: Site) -> Class:
    """A class of its own for each test, which meets nginx."""
    return Class(visits, site.address)


def person(visit: Visit, site: Site) -> Person:
    """Whoever uses a page, as one who asks without it."""
    return Person(site.port, visit.page.evaluate("() => JSON.parse(sessionStorage['explorer-room'])"))


def here(parts: dict[str, Any]) -> list[int]:
    """How many students' streams each replica has."""
    return sorted(content["count"] for name, content in parts.items() if name.startswith("here/") and content and content["count"])


def gather(pupils: Class, site: Site) -> tuple[Visit, Person, list[Visit]]:
    """A teacher and students whose streams are at both replicas."""
    site.start()
    teacher = pupils.teach()
    asking = person(teacher, site)
    students: list[Visit] = []
    counts: list[int] = []
    while len(counts) < 2:
        assert len(students) < MOST, counts
        students.append(pupils.join(**(PHONE if len(students) == 1 else {})))
        if len(students) > 1:
            counts = here(asking.until(lambda parts: sum(here(parts)) == len(students)))
    return teacher, asking, students


@contextmanager
def listened(port: int, who: Person) -> Iterator[http.client.HTTPResponse]:
    """Somebody's stream, as it comes."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=CUT_AFTER)) as connection:
        connection.request("GET", "/room/stream", headers=who.credential)
        yield connection.getresponse()


def asked(visits: list[Visit], path: str) -> list[int]:
    """How often each page has asked for something of the room so far."""
    return [sum(request.url.endswith(f"/room/{path}") for request in visit.requests) for visit in visits]


def on_the_wall(teacher: Visit, *ids: str) -> None:
    """Wait until just these pictures are on the wall."""
    teacher.until("(ids) => [...document.querySelectorAll('.wall .tile')].map((tile) => tile.dataset.id).sort().join() === ids", ",".join(sorted(ids)))


def pictures(parts: dict[str, Any]) -> dict[str, str]:
    """Whose each picture is."""
    return {name.removeprefix("picture/"): content["alias"] for name, content in parts.items() if name.startswith("picture/") and content}


def test_what_the_teacher_does_reaches_the_students_of_both_replicas_by_their_streams(pupils: Class, site: Site) -> None:
    teacher, _, students = gather(pupils, site)
    everybody = [teacher, *students]
    streams = asked(everybody, "stream")
    began = time.monotonic()
    teacher.stroke((0, 0), (0, 7))
    see_the_same(teacher, *students)
    assert time.monotonic() - began < SOON
    sent = [new_id(), new_id()]
    for replica, picture in zip(site.replicas, sent, strict=True):  # the teacher's stream is at only one of them
        joined(replica.port, pupils.code).done("send", id=picture, state=RING)
    teacher.page.locator(f"{BAR} button", has_text="Wall").click()
    on_the_wall(teacher, *sent)
    for visit in everybody:
        expect(visit.page.locator(QUALITY)).to_have_text("live")
    assert asked(everybody, "now") == [0] * len(everybody) and asked(everybody, "stream") == streams


def test_a_silent_stream_is_not_held_back_and_lives_longer_than_nginx_waits_for_a_replica(site: Site) -> None:
    site.start()
    teacher = opened(site.port)
    student = joined(site.port, teacher.code)
    with listened(site.replicas[0].port, student) as response:
        assert response.headers["X-Accel-Buffering"] == "no"  # to nginx, which would keep what a slow client does not read
    with listened(site.port, student) as response:
        began, pings, first = time.monotonic(), 0, ""
        while pings < 2:
            line = response.readline().decode()  # each comes at once, although nginx's buffers are far from full
            assert line, f"nginx ended it after {time.monotonic() - began:.1f} s"
            first = first or line
            pings += line.startswith(":")
    assert first.startswith("data: ") and time.monotonic() - began > CUT_AFTER


def test_a_replica_is_killed_and_its_pages_come_back_through_the_other(pupils: Class, site: Site) -> None:
    teacher, asking, students = gather(pupils, site)
    for visit in (teacher, *students):
        visit.expects_errors = True  # a stream that was cut is noted in the console
    before = asking.parts()
    streams, names = asked(students, "stream"), [alias(student) for student in students]
    teacher.page.locator(f"{BAR} button", has_text="Wall").click()
    press(students[0].page, "Send my picture")
    asking.until(pictures)
    site.replicas[0].stop()
    for student in students:
        press(student.page, "Send my picture")
        expect(student.page.locator("#notices")).to_contain_text("Your picture is sent.")
    teacher.press("Escape")
    teacher.stroke((1, 0), (1, 7))
    see_the_same(teacher, *students)
    for visit in (teacher, *students):
        expect(visit.page.locator(QUALITY)).to_have_text("live")
    again = [now - then for now, then in zip(asked(students, "stream"), streams, strict=True)]
    assert sum(count > 0 for count in again) in here(before) and sum(again) < 3 * len(students)
    parts = asking.parts()
    assert sorted(pictures(parts).values()) == sorted([names[0], *names])  # each once
    assert [alias(student) for student in students] == names
    assert {name for name in parts if name.startswith("student/")} == {f"student/{name}" for name in names}
    teacher.page.locator(f"{BAR} button", has_text="Wall").click()
    on_the_wall(teacher, *pictures(parts))


def test_all_replicas_are_started_again_and_the_room_goes_on(pupils: Class, site: Site) -> None:
    teacher, student = pupils.teach(), pupils.join()
    for visit in (teacher, student):
        visit.expects_errors = True
    asking, name = person(teacher, site), alias(student)
    asking.done("poll", key="lab/sanity")
    student.page.locator(".class-question .lesson-choice").nth(1).click()
    press(student.page, "Send my picture")
    kept = asking.until(lambda parts: pictures(parts) and f"vote/lab/sanity/{name}" in parts)
    for replica in site.replicas:
        replica.stop()
    for visit in (teacher, student):
        expect(visit.page.locator(QUALITY)).to_have_text("reconnecting…")
    press(student.page, "Send my picture")  # it waits
    site.start()
    for visit in (teacher, student):
        expect(visit.page.locator(QUALITY)).to_have_text("live")
    parts = asking.until(lambda parts: len(pictures(parts)) == 2)
    steady = ("student/", "vote/", "picture/", "poll", "lead")
    assert {part: content for part, content in kept.items() if part.startswith(steady)}.items() <= parts.items()
    assert set(pictures(parts).values()) == {name} == {alias(student)}
    teacher.page.locator(f"{BAR} button", has_text="Wall").click()
    on_the_wall(teacher, *pictures(parts))
    teacher.page.get_by_text("1 of 1 have answered").locator("visible=true").first.wait_for()
    teacher.press("Escape")
    teacher.stroke((2, 0), (2, 7))
    see_the_same(teacher, student)


def test_pages_go_on_while_redis_is_away_and_what_was_sent_arrives(pupils: Class, site: Site) -> None:
    teacher, student = pupils.teach(), pupils.join()
    for visit in (teacher, student):
        visit.expects_errors = True  # Chromium notes each 503
    site.redis.pause(True)
    try:
        for visit in (teacher, student):
            expect(visit.page.locator(QUALITY)).to_have_text("the room’s store is away")
        refused = person(student, site).do("send", id=new_id(), state=RING)
        assert (refused.status, refused.headers["Retry-After"]) == (503, "2") and "store" in refused.text
        press(student.page, "Send my picture")
        expect(student.page.locator("#notices")).to_contain_text("The room’s store is away. What you sent is kept")
        teacher.stroke((3, 0), (3, 7))
        teacher.rest()  # it is answered
    finally:
        site.redis.pause(False)
    see_the_same(teacher, student)
    for visit in (teacher, student):
        expect(visit.page.locator(QUALITY)).to_have_text("live")
    parts = person(teacher, site).until(pictures)
    assert list(pictures(parts).values()) == [alias(student)]
