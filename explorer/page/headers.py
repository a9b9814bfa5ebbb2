"""The headers of every answer: what it may load, who may embed it, what it may ask of a browser, and who may keep it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

Headers = list[tuple[str, str]]

# What a browser could be asked for and this page never does. Copying a link and full screen are left to the page itself.
UNUSED = (
    "accelerometer", "autoplay", "camera", "display-capture", "encrypted-media", "geolocation", "gyroscope", "hid", "magnetometer",
    "microphone", "midi", "payment", "publickey-credentials-get", "screen-wake-lock", "serial", "usb", "xr-spatial-tracking",
)  # fmt: skip
OWN = ("clipboard-write", "fullscreen")
PERMISSIONS = ", ".join([*(f"{name}=()" for name in UNUSED), *(f"{name}=(self)" for name in OWN)])

ALWAYS = (
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),  # a link holds what somebody painted
)
LOADED_BY_THIS_PAGE = ("Cross-Origin-Resource-Policy", "same-origin")
# In an iframe with sandbox="allow-scripts" the page's origin is "null": whatever it asks is cross-origin, without cookies or
# passwords. It may load the page's files, which are public, and read answers, which depend on the question alone.
LOADED_BY_ANY_PAGE = ("Cross-Origin-Resource-Policy", "cross-origin")
READ_BY_SANDBOXED_PAGES = (("Access-Control-Allow-Origin", "null"), ("Access-Control-Expose-Headers", "X-Explorer-Version, Retry-After"))
PREFLIGHT = (("Access-Control-Allow-Headers", "Content-Type, X-CSRFToken"), ("Access-Control-Max-Age", "7200"))
ASKED_BY_THE_PAGE = ("", "_dash-layout", "_dash-dependencies", "_dash-update-component")
PAGE = (("Permissions-Policy", PERMISSIONS), ("Cross-Origin-Opener-Policy", "same-origin"))
FILES = ("text/css", "text/javascript", "application/javascript", "font/")  # parts of a page, which has a policy itself
NEVER_KEPT = (("Cache-Control", "no-store"),)


def content_policy(script_hashes: Iterable[str], frame_ancestors: str) -> str:
    """The Content-Security-Policy.

    Args:
        script_hashes: of the inline scripts that may run, quoted as in the policy.
        frame_ancestors: who may embed the page, as in the directive of that name.
    """
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'self' {' '.join(script_hashes)}",
            "style-src 'self' 'unsafe-inline'",  # Dash and Plotly write style attributes
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "connect-src 'self'",
            "manifest-src 'self'",
            "worker-src 'none'",
            "frame-src 'none'",
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'none'",
            f"frame-ancestors {frame_ancestors}",
        )
    )


class WithHeaders:
    """A WSGI application whose answers carry the headers, those of other middleware included; what they have already stays.

    Args:
        application: what answers.
        policy: the Content-Security-Policy.
        callback_path: the address of the callbacks. Nobody may keep their answers.
        callback: what else the answers of callbacks are given.
    """

    def __init__(self, application: WSGIApplication, policy: str, callback_path: str, callback: Iterable[tuple[str, str]]) -> None:
        self.application = application
        self.policy = ("Content-Security-Policy", policy)
        self.callback_path, self.callback = callback_path, (*NEVER_KEPT, *callback)
        prefix = callback_path.removesuffix(ASKED_BY_THE_PAGE[-1])
        self.files = f"{prefix}static/"
        self.asked_by_the_page = {prefix + name for name in ASKED_BY_THE_PAGE}

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request."""

        def start(status: str, headers: Headers, *error: Any) -> Any:
            given = {name.lower(): value for name, value in headers}
            wanted = self._wanted(environ.get("PATH_INFO", ""), status, given.get("content-type", ""))
            if environ["REQUEST_METHOD"] == "OPTIONS":
                wanted += PREFLIGHT
            return start_response(status, headers + [pair for pair in wanted if pair[0].lower() not in given], *error)

        return self.application(environ, start)

    def _wanted(self, path: str, status: str, kind: str) -> Headers:
        wanted = list(ALWAYS)
        wanted.append(LOADED_BY_ANY_PAGE if path.startswith(self.files) else LOADED_BY_THIS_PAGE)
        if not kind.startswith(FILES):
            wanted.append(self.policy)
        if path in self.asked_by_the_page:
            wanted += READ_BY_SANDBOXED_PAGES
        if kind.startswith("text/html"):
            wanted += PAGE
        if path == self.callback_path:
            wanted += self.callback
        elif status[0] in "45":
            wanted += NEVER_KEPT  # what is missing now may be there after an update
        return wanted
