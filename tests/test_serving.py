"""Starting and stopping: ``python app.py`` as a user, a supervisor or a container meets it."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from flask import Flask

ROOT = Path(__file__).resolve().parent.parent
SETTINGS = ("HOST", "PORT", "URL_PREFIX", "FRAME_ANCESTORS", "WORKERS", "THREADS", "TIMEOUT", "LOG_LEVEL")
PATIENCE = 60  # seconds, on a slow machine


def environment(**settings: str) -> dict[str, str]:
    """This process's environment with exactly these settings of the explorer."""
    return {name: value for name, value in os.environ.items() if name not in SETTINGS} | settings


def free_port() -> int:
    """A port of the loopback address that nobody uses just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def started(port: int, **settings: str) -> Iterator[subprocess.Popen[str]]:
    """``python app.py`` on this port, for as long as the block lasts."""
    process = subprocess.Popen(
        [sys.executable, "app.py"],
        cwd=ROOT,
        env=environment(PORT=str(port), **settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def refused(**settings: str) -> list[str]:
    """The lines on stderr of a start that must end by itself with exit code 1 and nothing on stdout."""
    done = subprocess.run(
        [sys.executable, "app.py"],
        cwd=ROOT,
        env=environment(**settings),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    return done.stderr.splitlines()


def get(port: int, path: str) -> tuple[int, str]:
    """Status and body of a page."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


def wait_until_healthy(process: subprocess.Popen[str], port: int, path: str = "/healthz") -> None:
    """Ask for `path` until it answers with 200."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and process.poll() is None:
        try:
            if get(port, path)[0] == 200:
                return
        except OSError:
            time.sleep(0.02)  # between two questions, not for luck
    process.kill()
    pytest.fail(f"no healthy answer on {port}: {process.communicate()}")


def test_python_app_prints_its_address_answers_and_ends_with_0_on_sigterm() -> None:
    port = free_port()
    with started(port) as process:
        wait_until_healthy(process, port)
        status, page = get(port, "/")
        assert status == 200
        assert "<title>Gradient Attribution Explorer</title>" in page
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=PATIENCE)
    assert out.splitlines() == [f"Gradient Attribution Explorer: http://127.0.0.1:{port}/"]
    assert (process.returncode, err) == (0, "")


def test_a_prefix_moves_the_page_and_the_health_check_that_the_image_uses() -> None:
    port = free_port()
    with started(port, URL_PREFIX="/explorer/") as process:
        wait_until_healthy(process, port, "/explorer/healthz")
        assert get(port, "/")[0] == 404
        assert healthcheck(port, "/explorer/") == 0
        process.terminate()
        out, _ = process.communicate(timeout=PATIENCE)
    assert out.strip().endswith(f"http://127.0.0.1:{port}/explorer/")
    assert healthcheck(port, "/explorer/") != 0


def healthcheck(port: int, prefix: str) -> int:
    """The exit code of the image's health check; a proxy that is not there must not matter to it."""
    settings = environment(PORT=str(port), URL_PREFIX=prefix, http_proxy="http://127.0.0.1:9")
    command = [sys.executable, "scripts/healthcheck.py"]
    return subprocess.run(
        command, cwd=ROOT, env=settings, capture_output=True, timeout=PATIENCE, check=False
    ).returncode


def test_a_taken_port_is_refused_in_one_line_that_names_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        lines = refused(PORT=port)
    assert len(lines) == 1
    assert port in lines[0]


@pytest.mark.parametrize("port", ["abc", "", "0", "65536", "-1", "80.5"])
def test_what_is_no_port_is_refused_in_one_line_that_repeats_it(port: str) -> None:
    lines = refused(PORT=port)
    assert len(lines) == 1
    assert "PORT" in lines[0]
    assert repr(port) in lines[0]


def test_server_is_a_wsgi_application(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in SETTINGS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delitem(sys.modules, "app", raising=False)  # it may have been imported under other settings

    from app import server

    assert isinstance(server, Flask)
    assert server.test_client().get("/healthz").status_code == 200
