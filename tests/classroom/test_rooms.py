"""Rooms over HTTP, on a server with two workers: who sees what, who may do what, and what is refused."""

from __future__ import annotations

import json
import time
from contextlib import closing
from http.client import HTTPConnection
from itertools import islice

import orjson
import pytest

from classroom.conftest import Site
from classroom.people import EDGE, PATIENCE, Answer, Person, joined, new_id, opened, request
from explorer.labs import LABS
from explorer.models import load_zoo
from explorer.page.method_answers import method_answers
from explorer.page.panels.labs import lab_answer
from explorer.pictures import PATTERNS
from explorer.state import State

RING = State(pixels=tuple(PATTERNS["circle"].ravel().tolist())).to_json()
TEACHERS = (
    {"do": "lead", "n": 1, "state": EDGE},
    {"do": "share", "n": 1, "methods": ["gradient"]},
    {"do": "screens", "mode": "hold"},
    {"do": "publish", "id": "a" * 12, "on": True},
    {"do": "hide", "id": "a" * 12, "on": True},
    {"do": "remove", "id": "a" * 12},
    {"do": "mute", "alias": "Blue heron", "on": True},
    {"do": "poll", "key": "lab/saturation"},
    {"do": "reveal", "on": True},
    {"do": "challenge", "kind": "flip", "minutes": 1, "state": EDGE},
    {"do": "challenge-end"},
    {"do": "end"},
)


@pytest.fixture
def teacher(site: Site) -> Person:
    return opened(site.port)


@pytest.fixture
def student(teacher: Person) -> Person:
    return joined(teacher.port, teacher.code)


def test_nothing_of_rooms_is_there_unless_they_are_on() -> None:
    from asgi import client_of

    client = client_of()
    assert [client.post(path, json={}).status_code for path in ("/room/open", "/room/join", "/room/do")] == [404] * 3
    assert [client.get(path).status_code for path in ("/room/stream", "/room/now")] == [404] * 2
    assert client.post("/qr", json={"text": "http://127.0.0.1/"}).mimetype == "image/svg+xml"


def test_a_room_is_joined_by_its_code_however_it_is_typed(teacher: Person) -> None:
    aliases = {joined(teacher.port, typed).alias for typed in (teacher.code, teacher.code.lower(), f" {teacher.code[:2]}-{teacher.code[2:]} ")}
    assert len(aliases) == 3
    assert request(teacher.port, "POST", "/room/join", {"code": "BCD"}).status == 404
    for body in ({}, {"code": 5}, [], "{", {"code": "B" * 200}):
        assert request(teacher.port, "POST", "/room/join", body).status == 400


def test_what_the_teacher_shows_reaches_students_on_all_workers_with_its_answer(teacher: Person, student: Person) -> None:
    others = [joined(teacher.port, teacher.code) for _ in range(5)]
    streams = [one.stream() for one in (student, *others)]
    assert all(next(stream)["role"] == "student" for stream in streams)
    start = time.monotonic()
    teacher.done("lead", n=1, state=RING, look={"step": 3, "count": 50})
    for stream in streams:
        seen: dict[str, object] = {}
        for message in islice(stream, 5):
            seen |= message["parts"]
            if "answer" in seen:
                break
        assert seen["lead"] == {"n": 1, "since": 1, "answered": 1, "state": RING} and seen["look"]["step"] == 3  # type: ignore[index]
        answer = seen["answer"]["answer"]  # type: ignore[index]
        assert answer["predicted"] == load_zoo()["shapes"].network.predict(PATTERNS["circle"]) and answer["ask"] == 0
    assert time.monotonic() - start < 10
    late = joined(teacher.port, teacher.code)
    assert late.parts()["lead"]["state"] == RING


def test_an_answer_is_sent_again_only_if_it_is_another_one(teacher: Person, student: Person) -> None:
    stream = student.stream()
    seen: list[tuple[dict[str, object], bool]] = []
    for n, state in enumerate((RING, RING | {"tab": "saliency"}, RING | {"tab": "methods"}, EDGE), 1):
        teacher.done("lead", n=n, state=state)
        messages = (message["parts"] for message in stream)
        parts = next(parts for parts in messages if parts.get("lead", {}).get("n") == n)
        while not ("answer" in parts or parts["lead"]["answered"] < n):  # it was slower than its state
            parts = {"lead": parts["lead"]} | next(messages)
        seen.append(({name: parts["lead"][name] for name in ("since", "answered")}, "answer" in parts))
    assert [one for one, _ in seen] == [{"since": since, "answered": answered} for since, answered in ((1, 1), (1, 2), (1, 2), (4, 4))]
    assert [sent for _, sent in seen] == [True, True, False, True]  # the first one has the sentences of the tab that opens


