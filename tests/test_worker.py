"""What the worker's loop does when the system has no room for another connection; the rest is met from outside, as a visitor."""

from __future__ import annotations

import errno
import selectors
import socket
from typing import Any

import pytest
from gunicorn.config import Config

from explorer.worker import Connection, Worker


class Listener:
    """A socket that takes no connection."""

    def __init__(self, code: int) -> None:
        self.code = code

    def accept(self) -> Any:
        raise OSError(self.code, "refused")


@pytest.mark.parametrize(("code", "kept"), [(errno.EMFILE, 0), (errno.ENOBUFS, 0), (errno.EAGAIN, 1), (errno.ECONNABORTED, 1)])
def test_where_the_system_has_no_room_the_longest_quiet_connection_goes_after_the_news_of_it(code: int, kept: int) -> None:
    worker = Worker(0, 0, [], None, 30, Config(), None)
    worker.poller = selectors.DefaultSelector()
    ours, theirs = socket.socketpair()
    with ours, theirs, worker.poller:
        connection = Connection(worker, ours, None, None)
        connection.set_timeout()
        worker.pending_conns.append(connection)
        worker.nr_conns = 1
        worker.poller.register(connection.sock, selectors.EVENT_READ)
        worker.accept(Listener(code))
        assert list(worker.pending_conns) == [connection]  # its own event may come in the same round
        worker.murder_pending()
        assert len(worker.pending_conns) == worker.nr_conns == len(worker.poller.get_map()) == kept
