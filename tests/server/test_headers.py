"""Response headers, and headers set by a proxy."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from asgi import client_of
from each import each
from werkzeug.test import Client, TestResponse

from bench.asking import callback_request, named
from explorer.server.settings import ServerSettings, SettingError
from explorer.version import version

UPDATE = "/_dash-update-component"
CLIENT = client_of()
FILES_OF_THE_PAGE = named(CLIENT.get("/").text)
SPOOFED = {
    "X-Forwarded-For": "203.0.113.7",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Port": "444",
    "X-Forwarded-Prefix": "/evil",
    "Forwarded": "for=203.0.113.7;proto=https;host=evil.example",
    "X-Forwarded-Protocol": "ssl",
    "X-Forwarded-Ssl": "on",
}


@pytest.fixture
def client() -> Client:
    """A client without a browser."""
    return CLIENT


def body(ask: object = 1) -> dict[str, Any]:
    """The request of a stroke."""
    return callback_request("explanation", "state", {"ask": ask, "state": {}})


def directives(response: TestResponse) -> dict[str, list[str]]:
    """The Content-Security-Policy by directive."""
    return {part.split()[0]: part.split()[1:] for part in response.headers["Content-Security-Policy"].split(";")}


def test_the_pages_policy_allows_what_it_loads_from_here_and_nothing_else(client: Client) -> None:
    policy = directives(client.get("/"))
    assert policy.pop("frame-ancestors") == ["*"]
    scripts = policy.pop("script-src")
    assert scripts[0] == "'self'" and len(scripts) > 1
    assert all(re.fullmatch(r"'sha256-[A-Za-z0-9+/]{43}='", source) for source in scripts[1:])
    assert policy.pop("style-src") == ["'self'", "'unsafe-inline'"]
    assert policy.pop("img-src") == ["'self'", "data:", "blob:"]
    assert policy.pop("connect-src") == policy.pop("manifest-src") == ["'self'"]
    assert policy.pop("font-src") == ["'self'", "data:"]
    assert set(map(tuple, policy.values())) == {("'none'",)}
    assert {"default-src", "object-src", "base-uri", "form-action", "worker-src", "frame-src"} <= set(policy)


def test_the_hashes_are_those_of_the_inline_scripts_and_no_script_goes_without(client: Client) -> None:
    import base64
    import hashlib

    response = client.get("/")
    inline = re.findall(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)[^>]*>(.*?)</script>", response.get_data(as_text=True), re.S)
    assert inline
    for script in inline:
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in directives(response)["script-src"]


def test_the_page_asks_a_browser_for_the_clipboard_and_full_screen_only(client: Client) -> None:
    allowed = dict(part.strip().split("=") for part in client.get("/").headers["Permissions-Policy"].split(","))
    assert {name for name, who in allowed.items() if who != "()"} == {"clipboard-write", "fullscreen"}
    assert allowed["clipboard-write"] == "(self)"
    assert {"camera", "microphone", "geolocation", "usb", "payment"} <= set(allowed)


@each("path", ["/", UPDATE, "/_dash-layout", "/healthz", "/readyz", "/nope", *FILES_OF_THE_PAGE])
def test_every_response_has_the_headers_of_its_kind_and_sets_no_cookie(path: str) -> None:
    headers = CLIENT.get(path).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cross-Origin-Resource-Policy"] == ("cross-origin" if path in FILES_OF_THE_PAGE else "same-origin")
    assert "Set-Cookie" not in headers
    assert ("Content-Security-Policy" in headers) != headers["Content-Type"].startswith(("text/css", "text/javascript"))


def test_a_sandboxed_page_may_load_its_files_and_read_its_answers_and_no_other_site_may(client: Client) -> None:
    known = client.get(FILES_OF_THE_PAGE[0])
    unchanged = client.get(FILES_OF_THE_PAGE[0], headers={"If-None-Match": known.headers["ETag"]})
    assert unchanged.status_code == 304 and unchanged.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    answers = [client.head("/"), client.get("/_dash-layout"), client.get("/_dash-dependencies"), client.post(UPDATE, json=body())]
    refusals = [client.post(UPDATE, json=body("no number")), client.post(UPDATE, data="x" * 100_000)]
    for response in (*answers, *refusals):
        assert response.headers["Access-Control-Allow-Origin"] == "null"
        assert {"X-Explorer-Version", "Retry-After"} <= set(response.headers["Access-Control-Expose-Headers"].split(", "))
        assert "Access-Control-Allow-Credentials" not in response.headers
    for path in ("/_dash-layout", "/_dash-dependencies", UPDATE):
        preflight = client.options(path, headers={"Origin": "null", "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"})
        assert preflight.status_code == 200 and preflight.headers["Access-Control-Allow-Origin"] == "null"
        assert "Content-Type" in preflight.headers["Access-Control-Allow-Headers"]
    for path in ("/healthz", "/readyz", "/nope"):
        assert "Access-Control-Allow-Origin" not in client.get(path).headers


def test_the_page_isolates_its_window_and_may_be_framed(client: Client) -> None:
    assert client.get("/").headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "Cross-Origin-Opener-Policy" not in client.get("/healthz").headers
    # this header would forbid to embed the page, in spite of the policy
    assert "X-Frame-Options" not in client.get("/").headers


@pytest.mark.parametrize("ask", [1, "no number"])
def test_callback_responses_are_not_cached_and_have_the_version(ask: object, client: Client) -> None:
    response = client.post(UPDATE, json=body(ask))
    assert response.status_code == (200 if ask == 1 else 400)
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["X-Explorer-Version"] == version()


def test_the_page_has_the_version_of_the_responses(client: Client) -> None:
    (config,) = (part["props"] for part in client.get("/_dash-layout").json["props"]["children"] if part["props"].get("id") == "config")
    assert json.loads(config["children"])["build"] == version()


def test_errors_are_not_cached(client: Client) -> None:
    assert client.get("/assets/missing.js").headers["Cache-Control"] == "no-store"


# ---------------------------------------------------------------- sites that may embed the page


@each(
    "sources",
    ["*", "'self'", "'none'", "'self' https://lms.example", "https://*.lms.example:8443", "lms.example", "https:", "http://x:*"]
)
def test_sources_that_may_embed_the_page_are_accepted(sources: str) -> None:
    assert ServerSettings.read({"FRAME_ANCESTORS": sources}).frame_ancestors == sources


@each(
    "sources",
    ["", "  ", "*; script-src *", "'self'\n", "'self'\r\nX: y", "a,b", "'unsafe-inline'", "https://ä.example", "x\0", "'self' ;", "javascript:alert(1)"],
)
def test_other_sources_are_refused(sources: str) -> None:
    with pytest.raises(SettingError, match="FRAME_ANCESTORS"):
        ServerSettings.read({"FRAME_ANCESTORS": sources})


# ---------------------------------------------------------------- behind a proxy


@pytest.fixture
def behind(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Makes a client of a server under a prefix, which trusts as many proxies as given."""

    def make(proxies: int) -> Client:
        monkeypatch.setenv("URL_PREFIX", "/explorer")
        monkeypatch.setenv("TRUSTED_PROXIES", str(proxies))
        return client_of()

    return make


