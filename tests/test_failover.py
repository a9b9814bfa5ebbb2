"""nginx before replicas, as deploy/ has it: what it passes on, asks again and keeps to itself; `make failover` in short."""

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
    """A replica that replies as it is told, and remembers what it was asked; without a reply nobody listens on its port."""

    def __init__(self, reply: Reply | None) -> None:
        self.port = free_port()
        self.asked: list[tuple[str, dict[str, str]]] = []
        if reply is not None:
            self.server = ThreadingHTTPServer(("127.0.0.1", self.port), self._handler(reply))
            threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def _handler(self, reply: Reply) -> type[BaseHTTPRequestHandler]:
        stub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                stub.asked.append((self.path, dict(self.headers)))
                reply(self)

            do_GET = do_POST  # noqa: N815

            def log_message(self, *_: object) -> None:
                """Keep quiet."""

        return Handler

    def close(self) -> None:
        """Stop it."""
        if hasattr(self, "server"):
            self.server.shutdown()
            self.server.server_close()


def says(status: int, body: bytes = b"", **headers: str) -> Reply:
    """A reply."""

    def reply(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)

    return reply


def hangs_up(handler: BaseHTTPRequestHandler) -> None:
    """No reply: the connection breaks off, as when the process is killed."""
    handler.close_connection = True


def hangs(handler: BaseHTTPRequestHandler) -> None:
    """No reply, until whoever asked hangs up."""
    handler.connection.recv(1)
    handler.close_connection = True


@contextmanager
def before(tmp_path: Path, *replies: Reply | None) -> Iterator[tuple[Nginx, list[Stub]]]:
    """nginx before stubs with these replies."""
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
    """Status, headers and body of what nginx answers."""
    connection = http.client.HTTPConnection("127.0.0.1", nginx.port, timeout=60)
    with closing(connection):
        connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        response = connection.getresponse()
        return response.status, dict(response.getheaders()), response.read()


RIGHT = says(200, b"right")
BUSY = says(503, b"Busy.\n", Retry_After="3")
FAILURES = pytest.mark.parametrize(
    "failure", [None, hangs_up, BUSY, says(502), says(504)], ids=["away", "killed", "busy", "502", "504"]
)


@needs_nginx
@FAILURES
def test_a_question_that_one_replica_fails_is_answered_by_the_other(tmp_path: Path, failure: Reply | None) -> None:
    with before(tmp_path, failure, RIGHT) as (nginx, stubs):
        answers = [ask(nginx)[::2] for _ in range(8)]
        assert answers == [(200, b"right")] * 8
        assert len(stubs[1].asked) == 8
        assert nginx.retried() > 0


@needs_nginx
@pytest.mark.parametrize("refusal", [400, 413, 500])
def test_an_answer_that_another_replica_would_give_too_is_not_asked_for_again(tmp_path: Path, refusal: int) -> None:
    with before(tmp_path, says(refusal, b"No.\n"), says(refusal, b"No.\n")) as (nginx, stubs):
        assert ask(nginx)[::2] == (refusal, b"No.\n")
        assert sum(len(stub.asked) for stub in stubs) == 1


@needs_nginx
def test_when_both_are_saturated_the_page_hears_when_to_ask_again_and_both_stay_in(tmp_path: Path) -> None:
    with before(tmp_path, BUSY, BUSY) as (nginx, stubs):
        for _ in range(6):
            status, headers, body = ask(nginx)
            assert (status, headers["Retry-After"], body) == (503, "3", b"Busy.\n")
        assert [len(stub.asked) for stub in stubs] == [6, 6]


@needs_nginx
def test_where_all_are_saturated_a_question_is_asked_of_two_of_them_at_most(tmp_path: Path) -> None:
    with before(tmp_path, BUSY, BUSY, BUSY) as (nginx, stubs):
        for asked in range(2, 14, 2):
            assert ask(nginx)[0] == 503
            assert sum(len(stub.asked) for stub in stubs) == asked


@needs_nginx
def test_two_replicas_that_are_away_do_not_keep_a_question_from_a_third(tmp_path: Path) -> None:
    with before(tmp_path, None, None, RIGHT) as (nginx, stubs):
        assert [ask(nginx, body=b"{}")[::2] for _ in range(9)] == [(200, b"right")] * 9
        assert [(path, headers["Content-Length"]) for path, headers in stubs[2].asked] == [(failover.UPDATE, "2")] * 9


@needs_nginx
def test_when_one_is_away_and_the_other_saturated_the_answer_is_saturated(tmp_path: Path) -> None:
    with before(tmp_path, None, BUSY) as (nginx, _):
        for _ in range(4):  # whichever is asked first
            status, headers, body = ask(nginx)
            assert status == 503
            assert 1 <= int(headers["Retry-After"]) <= 5
            assert body.count(b"\n") == 1


@needs_nginx
def test_when_both_are_away_nginx_says_so_in_a_sentence(tmp_path: Path) -> None:
    with before(tmp_path, None, None) as (nginx, _):
        status, headers, body = ask(nginx)
    assert (status, body.decode()) == (502, "The server cannot be reached just now; please try again in a moment.\n")
    assert headers["Content-Type"].startswith("text/plain")


@needs_nginx
@pytest.mark.parametrize("path", ["/static/0123/page.js", "/explorer/static/0123/page.js"])
def test_a_file_that_only_the_new_version_has_comes_from_it(tmp_path: Path, path: str) -> None:
    old = says(404, b"There is nothing at this address.\n")
    with before(tmp_path, old, old, old, RIGHT) as (nginx, _):
        assert [ask(nginx, "GET", path)[::2] for _ in range(4)] == [(200, b"right")] * 4


