"""Under which path the browser sees the page: the application itself is always at the root of its server."""

from urllib.parse import unquote

from starlette.types import ASGIApp, Receive, Scope, Send


class WithoutPrefix:
    """Middleware that answers at the root and under a prefix: so a proxy may keep the prefix or take it away.

    Args:
        app: what answers at the root.
        prefix: the path, with a slash at both ends, as it is written in a URL.
    """

    def __init__(self, app: ASGIApp, prefix: str) -> None:
        self.app = app
        self.forms = (unquote(prefix), prefix)  # JupyterHub's proxy encodes a path that is encoded already

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        path = scope.get("path", "")
        found = next((form for form in self.forms if f"{path}/".startswith(form)), "/")
        await self.app({**scope, "path": path[len(found) - 1 :] or "/"}, receive, send)
