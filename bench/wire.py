"""A small HTTP/1.1 client on asyncio streams, with one keep-alive connection.

It needs less than half of aiohttp's processor time, which matters as it shares two cores with the server that it measures.
"""

from __future__ import annotations

import asyncio
import zlib
from dataclasses import dataclass

MAX_HEAD = 64 * 1024


class BrokenResponse(OSError):
    """The connection ended before the response was complete, or the response is not HTTP."""


class ConnectionClosed(BrokenResponse):
    """The connection ended before the first byte of a response."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a server is: host, port, and the path prefix of its page, with a slash at both ends."""

    host: str
    port: int
    prefix: str = "/"


@dataclass(frozen=True, slots=True)
class Reply:
    """A complete response: status, headers by lower-case name, the raw body and the raw head."""

    status: int
    headers: dict[str, str]
    raw: bytes
    head: bytes = b""

    @property
    def body(self) -> bytes:
        """The body, decompressed if it is gzip.

        Raises:
            BrokenResponse: the header says gzip, but the body is not.
        """
        if self.headers.get("content-encoding") != "gzip" or not self.raw:
            return self.raw
        try:
            return zlib.decompress(self.raw, wbits=31)
        except zlib.error:
            raise BrokenResponse("the response is not gzip") from None


@dataclass(slots=True)
class Connection:
    """One connection, opened on first use, and opened again when the server has closed it, as in browsers.

    Attributes:
        headers: lines that each request sends besides the usual ones.
        reconnected: how often the server had closed it.
    """

    endpoint: Endpoint
    headers: bytes = b""
    reconnected: int = 0
    _streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connect without a request, as browsers do with spare connections."""
        self._streams = await asyncio.open_connection(self.endpoint.host, self.endpoint.port, limit=MAX_HEAD)
        return self._streams

    async def get(self, path: str) -> Reply:
        """GET a path; errors as in ``post``."""
        return await self._request(b"GET %b HTTP/1.1\r\n" % path.encode(), b"\r\n")

    async def post(self, path: str, body: bytes) -> Reply:
        """POST JSON and read the response.

        Raises:
            OSError: no connection, or it broke. A keep-alive connection that the server has closed is opened again first.
        """
        headers = b"Content-Type: application/json\r\nAccept: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
        return await self._request(b"POST %b HTTP/1.1\r\n" % path.encode(), headers + body)

    async def _request(self, start: bytes, rest: bytes) -> Reply:
        reused = self._streams is not None
        try:
            reader, writer = self._streams or await self.open()
            writer.write(b"%bHost: %b:%d\r\nAccept-Encoding: gzip\r\n%b%b" % (start, self.endpoint.host.encode(), self.endpoint.port, self.headers, rest))
            reply = await read_reply(reader)
        except BaseException as error:  # also on a timeout: the late response would be read as the next one's
            self.close()
            if not reused or not isinstance(error, ConnectionClosed):
                raise
            self.reconnected += 1
            return await self._request(start, rest)
        if reply.headers.get("connection", "").lower() == "close":
            self.close()
        return reply

    def close(self) -> None:
        """Close the connection; the next request opens it again."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


async def read_reply(reader: asyncio.StreamReader, *, bodiless: bool = False) -> Reply:
    """Read one response.

    Args:
        reader: the stream.
        bodiless: the response to HEAD, which has no body whatever its headers say.

    Raises:
        BrokenResponse: it is incomplete, or not HTTP.
    """
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as end:
        raise (BrokenResponse if end.partial else ConnectionClosed)("closed before the response") from None
    except asyncio.LimitOverrunError:
        raise BrokenResponse("the headers do not end") from None
    except ConnectionError as error:
        raise ConnectionClosed(str(error)) from None
    status_line, *lines = head[:-4].decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    try:
        status = int(status_line.split(" ", 2)[1])
        body = b"" if bodiless or status < 200 or status in (204, 304) else await _body(reader, headers)
    except (ValueError, IndexError, asyncio.IncompleteReadError, ConnectionError) as error:
        raise BrokenResponse(f"the response is incomplete or not HTTP: {error}") from None
    return Reply(status, headers, body, head)


async def _body(reader: asyncio.StreamReader, headers: dict[str, str]) -> bytes:
    if headers.get("transfer-encoding", "").lower() == "chunked":
        parts = []
        while size := int(await reader.readuntil(b"\r\n"), 16):
            parts.append(await reader.readexactly(size))
            await reader.readexactly(2)
        await reader.readuntil(b"\r\n")
        return b"".join(parts)
    if "content-length" in headers:
        return await reader.readexactly(int(headers["content-length"]))
    return await reader.read()