def test_what_the_teachers_page_asked_for_beside_it_is_given_to_the_room_until_the_picture_changes(teacher: Person, student: Person) -> None:
    state = RING | {"tab": "labs", "lab": "convergence", "lab_settings": {"steps": 20}}
    teacher.done("lead", n=3, state=state)
    teacher.done("share", n=3, methods=["deeplift", "lime"], lab=True)
    parts = student.until(lambda parts: "lab" in parts)
    ring = State.from_json(RING, load_zoo())
    expected = orjson.loads(orjson.dumps(method_answers(ring, ["deeplift", "lime"], load_zoo())))
    assert parts["methods/deeplift"] == {"n": 3, "answer": {"ask": 0, **expected}}
    expected = orjson.loads(orjson.dumps(lab_answer(LABS["convergence"], ring, LABS["convergence"].values({"steps": 20}), load_zoo())))
    assert parts["lab"] == {"n": 3, "lab": {"name": "convergence", "settings": {"steps": 20}}, "pinned": state["pinned"], "answer": {"ask": 0, **expected}}
    teacher.done("lead", n=4, state=RING | {"tab": "methods"})  # other looks, the same numbers
    teacher.done("share", n=4, methods=["occlusion"])
    assert {"methods/deeplift", "methods/occlusion", "lab"} <= student.until(lambda parts: "methods/occlusion" in parts).keys()
    teacher.done("lead", n=5, state=EDGE)
    teacher.done("share", n=4, methods=["lrp_epsilon"])  # too late
    teacher.done("share", n=5, methods=["gradient"])
    parts = student.until(lambda parts: "methods/gradient" in parts)
    assert [name for name in parts if name.startswith(("methods/", "lab"))] == ["methods/gradient"]
    for wrong in ({"methods": ["nonsense"]}, {"methods": ["deeplift"] * 5}, {"methods": [3]}, {"lab": "yes"}):
        assert teacher.do("share", n=5, **wrong).status == 400
    assert student.do("share", n=5, methods=["gradient"]).status == 403


def test_a_stroke_is_passed_on_as_its_picture_alone_and_an_overtaken_one_says_nothing(teacher: Person, student: Person) -> None:
    teacher.done("lead", n=5, pixels=RING["pixels"])
    assert student.until(lambda parts: "paint" in parts)["paint"] == {"n": 5, "pixels": RING["pixels"]}
    assert teacher.done("lead", n=4, pixels=EDGE["pixels"]) == {"taken": False}
    assert teacher.done("lead", n=5, state=EDGE) == {"taken": False}  # of another device, which led at the same moment
    teacher.done("screens", mode="hold")
    assert student.until(lambda parts: parts["screens"]["mode"] == "hold")["paint"]["n"] == 5


def test_polling_gives_what_is_new_and_else_304(teacher: Person, student: Person) -> None:
    teacher.done("screens", mode="clear")
    student.until(lambda parts: parts["screens"]["mode"] == "clear")
    version = student.now().json["v"]
    again = student.now(version)
    while again.status == 200:  # the count of listeners may have been written meanwhile
        assert again.json["parts"] == {}
        again = student.now(version := again.json["v"])
    assert (again.status, again.body) == (304, b"")
    teacher.done("screens", mode="free")
    end = time.monotonic() + 10
    while (news := student.now(version)).status == 304:
        assert time.monotonic() < end
    assert news.json["parts"] == {"screens": {"mode": "free"}} and news.headers["ETag"] == f'"{news.json["v"]}"'


