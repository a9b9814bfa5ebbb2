"""gunicorn's threaded worker as a hall of strangers needs it: whoever asks or listens slowly, or not at all, holds nobody up.

As gunicorn has it, every new connection takes a thread until its first bytes come, a request that stops halfway keeps its
thread for ever, an answer that is not read does too, and the loop that serves everybody waits for each visitor to close a
connection that is over. Here all four wait where nobody else has to, for a bounded time.
"""

from __future__ import annotations

import errno
import resource
import selectors
import socket
import threading
import time
from functools import partial
from typing import Any

from gunicorn import util
from gunicorn.glogging import Logger
from gunicorn.http import errors
from gunicorn.workers.gthread import TConn, ThreadWorker

from explorer.logs import JsonFormatter, fields, places
from explorer.memory import give_back
from explorer.whole import Exchange

CONNECTIONS = 4000  # that a worker keeps open
DESCRIPTORS = 200  # that it needs for anything else
READING = 15.0  # seconds in which a request must have come
WRITING = 30.0  # seconds in which some more of an answer must have been taken
PARTING = 2.0  # seconds in which the other side should close a connection that is over
TIDY_EVERY = 20.0  # seconds; it takes some milliseconds
FAREWELL = 256 * 1024  # bytes that it may still send meanwhile
GONE = (errno.EAGAIN, errno.EWOULDBLOCK, errno.ECONNABORTED)
ARRIVING = 32 * 1024 * 1024  # bytes of requests that are not all there
# What cannot be read as a request: the status, its name and the sentence. None of it repeats what was sent.
UNREADABLE = (400, "Bad Request", "The request could not be read.")
REFUSALS = {
    errors.LimitRequestLine: (414, "URI Too Long", "The address is too long."),
    errors.LimitRequestHeaders: (431, "Request Header Fields Too Large", "The headers are too large."),
    errors.ExpectationFailed: (417, "Expectation Failed", "This server cannot meet that expectation."),
}
OURS = (errors.InvalidResponseHeader, errors.InvalidResponseHeaderName)  # these count as unreadable, but we wrote them
FAILED = (500, "Internal Server Error", "Something went wrong on the server.")


def most_connections() -> int:
    """How many connections a worker may keep: a browser opens six. First as many descriptors are taken as are to be had."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CONNECTIONS + DESCRIPTORS
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return CONNECTIONS if soft == resource.RLIM_INFINITY else min(CONNECTIONS, max(soft - DESCRIPTORS, soft // 2))


class JsonLogger(Logger):  # type: ignore[misc]
    """gunicorn's log, one JSON object a line. The explorer keeps the log of requests itself: without queries and addresses."""

    def setup(self, cfg: Any) -> None:
        """Write as gunicorn would, in another form."""
        super().setup(cfg)
        for handler in self.error_log.handlers:
            handler.setFormatter(JsonFormatter())


class Connection(TConn):  # type: ignore[misc]
    """A connection whose end its worker waits for, if anybody has to."""

    def __init__(self, worker: Worker, client: socket.socket, address: Any, server: Any) -> None:
        super().__init__(worker.cfg, Exchange(client), address, server)
        self.worker, self.unread = worker, 0

    def close(self, graceful: bool = False) -> None:
        """Close it: at once, or so that the other side gets the whole answer."""
        if graceful:
            self.worker.part(self)
        else:
            super().close()


