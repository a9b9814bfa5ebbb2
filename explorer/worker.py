"""gunicorn's threaded worker as a hall of strangers needs it: a connection that sends nothing, or not all, holds nobody up.

As gunicorn has it, every new connection takes a thread until its first bytes come, a request that stops halfway keeps its
thread for ever, and the loop that serves everybody waits for each visitor to close a connection that is over. Here all three
wait where nobody else has to, for a bounded time.
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

CONNECTIONS = 4000  # that a worker keeps open
DESCRIPTORS = 200  # that it needs for anything else
READING = 15.0  # seconds in which a request must have come; it is answered within less than that
WRITING = 120.0  # seconds in which its answer must have been taken; a large file over bad Wi-Fi takes long
PARTING = 2.0  # seconds in which the other side should close a connection that is over
TIDY_EVERY = 20.0  # seconds; it takes some milliseconds
FAREWELL = 256 * 1024  # bytes that it may still send meanwhile
NOT_NOW = (errno.EAGAIN, errno.EWOULDBLOCK, errno.ECONNABORTED)
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
    return CONNECTIONS if soft == resource.RLIM_INFINITY else max(2 * DESCRIPTORS, min(CONNECTIONS, soft - DESCRIPTORS))


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
        super().__init__(worker.cfg, client, address, server)
        self.worker, self.unread = worker, 0

    def close(self, graceful: bool = False) -> None:
        """Close it: at once, or so that the other side gets the whole answer."""
        if graceful:
            self.worker.part(self)
        else:
            super().close()


class Worker(ThreadWorker):  # type: ignore[misc]
    """A worker that gives threads only to connections that have something to say, and only for so long."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.held: dict[Connection, float] = {}  # those that have a thread, and since when
        self.parting: list[Connection] = []  # those that are over, in the order of their deadlines
        self.tidied = time.monotonic()

    def get_thread_pool(self) -> Any:
        """All threads from the start: else every rush would add some, and keep them."""
        pool, all_there = super().get_thread_pool(), threading.Barrier(self.cfg.threads + 1)
        for _ in range(self.cfg.threads):
            pool.submit(all_there.wait)
        all_there.wait()
        return pool

    def accept(self, listener: socket.socket) -> None:
        """Take a connection and wait for its first bytes where no thread is needed."""
        try:
            client, address = listener.accept()
        except OSError as error:
            if error.errno in NOT_NOW:  # another worker took it, or it is gone
                return
            raise
        self.nr_conns += 1
        connection = Connection(self, client, address, listener.getsockname())
        connection.set_timeout()
        self.pending_conns.append(connection)
        self.poller.register(client, selectors.EVENT_READ, partial(self.on_pending_socket_readable, connection))

    def handle(self, conn: Connection) -> Any:
        """Answer a request, under watch. Runs in a thread."""
        self.held[conn] = time.monotonic()
        try:
            return super().handle(conn)
        finally:
            self.held.pop(conn, None)

    def _keepalive_after(self, conn: Connection, keepalive: bool) -> bool:
        """Whether another request may follow. Not after a body that turns out unreadable: its own was answered already."""
        try:
            return bool(super()._keepalive_after(conn, keepalive))
        except errors.ParseException:
            return False

    def murder_pending(self) -> None:
        """Close connections that say nothing, and cut off those that say or take it too slowly. Runs at least every second."""
        super().murder_pending()
        now = time.monotonic()
        for connection, since in list(self.held.items()):
            if now - since > READING:
                # who waits for more to read wakes up; who computes or writes is not disturbed
                self._shut(connection, socket.SHUT_RDWR if now - since > WRITING else socket.SHUT_RD)
        while self.parting and self.parting[0].timeout < now:
            self._close(self.parting[0])
        if now - self.tidied > TIDY_EVERY:
            self.tidied = now
            give_back()

    def part(self, connection: Connection) -> None:
        """Say that nothing more will come, and wait for the other side to have read it all. gunicorn would wait right here."""
        self.nr_conns += 1  # it was counted off already, but a worker that stops should wait for it
        self.parting.append(connection)
        connection.timeout = time.monotonic() + PARTING
        connection.sock.setblocking(False)
        self.poller.register(connection.sock, selectors.EVENT_READ, partial(self.on_parting_readable, connection))
        if not self._shut(connection, socket.SHUT_WR):
            self._close(connection)

    def on_parting_readable(self, connection: Connection, client: socket.socket) -> None:
        """Read away what the other side still says, until it closes: closing before it does would take back the answer."""
        try:
            said = client.recv(FAREWELL)
        except BlockingIOError:
            return
        except OSError:
            said = b""
        connection.unread += len(said)
        if not said or connection.unread > FAREWELL:
            self._close(connection)

    def _close(self, connection: Connection) -> None:
        self.poller.unregister(connection.sock)
        self.parting.remove(connection)
        self.nr_conns -= 1
        connection.close()

    def _shut(self, connection: Connection, how: int) -> bool:
        try:
            connection.sock.shutdown(how)
        except OSError:  # it went by itself
            return False
        return True

    def _cap_keepalive(self, deadline: float) -> None:
        """Nobody that has not said anything by then is waited for when the worker stops."""
        super()._cap_keepalive(deadline)
        for connection in self.pending_conns:
            connection.timeout = min(connection.timeout, deadline)

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
