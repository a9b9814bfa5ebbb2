"""Serves the application under a path prefix."""

from urllib.parse import unquote

from starlette.types import ASGIApp, Receive, Scope, Send


class WithoutPrefix:
    """Middleware that serves an application at the root and under a prefix, so a proxy may keep or remove the prefix.

    Args:
        app: the application, which handles paths without the prefix.
        prefix: the path as in a URL, with a slash at both ends.
    """

    def __init__(self, app: ASGIApp, prefix: str) -> None:
        self.app = app
        self.forms = (unquote(prefix), prefix)  # JupyterHub's proxy encodes an encoded path again

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        path = scope.get("path", "")
        found = next((form for form in self.forms if f"{path}/".startswith(form)), "/")
        await self.app({**scope, "path": path[len(found) - 1 :] or "/"}, receive, send)
