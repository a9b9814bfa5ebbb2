"""One server with rooms for all tests that do not take it away."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from serving import started, wait_until_healthy

from bench.asking import free_port


@dataclass(frozen=True)
class Site:
    """A server with two workers behind a proxy that is trusted, which logs all that it can."""

    process: subprocess.Popen[str]
    port: int
    log: Path

    def lines(self) -> list[dict[str, Any]]:
        """What it has logged so far."""
        return [json.loads(line) for line in self.log.read_text().splitlines(keepends=True) if line.endswith("\n")]


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    port, log = free_port(), tmp_path_factory.mktemp("rooms") / "log"
    settings = {"ROOMS": "1", "WORKERS": "2", "ACCESS_LOG": "1", "LOG_LEVEL": "debug", "TRUSTED_PROXIES": "1"}
    with log.open("w") as written, started(port, stderr=written, **settings) as process:
        wait_until_healthy(process, port, "/readyz")
        yield Site(process, port, log)
    assert "unexpected error" not in log.read_text(), log.read_text()