@needs_nginx
def test_a_file_that_may_be_kept_is_asked_for_once_and_any_other_each_time(tmp_path: Path) -> None:
    kept = says(200, b"right", Cache_Control="public, max-age=31536000, immutable")
    with before(tmp_path, kept, kept) as (nginx, stubs):
        assert {ask(nginx, "GET", "/static/0123/page.js")[::2] for _ in range(4)} == {(200, b"right")}
        assert sum(len(stub.asked) for stub in stubs) == 1
        assert {ask(nginx)[::2] for _ in range(4)} == {(200, b"right")}
        assert sum(len(stub.asked) for stub in stubs) == 5


@needs_nginx
def test_an_answer_that_is_missing_is_not_kept(tmp_path: Path) -> None:
    gone = says(404, b"There is nothing at this address.\n")
    with before(tmp_path, gone, gone) as (nginx, stubs):
        assert {ask(nginx, "GET", "/static/0123/page.js")[0] for _ in range(3)} == {404}
        assert sum(len(stub.asked) for stub in stubs) == 6


@needs_nginx
@pytest.mark.parametrize("path", ["/metrics", "/readyz", "/explorer/metrics", "/explorer/readyz"])
def test_what_is_for_those_who_run_it_is_not_passed_on(tmp_path: Path, path: str) -> None:
    with before(tmp_path, RIGHT, RIGHT) as (nginx, stubs):
        assert ask(nginx, "GET", path)[::2] == (404, b"There is nothing at this address.\n")
        assert [stub.asked for stub in stubs] == [[], []]


@needs_nginx
def test_a_body_that_is_too_large_is_refused_in_a_sentence_and_not_passed_on(tmp_path: Path) -> None:
    with before(tmp_path, RIGHT, RIGHT) as (nginx, stubs):
        assert ask(nginx, body=b" " * 65536)[0] == 200
        assert ask(nginx, body=b" " * 65537)[::2] == (413, b"The body is larger than 64 kB.\n")
        assert sum(len(stub.asked) for stub in stubs) == 1


@needs_nginx
def test_forwarded_headers_are_nginx_own_and_never_a_visitors(tmp_path: Path) -> None:
    names = ("X_Forwarded_For", "X_Forwarded_Host", "X_Forwarded_Proto", "X_Forwarded_Prefix", "Forwarded")
    lies = dict.fromkeys(names, "liar.example")
    with before(tmp_path, RIGHT, RIGHT) as (nginx, stubs):
        ask(nginx, Host="course.example", **lies)
        ((path, headers),) = stubs[0].asked + stubs[1].asked
    assert path == failover.UPDATE
    forwarded = {name: value for name, value in headers.items() if "Forwarded" in name}
    assert forwarded == {"X-Forwarded-For": "127.0.0.1", "X-Forwarded-Host": "course.example", "X-Forwarded-Proto": "http"}
    assert headers["Host"] == "course.example"


@needs_nginx
def test_the_log_of_trouble_holds_no_address_and_no_link(tmp_path: Path) -> None:
    with before(tmp_path, None, None) as (nginx, _):
        assert ask(nginx, "GET", "/?v=1&p=secret")[0] == 502
    # once nginx has ended: it answers first and writes the line then
    logged = (tmp_path / "trouble.log").read_text() + (tmp_path / "nginx.log").read_text()
    assert '"status":502' in logged
    assert "secret" not in logged
    assert "127.0.0.1" not in logged.replace("127.0.0.1:", "")  # replicas have ports, visitors here would not


@needs_nginx
def test_nothing_is_lost_when_a_worker_and_a_replica_are_killed_and_both_are_replaced() -> None:
    command = [sys.executable, "scripts/failover.py", "--students=12", "--pause=0.6"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    phases = [line.rsplit(maxsplit=10) for line in done.stdout.splitlines() if line.endswith(" ms")]
    assert len(phases) == 7
    for _, sent, right, lost, *_ in phases:
        assert lost == "0"
        assert int(sent) == int(right)  # what was sent is counted when it is sent
    assert sum(int(phase[2]) for phase in phases) >= 9 * 12  # as many rounds of the class
    assert sum(int(phase[4]) for phase in phases) > 0  # nginx had something to do


@needs_nginx
@pytest.mark.parametrize("other", [hangs, RIGHT], ids=["all", "one"])
def test_a_question_that_is_never_answered_is_lost(tmp_path: Path, other: Reply) -> None:
    async def class_present(nginx: Nginx) -> failover.Phase:
        run = failover.FailoverRun(nginx, b"right", students=4, pause=0.01, timeout=0.3)
        async with run.class_present(), run.phase("one hangs"):
            await run.rounds(1)
        return run.phases[0]

    with before(tmp_path, hangs, other) as (nginx, stubs):
        phase = awaited(class_present(nginx))
    assert sum(len(stub.asked) for stub in stubs) == phase.sent == len(phase.seconds) + len(phase.lost)
    assert phase.lost and all(lost.startswith("TimeoutError") for lost in phase.lost)
    assert bool(phase.seconds) == (other is RIGHT)


def test_a_student_knows_a_wrong_answer_and_one_to_another_question() -> None:
    right = b'{"response":{"explanation":{"data":"{\\"ask\\":0,\\"f\\":1}"}}}'
    for body, fate in (
        (failover.numbered(right, 7), None),
        (failover.numbered(right, 8), "a wrong answer"),
        (failover.numbered(right, 7).replace(b"1}", b"2}"), "a wrong answer"),
    ):
        stub = Stub(says(200, body))
        with closing(stub):
            student = failover.Student(stub.port, right)
            if fate is None:
                awaited(student.ask(7))
            else:
                with pytest.raises(RuntimeError, match=fate):
                    awaited(student.ask(7))
