"""(e) Every method with its default settings against the library that has it."""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import partial
from statistics import median
from typing import Any

import captum.attr as captum
import numpy as np
import saliency.core as pair
import saliency.core.guided_ig
import torch
from captum.attr._utils.lrp_rules import Alpha1_Beta0_Rule, EpsilonRule, GammaRule

from bench.pairs import Row, Work, faster_row, time_pairs
from explorer.attribution import METHODS, Case
from explorer.models import FOLDER, load_zoo
from explorer.pictures import digit_samples
from tests.attribution.pair import OlderNumpy, gradients_for

REPEATS = 20


def rows() -> list[Row]:
    """Digits network (the convolutional one where a method needs it), a handwritten 3, black baseline, its logit."""
    torch.set_num_threads(1)
    zoo = load_zoo()
    picture = digit_samples(FOLDER)[3][0]
    found = []
    for name, method in METHODS.items():
        network = zoo["digits-cnn" if method.unsupported_reason(zoo["digits"].network) else "digits"].network
        case = Case(network, picture, np.zeros((8, 8)), network.predict(picture), "logit")
        ours, settings = partial(method, case), dict(method.values({}))
        if (call := captum_calls(case, settings).get(name)) is not None:
            found.append(faster_row(method.title, ours, "Captum", call(), repeats=REPEATS))
        elif (call := pair_calls(case, settings).get(name)) is not None:
            found.append(faster_row(method.title, ours, "PAIR", call(), repeats=REPEATS))
        else:
            found.append(Row(method.title, median(time_pairs([ours], REPEATS)[0]), "no library here has it"))
    return found


def captum_calls(case: Case, d: dict[str, Any]) -> dict[str, Callable[[], Work]]:
    """By method: how to prepare Captum's call for it, with the settings `d`."""
    network, module, target = case.network, copy.deepcopy(case.network.module), case.target
    shape = (-1, *network.input_shape)
    x, baseline = (torch.from_numpy(picture.reshape(shape).copy()) for picture in (case.input, case.baseline))
    leaf = x.clone().requires_grad_()
    blocks = torch.from_numpy(np.arange(16).reshape(4, 4).repeat(2, axis=0).repeat(2, axis=1).reshape(shape))
    relus = [layer for layer in module.modules() if isinstance(layer, torch.nn.ReLU)]

    def background() -> torch.Tensor:
        assert network.background is not None
        return torch.from_numpy(network.background.reshape(shape).copy())

    def flat(pictures: torch.Tensor) -> torch.Tensor:
        return module(pictures.reshape(shape))

    def on_leaf(method: Any, **more: Any) -> Work:
        return partial(method.attribute, leaf, target=target, **more)

    def tunnel(kind: str) -> Work:
        method = captum.NoiseTunnel(captum.Saliency(module))
        return partial(method.attribute, x, nt_type=kind, nt_samples=d["samples"], stdevs=d["noise_level"], target=target, abs=False)

    def lrp(rule: Callable[[], Any]) -> Work:
        for layer in module.modules():
            if isinstance(layer, torch.nn.Linear | torch.nn.Conv2d):
                layer.rule = rule()
        return partial(captum.LRP(module).attribute, x, target=target)

    def sampled(kind: Any, samples: str) -> Work:
        return partial(kind(module).attribute, x, baseline, target, feature_mask=blocks, n_samples=d[samples], perturbations_per_eval=500)

    return {
        "gradient": lambda: on_leaf(captum.Saliency(module), abs=False),
        "gradient_times_input": lambda: on_leaf(captum.InputXGradient(module)),
        "integrated_gradients": lambda: partial(
            captum.IntegratedGradients(module).attribute, x, baseline, target, n_steps=d["steps"], method="riemann_right"
        ),
        "smoothgrad": lambda: tunnel("smoothgrad"),
        "smoothgrad_squared": lambda: tunnel("smoothgrad_sq"),
        "vargrad": lambda: tunnel("vargrad"),
        "smooth_integrated_gradients": lambda: partial(
            captum.NoiseTunnel(captum.IntegratedGradients(module)).attribute, x,
            nt_samples=d["samples"], stdevs=d["noise_level"], baselines=baseline, n_steps=d["steps"], target=target,
        ),
        "gradient_shap": lambda: partial(
            captum.GradientShap(module).attribute, x, background(), n_samples=d["samples"], stdevs=d["noise_level"], target=target
        ),
        "lrp_epsilon": lambda: lrp(lambda: EpsilonRule(d["epsilon"])),
        "lrp_gamma": lambda: lrp(lambda: GammaRule(d["gamma"])),
        "lrp_zplus": lambda: lrp(Alpha1_Beta0_Rule),
        "deeplift": lambda: partial(captum.DeepLift(module).attribute, x, baseline, target),
        "deeplift_shap": lambda: partial(captum.DeepLiftShap(module).attribute, x, background(), target),
        "deconvnet": lambda: on_leaf(captum.Deconvolution(module)),
        "guided_backprop": lambda: on_leaf(captum.GuidedBackprop(module)),
        "grad_cam": lambda: on_leaf(captum.LayerGradCam(module, relus[-1])),
        "guided_grad_cam": lambda: on_leaf(captum.GuidedGradCam(module, relus[-1])),
        "occlusion": lambda: partial(
            captum.Occlusion(flat).attribute, x.reshape(1, 8, 8), (d["window"], d["window"]), (1, 1), baseline.reshape(1, 8, 8), target,
            perturbations_per_eval=64,
        ),
        "lime": lambda: sampled(captum.Lime, "lime_samples"),
        "kernel_shap": lambda: sampled(captum.KernelShap, "coalitions"),
    }  # fmt: skip


def pair_calls(case: Case, d: dict[str, Any]) -> dict[str, Callable[[], Work]]:
    """The same for PAIR's library."""
    saliency.core.guided_ig.np = OlderNumpy()
    model = gradients_for(case)
    return {
        "blur_integrated_gradients": lambda: partial(
            pair.BlurIG().GetMask, case.input[..., None], model, None, max_sigma=d["sigma_max"], steps=d["steps"]
        ),
        "guided_integrated_gradients": lambda: partial(
            pair.GuidedIG().GetMask, case.input, model, None,
            x_baseline=case.baseline, x_steps=d["steps"], max_dist=d["max_dist"], fraction=d["fraction"],
        ),
        "xrai": lambda: partial(pair.XRAI().GetMask, np.repeat(case.input[..., None], 3, axis=2), model, None),
    }  # fmt: skip
