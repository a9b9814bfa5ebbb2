"""The page's files: size of a first visit, addresses, caching and compression."""

from __future__ import annotations

import gzip
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urljoin

import brotli
import pytest
from asgi import client_of
from dash import Dash, dcc, html
from dash._utils import to_json
from dash.development.base_component import Component
from dash.fingerprint import build_fingerprint
from each import each
from serving import awaited
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Route
from werkzeug.test import Client

from app import INDEX, create_app
from bench.asking import callback_request, named
from explorer.page.bundle import PAGE as INDEX_PAGE
from explorer.page.bundle import TAGS, bundle
from explorer.server.dash_request import current_request
from explorer.server.static_files import digest_of, static_file
from scripts.precompress import precompress

ROOT = Path(__file__).resolve().parents[2]
FIRST_VISIT = 450_000  # bytes, the aim
SERVER = create_app()
APP: Dash = SERVER.state.dash
CLIENT = client_of(SERVER)
PAGE: str = CLIENT.get("/").text
FILES = named(PAGE)
OWN = [address for address in FILES if address.endswith(("/boot.js", "/explorer.js"))]
ALL = {f"/{name}".replace(f"/{INDEX_PAGE}", "/") for name in SERVER.state.files}  # with what is fetched when it is first wanted
JOINED = [address for address in FILES if address not in OWN]
FETCHED = ("/", "/_dash-layout", "/_dash-dependencies")
OPENING = callback_request("explanation", "state", {"ask": 1, "link": ""})
GZIP = {"Accept-Encoding": "gzip, deflate"}

Small = Callable[..., Client]


@pytest.fixture
def small(tmp_path: Path) -> Small:
    """Makes a client of a small app with one script, one stylesheet and optionally a store of compressed files."""

    def make(script: str = "let a = 1;", prefix: str = "/", store: Path = tmp_path / "none") -> Client:
        files = bundle(small_app(tmp_path, script), prefix)
        routes = [Route("/" + name.replace(INDEX_PAGE, ""), static_file(name, content, "no-cache", store)) for name, content in files.items()]
        return client_of(Starlette(routes=routes))

    return make


def small_app(folder: Path, script: str = "let a = 1;") -> Dash:
    assets = folder / "assets"
    assets.mkdir(exist_ok=True)
    (assets / "boot.js").write_text(script)
    (assets / "main.js").write_text("export const b = 1;")
    (assets / "own.css").write_text("p { margin: 0 }")
    (assets / "vendor").mkdir(exist_ok=True)
    (assets / "vendor" / "plotly-basic.min.js").write_text("")
    app = Dash("explorer", backend="fastapi", assets_folder=str(assets), index_string=INDEX, enable_mcp=False)
    app.layout = html.P("Hello")
    return app


def own_script(client: Client) -> str:
    """The address of the file with the app's own scripts."""
    (address,) = (address for address in named(client.get("/").text) if address.endswith("/boot.js"))
    return address


def test_a_first_visit_with_gzip_only_stays_below_450_kb() -> None:
    answers = [CLIENT.get(address, headers=GZIP) for address in (*FETCHED, *FILES)]
    answers.append(CLIENT.post("/_dash-update-component", json=OPENING, headers=GZIP))
    assert all(answer.status_code == 200 for answer in answers)
    lengths = [int(answer.headers["Content-Length"]) for answer in answers]
    assert lengths == [len(answer.data) for answer in answers]
    assert sum(lengths) <= FIRST_VISIT


def test_every_file_that_the_page_names_is_there_and_named_by_its_content() -> None:
    assert len(FILES) == len(set(FILES)) >= 3 and len(OWN) == 2
    assert set(re.findall(r'(?:src|href)="(?!data:)\.([^"]+)"', PAGE)) == {*FILES, *FETCHED[1:]}  # relative, see test_hosting.py
    for address in FILES:
        answer = CLIENT.get(address)
        assert answer.status_code == 200
        assert address in OWN or address.split("/")[1:3] == ["static", digest_of(answer.data)]
        assert answer.content_type == ("text/css" if address.endswith(".css") else "text/javascript") + "; charset=utf-8"


