"""The table of methods. To add one: write its module with its entry, and add its line here."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from explorer.attribution.activation_maps import (
    CAM,
    GRAD_CAM,
    GRAD_CAM_PLUS_PLUS,
    GUIDED_GRAD_CAM,
    SMOOTH_GRAD_CAM_PLUS_PLUS,
)
from explorer.attribution.averaged import AVERAGED_BASELINES, SMOOTH_INTEGRATED_GRADIENTS
from explorer.attribution.blur import BLUR_INTEGRATED_GRADIENTS
from explorer.attribution.changed_backward import DECONVNET, GUIDED_BACKPROP
from explorer.attribution.deeplift import DEEPLIFT, DEEPLIFT_SHAP
from explorer.attribution.expected import EXPECTED_GRADIENTS, GRADIENT_SHAP
from explorer.attribution.gradient import GRADIENT, GRADIENT_TIMES_INPUT
from explorer.attribution.guided import GUIDED_INTEGRATED_GRADIENTS
from explorer.attribution.integrated import INTEGRATED_GRADIENTS
from explorer.attribution.lime import LIME
from explorer.attribution.lrp import LRP_EPSILON, LRP_GAMMA, LRP_ZPLUS
from explorer.attribution.method import Method
from explorer.attribution.occlusion import OCCLUSION
from explorer.attribution.shapley import KERNEL_SHAP, SHAPLEY_VALUES
from explorer.attribution.smooth import SMOOTHGRAD
from explorer.attribution.squared import SMOOTHGRAD_SQUARED, VARGRAD
from explorer.attribution.xrai import XRAI

METHODS: Mapping[str, Method] = MappingProxyType(
    {
        method.name: method
        for method in (
            GRADIENT,
            GRADIENT_TIMES_INPUT,
            INTEGRATED_GRADIENTS,
            SMOOTHGRAD,
            SMOOTHGRAD_SQUARED,
            VARGRAD,
            SMOOTH_INTEGRATED_GRADIENTS,
            AVERAGED_BASELINES,
            EXPECTED_GRADIENTS,
            GRADIENT_SHAP,
            BLUR_INTEGRATED_GRADIENTS,
            GUIDED_INTEGRATED_GRADIENTS,
            LRP_EPSILON,
            LRP_GAMMA,
            LRP_ZPLUS,
            DEEPLIFT,
            DEEPLIFT_SHAP,
            DECONVNET,
            GUIDED_BACKPROP,
            CAM,
            GRAD_CAM,
            GRAD_CAM_PLUS_PLUS,
            SMOOTH_GRAD_CAM_PLUS_PLUS,
            GUIDED_GRAD_CAM,
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
