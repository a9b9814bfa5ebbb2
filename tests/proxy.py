"""Proxies for tests: nginx, whose tests are skipped where there is none (CI installs it), and a small stand-in for others."""

from __future__ import annotations

import http.client
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import MappingProxyType

import pytest

from scripts.replicas import find_nginx

needs_nginx = pytest.mark.skipif(
    find_nginx() is None and os.environ.get("CI") != "true", reason="nginx is not installed (on Debian: nginx-light)"
)
NONE: Mapping[str, str] = MappingProxyType({})


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

        def pass_on(self) -> None:
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

        do_GET = do_HEAD = do_POST = pass_on

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Site) as site:
        threading.Thread(target=site.serve_forever, daemon=True).start()
        yield site.server_port
        site.shutdown()