def test_own_styles_are_all_there_in_the_order_of_their_names() -> None:
    (joined,) = [CLIENT.get(address).text for address in JOINED if address.endswith("/explorer.css")]
    texts = [path.read_text() for path in sorted((ROOT / "assets/css").glob("*.css"))]
    places = [joined.index(text) for text in texts]
    assert places == sorted(places)
    assert len(joined) <= sum(len(text) + 2 for text in texts)


def test_own_scripts_have_one_digest_and_the_modules_are_named_ahead() -> None:
    (folder,) = {address.split("/")[2] for address in OWN}
    assert f'<link rel="modulepreload" href="./static/{folder}/explorer.js">' in PAGE
    assert CLIENT.get(f"/static/{folder}/boot.js").text == (ROOT / "assets/boot.js").read_text()


def test_later_styles_lie_beside_the_scripts_and_no_page_names_them() -> None:
    (folder,) = {address.split("/")[2] for address in OWN}
    (joined,) = [CLIENT.get(address).text for address in JOINED if address.endswith("/explorer.css")]
    styles = {path.name: path.read_text() for path in (ROOT / "assets/css/later").glob("*.css")}
    assert "classroom.css" in styles
    for name, text in styles.items():
        assert CLIENT.get(f"/static/{folder}/{name}").text == text
        assert name not in PAGE and text not in joined


def test_every_module_is_in_one_of_the_joined_files() -> None:
    (folder,) = {address.split("/")[2] for address in OWN}
    ours = [CLIENT.get(address).text for address in ALL if address.split("/")[2:3] == [folder] and not address.endswith("/boot.js")]
    names = [name for text in ours for name in re.findall(r"^// (\S+\.js)$", text, re.MULTILINE)]
    paths = (path.relative_to(ROOT / "assets").as_posix() for path in (ROOT / "assets").rglob("*.js"))
    assert {*names} == {path for path in paths if path != "boot.js" and not path.startswith("vendor/")}
    # what two of the later files need, and the opening does not, is in both: nothing in it may be kept for the whole page
    assert {name for name in names if names.count(name) > 1} <= {"core/later_style.js", "core/qr.js", "lessons/marks.js"}


def test_what_is_fetched_later_is_named_by_its_content_too() -> None:
    later = ALL - {*FETCHED, *FILES}
    (plotly,) = (address for address in later if address.endswith("/plotly-basic.min.js"))
    assert f'<meta name="explorer-charts" content=".{plotly}">' in PAGE
    assert CLIENT.get(plotly).data == (ROOT / "assets/vendor/plotly-basic.min.js").read_bytes()
    beside = OWN[0].split("/")[2]  # scripts lie beside the first, which names them
    assert all(address.split("/")[2] in (beside, digest_of(CLIENT.get(address).data)) for address in later)


def test_the_digest_of_own_scripts_changes_with_any_module(small: Small, tmp_path: Path) -> None:
    app = small_app(tmp_path)
    (tmp_path / "assets" / "more.js").write_text("export const c = 1;")
    (tmp_path / "assets" / "main.js").write_text('import { c } from "./more.js";\nexport const b = c;')
    first, again = set(bundle(app)), set(bundle(app))
    (tmp_path / "assets" / "more.js").write_text("export const c = 2;")
    assert first == again != set(bundle(app))


def test_the_boot_script_comes_first_then_react_and_the_renderer_starts_after_all() -> None:
    boot, dash = re.findall(r'<script src="\.([^"]+)"', PAGE)
    assert boot.endswith("/boot.js")
    text = CLIENT.get(dash).text
    assert text.index("react.production.min.js") < 200
    assert "DashRenderer" in text
    assert PAGE.index(dash) < PAGE.index("new DashRenderer()")


