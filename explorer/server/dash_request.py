"""Sets the current request of Dash's FastAPI backend; the only use of a private module of Dash."""

from collections.abc import Iterator
from contextlib import contextmanager

from dash.backends._fastapi import reset_current_request, set_current_request
from starlette.requests import Request


@contextmanager
def current_request(request: Request) -> Iterator[None]:
    """Make this the current request, as Dash's middleware does."""
    token = set_current_request(request)
    try:
        yield
    finally:
        reset_current_request(token)
