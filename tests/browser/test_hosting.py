"""Where the page is put: under a path of another site, in a course's page, on one machine or in its network."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect
from proxy import needs_nginx, nginx, stand_in

from .conftest import Server
from .visit import COURSE, Visit, embedded

DEPLOY = (Path(__file__).resolve().parents[2] / "docs" / "deploy.md").read_text(encoding="utf-8")
Visits = Callable[..., Visit]


def row(of: str) -> list[str]:
    """The code in the row of docs/deploy.md on a kind of site, of which the first cell says the path, and the second the settings."""
    (line,) = (line for line in DEPLOY.splitlines() if line.startswith(f"| {of}"))
    return [" ".join(re.findall(r"`([^`]+)`", cell)) for cell in line.strip("| ").split(" | ")]


def settings(of: str) -> dict[str, str]:
    """The settings that docs/deploy.md gives for it."""
    return dict(word.split("=", 1) for word in shlex.split(row(of)[1]))


@pytest.fixture(scope="module")
def under_explorer(chromium: str) -> Iterator[Server]:
    """A server as for Traefik and nginx, which others in its network open and a course may embed."""
    assert settings("Traefik") == settings("nginx")
    lms = settings("Moodle")["FRAME_ANCESTORS"].replace("https://lms.example", f"{COURSE}:*")
    server = Server(HOST="0.0.0.0", **settings("Traefik"), FRAME_ANCESTORS=lms)
    server.settings["PUBLIC_URL"] = f"http://127.0.0.2:{server.port}/explorer"  # another address, wherever the tests run
    try:
        yield server.start()
    finally:
        server.stop()


def works(visit: Visit, prefix: str) -> None:
    """The page under a prefix of the visited site opens and does all that needs an address."""
    visit.open()
    for address in (request.url for request in visit.requests):  # one below no prefix would have got 404, an error
        assert urlsplit(address).path.startswith(prefix), address
    visit.stroke((0, 0), (0, 7))
    visit.rest()
    with visit.count_requests(1):
        visit.choose("network", "digits")
    link = visit.page.url
    assert urlsplit(link).path in (f"{prefix}/", prefix) and "net=digits" in link
    state = visit.state
    visit.page.reload()
    visit.rest()
    assert visit.state == state
    assert visit.page.evaluate("() => explorer.isThere()")  # what a reload for a newer version asks first
    assert visit.page.evaluate("() => fetch('{}/healthz').then((answer) => answer.status)".replace("{}", prefix)) == 200


def test_jupyterhub_as_it_is(visits: Visits, server: Server) -> None:
    prefix = "/user/anna/proxy/8050"
    told = {"X-Forwarded-Context": prefix, "X-ProxyContextPath": prefix, "X-Forwarded-Prefix": prefix}
    assert row("JupyterHub, short path")[0] == "/user/NAME/proxy/8050/" and settings("JupyterHub, short path") == {}
    with stand_in(server.port, prefix, strips=True, headers=told) as port:
        works(visits(f"http://127.0.0.1:{port}{prefix}/"), prefix)


def test_jupyterhub_where_the_whole_path_is_passed_on(visits: Visits, chromium: str) -> None:
    prefix = "/user/anna%40campus.example/proxy/absolute/8050"
    (name, value) = settings("JupyterHub, whole path").popitem()
    assert row("JupyterHub, whole path")[0] == value
    server = Server(**{name: value.replace("NAME", "anna%40campus.example")})
    try:
        with stand_in(server.start().port, prefix, strips=False) as port:
            works(visits(f"http://127.0.0.1:{port}{prefix}/"), prefix)
    finally:
        server.stop()


@pytest.mark.parametrize("strips", [True, False])
def test_traefik(strips: bool, visits: Visits, under_explorer: Server) -> None:
    told = {"X-Forwarded-Prefix": "/explorer"} if strips else {}
    with stand_in(under_explorer.port, "/explorer", strips=strips, headers=told) as port:
        works(visits(f"http://127.0.0.1:{port}/explorer"), "/explorer")  # its rule lets in who forgets the slash


@needs_nginx
@pytest.mark.parametrize("strips", [True, False])
def test_nginx(strips: bool, visits: Visits, under_explorer: Server, tmp_path: Path) -> None:
    (location,) = re.findall(r"location .*?\}", row("nginx")[2])
    location = location.replace(":8050", f":{under_explorer.port}{'/' if strips else ''}")
    with nginx(location, tmp_path) as port:
        works(visits(f"http://127.0.0.1:{port}/explorer/"), "/explorer")


# ---------------------------------------------------------------- in a course's page


def test_a_course_embeds_it_as_the_readme_says(visits: Visits, under_explorer: Server) -> None:
    code = row("Moodle")[2]
    allow, sandbox = re.findall(r'allow="[^"]+"', code), re.findall(r"allow-scripts [a-z -]+", code)
    visit = visits(under_explorer.address + "explorer/", permissions=["clipboard-write"])  # which a visitor's browser grants at a click
    with embedded(visit, f'{allow[0]} sandbox="{sandbox[0]}"') as frame:
        with visit.page.expect_download() as waiting:
            frame.get_by_role("button", name="Attributions as CSV").click()
        assert len(Path(waiting.value.path()).read_text().splitlines()) == 65
        frame.get_by_role("button", name="Show it here").wait_for()  # nobody tells the page that the file arrived
        frame.locator("#copy-link").click()
        expect(frame.locator("#copy-link")).to_have_text("Copied")


@pytest.mark.parametrize("sandbox", ["allow-scripts", "allow-scripts allow-same-origin"])
def test_where_files_are_refused_what_is_in_them_can_be_had_otherwise(sandbox: str, visits: Visits, under_explorer: Server) -> None:
    visit = visits(under_explorer.address + "explorer/", apart=True)
    arrived = list[object]()
    visit.page.on("download", lambda download: arrived.append(download))
    visit.expects_errors = True  # Chromium says in the console, and there alone, that it refused a download
    with embedded(visit, f'sandbox="{sandbox}"') as frame:
        dialog = frame.locator("dialog[open]")
        for button, read in (("Attributions as CSV", lambda text: text.count("\n") == 65), ("All numbers as JSON", json.loads)):
            frame.get_by_role("button", name=button).click()
            frame.get_by_role("button", name="Show it here").click()
            shown = dialog.get_by_role("textbox").first
            assert read(shown.input_value())
            dialog.get_by_role("button", name="Copy all").click()
            expect(dialog.get_by_role("button", name="Copied")).to_be_visible()
            assert dialog.get_by_label("Link to this state").input_value() == f"{visit.address}?v=2"
            dialog.get_by_label("Close").click()
        frame.get_by_label("Enlarge: Sum").click()
        dialog.get_by_role("button", name="Save as PNG").click()
        picture = dialog.locator("img")
        expect(picture).to_be_visible()
        assert picture.evaluate("(image) => image.decode().then(() => image.naturalWidth)") >= 600
        assert picture.get_attribute("alt") == "integrated-gradients-vertical-edge-of-vertical-edge-by-shapes.png"
    assert arrived == []


# ---------------------------------------------------------------- on this machine, and in its network


def test_a_link_that_only_this_machine_can_open_says_so(visits: Visits, server: Server) -> None:
    for host in ("127.0.0.1", "localhost"):
        visit = visits(f"http://{host}:{server.port}/", permissions=["clipboard-read", "clipboard-write"]).open()
        for _ in range(2):
            visit.page.locator("#copy-link").click()
            expect(visit.page.locator(".notice")).to_contain_text(f"Only this machine can open a link to {host}:{server.port}.")
        assert visit.page.locator(".notice").count() == 1
        assert "HOST=0.0.0.0" in visit.text("notices")
        assert visit.page.evaluate("() => navigator.clipboard.readText()") == f"http://{host}:{server.port}/?v=2"


def test_where_others_reach_the_server_a_link_for_them_is_offered(visits: Visits, under_explorer: Server) -> None:
    visit = visits(under_explorer.address + "explorer/", permissions=["clipboard-read", "clipboard-write"]).open()
    visit.stroke((0, 0), (0, 7))
    visit.rest()
    visit.page.locator("#copy-link").click()
    visit.page.get_by_role("button", name="Copy the link for others").click()
    expect(visit.page.locator("#copy-link")).to_have_text("Copied")
    visit.until("() => navigator.clipboard.readText().then((text) => text.includes('127.0.0.2'))")
    link = visit.page.evaluate("() => navigator.clipboard.readText()")
    other = visits(f"http://127.0.0.2:{under_explorer.port}/explorer/", apart=True).open(urlsplit(link).query and f"?{urlsplit(link).query}")
    assert other.state == visit.state and other.page.url == link


def test_without_a_clipboard_both_links_are_shown(visits: Visits, under_explorer: Server) -> None:
    visit = visits(under_explorer.address + "explorer/", apart=True)
    visit.page.add_init_script("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    visit.open().page.locator("#copy-link").click()
    fields = visit.page.locator("dialog[open] input")
    expect(fields).to_have_count(2)
    assert [field.input_value() for field in fields.all()] == [visit.address + "?v=2", visit.address.replace("127.0.0.1", "127.0.0.2") + "?v=2"]
    assert "Only this machine" in visit.page.locator("dialog[open]").inner_text()
