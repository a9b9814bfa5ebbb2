"""Two replicas of the explorer and nginx before them, on loopback, for ``failover.py``. Linux only: it looks into /proc."""

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
from pathlib import Path

from bench import processes
from bench.asking import free_port

ROOT = Path(__file__).resolve().parents[1]
PATIENCE = 60  # seconds for a server to come up or to end, on a slow machine
SETTINGS = {"HOST": "127.0.0.1", "WORKERS": "2", "URL_PREFIX": "/", "LOG_LEVEL": "error"}


def find_nginx() -> str | None:
    """The program's path; Debian keeps it where the PATH of those who are not root does not lead."""
    return shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


class Replica:
    """``python app.py`` on a port of its own, in a process group of its own."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.port = free_port()
        self.environment = {**os.environ, **SETTINGS, **settings, "PORT": str(self.port)}
        self.log = folder / f"replica-{self.port}.log"
        self.start()

    def start(self) -> None:
        """Start it, without waiting for it."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "app.py"], cwd=ROOT, env=self.environment, stdout=log, stderr=log, start_new_session=True
            )

    def workers(self) -> set[int]:
        """The process ids of its workers."""
        return processes.workers(self.process.pid)

    def healthy(self) -> bool:
        """Whether it answers."""
        if self.process.poll() is not None:
            raise RuntimeError(f"a replica ended by itself:\n{self.log.read_text()}")
        try:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
            connection.request("GET", "/healthz")
            return connection.getresponse().status == 200
        except OSError:
            return False

    def kill(self) -> None:
        """SIGKILL to the whole of it."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(PATIENCE)

    def stop(self) -> None:
        """SIGTERM, as from a container's engine, without waiting for its end."""
        self.process.terminate()

    def close(self) -> None:
        """Leave nothing behind."""
        if self.process.poll() is None:
            self.kill()


class Nginx:
    """nginx with the configuration of deploy/ before these replicas; all that it writes lies in the given folder."""

    def __init__(self, program: str, folder: Path, replicas: list[Replica]) -> None:
        self.port = free_port()
        self.trouble = folder / "trouble.log"
        text = (ROOT / "deploy" / "nginx.conf").read_text(encoding="utf-8")
        if os.geteuid() == 0:  # somebody else might not reach the folder, and on some systems has another name
            text = text.replace("user www-data;", "user root;")
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
        end = time.monotonic() + PATIENCE
        while not self._listens():
            if self.process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"nginx did not start:\n{(folder / 'nginx.log').read_text()}")
            time.sleep(0.02)  # between two questions

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def asked_again(self) -> int:
        """How many questions it has asked more than one replica so far."""
        if not self.trouble.exists():
            return 0
        return sum("," in json.loads(line)["statuses"] for line in self.trouble.read_text().splitlines())

    def close(self) -> None:
        """Leave nothing behind."""
        self.process.terminate()
        self.process.wait(PATIENCE)
