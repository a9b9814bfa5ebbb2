"""The libraries' own way to each method, with the settings that are the defaults here, as something to time against."""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import partial
from typing import Any

import captum.attr as captum
import numpy as np
import torch
from captum.attr._utils.lrp_rules import Alpha1_Beta0_Rule, EpsilonRule, GammaRule

from bench.pairs import Work
from explorer.attribution import METHODS, Case, look
from tests.attribution.pair import OlderNumpy


def library_work(name: str, case: Case) -> tuple[str, Work] | None:
    """Who else has this method, and their call for it; None when none of them has."""
    defaults: dict[str, Any] = dict(METHODS[name].values({}))
    makers: dict[str, Callable[[Case, dict[str, Any]], Work]] = {
        "gradient": _saliency,
        "gradient_times_input": _input_times_gradient,
        "integrated_gradients": _integrated,
        "smoothgrad": partial(_noise_tunnel, "smoothgrad"),
        "smoothgrad_squared": partial(_noise_tunnel, "smoothgrad_sq"),
        "vargrad": partial(_noise_tunnel, "vargrad"),
        "smooth_integrated_gradients": _smooth_integrated,
        "gradient_shap": _gradient_shap,
        "lrp_epsilon": partial(_lrp, lambda d: EpsilonRule(d["epsilon"])),
        "lrp_gamma": partial(_lrp, lambda d: GammaRule(d["gamma"])),
        "lrp_zplus": partial(_lrp, lambda _: Alpha1_Beta0_Rule()),
        "deeplift": _deeplift,
        "deeplift_shap": _deeplift_shap,
        "deconvnet": lambda case, _: _on_copy(captum.Deconvolution, case),
        "guided_backprop": lambda case, _: _on_copy(captum.GuidedBackprop, case),
        "grad_cam": lambda case, _: _on_last_maps(captum.LayerGradCam, case),
        "guided_grad_cam": lambda case, _: _on_last_maps(captum.GuidedGradCam, case),
        "occlusion": _occlusion,
        "lime": _lime,
        "kernel_shap": _kernel_shap,
    }
    pair = {"blur_integrated_gradients": _blur, "guided_integrated_gradients": _guided, "xrai": _xrai}
    if name in makers:
        return "Captum", makers[name](case, defaults)
    return ("PAIR", pair[name](case, defaults)) if name in pair else None


def _tensors(case: Case) -> tuple[torch.Tensor, torch.Tensor]:
    shape = (1, *case.network.input_shape)
    return torch.from_numpy(case.input.reshape(shape).copy()), torch.from_numpy(case.baseline.reshape(shape).copy())


def _asking(case: Case) -> Callable[[], torch.Tensor]:
    x, _ = _tensors(case)
    return lambda: x.clone().requires_grad_()


def _saliency(case: Case, _: dict[str, Any]) -> Work:
    method, x = captum.Saliency(case.network.module), _asking(case)
    return lambda: method.attribute(x(), target=case.target, abs=False)


def _input_times_gradient(case: Case, _: dict[str, Any]) -> Work:
    method, x = captum.InputXGradient(case.network.module), _asking(case)
    return lambda: method.attribute(x(), target=case.target)


def _integrated(case: Case, d: dict[str, Any]) -> Work:
    method, (x, baseline) = captum.IntegratedGradients(case.network.module), _tensors(case)
    return lambda: method.attribute(x, baseline, target=case.target, n_steps=d["steps"], method="riemann_right")


def _noise_tunnel(kind: str, case: Case, d: dict[str, Any]) -> Work:
    method, (x, _) = captum.NoiseTunnel(captum.Saliency(case.network.module)), _tensors(case)
    return lambda: method.attribute(
        x, nt_type=kind, nt_samples=d["samples"], stdevs=d["noise_level"], target=case.target, abs=False
    )


def _smooth_integrated(case: Case, d: dict[str, Any]) -> Work:
    method, (x, baseline) = captum.NoiseTunnel(captum.IntegratedGradients(case.network.module)), _tensors(case)
    return lambda: method.attribute(
        x, nt_samples=d["samples"], stdevs=d["noise_level"], baselines=baseline, n_steps=d["steps"], target=case.target
    )


def _background(case: Case) -> torch.Tensor:
    assert case.network.background is not None
    return torch.from_numpy(case.network.background.reshape(-1, *case.network.input_shape).copy())