def test_a_picture_is_on_the_teachers_wall_and_nowhere_else_until_it_is_published(teacher: Person, student: Person) -> None:
    other, picture = joined(teacher.port, teacher.code), new_id()
    told = student.done("send", id=picture, state=RING)
    assert student.done("send", id=picture, state=RING) == told  # sent again, as the answer was lost
    tile = teacher.until(lambda parts: f"picture/{picture}" in parts)[f"picture/{picture}"]
    assert (tile["alias"], tile["pixels"], tile["published"], tile["hidden"]) == (student.alias, RING["pixels"], False, False)
    assert (tile["class"], tile["score"]) == (told["class"], told["score"]) and len(tile["map"]) == 64
    assert not [name for person in (student, other) for name in person.parts() if name.startswith(("picture", "shown"))]
    teacher.done("publish", id=picture, on=True)
    shown = other.until(lambda parts: f"shown/{picture}" in parts)[f"shown/{picture}"]
    assert shown == {name: value for name, value in tile.items() if name not in ("published", "hidden")}
    teacher.done("hide", id=picture, on=True)
    other.until(lambda parts: f"shown/{picture}" not in parts)
    assert teacher.until(lambda parts: parts[f"picture/{picture}"]["hidden"])[f"picture/{picture}"]["published"] is False
    teacher.done("publish", id=picture, on=True)  # what everybody sees is not hidden
    other.until(lambda parts: f"shown/{picture}" in parts)
    assert teacher.until(lambda parts: parts[f"picture/{picture}"]["published"])[f"picture/{picture}"]["hidden"] is False
    teacher.done("remove", id=picture)
    teacher.until(lambda parts: f"picture/{picture}" not in parts)
    assert teacher.do("publish", id=picture, on=True).status == 400


def test_a_muted_student_sends_no_more(teacher: Person, student: Person) -> None:
    teacher.done("mute", alias=student.alias, on=True)
    end = time.monotonic() + 10
    while (answer := student.do("send", id=new_id(), state=RING)).status == 200:
        assert time.monotonic() < end
    assert answer.status == 403 and "no more pictures" in answer.text


def test_a_student_sends_so_many_pictures_a_minute_whichever_worker_takes_them(student: Person) -> None:
    statuses = [(answer := student.do("send", id=new_id(), state=RING)).status for _ in range(9)]
    assert statuses == [200] * 6 + [429] * 3 and 1 <= int(answer.headers["Retry-After"]) <= 60


def test_only_the_teachers_secret_steers_and_students_alone_take_part(teacher: Person, student: Person) -> None:
    for body in TEACHERS:
        answer = request(teacher.port, "POST", "/room/do", body, student.credential)
        assert (answer.status, answer.text) == (403, "Only the teacher can do this.")
    assert teacher.do("send", id=new_id(), state=EDGE).status == 403
    for credential, status in (({}, 401), ({"Authorization": "Bearer x"}, 401), ({"Authorization": f"Bearer {teacher.code}.wrong"}, 404)):
        for method, path in (("POST", "/room/do"), ("GET", "/room/now"), ("GET", "/room/stream")):
            assert request(teacher.port, method, path, {"do": "end"} if method == "POST" else None, credential).status == status
    assert request(teacher.port, "GET", "/room/now", headers={"Authorization": "Bearer BBBBB.wrong"}).text == "This room has ended."
    assert student.parts()["screens"] == {"mode": "free"}


def test_answers_are_hidden_from_students_until_the_teacher_reveals_them(teacher: Person, student: Person) -> None:
    other = joined(teacher.port, teacher.code)
    teacher.done("poll", key="lab/saturation", kind="choice", title="not kept")
    poll = student.until(lambda parts: parts["poll"])["poll"]
    assert poll["choices"] and poll["title"] != "not kept" and poll["totals"] is None
    student.done("vote", key="lab/saturation", choice=1)
    student.done("vote", key="lab/saturation", choice=0)  # a change of mind
    other.done("vote", key="lab/saturation", choice=0)
    assert student.do("vote", key="lab/saturation", choice=8).status == 400
    seen = teacher.until(lambda parts: sum(name.startswith("vote/") for name in parts) == 2)
    assert {value["choice"] for name, value in seen.items() if name.startswith("vote/")} == {0}
    parts = other.parts()
    assert parts["poll"]["totals"] is None and not any(name.startswith("vote/") for name in parts)
    teacher.done("reveal", on=True)
    totals = other.until(lambda parts: parts["poll"]["revealed"])["poll"]["totals"]
    assert totals == [2] + [0] * (len(poll["choices"]) - 1)
    joined(teacher.port, teacher.code).done("vote", key="lab/saturation", choice=1)  # a late one counts at once
    other.until(lambda parts: parts["poll"]["totals"] == [2, 1] + [0] * (len(poll["choices"]) - 2))


def test_marks_are_counted_by_pixel(teacher: Person, student: Person) -> None:
    teacher.done("poll", key="ask/1", kind="marks", title="", pixels=3, picture=EDGE["pixels"], network="shapes")
    student.until(lambda parts: parts["poll"])
    assert student.do("vote", key="ask/1", pixels=[1, 2, 3, 4]).status == 400
    assert student.do("vote", key="ask/1", pixels=[1, 1]).status == 400
    student.done("vote", key="ask/1", pixels=[5, 1])
    joined(teacher.port, teacher.code).done("vote", key="ask/1", pixels=[5, 63, 7])
    teacher.done("reveal", on=True)
    totals = student.until(lambda parts: parts["poll"]["answered"] == 2)["poll"]["totals"]
    assert {pixel: count for pixel, count in enumerate(totals) if count} == {1: 1, 5: 2, 7: 1, 63: 1}


