"""Requests that are all there, and answers that leave in one piece: what a thread of the server has in place of a socket.

A thread that reads from a connection waits for its visitor, and so does one that writes to it; a few hundred visitors who dawdle,
or mean to, would take all threads there are. So threads read and write memory only, and the loop that waits for all
connections at once moves what the network gives and takes.

In one piece, because a worker may be killed: when it has sent headers without a body, a proxy that has seen them can no longer
ask another replica. So all that the kernel takes at once, which is any answer to a question, is its to deliver, whatever becomes
of the worker.
"""

from __future__ import annotations

import re
import socket
from contextlib import suppress

from gunicorn.http.errors import LimitRequestHeaders

HEAD_MOST = 32 * 1024  # bytes without an end that are no head any more; nginx passes on as much
BODY_MOST = 128 * 1024  # bytes of a body, marks between its chunks included, that are waited for: twice what is read of one
AT_ONCE = 64 * 1024  # bytes read from a connection before the others have their turn
UNSENT = 128 * 1024  # bytes that the kernel keeps for a visitor in addition to what is on its way
LINE_MOST = 8 * 1024  # bytes of a line that tells how long a chunk is, or of what follows the last one
# Not a part may be matched in two ways: somebody would send what takes minutes to match in neither.
FIELDS = re.compile(rb"\r\n(content-length|transfer-encoding|expect):([^\r\n]*)(?=\r\n)")
SIZE = re.compile(rb"[0-9a-f]{1,8}", re.IGNORECASE)
GO_AHEAD = b"HTTP/1.1 100 Continue\r\n\r\n"


class Arrival:
    """What has come of a request, and whether that is all of it.

    Only the end is looked for. Whether it is a request at all is gunicorn's to say, so what has no clear end counts as whole.

    Attributes:
        came: the bytes.
        expects: whether its body comes only after a word from here.
    """

    def __init__(self, came: bytes = b"") -> None:
        self.came = bytearray(came)
        self.expects = False
        self._searched = 0  # how far what is looked for has not been found
        self._body = 0  # where the body begins, once that is known
        self._end = 0  # and where it ends
        self._chunk = 0  # where the next chunk begins, if it comes in chunks
        self._last = False  # whether that is the last one

    def is_whole(self) -> bool:
        """Whether it can be answered, if only with a refusal."""
        if not self._body and not self._find_body():
            return self.has_no_end()
        return self._find_last_chunk() if self._chunk else len(self.came) >= self._end

    def has_no_end(self) -> bool:
        """Whether its head is too long already."""
        return not self._body and len(self.came) > HEAD_MOST

    def _find(self, mark: bytes) -> int:
        """Where a mark is, or -1; no byte is looked at twice."""
        found = self.came.find(mark, self._searched)
        if found < 0:
            self._searched = max(self._searched, len(self.came) - len(mark) + 1)
        return found

    def _find_body(self) -> bool:
        end = self._find(b"\r\n\r\n")
        if end < 0:
            return False
        self._body = self._end = end + 4
        head = bytes(self.came[: self._body]).lower()
        fields: dict[bytes, list[bytes]] = {}
        for name, value in FIELDS.findall(head):
            fields.setdefault(name, []).append(value.strip(b" \t"))
        lengths, codings, expected = (fields.get(name, []) for name in (b"content-length", b"transfer-encoding", b"expect"))
        if expected not in ([], [b"100-continue"]):
            return True  # its body never comes
        self.expects = bool(expected) and not head.partition(b"\r\n")[0].endswith(b"http/1.0")
        if codings == [b"chunked"] and not lengths:
            self._chunk = self._searched = self._body
        elif len(lengths) == 1 and lengths[0].isdigit() and len(lengths[0]) < 10 and not codings:
            length = int(lengths[0])
            self._end += length if length <= BODY_MOST else 0
        return True

    def _find_last_chunk(self) -> bool:
        while len(self.came) - self._body <= BODY_MOST:
            line = self._find(b"\r\n\r\n" if self._last else b"\r\n")
            if line < 0:
                return len(self.came) - self._chunk > LINE_MOST
            if self._last:
                return True
            size = bytes(self.came[self._chunk : line]).partition(b";")[0].strip()
            if not SIZE.fullmatch(size):
                return True
            length = int(size, 16)
            if length == 0:
                self._last, self._searched = True, line
                continue
            after = line + 2 + length + 2
            if after - self._body > BODY_MOST or bytes(self.came[after - 2 : after]) not in (b"\r\n", b"\r", b""):
                return True
            if after > len(self.came):
                self._searched = line
                return False
            self._chunk = self._searched = after
        return True


