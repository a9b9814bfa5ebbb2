"""Proxies for tests: nginx, whose tests are skipped where there is none (CI installs it), and a small stand-in for others."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import MappingProxyType

import pytest
from serving import wait_for

from bench.asking import free_port
from scripts.replicas import find_nginx

needs_nginx = pytest.mark.skipif(
    find_nginx() is None and os.environ.get("CI") != "true", reason="nginx is not installed (on Debian: nginx-light)"
)
NONE: Mapping[str, str] = MappingProxyType({})


@contextmanager
def nginx(location: str, folder: Path) -> Iterator[int]:
    """nginx with nothing but one ``location`` block; all that it writes lies in a folder. Yields its port."""
    port = free_port()
    user = "user root;" if os.geteuid() == 0 else ""  # somebody else might not reach the folder
    paths = "".join(f"{kind}_temp_path {kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    config = f"{user} events {{}} http {{ access_log off; {paths} server {{ listen 127.0.0.1:{port}; {location} }} }}"
    (folder / "nginx.conf").write_text(config)
    command = [str(find_nginx()), "-e", "stderr", "-p", f"{folder}/", "-c", f"{folder}/nginx.conf", "-g", "daemon off; pid nginx.pid;"]
    process = subprocess.Popen(command)
    try:
        wait_for(lambda: _listens(port), "nginx")
        yield port
    finally:
        process.terminate()
        process.wait(60)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def stand_in(port: int, prefix: str, *, strips: bool, headers: Mapping[str, str] = NONE) -> Iterator[int]:
    """A site that passes what lies under a prefix on to a server on this machine, and has nothing else.

    Args:
        port: of that server.
        prefix: without a slash at its end.
        strips: whether the server is asked without the prefix.
        headers: that the server is told besides.

    Yields:
        The port of the site.
    """

    class Site(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            if not f"{self.path.partition('?')[0]}/".startswith(f"{prefix}/"):
                self.send_error(404)
                return
            path = self.path.removeprefix(prefix) if strips else self.path
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            server = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            server.request(self.command, path if path.startswith("/") else f"/{path}", body, {**self.headers, **headers})
            answer = server.getresponse()
            content = answer.read()
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in ("connection", "date", "server", "transfer-encoding", "content-length"):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)) if self.command != "HEAD" else answer.getheader("Content-Length", "0"))
            self.end_headers()
            self.wfile.write(content)
            server.close()

        do_HEAD = do_POST = do_GET  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    with _serving(Site) as served:
        yield served


class Line:
    """A network on the way to a port of this machine, which can be cut: what is under way then waits, and nobody is told, as where a signal is lost."""

    def __init__(self, port: int) -> None:
        self._to, self._whole = port, threading.Event()
        self._whole.set()
        self._gate = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._gate.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self, on: bool) -> None:
        """Cut it, or mend it."""
        (self._whole.clear if on else self._whole.set)()

    def close(self) -> None:
        """Take no more connections."""
        self._gate.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._gate.accept()
                far = socket.create_connection(("127.0.0.1", self._to))
                for ends in ((near, far), (far, near)):
                    threading.Thread(target=self._carry, args=ends, daemon=True).start()

    def _carry(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while part := source.recv(65536):
                self._whole.wait()
                target.sendall(part)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


@contextmanager
def course(page: str) -> Iterator[int]:
    """A site that has but one page. Yields its port."""

    class Course(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(page.encode())

        def log_message(self, *_: object) -> None:
            pass

    with _serving(Course) as port:
        yield port


@contextmanager
def _serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as site:
        threading.Thread(target=site.serve_forever, daemon=True).start()
        yield site.server_port
        site.shutdown()
