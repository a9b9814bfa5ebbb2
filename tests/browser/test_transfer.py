"""What a browser really fetches: how much at a first visit, and what of it again at the next."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest

from .conftest import Server
from .visit import Visit

FIRST_VISIT = 450_000  # bytes with headers, the aim
FILES = "/static/"


@dataclass
class Wire:
    """What Chromium's network stack says of one page load."""

    paths: dict[str, str] = field(default_factory=dict)  # by the number of a request
    bytes: dict[str, float] = field(default_factory=dict)
    statuses: dict[str, int] = field(default_factory=dict)  # as they were on the wire, so 304 and not what a cache made of it
    cached: set[str] = field(default_factory=set)

    @contextmanager
    def listening(self, visit: Visit) -> Iterator[None]:
        """Note all requests that the block makes, until the network rests."""
        tools = visit.devtools()
        heard: dict[str, Callable[[dict[str, Any]], None]] = {
            "requestWillBeSent": lambda e: self.paths.__setitem__(e["requestId"], e["request"]["url"]),
            "loadingFinished": lambda e: self.bytes.__setitem__(e["requestId"], e["encodedDataLength"]),
            "responseReceivedExtraInfo": lambda e: self.statuses.__setitem__(e["requestId"], e["statusCode"]),
            "requestServedFromCache": lambda e: self.cached.add(e["requestId"]),
            "responseReceived": lambda e: self.cached.add(e["requestId"]) if e["response"].get("fromDiskCache") else None,
        }
        for name, listener in heard.items():
            tools.on(f"Network.{name}", listener)
        tools.send("Network.enable")
        yield
        visit.page.wait_for_load_state("networkidle")
        tools.detach()

    def asked(self, part: str = "") -> dict[str, str]:
        """The requests for http addresses that contain this."""
        return {number: url for number, url in self.paths.items() if url.startswith("http") and part in url}


@pytest.mark.parametrize("offered", [{}, {"extra_http_headers": {"Accept-Encoding": "gzip"}}])  # the latter as over plain http
def test_a_first_visit_transfers_at_most_450_kb_from_this_server_alone(
    visits: Callable[..., Visit], server: Server, offered: dict[str, Any]
) -> None:
    visit, wire = visits(server.address, apart=True, **offered), Wire()
    with wire.listening(visit):
        visit.open()
    asked = wire.asked()
    assert {urlsplit(url).netloc for url in asked.values()} == {urlsplit(server.address).netloc}
    assert asked.keys() <= wire.bytes.keys()
    assert {wire.statuses[number] for number in asked} == {200}  # what no page asks is missing: this one asks no such thing
    assert len(wire.asked(FILES)) >= 3
    assert 100_000 < sum(wire.bytes[number] for number in asked) <= FIRST_VISIT


def test_a_second_visit_fetches_no_file_again_and_the_page_only_if_it_changed(visits: Callable[..., Visit], server: Server) -> None:
    visit, first, second = visits(server.address, apart=True), Wire(), Wire()
    with first.listening(visit):
        visit.open()
    visit.page.goto("about:blank")
    with second.listening(visit):
        visit.open()
    assert sorted(second.asked(FILES).values()) == sorted(first.asked(FILES).values())
    assert not first.asked(FILES).keys() & first.cached
    assert second.asked(FILES).keys() <= second.cached
    for path in ("", "_dash-layout", "_dash-dependencies"):
        (number,) = (number for number, url in second.asked().items() if url == server.address + path)
        assert second.statuses[number] == 304, path


def test_the_stylesheet_and_the_scripts_are_the_ones_of_the_build(visit: Visit) -> None:
    named = visit.page.evaluate("() => [...document.scripts, ...document.querySelectorAll('link[rel=stylesheet]')].map((e) => e.src || e.href)")
    files = [urlsplit(address).path for address in named if address]
    assert files and all(path.startswith(FILES) for path in files)
    assert visit.page.evaluate("() => window.Plotly") is None  # the charts are the page's own
