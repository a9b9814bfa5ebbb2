"""uvicorn's HTTP protocol with limits: request size, timeouts for reading and writing, pipelined requests, connections."""

import asyncio
import socket
from contextlib import suppress

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from explorer.server.settings import GRACE

MAX_CONNECTIONS = 2000  # per worker
MAX_MESSAGE = 128 * 1024  # bytes of one request, headers and chunk framing included
MAX_PIPELINED = 64  # unanswered requests per connection
UNSENT = 32 * 1024  # bytes that the kernel takes of a response beyond what is on its way: a stream is not to fill it with what is old by then
UNHEARD = 30_000  # ms without a sign that what was sent arrived: a phone that left the network says no goodbye, and TCP would wait a quarter of an hour
READ_TIMEOUT, WRITE_TIMEOUT = 15.0, 30.0  # seconds: for a request to be complete, for a response to be read


class BoundedHttp(HttpToolsProtocol):
    """Closes connections that exceed a limit. Above ``MAX_CONNECTIONS`` it closes one, if possible one that waits for no response."""

    _read_timer: asyncio.TimerHandle | None = None  # runs while a request is incomplete
    _write_timer: asyncio.TimerHandle | None = None  # runs while a response is not read
    _received = 0  # bytes of the incomplete request
    _cycles: tuple[RequestResponseCycle, ...] = ()  # unanswered requests; uvicorn keeps only the last

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        with suppress(AttributeError, OSError):  # systems without them
            line = transport.get_extra_info("socket")
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT)
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNHEARD)
        self._expect_request()
        if len(self.connections) > MAX_CONNECTIONS:
            others = [one for one in self.connections if isinstance(one, BoundedHttp) and one is not self]
            next((one for one in others if one._is_idle() or one.flow.write_paused), others[0])._abort()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._abort()
        for timer in filter(None, (self._read_timer, self._write_timer)):
            timer.cancel()

    def data_received(self, data: bytes) -> None:
        self._expect_request()
        self._received += len(data)
        super().data_received(data)
        if self._read_timer and self._received > MAX_MESSAGE and not self.transport.is_closing():
            self.send_400_response("The request is too large.")

    def on_headers_complete(self) -> None:
        self._cycles = tuple(cycle for cycle in self._cycles if not cycle.response_complete)
        if len(self._cycles) > MAX_PIPELINED:
            raise ValueError("too many pipelined requests")  # the parser reports it as an invalid request
        super().on_headers_complete()
        self._cycles += (self.cycle,)

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._received = 0
        if self._read_timer:
            self._read_timer.cancel()
            self._read_timer = None

    def pause_writing(self) -> None:
        super().pause_writing()
        self._write_timer = self._write_timer or self.loop.call_later(WRITE_TIMEOUT, self._abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._write_timer:
            self._write_timer.cancel()
            self._write_timer = None

    def send_400_response(self, msg: str) -> None:
        super().send_400_response(msg) if self._is_idle() else self._abort()  # not in the middle of a response

    def shutdown(self) -> None:
        super().shutdown()
        if self._is_idle() and not self.transport.is_closing():  # the request is incomplete
            self._abort()
        self.loop.call_later(GRACE - 1, self._abort)  # otherwise uvicorn logs each response that is not read

    def _expect_request(self) -> None:
        self._read_timer = self._read_timer or self.loop.call_later(READ_TIMEOUT, self._abort)

    def _is_idle(self) -> bool:
        """Whether no complete request waits for a response."""
        return all(cycle.response_complete or (cycle.more_body and not cycle.response_started) for cycle in self._cycles)

    def _abort(self) -> None:
        for cycle in self._cycles:  # stops their writing
            cycle.disconnected = True
            cycle.message_event.set()
        self.connections.discard(self)
        self.transport.abort()
