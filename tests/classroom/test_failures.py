"""Rooms when something fails: a worker is killed, Redis stops, a listener does not read, the server is stopped."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
from serving import started, stop, wait_until_healthy, workers_of

from bench.asking import free_port
from classroom.people import EDGE, PATIENCE, Person, joined, new_id, opened
from classroom.redis_server import RedisServer, needs_redis
from classroom.test_rooms import RING

UNREAD = 40  # changes that a listener sleeps through


def test_a_worker_that_is_killed_loses_nothing_that_was_sent() -> None:
    port = free_port()
    with started(port, ROOMS="1", WORKERS="2") as process:
        wait_until_healthy(process, port, "/readyz")
        teacher = opened(port)
        students = [joined(port, teacher.code) for _ in range(8)]
        sent = {student.alias: new_id() for student in students}
        for student in students:
            student.done("send", id=sent[student.alias], state=RING)
        streams = [student.stream() for student in students]
        versions = [next(stream)["v"] for stream in streams]
        os.kill(next(iter(workers_of(process))), signal.SIGKILL)
        teacher.until(lambda parts: {f"picture/{id_}" for id_ in sent.values()} <= parts.keys())
        teacher.done("screens", mode="hold")
        for student, version in zip(students, versions, strict=True):  # as their pages do: connect again with the version that they have
            end = time.monotonic() + PATIENCE
            while True:
                try:
                    assert next(student.stream(version))["parts"]["screens"] == {"mode": "hold"}
                    break
                except OSError:
                    assert time.monotonic() < end
                    time.sleep(0.05)


def test_a_listener_that_does_not_read_gets_the_newest_and_no_backlog() -> None:
    port = free_port()
    with started(port, ROOMS="1", WORKERS="1") as process:
        wait_until_healthy(process, port, "/readyz")
        teacher = opened(port)
        student = joined(port, teacher.code)
        with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as line:
            line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            head = f"GET /room/stream HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {student.code}.{student.token}\r\n\r\n"
            line.sendall(head.encode())
            assert line.recv(10)
            for n in range(1, UNREAD + 1):
                picture = [round(n / 100, 2)] * 64
                teacher.done("lead", n=n, state={**EDGE, "pixels": picture})
                time.sleep(0.1)  # the pace of a teacher's page
            text, last = b"", f'"n":{UNREAD},"state"'.encode()
            while last not in text:
                text += line.recv(1 << 20)
        assert text.count(b'"lead":') < UNREAD / 2


def test_streams_end_first_when_the_server_is_stopped() -> None:
    port = free_port()
    with started(port, ROOMS="1", WORKERS="2") as process:
        wait_until_healthy(process, port, "/readyz")
        teacher = opened(port)
        streams = [joined(port, teacher.code).stream() for _ in range(10)]
        for stream in streams:
            next(stream)
        start = time.monotonic()
        code, _, said = stop(process)
        assert (code, said) == (0, "") and time.monotonic() - start < 6


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="reads where the server keeps its rooms from /proc")
def test_a_server_that_is_killed_leaves_nothing_of_its_rooms() -> None:
    port = free_port()
    with started(port, ROOMS="1", WORKERS="2") as process:
        wait_until_healthy(process, port, "/readyz")
        joined(port, opened(port).code)
        variables = Path(f"/proc/{next(iter(workers_of(process)))}/environ").read_bytes().split(b"\0")
        folder = Path(next(one for one in variables if one.startswith(b"ROOMS_FOLDER=")).partition(b"=")[2].decode())
        assert (folder / "rooms.sqlite").exists()
        process.kill()
        end = time.monotonic() + PATIENCE
        while folder.exists():
            assert time.monotonic() < end
            time.sleep(0.05)


def replicas(stack: ExitStack, url: str) -> list[int]:
    """The ports of two servers that share a Redis."""
    ports = [free_port(), free_port()]
    for port in ports:
        process = stack.enter_context(started(port, stderr=subprocess.DEVNULL, ROOMS="1", WORKERS="1", REDIS_URL=url))
        wait_until_healthy(process, port, "/readyz")
    return ports


@needs_redis
def test_students_on_both_replicas_are_in_one_room_and_a_redis_that_stops_for_a_while_loses_nothing(tmp_path: Path) -> None:
    redis = RedisServer(tmp_path)
    with ExitStack() as stack:
        stack.callback(redis.kill)
        one, other = replicas(stack, redis.url)
        teacher = opened(one)
        near, far = joined(one, teacher.code), joined(other, teacher.code)
        streams = [near.stream(), far.stream()]
        for stream in streams:
            next(stream)
        teacher.done("lead", n=1, state=RING)
        for stream in streams:
            assert any(message["parts"].get("lead") == {"n": 1, "state": RING} for message in stream)
        redis.pause(True)
        for stream in streams:
            while "away" not in (message := next(stream)):
                pass
            assert message == {"away": True}
        picture = new_id()
        refused = far.do("send", id=picture, state=RING)
        assert (refused.status, refused.headers["Retry-After"]) == (503, "2") and "store" in refused.text
        redis.pause(False)
        for stream in streams:
            while (message := next(stream)) != {"away": False}:
                assert "away" not in message
        far.done("send", id=picture, state=RING)  # as its page does, until it is answered
        teacher.until(lambda parts: f"picture/{picture}" in parts)
        assert Person(other, {"code": near.code, "token": near.token, "role": "student", "alias": near.alias}).parts()["lead"]["n"] == 1


def test_a_secret_is_in_no_log(tmp_path: Path) -> None:
    port = free_port()
    with (tmp_path / "log").open("w") as log, started(port, stderr=log, ROOMS="1", WORKERS="1", ACCESS_LOG="1", LOG_LEVEL="debug") as process:
        wait_until_healthy(process, port, "/readyz")
        teacher = opened(port)
        student = joined(port, teacher.code)
        teacher.done("lead", n=1, state=EDGE)
        student.do("end")
        next(student.stream())
    lines = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert any(line.get("path") == "/room/do" for line in lines)
    text = (tmp_path / "log").read_text()
    assert not any(secret in text for secret in (teacher.token, student.token, teacher.code, student.alias))
