"""Counts of what is asked and answered, for Prometheus. Nothing in them tells one visitor from another.

Each worker counts by itself, in files that all workers see (prometheus_client's multiprocess mode, which gunicorn.conf.py
prepares): whichever worker is asked answers for all. Served by a single process, the counts lie in its memory.
"""

from __future__ import annotations

import os

from flask import Flask, Response

from explorer.page.admission import METHODS, STROKES

FOLDER = "PROMETHEUS_MULTIPROC_DIR"  # the environment variable that prometheus_client reads
CALLBACKS = (STROKES, METHODS)
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
        """There was no place for a request: its lane was ``"full"``, or it waited in it until it was ``"late"``."""

    def given_up(self, callback: str) -> None:
        """Whoever asked hung up while waiting."""


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

    def add(self, server: Flask) -> None:
        """Serve ``/metrics``: what all workers counted, in Prometheus' text format."""
        from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, CollectorRegistry, generate_latest
        from prometheus_client.multiprocess import MultiProcessCollector

        @server.get("/metrics")
        def metrics() -> Response:
            registry = self._own
            if folder := os.environ.get(FOLDER):
                registry = CollectorRegistry()
                MultiProcessCollector(registry, folder)  # type: ignore[no-untyped-call]
            return Response(generate_latest(registry), content_type=CONTENT_TYPE_PLAIN_0_0_4)


def forget_worker(pid: int) -> None:
    """Drop what a worker that ended was doing just then; what it counted stays counted."""
    from prometheus_client.multiprocess import mark_process_dead

    mark_process_dead(pid)  # type: ignore[no-untyped-call]
