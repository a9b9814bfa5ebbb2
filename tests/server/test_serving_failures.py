"""Stops and killed workers under load, silent connections, unread responses, and invalid HTTP."""

from __future__ import annotations

import http.client
import itertools
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
from functools import partial
from pathlib import Path
from typing import IO, NamedTuple

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

UPDATE = b"POST /_dash-update-component HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
HALF = UPDATE + b"Content-Length: 100\r\n\r\n{"
CHUNKED = UPDATE + b"Transfer-Encoding: chunked\r\n\r\n"
SEEDS = itertools.count(1000)  # of strokes that are not cached
LAYOUT = b"GET /_dash-layout HTTP/1.1\r\nHost: x\r\n\r\n"


def request_for(body: bytes) -> bytes:
    """A callback request as bytes."""
    return UPDATE + b"Content-Length: %d\r\n\r\n%b" % (len(body), body)


def connect(port: int, source: str = "") -> socket.socket:
    """A connection to the server, from another loopback address if given."""
    return socket.create_connection(("127.0.0.1", port), timeout=PATIENCE, source_address=(source, 0) if source else None)


def metric(port: int, name: str, path: str = "/metrics") -> float:
    """The value of a metric without labels."""
    found = [line for line in get(port, path)[1].splitlines() if line.startswith(f"{name} ")]
    return float(found[0].split()[1])


# ---------------------------------------------------------------- two workers


def metrics_folders(pids: set[int]) -> list[Path]:
    """The folders in which these processes count."""
    parents = [Path("/dev/shm"), Path(tempfile.gettempdir())]
    files = [found for parent in parents for pid in pids for found in parent.glob(f"explorer-metrics-*/*_{pid}.db")]
    return sorted({found.parent for found in files})


def test_workers_count_together_and_a_stop_answers_requests_in_flight_and_removes_the_folder_of_the_counts() -> None:
    port, update, metrics = free_port(), "/under/_dash-update-component", "/under/metrics"
    slow = methods_question("smooth_integrated_gradients", "lime", "kernel_shap", network="digits-cnn")
    with started(port, METRICS="1", URL_PREFIX="/under/") as process, ThreadPoolExecutor(6) as clients:
        wait_until_healthy(process, port, "/under/healthz")
        workers = wait_for(lambda: len(found := workers_of(process)) == 2 and found, "two workers")
        wait_for(lambda: metric(port, "explorer_worker_starts_total", metrics) == 2, "both workers")
        for _ in range(20):
            assert post(port, stroke(), update)[0] == 200
        answered = 'explorer_requests_total{callback="explanation",status="200"} 20.0'
        wait_for(lambda: answered in get(port, metrics)[1], "the last count")
        families = text_string_to_metric_families(get(port, metrics)[1])
        samples = {(s.name, *s.labels.values()): s.value for family in families for s in family.samples}
        assert samples["explorer_requests_total", "explanation", "200"] == 20  # at either worker
        assert samples["explorer_request_seconds_bucket", "explanation", "+Inf"] == 20
        assert samples["explorer_worker_starts_total",] == 2
        (folder,) = metrics_folders(workers)

        answers = [clients.submit(post, port, slow, update) for _ in range(6)]
        wait_for(lambda: metric(port, "explorer_in_flight", metrics) >= 4, "requests in flight")
        code, _, err = stop(process)
        replies = [answer.result(PATIENCE) for answer in answers]
    assert [status for status, _, _ in replies] == [200] * 6
    assert len({body for _, body, _ in replies}) == 1  # complete and equal
    assert (code, err) == (0, "")
    assert not folder.exists()


def test_a_killed_worker_is_replaced_and_other_clients_are_not_affected() -> None:
    port = free_port()
    with started(port, METRICS="1", LOG_LEVEL="info") as process:
        wait_until_healthy(process, port)
        before = wait_for(lambda: len(found := workers_of(process)) == 2 and found, "two workers")
        wait_for(lambda: metric(port, "explorer_worker_starts_total") == 2, "both workers")
        killed = min(before)
        os.kill(killed, signal.SIGKILL)
        assert [post(port, stroke())[0] for _ in range(6)] == [200] * 6
        after = wait_for(lambda: len(found := workers_of(process)) == 2 and killed not in found and found, "a new worker")
        assert len(after & before) == 1
        wait_for(lambda: metric(port, "explorer_worker_starts_total") == 3, "the new worker's count")
        wait_for(lambda: metric(port, "explorer_in_flight") == 1, "this request only: those of the dead worker are dropped")
        code, _, err = stop(process)
    assert code == 0
    lines = [json.loads(line) for line in err.splitlines()]
    assert any(line["message"] == f"Child process [{killed}] died" for line in lines), lines


