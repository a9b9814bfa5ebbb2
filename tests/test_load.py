"""The load generator: it replays the page's requests, detects every wrong answer, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import gzip
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

import orjson
import pytest
from asgi import respond
from each import each
from serving import awaited

from bench import retry, students
from bench.answers import KnownAnswers, WrongAnswer
from bench.bodies import Body, sessions
from bench.serving import running
from bench.soak import soak
from bench.students import PAINTING, Log, Student, now
from bench.wire import BrokenResponse, Connection, Endpoint, Reply
from explorer.attribution import METHODS
from explorer.link import read_link
from explorer.models import load_zoo
from explorer.state import State

SESSIONS = sessions()
ZOO = load_zoo()
STROKE = SESSIONS[0].strokes[0].requests[0][1]


def question(body: Body, number: int = 7) -> dict[str, object]:
    """The question in a recorded body."""
    value: dict[str, object] = json.loads(body.with_number(number))["inputs"][0]["value"]
    return value


def wrapped(body: Body, text: bytes, status: int = 200) -> Reply:
    """An answer as Dash sends it."""
    return Reply(status, {}, orjson.dumps({"multi": True, "response": {body.output: {"data": text.decode()}}}))


def answer_to(body: Body, number: int) -> bytes:
    """The right answer to a recorded question."""
    return orjson.dumps(respond(question(body, number), ZOO))


# ---------------------------------------------------------------- what was recorded


def test_every_recorded_request_is_valid_today() -> None:
    for session in SESSIONS:
        for body in session.bodies():
            value = question(body)
            assert value["ask"] == 7
            if "state" in value:
                State.from_json(value["state"], ZOO)
            else:
                assert value["link"] == session.link
                assert read_link(session.link, ZOO)[1] == []


def test_every_recorded_look_at_the_methods_requests_all_that_apply_in_portions_of_at_most_four() -> None:
    for session in SESSIONS:
        network = read_link(session.link, ZOO)[0].network
        requested = [name for portion in session.portions for name in portion.methods]
        assert requested == [name for name, method in METHODS.items() if not method.unsupported_reason(ZOO[network].network)]
        assert max(len(portion.methods) for portion in session.portions) <= 4


def test_a_body_for_the_empty_callback_has_the_same_question() -> None:
    whole, empty = (json.loads(body.with_number(3)) for body in (STROKE, STROKE.for_empty_callback()))
    assert empty["output"] == "empty-output.data" and empty["changedPropIds"] == ["empty-input.data"]
    assert empty["inputs"][0] == {"id": "empty-input", "property": "data", "value": whole["inputs"][0]["value"]}


# ---------------------------------------------------------------- what is detected


@pytest.mark.parametrize("body", [SESSIONS[0].opening, STROKE, SESSIONS[0].portions[0]], ids=["opening", "stroke", "methods"])
def test_the_right_answer_is_accepted_with_any_number(body: Body) -> None:
    key = KnownAnswers()
    for number in (1, 2, 2**50):
        key.check(body, number, wrapped(body, answer_to(body, number)))
    answer = json.loads(answer_to(body, 5))
    rearranged = orjson.dumps({**{name: value for name, value in answer.items() if name != "ask"}, "ask": 5})
    key.check(body, 5, wrapped(body, rearranged))


def test_a_wrong_answer_is_detected() -> None:
    key, right = KnownAnswers(), answer_to(STROKE, 1)
    key.check(STROKE, 1, wrapped(STROKE, right))
    other = answer_to(SESSIONS[1].strokes[0].requests[0][1], 1)
    number = re.sub(rb'"total":(-?)(\d)', lambda m: b'"total":%b%d' % (m[1], (int(m[2]) + 1) % 9), right, count=1)
    for wrong in (
        wrapped(STROKE, answer_to(STROKE, 2)),  # to another request of this student
        wrapped(STROKE, other),  # to another student's
        wrapped(STROKE, number),  # one digit is wrong
        wrapped(STROKE, right[:-20]),
        wrapped(STROKE, right, status=500),
        Reply(200, {}, wrapped(STROKE, right).raw[:-20]),
        Reply(200, {}, b"<html>"),
        Reply(200, {"content-encoding": "gzip"}, b"no gzip"),
    ):
        with pytest.raises(WrongAnswer):
            key.check(STROKE, 1, wrong)


# ---------------------------------------------------------------- how a student sends requests


Answer = Callable[[bytes], Awaitable[bytes]]


@asynccontextmanager
async def fake(answer: Answer) -> AsyncIterator[Endpoint]:
    """A server that answers each body with the bytes from ``answer``, and closes the connection if they contain "hang up"."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = re.search(rb"Content-Length: (\d+)", head)
                response = await answer(await reader.readexactly(int(length[1]) if length else 0))
                writer.write(response)
                if b"hang up" in response:
                    break
        except asyncio.IncompleteReadError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield Endpoint("127.0.0.1", server.sockets[0].getsockname()[1])
    finally:
        server.close()


