"""The headers of every answer: what it may load, who may embed it, which features it may use, and who may cache it."""

from collections.abc import Iterable

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# What a browser could be asked for and this page never does. Copying a link and full screen are left to the page itself.
UNUSED = (
    "accelerometer", "autoplay", "camera", "display-capture", "encrypted-media", "geolocation", "gyroscope", "hid", "magnetometer",
    "microphone", "midi", "payment", "publickey-credentials-get", "screen-wake-lock", "serial", "usb", "xr-spatial-tracking",
)  # fmt: skip
PERMISSIONS = ", ".join([*(f"{name}=()" for name in UNUSED), "clipboard-write=(self)", "fullscreen=(self)"])
ALWAYS = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}  # a link holds what somebody painted
CALLBACK_PATH = "/_dash-update-component"
ASKED_BY_THE_PAGE = ("/_dash-layout", "/_dash-dependencies", CALLBACK_PATH)
# In an iframe with sandbox="allow-scripts" the page's origin is "null": whatever it asks is cross-origin, without cookies or
# passwords. It may load the page's files, which are public, and read answers, which depend on the question alone.
READ_BY_SANDBOXED_PAGES = {"Access-Control-Allow-Origin": "null", "Access-Control-Expose-Headers": "X-Explorer-Version, Retry-After"}
PREFLIGHT = {"Access-Control-Allow-Headers": "Content-Type, X-CSRFToken", "Access-Control-Max-Age": "7200"}
PAGE = {"Permissions-Policy": PERMISSIONS, "Cross-Origin-Opener-Policy": "same-origin"}
NEVER_KEPT = {"Cache-Control": "no-store"}


def content_policy(script_hashes: Iterable[str], frame_ancestors: str) -> str:
    """The Content-Security-Policy, given the quoted hashes of the inline scripts that may run, and who may embed the page."""
    own = {"script-src": f"'self' {' '.join(script_hashes)}", "connect-src": "'self'", "manifest-src": "'self'"}
    own |= {"style-src": "'self' 'unsafe-inline'"}  # Dash and Plotly write style attributes
    own |= {"img-src": "'self' data: blob:", "font-src": "'self' data:", "frame-ancestors": frame_ancestors}
    none = ("default-src", "worker-src", "frame-src", "object-src", "base-uri", "form-action")
    return "; ".join(f"{directive} {sources}" for directive, sources in {**dict.fromkeys(none, "'none'"), **own}.items())


class Headers:
    """Middleware that gives every answer its headers; those that it has already stay. Answers of callbacks tell the version."""

    def __init__(self, app: ASGIApp, policy: str, version: str) -> None:
        self.app, self.policy, self.version = app, {"Content-Security-Policy": policy}, {"X-Explorer-Version": version}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""

        async def completed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                wanted = self._wanted(scope["path"], message["status"], headers.get("content-type", ""))
                if scope["method"] == "OPTIONS":
                    wanted |= PREFLIGHT
                for name, value in wanted.items():
                    headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, completed if scope["type"] == "http" else send)

    def _wanted(self, path: str, status: int, kind: str) -> dict[str, str]:
        wanted = ALWAYS | {"Cross-Origin-Resource-Policy": "cross-origin" if path.startswith("/static/") else "same-origin"}
        if not kind.startswith(("text/css", "text/javascript")):  # parts of a page, which has a policy itself
            wanted |= self.policy
        if path == "/" or path in ASKED_BY_THE_PAGE or path.startswith("/static/"):  # modules are fetched as other data is
            wanted |= READ_BY_SANDBOXED_PAGES
        if kind.startswith("text/html"):
            wanted |= PAGE
        if path == CALLBACK_PATH:
            return wanted | NEVER_KEPT | self.version
        return wanted | NEVER_KEPT if status >= 400 else wanted  # what is missing now may be there after an update