class Exchange:
    """As much of a socket as gunicorn needs in its threads; nothing that they call here waits for anybody.

    Attributes:
        socket: the socket itself, for the loop.
        arrival: the request that is coming.
        answer: what is still to be sent.
        ran_dry: whether more was to be read than had come. Then nobody knows where the next request begins.
    """

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        self.ran_dry = False
        self.arrival = Arrival()
        self.answer: list[memoryview] = []
        connection.setblocking(False)
        with suppress(OSError, AttributeError):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT)

    # ------------------------------------------------------------ for the loop

    def take_in(self) -> bool:
        """Read what has come; returns whether more may.

        Raises:
            BlockingIOError: nothing has.
            OSError: the connection is broken.
        """
        came = self.socket.recv(AT_ONCE)
        self.arrival.came += came
        return bool(came)

    def has_request(self) -> bool:
        """Whether a whole request has come. Who waits to be told that its body may come is told."""
        whole = self.arrival.is_whole()
        if self.arrival.expects and not whole:
            self.arrival.expects = False
            with suppress(OSError):
                self.socket.send(GO_AHEAD)
        return whole

    def deliver(self) -> bool:
        """Send as much of the answer as the other side takes now; returns whether that was all.

        Raises:
            OSError: the connection is broken.
        """
        while self.answer:
            try:
                sent = self.socket.sendmsg(self.answer[:16])
            except BlockingIOError:
                return False
            except OSError:
                self.answer.clear()
                raise
            while self.answer and sent >= len(self.answer[0]):
                sent -= len(self.answer.pop(0))
            if sent:
                self.answer[0] = self.answer[0][sent:]
        return True

    def begin_anew(self, left: bytes) -> None:
        """Turn to the next request, of which some may have come already: what gunicorn read too much, and what it never read."""
        self.arrival = Arrival(left + self.arrival.came)

    # ------------------------------------------------------------ for gunicorn

    def recv(self, size: int, flags: int = 0) -> bytes:
        """The next bytes of the request, or none when there are no more.

        Raises:
            LimitRequestHeaders: its head has no end.
        """
        if flags:  # such as a look whether anybody is still there
            return self.socket.recv(size, flags)
        if self.arrival.has_no_end():
            raise LimitRequestHeaders("a head without an end")
        came = bytes(self.arrival.came[:size])
        del self.arrival.came[:size]
        self.ran_dry = self.ran_dry or not came
        return came

    def sendall(self, piece: bytes) -> None:
        """Keep a piece of the answer until all of it can be sent."""
        if piece:
            self.answer.append(memoryview(piece))

    def send(self, piece: bytes) -> int:
        """gunicorn's word that a body may come. That has been said, and it is here."""
        return len(piece)

    def setblocking(self, _: bool) -> None:
        """It never blocks."""

    def gettimeout(self) -> float:
        """As a socket has it that never blocks."""
        return 0.0

    def fileno(self) -> int:
        """The socket's."""
        return self.socket.fileno()

    def shutdown(self, how: int) -> None:
        """The socket's."""
        self.socket.shutdown(how)

    def close(self) -> None:
        """The socket's."""
        self.socket.close()
