"""The request that Dash's FastAPI backend serves just now; the one place that uses a private module of Dash."""

from collections.abc import Iterator
from contextlib import contextmanager

from dash.backends._fastapi import reset_current_request, set_current_request
from starlette.requests import Request


@contextmanager
def current_request(request: Request) -> Iterator[None]:
    """Let Dash find this request, as its own middleware would."""
    token = set_current_request(request)
    try:
        yield
    finally:
        reset_current_request(token)
