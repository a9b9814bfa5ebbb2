"""The self-check: a zoo in which anything is wrong is noticed."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest
import torch

from explorer.attribution import Network
from explorer.models import Model, load_zoo
from explorer.page.self_check import find_fault, known_pictures

NETWORKS = tuple(load_zoo())
KNOWN = known_pictures(load_zoo())
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


def test_a_mistaken_network_is_noticed(models: Zoo) -> None:
    assert find_fault({**models, "digits-cnn": models["shapes"]}, KNOWN) is not None
    assert find_fault({**models, "shapes": models["digits"]}, KNOWN) is not None


def test_whatever_the_probe_raises_is_told_and_not_raised(models: Zoo) -> None:
    broken = Network(torch.nn.Sequential(torch.nn.Linear(64, 2), torch.nn.Tanh()), activation="sigmoid")
    assert find_fault({**models, "shapes": replace(models["shapes"], network=broken)}, KNOWN) is not None
