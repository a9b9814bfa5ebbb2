"""Rooms of one machine, in an SQLite file that all its workers share; each sees by ``PRAGMA data_version`` that another one wrote."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path
from typing import TypeVar

from explorer.classroom.store import NOTHING, TTL, Change, Conflict, NoRoom, Part, StoreAway

LOOK_EVERY = 0.05  # seconds between two looks at whether another worker wrote
SWEEP_EVERY = 60.0  # … at whether rooms have expired
BUSY = 5.0  # seconds to wait for another worker's write
SCHEMA = """
PRAGMA journal_mode = WAL;
CREATE TABLE IF NOT EXISTS rooms (code TEXT PRIMARY KEY, version INTEGER NOT NULL, expires REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS parts (code TEXT, name TEXT, version INTEGER NOT NULL, content BLOB, PRIMARY KEY (code, name)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS newer ON parts (code, version);
"""
Result = TypeVar("Result")


class SqliteStore:
    """One connection, used by one thread, so that nothing blocks the event loop.

    Args:
        folder: that only this server may read; it is erased at the end, so nothing is ever synchronised to the disk.
        ttl: seconds that a room is kept after its last action.
    """

    def __init__(self, folder: str | Path, ttl: float = TTL) -> None:
        self._path, self._ttl = Path(folder) / "rooms.sqlite3", ttl
        self._thread = ThreadPoolExecutor(1, "rooms")
        self._database: sqlite3.Connection | None = None
        self._watching: asyncio.Task[None] | None = None
        self._changed: Callable[[str], None] = lambda _: None
        self._versions: dict[str, int] = {}  # of each room, as last told
        self._swept = 0.0

    async def start(self, changed: Callable[[str], None], away: Callable[[bool], None]) -> None:
        """See ``Store``; a file of this machine is never away."""
        self._changed = changed
        await self._run(lambda _: None)
        self._watching = asyncio.create_task(self._watch())

    async def stop(self) -> None:
        """See ``Store``."""
        if self._watching:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)
        if self._database:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._database.close)
        self._thread.shutdown()

    async def open(self, code: str, parts: Mapping[str, bytes]) -> bool:
        """See ``Store``."""

        def work(database: sqlite3.Connection) -> bool:
            _erase_expired(database)
            try:
                database.execute("INSERT INTO rooms VALUES (?, 1, ?)", (code, time.time() + self._ttl))
            except sqlite3.IntegrityError:
                return False
            database.executemany("INSERT INTO parts VALUES (?, ?, 1, ?)", [(code, name, content) for name, content in parts.items()])
            return True

        return await self._run(work, write=True)

    async def read(self, code: str, since: int = 0) -> Change:
        """See ``Store``."""

        def work(database: sqlite3.Connection) -> Change:
            version = _version(database, code)
            rows = database.execute("SELECT name, version, content FROM parts WHERE code = ? AND version > ?", (code, since))
            return Change(version, {name: Part(of, content) for name, of, content in rows})

        change = await self._run(work)
        self._versions.setdefault(code, change.version)  # it may be gone before the watcher has seen it at all
        return change

    async def write(self, code: str, parts: Mapping[str, bytes | None], expected: Mapping[str, int] = NOTHING, *, action: bool = True) -> int:
        """See ``Store``."""

        def work(database: sqlite3.Connection) -> int:
            version = _version(database, code) + 1
            for name, of in expected.items():
                row = database.execute("SELECT version FROM parts WHERE code = ? AND name = ?", (code, name)).fetchone()
                if (row[0] if row else 0) != of:
                    raise Conflict
            database.execute("UPDATE rooms SET version = ?, expires = CASE WHEN ? THEN ? ELSE expires END WHERE code = ?", (version, action, time.time() + self._ttl, code))
            database.executemany("REPLACE INTO parts VALUES (?, ?, ?, ?)", [(code, name, version, content) for name, content in parts.items()])
            return version

        return await self._run(work, write=True)

    async def close(self, code: str) -> None:
        """See ``Store``."""
        await self._run(lambda database: _erase(database, code), write=True)
        self._changed(code)

    async def _run(self, work: Callable[[sqlite3.Connection], Result], *, write: bool = False) -> Result:
        """A transaction, in the thread of the connection."""

        def transaction() -> Result:
            if self._database is None:
                self._database = self._connect()
            self._database.execute("BEGIN IMMEDIATE" if write else "BEGIN")
            try:
                done = work(self._database)
                self._database.execute("COMMIT")
                return done
            except BaseException:
                with suppress(sqlite3.Error):
                    self._database.execute("ROLLBACK")
                raise

        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, transaction)
        except sqlite3.Error as error:  # a full disk, or a writer that was stopped in the middle
            raise StoreAway from error

    def _connect(self) -> sqlite3.Connection:
        database = sqlite3.connect(self._path, timeout=BUSY, isolation_level=None, check_same_thread=False)
        database.execute("PRAGMA synchronous = OFF")
        database.execute("PRAGMA secure_delete = ON")
        database.executescript(SCHEMA)
        return database

    # ---- watching

    async def _watch(self) -> None:
        seen = None
        while True:
            with suppress(StoreAway):
                if time.monotonic() - self._swept > min(SWEEP_EVERY, self._ttl / 4):
                    self._swept = time.monotonic()
                    await self._run(_erase_expired, write=True)
                    seen = None  # it may have erased rooms of its own
                now = await self._look()
                if now != seen:
                    seen = now
                    self._tell(await self._run(_versions))
            await asyncio.sleep(LOOK_EVERY)

    async def _look(self) -> int:
        def look() -> int:
            assert self._database is not None
            with closing(self._database.execute("PRAGMA data_version")) as rows:
                return int(rows.fetchone()[0])

        return await asyncio.get_running_loop().run_in_executor(self._thread, look)

    def _tell(self, versions: dict[str, int]) -> None:
        before, self._versions = self._versions, versions
        for code in before.keys() | versions.keys():
            if before.get(code) != versions.get(code):
                self._changed(code)


def _version(database: sqlite3.Connection, code: str) -> int:
    row = database.execute("SELECT version FROM rooms WHERE code = ? AND expires > ?", (code, time.time())).fetchone()
    if row is None:
        raise NoRoom
    return int(row[0])


def _versions(database: sqlite3.Connection) -> dict[str, int]:
    return dict(database.execute("SELECT code, version FROM rooms"))


def _erase(database: sqlite3.Connection, code: str) -> None:
    database.execute("DELETE FROM parts WHERE code = ?", (code,))
    database.execute("DELETE FROM rooms WHERE code = ?", (code,))


def _erase_expired(database: sqlite3.Connection) -> None:
    for (code,) in database.execute("SELECT code FROM rooms WHERE expires <= ?", (time.time(),)).fetchall():
        _erase(database, code)