def http(status: int, body: bytes = b"", *headers: bytes) -> bytes:
    """A response as bytes."""
    return b"\r\n".join([b"HTTP/1.1 %d X" % status, *headers, b"Content-Length: %d" % len(body), b"", body])


def right(body: bytes) -> bytes:
    """The right response to a recorded body."""
    value = json.loads(body)["inputs"][0]["value"]
    return http(200, wrapped(STROKE, orjson.dumps(respond(value, ZOO))).raw)


def student(endpoint: Endpoint, log: Log) -> Student:
    """A student who paints."""
    return Student(endpoint, SESSIONS[0], PAINTING, KnownAnswers(), log, "1")


def test_a_student_retries_after_a_503_and_it_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bytes] = []
    waited: list[tuple[int | None, int]] = []
    monkeypatch.setattr(retry, "pause_after", lambda retry_after, failures, _: waited.append((retry_after, failures)) or 0.0)

    async def answer(body: bytes) -> bytes:
        seen.append(body)
        return http(503, b"Busy.\n", b"Retry-After: 4") if len(seen) < 3 else right(body)

    async def paint() -> Log:
        log = Log()
        async with fake(answer) as endpoint:
            one = student(endpoint, log)
            one.request(STROKE, now())
            await one.finish()
            one.close()
        return log

    log = awaited(paint())
    assert len(seen) == 3
    assert waited == [(4, 0), (4, 1)]
    assert (log.counts["shed"], log.counts["errors"], log.counts["answers"]) == (2, 0, 1)
    assert len(log.waits["stroke"]) == 1


def constants(script: str) -> dict[str, float]:
    """The numeric constants of a script of the page; those of an object as ``NAME.key``."""
    text = (Path(__file__).resolve().parents[1] / "assets" / script).read_text(encoding="utf-8")
    found = dict(re.findall(r"^const ([A-Z_]+) = ([\d.]+);", text, re.MULTILINE))
    for name, inside in re.findall(r"^const ([A-Z_]+) = \{(.+?)\};", text, re.MULTILINE):
        found |= {f"{name}.{key}": value for key, value in re.findall(r"(\w+): ([\d.]+)", inside)}
    return {name: float(value) for name, value in found.items()}


def test_a_student_has_the_timeouts_and_retries_of_the_page() -> None:
    page, server, session, methods = map(constants, ("core/retry.js", "core/server.js", "core/session.js", "core/method_results.js"))
    assert (page["AWAY.first"], page["AWAY.most"]) == (1000 * retry.AWAY_FIRST, 1000 * retry.AWAY_MOST)
    assert (page["LONG_AWAY.tries"], page["LONG_AWAY.most"]) == (retry.LONG_AWAY_TRIES, 1000 * retry.LONG_AWAY_MOST)
    assert (page["BUSY.growth"], page["BUSY.most"]) == (retry.BUSY_GROWTH, 1000 * retry.BUSY_MOST)
    assert server["MOST_SECONDS"] == retry.MOST_SECONDS
    assert (session["LOST_AFTER"], methods["LOST_AFTER"]) == (1000 * students.STROKE_TIMEOUT, 1000 * students.PORTION_TIMEOUT)
    assert (session["LIVE_SHARE"], methods["QUIET"]) == (students.LIVE_SHARE, 1000 * students.METHODS_DELAY)


