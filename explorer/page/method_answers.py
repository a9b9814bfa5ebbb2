"""What the server answers about single methods: for the Methods tab, and for those that are pinned in Compare.

Plain data in, plain data out, as in ``answer``. A method that does not apply to the network answers with the reason.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from explorer.attribution import (
    METHODS,
    Answer,
    Case,
    Method,
    exact_integrated_gradients,
    figures,
    rank_correlations,
    statistical_snr,
)
from explorer.attribution.measures import completeness
from explorer.attribution.method import delta_f
from explorer.attribution.network import Floats
from explorer.state import State, StateError, Zoo

MOST = 4  # methods in one question; a single one takes up to 2 s, exact Shapley values on a convolutional network


def method_answers(state: State, names: object, zoo: Zoo) -> dict[str, Any]:
    """The maps and figures of some methods, by name, and the rank correlations between those that apply.

    Raises:
        StateError: the names are not 1 to ``MOST`` different ones of ``METHODS``.
    """
    if not isinstance(names, list) or not 1 <= len(names) <= MOST or not all(isinstance(name, str) for name in names):
        raise StateError(f"'methods' must be a list of 1 to {MOST} names")
    unknown = [name for name in names if name not in METHODS]
    if unknown or len(set(names)) < len(names):
        raise StateError(f"'methods' must name each method once, and only those there are{': ' + repr(unknown[0])[:40] if unknown else ''}")
    case = state.case(zoo)
    told: dict[str, Any] = {}
    maps: list[Floats] = []
    for name in names:
        method = METHODS[name]
        if reason := method.refusal(case.network):
            told[name] = {"refusal": f"{reason[0].upper()}{reason[1:]}."}
            continue
        found = _asked(method, case, state)
        told[name] = _payload(found)
        maps.append(found.attribution)
    return {"methods": told, "correlations": correlations(maps, [name for name in names if "map" in told[name]])}


def correlations(maps: list[Floats], names: list[str]) -> dict[str, Any]:
    """Spearman's correlation of each two maps as a table; None where a map is flat."""
    table = rank_correlations(np.stack(maps)).tolist() if maps else []
    return {"names": names, "table": [[None if math.isnan(value) else value for value in row] for row in table]}


def _asked(method: Method, case: Case, state: State) -> Answer:
    if method.name == "integrated_gradients" and state.rule == "exact":
        exact = exact_integrated_gradients(case)
        pieces = len(exact.alphas)
        return Answer(exact.attribution, forward=pieces + 1, backward=pieces, goal=delta_f(case))
    return method(case, **state.values(method))


def _payload(found: Answer) -> dict[str, Any]:
    (numbers,) = figures(found.attribution[None], 0.0 if found.goal is None else found.goal)
    sums = None if found.goal is None else completeness(found.attribution, found.goal)
    return {
        "map": found.attribution.ravel().tolist(),
        "snr": numbers.snr,
        "mean": numbers.mean,
        "total": numbers.completeness.total,
        "top": [list(pixel) for pixel in numbers.top],
        "goal": found.goal,
        "delta": sums and sums.delta,
        "share": sums and sums.share,
        "forward": found.forward,
        "backward": found.backward,
        "noise": statistical_snr(found.attribution, found.error),
    }
