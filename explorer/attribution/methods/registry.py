"""The registry of methods. To add a method: write its module, with its entries in ``ENTRIES``, and list it here."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType

from explorer.attribution.method import Method

MODULES = (
    "gradient",
    "integrated_gradients",
    "smoothgrad",
    "smoothgrad_variants",
    "averaged_ig",
    "expected_gradients",
    "blur_ig",
    "guided_ig",
    "lrp",
    "deeplift",
    "modified_backprop",
    "activation_maps",
    "occlusion",
    "lime",
    "shapley",
    "xrai",
)

METHODS: Mapping[str, Method] = MappingProxyType(
    {method.name: method for module in MODULES for method in import_module(f"{__package__}.{module}").ENTRIES}
)

# The methods that the page always shows. All of them are gradient methods, so one batch serves them all.
CORE = ("gradient", "gradient_times_input", "integrated_gradients", "smoothgrad")
