"""The server's settings: environment variables, validated at the start. The table for users: docs/deploy.md."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, ValidationError

GRACE = 8  # seconds for a graceful shutdown of a worker: 4 in the queue, 2 of work, and a reserve
# One source of the frame-ancestors directive: *, 'self', 'none', a scheme, or a host with scheme, port and path.
ANCESTOR = re.compile(r"\*|'self'|'none'|[a-z][a-z0-9+.-]*:|([a-z][a-z0-9+.-]*://)?[a-z0-9*.-]+(:(\d+|\*))?(/[\w./~%-]*)?", re.ASCII | re.I)
SEGMENT = r"(?:[\w.~@:+,=-]|%[0-9A-Fa-f]{2})+"
PREFIX = re.compile(f"/?({SEGMENT}/)*({SEGMENT})?", re.ASCII)
ORIGIN = re.compile(r"https?://([\w.-]+|\[[\da-f:]+\])(:\d+)?", re.ASCII | re.I)
REDIS = re.compile(r"(rediss?|unix)://\S+", re.ASCII)
ADDRESS = re.compile(rf"https?://([\w.-]+|\[[\da-f:]+\])(:\d+)?(/({SEGMENT}/)*({SEGMENT})?)?", re.ASCII | re.I)


class SettingError(ValueError):
    """An invalid setting; the message is one line that names it."""


def _setting(name: str, default: object, expected: str, **bounds: Any) -> Any:
    return Field(default, validation_alias=name, description=expected, **bounds)


def _number(name: str, default: int, low: int, high: int) -> Any:
    return _setting(name, default, f"a number from {low} to {high}", ge=low, le=high)


def _require(valid: bool) -> None:
    if not valid:
        raise ValueError


def _prefix(text: str) -> str:
    _require(bool(PREFIX.fullmatch(text)))
    return f"/{text.strip('/')}/".replace("//", "/")


def _public_url(text: str) -> str:
    _require(not text or bool(ADDRESS.fullmatch(text)))
    return f"{text.rstrip('/')}/" if text else ""


def _frame_ancestors(text: str) -> str:
    # it is copied into a header: a semicolon would start another directive, a newline another header
    _require(text.isascii() and text.isprintable() and bool(text.split()) and all(map(ANCESTOR.fullmatch, text.split())))
    return " ".join(text.split())


def _origin(text: str) -> str:
    _require(not text or bool(ORIGIN.fullmatch(text.rstrip("/"))))
    return text.rstrip("/").lower()


def _redis(text: str) -> str:
    _require(not text or bool(REDIS.fullmatch(text)))
    return text


def _folder(text: str) -> str:
    _require(not text or Path(text).is_dir())
    return str(Path(text).resolve()) if text else ""


Switch = Annotated[bool, BeforeValidator(lambda text: text or False)]
Level = Annotated[Literal["debug", "info", "warning", "error", "critical"], BeforeValidator(str.lower)]


class ServerSettings(BaseModel, frozen=True, populate_by_name=True):
    """The settings; ``validation_alias`` is the name of the environment variable."""

    # uvicorn would listen on all addresses if it were empty
    host: str = _setting("HOST", "127.0.0.1", "an address such as 127.0.0.1 or 0.0.0.0", pattern=r"\S")
    port: int = _number("PORT", 8050, 1, 65535)
    workers: int = _number("WORKERS", 2, 1, 256)  # processes
    queue: int = _number("QUEUE", 128, 1, 4096)  # requests that may wait in each worker, for each of its two pools
    cache: int = _number("CACHE_MB", 32, 0, 4096)  # megabytes of cached answers in each worker
    # the path under which the browser sees the page, with a slash at both ends
    prefix: Annotated[str, AfterValidator(_prefix)] = _setting("URL_PREFIX", "/", "a path such as /explorer/")
    # where others open the page; empty: the server finds it out
    public_url: Annotated[str, AfterValidator(_public_url)] = _setting("PUBLIC_URL", "", "an address such as http://192.168.1.5:8050/")
    # sites that may embed the page, as in the Content-Security-Policy directive of that name
    frame_ancestors: Annotated[str, AfterValidator(_frame_ancestors)] = _setting("FRAME_ANCESTORS", "*", "sources such as 'self' https://lms.example")
    # a folder with lessons of one's own, beside those of the explorer
    lessons: Annotated[str, AfterValidator(_folder)] = _setting("LESSONS", "", "a folder that exists")
    # of the page that embeds this one and is told when a lesson is finished; empty: nobody is told
    lms_origin: Annotated[str, AfterValidator(_origin)] = _setting("LMS_ORIGIN", "", "an origin such as https://lms.example")
    rooms: Switch = _setting("ROOMS", False, "1 or 0")  # whether a class may meet in rooms, the one thing that keeps anything
    # where several machines keep their rooms together; empty: in a file of this machine
    redis_url: Annotated[str, AfterValidator(_redis)] = _setting("REDIS_URL", "", "an address such as redis://127.0.0.1:6379/0")
    log_level: Level = _setting("LOG_LEVEL", "warning", "debug, info, warning, error or critical")  # the lowest level that is logged
    access_log: Switch = _setting("ACCESS_LOG", False, "1 or 0")  # whether every request is logged
    metrics: Switch = _setting("METRICS", False, "1 or 0")  # whether ``/metrics`` is served
    trusted_proxies: int = _number("TRUSTED_PROXIES", 0, 0, 9)  # in front, trusted to set ``X-Forwarded-For`` and ``-Host``

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Self:
        """The settings in an environment; a missing variable means the default.

        Raises:
            SettingError: the first invalid setting.
        """
        try:
            return cls.model_validate(dict(environment), by_alias=True, by_name=False)
        except ValidationError as error:
            name, text = error.errors()[0]["loc"][0], error.errors()[0]["input"]
            expected = next(field.description for field in cls.model_fields.values() if field.validation_alias == name)
            shown = re.sub("//[^/@]*@", "//…@", str(text))  # a password is not for the log
            raise SettingError(f"{name} must be {expected}, not {shown!r}.") from None
