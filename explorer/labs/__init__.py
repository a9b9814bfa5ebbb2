"""The labs: experiments that test what a map is worth. Each takes a state and plain settings, and returns plain data."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType

from explorer.labs.lab import Lab

# In the order of the shelf: for each name the module of that name.
NAMES = (
    "saturation",
    "inside",
    "smoothing",
    "interactions",
    "baselines",
    "convergence",
    "shift",
    "sanity",
    "invariance",
    "faithfulness",
    "fragile",
    "readable",
    "shortcut",
)

LABS: Mapping[str, Lab] = MappingProxyType({name: import_module(f"{__name__}.{name}").LAB for name in NAMES})
