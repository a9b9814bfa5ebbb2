"""How the explorer is served: every setting of the environment, checked before anything starts."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, ValidationError

GRACE = 8  # seconds for which a worker may answer after a stop: 4 in the queue, 2 of work
# One source of the frame-ancestors directive: *, 'self', 'none', a scheme, or a host with what may stand around it.
ANCESTOR = re.compile(r"\*|'self'|'none'|[a-z][a-z0-9+.-]*:|([a-z][a-z0-9+.-]*://)?[a-z0-9*.-]+(:(\d+|\*))?(/[\w./~%-]*)?", re.ASCII | re.I)
SEGMENT = r"(?:[\w.~@:+,=-]|%[0-9A-Fa-f]{2})+"
PREFIX = re.compile(f"/?({SEGMENT}/)*({SEGMENT})?", re.ASCII)
ADDRESS = re.compile(rf"https?://([\w.-]+|\[[\da-f:]+\])(:\d+)?(/({SEGMENT}/)*({SEGMENT})?)?", re.ASCII | re.I)


class SettingError(ValueError):
    """A setting that nobody can serve with; the message is one line that names it."""


def _setting(name: str, default: object, expected: str, **bounds: Any) -> Any:
    return Field(default, validation_alias=name, description=expected, **bounds)


def _number(name: str, default: int, low: int, high: int) -> Any:
    return _setting(name, default, f"a number from {low} to {high}", ge=low, le=high)


def _is_right(right: bool) -> None:
    if not right:
        raise ValueError


def _prefix(text: str) -> str:
    _is_right(bool(PREFIX.fullmatch(text)))
    return f"/{text.strip('/')}/".replace("//", "/")


def _public_url(text: str) -> str:
    _is_right(not text or bool(ADDRESS.fullmatch(text)))
    return f"{text.rstrip('/')}/" if text else ""


def _frame_ancestors(text: str) -> str:
    # it goes into a header as it is: a semicolon would begin another directive, a line's end another header
    _is_right(text.isascii() and text.isprintable() and bool(text.split()) and all(map(ANCESTOR.fullmatch, text.split())))
    return " ".join(text.split())


Switch = Annotated[bool, BeforeValidator(lambda text: text or False)]
Level = Annotated[Literal["debug", "info", "warning", "error", "critical"], BeforeValidator(str.lower)]


class ServerSettings(BaseModel, frozen=True, populate_by_name=True):
    """What the environment says about how to serve; each setting by its name there."""

    # with an empty one uvicorn would serve everyone
    host: str = _setting("HOST", "127.0.0.1", "an address such as 127.0.0.1 or 0.0.0.0", pattern=r"\S")
    port: int = _number("PORT", 8050, 1, 65535)
    workers: int = _number("WORKERS", 2, 1, 256)  # processes
    queue: int = _number("QUEUE", 128, 1, 4096)  # questions that may wait in each worker, for each of its two pools
    cache: int = _number("CACHE_MB", 32, 0, 4096)  # megabytes of answers that each worker keeps in memory
    # the path under which the browser sees the page, with a slash at both ends
    prefix: Annotated[str, AfterValidator(_prefix)] = _setting("URL_PREFIX", "/", "a path such as /explorer/")
    # where others open the page; empty where that is to be found out
    public_url: Annotated[str, AfterValidator(_public_url)] = _setting("PUBLIC_URL", "", "an address such as http://192.168.1.5:8050/")
    # who may embed the page, as in the Content-Security-Policy directive of that name
    frame_ancestors: Annotated[str, AfterValidator(_frame_ancestors)] = _setting("FRAME_ANCESTORS", "*", "sources such as 'self' https://lms.example")
    log_level: Level = _setting("LOG_LEVEL", "warning", "debug, info, warning, error or critical")  # the least that is logged
    access_log: Switch = _setting("ACCESS_LOG", False, "1 or 0")  # whether every request gets a line in the log
    metrics: Switch = _setting("METRICS", False, "1 or 0")  # whether ``/metrics`` answers
    trusted_proxies: int = _number("TRUSTED_PROXIES", 0, 0, 9)  # in front, whose ``X-Forwarded-For`` and ``-Host`` are believed

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Self:
        """The settings of an environment; what is not in it keeps its default.

        Raises:
            SettingError: naming the first setting that is wrong.
        """
        try:
            return cls.model_validate(dict(environment), by_alias=True, by_name=False)
        except ValidationError as wrong:
            name, text = wrong.errors()[0]["loc"][0], wrong.errors()[0]["input"]
            expected = next(field.description for field in cls.model_fields.values() if field.validation_alias == name)
            raise SettingError(f"{name} must be {expected}, not {text!r}.") from None