def test_no_script_makes_another_strict_and_no_style_needs_its_place() -> None:
    for address in JOINED:
        text = CLIENT.get(address).text
        if address.endswith(".js"):
            assert text.startswith(";")  # then a directive in it does not apply to the joined file
        else:
            assert all(url.startswith(("data:", "#")) for url in re.findall(r"url\(\s*[\"']?([^)\s\"']+)", text))


def test_the_page_has_no_component_of_a_package_that_is_left_out() -> None:
    assert isinstance(APP.layout, Component)
    spaces = {part._namespace for part in APP.layout._traverse() if isinstance(part, Component)}
    assert spaces == {"dash_html_components", "dash_bootstrap_components"}
    assert all("dash_core_components" not in CLIENT.get(address).text for address in JOINED)


@each("address", FILES)
def test_files_are_cached_without_revalidation(address: str) -> None:
    answer = CLIENT.get(address, headers=GZIP)
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.headers["Vary"] == "Accept-Encoding"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@each("address", FETCHED)
def test_the_page_is_revalidated_at_every_visit(address: str) -> None:
    answer = CLIENT.get(address, headers=GZIP)
    assert answer.headers["Cache-Control"] == "no-cache"
    assert answer.headers["Vary"] == "Accept-Encoding"
    assert "frame-ancestors" in answer.headers["Content-Security-Policy"]


@each("address", [*FETCHED, *FILES])
def test_cached_content_is_not_sent_again(address: str) -> None:
    had = CLIENT.get(address, headers=GZIP)
    for tag in (had.headers["ETag"], f"W/{had.headers['ETag']}", f'"other", {had.headers["ETag"]}', "*"):
        again = CLIENT.get(address, headers={**GZIP, "If-None-Match": tag})
        assert (again.status_code, again.data) == (304, b"")
        assert again.headers["ETag"] == had.headers["ETag"]
        assert again.headers["Cache-Control"] == had.headers["Cache-Control"]
    assert CLIENT.get(address, headers={**GZIP, "If-None-Match": '"other"'}).status_code == 200


@each("address", [*FETCHED, *FILES])
def test_head_has_the_headers_of_get(address: str) -> None:
    head, sent = CLIENT.head(address, headers=GZIP), CLIENT.get(address, headers=GZIP)
    assert (head.status_code, head.data) == (200, b"")
    for name in ("Content-Length", "Content-Encoding", "Content-Type", "ETag", "Cache-Control", "Vary"):
        assert head.headers[name] == sent.headers[name]


@each("address", [*FETCHED, *FILES])
def test_other_methods_are_refused(address: str) -> None:
    assert CLIENT.post(address).status_code == 405
    assert CLIENT.delete(address).status_code == 405


@each(
    "path",
    [
        "static/",
        "static/x/app.py",
        "static/../app.py",
        "static/x/../../app.py",
        "static/x/..%2f..%2fapp.py",
        "static/%2e%2e/%2e%2e/app.py",
        "static/x/..\\..\\app.py",
        "static/x/app.py%00.js",
        "static//etc/passwd",
        "static/x//etc/passwd",
        "static/x/" + "a" * 5000,
        "static/" + "../" * 30 + "etc/passwd",
        "static/x/__init__.py",
        "static/x/.js",
    ],
)
def test_every_other_path_is_refused(path: str) -> None:
    answer = CLIENT.get(f"/{path}", follow_redirects=True)
    assert 400 <= answer.status_code < 500
    assert len(answer.data) < 200


def test_a_file_has_only_the_address_of_its_content() -> None:
    wrong = FILES[0].replace(FILES[0].split("/")[2], "0" * 16)
    assert CLIENT.get(wrong).status_code == 404


