"""``/readyz``: whether this worker would answer right. (``/healthz``, whether it is alive, is Dash's own.)

What the probe explanations are compared with comes from elsewhere than the code that makes them: a formula, labels that
people gave, and what must hold for any network.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

import numpy as np
from flask import Flask, Response

from explorer import models, pictures
from explorer.attribution import exact_integrated_gradients
from explorer.attribution.network import Floats
from explorer.page.admission import Lane
from explorer.page.answer import answer
from explorer.state import State, Zoo

NETWORKS = ("shapes", "digits", "digits-cnn", "digits-rewritten", "logistic")
LABELLED = 0.9  # the least share of the digits on the page that must be read right; it is 0.98 and more
NEAR = 1e-9
VALID = 10.0  # seconds for which a finding holds


class Readiness:
    """What keeps a worker from answering right, looked for now and then.

    Args:
        zoo: the networks.
        stopping: whether the worker is about to end.
    """

    def __init__(self, zoo: Zoo, stopping: Callable[[], bool] = lambda: False) -> None:
        self.stopping = stopping
        self._zoo = zoo
        self._digits = pictures.digit_samples(models.FOLDER)
        self._lock = threading.Lock()
        self._lane = Lane(1, 0)  # not that of the visitors, whose line may be long; nor any thread that asks
        self._found: tuple[float, str | None] = (-VALID, None)

    def refusal(self) -> str | None:
        """One sentence about what is wrong; None when the worker is ready."""
        if self.stopping():
            return "This worker is about to stop."
        with self._lock:
            when, finding = self._found
            if time.monotonic() - when >= VALID:
                finding = self._lane.compute(self.find_fault)
                self._found = time.monotonic(), finding
        return finding

    def find_fault(self) -> str | None:
        """One sentence about what is wrong with the networks, looked for just now; None when all is right."""
        return find_fault(self._zoo, self._digits)


def add(server: Flask, prefix: str, readiness: Readiness) -> None:
    """Serve ``/readyz`` under a prefix."""

    @server.get(f"{prefix}readyz")
    def readyz() -> Response:
        refusal = readiness.refusal()
        return Response(f"{refusal or 'Ready.'}\n", 503 if refusal else 200, mimetype="text/plain")


def find_fault(zoo: Zoo, digits: Sequence[Sequence[Floats]]) -> str | None:
    """The first thing that is wrong with a zoo, in one sentence; None when all is right.

    Args:
        zoo: the networks.
        digits: labelled pictures: of each of 0…9 some.
    """
    if missing := [name for name in NETWORKS if name not in zoo]:
        return f"The network {missing[0]} is not loaded."
    try:
        wrong = _logistic_fault(zoo) or _reading_fault(zoo, digits) or _sum_fault(zoo)
    except Exception as error:  # whatever it is, nobody should be sent here
        return f"The probe explanation failed with {type(error).__name__}."
    return wrong and f"The network {wrong}."


def _logistic_fault(zoo: Zoo) -> str | None:
    """Its gradient and Integrated Gradients against the closed form: sigmoid(B + Σ W x) along a straight line."""
    picture, weights = pictures.PATTERNS["circle"], models.logistic_weights()
    said = answer(State(pixels=tuple(picture.ravel()), network="logistic", target=1, rule="exact"), zoo)["methods"]
    start, end = (1 / (1 + np.exp(-models.LOGISTIC_BIAS - shift)) for shift in (0.0, (weights * picture).sum()))
    expected = {
        "gradient": end * (1 - end) * weights,
        "integrated_gradients": (end - start) * weights * picture / (weights * picture).sum(),
    }
    for name, attribution in expected.items():
        if not np.allclose(said[name]["map"], attribution.ravel(), rtol=0, atol=NEAR):
            return f"logistic gets another {name.replace('_', ' ')} than its formula"
    return None


def _reading_fault(zoo: Zoo, digits: Sequence[Sequence[Floats]]) -> str | None:
    """Whether networks still know what they were trained on: the page's digits, and the edges it opens with."""
    labels = np.repeat(np.arange(len(digits)), [len(samples) for samples in digits])
    shown = np.concatenate([np.stack(samples) for samples in digits])
    for name in ("digits", "digits-cnn", "digits-rewritten"):
        if (zoo[name].network.scores(shown).argmax(axis=1) == labels).mean() < LABELLED:
            return f"{name} misreads digits"
    edges = np.stack([pictures.PATTERNS["edge"], pictures.PATTERNS["horizontal"]])
    if [zoo["shapes"].classes[c] for c in zoo["shapes"].network.scores(edges).argmax(axis=1)] != ["vertical edge", "horizontal edge"]:
        return "shapes misreads edges"
    gap = zoo["digits"].network.scores(shown) - zoo["digits-rewritten"].network.scores(shown)
    return None if np.abs(gap).max() < NEAR else "digits differs from its rewritten form"


def _sum_fault(zoo: Zoo) -> str | None:
    """Completeness: exact Integrated Gradients share out ΔF, whose two ends come from a plain forward pass."""
    for name in NETWORKS:
        case = State(network=name).case(zoo)
        ends = zoo[name].network.scores(np.stack([case.baseline, case.input]))[:, case.target]
        attribution = exact_integrated_gradients(case).attribution
        if not abs(attribution.sum() - (ends[1] - ends[0])) < NEAR * (1 + np.abs(attribution).sum()):
            return f"{name} gets attributions that do not sum to ΔF"
    return None
