"""Captum and zennit, set to the same rules, get the same relevance.

Their conventions: captum's ε-rule and zennit's are the same, sign 0 = 1. Captum's γ-rule leaves the bias as it is, so it
is asked where no bias is positive, and it knows no negative outputs, so it is asked for positive logits. Zennit's γ-rule
weighs the bias too and is the generalised one. Both have biases in z⁺ unless told to leave them out. Both add a
stabiliser of their own in γ and z⁺: captum's is made vanishingly small here, zennit's nothing at all.
"""

from __future__ import annotations

import copy
import importlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from explorer.attribution import METHODS, Case, Network, gradient_field

from .toys import BLACK, Floats, convolutional, mlp, picture, relative_error
from .zennits import load_zennit

EPSILON, GAMMA, ZPLUS = (METHODS[f"lrp_{name}"] for name in ("epsilon", "gamma", "zplus"))
SHARING = (nn.Linear, nn.Conv2d, nn.AvgPool2d, nn.AdaptiveAvgPool2d)
ALMOST_NOTHING = 1e-300


def image(seed: int, bias: float = 0.3) -> nn.Sequential:
    torch.manual_seed(seed)
    module = nn.Sequential(
        *(nn.Unflatten(1, (1, 8, 8)), nn.Conv2d(1, 4, 3, padding=1, stride=2), nn.ReLU(), nn.AvgPool2d(2)),
        *(nn.Conv2d(4, 6, 2, groups=2), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 3)),
    )
    return biased(module, seed, bias)


def biased(module: nn.Sequential, seed: int, bias: float) -> nn.Sequential:
    """The network with random biases up to ``bias`` in size; below 0 if that is negative."""
    torch.manual_seed(seed)
    for layer in module:
        if isinstance(layer, nn.Linear | nn.Conv2d):
            assert layer.bias is not None
            nn.init.uniform_(layer.bias, min(bias, -bias), max(bias, 0))
    return module


FLAT = {"flat": mlp(0), "image": image(0)}
FALLING = {"flat": biased(mlp(1), 1, -0.1), "image": biased(image(1), 1, -0.02)}
kinds = pytest.mark.parametrize("kind", FLAT)


def cases(module: nn.Module, *, positive_only: bool = False, inputs: float = 0.0) -> list[Case]:
    """Two pictures for each class; those of positive logits if asked, ``inputs`` less in each pixel."""
    network, found = Network(module), []
    for seed in range(4):
        x = picture(seed) - inputs
        logits = gradient_field(network, x[None], 0).logits[0]
        found += [Case(network, x, BLACK, t) for t in range(len(logits)) if not positive_only or logits[t] > 0]
    assert len(found) >= 2
    return found


def tensor(case: Case) -> torch.Tensor:
    return torch.tensor(case.input).reshape(1, *case.network.input_shape).requires_grad_()


def captums(case: Case, rule: Callable[[Any], Any]) -> Floats:
    importlib.import_module("captum.attr")
    from captum.attr import LRP
    from captum.attr._utils import lrp_rules

    module = copy.deepcopy(case.network.module)
    for layer in module.modules():
        if isinstance(layer, SHARING):
            layer.rule = rule(lrp_rules)
        elif isinstance(layer, nn.Flatten | nn.Unflatten):
            layer.rule = lrp_rules.EpsilonRule(ALMOST_NOTHING)
    found: Floats = LRP(module).attribute(tensor(case), target=case.target).detach().numpy().reshape(8, 8)
    return found


def captums_gamma(rules: Any) -> Any:
    rule = rules.GammaRule(0.25)
    rule.STABILITY_FACTOR = ALMOST_NOTHING
    return rule


def captums_zplus(rules: Any) -> Any:
    rule = rules.Alpha1_Beta0_Rule(set_bias_to_zero=True)
    rule.STABILITY_FACTOR = ALMOST_NOTHING
    return rule


@kinds
@pytest.mark.parametrize("epsilon", [1e-6, 0.1, 3.0])
def test_captums_epsilon_rule(kind: str, epsilon: float) -> None:
    for case in cases(FLAT[kind]):
        expected = captums(case, lambda rules: rules.EpsilonRule(epsilon))
        assert relative_error(EPSILON(case, epsilon=epsilon).attribution, expected) < 1e-9


