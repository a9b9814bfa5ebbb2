"""Answers that leave a worker in one piece.

gunicorn writes an answer's headers and its body one after the other, and between the two another thread may have its turn. A
worker that is killed just then has sent headers without a body, and a proxy that has seen headers can no longer ask another
replica. In one piece the whole answer is the kernel's to deliver, whatever becomes of the worker, or nothing of it is.
"""

from __future__ import annotations

import socket
from typing import Any

from gunicorn.http import wsgi


class WholeAnswer(wsgi.Response):  # type: ignore[misc]
    """A response whose headers wait for the first bytes of its body."""

    def __init__(self, req: Any, sock: socket.socket, cfg: Any) -> None:
        super().__init__(req, HeadsFirst(sock), cfg)

    def close(self) -> None:
        """The end: what has no body has only headers to send."""
        super().close()
        self.sock.flush()


class HeadsFirst:
    """As much of a socket as a response needs; what is written first goes out together with what is written next."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.head: bytes | None = None

    def sendall(self, data: bytes) -> None:
        """Keep it if it is the first, else send it with what was kept."""
        if self.head is None:
            self.head = data
        else:
            data, self.head = self.head + data, b""
            self.sock.sendall(data)

    def sendfile(self, *args: Any, **settings: Any) -> int:
        """Send a file, after what was kept."""
        self.flush()
        return self.sock.sendfile(*args, **settings)

    def flush(self) -> None:
        """Send what was kept."""
        if self.head:
            self.sendall(b"")


def write_whole_answers() -> None:
    """Let gunicorn's workers of this process write so; it has no setting for it."""
    wsgi.Response = WholeAnswer
