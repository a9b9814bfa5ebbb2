"""A stop or a killed worker in the middle of things, connections that say nothing, and requests that are none."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from serving import (
    PATIENCE,
    ROOT,
    environment,
    get,
    methods_question,
    post,
    say,
    started,
    stop,
    stroke,
    wait_for,
    wait_until_healthy,
    workers_of,
)

from bench import processes
from bench.asking import free_port
from explorer.server.protocol import READ_TIMEOUT

HALF = b"POST /_dash-update-component HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
CHUNKED = HALF[:-1].replace(b"Content-Length: 100", b"Transfer-Encoding: chunked")


def counted(port: int, name: str, path: str = "/metrics") -> float:
    """A number without labels among the metrics."""
    found = [line for line in get(port, path)[1].splitlines() if line.startswith(f"{name} ")]
    return float(found[0].split()[1])


def test_questions_in_flight_are_answered_when_the_server_is_told_to_stop() -> None:
    port = free_port()
    slow = methods_question("smooth_integrated_gradients", "lime", "kernel_shap", network="digits-cnn")
    with started(port, METRICS="1") as process, ThreadPoolExecutor(6) as visitors:
        wait_until_healthy(process, port)
        answers = [visitors.submit(post, port, slow) for _ in range(6)]
        wait_for(lambda: counted(port, "explorer_in_flight") >= 4, "questions in flight")
        code, _, err = stop(process)
        answered = [answer.result(PATIENCE) for answer in answers]
    assert [status for status, _, _ in answered] == [200] * 6
    assert len({said for _, said, _ in answered}) == 1  # whole, and the same for all
    assert (code, err) == (0, "")


def test_a_worker_that_is_killed_is_replaced_and_nobody_else_notices() -> None:
    port = free_port()
    with started(port, METRICS="1", LOG_LEVEL="info") as process:
        wait_until_healthy(process, port)
        before = wait_for(lambda: len(found := workers_of(process)) == 2 and found, "two workers")
        wait_for(lambda: counted(port, "explorer_worker_starts_total") == 2, "both of them to be ready")
        killed = min(before)
        os.kill(killed, signal.SIGKILL)
        assert [post(port, stroke())[0] for _ in range(6)] == [200] * 6
        after = wait_for(lambda: len(found := workers_of(process)) == 2 and killed not in found and found, "a new worker")
        assert len(after & before) == 1
        wait_for(lambda: counted(port, "explorer_worker_starts_total") == 3, "the new worker's count")
        wait_for(lambda: counted(port, "explorer_in_flight") == 1, "this very request only: the dead worker's are forgotten")
        code, _, err = stop(process)
    assert code == 0
    told = [json.loads(line) for line in err.splitlines()]
    assert any(line["message"] == f"Child process [{killed}] died" for line in told), told


def folders_of(pids: set[int]) -> list[Path]:
    """The folders in which these processes count."""
    places = [Path("/dev/shm"), Path(tempfile.gettempdir())]
    files = [found for place in places for pid in pids for found in place.glob(f"explorer-metrics-*/*_{pid}.db")]
    return sorted({found.parent for found in files})


def test_workers_count_together_in_a_folder_that_goes_with_them() -> None:
    port = free_port()
    with started(port, METRICS="1", URL_PREFIX="/under/") as process:
        wait_until_healthy(process, port, "/under/healthz")
        workers = wait_for(lambda: len(found := workers_of(process)) == 2 and found, "two workers")
        wait_for(lambda: counted(port, "explorer_worker_starts_total", "/under/metrics") == 2, "both of them to be ready")
        for _ in range(20):
            assert post(port, stroke(), "/under/_dash-update-component")[0] == 200
        answered = 'explorer_requests_total{callback="explanation",status="200"} 20.0'
        wait_for(lambda: answered in get(port, "/under/metrics")[1], "the last one to be counted")
        families = text_string_to_metric_families(get(port, "/under/metrics")[1])
        samples = {(s.name, *s.labels.values()): s.value for family in families for s in family.samples}
        assert samples["explorer_requests_total", "explanation", "200"] == 20  # whichever worker is asked
        assert samples["explorer_request_seconds_bucket", "explanation", "+Inf"] == 20
        assert samples["explorer_worker_starts_total",] == 2
        (folder,) = folders_of(workers)
        code, _, err = stop(process)
    assert (code, err) == (0, "")
    assert not folder.exists()


@contextmanager
def crowded(port: int, **bounds: float) -> Iterator[subprocess.Popen[str]]:
    """A server of one worker with other bounds of its connections."""
    changed = "; ".join(f"protocol.{name} = {bound}" for name, bound in bounds.items())
    process = subprocess.Popen(
        [sys.executable, "-c", f"import explorer.server.protocol as protocol, app; {changed}; app.main()"],
        cwd=ROOT, env=environment(PORT=str(port), WORKERS="1"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        wait_until_healthy(process, port)
        yield process
    finally:
        process.kill()
        process.communicate()


def test_connections_that_say_nothing_hold_nobody_up() -> None:
    port = free_port()
    with started(port, WORKERS="1") as process, ExitStack() as silent:
        wait_until_healthy(process, port)
        for _ in range(400):
            silent.enter_context(socket.create_connection(("127.0.0.1", port), timeout=PATIENCE))
        assert post(port, stroke())[0] == 200


@pytest.mark.parametrize(
    "words", [[b""], [b"GET / HT"], [b"", HALF], [b"GET /_dash-layout HTTP/1.1\r\nHost: x\r\n\r\n" * 60]],
    ids=["silent", "half", "both", "answers not read"],
)  # fmt: skip
def test_where_there_are_too_many_connections_those_that_wait_for_no_answer_make_room(words: list[bytes]) -> None:
    port = free_port()
    with crowded(port, MAX_CONNECTIONS=60) as process, ExitStack() as crowd:
        for said in words * (160 // len(words)):
            connection = crowd.enter_context(socket.create_connection(("127.0.0.1", port), timeout=PATIENCE))
            with suppress(OSError):  # it had to go
                connection.sendall(said)
        took = time.monotonic()
        assert [post(port, stroke())[0] for _ in range(5)] == [200] * 5
        assert time.monotonic() - took < READ_TIMEOUT  # which is when the first of them would go by themselves
        assert processes.usage([process.pid]).descriptors < 160
        assert stop(process)[2] == ""


def test_connections_that_are_over_but_not_closed_hold_nobody_up() -> None:
    port = free_port()
    with started(port, WORKERS="1") as process, ExitStack() as lingering:
        wait_until_healthy(process, port)
        over = [lingering.enter_context(socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)) for _ in range(60)]
        for connection in over:
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert post(port, stroke())[0] == 200
        for connection in over:
            heard = b""
            while part := connection.recv(65536):
                heard += part
            assert heard.startswith(b"HTTP/1.1 200") and heard.endswith(b"OK\n")


def test_requests_that_stop_halfway_hold_nobody_up() -> None:
    port = free_port()
    with started(port, WORKERS="1") as process, ExitStack() as halves:
        wait_until_healthy(process, port)
        for words in [HALF, CHUNKED + b"1\r\n{\r\n", b"GET / HT"] * 20:
            halves.enter_context(socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)).sendall(words)
        took = time.monotonic()
        assert post(port, stroke())[0] == 200
        assert time.monotonic() - took < READ_TIMEOUT  # which is when they are cut off


def test_requests_that_stop_halfway_are_cut_off() -> None:
    port = free_port()
    with crowded(port, READ_TIMEOUT=0.5):
        assert [say(port, words) for words in (b"", HALF, CHUNKED + b"5\r\n{", b"GET / HT")] == [b""] * 4


def test_who_does_not_read_is_cut_off() -> None:
    port = free_port()
    with crowded(port, WRITE_TIMEOUT=0.5), socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as slow:
        slow.sendall(b"GET /_dash-layout HTTP/1.1\r\nHost: x\r\n\r\n" * 60)
        wait_for(lambda: is_cut(slow), "the end of it")


def is_cut(connection: socket.socket) -> bool:
    """Whether the other side has closed a connection without waiting for what it sent to be read."""
    try:
        connection.send(b"\r\n")
    except OSError:
        return True
    return False


def test_answers_that_are_not_read_hold_nobody_up_and_come_whole_when_they_are() -> None:
    port = free_port()
    with started(port, WORKERS="1") as process, ExitStack() as slow:
        wait_until_healthy(process, port)
        (address,) = re.findall(r'src="\.(/static/[^"]+plotly[^"]+)"', get(port, "/")[1])
        whole = get(port, address)[1].encode()
        asked = f"GET {address} HTTP/1.1\r\nHost: x\r\n\r\n".encode() * 8  # more than any socket keeps
        waiting = [slow.enter_context(socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)) for _ in range(12)]
        for connection in waiting:
            connection.sendall(asked)
        for _ in range(8):
            assert post(port, stroke())[0] == 200
        heard = waiting[0].makefile("rb")
        for _ in range(8):
            assert heard.readline() == b"HTTP/1.1 200 OK\r\n"
            headers = http.client.parse_headers(heard)
            assert heard.read(int(headers["Content-Length"])) == whole


def test_requests_sent_ahead_are_answered_in_their_order() -> None:
    port = free_port()
    bodies = [stroke(steps=steps) for steps in (20, 30, 40)]
    asks = [b"POST /_dash-update-component HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(b), b) for b in bodies]
    with started(port, WORKERS="1") as process:
        wait_until_healthy(process, port)
        alone = [post(port, body)[1].encode() for body in bodies]
        with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
            everything = b"".join(asks)
            connection.sendall(everything[:-5])  # the last is whole only later
            heard = connection.makefile("rb")
            for number, answer in enumerate(alone):
                if number == len(alone) - 1:
                    connection.sendall(everything[-5:])
                assert heard.readline() == b"HTTP/1.1 200 OK\r\n"
                assert heard.read(int(http.client.parse_headers(heard)["Content-Length"])) == answer


def test_one_visitor_who_asks_without_end_keeps_nobody_else_waiting_long() -> None:
    port = free_port()
    post_head = b"POST /_dash-update-component HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
    heavy = [stroke(network="digits-cnn", steps=500, samples=500, seed=seed) for seed in range(300)]  # each has to be computed
    with started(port, WORKERS="1", METRICS="1") as process, ExitStack() as flood:
        wait_until_healthy(process, port)
        for number in range(60):
            connection = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE, source_address=("127.0.0.2", 0))
            flood.enter_context(connection).sendall(b"".join(post_head % (len(body), body) for body in heavy[number::60]))
        wait_for(lambda: counted(port, "explorer_in_flight") > 10, "a line")
        assert [post(port, stroke())[0] for _ in range(5)] == [200] * 5
        assert counted(port, "explorer_in_flight") > 1  # they were not through meanwhile


def test_who_asks_whether_a_body_may_come_is_told_so_once() -> None:
    port = free_port()
    body = stroke()
    head = b"POST /_dash-update-component HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nExpect: 100-continue\r\n"
    with started(port, WORKERS="1") as process:
        wait_until_healthy(process, port)
        with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
            connection.sendall(head + b"Content-Length: %d\r\n\r\n" % len(body))
            assert connection.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
            connection.sendall(body)
            heard = connection.makefile("rb").read()
        assert heard.startswith(b"HTTP/1.1 200 OK\r\n") and b"100 Continue" not in heard


UNREADABLE = {
    "garbage": (400, b"hello\r\n\r\n"),
    "a strange method": (400, b"G@T / HTTP/1.1\r\n\r\n"),
    "a strange version": (400, b"GET / HTTP/9.9\r\n\r\n"),
    "a long address": (400, b"GET /?v=1&px=" + b"secret" * 25_000 + b" HTTP/1.1\r\n\r\n"),
    "an endless address": (400, b"GET /?v=1&px=" + b"secret" * 25_000),
    "no header": (400, b"GET / HTTP/1.1\r\nsecret\r\n\r\n"),
    "an endless header": (400, b"GET / HTTP/1.1\r\nX: " + b"y" * 140_000),
    "endless headers": (400, b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 25_000),
    "endless trailers": (400, CHUNKED + b"0\r\n" + b"X: y\r\n" * 25_000),
    "an unknown transfer coding": (400, HALF.replace(b"Content-Length: 100", b"Transfer-Encoding: secret")),
    "a length that is none": (400, HALF.replace(b"100", b"secret")),
    "a negative length": (400, HALF.replace(b"100", b"-5")),
    "two lengths": (400, HALF.replace(b"Host: x", b"Content-Length: 3")),
    "a huge length": (413, HALF.replace(b"100", b"99999999999\r\nConnection: close")),
    "a chunk that is none": (400, CHUNKED + b"zz\r\nsecret\r\n"),
    "a chunk without an end": (400, CHUNKED + b"1\r\n{XX0\r\n\r\n"),
    "HTTP/2": (400, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    "another method": (405, b"DELETE / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
    "a connection to elsewhere": (400, b"CONNECT x:1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
}


def test_what_is_no_request_is_refused_in_one_sentence_and_the_log_repeats_none_of_it() -> None:
    port = free_port()
    with started(port, WORKERS="1", ACCESS_LOG="1") as process:
        wait_until_healthy(process, port)
        for name, (status, words) in UNREADABLE.items():
            head, _, sentence = say(port, words).partition(b"\r\n\r\n")
            assert head.split(b" ")[1] == str(status).encode(), (name, head)
            assert b"text/plain" in head, (name, head)
            assert sentence.rstrip(b"\n").endswith(b".") and sentence.count(b"\n") <= 1 and b"secret" not in sentence, (name, sentence)
        assert post(port, stroke())[0] == 200
        _, _, err = stop(process)
    told = [json.loads(line) for line in err.splitlines()]
    assert {line["message"] for line in told} == {"request"}  # whoever sends what is none fills no log
    assert "secret" not in err and "127.0.0.1" not in err
