"""nginx with the configuration of deploy/: what it forwards, retries and hides; a short `make failover`."""

from __future__ import annotations

import http.client
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from serving import awaited

from bench.asking import free_port
from scripts import failover
from scripts.replicas import Nginx, find_nginx
from tests.proxy import needs_nginx

ROOT = Path(__file__).resolve().parent.parent
Reply = Callable[[BaseHTTPRequestHandler], None]


class Stub:
    """A stub of a replica with a fixed reply, which records its requests; without a reply its port is closed."""

    def __init__(self, reply: Reply | None) -> None:
        self.port = free_port()
        self.received: list[tuple[str, dict[str, str]]] = []
        if reply is not None:
            self.server = ThreadingHTTPServer(("127.0.0.1", self.port), self._handler(reply))
            threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def _handler(self, reply: Reply) -> type[BaseHTTPRequestHandler]:
        stub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                stub.received.append((self.path, dict(self.headers)))
                reply(self)

            do_GET = do_POST  # noqa: N815

            def log_message(self, *_: object) -> None:
                """Log nothing."""

        return Handler

    def close(self) -> None:
        """Stop it."""
        if hasattr(self, "server"):
            self.server.shutdown()
            self.server.server_close()


def replies_with(status: int, body: bytes = b"", **headers: str) -> Reply:
    """A reply."""

    def reply(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)

    return reply


def disconnects(handler: BaseHTTPRequestHandler) -> None:
    """Close the connection without a reply, as a killed process does."""
    handler.close_connection = True


def hangs(handler: BaseHTTPRequestHandler) -> None:
    """Do not reply until the client closes the connection."""
    handler.connection.recv(1)
    handler.close_connection = True


@contextmanager
def before(tmp_path: Path, *replies: Reply | None) -> Iterator[tuple[Nginx, list[Stub]]]:
    """nginx in front of stubs with these replies."""
    program = find_nginx()
    assert program is not None
    stubs = [Stub(reply) for reply in replies]
    try:
        with closing(Nginx(program, tmp_path, stubs)) as nginx:
            yield nginx, stubs
    finally:
        for stub in stubs:
            stub.close()


def ask(
    nginx: Nginx, method: str = "POST", path: str = failover.UPDATE, body: bytes = b"{}", **headers: str
) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of nginx's response."""
    connection = http.client.HTTPConnection("127.0.0.1", nginx.port, timeout=60)
    with closing(connection):
        connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        response = connection.getresponse()
        return response.status, dict(response.getheaders()), response.read()


RIGHT = replies_with(200, b"right")
BUSY = replies_with(503, b"Busy.\n", Retry_After="3")
FAILURES = pytest.mark.parametrize(
    "failure", [None, disconnects, BUSY, replies_with(502), replies_with(504)], ids=["unreachable", "killed", "busy", "502", "504"]
)


@needs_nginx
@FAILURES
def test_a_request_that_one_replica_fails_is_answered_by_the_other(tmp_path: Path, failure: Reply | None) -> None:
    with before(tmp_path, failure, RIGHT) as (nginx, stubs):
        answers = [ask(nginx)[::2] for _ in range(8)]
        assert answers == [(200, b"right")] * 8
        assert len(stubs[1].received) == 8
        assert nginx.retried() > 0


@needs_nginx
@pytest.mark.parametrize("refusal", [400, 413, 500])
def test_a_response_that_another_replica_would_also_give_is_not_retried(tmp_path: Path, refusal: int) -> None:
    with before(tmp_path, replies_with(refusal, b"No.\n"), replies_with(refusal, b"No.\n")) as (nginx, stubs):
        assert ask(nginx)[::2] == (refusal, b"No.\n")
        assert sum(len(stub.received) for stub in stubs) == 1


@needs_nginx
def test_when_both_are_overloaded_the_client_gets_retry_after_and_both_stay_in_use(tmp_path: Path) -> None:
    with before(tmp_path, BUSY, BUSY) as (nginx, stubs):
        for _ in range(6):
            status, headers, body = ask(nginx)
            assert (status, headers["Retry-After"], body) == (503, "3", b"Busy.\n")
        assert [len(stub.received) for stub in stubs] == [6, 6]


