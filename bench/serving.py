"""(b) The explain callback over HTTP against an empty Dash callback, and (d) the time to the first healthy response."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import median
from typing import IO

from bench.asking import callback_request, free_port
from bench.pairs import Row, slower_row
from explorer.state import State

ROOT = Path(__file__).resolve().parent.parent


@contextmanager
def running(*command: str, stderr: IO[bytes] | None = None, **settings: str) -> Iterator[tuple[int, int]]:
    """Run a server on a free port while the block lasts; yields its port and process id once it is healthy.

    Args:
        command: the arguments of Python.
        stderr: where its stderr goes.
        settings: environment variables.
    """
    port = free_port()
    environment = {**os.environ, "HOST": "127.0.0.1", "PORT": str(port), "URL_PREFIX": "/", **settings}
    process = subprocess.Popen([sys.executable, *command], cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=stderr)
    try:
        _wait_until_healthy(port, environment["URL_PREFIX"])
        yield port, process.pid
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_healthy(port: int, prefix: str, timeout: float = 60) -> None:
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", f"{prefix}healthz")
            if connection.getresponse().status == 200:
                return
        except OSError:
            pass
        time.sleep(0.02)
    raise TimeoutError(f"no healthy response on port {port}")


def http_rows() -> list[Row]:
    """Both requests in turn over one keep-alive connection to the same server."""
    with running("-m", "bench.served", WORKERS="1", CACHE_MB="0") as (port, _):
        connection = http.client.HTTPConnection("127.0.0.1", port)
        question = {"ask": 1, "state": State().to_json()}
        explain, empty = (
            partial(_post, connection, json.dumps(callback_request(output, source, question)).encode())
            for output, source in (("explanation", "state"), ("empty-output", "empty-input"))
        )
        return [slower_row("explain callback through HTTP", explain, "empty Dash callback, same server", empty, repeats=300, aim="≤ 2 ×")]


def _post(connection: http.client.HTTPConnection, body: bytes) -> None:
    connection.request("POST", "/_dash-update-component", body, {"Content-Type": "application/json"})
    response = connection.getresponse()
    text = response.read()
    if response.status != 200:
        raise RuntimeError(f"{response.status}: {text[:200]!r}")


def start_rows(repeats: int = 3) -> list[Row]:
    """Start to first healthy response, against the imports that every program with Dash and torch needs."""
    starts, imports = [], []
    for _ in range(repeats + 1):
        begin = time.perf_counter()
        with running("app.py"):
            starts.append(1000 * (time.perf_counter() - begin))
        begin = time.perf_counter()
        subprocess.run([sys.executable, "-c", "import torch, dash"], check=True)
        imports.append(1000 * (time.perf_counter() - begin))
    a, b = median(starts[1:]), median(imports[1:])  # the first of each fills the disk cache
    return [Row("start to first healthy response", a, "python -c 'import torch, dash'", b, f"{a / b:.2f} ×")]
