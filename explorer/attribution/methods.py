"""The table of methods. To add one: write its module with its entry, and add its line here."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from explorer.attribution.gradient import GRADIENT, GRADIENT_TIMES_INPUT
from explorer.attribution.integrated import INTEGRATED_GRADIENTS
from explorer.attribution.lime import LIME
from explorer.attribution.method import Method
from explorer.attribution.occlusion import OCCLUSION
from explorer.attribution.shapley import KERNEL_SHAP, SHAPLEY_VALUES
from explorer.attribution.smooth import SMOOTHGRAD
from explorer.attribution.xrai import XRAI

METHODS: Mapping[str, Method] = MappingProxyType(
    {
        method.name: method
        for method in (
            GRADIENT,
            GRADIENT_TIMES_INPUT,
            INTEGRATED_GRADIENTS,
            SMOOTHGRAD,
            OCCLUSION,
            LIME,
            KERNEL_SHAP,
            SHAPLEY_VALUES,
            XRAI,
        )
    }
)

# The ones that the page always shows; all of them look at the gradient field, so one batch answers them all.
CORE = ("gradient", "gradient_times_input", "integrated_gradients", "smoothgrad")
