"""What the page's two callbacks answer, without a server."""

from __future__ import annotations

import json
from typing import Any

from serving import awaited

from explorer.page.callbacks import explained, explained_by_methods
from explorer.server.compute import Compute
from explorer.server.metrics import Metrics
from explorer.state import Zoo

COMPUTE = Compute(1, 0, Metrics("test"))  # nothing is kept


def answer_to(question: object, zoo: Zoo) -> dict[str, Any]:
    """The answer to a question about a state or a link, or about single methods."""
    asked = explained_by_methods if isinstance(question, dict) and "methods" in question else explained
    said: dict[str, Any] = json.loads(awaited(asked(question, zoo, COMPUTE)))
    return said