class Worker(ThreadWorker):  # type: ignore[misc]
    """A worker that gives threads only to requests that are all there, and takes them back before the answer is read."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        # those that the loop waits for, in the order of their deadlines: their request has begun to come, their answer is not
        # all sent, or they are over and should be closed by the other side
        self.asking: dict[Connection, float] = {}
        self.taking: dict[Connection, float] = {}
        self.parting: dict[Connection, float] = {}
        self.arriving = 0  # bytes of requests that are not all there
        self.cramped = False  # whether a connection could not be taken
        self.tidied = time.monotonic()

    def get_thread_pool(self) -> Any:
        """All threads from the start: else every rush would add some, and keep them."""
        pool, all_there = super().get_thread_pool(), threading.Barrier(self.cfg.threads + 1)
        for _ in range(self.cfg.threads):
            pool.submit(all_there.wait)
        all_there.wait()
        return pool

    # ------------------------------------------------------------ a request comes

    def accept(self, listener: socket.socket) -> None:
        """Take a connection and wait for its first bytes where no thread is needed."""
        try:
            client, address = listener.accept()
        except OSError as error:  # another worker took it, or it is gone; else the system has no room
            # none is closed here: there may be news of it among what the loop is just going through
            self.cramped = error.errno not in GONE
            return
        self.nr_conns += 1
        connection = Connection(self, client, address, listener.getsockname())
        connection.set_timeout()
        self.pending_conns.append(connection)
        self.poller.register(connection.sock, selectors.EVENT_READ, partial(self.on_pending_socket_readable, connection))

    def on_pending_socket_readable(self, conn: Connection, client: Exchange) -> None:
        """Something comes on a new connection."""
        self.pending_conns.remove(conn)
        self.begin_request(conn)

    def on_client_socket_readable(self, conn: Connection, client: Exchange) -> None:
        """Something comes on a connection that was kept."""
        self.keepalived_conns.remove(conn)
        self.begin_request(conn)

    def begin_request(self, connection: Connection) -> None:
        """Take in a request, for as long as that may take."""
        connection.data_ready = True
        self.arriving += len(connection.sock.arrival.came)
        self.asking[connection] = time.monotonic() + READING
        self.poller.modify(connection.sock, selectors.EVENT_READ, partial(self.on_request, connection))
        self.on_request(connection, connection.sock)

    def on_request(self, connection: Connection, exchange: Exchange) -> None:
        """Take in what has come of a request; a thread answers it once it is all there, or there will be no more."""
        came, broken = exchange.arrival.came, False
        before = len(came)
        try:
            more = exchange.take_in()
        except BlockingIOError:  # but some may have come with the last
            more = True
        except OSError:
            more, broken = False, True
        self.arriving += len(came) - before
        if more and not exchange.has_request():
            return
        self._forget(connection, self.asking)
        if came and not broken:
            self.enqueue_req(connection)
        else:
            self._let_go(connection)

    # ------------------------------------------------------------ an answer goes

    def handle(self, conn: Connection) -> Any:
        """Answer a request. Runs in a thread."""
        try:
            return super().handle(conn)
        finally:
            conn.sock.deliver()

    def _keepalive_after(self, conn: Connection, keepalive: bool) -> bool:
        """Whether another request may follow. Not after a body that turns out unreadable or too short: its own was answered already."""
        try:
            return bool(super()._keepalive_after(conn, keepalive)) and not conn.sock.ran_dry
        except errors.ParseException:
            return False

    def finish_request(self, conn: Connection, fs: Any) -> None:
        """Send what is left of an answer, then wait for the next request or part."""
        if conn.sock.answer:
            self.taking[conn] = time.monotonic() + WRITING
            self.poller.register(conn.sock, selectors.EVENT_WRITE, partial(self.on_taken, conn, fs))
            return
        if conn.parser is not None:
            conn.sock.begin_anew(conn.parser.unreader.take_buffered())
        super().finish_request(conn, fs)
        if conn.sock.arrival.came and conn in self.keepalived_conns:
            self.on_client_socket_readable(conn, conn.sock)

    def on_taken(self, connection: Connection, fs: Any, exchange: Exchange) -> None:
        """Send more of an answer, now that some has been taken."""
        try:
            done = exchange.deliver()
        except OSError:
            self._forget(connection, self.taking)
            self._let_go(connection)
            return
        del self.taking[connection]
        if done:
            self.poller.unregister(exchange)
            self.finish_request(connection, fs)
        else:
            self.taking[connection] = time.monotonic() + WRITING

    # ------------------------------------------------------------ a connection ends

    def murder_pending(self) -> None:
        """Close connections that say nothing, or that say it or take it too slowly. Runs at least every second."""
        super().murder_pending()
        now = time.monotonic()
        for waiting in (self.asking, self.taking, self.parting):
            while waiting and (first := next(iter(waiting.items())))[1] < now:
                self._forget(first[0], waiting)
                self._let_go(first[0])
        self._make_room()
        if now - self.tidied > TIDY_EVERY:
            self.tidied = now
            give_back()

    def part(self, connection: Connection) -> None:
        """Say that nothing more will come, and wait for the other side to have read it all. gunicorn would wait right here."""
        self.nr_conns += 1  # it was counted off already, but a worker that stops should wait for it
        try:
            connection.sock.shutdown(socket.SHUT_WR)
        except OSError:  # it went by itself
            self._let_go(connection)
            return
        self.parting[connection] = time.monotonic() + PARTING
        self.poller.register(connection.sock, selectors.EVENT_READ, partial(self.on_parting_readable, connection))

    def on_parting_readable(self, connection: Connection, exchange: Exchange) -> None:
        """Read away what the other side still says, until it closes: closing before it does would take back the answer."""
        try:
            said = exchange.socket.recv(FAREWELL)
        except BlockingIOError:
            return
        except OSError:
            said = b""
        connection.unread += len(said)
        if not said or connection.unread > FAREWELL:
            self._forget(connection, self.parting)
            self._let_go(connection)

    def _make_room(self) -> None:
        """Where no further connection could be taken, or too much is waited for, close some that hold others up."""
        if self.cramped:
            self.cramped = False
            self._close_one()
        while self.nr_conns >= self.worker_connections and self._close_one():
            pass
        while self.arriving > ARRIVING:
            most = max(self.asking, key=lambda connection: len(connection.sock.arrival.came))
            self._forget(most, self.asking)
            self._let_go(most)

    def _close_one(self) -> bool:
        """Close a connection that no thread has: of whichever kind there are most, the one that has waited longest.

        So a crowd of one kind never drives out the few who come to ask. Returns whether there was one.
        """
        most: Any = max((self.pending_conns, self.keepalived_conns, self.asking, self.taking), key=len)
        if not most:
            return False
        connection = next(iter(most))
        if isinstance(most, dict):
            self._forget(connection, most)
        else:
            most.popleft()
            self.poller.unregister(connection.sock)
        self._let_go(connection)
        return True

    def _forget(self, connection: Connection, waiting: dict[Connection, float]) -> None:
        """Wait for it no longer."""
        del waiting[connection]
        self.poller.unregister(connection.sock)
        if waiting is self.asking:
            self.arriving -= len(connection.sock.arrival.came)

    def _let_go(self, connection: Connection) -> None:
        self.nr_conns -= 1
        connection.close()

    def _cap_keepalive(self, deadline: float) -> None:
        """Nobody that has not said all of a request by then is waited for when the worker stops."""
        super()._cap_keepalive(deadline)
        for connection in self.pending_conns:
            connection.timeout = min(connection.timeout, deadline)
        for connection, until in self.asking.items():
            self.asking[connection] = min(until, deadline)

    def handle_error(self, req: Any, client: socket.socket, addr: Any, exc: Exception) -> None:
        """Refuse what is no request, or own up to a failure, in one sentence; the log keeps no word of what was sent."""
        kind = type(exc).__name__
        if isinstance(exc, errors.ParseException) and not isinstance(exc, OURS):
            status, name, sentence = REFUSALS.get(type(exc), UNREADABLE)
            self.log.info("unreadable request", extra=fields(status=status, error=kind))
        else:
            status, name, sentence = FAILED
            self.log.error("unexpected error", extra=fields(status=status, error=kind, traceback=places(exc)))
        head = [
            f"HTTP/1.1 {status} {name}",
            "Connection: close",
            "Content-Type: text/plain; charset=utf-8",
            "X-Content-Type-Options: nosniff",
            f"Content-Length: {len(sentence) + 1}",
        ]
        try:
            util.write_nonblock(client, "\r\n".join([*head, "", sentence + "\n"]).encode())
        except OSError:
            self.log.debug("nobody was there to be refused")
