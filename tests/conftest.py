"""What all tests share: one torch thread, reproducible hypothesis runs, the zoo and the reference numbers."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")  # as app.py does, before anything imports torch
import torch
from hypothesis import settings

from explorer.attribution import Network
from explorer.models import Model

torch.set_num_threads(1)
settings.register_profile("explorer", deadline=None, derandomize=True, database=None, max_examples=60)
settings.load_profile("explorer")

REFERENCE = Path(__file__).parent / "reference"
ZOO = ("shapes", "shapes-ordinary", "digits", "digits-cnn", "digits-rewritten", "logistic")


@pytest.fixture(scope="session")
def zoo() -> Mapping[str, Network]:
    """The networks of the zoo by name."""
    from explorer.models import load_zoo

    return {name: model.network for name, model in load_zoo().items()}


@pytest.fixture(scope="session", params=ZOO)
def zoo_network(request: pytest.FixtureRequest, zoo: Mapping[str, Network]) -> Network:
    """Each network of the zoo in turn."""
    return zoo[request.param]


@pytest.fixture(scope="session")
def original_explorer() -> list[dict[str, Any]]:
    """The numbers of the original explorer, one dict a case."""
    cases: list[dict[str, Any]] = json.loads((REFERENCE / "original_explorer.json").read_text())["cases"]
    return cases


@pytest.fixture
def every_warning() -> Iterator[None]:
    """A warning is an error, and torch warns every time (it usually does so only once in a process)."""
    torch.set_warn_always(True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield
    torch.set_warn_always(False)


@pytest.fixture(scope="session")
def models() -> Mapping[str, Model]:
    """The zoo as the page has it: names, classes and mean pictures beside the networks."""
    from explorer.models import load_zoo

    return load_zoo()