def _gradient_shap(case: Case, d: dict[str, Any]) -> Work:
    method, (x, _), background = captum.GradientShap(case.network.module), _tensors(case), _background(case)
    return lambda: method.attribute(
        x, background, n_samples=d["samples"], stdevs=d["noise_level"], target=case.target
    )


def _lrp(rule: Callable[[dict[str, Any]], Any], case: Case, d: dict[str, Any]) -> Work:
    module, (x, _) = copy.deepcopy(case.network.module), _tensors(case)
    for layer in module.modules():
        if isinstance(layer, torch.nn.Linear | torch.nn.Conv2d):
            layer.rule = rule(d)
    return lambda: captum.LRP(module).attribute(x, target=case.target)


def _deeplift(case: Case, _: dict[str, Any]) -> Work:
    method, (x, baseline) = captum.DeepLift(copy.deepcopy(case.network.module)), _tensors(case)
    return lambda: method.attribute(x, baseline, target=case.target)


def _deeplift_shap(case: Case, _: dict[str, Any]) -> Work:
    method, background = captum.DeepLiftShap(copy.deepcopy(case.network.module)), _background(case)
    x, _baseline = _tensors(case)
    return lambda: method.attribute(x, background, target=case.target)


def _on_copy(kind: Any, case: Case) -> Work:
    method, x = kind(copy.deepcopy(case.network.module)), _asking(case)
    return lambda: method.attribute(x(), target=case.target)


def _on_last_maps(kind: Any, case: Case) -> Work:
    module, x = copy.deepcopy(case.network.module), _asking(case)
    activations = [layer for layer in module.modules() if isinstance(layer, torch.nn.ReLU)]
    method = kind(module, activations[-1])
    return lambda: method.attribute(x(), target=case.target)


def _occlusion(case: Case, d: dict[str, Any]) -> Work:
    method, (x, baseline) = captum.Occlusion(lambda p: case.network.module(p.reshape(-1, *case.network.input_shape))), _tensors(case)
    picture, off, window = x.reshape(1, 8, 8), baseline.reshape(1, 8, 8), (d["window"], d["window"])
    return lambda: method.attribute(
        picture, window, strides=(1, 1), baselines=off, target=case.target, perturbations_per_eval=64
    )


def _blocks() -> torch.Tensor:
    row, column = np.mgrid[0:8, 0:8] // 2
    return torch.from_numpy((4 * row + column).reshape(1, 64))


def _lime(case: Case, d: dict[str, Any]) -> Work:
    method, (x, baseline) = captum.Lime(case.network.module), _tensors(case)
    return lambda: method.attribute(
        x, baseline, target=case.target, feature_mask=_blocks().reshape(x.shape), n_samples=d["lime_samples"], perturbations_per_eval=500
    )


def _kernel_shap(case: Case, d: dict[str, Any]) -> Work:
    method, (x, baseline) = captum.KernelShap(case.network.module), _tensors(case)
    return lambda: method.attribute(
        x, baseline, target=case.target, feature_mask=_blocks().reshape(x.shape), n_samples=d["coalitions"], perturbations_per_eval=500
    )


def _pair_model(case: Case) -> Callable[..., dict[str, Any]]:
    def call(pictures: Any, call_model_args: Any = None, expected_keys: Any = None) -> dict[str, Any]:
        seen = look(case.network, np.asarray(pictures, dtype=np.float64).reshape(-1, 8, 8), case.target, case.output)
        return {"INPUT_OUTPUT_GRADIENTS": seen.gradients.reshape(np.shape(pictures))}

    return call


def _blur(case: Case, d: dict[str, Any]) -> Work:
    import saliency.core as saliency

    return lambda: saliency.BlurIG().GetMask(
        case.input[..., None], _pair_model(case), None, max_sigma=d["sigma_max"], steps=d["steps"]
    )


def _guided(case: Case, d: dict[str, Any]) -> Work:
    import saliency.core as saliency
    import saliency.core.guided_ig as module

    module.np = OlderNumpy()
    return lambda: saliency.GuidedIG().GetMask(
        case.input, _pair_model(case), None, x_baseline=case.baseline, x_steps=d["steps"], max_dist=d["max_dist"], fraction=d["fraction"]
    )


def _xrai(case: Case, _: dict[str, Any]) -> Work:
    import saliency.core as saliency

    return lambda: saliency.XRAI().GetMask(np.repeat(case.input[..., None], 3, axis=2), _pair_model(case), None)
