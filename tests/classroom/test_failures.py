"""Rooms when something fails: a worker is killed, a listener does not read, the server is stopped. Redis: see the browser's tests of replicas."""

from __future__ import annotations

import os
import signal
import socket
import time
from pathlib import Path

import pytest
from serving import started, stop, wait_for, wait_until_healthy, workers_of

from bench.asking import free_port
from classroom.conftest import Site
from classroom.people import EDGE, PATIENCE, joined, new_id, opened
from classroom.test_rooms import RING

UNREAD = 24  # changes that a listener sleeps through


def test_a_worker_that_is_killed_loses_nothing_that_was_sent(site: Site) -> None:
    teacher = opened(site.port)
    students = [joined(site.port, teacher.code) for _ in range(8)]
    sent = {student.alias: new_id() for student in students}
    for student in students:
        student.done("send", id=sent[student.alias], state=RING)
    streams = [student.stream() for student in students]
    versions = [next(stream)["v"] for stream in streams]
    os.kill(next(iter(workers_of(site.process))), signal.SIGKILL)
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


def test_a_listener_that_does_not_read_gets_the_newest_and_no_backlog(site: Site) -> None:
    teacher = opened(site.port)
    student = joined(site.port, teacher.code)
    with socket.create_connection(("127.0.0.1", site.port), timeout=PATIENCE) as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        head = f"GET /room/stream HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {student.code}.{student.token}\r\n\r\n"
        line.sendall(head.encode())
        assert line.recv(10)
        for n in range(1, UNREAD + 1):
            picture = [round(n / 100, 2)] * 64
            teacher.done("lead", n=n, state={**EDGE, "pixels": picture})
            time.sleep(0.1)  # the pace of a teacher's page
        text, last = b"", f'"n":{UNREAD},"since"'.encode()
        while last not in text:
            part = line.recv(1 << 20)
            assert part, "the stream ended"
            text += part
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


def test_a_secret_is_in_no_log(site: Site) -> None:
    before = len(site.lines())
    teacher = opened(site.port)
    student = joined(site.port, teacher.code)
    teacher.done("lead", n=1, state=EDGE)
    student.do("end")
    next(student.stream())
    wait_for(lambda: {"/room/do", "/room/stream"} <= {line.get("path") for line in site.lines()[before:]}, "the lines of both")
    text = site.log.read_text()
    assert not any(secret in text for secret in (teacher.token, student.token, teacher.code, student.alias))
