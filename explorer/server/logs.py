"""The log: one JSON object per line on stderr, without pictures and client addresses."""

import json
import logging
import traceback
from datetime import UTC, datetime
from typing import Any

FIELDS = "fields"  # key in a logger's ``extra`` for a dictionary of additional fields
ACCESS = "explorer.access"  # the logger of requests
UVICORN_LEVELS = {"warning": "error"}  # levels of uvicorn's logger that differ from LOG_LEVEL


class JsonFormatter(logging.Formatter):
    """Formats a record as one line of JSON: time, level, message, pid and the additional fields."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, without a newline."""
        fields = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
            "pid": record.process,
            **getattr(record, FIELDS, {}),
        }
        if record.exc_info and record.exc_info[1] is not None:
            fields["traceback"] = traceback_of(record.exc_info[1])
        return json.dumps(fields, default=str)  # ASCII only, for any log reader

TALKATIVE = ("sse_starlette", "asyncio", "redis")  # at level debug they log what they send


def configuration(level: str, *, requests: bool = False) -> dict[str, Any]:
    """For ``logging.config.dictConfig``: log from this level on to stderr, with every request if ``requests``."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": "explorer.server.logs.JsonFormatter"}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
        "root": {"level": level.upper(), "handlers": ["stderr"]},
        # uvicorn warns about every invalid request, so any client could fill the log
        "loggers": {ACCESS: {"level": "INFO" if requests else "CRITICAL"}, "uvicorn.error": {"level": UVICORN_LEVELS.get(level, level).upper()}} | {name: {"level": "WARNING"} for name in TALKATIVE},
    }


def traceback_of(error: BaseException) -> str:
    """The traceback of an error and its causes, without their messages, which may quote the request."""
    parts = []
    cause: BaseException | None = error
    while cause is not None:
        parts.append("".join(traceback.format_tb(cause.__traceback__)) + type(cause).__name__ + "\n")
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    return "caused by the error above\n".join(reversed(parts))
