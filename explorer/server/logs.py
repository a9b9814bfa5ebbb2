"""The log: one JSON object a line on stderr, with nothing in it that a visitor drew, and no address of theirs."""

import json
import logging
import traceback
from datetime import UTC, datetime
from typing import Any

FIELDS = "fields"  # the key of a logger's ``extra`` under which a dictionary of more fields is given
ACCESS = "explorer.access"  # the logger of requests
UVICORN = {"warning": "error"}  # the levels at which uvicorn logs, where they are others


class JsonFormatter(logging.Formatter):
    """A record as one line of JSON: time, level, message, pid, and whatever fields come with it."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        told = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
            "pid": record.process,
            **getattr(record, FIELDS, {}),
        }
        if record.exc_info and record.exc_info[1] is not None:
            told["traceback"] = places(record.exc_info[1])
        return json.dumps(told, default=str)  # in ASCII: a log may be read where nothing else is


def configuration(level: str, *, requests: bool = False) -> dict[str, Any]:
    """What ``logging.config.dictConfig`` reads: all that is logged from a level on, and perhaps all requests, go to stderr."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": "explorer.server.logs.JsonFormatter"}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
        "root": {"level": level.upper(), "handlers": ["stderr"]},
        # uvicorn warns of every request that is none: anybody could fill the log
        "loggers": {ACCESS: {"level": "INFO" if requests else "CRITICAL"}, "uvicorn.error": {"level": UVICORN.get(level, level).upper()}},
    }


def places(error: BaseException) -> str:
    """Where an error and its causes happened, and of what kind they are. Not what they say: that may quote what was asked."""
    told = []
    cause: BaseException | None = error
    while cause is not None:
        told.append("".join(traceback.format_tb(cause.__traceback__)) + type(cause).__name__ + "\n")
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    return "caused by what was told above\n".join(reversed(told))
