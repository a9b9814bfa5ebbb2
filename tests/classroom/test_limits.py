"""What one client, or one student, cannot do to the others of a room or of the server."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice, product
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import orjson
import pytest
import uvicorn
from serving import started, wait_until_healthy
from starlette.applications import Starlette
from starlette.requests import Request
from uvicorn.server import ServerState

from bench.asking import free_port
from classroom.people import EDGE, Person, joined, new_id, opened, request
from explorer.classroom import guesses, rooms, routes
from explorer.classroom.actions import EndChallenge, Leave, Send, StartChallenge, read_action
from explorer.classroom.aliases import ADJECTIVES, ANIMALS
from explorer.classroom.guesses import Often
from explorer.classroom.hub import Hub, Room
from explorer.classroom.rooms import Refused, join_room, member, open_room
from explorer.classroom.sqlite_store import SqliteStore
from explorer.classroom.taking_part import TakingPart
from explorer.classroom.teaching import Teaching
from explorer.models import load_zoo
from explorer.server.compute import Compute
from explorer.server.errors import BadRequestBody
from explorer.server.metrics import Metrics
from explorer.server.protocol import BoundedHttp

ALIASES = [f"{one} {other}" for one, other in product(ADJECTIVES, ANIMALS)]


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    chosen = free_port()
    with started(chosen, ROOMS="1", WORKERS="1") as process:
        wait_until_healthy(process, chosen, "/readyz")
        yield chosen


def test_one_student_listens_with_a_few_pages_at_once(port: int) -> None:
    teacher = opened(port)
    student = joined(port, teacher.code)
    assert request(port, "HEAD", "/room/stream", headers=student.credential).status == 200  # and ends
    streams = [student.stream() for _ in range(routes.MOST_STREAMS)]
    for stream in streams:
        next(stream)
    answer = request(port, "GET", "/room/stream", headers=student.credential)
    assert answer.status == 429 and answer.headers["Retry-After"] and "Too many pages" in answer.text
    assert next(joined(port, teacher.code).stream())["alias"]  # others listen
    streams.pop().close()  # type: ignore[attr-defined]
    end = time.monotonic() + 10
    while True:
        try:
            assert next(student.stream())["alias"] == student.alias
            break
        except AssertionError:  # the server learns a little later that a page is gone
            assert time.monotonic() < end


def test_a_class_that_answers_at_once_waits_for_nobody_while_the_answers_are_shown(port: int) -> None:
    teacher = opened(port)
    students = [joined(port, teacher.code) for _ in range(80)]
    teacher.done("poll", key="ask/1", pixels=2)
    teacher.done("reveal", on=True)
    with ThreadPoolExecutor(len(students)) as pool:
        answers = list(pool.map(lambda student: student.do("vote", key="ask/1", pixels=[5]).status, students))
    assert answers == [200] * len(students)
    shown = students[0].until(lambda parts: parts["poll"]["answered"] == len(students))["poll"]
    assert shown["totals"][5] == sum(shown["totals"]) == len(students)


def test_the_pages_of_a_student_who_has_left_hear_no_more(port: int) -> None:
    teacher = opened(port)
    student = joined(port, teacher.code)
    stream = student.stream()
    next(stream)
    student.done("leave")
    teacher.done("screens", mode="hold")
    assert list(islice(stream, 2)) == [{"over": True}]


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="the system has no such limit")
def test_a_page_that_left_the_network_is_given_up_long_before_tcp_would() -> None:
    async def limit() -> int:
        config = uvicorn.Config(Starlette(), proxy_headers=False)
        config.load()
        state = ServerState()
        server = await asyncio.get_running_loop().create_server(lambda: BoundedHttp(config, state, {}), "127.0.0.1", 0)
        async with server:
            _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            while not state.connections:
                await asyncio.sleep(0)
            (connection,) = state.connections
            found = connection.transport.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
            writer.close()
            await writer.wait_closed()
            return int(found)

    assert 1000 * 2 * routes.PING < asyncio.run(limit()) < 60_000  # milliseconds: some pings are not heard


def test_a_client_opens_so_many_rooms_in_a_while(port: int) -> None:
    room: Person | None = None
    for _ in range(routes.ROOMS_OPENED + 1):
        answer = request(port, "POST", "/room/open", {})
        if answer.status != 200:
            break
        room = Person(port, answer.json)
    assert answer.status == 429 and int(answer.headers["Retry-After"]) > 0 and answer.text.endswith(".")
    assert room and room.do("screens", mode="hold").status == 200  # what was opened goes on


def test_only_what_was_done_lately_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr(guesses, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    often = Often(3, 60.0)
    for at in (0.0, 40.0, 80.0, 120.0):  # never three in a minute
        clock[0] = at
        often.note("a")
        assert not often.did("a")
    clock[0] = 130.0
    often.note("a")
    assert not often.did("b")
    clock[0] = 131.0
    often.note("a")
    assert often.did("a") and not often.did("b")
    clock[0] = 181.0
    assert not often.did("a")


def test_a_qr_code_is_not_made_where_the_streams_are_served(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[threading.Thread] = []
    monkeypatch.setattr(routes, "qr_svg", lambda text: made.append(threading.current_thread()) or b"<svg/>")

    async def ask() -> Any:
        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b'{"text":"http://127.0.0.1/"}', "more_body": False}

        scope = {"type": "http", "method": "POST", "path": "/qr", "headers": [(b"content-type", b"application/json")], "client": ("127.0.0.1", 1), "query_string": b""}
        return await routes.qr_route(Compute(8, 0, Metrics("0")), 0).endpoint(Request(scope, receive))

    assert asyncio.run(ask()).body == b"<svg/>"
    assert made and made[0] is not threading.current_thread()


def test_an_alias_is_given_once_also_after_its_student_has_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rooms, "MOST_JOINED", len(ALIASES))

    async def join() -> tuple[str, str]:
        hub = Hub(SqliteStore(tmp_path))
        async with hub.running():
            code = (await open_room(hub))["code"]
            room = await hub.room(code)
            await hub.write(room, dict.fromkeys([f"student/{alias}" for alias in ALIASES[1:]]))  # all have left
            given = await join_room(hub, code)
            with pytest.raises(Refused, match="full"):
                await join_room(hub, code)
            return given["alias"], code

    assert asyncio.run(join())[0] == ALIASES[0]


def test_a_student_who_leaves_while_their_picture_is_computed_is_told_so(tmp_path: Path) -> None:
    async def send() -> int:
        hub = Hub(SqliteStore(tmp_path))
        async with hub.running():
            given = await join_room(hub, (await open_room(hub))["code"])
            student = await member(hub, f"{given['code']}.{given['token']}")

            async def ask(kind: str, question: dict[str, Any]) -> str:
                await taking_part.do(student, Leave(do="leave"))  # on another page
                return '{"predicted":0,"f":{"input":1},"methods":{"integrated_gradients":{"map":[0]}}}'

            taking_part = TakingPart(hub, load_zoo(), ask, lambda _: None, lambda *_: pytest.fail("nothing is scored"))
            with pytest.raises(Refused) as refused:
                await taking_part.do(student, Send(do="send", id=new_id(), state=EDGE))
            return refused.value.status_code

    assert asyncio.run(send()) == 404


@pytest.mark.parametrize("moment", ["the start", "the end"])
def test_a_try_that_comes_in_at_the_last_moment_is_on_the_right_board(moment: str, tmp_path: Path) -> None:
    """Another worker takes it after this one has looked, and before it has written."""
    late = {"score/Blue heron": {"alias": "Blue heron", "score": 1.0, "text": "1 pixel changed.", "at": 1.0, "state": EDGE}}

    class Late(Hub):
        waits = False

        async def write(self, room: Room, parts: Any, *others: Any, **more: Any) -> None:
            if self.waits and "challenge" in parts:
                self.waits = False
                await self.store.write(room.code, {"score/Blue heron": orjson.dumps(late["score/Blue heron"])})
            await super().write(room, parts, *others, **more)

    async def run() -> tuple[Any, list[str]]:
        hub = Late(SqliteStore(tmp_path))
        async with hub.running():
            given = await open_room(hub)
            teacher = await member(hub, f"{given['code']}.{given['token']}")
            teaching = Teaching(hub, load_zoo(), lambda _: asyncio.sleep(0, "{}"), lambda _: None)
            begin = StartChallenge(do="challenge", kind="flip", minutes=5.0, state=EDGE)
            hub.waits = moment == "the start"
            await teaching.do(teacher, begin)
            hub.waits = moment == "the end"
            await teaching.do(teacher, EndChallenge(do="challenge-end"))
            return teacher.room.content("challenge"), teacher.room.names("score/")

    challenge, scores = asyncio.run(run())
    assert challenge["over"] and [one["alias"] for one in challenge["best"]] == (["Blue heron"] if moment == "the end" else [])
    assert len(scores) == len(challenge["best"])


def test_a_refusal_is_short_however_long_a_name_was_sent() -> None:
    with pytest.raises(BadRequestBody) as refused:
        read_action({"do": "leave", "k" * 60_000: 1})
    assert len(str(refused.value)) < 400
