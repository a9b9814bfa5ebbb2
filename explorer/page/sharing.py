"""``/addresses``: for a page that was opened on the server's own machine, where others can open it."""

from __future__ import annotations

import re

from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import NotFound

from explorer.addresses import urls_for_others
from explorer.serving import Serving

# As in takeaway.js: the hosts that every machine takes for itself.
ITSELF = re.compile(r"(localhost|.*\.localhost|127(\.\d+){3}|\[::1\]|0\.0\.0\.0|\[::\])(:\d+)?", re.ASCII | re.I)


def add(server: Flask, serving: Serving) -> None:
    """Serve ``/addresses``, a JSON list of URLs. They are looked up anew, as a laptop changes its network."""

    @server.get("/addresses")
    def addresses() -> Response:
        if not ITSELF.fullmatch(request.host):  # addresses inside a network are nobody else's business
            raise NotFound
        answer: Response = jsonify(urls_for_others(serving))
        answer.headers["Cache-Control"] = "no-store"
        return answer
