"""Under which path the browser sees the page: the application itself is always at the root of its server."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING
from urllib.parse import unquote

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class WithoutPrefix:
    """A WSGI application that answers at its root and under a prefix: so a proxy may keep the prefix or take it away.

    Args:
        application: what answers at the root.
        prefix: the path, with a slash at both ends, as it is written in a URL.
    """

    def __init__(self, application: WSGIApplication, prefix: str) -> None:
        self.application = application
        self.prefix = unquote(prefix, "latin-1")  # as WSGI decodes paths
        self.forms = (self.prefix, prefix)  # JupyterHub's proxy encodes a path that is encoded already

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request."""
        path = environ.get("PATH_INFO", "")
        there = next((form for form in self.forms if f"{path}/".startswith(form)), "/")
        environ["PATH_INFO"] = path[len(there) - 1 :] or "/"
        environ["SCRIPT_NAME"] = self.prefix[:-1]  # what addresses that are made here begin with
        return self.application(environ, start_response)
