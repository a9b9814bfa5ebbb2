"""Every request is counted and, if wanted, logged: outside all else, so that nothing that answers is left out."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from explorer.logs import ACCESS, fields
from explorer.page.metrics import Counts

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

CALLBACK = "explorer.callback"  # in a request's environ: which callback it asks, once that is known
LONGEST_PATH = 200
log = logging.getLogger(ACCESS)


class Account:
    """A WSGI application that takes note of what another one answers.

    Args:
        application: what answers.
        counts: where to count.
        logged: whether every request gets a line in the log, at level info.
    """

    def __init__(self, application: WSGIApplication, counts: Counts, *, logged: bool) -> None:
        self.application, self.counts, self.logged = application, counts, logged

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request, and take note of it."""
        begin = time.monotonic()
        answered: dict[str, Any] = {"status": 500, "bytes": None}

        def start(status: str, headers: list[tuple[str, str]], *error: Any) -> Any:
            answered["status"] = int(status[:3])
            answered["bytes"] = next((int(value) for name, value in headers if name.lower() == "content-length"), None)
            return start_response(status, headers, *error)

        self.counts.came()
        try:
            return self.application(environ, start)
        finally:
            seconds = time.monotonic() - begin
            self.counts.answered(environ.get(CALLBACK), answered["status"], seconds)
            if self.logged:
                self._log(environ, milliseconds=round(1000 * seconds, 1), **answered)

    def _log(self, environ: WSGIEnvironment, **answered: object) -> None:
        # never the query: a link holds what somebody painted
        path = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
        asked = {"method": environ.get("REQUEST_METHOD"), "path": path[:LONGEST_PATH], "callback": environ.get(CALLBACK)}
        log.info("request", extra=fields(**asked, **answered))
