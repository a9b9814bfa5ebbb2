"""Readiness: a zoo in which anything is wrong is noticed."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest
import torch
from flask import Flask

from explorer.attribution import Network
from explorer.models import Model
from explorer.page.probes import NETWORKS, Readiness, add, find_fault, known_pictures

KNOWN = known_pictures()
Zoo = Mapping[str, Model]


def spoiled(zoo: Zoo, name: str, spoil: Callable[[torch.Tensor], torch.Tensor], which: int = 0) -> Zoo:
    """A zoo with one of a network's parameters changed."""
    network = copy.deepcopy(zoo[name].network)
    parameter = list(network.module.parameters())[which]
    with torch.no_grad():
        parameter.copy_(spoil(parameter))
    return {**zoo, name: replace(zoo[name], network=network)}


def test_nothing_is_wrong_with_the_networks_as_they_are(models: Zoo) -> None:
    assert find_fault(models, KNOWN) is None


def test_every_network_of_the_zoo_is_probed(models: Zoo) -> None:
    assert set(NETWORKS) == set(models)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # of NaN and infinity
@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize(
    "spoil",
    [lambda w: w * torch.nan, torch.zeros_like, lambda w: -w, lambda w: w.flip(0), lambda w: torch.full_like(w, 1e300)],
    ids=["NaN", "zeros", "other signs", "other order", "huge"],
)
def test_a_network_with_wrong_weights_is_noticed(name: str, spoil: Callable[[torch.Tensor], torch.Tensor], models: Zoo) -> None:
    fault = find_fault(spoiled(models, name, spoil), KNOWN)
    assert fault is not None
    assert fault.endswith(".") and "\n" not in fault


@pytest.mark.parametrize("name", NETWORKS)
def test_a_change_in_the_sixth_digit_is_noticed(name: str, models: Zoo) -> None:
    assert find_fault(spoiled(models, name, lambda w: w * (1 + 1e-6), which=-1), KNOWN) is not None


def test_a_missing_or_mistaken_network_is_noticed(models: Zoo) -> None:
    assert find_fault({name: model for name, model in models.items() if name != "shapes"}, KNOWN) == "The network shapes is not loaded."
    assert find_fault({**models, "digits-cnn": models["shapes"]}, KNOWN) is not None
    assert find_fault({**models, "shapes": models["digits"]}, KNOWN) is not None


def test_whatever_the_probe_raises_is_told_and_not_raised(models: Zoo) -> None:
    broken = Network(torch.nn.Sequential(torch.nn.Linear(64, 2), torch.nn.Tanh()), activation="sigmoid")
    assert find_fault({**models, "shapes": replace(models["shapes"], network=broken)}, KNOWN) is not None


def probe(readiness: Readiness) -> tuple[int, str]:
    """What /readyz answers."""
    server = Flask("probed")
    add(server, "/under/", readiness)
    response = server.test_client().get("/under/readyz")
    assert response.mimetype == "text/plain"
    return response.status_code, response.get_data(as_text=True)


def test_a_worker_that_is_well_is_ready_and_one_that_stops_is_not(models: Zoo) -> None:
    readiness = Readiness(models)
    assert probe(readiness) == (200, "Ready.\n")
    readiness.stopping = lambda: True
    assert probe(readiness) == (503, "This worker is about to stop.\n")


def test_a_worker_with_a_wrong_network_is_not_ready_and_the_finding_holds_for_a_moment_only(
    models: Zoo, monkeypatch: pytest.MonkeyPatch
) -> None:
    readiness = Readiness(spoiled(models, "digits", torch.neg))
    status, sentence = probe(readiness)
    assert status == 503 and "digits" in sentence
    readiness._zoo = models
    assert probe(readiness)[0] == 503
    monkeypatch.setattr("explorer.page.probes.VALID", 0.0)
    assert probe(readiness)[0] == 200
