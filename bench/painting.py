"""A class of simulated students that paints in a process of its own, so that its measured strokes wait for nothing else that a program does."""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from multiprocessing.connection import Connection as Pipe

from bench.answers import KnownAnswers
from bench.bodies import sessions
from bench.load import OPEN_TIMEOUT, record_answers
from bench.students import Log, classroom
from bench.wire import Endpoint


@asynccontextmanager
async def painting(endpoint: Endpoint, students: int) -> AsyncIterator[tuple[Log, int]]:
    """A class that has opened the page, and paints while the block lasts: its log, which is complete after the block, and its process."""
    spawn, log = multiprocessing.get_context("spawn"), Log()
    pipe, other = spawn.Pipe()
    process = spawn.Process(target=_paint, args=(other, endpoint, students), daemon=True)
    process.start()
    other.close()
    try:
        await asyncio.to_thread(pipe.recv)
        yield log, process.pid or 0
        pipe.send("leave")
        seen: Log = await asyncio.to_thread(pipe.recv)
        log.waits, log.counts, log.errors = seen.waits, seen.counts, seen.errors
        await asyncio.to_thread(process.join)
    finally:
        process.kill()


def _paint(pipe: Pipe, endpoint: Endpoint, students: int) -> None:
    asyncio.run(_until_told(pipe, endpoint, students))


async def _until_told(pipe: Pipe, endpoint: Endpoint, students: int) -> None:
    visits, known, log = sessions(), KnownAnswers(), Log()
    await record_answers(endpoint, visits, known)
    async with classroom(endpoint, students, ramp=10, seed=1, sessions=visits, known=known, log=log) as pages:
        await asyncio.wait([asyncio.create_task(page.opened.wait()) for page in pages], timeout=OPEN_TIMEOUT)
        pipe.send("all have opened the page")
        await asyncio.to_thread(pipe.recv)
    pipe.send(log)
