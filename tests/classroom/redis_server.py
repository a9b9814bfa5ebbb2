"""A real Redis for tests, which can be killed and started again. Tests that need it are skipped where there is none (CI installs it)."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

needs_redis = pytest.mark.skipif(
    shutil.which("redis-server") is None and os.environ.get("CI") != "true", reason="Redis is not installed (on Debian: redis-server)"
)


class RedisServer:
    """On a free port of this machine, with its files in ``folder``; what was written survives a kill."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._folder = folder
        self.start()

    def start(self) -> None:
        options = f"--port {self.port} --bind 127.0.0.1 --appendonly yes --appendfsync always --daemonize no --dir".split()
        self._process = subprocess.Popen(["redis-server", *options, str(self._folder)], stdout=subprocess.DEVNULL)
        until = time.monotonic() + 10
        while True:
            try:
                with socket.create_connection(("127.0.0.1", self.port), 1) as connection:
                    connection.sendall(b"PING\r\n")
                    if connection.recv(64).startswith(b"+PONG"):
                        return
            except OSError:
                pass
            assert time.monotonic() < until and self._process.poll() is None, "redis-server did not start"
            time.sleep(0.02)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def pause(self, on: bool) -> None:
        """Have it hang, with its connections open, or go on."""
        self._process.send_signal(signal.SIGSTOP if on else signal.SIGCONT)
