"""Helpers for programs that start a server and send requests: a free port, and callback requests as the page sends them."""

from __future__ import annotations

import re
import socket
from typing import Any
from urllib.parse import urljoin


def free_port() -> int:
    """A free port of the loopback address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def named(page: str) -> list[str]:
    """The paths of the files that a page at ``/`` refers to, in its order; without what Dash fetches by itself."""
    return [urljoin("/", address) for address in re.findall(r'(?<!crossorigin )(?:src|href)="(\.?/[^"]+)"', page)]


def callback_request(output: str, source: str, question: object) -> dict[str, Any]:
    """The body of a request to the callback that computes the data of one store from that of another.

    Args:
        output: id of the output store.
        source: id of the input store.
        question: the data of the input store.
    """
    return {
        "output": f"{output}.data",
        "outputs": {"id": output, "property": "data"},
        "inputs": [{"id": source, "property": "data", "value": question}],
        "changedPropIds": [f"{source}.data"],
    }
