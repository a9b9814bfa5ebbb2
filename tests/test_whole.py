"""Where a request ends, however it comes; and an answer that leaves whole, however it is taken."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from gunicorn.http.errors import LimitRequestHeaders
from hypothesis import given
from hypothesis import strategies as st

from explorer.whole import BODY_MOST, HEAD_MOST, LINE_MOST, Arrival, Exchange

POST = b"POST / HTTP/1.1\r\nHost: x\r\n"
BODIES = st.binary(max_size=300)


def with_length(body: bytes) -> bytes:
    return POST + b"Content-Length: %d\r\n\r\n%b" % (len(body), body)


def in_chunks(parts: list[bytes], last: bytes = b"0\r\n\r\n") -> bytes:
    chunks = b"".join(b"%X\r\n%b\r\n" % (len(part), part) for part in parts if part)
    return POST + b"Transfer-Encoding: chunked\r\n\r\n" + chunks + last


def with_trailers(parts: list[bytes]) -> bytes:
    return in_chunks(parts, b"00;a=b\r\nX: y\r\nZ:\r\n\r\n")


PARTS = st.lists(BODIES, max_size=5)
REQUESTS = st.one_of(
    st.just(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"), BODIES.map(with_length), PARTS.map(in_chunks), PARTS.map(with_trailers)
)


@given(REQUESTS, st.binary(max_size=40), st.data())
def test_a_request_is_whole_when_its_last_byte_is_there_and_not_before(request: bytes, next_one: bytes, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.sets(st.integers(1, len(request) - 1), max_size=8)))
    arrival = Arrival()
    for begin, end in zip([0, *cuts], cuts, strict=False):
        arrival.came += request[begin:end]
        assert not arrival.is_whole()
    arrival.came += request[cuts[-1] if cuts else 0 :] + next_one
    assert arrival.is_whole()
    assert not arrival.has_no_end()


@pytest.mark.parametrize(
    "came",
    [
        POST + b"Content-Length: ten\r\n\r\n",
        POST + b"Content-Length: -1\r\n\r\n",
        POST + b"Content-Length: 10\r\nContent-Length: 10\r\n\r\n",
        POST + b"Content-Length: 10\r\nTransfer-Encoding: chunked\r\n\r\n",
        POST + b"Transfer-Encoding: gzip\r\n\r\n",
        POST + b"Content-Length: %d\r\n\r\n" % (BODY_MOST + 1),
        POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        POST + b"Transfer-Encoding: chunked\r\n\r\n1\r\nab",
        POST + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % BODY_MOST,
        POST + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\na\r\n" * (BODY_MOST // 6 + 1),
        POST + b"Transfer-Encoding: chunked\r\n\r\n" + b"\n" * (LINE_MOST + 1),
        POST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n" + b"\r" * (LINE_MOST + 1),
        POST + b"Expect: tea\r\nContent-Length: 10\r\n\r\n",
        POST + b"Content-Length:" + b" " * 30_000 + b"\rx\r\n\r\n",  # which once took minutes to match
        b"x" * (HEAD_MOST + 1),
    ],
)
def test_what_will_be_refused_is_not_waited_for(came: bytes) -> None:
    assert Arrival(came).is_whole()


@pytest.mark.parametrize(("head", "told"), [(b"POST / HTTP/1.1\r\n", True), (b"POST / HTTP/1.0\r\n", False)])
def test_only_who_knows_of_it_is_told_that_a_body_may_come(head: bytes, told: bool) -> None:
    arrival = Arrival(head + b"Expect: 100-Continue\r\nContent-Length: 10\r\n\r\n")
    assert not arrival.is_whole()
    assert arrival.expects is told


@pytest.fixture
def pair() -> Iterator[tuple[Exchange, socket.socket]]:
    """An exchange and its visitor."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        with socket.create_connection(listener.getsockname(), timeout=60) as visitor:
            server, _ = listener.accept()
            with server:
                yield Exchange(server), visitor


def test_an_answer_leaves_when_it_is_told_to_and_what_is_not_taken_stays(pair: tuple[Exchange, socket.socket]) -> None:
    exchange, visitor = pair
    pieces = [bytes([number]) * 300_000 for number in range(50)]
    for piece in pieces:
        exchange.sendall(piece)
    visitor.setblocking(False)
    with pytest.raises(BlockingIOError):
        visitor.recv(1)
    assert not exchange.deliver()
    visitor.settimeout(60)
    heard = bytearray()
    while len(heard) < 50 * 300_000:
        heard += visitor.recv(1 << 20)
        exchange.deliver()
    assert heard == b"".join(pieces)
    assert exchange.deliver() and not exchange.answer


def test_headers_and_body_leave_in_one_piece(pair: tuple[Exchange, socket.socket]) -> None:
    exchange, visitor = pair
    exchange.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    exchange.sendall(b"")
    exchange.sendall(b"body")
    assert exchange.deliver()
    assert visitor.recv(1000) == b"HTTP/1.1 200 OK\r\n\r\nbody"


def test_an_answer_to_nobody_is_forgotten(pair: tuple[Exchange, socket.socket]) -> None:
    exchange, visitor = pair
    exchange.socket.shutdown(socket.SHUT_WR)
    visitor.close()
    exchange.sendall(b"x" * 1000)
    with pytest.raises(BrokenPipeError):
        exchange.deliver()
    assert not exchange.answer


def test_reading_on_ends_and_is_remembered(pair: tuple[Exchange, socket.socket]) -> None:
    exchange, _ = pair
    exchange.arrival.came += b"abcdef"
    assert [exchange.recv(4), exchange.recv(4)] == [b"abcd", b"ef"]
    assert not exchange.ran_dry
    assert exchange.recv(4) == b""
    assert exchange.ran_dry


def test_a_head_without_an_end_is_refused(pair: tuple[Exchange, socket.socket]) -> None:
    exchange, _ = pair
    exchange.arrival.came += b"x" * (HEAD_MOST + 1)
    assert exchange.has_request()
    with pytest.raises(LimitRequestHeaders):
        exchange.recv(8192)


def test_what_was_read_too_much_belongs_to_the_next_request(pair: tuple[Exchange, socket.socket]) -> None:
    exchange, _ = pair
    exchange.arrival.came += b"345"
    exchange.begin_anew(b"12")
    assert exchange.recv(10) == b"12345"
