"""Puts the parts of rooms together for one worker."""

from __future__ import annotations

import html
import multiprocessing
import os
import re
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from starlette.routing import Route

from explorer.classroom.challenges import Scored
from explorer.classroom.hub import Hub
from explorer.classroom.redis_store import RedisStore
from explorer.classroom.routes import room_routes
from explorer.classroom.sharing import Ask
from explorer.classroom.sqlite_store import SqliteStore
from explorer.classroom.store import Store
from explorer.classroom.taking_part import TakingPart
from explorer.classroom.teaching import Question, Teaching
from explorer.labs.lab import Lab
from explorer.lessons.lesson import Lesson
from explorer.server.compute import CLIENT, Compute
from explorer.server.metrics import EXPLANATION
from explorer.server.settings import ServerSettings
from explorer.state import Zoo

FOLDER = "ROOMS_FOLDER"  # set by ``app.main`` for all workers; erased at the end


def classroom(
    settings: ServerSettings, zoo: Zoo, ask: Ask, compute: Compute, question: Question
) -> tuple[list[Route], Callable[[], AbstractAsyncContextManager[None]]]:
    """The routes of rooms, and what they need for as long as the worker serves.

    Args:
        ask: answers a question of a page.
        question: what a step of a lesson, or a lab, asks for; see ``questions``.
    """
    own = None if settings.redis_url or os.environ.get(FOLDER) else tempfile.TemporaryDirectory(prefix="explorer-rooms-")
    store: Store = RedisStore(settings.redis_url) if settings.redis_url else SqliteStore(own.name if own else os.environ[FOLDER])
    hub = Hub(store, compute.pools[EXPLANATION].has_waiting)

    async def scored(work: Callable[[], Scored], client: str) -> Scored:
        CLIENT.set(client)
        return await compute.pools[EXPLANATION].run(work, client)

    @asynccontextmanager
    async def running() -> AsyncIterator[None]:
        try:
            async with hub.running():
                yield
        finally:
            if own:
                own.cleanup()
            elif (parent := multiprocessing.parent_process()) and not parent.is_alive() and not settings.redis_url:
                shutil.rmtree(os.environ[FOLDER], ignore_errors=True)  # the parent was killed, and erases nothing

    teaching = Teaching(hub, zoo, ask, question)
    return room_routes(hub, teaching, TakingPart(hub, zoo, ask, question, scored), compute.metrics.listening, settings.trusted_proxies), running


def questions(lessons: Mapping[str, Lesson], labs: Mapping[str, Lab]) -> Question:
    """What a key asks for: title, choices and number of pixels of a lesson's step or of a lab; None for what there is not."""

    def question(key: str) -> dict[str, Any] | None:
        match key.split("/"):
            case ["lesson", name, number] if name in lessons and int(number) <= len(lessons[name].steps):
                step = lessons[name].steps[int(number) - 1]
                choices = [plain(choice.text) for choice in step.choices] or None
                return {"title": plain(step.predict) or step.title, "choices": choices, "pixels": step.mark.pixels if step.mark else None}
            case ["lab", name] if name in labs:
                return {"title": labs[name].prediction, "choices": list(labs[name].choices), "pixels": None}
        return None

    return question


def plain(text: str) -> str:
    """A lesson's HTML, which was made of Markdown, as plain text."""
    return html.unescape(re.sub("<[^>]*>", "", text)).strip()