@needs_nginx
def test_when_all_are_overloaded_a_request_is_sent_to_two_of_them_at_most(tmp_path: Path) -> None:
    with before(tmp_path, BUSY, BUSY, BUSY) as (nginx, stubs):
        for expected in range(2, 14, 2):
            assert ask(nginx)[0] == 503
            assert sum(len(stub.received) for stub in stubs) == expected


@needs_nginx
def test_with_two_replicas_unreachable_a_third_answers(tmp_path: Path) -> None:
    with before(tmp_path, None, None, RIGHT) as (nginx, stubs):
        assert [ask(nginx, body=b"{}")[::2] for _ in range(9)] == [(200, b"right")] * 9
        assert [(path, headers["Content-Length"]) for path, headers in stubs[2].received] == [(failover.UPDATE, "2")] * 9


@needs_nginx
def test_with_one_unreachable_and_the_other_overloaded_the_response_is_503(tmp_path: Path) -> None:
    with before(tmp_path, None, BUSY) as (nginx, _):
        for _ in range(4):  # whichever is tried first
            status, headers, body = ask(nginx)
            assert status == 503
            assert 1 <= int(headers["Retry-After"]) <= 5
            assert body.count(b"\n") == 1


@needs_nginx
def test_with_both_unreachable_nginx_answers_with_a_sentence(tmp_path: Path) -> None:
    with before(tmp_path, None, None) as (nginx, _):
        status, headers, body = ask(nginx)
    assert (status, body.decode()) == (502, "The server cannot be reached just now; please try again in a moment.\n")
    assert headers["Content-Type"].startswith("text/plain")


@needs_nginx
@pytest.mark.parametrize("path", ["/static/0123/page.js", "/explorer/static/0123/page.js"])
def test_a_file_that_only_the_new_version_has_comes_from_it(tmp_path: Path, path: str) -> None:
    old = replies_with(404, b"There is nothing at this address.\n")
    with before(tmp_path, old, old, old, RIGHT) as (nginx, _):
        assert [ask(nginx, "GET", path)[::2] for _ in range(4)] == [(200, b"right")] * 4


@needs_nginx
def test_a_file_with_a_cache_lifetime_is_requested_once_and_others_each_time(tmp_path: Path) -> None:
    kept = replies_with(200, b"right", Cache_Control="public, max-age=31536000, immutable")
    with before(tmp_path, kept, kept) as (nginx, stubs):
        assert {ask(nginx, "GET", "/static/0123/page.js")[::2] for _ in range(4)} == {(200, b"right")}
        assert sum(len(stub.received) for stub in stubs) == 1
        assert {ask(nginx)[::2] for _ in range(4)} == {(200, b"right")}
        assert sum(len(stub.received) for stub in stubs) == 5


@needs_nginx
def test_a_missing_file_is_not_cached(tmp_path: Path) -> None:
    gone = replies_with(404, b"There is nothing at this address.\n")
    with before(tmp_path, gone, gone) as (nginx, stubs):
        assert {ask(nginx, "GET", "/static/0123/page.js")[0] for _ in range(3)} == {404}
        assert sum(len(stub.received) for stub in stubs) == 6


@needs_nginx
def test_paths_for_operators_are_not_passed_on(tmp_path: Path) -> None:
    with before(tmp_path, RIGHT, RIGHT) as (nginx, stubs):
        for path in ("/metrics", "/readyz", "/explorer/metrics", "/explorer/readyz"):
            assert ask(nginx, "GET", path)[::2] == (404, b"There is nothing at this address.\n"), path
        assert [stub.received for stub in stubs] == [[], []]


