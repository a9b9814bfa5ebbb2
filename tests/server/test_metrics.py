"""Metrics for Prometheus, and the access log."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from asgi import client_of
from prometheus_client.parser import text_string_to_metric_families
from serving import ROOT
from starlette.applications import Starlette
from werkzeug.test import Client

from app import create_app
from bench.asking import callback_request
from explorer.server.fair_queue import Busy
from explorer.server.logs import ACCESS, FIELDS
from explorer.server.metrics import REFUSALS
from explorer.version import version

UPDATE = "/_dash-update-component"


def stroke(**question: Any) -> dict[str, Any]:
    """The request of a stroke."""
    return callback_request("explanation", "state", {"ask": 1, **question})


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Starlette:
    """A server with metrics and access log."""
    monkeypatch.setenv("METRICS", "1")
    monkeypatch.setenv("ACCESS_LOG", "1")
    monkeypatch.delenv("PROMETHEUS_MULTIPROC_DIR", raising=False)
    return create_app()


@pytest.fixture
def client(server: Starlette) -> Client:
    """A client of it."""
    return client_of(server)


def numbers(client: Client) -> dict[tuple[str, ...], float]:
    """All metrics by name and label values."""
    response = client.get("/metrics")
    assert response.status_code == 200 and response.mimetype == "text/plain"
    families = text_string_to_metric_families(response.get_data(as_text=True))
    return {(s.name, *s.labels.values()): s.value for family in families for s in family.samples}


def test_requests_are_counted_by_callback_and_status(client: Client) -> None:
    for _ in range(3):
        client.post(UPDATE, json=stroke(state={}))
    client.post(UPDATE, json=stroke(state={"steps": 0}))
    client.get("/")
    counted = numbers(client)
    assert counted["explorer_requests_total", "explanation", "200"] == 3
    assert counted["explorer_requests_total", "explanation", "400"] == 1
    assert counted["explorer_requests_total", "method-answers", "200"] == 0
    assert counted["explorer_requests_total", "none", "200"] == 1
    assert counted["explorer_request_seconds_count", "explanation"] == 4
    assert counted["explorer_request_seconds_bucket", "explanation", "+Inf"] == 4
    assert counted["explorer_request_seconds_sum", "explanation"] > 0
    assert counted["explorer_in_flight",] == 1  # this request
    assert counted["explorer_cache_total", "explanation", "miss"] == 1 and counted["explorer_cache_total", "explanation", "hit"] == 2
    assert counted["explorer_info", version()] == 1


def test_refusals_are_counted_by_a_few_fixed_reasons(client: Client) -> None:
    client.post(UPDATE, data="no json", content_type="application/json")
    client.post(UPDATE, data="[" * 60_000, content_type="application/json")
    client.post(UPDATE, json=stroke(state={"network": "кошка"}))
    client.post(UPDATE, data=" " * 70_000, content_type="application/json")
    client.get("/nope")
    client.get("/assets/nope.js")
    client.delete("/")
    counted = {labels[0]: value for (name, *labels), value in numbers(client).items() if name == "explorer_refusals_total"}
    assert counted == {"body": 2, "question": 1, "size": 1, "address": 2, "method": 1, "other": 0, "busy": 0}
    assert set(counted) == set(REFUSALS)


def test_a_shed_request_gets_503_with_retry_after_and_is_counted(
    server: Starlette, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: object) -> None:
        raise Busy(4, "full")

    monkeypatch.setattr(server.state.compute.pools["explanation"], "run", full)
    response = client.post(UPDATE, json=stroke(state={}))
    assert (response.status_code, response.headers["Retry-After"], response.mimetype) == (503, "4", "text/plain")
    assert response.get_data(as_text=True) == "Many are asking just now; please try again in a moment.\n"
    assert response.headers["Cache-Control"] == "no-store" and response.headers["X-Explorer-Version"] == version()
    assert client.get("/").status_code == client.get("/healthz").status_code == client.get("/readyz").status_code == 200
    counted = numbers(client)
    assert counted["explorer_shed_total", "explanation", "full"] == 1
    assert counted["explorer_requests_total", "explanation", "503"] == 1
    assert counted["explorer_refusals_total", "busy"] == 1


def test_metrics_are_served_only_if_enabled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("METRICS", raising=False)
    assert client_of().get("/metrics").status_code == 404


def test_a_request_gets_one_line_without_its_query_or_its_body(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, ACCESS):
        client.get("/?v=2&px=secret", headers={"User-Agent": "secret", "Referer": "http://secret/"}, environ_base={"REMOTE_ADDR": "203.0.113.7"})
        client.post(UPDATE, json=stroke(state={"network": "secret"}))
    page, refusal = [getattr(record, FIELDS) for record in caplog.records]
    assert {**page, "milliseconds": 0} == {
        "method": "GET", "path": "/", "callback": None, "status": 200, "milliseconds": 0, "bytes": page["bytes"],
    }  # fmt: skip
    assert page["bytes"] > 1000 and page["milliseconds"] >= 0
    assert (refusal["callback"], refusal["status"], refusal["path"]) == ("explanation", 400, UPDATE)
    logged = json.dumps([page, refusal]) + caplog.text
    assert "secret" not in logged and "203.0.113.7" not in logged


def test_an_unexpected_error_is_logged_with_its_traceback_and_answered_in_one_sentence(
    client: Client, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ValueError("cannot explain 0.123456")

    monkeypatch.setattr("explorer.page.callbacks.answer", fail)
    response = client.post(UPDATE, json=stroke(state={}))
    assert (response.status_code, response.get_data(as_text=True)) == (500, "Something went wrong on the server.\n")
    (failure,) = [getattr(record, FIELDS) for record in caplog.records if record.message == "unexpected error"]
    assert failure["error"] == "ValueError" and "in fail" in failure["traceback"]
    assert "0.123456" not in failure["traceback"].replace('raise ValueError("cannot explain 0.123456")', "") + caplog.text


def test_a_worker_whose_files_are_just_being_made_hides_no_count(tmp_path: Path) -> None:
    # prometheus_client decides when it is imported whether it counts in files
    code = """
import pathlib, sys
from explorer.server.metrics import Metrics
metrics = Metrics("test")
metrics.starts.inc()
pathlib.Path(sys.argv[1], "counter_1.db").touch()
print(metrics.text().decode())
"""
    environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], env=environment, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "explorer_worker_starts_total 1.0" in done.stdout.splitlines()
