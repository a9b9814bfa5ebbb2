"""Counts of requests and answers, for Prometheus; no count tells one visitor from another.

Each worker counts in files that all workers read (prometheus_client's multiprocess mode, prepared by ``app.main``).
"""

from __future__ import annotations

import os
from pathlib import Path

FOLDER = "PROMETHEUS_MULTIPROC_DIR"  # the environment variable that prometheus_client reads
STROKES, METHODS = "explanation", "method-answers"  # the callbacks, by the id of their output
CALLBACKS = (STROKES, METHODS)
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
NO_CALLBACK = "none"
REFUSALS = ("body", "question", "address", "method", "size", "busy", "other")
SECONDS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.15, 0.25, 0.5, 1.0, 2.0, 5.0)


class Counts:
    """Counts nothing: what the explorer has unless somebody wants to know."""

    def worker_started(self) -> None:
        """A worker is ready to be asked."""

    def came(self) -> None:
        """A request came."""

    def answered(self, callback: str | None, status: int, seconds: float) -> None:
        """A request is answered, of a callback or of none."""

    def refused(self, reason: str) -> None:
        """A request was refused, for one of ``REFUSALS``."""

    def shed(self, callback: str, reason: str) -> None:
        """There was no place for a question: its queue was ``"full"``, or it waited until it was ``"late"``."""

    def given_up(self, callback: str) -> None:
        """The client disconnected before the answer."""

    def looked_up(self, callback: str, *, hit: bool) -> None:
        """An answer was looked up in the cache."""


class Metrics(Counts):
    """Counts everything.

    Args:
        version: of the explorer, told as a label.
    """

    def __init__(self, version: str) -> None:
        from prometheus_client import (  # not imported where nobody wants to know
            CollectorRegistry,
            Counter,
            Gauge,
            Histogram,
        )

        self._own = own = CollectorRegistry()
        self._requests = Counter("explorer_requests", "Requests answered", ["callback", "status"], registry=own)
        self._seconds = Histogram(
            "explorer_request_seconds", "Time to answer a callback, waiting included", ["callback"], registry=own, buckets=SECONDS
        )
        self._refusals = Counter("explorer_refusals", "Requests refused", ["reason"], registry=own)
        self._shed = Counter("explorer_shed", "Callback requests shed with 503", ["callback", "reason"], registry=own)
        self._cache = Counter("explorer_cache", "Answers looked up in the cache", ["callback", "result"], registry=own)
        self._given_up = Counter("explorer_given_up", "Callback requests whose sender left", ["callback"], registry=own)
        self._in_flight = Gauge("explorer_in_flight", "Requests being answered", registry=own, multiprocess_mode="livesum")
        self._starts = Counter("explorer_worker_starts", "Workers started", registry=own)
        self._info = Gauge("explorer_info", "The version that runs", ["version"], registry=own, multiprocess_mode="livemax")
        self._info.labels(version).set(1)
        self._show_from_the_start()

    def _show_from_the_start(self) -> None:
        """Make the series that matter, so that a rate over them has a first point at 0."""
        for callback in CALLBACKS:
            self._requests.labels(callback, "200")
            self._seconds.labels(callback)
            self._given_up.labels(callback)
            for result in ("hit", "miss"):
                self._cache.labels(callback, result)
            for reason in ("full", "late"):
                self._shed.labels(callback, reason)
        for reason in REFUSALS:
            self._refusals.labels(reason)

    def worker_started(self) -> None:
        self._starts.inc()

    def came(self) -> None:
        self._in_flight.inc()

    def answered(self, callback: str | None, status: int, seconds: float) -> None:
        self._in_flight.dec()
        self._requests.labels(callback or NO_CALLBACK, str(status)).inc()
        if callback is not None:
            self._seconds.labels(callback).observe(seconds)

    def refused(self, reason: str) -> None:
        self._refusals.labels(reason).inc()

    def shed(self, callback: str, reason: str) -> None:
        self._shed.labels(callback, reason).inc()

    def given_up(self, callback: str) -> None:
        self._given_up.labels(callback).inc()

    def looked_up(self, callback: str, *, hit: bool) -> None:
        self._cache.labels(callback, "hit" if hit else "miss").inc()

    def text(self) -> bytes:
        """What all workers counted, in Prometheus' text format (``CONTENT_TYPE``)."""
        from prometheus_client import CollectorRegistry, generate_latest
        from prometheus_client.multiprocess import MultiProcessCollector

        registry = self._own
        if folder := os.environ.get(FOLDER):
            _forget_ended_workers(Path(folder))
            registry = CollectorRegistry()
            MultiProcessCollector(registry, folder)  # type: ignore[no-untyped-call]
        return generate_latest(registry)


def _forget_ended_workers(folder: Path) -> None:
    """Drop what workers that ended were doing just then; what they counted stays counted."""
    from prometheus_client.multiprocess import mark_process_dead

    for pid in {int(path.stem.rpartition("_")[2]) for path in folder.glob("gauge_live*_*.db")}:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            mark_process_dead(pid)  # type: ignore[no-untyped-call]
        except PermissionError:  # it runs, as somebody else
            pass