def test_the_steps_that_a_student_finished_are_counted_once(teacher: Person, student: Person) -> None:
    for step in (2, 1, 2):
        student.done("done", lesson="what-does-a-pixel-do", step=step)
    assert teacher.until(lambda parts: len(parts[f"student/{student.alias}"]["done"].get("what-does-a-pixel-do", [])) == 2)[f"student/{student.alias}"]["done"] == {"what-does-a-pixel-do": [1, 2]}
    assert student.do("done", lesson="no-such-lesson", step=1).status == 400


def test_a_challenge_is_scored_by_the_server_and_the_best_is_first(teacher: Person, student: Person) -> None:
    assert student.do("try", state=RING).status == 400
    teacher.done("challenge", kind="flip", minutes=5, state=EDGE)
    student.until(lambda parts: parts["challenge"])
    far = student.done("try", state={**RING, "network": "digits", "target": 1, "lab_settings": {"free": "text"}})
    assert far["valid"] and far["best"] and far["score"] == sum(a != b for a, b in zip(RING["pixels"], EDGE["pixels"], strict=True))
    assert student.done("try", state=EDGE)["valid"] is False
    black = joined(teacher.port, teacher.code)
    near = black.done("try", state={**EDGE, "pixels": [0.0] * 16 + EDGE["pixels"][16:]})
    assert near["valid"] and near["score"] == 16 < far["score"]
    scores = {name: value for name, value in teacher.until(lambda parts: f"score/{student.alias}" in parts).items() if name.startswith("score/")}
    assert all(value["state"] == {**EDGE, "pixels": value["state"]["pixels"]} for value in scores.values())  # what was scored, and nothing else of the page
    teacher.done("challenge-end")
    over = student.until(lambda parts: parts["challenge"]["over"])["challenge"]
    assert [one["score"] for one in over["best"]] == sorted(value["score"] for value in scores.values())
    assert student.do("try", state=RING).status == 400


def test_the_end_of_a_class_erases_everything(teacher: Person, student: Person) -> None:
    stream = student.stream()
    next(stream)
    teacher.done("end")
    assert list(stream)[-1] == {"over": True}
    for person in (teacher, student):
        end = time.monotonic() + 10
        while person.now().status == 200:
            assert time.monotonic() < end
        assert (person.now().status, person.now().text) == (404, "This room has ended.")
    assert request(teacher.port, "POST", "/room/join", {"code": teacher.code}).status in (404, 429)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"do": "dance"},
        {"do": "vote", "key": "lab/../x", "choice": 1},
        {"do": "vote", "key": "ask/1"},
        {"do": "send", "id": "short", "state": EDGE},
        {"do": "send", "id": "a" * 12, "state": {**EDGE, "pixels": [2.0] * 64}},
        {"do": "send", "id": "a" * 12, "state": EDGE, "name": "free text"},
        {"do": "done", "lesson": "what-does-a-pixel-do", "step": 0},
    ],
)
def test_a_wrong_body_is_refused_with_a_sentence(student: Person, body: dict[str, object]) -> None:
    answer = request(student.port, "POST", "/room/do", body, student.credential)
    assert answer.status == 400 and answer.text.endswith(".") and answer.headers["Content-Type"].startswith("text/plain")


def test_wrong_codes_are_slowed_down_and_right_ones_never_refused(teacher: Person) -> None:
    wrong = "B" * 5 if teacher.code != "B" * 5 else "C" * 5
    elsewhere = {"Content-Type": "application/json", "X-Forwarded-For": "192.0.2.7"}  # others are not slowed down
    with closing(HTTPConnection("127.0.0.1", teacher.port, timeout=PATIENCE)) as one_worker:  # which counts for itself

        def join(code: str) -> Answer:
            one_worker.request("POST", "/room/join", json.dumps({"code": code}), elsewhere)
            return Answer(one_worker.getresponse())

        statuses = [join(wrong).status for _ in range(31)]
        assert statuses[:29] == [404] * 29 and statuses[-1] == 429
        start = time.monotonic()
        assert join(teacher.code).json["alias"]
        assert time.monotonic() - start > 0.4