# ---------------------------------------------------------------- with other limits


@contextmanager
def limited(**limits: float) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A server of one worker with other limits of its connections, and its port."""
    port, changed = free_port(), "; ".join(f"protocol.{name} = {limit}" for name, limit in limits.items())
    process = subprocess.Popen(
        [sys.executable, "-c", f"import explorer.server.protocol as protocol, app; {changed}; app.main()"],
        cwd=ROOT, env=environment(PORT=str(port), WORKERS="1"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        wait_until_healthy(process, port)
        yield process, port
    finally:
        process.kill()
        process.communicate()


def test_above_the_limit_of_connections_those_that_wait_for_no_response_are_closed() -> None:
    crowds = {"silent": [b""], "half requests": [b"GET / HT"], "both": [b"", HALF], "unread responses": [LAYOUT * 60]}
    limit, size = 30, 80
    with limited(MAX_CONNECTIONS=limit) as (process, port):
        idle = processes.usage([process.pid]).descriptors
        for name, messages in crowds.items():
            with ExitStack() as crowd:
                for message in messages * (size // len(messages)):
                    connection = crowd.enter_context(connect(port))
                    with suppress(OSError):  # the server has closed it
                        connection.sendall(message)
                start = time.monotonic()
                assert [post(port, stroke())[0] for _ in range(5)] == [200] * 5, name
                assert time.monotonic() - start < READ_TIMEOUT, name  # after which the first of them are closed anyway
                assert processes.usage([process.pid]).descriptors < idle + limit + 10, name
        assert stop(process)[2] == ""


def test_incomplete_requests_and_clients_that_do_not_read_are_cut_off() -> None:
    with limited(READ_TIMEOUT=0.5, WRITE_TIMEOUT=0.5) as (_, port):
        incomplete = (b"", HALF, CHUNKED + b"5\r\n{", b"GET / HT")
        with ThreadPoolExecutor(len(incomplete)) as clients:
            assert list(clients.map(partial(say, port), incomplete)) == [b""] * 4
        with connect(port) as slow:
            slow.sendall(LAYOUT * 60)
            wait_for(lambda: is_closed(slow), "the server to close it")


def is_closed(connection: socket.socket) -> bool:
    """Whether the server has closed a connection without waiting until the client has read its responses."""
    try:
        connection.send(b"\r\n")
    except OSError:
        return True
    return False


# ---------------------------------------------------------------- one worker, shared by the tests below


class Server(NamedTuple):
    """A running server of one worker that logs every request."""

    port: int
    log: Path


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One for all tests below; each leaves it without connections."""
    port, log = free_port(), tmp_path_factory.mktemp("server") / "log"
    with log.open("w") as stderr, started(port, stderr, WORKERS="1", METRICS="1", ACCESS_LOG="1") as process:
        wait_until_healthy(process, port)
        yield Server(port, log)


def new_stroke() -> bytes:
    """A stroke whose answer is not cached."""
    return stroke(seed=next(SEEDS))


def test_silent_connections_delay_nobody(server: Server) -> None:
    with ExitStack() as silent:
        for _ in range(400):
            silent.enter_context(connect(server.port))
        assert post(server.port, new_stroke())[0] == 200


def test_finished_connections_that_the_client_does_not_close_delay_nobody(server: Server) -> None:
    with ExitStack() as stack:
        finished = [stack.enter_context(connect(server.port)) for _ in range(60)]
        for connection in finished:
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert post(server.port, new_stroke())[0] == 200
        for connection in finished:
            received = b""
            while part := connection.recv(65536):
                received += part
            assert received.startswith(b"HTTP/1.1 200") and received.endswith(b"OK\n")


def test_incomplete_requests_delay_nobody(server: Server) -> None:
    with ExitStack() as incomplete:
        for message in [HALF, CHUNKED + b"1\r\n{\r\n", b"GET / HT"] * 20:
            incomplete.enter_context(connect(server.port)).sendall(message)
        start = time.monotonic()
        assert post(server.port, new_stroke())[0] == 200
        assert time.monotonic() - start < READ_TIMEOUT  # when they are cut off


def test_unread_responses_delay_nobody_and_are_complete_when_they_are_read(server: Server) -> None:
    port = server.port
    with ExitStack() as slow:
        (address,) = re.findall(r'src="\.(/static/[^"]+/dash\.js)"', get(port, "/")[1])
        content = get(port, address)[1].encode()
        requests = f"GET {address} HTTP/1.1\r\nHost: x\r\n\r\n".encode() * 8  # more than a socket's buffer
        waiting = [slow.enter_context(connect(port)) for _ in range(12)]
        for connection in waiting:
            connection.sendall(requests)
        for _ in range(8):
            assert post(port, new_stroke())[0] == 200
        stream = waiting[0].makefile("rb")
        for _ in range(8):
            assert read_response(stream) == content