@needs_nginx
def test_a_body_that_is_too_large_is_refused_in_a_sentence_and_not_passed_on(tmp_path: Path) -> None:
    with before(tmp_path, RIGHT, RIGHT) as (nginx, stubs):
        assert ask(nginx, body=b" " * 65536)[0] == 200
        assert ask(nginx, body=b" " * 65537)[::2] == (413, b"The body is larger than 64 kB.\n")
        assert sum(len(stub.received) for stub in stubs) == 1


@needs_nginx
def test_forwarded_headers_are_set_by_nginx_and_never_by_the_client(tmp_path: Path) -> None:
    names = ("X_Forwarded_For", "X_Forwarded_Host", "X_Forwarded_Proto", "X_Forwarded_Prefix", "Forwarded")
    false_headers = dict.fromkeys(names, "liar.example")
    with before(tmp_path, RIGHT, RIGHT) as (nginx, stubs):
        ask(nginx, Host="course.example", **false_headers)
        ((path, headers),) = stubs[0].received + stubs[1].received
    assert path == failover.UPDATE
    forwarded = {name: value for name, value in headers.items() if "Forwarded" in name}
    assert forwarded == {"X-Forwarded-For": "127.0.0.1", "X-Forwarded-Host": "course.example", "X-Forwarded-Proto": "http"}
    assert headers["Host"] == "course.example"


@needs_nginx
def test_the_log_of_failures_has_no_address_and_no_link(tmp_path: Path) -> None:
    with before(tmp_path, None, None) as (nginx, _):
        assert ask(nginx, "GET", "/?v=2&p=secret")[0] == 502
    # after nginx has ended, as it writes the line after the response
    logged = (tmp_path / "trouble.log").read_text() + (tmp_path / "nginx.log").read_text()
    assert '"status":502' in logged
    assert "secret" not in logged
    assert "127.0.0.1" not in logged.replace("127.0.0.1:", "")  # replicas have ports, clients would have none


@needs_nginx
def test_nothing_is_lost_when_a_worker_and_a_replica_are_killed_and_both_are_replaced() -> None:
    command = [sys.executable, "scripts/failover.py", "--students=12", "--pause=0.6"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    phases = [line.rsplit(maxsplit=10) for line in done.stdout.splitlines() if line.endswith(" ms")]
    assert len(phases) == 7
    for _, sent, right, lost, *_ in phases:
        assert lost == "0"
        assert int(sent) == int(right)  # counted when it is sent
    assert sum(int(phase[2]) for phase in phases) >= 9 * 12  # as many rounds of the class
    assert sum(int(phase[4]) for phase in phases) > 0  # nginx has retried some


@needs_nginx
@pytest.mark.parametrize("other", [hangs, RIGHT], ids=["all", "one"])
def test_a_request_that_is_never_answered_is_lost(tmp_path: Path, other: Reply) -> None:
    async def class_present(nginx: Nginx) -> failover.Phase:
        run = failover.FailoverRun(nginx, b"right", students=4, pause=0.01, timeout=0.3)
        async with run.class_present(), run.phase("one hangs"):
            await run.rounds(1)
        return run.phases[0]

    with before(tmp_path, hangs, other) as (nginx, stubs):
        phase = awaited(class_present(nginx))
    assert sum(len(stub.received) for stub in stubs) == phase.sent == len(phase.seconds) + len(phase.lost)
    assert phase.lost and all(lost.startswith("TimeoutError") for lost in phase.lost)
    assert bool(phase.seconds) == (other is RIGHT)


def test_a_student_detects_a_wrong_answer_and_one_to_another_request() -> None:
    right = b'{"response":{"explanation":{"data":"{\\"ask\\":0,\\"f\\":1}"}}}'
    for body, error in (
        (failover.numbered(right, 7), None),
        (failover.numbered(right, 8), "a wrong answer"),
        (failover.numbered(right, 7).replace(b"1}", b"2}"), "a wrong answer"),
    ):
        stub = Stub(replies_with(200, body))
        with closing(stub):
            student = failover.Student(stub.port, right)
            if error is None:
                awaited(student.ask(7))
            else:
                with pytest.raises(RuntimeError, match=error):
                    awaited(student.ask(7))
