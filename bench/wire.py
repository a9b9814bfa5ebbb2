"""A small HTTP/1.1 client on asyncio's streams: one kept-alive connection, as light as a generator of load has to be.

It takes less than half of the processor's time that aiohttp does, and shares its two cores with the server it measures.
"""

from __future__ import annotations

import asyncio
import contextlib
import zlib
from dataclasses import dataclass
from urllib.parse import urlsplit

LONGEST_HEAD = 64 * 1024


class Broken(OSError):
    """The connection ended before the whole answer was there, or what came is not HTTP."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a server is: its host and port, and the prefix its page lives under, with a slash at both ends."""

    host: str
    port: int
    prefix: str = "/"

    @classmethod
    def of(cls, url: str) -> Place:
        """From an address such as ``http://127.0.0.1:8050/explorer/``."""
        parts = urlsplit(url)
        return cls(parts.hostname or "127.0.0.1", parts.port or 80, f"/{parts.path.strip('/')}/".replace("//", "/"))


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer: its status, its header lines by lower-case name and as they came, and its body as it came."""

    status: int
    headers: dict[str, str]
    raw: bytes
    head: bytes = b""

    @property
    def body(self) -> bytes:
        """The body, unfolded if it came as gzip.

        Raises:
            Broken: it is no gzip, although it says so.
        """
        if self.headers.get("content-encoding") != "gzip" or not self.raw:
            return self.raw
        with contextlib.suppress(zlib.error):
            return zlib.decompress(self.raw, wbits=31)
        raise Broken("the answer is no gzip")


@dataclass(slots=True)
class Connection:
    """One connection, opened when it is needed and again when the server has closed it meanwhile, as browsers do."""

    place: Place
    reconnected: int = 0
    _streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
    _fresh: bool = True

    async def open(self) -> None:
        """Connect and ask nothing, as browsers do with connections that they may need."""
        self._streams = await asyncio.open_connection(self.place.host, self.place.port, limit=LONGEST_HEAD)
        self._fresh = True

    async def get(self, path: str) -> Reply:
        """Fetch an address."""
        return await self.ask(b"GET", path)

    async def post(self, path: str, body: bytes) -> Reply:
        """Send JSON."""
        return await self.ask(b"POST", path, b"Content-Type: application/json\r\nAccept: application/json\r\n", body)

    async def ask(self, method: bytes, path: str, headers: bytes = b"", body: bytes = b"") -> Reply:
        """Send a request and read the answer.

        Raises:
            OSError: no connection, or it broke. One that was kept alive and turns out to be closed is opened again first.
        """
        length = b"Content-Length: %d\r\n" % len(body) if body or method == b"POST" else b""
        head = b"%b %b HTTP/1.1\r\nHost: %b:%d\r\nAccept-Encoding: gzip\r\n%b%b\r\n" % (
            method, path.encode(), self.place.host.encode(), self.place.port, headers, length,
        )  # fmt: skip
        try:
            return await self._send(head + body)
        except _Stale:
            self.close()
            self.reconnected += 1
        try:
            return await self._send(head + body)
        except _Stale as broken:
            raise Broken(str(broken)) from None

    async def _send(self, request: bytes) -> Reply:
        try:
            if self._streams is None:
                await self.open()
            assert self._streams is not None
            reader, writer = self._streams
            writer.write(request)
            reply = await read_reply(reader, stale=not self._fresh)
        except BaseException:  # also when the question is given up: what may still come would answer the next one
            self.close()
            raise
        self._fresh = False
        if reply.headers.get("connection", "").lower() == "close":
            self.close()
        return reply

    def close(self) -> None:
        """Hang up; the next request opens it anew."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


class _Stale(Broken):
    """A kept-alive connection was closed before it answered anything."""


async def read_reply(reader: asyncio.StreamReader, *, stale: bool = False, bodiless: bool = False) -> Reply:
    """Read one answer.

    Args:
        reader: where it comes from.
        stale: whether an end before the first byte means no more than a connection that was kept for too long.
        bodiless: the answer to HEAD, which has none whatever its headers say.

    Raises:
        Broken: it is not whole, or not HTTP.
    """
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as end:
        raise _Stale("closed before the answer") if stale and not end.partial else Broken("closed before the answer") from None
    except asyncio.LimitOverrunError:
        raise Broken("the headers do not end") from None
    except ConnectionError as gone:
        raise _Stale(str(gone)) if stale else Broken(str(gone)) from None
    status_line, *lines = head[:-4].decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    try:
        status = int(status_line.split(" ", 2)[1])
        body = b"" if bodiless or status < 200 or status in (204, 304) else await _body(reader, headers)
    except (ValueError, IndexError, asyncio.IncompleteReadError, ConnectionError) as wrong:
        raise Broken(f"the answer is cut short or no HTTP: {wrong}") from None
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