@kinds
def test_captums_gamma_rule(kind: str) -> None:
    for case in cases(FALLING[kind], positive_only=True):
        assert relative_error(GAMMA(case).attribution, captums(case, captums_gamma)) < 1e-9


@kinds
def test_captums_alpha_one_beta_zero_rule(kind: str) -> None:
    for case in cases(FLAT[kind]):
        assert relative_error(ZPLUS(case).attribution, captums(case, captums_zplus)) < 1e-9


@pytest.fixture(scope="module")
def zennit() -> Any:
    return load_zennit()


def zennits(zennit: Any, case: Case, rule: Any) -> Floats:
    """Relevance of the target's logit, with this rule for the layers that share."""
    pass_on = zennit.rules.Pass()
    layer_map = [((*SHARING, nn.BatchNorm1d), rule), ((nn.ReLU, nn.LeakyReLU), pass_on)]
    composite = zennit.composites.LayerMapComposite(layer_map)
    x = tensor(case)
    with composite.context(copy.deepcopy(case.network.module)) as module:
        out = module(x)
        (found,) = torch.autograd.grad(
            out, x, out.detach() * nn.functional.one_hot(torch.tensor([case.target]), out.shape[1])
        )
    return np.asarray(found.numpy().reshape(8, 8))


def nothing(z: torch.Tensor) -> torch.Tensor:
    """A stabiliser that only keeps 0 from dividing."""
    return torch.where(z == 0, torch.ones_like(z), z)


@kinds
@pytest.mark.parametrize("epsilon", [1e-6, 0.1, 3.0])
@pytest.mark.parametrize("inputs", [0.0, 0.5])
def test_zennits_epsilon_rule(zennit: Any, kind: str, epsilon: float, inputs: float) -> None:
    for case in cases(FLAT[kind], inputs=inputs):
        expected = zennits(zennit, case, zennit.rules.Epsilon(epsilon))
        assert relative_error(EPSILON(case, epsilon=epsilon).attribution, expected) < 1e-9


def test_zennits_epsilon_rule_with_every_kind_of_layer(zennit: Any) -> None:
    module = convolutional().eval()
    fused = copy.deepcopy(module)  # here, as zennit leaves a normalisation behind that divides by √(1 + eps)
    start = fused[1]
    assert isinstance(start, nn.Sequential)
    fused[1] = nn.Sequential(torch.nn.utils.fuse_conv_bn_eval(start[0].double(), start[1].double()), *start[2:])
    for case, same in zip(cases(module), cases(fused), strict=True):
        expected = zennits(zennit, same, zennit.rules.Epsilon(0.01))
        assert relative_error(EPSILON(case, epsilon=0.01).attribution, expected) < 1e-9


@kinds
@pytest.mark.parametrize("gamma", [0.25, 10.0])
@pytest.mark.parametrize("inputs", [0.0, 0.5])
def test_zennits_gamma_rule(zennit: Any, kind: str, gamma: float, inputs: float) -> None:
    for case in cases(FLAT[kind], inputs=inputs):  # logits of either sign and biases of either sign
        expected = zennits(zennit, case, zennit.rules.Gamma(gamma, stabilizer=nothing))
        assert relative_error(GAMMA(case, gamma=gamma).attribution, expected) < 1e-9


@kinds
@pytest.mark.parametrize("inputs", [0.0, 0.5])
def test_zennits_zplus_rule(zennit: Any, kind: str, inputs: float) -> None:
    for case in cases(FLAT[kind], inputs=inputs):
        expected = zennits(zennit, case, zennit.rules.ZPlus(stabilizer=nothing, zero_params=["bias"]))
        assert relative_error(ZPLUS(case).attribution, expected) < 1e-9


def test_the_oracles_can_tell_the_rules_apart(zennit: Any) -> None:
    case = cases(FLAT["flat"])[0]
    expected = zennits(zennit, case, zennit.rules.Epsilon(0.1))
    for method in (GAMMA, ZPLUS):
        assert relative_error(method(case).attribution, expected) > 1e-2
    assert relative_error(EPSILON(case, epsilon=0.1001).attribution, expected) > 1e-6