def test_each_encoding_is_sent_to_clients_that_accept_it(small: Small, tmp_path: Path) -> None:
    script = "let much = 'the same over and over';\n" * 100
    store = tmp_path / "store"
    precompress(bundle(small_app(tmp_path, script)).values(), store)
    client = small(script, store=store)
    address = own_script(client)
    plain = client.get(address)
    assert "Content-Encoding" not in plain.headers
    expected = {
        "gzip": "gzip",
        "gzip, deflate": "gzip",
        "gzip, deflate, br, zstd": "br",
        "br": "br",
        "br;q=0, gzip": "gzip",
        "br;q=0.1, gzip;q=0.9": "gzip",
        "gzip;q=0, identity": None,
        "deflate": None,
        "": None,
        "br;q=nonsense": None,
    }
    tags = {plain.headers["ETag"]}
    for accepted, encoding in expected.items():
        answer = client.get(address, headers={"Accept-Encoding": accepted})
        assert answer.headers.get("Content-Encoding") == encoding, accepted
        decode = {"gzip": gzip.decompress, "br": brotli.decompress, None: bytes}[encoding]
        assert decode(answer.data) == plain.data
        tags.add(answer.headers["ETag"])
    assert len(tags) == 3  # one per variant, as HTTP requires


def test_without_precompressed_files_gzip_is_still_available(small: Small) -> None:
    client = small("let much = 'the same over and over';\n" * 100)
    answer = client.get(own_script(client), headers={"Accept-Encoding": "gzip, br"})
    assert answer.headers["Content-Encoding"] == "gzip"
    assert len(answer.data) < 500


def test_precompressed_files_of_other_content_are_not_used(small: Small, tmp_path: Path) -> None:
    store = tmp_path / "store"
    precompress([b"something else"], store)
    client = small("let a = 2;", store=store)
    answer = client.get(own_script(client), headers=GZIP)
    assert gzip.decompress(answer.data) == client.get(own_script(client)).data
    assert b"let a = 2;" in gzip.decompress(answer.data)