@each(
    [(2, 0, 2, 4), (2, 1, 3, 6), (2, 5000, 15, 30), (0, 0, 1, 2), (99, 0, 10, 20)]
    + [(None, 0, 0.3, 0.5), (None, 2, 1.2, 2), (None, 11, 3.75, 6.25), (None, 12, 11.25, 18.75), (None, 5000, 11.25, 18.75)]
)
def test_a_pause_is_random_and_grows_with_each_failure(case: tuple[int | None, int, float, float]) -> None:
    retry_after, failures, least, most = case
    pauses = [retry.pause_after(retry_after, failures, Random(seed)) for seed in range(300)]
    assert least <= min(pauses) < least + 0.1 * (most - least)
    assert most - 0.1 * (most - least) < max(pauses) <= most


def test_only_the_newest_pending_request_is_sent_and_its_answer_counts_for_all() -> None:
    seen: list[bytes] = []

    async def paint() -> Log:
        log, go = Log(), asyncio.Event()

        async def answer(body: bytes) -> bytes:
            seen.append(body)
            await go.wait()
            return right(body)

        async with fake(answer) as endpoint:
            one = student(endpoint, log)
            began = now()
            bodies = [stroke.requests[0][1] for stroke in SESSIONS[0].strokes[:3]]
            one.request(bodies[0], began)
            while not seen:
                await asyncio.sleep(0)
            one.request(bodies[1], began)
            one.request(bodies[2], began)
            go.set()
            await one.finish()
            one.close()
            assert question(bodies[2], 2) == json.loads(seen[-1])["inputs"][0]["value"]
        return log

    log = awaited(paint())
    assert len(seen) == 2
    assert len(log.waits["stroke"]) == 3 and log.counts["superseded"] == 1
    first, *later = (took for _, took in log.waits["stroke"])
    assert all(took >= first for took in later)


def test_an_incomplete_response_is_an_error_and_a_closed_connection_is_opened_again() -> None:
    answers = [http(200, b"one", b"X: hang up"), http(200, b"two"), http(200, b"three", b"X: hang up")[:-2]]

    async def ask() -> tuple[list[bytes], int]:
        responses = iter(answers)

        async def answer(_: bytes) -> bytes:
            return next(responses)

        async with fake(answer) as endpoint:
            connection = Connection(endpoint)
            bodies = [(await connection.get("/")).body for _ in range(2)]
            with pytest.raises(BrokenResponse):
                await connection.get("/")
            connection.close()
            return bodies, connection.reconnected

    assert awaited(ask()) == ([b"one", b"two"], 1)


def test_a_response_in_gzip_and_chunks_is_decoded() -> None:
    compressed = gzip.compress(b"whole")
    chunks = b"HTTP/1.1 200 X\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n%b\r\n%x\r\n%b\r\n0\r\n\r\n"

    async def ask() -> Reply:
        async def answer(_: bytes) -> bytes:
            return chunks % (compressed[:5], len(compressed) - 5, compressed[5:])

        async with fake(answer) as endpoint:
            connection = Connection(endpoint)
            reply = await connection.get("/")
            connection.close()
            return reply

    assert awaited(ask()).body == b"whole"


# ---------------------------------------------------------------- a short soak


def test_a_small_class_gets_no_error_and_leaves_nothing_behind() -> None:
    with running("app.py", WORKERS="2") as (port, server):
        endpoint = Endpoint("127.0.0.1", port)
        result = awaited(soak(endpoint, server, students=10, seconds=6, every=0.3, seed=1, visits=SESSIONS[:2]))
    assert not result.log.errors
    assert len(result.log.waits["opening"]) == 10
    assert result.log.counts["answers"] > 20
    assert result.after is not None
    assert result.after.processes == result.before.processes
    assert result.leaks() == []
    assert result.growth() < 0.25