def test_forwarded_headers_change_nothing_unless_a_proxy_is_trusted(behind: Any) -> None:
    client = behind(0)
    for path in ("/explorer", "/explorer/", "/explorer/addresses", "/explorer/healthz", "/explorer/nope"):
        plain, spoofed = client.get(path), client.get(path, headers=SPOOFED)
        assert (spoofed.status_code, spoofed.headers) == (plain.status_code, plain.headers)
        bodies = [re.sub(r'"end_id":"[^"]*"', "", response.get_data(as_text=True)) for response in (plain, spoofed)]  # random
        assert bodies[0] == bodies[1]
    assert client.get("/explorer/addresses", headers=SPOOFED).status_code == 200


def test_the_headers_of_the_last_trusted_proxy_are_used(behind: Any) -> None:
    client = behind(1)
    forwarded = {"X-Forwarded-Proto": "http, https", "X-Forwarded-Host": "evil.example, campus.example", "X-Forwarded-Prefix": "/evil"}
    assert client.get("/explorer/addresses", headers=forwarded).status_code == 404  # the page was not opened at localhost
    assert client.get("/explorer/addresses", headers={**forwarded, "X-Forwarded-Host": "campus.example, localhost"}).status_code == 200
    assert client.get("/explorer/", headers=forwarded).status_code == 200
    assert client.post(f"/explorer{UPDATE}", json=body(), headers=forwarded).headers["X-Explorer-Version"] == version()
