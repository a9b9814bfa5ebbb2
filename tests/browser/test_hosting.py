"""Where the page is put: under a path of another site, in a course's page, on one machine or in its network."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from proxy import stand_in

from .conftest import Server
from .visit import Visit

README = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")
Visits = Callable[..., Visit]


def row(of: str) -> list[str]:
    """The code in the README's row on a kind of site, of which the first cell says the path, and the second the settings."""
    (line,) = (line for line in README.splitlines() if line.startswith(f"| {of}"))
    return [" ".join(re.findall(r"`([^`]+)`", cell)) for cell in line.strip("| ").split(" | ")]


def settings(of: str) -> dict[str, str]:
    """What the README has the explorer started with there."""
    return dict(word.split("=", 1) for word in shlex.split(row(of)[1]))


@pytest.fixture(scope="module")
def under_explorer(chromium: str) -> Iterator[Server]:
    """A server as for Traefik and nginx, which others in its network reach too."""
    assert settings("Traefik") == settings("nginx")
    server = Server(HOST="0.0.0.0", **settings("Traefik"))
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
    assert row("JupyterHub")[0] == "/user/NAME/proxy/8050/" and settings("JupyterHub") == {}
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


@pytest.mark.parametrize("strips", [True, False], ids=["strips", "keeps"])
@pytest.mark.parametrize("slash", ["/", ""], ids=["slash", "no slash"])
def test_a_proxy_that_strips_the_prefix_or_keeps_it(strips: bool, slash: str, visits: Visits, under_explorer: Server) -> None:
    told = {"X-Forwarded-Prefix": "/explorer"} if strips else {}
    with stand_in(under_explorer.port, "/explorer", strips=strips, headers=told) as port:
        works(visits(f"http://127.0.0.1:{port}/explorer{slash}"), "/explorer")
