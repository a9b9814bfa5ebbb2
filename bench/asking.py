"""What everybody needs who starts a server and asks it: a port for it, and the request of a callback as the page writes it."""

from __future__ import annotations

import re
import socket
from typing import Any
from urllib.parse import urljoin


def free_port() -> int:
    """A port of the loopback address that nobody uses just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def named(page: str) -> list[str]:
    """The paths of the files that a page at ``/`` names, in its order."""
    return [urljoin("/", address) for address in re.findall(r'(?:src|href)="(\.?/[^"]+)"', page)]


def callback_request(output: str, source: str, question: object) -> dict[str, Any]:
    """The body of a request to the callback that answers the data of one store with that of another.

    Args:
        output: id of the store that is answered into.
        source: id of the store that holds the question.
        question: what it holds.
    """
    return {
        "output": f"{output}.data",
        "outputs": {"id": output, "property": "data"},
        "inputs": [{"id": source, "property": "data", "value": question}],
        "changedPropIds": [f"{source}.data"],
    }
