"""What the server answers about single methods: for the Methods tab, and for those that are pinned in Compare.

Plain data in, plain data out, as in ``answer``. A method that does not apply to the network answers with the reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from explorer.attribution import (
    METHODS,
    Attribution,
    figures,
    statistical_snr,
)
from explorer.attribution.field import values_at
from explorer.cost import check_methods
from explorer.labs.asked import asked
from explorer.state import State, StateError, Zoo

MOST = 4  # methods in one question, however little work they are


def check_methods_asked(state: State, names: object, zoo: Zoo) -> tuple[str, ...]:
    """The methods that are asked for.

    Raises:
        StateError: they are not 1 to ``MOST`` different ones of ``METHODS``, or together too much work.
    """
    if not isinstance(names, list) or not 1 <= len(names) <= MOST or not all(isinstance(name, str) for name in names):
        raise StateError(f"'methods' must be a list of 1 to {MOST} names")
    unknown = [name for name in names if name not in METHODS]
    if unknown or len(set(names)) < len(names):
        raise StateError(f"'methods' must name each method once, and only those there are{': ' + repr(unknown[0])[:40] if unknown else ''}")
    case = state.case(zoo)
    check_methods(state, case, [METHODS[name] for name in names if not METHODS[name].unsupported_reason(case.network)])
    return tuple(names)


def method_answers(state: State, names: Sequence[str], zoo: Zoo) -> dict[str, Any]:
    """The maps and figures of some methods, by name."""
    case = state.case(zoo)
    reasons = {name: METHODS[name].unsupported_reason(case.network) for name in names}
    size = float(np.abs(values_at(case, np.stack([case.input, case.baseline]))).max())
    return {
        "methods": {
            name: _refused(reason) if reason else _payload(asked(METHODS[name], case, state), size)
            for name, reason in reasons.items()
        }
    }


def _refused(reason: str) -> dict[str, Any]:
    return {"refusal": f"{reason[0].upper()}{reason[1:]}."}


def _payload(found: Attribution, size: float) -> dict[str, Any]:
    (numbers,) = figures(found.attribution[None], 0.0 if found.expected_sum is None else found.expected_sum, size)
    sums = None if found.expected_sum is None else numbers.completeness
    return {
        "map": found.attribution.ravel().tolist(),
        "snr": numbers.snr,
        "mean": numbers.mean,
        "total": numbers.completeness.total,
        "top": [list(pixel) for pixel in numbers.top],
        "expected_sum": found.expected_sum,
        "delta": sums and sums.delta,
        "share": sums and sums.share,
        "forward": found.forward,
        "backward": found.backward,
        "noise": statistical_snr(found.attribution, found.error),
    }
