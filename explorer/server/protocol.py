"""uvicorn's HTTP protocol with bounds: on what a connection sends, how slowly, on what it leaves unread, and on connections."""

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from explorer.server.settings import GRACE

MAX_CONNECTIONS = 2000  # of a worker
MAX_MESSAGE = 128 * 1024  # bytes of one request, with its head and what frames its body
MAX_AHEAD = 64  # requests of a connection that wait for the answer to an earlier one
READING, UNREAD = 15.0, 30.0  # seconds within which a request must be complete, and an answer be read


class BoundedHttp(HttpToolsProtocol):
    """Closes what passes a bound. Where there are too many connections, one goes, if there is one that waits for no answer."""

    _reading: asyncio.TimerHandle | None = None  # while a request is not complete
    _unread: asyncio.TimerHandle | None = None  # while an answer is not read
    _received = 0  # bytes of the request that is not complete
    _cycles: tuple[RequestResponseCycle, ...] = ()  # requests that are not answered; uvicorn remembers the last only

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._expect_request()
        if len(self.connections) > MAX_CONNECTIONS:
            others = [one for one in self.connections if isinstance(one, BoundedHttp) and one is not self]
            next((one for one in others if one._is_idle() or one.flow.write_paused), others[0])._cut()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._cut()
        for timer in filter(None, (self._reading, self._unread)):
            timer.cancel()

    def data_received(self, data: bytes) -> None:
        self._expect_request()
        self._received += len(data)
        super().data_received(data)
        if self._reading and self._received > MAX_MESSAGE and not self.transport.is_closing():
            self.send_400_response("The request is too large.")

    def on_headers_complete(self) -> None:
        self._cycles = tuple(cycle for cycle in self._cycles if not cycle.response_complete)
        if len(self._cycles) > MAX_AHEAD:
            raise ValueError("too many requests ahead")  # which the parser takes for a request that is none
        super().on_headers_complete()
        self._cycles += (self.cycle,)

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._received = 0
        if self._reading:
            self._reading.cancel()
            self._reading = None

    def pause_writing(self) -> None:
        super().pause_writing()
        self._unread = self._unread or self.loop.call_later(UNREAD, self._cut)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._unread:
            self._unread.cancel()
            self._unread = None

    def send_400_response(self, msg: str) -> None:
        if self._is_idle():
            super().send_400_response(msg)
        else:
            self._cut()  # an answer is under way

    def shutdown(self) -> None:
        super().shutdown()
        if self._is_idle() and not self.transport.is_closing():  # half a request
            self._cut()
        self.loop.call_later(GRACE - 1, self._cut)  # else uvicorn would log each answer that nobody reads

    def _expect_request(self) -> None:
        self._reading = self._reading or self.loop.call_later(READING, self._cut)

    def _is_idle(self) -> bool:
        """Whether no complete request waits for an answer."""
        return all(cycle.response_complete or (cycle.more_body and not cycle.response_started) for cycle in self._cycles)

    def _cut(self) -> None:
        for cycle in self._cycles:  # else they would go on writing
            cycle.disconnected = True
            cycle.message_event.set()
        self.connections.discard(self)
        self.transport.abort()
