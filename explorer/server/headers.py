"""Response headers: content policy, embedding, browser features, CORS and caching."""

from collections.abc import Iterable

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Browser features that the page does not use. It uses the clipboard (to copy a link) and full screen.
UNUSED_FEATURES = (
    "accelerometer", "autoplay", "camera", "display-capture", "encrypted-media", "geolocation", "gyroscope", "hid", "magnetometer",
    "microphone", "midi", "payment", "publickey-credentials-get", "screen-wake-lock", "serial", "usb", "xr-spatial-tracking",
)  # fmt: skip
PERMISSIONS = ", ".join([*(f"{name}=()" for name in UNUSED_FEATURES), "clipboard-write=(self)", "fullscreen=(self)"])
EVERY_RESPONSE = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}  # a link contains the painted picture
CALLBACK_PATH = "/_dash-update-component"
DASH_PATHS = ("/_dash-layout", "/_dash-dependencies", CALLBACK_PATH)
# In an iframe with sandbox="allow-scripts" the page's origin is "null", so its requests are cross-origin, without credentials.
# It may load the page's files, which are public, and read responses, which depend on the request alone.
SANDBOX_CORS = {"Access-Control-Allow-Origin": "null", "Access-Control-Expose-Headers": "X-Explorer-Version, Retry-After"}
PREFLIGHT = {"Access-Control-Allow-Headers": "Content-Type, X-CSRFToken", "Access-Control-Max-Age": "7200"}
PAGE = {"Permissions-Policy": PERMISSIONS, "Cross-Origin-Opener-Policy": "same-origin"}
NO_STORE = {"Cache-Control": "no-store"}


def content_policy(script_hashes: Iterable[str], frame_ancestors: str) -> str:
    """The Content-Security-Policy, from the quoted hashes of the allowed inline scripts, and the sources that may embed the page."""
    own = {"script-src": f"'self' {' '.join(script_hashes)}", "connect-src": "'self'", "manifest-src": "'self'"}
    own |= {"style-src": "'self' 'unsafe-inline'"}  # Dash and the own scripts write style attributes
    own |= {"img-src": "'self' data: blob:", "font-src": "'self' data:", "frame-ancestors": frame_ancestors}
    none = ("default-src", "worker-src", "frame-src", "object-src", "base-uri", "form-action")
    return "; ".join(f"{directive} {sources}" for directive, sources in {**dict.fromkeys(none, "'none'"), **own}.items())


class Headers:
    """Middleware that adds headers to every response and keeps those that are set already. Callback responses get the version."""

    def __init__(self, app: ASGIApp, policy: str, version: str) -> None:
        self.app, self.policy, self.version = app, {"Content-Security-Policy": policy}, {"X-Explorer-Version": version}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                added = self._headers_for(scope["path"], message["status"], headers.get("content-type", ""))
                if scope["method"] == "OPTIONS":
                    added |= PREFLIGHT
                for name, value in added.items():
                    headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, send_with_headers if scope["type"] == "http" else send)

    def _headers_for(self, path: str, status: int, content_type: str) -> dict[str, str]:
        added = EVERY_RESPONSE | {"Cross-Origin-Resource-Policy": "cross-origin" if path.startswith("/static/") else "same-origin"}
        if not content_type.startswith(("text/css", "text/javascript")):  # these are parts of a page that has a policy
            added |= self.policy
        if path == "/" or path in DASH_PATHS or path.startswith("/static/"):  # modules are fetched with CORS
            added |= SANDBOX_CORS
        if content_type.startswith("text/html"):
            added |= PAGE
        if path == CALLBACK_PATH:
            return added | NO_STORE | self.version
        return added | NO_STORE if status >= 400 else added  # a file that is missing now may exist after an update
