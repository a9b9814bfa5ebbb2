"""Replicas of the explorer and nginx in front of them, on loopback, for ``failover.py``. Linux only: it reads /proc."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

from bench import processes
from bench.asking import free_port

ROOT = Path(__file__).resolve().parents[1]
TIMEOUT = 60  # seconds for a server to start or to end, on a slow machine
UNCHANGED: Mapping[str, str] = MappingProxyType({})
SETTINGS = {"HOST": "127.0.0.1", "WORKERS": "2", "URL_PREFIX": "/", "LOG_LEVEL": "error"}


def find_nginx() -> str | None:
    """The path of nginx; on Debian it is outside the PATH of ordinary users."""
    return shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


class Replica:
    """``python app.py`` on a free port, in its own process group."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.port = free_port()
        self.environment = {**os.environ, **SETTINGS, **settings, "PORT": str(self.port)}
        self.log = folder / f"replica-{self.port}.log"
        self.start()

    def start(self) -> None:
        """Start it, without waiting."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "app.py"], cwd=ROOT, env=self.environment, stdout=log, stderr=log, start_new_session=True
            )

    def workers(self) -> set[int]:
        """The pids of its workers."""
        return processes.workers(self.process.pid)

    def healthy(self) -> bool:
        """Whether ``/healthz`` answers with 200."""
        if self.process.poll() is not None:
            raise RuntimeError(f"a replica has ended:\n{self.log.read_text()}")
        try:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
            connection.request("GET", "/healthz")
            return connection.getresponse().status == 200
        except OSError:
            return False

    def kill(self) -> None:
        """Send SIGKILL to all of its processes."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(TIMEOUT)

    def stop(self) -> None:
        """Send SIGTERM, as a container engine does, without waiting."""
        self.process.terminate()

    def close(self) -> None:
        """End all processes."""
        if self.process.poll() is None:
            self.kill()


class HasPort(Protocol):
    """What nginx knows of a replica."""

    port: int


class Nginx:
    """nginx with the configuration of deploy/ in front of these replicas; it writes to the given folder only.

    ``changes`` are made in its copy of the configuration: each text, which must be there, is replaced by the other.
    """

    def __init__(self, program: str, folder: Path, replicas: Sequence[HasPort], changes: Mapping[str, str] = UNCHANGED) -> None:
        self.port = free_port()
        self.trouble = folder / "trouble.log"
        text = (ROOT / "deploy" / "nginx.conf").read_text(encoding="utf-8")
        if os.geteuid() == 0:  # the user www-data may be missing, or may not access the folder
            text = text.replace("user www-data;", "user root;")
        for there, wanted in changes.items():
            if there not in text:
                raise ValueError(f"nginx.conf does not say {there!r}")
            text = text.replace(there, wanted)
        (folder / "nginx.conf").write_text(text, encoding="utf-8")
        servers = [f"server 127.0.0.1:{replica.port} max_fails=0;" for replica in replicas]
        (folder / "replicas.conf").write_text("\n".join(servers))
        (folder / "listen.conf").write_text(f"listen 127.0.0.1:{self.port};\naccess_log trouble.log trouble if=$trouble;\n")
        kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        paths = [f"{kind}_temp_path {kind};" for kind in kinds]
        (folder / "paths.conf").write_text("\n".join([*paths, "proxy_cache_path files keys_zone=files:1m max_size=64m;"]))
        self.process = subprocess.Popen(
            [program, "-e", "stderr", "-p", f"{folder}/", "-c", f"{folder}/nginx.conf", "-g", "daemon off; pid nginx.pid;"],
            stderr=(folder / "nginx.log").open("wb"),
        )
        end = time.monotonic() + TIMEOUT
        while not self._listens():
            if self.process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"nginx did not start:\n{(folder / 'nginx.log').read_text()}")
            time.sleep(0.02)

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def retried(self) -> int:
        """How many requests it has sent to more than one replica so far."""
        if not self.trouble.exists():
            return 0
        return sum("," in json.loads(line)["statuses"] for line in self.trouble.read_text().splitlines())

    def close(self) -> None:
        """End all processes."""
        self.process.terminate()
        self.process.wait(TIMEOUT)
