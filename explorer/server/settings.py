"""How the explorer is served: every setting of the environment, checked before anything starts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

GRACE = 8  # seconds for which a worker may answer after a stop: 4 in the queue, 2 of work
LOG_LEVELS = ("debug", "info", "warning", "error", "critical")
# One source of the frame-ancestors directive: *, 'self', 'none', a scheme, or a host with what may stand around it.
ANCESTOR = re.compile(r"\*|'self'|'none'|[a-z][a-z0-9+.-]*:|([a-z][a-z0-9+.-]*://)?[a-z0-9*.-]+(:(\d+|\*))?(/[\w./~%-]*)?", re.ASCII | re.I)
SEGMENT = r"(?:[\w.~@:+,=-]|%[0-9A-Fa-f]{2})+"
PREFIX = re.compile(f"/?({SEGMENT}/)*({SEGMENT})?", re.ASCII)
ADDRESS = re.compile(rf"https?://([\w.-]+|\[[\da-f:]+\])(:\d+)?(/({SEGMENT}/)*({SEGMENT})?)?", re.ASCII | re.I)


class SettingError(ValueError):
    """A setting that nobody can serve with; the message is one line that names it."""


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """What the environment says about how to serve."""

    host: str = "127.0.0.1"
    port: int = 8050
    workers: int = 2  # processes
    queue: int = 128  # questions that may wait in each worker, for each of its two pools
    cache: int = 32  # megabytes of answers that each worker keeps in memory
    prefix: str = "/"  # the path under which the browser sees the page, with a slash at both ends
    public_url: str = ""  # where others open the page; empty where that is to be found out
    frame_ancestors: str = "*"  # who may embed the page, as in the Content-Security-Policy directive of that name
    log_level: str = "warning"  # the least that is logged, one of ``LOG_LEVELS``
    access_log: bool = False  # whether every request gets a line in the log
    metrics: bool = False  # whether ``/metrics`` answers
    trusted_proxies: int = 0  # how many proxies stand in front whose ``X-Forwarded-For`` and ``-Host`` are believed

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> ServerSettings:
        """The settings of an environment; what is not in it keeps its default.

        Raises:
            SettingError: naming the first setting that is wrong.
        """
        usual = cls()
        return cls(
            host=_host(environment.get("HOST", usual.host)),
            port=_whole(environment, "PORT", usual.port, 1, 65535),
            workers=_whole(environment, "WORKERS", usual.workers, 1, 256),
            queue=_whole(environment, "QUEUE", usual.queue, 1, 4096),
            cache=_whole(environment, "CACHE_MB", usual.cache, 0, 4096),
            prefix=_prefix(environment.get("URL_PREFIX", usual.prefix)),
            public_url=_public_url(environment.get("PUBLIC_URL", usual.public_url)),
            frame_ancestors=_frame_ancestors(environment.get("FRAME_ANCESTORS", usual.frame_ancestors)),
            log_level=_log_level(environment.get("LOG_LEVEL", usual.log_level)),
            access_log=_switch(environment, "ACCESS_LOG"),
            metrics=_switch(environment, "METRICS"),
            trusted_proxies=_whole(environment, "TRUSTED_PROXIES", usual.trusted_proxies, 0, 9),
        )


def _whole(environment: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    text = environment.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) < 10) or not low <= int(text) <= high:
        raise SettingError(f"{name} must be a number from {low} to {high}, not {text!r}.")
    return int(text)


def _switch(environment: Mapping[str, str], name: str) -> bool:
    text = environment.get(name, "0")
    if text not in ("0", "1", ""):
        raise SettingError(f"{name} must be 1 or 0, not {text!r}.")
    return text == "1"


def _prefix(text: str) -> str:
    if not PREFIX.fullmatch(text):
        raise SettingError(f"URL_PREFIX must be a path such as /explorer/, not {text!r}.")
    path = text.strip("/")
    return f"/{path}/" if path else "/"


def _host(text: str) -> str:
    if not text.strip():  # uvicorn would serve everyone
        raise SettingError(f"HOST must be an address such as 127.0.0.1 or 0.0.0.0, not {text!r}.")
    return text


def _public_url(text: str) -> str:
    if text and not ADDRESS.fullmatch(text):
        raise SettingError(f"PUBLIC_URL must be an address such as http://192.168.1.5:8050/, not {text!r}.")
    return f"{text.rstrip('/')}/" if text else ""


def _frame_ancestors(text: str) -> str:
    # it goes into a header as it is: a semicolon would begin another directive, a line's end another header
    if not text.isascii() or not text.isprintable() or not (text.split() and all(map(ANCESTOR.fullmatch, text.split()))):
        raise SettingError(f"FRAME_ANCESTORS must be sources such as 'self' https://lms.example, not {text!r}.")
    return " ".join(text.split())


def _log_level(text: str) -> str:
    if text.lower() not in LOG_LEVELS:
        raise SettingError(f"LOG_LEVEL must be one of {', '.join(LOG_LEVELS)}, not {text!r}.")
    return text.lower()