def test_precompressing_adds_missing_files_and_deletes_outdated_ones(tmp_path: Path) -> None:
    precompress([b"one" * 100, b"two" * 100], tmp_path)
    before = {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    sizes = precompress([b"two" * 100, b"three" * 100], tmp_path)
    after = {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    two = {f"{digest_of(b'two' * 100)}{suffix}" for suffix in (".gz", ".br")}
    assert set(before) & set(after) == two
    assert all(before[name] == after[name] for name in two)
    assert set(after) - two == {f"{digest_of(b'three' * 100)}{suffix}" for suffix in (".gz", ".br")}
    assert [plain for plain, _, _ in sizes] == [300, 500]
    assert all(gzipped < plain and brotlied < plain for plain, gzipped, brotlied in sizes)


def test_an_address_changes_with_the_content_and_only_then(small: Small, tmp_path: Path) -> None:
    first = own_script(small("let a = 1;"))
    os.utime(tmp_path / "assets" / "boot.js", (1, 1))
    assert own_script(small("let a = 1;")) == first
    assert own_script(small("let a = 2;")) != first


@pytest.mark.parametrize("prefix", ["/explorer/", "/assets/"])
def test_a_prefix_is_in_the_addresses_of_the_files_and_not_where_they_are(prefix: str, small: Small) -> None:
    client = small(prefix=prefix)
    addresses = named(client.get("/").text)
    assert addresses
    for address in addresses:
        assert address.startswith(f"{prefix}static/")
        assert client.get(address.removeprefix(prefix[:-1])).status_code == 200
    for closed in ("assets/own.js", "_dash-component-suites/dash/dcc/dash_core_components.js", "_favicon.ico", "_reload-hash"):
        assert client.get(f"/{closed}").status_code == 404


def test_replicas_of_one_version_serve_exactly_the_same() -> None:
    script = f"""
from asgi import client_of
client = client_of()
print(*(client.get(address).headers["ETag"] for address in {FETCHED!r}), client.get("/").text)
"""
    path = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    replicas = [  # with these seeds of the order in sets Dash writes two different layouts
        subprocess.Popen(
            [sys.executable, "-c", script],
            cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": path}, stdout=subprocess.PIPE, text=True,
        )
        for seed in ("1", "7")
    ]  # fmt: skip
    expected = " ".join([*(CLIENT.get(address).headers["ETag"] for address in FETCHED), PAGE]) + "\n"
    assert [replica.communicate()[0] for replica in replicas] == [expected] * 2


def test_the_layout_that_is_served_is_the_one_that_dash_makes() -> None:
    assert CLIENT.get("/_dash-layout").json == json.loads(to_json(APP.layout))


def test_the_page_has_no_data_of_the_machine_and_nothing_random() -> None:
    assert "python_version" not in PAGE and "websocket" not in PAGE
    assert "end_id" not in PAGE
    assert CLIENT.get("/").data == CLIENT.get("/").data


def test_files_that_no_page_requests_are_not_served() -> None:
    registered = [(package, path) for package, paths in APP.registered_paths.items() for path in sorted(paths)]
    assert ("plotly", "package_data/plotly.min.js") in registered  # large; ("dash", …) has maps that are not in its wheel
    own = [path.relative_to(ROOT).as_posix() for path in (ROOT / "assets").rglob("*") if path.is_file()]
    assert "assets/boot.js" in own and "assets/css/style.css" in own
    addresses = [
        *(f"/_dash-component-suites/{package}/{path}" for package, path in registered),
        *(f"/_dash-component-suites/{package}/{build_fingerprint(path, '1', 1)}" for package, path in registered),
        *(urljoin(named, path.rsplit("/", 1)[-1]) for named in FILES for _, path in registered),
        *(f"/{path}" for path in own),
    ]
    for address in addresses:
        answer = CLIENT.get(address)
        assert (answer.status_code, answer.text) == (404, "There is nothing at this address.\n"), address


def test_the_server_has_no_address_that_answers_but_the_pages_and_the_probes() -> None:
    # this finds further routes of other versions of Dash
    answered = set()
    for route in APP.server.routes:
        address = re.sub("{[^}]+}", "x", route.path)
        status = CLIENT.get(address).status_code
        assert status in (200, 404) or (status, route.path) == (405, "/_dash-update-component")
        answered |= {address} if status == 200 else set()
    assert answered == set(FETCHED)
    assert {route.path for route in SERVER.routes} == {*ALL, "/healthz", "/readyz", "/addresses", "/qr", "/_dash-update-component"}


@each("address", ["docs", "openapi.json", "redoc", "_dash-ws-callback", "_alive_", "_alive_x", "_dash-routes", "_mcp", "mcp", "dash-mcp", ".well-known/oauth-protected-resource"])
def test_other_routes_of_dash_are_not_served(address: str) -> None:
    assert CLIENT.get(f"/{address}").status_code == 404


def test_the_running_server_reads_no_file(small: Small, tmp_path: Path) -> None:
    client = small()
    addresses = ["/", *named(client.get("/").text)]
    before = [client.get(address).data for address in addresses]
    shutil.rmtree(tmp_path / "assets")
    assert [client.get(address).data for address in addresses] == before
    assert b"let a = 1;" in b"".join(before)


@each("address", [*FETCHED, *FILES])
def test_a_file_is_in_memory_once(address: str) -> None:
    (endpoint,) = (route.endpoint for route in SERVER.routes if route.path == address and "GET" in route.methods)

    def sent(encoding: str) -> bytes:
        request = Request({"type": "http", "headers": [(b"accept-encoding", encoding.encode())]})
        body: bytes = awaited(endpoint(request)).body
        return body

    for encoding in ("gzip", "br", ""):
        assert sent(encoding) is sent(encoding)


def test_tags_are_found_as_dash_writes_them() -> None:
    # if Dash wrote its tags in another way, the page would use Dash's own files without any error
    app = Dash("explorer", backend="fastapi", assets_folder=str(ROOT / "assets"), index_string=INDEX, enable_mcp=False)
    app.layout = html.Div(dcc.Store(id="x"))
    app._setup_server()
    with current_request(Request({"type": "http"})):
        page: str = app.index()
    assert len(re.findall(r"<script src=|<link rel=.stylesheet", page)) == sum(len(tag.findall(page)) for tag in TAGS.values()) > 20
