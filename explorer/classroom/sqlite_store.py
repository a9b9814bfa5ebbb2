"""Rooms of one machine, in one SQLite file that all its workers share. A worker that dies takes nothing with it."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from explorer.classroom.store import NOTHING, TTL, Change, Conflict, NoRoom, Part, StoreAway

FILE = "rooms.sqlite"
LOOKS = 1 / 20  # seconds between two looks at what other workers wrote
IDLE = 60.0  # the same, while there is no room
BUSY = 1.5  # seconds to wait for another worker's write
# A room that is opened again under the same code has another id.
TABLES = """
CREATE TABLE IF NOT EXISTS room (id INTEGER PRIMARY KEY AUTOINCREMENT, code TEXT UNIQUE NOT NULL, version INTEGER NOT NULL, ends REAL NOT NULL);
CREATE TABLE IF NOT EXISTS part (room INTEGER, name TEXT, version INTEGER NOT NULL, content BLOB, PRIMARY KEY (room, name)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS newer ON part (room, version);
"""
Result = TypeVar("Result")


class SqliteStore:
    """Rooms in a file of ``folder``, which nobody else may read. Its one connection lives in one thread, so the event loop never waits."""

    def __init__(self, folder: str | Path, ttl: float = TTL) -> None:
        self._file = Path(folder) / FILE
        self._ttl = ttl
        self._thread = ThreadPoolExecutor(1, "rooms")
        self._opened: sqlite3.Connection | None = None
        self._known: dict[str, tuple[int, int, float]] = {}  # code: id, version, end; as this worker knows them (in the thread)
        self._seen: int | None = None  # PRAGMA data_version at the last look (in the thread)
        self._away = False
        self._watcher: asyncio.Task[None] | None = None

    async def start(self, changed: Callable[[str], None], away: Callable[[bool], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._changed, self._tell_away = changed, away
        self._used = asyncio.Event()
        await self._run(self._connection)
        self._watcher = asyncio.create_task(self._watch())

    async def stop(self) -> None:
        if self._watcher:
            self._watcher.cancel()
            await asyncio.wait([self._watcher])
            self._watcher = None
        with suppress(StoreAway):
            await self._run(self._disconnect)
        self._thread.shutdown(wait=False)

    async def open(self, code: str, parts: Mapping[str, bytes]) -> bool:
        return await self._run(lambda: self._open(code, parts))

    async def read(self, code: str, since: int = 0) -> Change:
        return await self._run(lambda: self._read(code, since))

    async def write(self, code: str, parts: Mapping[str, bytes | None], expected: Mapping[str, int] = NOTHING, *, action: bool = True) -> int:
        return await self._run(lambda: self._write(code, parts, expected, action))

    async def close(self, code: str) -> None:
        await self._run(lambda: self._close(code))

    async def _run(self, work: Callable[[], Result]) -> Result:
        """The result of ``work`` in the thread. ``StoreAway`` if SQLite cannot do it: a full disk, a file that is gone or locked."""
        try:
            result = await self._loop.run_in_executor(self._thread, work)
        except sqlite3.Error as error:
            self._set_away(True)
            raise StoreAway(str(error)) from error
        except RuntimeError as error:  # stopped
            raise StoreAway(str(error)) from error
        except (NoRoom, Conflict):
            self._set_away(False)
            raise
        self._set_away(False)
        self._used.set()
        return result

    def _set_away(self, away: bool) -> None:
        if away != self._away:
            self._away = away
            self._tell_away(away)

    async def _watch(self) -> None:
        while True:
            self._used.clear()
            try:
                rooms = await self._loop.run_in_executor(self._thread, self._look)
                self._set_away(False)
            except sqlite3.Error:
                self._set_away(True)
                rooms = True
            if rooms:
                await asyncio.sleep(LOOKS)
            else:
                with suppress(TimeoutError):  # not wait_for, which forgets a cancellation that comes with the event
                    async with asyncio.timeout(IDLE):
                        await self._used.wait()

    # All below runs in the thread.

    def _tell(self, code: str) -> None:
        # From the thread, because whoever waits for the write may be cancelled.
        self._loop.call_soon_threadsafe(self._changed, code)

    def _connection(self) -> sqlite3.Connection:
        if self._opened is None:
            os.close(os.open(self._file, os.O_CREAT | os.O_RDWR, 0o600))
            until = time.monotonic() + BUSY
            while True:
                connection = sqlite3.connect(self._file, timeout=BUSY, isolation_level=None)
                try:
                    connection.execute("PRAGMA journal_mode = WAL")
                    connection.execute("PRAGMA synchronous = OFF")  # the file lives no longer than the server
                    connection.execute("PRAGMA secure_delete = ON")
                    connection.executescript(TABLES)
                    break
                except sqlite3.OperationalError:  # workers that begin together; SQLite does not wait for this lock by itself
                    connection.close()
                    if time.monotonic() > until:
                        raise
                    time.sleep(0.02)
            self._opened = connection
        return self._opened

    def _disconnect(self) -> None:
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    @contextmanager
    def _transaction(self, kind: str) -> Iterator[sqlite3.Connection]:
        connection = self._connection()
        connection.execute(f"BEGIN {kind}")
        try:
            yield connection
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise

    def _open(self, code: str, parts: Mapping[str, bytes]) -> bool:
        now = time.time()
        with self._transaction("IMMEDIATE") as connection:
            if _room(connection, code, now):
                return False
            _erase(connection, "code = ?", code)  # one that has expired
            room = connection.execute("INSERT INTO room (code, version, ends) VALUES (?, 1, ?)", (code, now + self._ttl)).lastrowid
            assert room is not None
            connection.executemany("INSERT INTO part VALUES (?, ?, 1, ?)", [(room, name, content) for name, content in parts.items()])
        self._known[code] = (room, 1, now + self._ttl)
        self._tell(code)
        return True

    def _read(self, code: str, since: int) -> Change:
        with self._transaction("DEFERRED") as connection:
            found = _room(connection, code, time.time())
            if not found:
                raise NoRoom(code)
            room, version, _ = found
            rows = connection.execute("SELECT name, version, content FROM part WHERE room = ? AND version > ?", (room, since)).fetchall()
        self._known.setdefault(code, found)  # it may be gone again before the watcher looks for the first time
        return Change(version, {name: Part(written, content) for name, written, content in rows})

    def _write(self, code: str, parts: Mapping[str, bytes | None], expected: Mapping[str, int], action: bool) -> int:
        now = time.time()
        with self._transaction("IMMEDIATE") as connection:
            found = _room(connection, code, now)
            if not found:
                raise NoRoom(code)
            room, version, ends = found
            for name, wanted in expected.items():
                row = connection.execute("SELECT version FROM part WHERE room = ? AND name = ?", (room, name)).fetchone()
                if (row[0] if row else 0) != wanted:
                    raise Conflict(name)
            version += 1
            ends = now + self._ttl if action else ends
            connection.execute("UPDATE room SET version = ?, ends = ? WHERE id = ?", (version, ends, room))
            rows = [(room, name, version, content) for name, content in parts.items()]
            connection.executemany("REPLACE INTO part VALUES (?, ?, ?, ?)", rows)
        self._known[code] = (room, version, ends)
        self._tell(code)
        return version

    def _close(self, code: str) -> None:
        with self._transaction("IMMEDIATE") as connection:
            _erase(connection, "code = ?", code)
        self._forget_pages()
        self._known.pop(code, None)
        self._tell(code)

    def _look(self) -> bool:
        """Tell what other workers wrote since the last look, and erase what has expired. False: there is no room."""
        connection = self._connection()
        now = time.time()
        seen = connection.execute("PRAGMA data_version").fetchone()[0]
        expired = any(ends <= now for _, _, ends in self._known.values())
        if seen != self._seen or expired or not self._known:
            known = _rooms(connection)
            if any(ends <= now for _, _, ends in known.values()):
                with self._transaction("IMMEDIATE"):
                    _erase(connection, "ends <= ?", now)
                    known = _rooms(connection)
                self._forget_pages()
            for code in self._known.keys() | known.keys():
                if self._known.get(code, ())[:2] != known.get(code, ())[:2]:
                    self._tell(code)
            self._known, self._seen = known, seen
        return bool(self._known)

    def _forget_pages(self) -> None:
        """Take what was erased out of the write-ahead log too."""
        with closing(self._connection().execute("PRAGMA wal_checkpoint(TRUNCATE)")) as answer:
            answer.fetchall()


def _room(connection: sqlite3.Connection, code: str, now: float) -> tuple[int, int, float] | None:
    """Id, version and end of a room that has not expired."""
    row: tuple[int, int, float] | None = connection.execute("SELECT id, version, ends FROM room WHERE code = ? AND ends > ?", (code, now)).fetchone()
    return row


def _rooms(connection: sqlite3.Connection) -> dict[str, tuple[int, int, float]]:
    return {code: (room, version, ends) for code, room, version, ends in connection.execute("SELECT code, id, version, ends FROM room")}


def _erase(connection: sqlite3.Connection, where: str, value: str | float) -> None:
    connection.execute(f"DELETE FROM part WHERE room IN (SELECT id FROM room WHERE {where})", (value,))
    connection.execute(f"DELETE FROM room WHERE {where}", (value,))
