"""Readiness over HTTP, and how long its result is cached."""

from __future__ import annotations

import pytest
from asgi import client_of

from app import create_app


def test_a_worker_without_a_fault_is_ready_and_alive() -> None:
    client = client_of()
    for address, sentence in (("/readyz", "Ready.\n"), ("/healthz", "OK\n")):
        response = client.get(address)
        assert (response.status_code, response.text, response.mimetype) == (200, sentence, "text/plain")
        assert client.head(address).status_code == 200 and client.post(address).status_code == 405


def test_a_worker_whose_networks_are_wrong_is_not_ready_but_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("explorer.page.self_check.find_fault", lambda *_: "The network digits is spoiled.")
    client = client_of(create_app())
    response = client.get("/readyz")
    assert (response.status_code, response.text) == (503, "The network digits is spoiled.\n")
    assert response.headers["Cache-Control"] == "no-store"
    assert client.get("/healthz").status_code == 200


def test_the_result_is_cached_for_a_short_time(monkeypatch: pytest.MonkeyPatch) -> None:
    found = iter(["A fault.", None, "Another."])
    monkeypatch.setattr("explorer.page.self_check.find_fault", lambda *_: next(found))
    client = client_of(create_app())
    assert [client.get("/readyz").status_code for _ in range(3)] == [503] * 3
    monkeypatch.setattr("explorer.server.application.FAULT_TTL", 0.0)
    client = client_of(create_app())
    assert [client.get("/readyz").status_code for _ in range(2)] == [200, 503]
