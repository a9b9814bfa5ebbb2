"""A browser and a server for the whole session, a freshly loaded page for every test; nobody leaves with an error."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect, sync_playwright
from serving import SETTINGS

from bench.asking import callback_request, free_port

from .chromium import EXPOSE, LAUNCH_ARGUMENTS, NAMES, find_chromium
from .visit import PATIENCE as MILLISECONDS
from .visit import WATCH, Visit

ROOT = Path(__file__).resolve().parents[2]
WIDE = ViewportSize(width=1440, height=1000)
PATIENCE = 60  # seconds, on a slow machine
expect.set_options(timeout=MILLISECONDS)


class Server:
    """``python app.py`` of a folder on a port of its own, with these settings; it can be stopped and started again on the same port."""

    def __init__(self, folder: Path = ROOT, **settings: str) -> None:
        self.folder = folder
        self.command = ["app.py"]
        self.settings = {"WORKERS": "1", **settings}  # which start in half the time of two
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}/"
        self.log = tempfile.TemporaryFile("w+")  # noqa: SIM115 - it lasts as long as the server
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> Server:
        """Start it and wait until it is healthy."""
        environment = {name: value for name, value in os.environ.items() if name not in SETTINGS}
        environment |= {**self.settings, "PORT": str(self.port)}
        self.process = subprocess.Popen(
            [sys.executable, *self.command],
            cwd=self.folder,
            env=environment,
            stdout=self.log,
            stderr=self.log,
            text=True,
            start_new_session=True,  # so that all its processes can be killed as one
        )
        end = time.monotonic() + PATIENCE
        while not self._healthy():
            if time.monotonic() > end or not self.runs():
                self.stop()
                pytest.fail(f"the server did not start:\n{self.said()}")
            time.sleep(0.02)  # between two questions, not for luck
        return self

    def _healthy(self) -> bool:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
            connection.request("GET", "/healthz")
            return connection.getresponse().status == 200
        except OSError:
            return False

    def warm(self) -> Server:
        """Ask both workers something, so that no visitor meets a cold one."""
        question = callback_request("explanation", "state", {"ask": 1, "state": {}})
        for _ in range(8):
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
            headers = {"Content-Type": "application/json"}
            connection.request("POST", "/_dash-update-component", json.dumps(question), headers)
            assert connection.getresponse().status == 200
        return self

    def stop(self) -> None:
        """End all its processes at once; what they were about to answer is lost."""
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(PATIENCE)
            self.process = None

    def runs(self) -> bool:
        """Whether its process is there."""
        return self.process is not None and self.process.poll() is None

    def ended(self) -> int | None:
        """Its exit code; minus the number of the signal that ended it."""
        return self.process.poll() if self.process else None

    def said(self) -> str:
        """What it wrote to its log."""
        self.log.seek(0)
        return self.log.read()


@pytest.fixture(scope="session")
def chromium() -> str:
    """The browser to drive. None on this machine is a failure in CI and else a reason to skip."""
    path = find_chromium()
    if path is None:
        missing = f"no browser: set CHROMIUM to one, or install any of {', '.join(NAMES)}"
        if os.environ.get("CI", "").lower() in ("1", "true"):
            pytest.fail(missing)
        pytest.skip(missing)
    return path


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Browser]:
    """One browser for all tests."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=LAUNCH_ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def server(chromium: str) -> Iterator[Server]:
    """One server for all tests but those that take it away; it must not log an error."""
    server = Server(WORKERS="2")
    try:
        yield server.start().warm()
        assert server.runs(), f"the server ended by itself ({server.ended()}): {server.said()}"
    finally:
        server.stop()
    assert "unexpected error" not in server.said(), server.said()


@pytest.fixture
def mortal_server(chromium: str) -> Iterator[Server]:
    """A server that a test may stop."""
    server = Server()
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture(scope="session")
def class_server(chromium: str) -> Iterator[Server]:
    """A server with rooms, for all tests of them; each opens a room of its own."""
    server = Server(ROOMS="1")
    try:
        yield server.start()
    finally:
        server.stop()
    assert "unexpected error" not in server.said(), server.said()


def new_page(browser: Browser, **options: Any) -> Page:
    """A page under watch in a context of its own."""
    page = browser.new_context(**{"viewport": WIDE, **options}).new_page()
    page.add_init_script(EXPOSE + WATCH)
    return page


@pytest.fixture(scope="session")
def common_page(browser: Browser) -> Page:
    """The page of visitors who ask for nothing special: loading it again is three times as fast as in a new context."""
    return new_page(browser)


@pytest.fixture
def visits(browser: Browser, common_page: Page) -> Iterator[Callable[..., Visit]]:
    """A new visitor for every call.

    ``visits(address)`` loads the common page, once in a test; with options of a context, or ``apart=True``, a visitor
    comes in a context of their own. ``apart=None``: only where the common page is taken.
    """
    made: list[Visit] = []

    def visit(address: str, *, apart: bool | None = False, **options: Any) -> Visit:
        if apart is None:
            apart = any(common_page.context == other.context for other in made)
        page = new_page(browser, **options) if apart or options else common_page
        assert all(page.context != other.context for other in made), "the common page is taken: come apart"
        made.append(Visit(page, address))
        return made[-1]

    yield visit
    try:
        for visit_ in made:
            visit_.check()
    finally:
        for visit_ in made:
            if visit_.context == common_page.context:
                visit_.leave()
                common_page.set_viewport_size(WIDE)
            else:
                visit_.context.close()


@pytest.fixture
def visit(visits: Callable[..., Visit], server: Server) -> Visit:
    """A visit to the explorer, opened in its opening state."""
    return visits(server.address).open_when_used()
