"""``python app.py`` as a process of its own, for tests that meet it as a visitor or a supervisor does."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Coroutine, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, TypeVar

import pytest

from bench import processes
from bench.asking import callback_request

ROOT = Path(__file__).resolve().parent.parent
SETTINGS = ("HOST", "PORT", "URL_PREFIX", "PUBLIC_URL", "FRAME_ANCESTORS", "WORKERS", "QUEUE", "CACHE_MB", "LOG_LEVEL",
            "ACCESS_LOG", "METRICS", "TRUSTED_PROXIES", "ROOMS", "REDIS_URL", "ROOMS_FOLDER", "NETWORKS", "LESSONS", "LMS_ORIGIN")  # fmt: skip
Answer = TypeVar("Answer")
PATIENCE = 60  # seconds, on a slow machine


def environment(**settings: str) -> dict[str, str]:
    """This process's environment with exactly these settings of the explorer."""
    return {name: value for name, value in os.environ.items() if name not in SETTINGS} | settings


def awaited(work: Coroutine[Any, Any, Answer]) -> Answer:
    """``asyncio.run`` in a thread of its own: in this one Playwright's loop may be running."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


@contextmanager
def started(port: int, stderr: IO[str] | int = subprocess.PIPE, **settings: str) -> Iterator[subprocess.Popen[str]]:
    """``python app.py`` on this port while the block lasts. What writes more than a pipe's buffer needs a file for stderr."""
    process = subprocess.Popen(
        [sys.executable, "app.py"],
        cwd=ROOT,
        env=environment(PORT=str(port), **settings),
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


PAGE_LAYOUT = "/_dash-layout"


def refused(arguments: Sequence[str] = (), **settings: str) -> list[str]:
    """The lines on stderr of a start that must end by itself with exit code 1 and nothing on stdout."""
    done = subprocess.run(
        [sys.executable, "app.py", *arguments],
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


def update_body(output: str, source: str, value: object) -> bytes:
    """The request of a callback."""
    return json.dumps(callback_request(output, source, value)).encode()


def stroke(**state: Any) -> bytes:
    """The request of a stroke."""
    return update_body("explanation", "state", {"ask": 1, "state": state})


def methods_question(*methods: str, **state: Any) -> bytes:
    """The request of the Methods tab."""
    return update_body("method-answers", "method-question", {"ask": 1, "state": state, "methods": list(methods)})


def post(port: int, body: bytes, path: str = "/_dash-update-component") -> tuple[int, str, dict[str, str]]:
    """Ask a callback over a connection of its own; status, body and headers (names in lower case) of the answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request("POST", path, body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        return response.status, response.read().decode(), {name.lower(): value for name, value in response.getheaders()}
    finally:
        connection.close()


def say(port: int, *words: bytes) -> bytes:
    """Send raw bytes, and return all that comes until the other side closes the connection."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
        for word in words:
            connection.sendall(word)
        heard = b""
        while part := connection.recv(65536):
            heard += part
        return heard


def workers_of(process: subprocess.Popen[str]) -> set[int]:
    """The process ids of its workers (Linux)."""
    return processes.workers(process.pid)


def wait_for(condition: Any, what: str) -> Any:
    """Ask until the answer is true, and return it."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.02)  # between two questions, not for luck
    pytest.fail(f"waited in vain for {what}")


def stop(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """End it as a supervisor does; its exit code, and what it wrote to stdout and stderr."""
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=PATIENCE)
    return process.returncode, out, err