def read_response(stream: IO[bytes]) -> bytes:
    """The body of a response with status 200 and a length."""
    assert stream.readline() == b"HTTP/1.1 200 OK\r\n"
    return stream.read(int(http.client.parse_headers(stream)["Content-Length"]))


def test_pipelined_requests_are_answered_in_their_order(server: Server) -> None:
    bodies = [stroke(steps=steps) for steps in (20, 30, 40)]
    alone = [post(server.port, body)[1].encode() for body in bodies]
    with connect(server.port) as connection:
        requests = b"".join(map(request_for, bodies))
        connection.sendall(requests[:-5])  # the last one is completed later
        stream = connection.makefile("rb")
        for number, answer in enumerate(alone):
            if number == len(alone) - 1:
                connection.sendall(requests[-5:])
            assert read_response(stream) == answer


def test_a_client_that_sends_requests_without_pause_does_not_delay_others_much(server: Server) -> None:
    port = server.port
    heavy = [stroke(network="digits-cnn", steps=500, samples=500, seed=seed) for seed in range(300)]  # none is cached
    with ExitStack() as flood:
        for number in range(60):
            connection = flood.enter_context(connect(port, source="127.0.0.2"))
            connection.sendall(b"".join(map(request_for, heavy[number::60])))
        wait_for(lambda: metric(port, "explorer_in_flight") > 10, "a queue")
        assert [post(port, new_stroke())[0] for _ in range(5)] == [200] * 5
        assert metric(port, "explorer_in_flight") > 1  # the queue is not empty yet
    wait_for(lambda: metric(port, "explorer_in_flight") == 1, "the queue to be empty")


def test_expect_100_continue_is_answered_once(server: Server) -> None:
    body = stroke()
    head = UPDATE + b"Connection: close\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(body)
    with connect(server.port) as connection:
        connection.sendall(head)
        assert connection.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(body)
        received = connection.makefile("rb").read()
    assert received.startswith(b"HTTP/1.1 200 OK\r\n") and b"100 Continue" not in received


INVALID = {
    "garbage": (400, b"hello\r\n\r\n"),
    "a strange method": (400, b"G@T / HTTP/1.1\r\n\r\n"),
    "a strange version": (400, b"GET / HTTP/9.9\r\n\r\n"),
    "a long address": (400, b"GET /?v=2&px=" + b"secret" * 25_000 + b" HTTP/1.1\r\n\r\n"),
    "an endless address": (400, b"GET /?v=2&px=" + b"secret" * 25_000),
    "no header": (400, b"GET / HTTP/1.1\r\nsecret\r\n\r\n"),
    "an endless header": (400, b"GET / HTTP/1.1\r\nX: " + b"y" * 140_000),
    "endless headers": (400, b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 25_000),
    "endless trailers": (400, CHUNKED + b"0\r\n" + b"X: y\r\n" * 25_000),
    "an unknown transfer coding": (400, HALF.replace(b"Content-Length: 100", b"Transfer-Encoding: secret")),
    "an invalid length": (400, HALF.replace(b"100", b"secret")),
    "a negative length": (400, HALF.replace(b"100", b"-5")),
    "two lengths": (400, HALF.replace(b"Host: x", b"Content-Length: 3")),
    "a huge length": (413, HALF.replace(b"100", b"99999999999\r\nConnection: close")),
    "an invalid chunk": (400, CHUNKED + b"zz\r\nsecret\r\n"),
    "a chunk without an end": (400, CHUNKED + b"1\r\n{XX0\r\n\r\n"),
    "HTTP/2": (400, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    "another method": (405, b"DELETE / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
    "a connection to elsewhere": (400, b"CONNECT x:1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
}


def test_invalid_requests_are_refused_in_one_sentence_and_the_log_does_not_quote_them(server: Server) -> None:
    logged_before = server.log.stat().st_size
    for name, (status, message) in INVALID.items():
        head, _, sentence = say(server.port, message).partition(b"\r\n\r\n")
        assert head.split(b" ")[1] == str(status).encode(), (name, head)
        assert b"text/plain" in head, (name, head)
        assert sentence.rstrip(b"\n").endswith(b".") and sentence.count(b"\n") <= 1 and b"secret" not in sentence, (name, sentence)
    assert post(server.port, new_stroke())[0] == 200
    log = wait_for(lambda: '"callback": "explanation"' in (text := server.log.read_text()[logged_before:]) and text, "the last line")
    lines = [json.loads(line) for line in log.splitlines()]
    assert {line["message"] for line in lines} == {"request"}  # invalid requests do not fill the log
    assert "secret" not in log and "127.0.0.1" not in log
