"""Metrics for Prometheus; none identifies a client.

Each worker counts in files that all workers read (prometheus_client's multiprocess mode; ``app.main`` makes the folder).
"""

import os
from collections.abc import Iterable
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Metric, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector

FOLDER = "PROMETHEUS_MULTIPROC_DIR"  # the environment variable that prometheus_client reads
EXPLANATION, METHOD_ANSWERS, LAB_ANSWERS = "explanation", "method-answers", "lab-answers"  # callbacks, by the id of their output
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
NO_CALLBACK = "none"
REFUSALS = ("body", "question", "address", "method", "size", "busy", "other")
BUCKETS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.15, 0.25, 0.5, 1.0, 2.0, 5.0)


class Metrics:
    """The metrics of one worker; their help texts say what they count."""

    def __init__(self, version: str) -> None:
        self._own = own = CollectorRegistry()
        self.requests = Counter("explorer_requests", "Requests answered", ["callback", "status"], registry=own)
        seconds = "Time to answer a callback, waiting included"
        self.seconds = Histogram("explorer_request_seconds", seconds, ["callback"], registry=own, buckets=BUCKETS)
        self.refusals = Counter("explorer_refusals", "Requests refused", ["reason"], registry=own)
        self.shed = Counter("explorer_shed", "Callback requests shed with 503: full or late", ["callback", "reason"], registry=own)
        self.cache = Counter("explorer_cache", "Answers that were kept or being computed (hit), or not (miss)", ["callback", "result"], registry=own)
        self.given_up = Counter("explorer_given_up", "Callback requests whose sender left", ["callback"], registry=own)
        self.in_flight = Gauge("explorer_in_flight", "Requests being answered", registry=own, multiprocess_mode="livesum")
        self.listening = Gauge("explorer_room_listeners", "Open streams of rooms, which are requests being answered, too", registry=own, multiprocess_mode="livesum")
        self.starts = Counter("explorer_worker_starts", "Workers started", registry=own)
        info = Gauge("explorer_info", "The version that runs", ["version"], registry=own, multiprocess_mode="livemax")
        info.labels(version).set(1)
        # the important series exist from the start, so that a rate has a first point at 0
        series = [(self.requests, ("200",)), (self.cache, ("hit", "miss")), (self.shed, ("full", "late"))]
        for callback in (EXPLANATION, METHOD_ANSWERS, LAB_ANSWERS):
            self.seconds.labels(callback), self.given_up.labels(callback)
            for counter, label in ((counter, label) for counter, labels in series for label in labels):
                counter.labels(callback, label)
        for reason in REFUSALS:
            self.refusals.labels(reason)

    def text(self) -> bytes:
        """The metrics of all workers in Prometheus' text format (``CONTENT_TYPE``)."""
        if not (folder := os.environ.get(FOLDER)):
            return generate_latest(self._own)
        pids = {int(path.stem.rpartition("_")[2]) for path in Path(folder).glob("gauge_live*_*.db") if os.name == "posix"}
        for pid in pids:
            try:
                os.kill(pid, 0)
            except (ProcessLookupError, PermissionError):  # the latter: the pid belongs to another process now
                mark_process_dead(pid)  # type: ignore[no-untyped-call]  # drops its live gauges, keeps its counters
        registry = CollectorRegistry()
        registry.register(_Counts(folder))
        return generate_latest(registry)


class _Counts(Collector):
    """What all workers counted; a worker that starts has its files made one after another, each empty at first."""

    def __init__(self, folder: str) -> None:
        self._folder = Path(folder)

    def collect(self) -> Iterable[Metric]:
        begun = [str(path) for path in self._folder.glob("*.db") if _has_begun(path)]
        return MultiProcessCollector.merge(begun)  # type: ignore[no-untyped-call]


def _has_begun(path: Path) -> bool:
    try:
        return path.stat().st_size > 0
    except FileNotFoundError:  # of a worker that died: another one has just deleted it
        return False
