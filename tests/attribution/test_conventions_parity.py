"""Conventions: each gives its library's numbers, on the library's own noise where there is any.

The libraries run with their defaults, in double precision. They are given the standard normal draws that the engine
makes, and scale them themselves, so that how much noise there is, is theirs too.
"""

from __future__ import annotations

import copy
import importlib
import inspect
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from torch import nn

from explorer.attribution import CONVENTIONS, METHODS, Case, Network
from explorer.attribution.methods.expected_gradients import draw
from explorer.attribution.network import Output

from .pair import OlderNumpy, gradients_for
from .test_conventions import cases, draws, ours
from .toys import Floats, f_module, outputs, picture, relative_error, zoo_networks
from .zennits import load_zennit

CLOSE = 1e-5  # libraries keep weights, α or sums in single precision
BACKGROUND = np.stack([picture(seed) for seed in range(100, 105)])


def tensor(case: Case) -> torch.Tensor:
    return torch.tensor(case.input).reshape(1, *case.network.input_shape).requires_grad_()


def mapped(found: torch.Tensor) -> Floats:
    return found.detach().numpy().reshape(8, 8)


# ---------------------------------------------------------------- what the notes say of what is not set


def told(convention: str) -> str:
    return " ".join(CONVENTIONS[convention].notes)


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_what_a_convention_leaves_alone_it_names(convention: str) -> None:
    for name in ("lime", "kernel_shap", "occlusion"):
        assert not CONVENTIONS[convention].options.get(name)
        assert METHODS[name].title.lower() in told(convention).lower()


def test_captums_lime_and_kernel_shap_are_as_its_notes_say(zoo: dict[str, Network]) -> None:
    library = importlib.import_module("captum.attr")
    for method in (library.Lime, library.KernelShap):
        assert inspect.signature(method.attribute).parameters["n_samples"].default == 25
    assert "25 samples" in told("captum")
    assert inspect.signature(library.Occlusion.attribute).parameters["sliding_window_shapes"].default is inspect.Parameter.empty
    source = inspect.getsource(library.Lime.__init__)
    assert "SkLearnLasso(alpha=0.01)" in source and "Lasso with α = 0.01" in told("captum")
    assert inspect.signature(importlib.import_module("captum.attr._core.lime").get_exp_kernel_similarity_function).parameters["distance_mode"].default == "cosine"


def test_pairs_occlusion_sums_where_others_average(saliency: Any, zoo: dict[str, Network]) -> None:
    case = cases(zoo["digits"], "logit")[3]
    occlusion = saliency.Occlusion()
    assert inspect.signature(occlusion.GetMask).parameters["size"].default == 15

    def outputs_of(pictures: Floats, call_model_args: object, expected_keys: object) -> dict[str, Floats]:
        values = case.network.logits(torch.tensor(pictures))[:, case.target]
        return {saliency.base.OUTPUT_LAYER_VALUES: values.numpy()}

    found = occlusion.GetMask(case.input, outputs_of, size=3)
    in_a_row = np.minimum(np.minimum(np.arange(8) + 1, 8 - np.arange(8)), 3)
    assert relative_error(METHODS["occlusion"](case, window=3).attribution * np.outer(in_a_row, in_a_row), found) < 1e-9


def test_zennits_occlusion_shows_its_window_and_maps_f_itself(zoo: dict[str, Network]) -> None:
    library = importlib.import_module(f"{load_zennit().__name__}.attribution")
    assert inspect.signature(library.Occlusion).parameters["window"].default == 8
    case = cases(zoo["digits-cnn"], "logit")[3]
    alone = nn.functional.one_hot(torch.tensor([case.target]), len(case.network.classes)).double()
    with library.Occlusion(case.network.module, attr_output=lambda out: out * alone, window=(4, 4), stride=(4, 4)) as occlusion:
        found = mapped(occlusion(tensor(case).detach())[1])
    for rows, columns in product((slice(0, 4), slice(4, 8)), repeat=2):
        shown = np.zeros((8, 8))
        shown[rows, columns] = case.input[rows, columns]
        value = float(case.network.logits(torch.from_numpy(shown)[None])[0, case.target])
        assert np.abs(found[rows, columns] - value).max() < 1e-9


# ---------------------------------------------------------------- Captum


@pytest.fixture
def captum(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Captum, whose noise tunnel scales our draws."""
    library = importlib.import_module("captum.attr")
    monkeypatch.setattr(
        torch, "normal", lambda mean, std: mean + torch.from_numpy(draws(len(std))).reshape(std.shape) * std
    )
    return library


class Tunnel(NamedTuple):
    """A method here, and what Captum calls it."""

    ours: str
    inside: str
    kind: str


TUNNELS = (
    Tunnel("smoothgrad", "Saliency", "smoothgrad"),
    Tunnel("smoothgrad_squared", "Saliency", "smoothgrad_sq"),
    Tunnel("vargrad", "Saliency", "vargrad"),
    Tunnel("smooth_integrated_gradients", "IntegratedGradients", "smoothgrad"),
)


@zoo_networks
@outputs
@pytest.mark.parametrize(
    ("name", "theirs"),
    [
        ("gradient", "Saliency"),
        ("gradient_times_input", "InputXGradient"),
        ("integrated_gradients", "IntegratedGradients"),
    ],
)
def test_captum_with_its_defaults(captum: Any, zoo_network: Network, name: str, theirs: str, output: Output) -> None:
    for case in cases(zoo_network, output):
        found = getattr(captum, theirs)(f_module(case)).attribute(tensor(case), target=case.target)
        assert relative_error(ours("captum", name, case), mapped(found)) < CLOSE


@zoo_networks
@outputs
@pytest.mark.parametrize("tunnel", TUNNELS, ids=lambda tunnel: tunnel.ours)
def test_captums_noise_tunnel_with_its_defaults(
    captum: Any, zoo_network: Network, tunnel: Tunnel, output: Output
) -> None:
    for case in cases(zoo_network, output):
        inside = getattr(captum, tunnel.inside)(f_module(case))
        found = mapped(captum.NoiseTunnel(inside).attribute(tensor(case), nt_type=tunnel.kind, target=case.target))
        # Captum's variance is a difference of numbers of the size of the squares
        size = ours("captum", "smoothgrad_squared", case) if tunnel.kind == "vargrad" else found
        assert np.abs(ours("captum", tunnel.ours, case) - found).max() < CLOSE * np.abs(size).max()


@zoo_networks
@outputs
def test_captums_gradient_shap_with_its_defaults(
    captum: Any, zoo_network: Network, output: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = Network(zoo_network.module, activation=zoo_network.activation, background=BACKGROUND)
    drawn = draw(BACKGROUND, 5, 0)
    which = np.array([int((b == BACKGROUND).all(axis=(1, 2)).argmax()) for b in drawn.baselines])
    for case in cases(network, output):
        with monkeypatch.context() as patched:
            patched.setattr(np.random, "choice", lambda count, size: which)
            patched.setattr(np.random, "uniform", lambda low, high, size: drawn.alphas)
            found = captum.GradientShap(f_module(case)).attribute(
                tensor(case),
                baselines=torch.tensor(BACKGROUND).reshape(-1, *network.input_shape),
                target=case.target,
            )
        assert relative_error(ours("captum", "gradient_shap", case), mapped(found)) < CLOSE


@zoo_networks
def test_captums_lrp_with_its_defaults(captum: Any, zoo_network: Network) -> None:
    for case in cases(zoo_network, "logit"):
        module = copy.deepcopy(case.network.module)
        for layer in module.modules():
            if isinstance(layer, nn.Flatten | nn.AdaptiveAvgPool2d):  # it has no default for the first of these
                layer.rule = importlib.import_module("captum.attr._utils.lrp_rules").EpsilonRule()
        found = captum.LRP(module).attribute(tensor(case), target=case.target)
        assert relative_error(ours("captum", "lrp_epsilon", case), mapped(found)) < CLOSE


@zoo_networks
@outputs
@pytest.mark.parametrize("steps", [2, 7, 50])
def test_captums_trapezoid(captum: Any, zoo_network: Network, output: Output, steps: int) -> None:
    method = METHODS["integrated_gradients"]
    for case in cases(zoo_network, output):
        theirs = captum.IntegratedGradients(f_module(case))
        found = theirs.attribute(tensor(case), target=case.target, n_steps=steps, method="riemann_trapezoid")
        assert relative_error(method(case, steps=steps, rule="captum-trapezoid").attribution, mapped(found)) < CLOSE


# ---------------------------------------------------------------- PAIR


def first_and_last(network: Network, output: Output) -> list[Case]:
    """The cases of the first and the last class, where PAIR takes seconds for all."""
    every = cases(network, output)
    return [every[0], every[-1]]


@pytest.fixture
def saliency() -> Any:
    return importlib.import_module("saliency.core")


@pytest.fixture
def pair_noise(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Call it before each smoothed mask: PAIR then scales our draws, one after the other."""

    def begin() -> None:
        noise: Iterator[Floats] = iter(draws(25))
        monkeypatch.setattr(np.random, "normal", lambda mean, std, shape: mean + std * next(noise).reshape(shape))

    return begin


@zoo_networks
@outputs
@pytest.mark.parametrize(
    ("name", "theirs"),
    [
        ("gradient", "GradientSaliency"),
        ("integrated_gradients", "IntegratedGradients"),
        ("guided_integrated_gradients", "GuidedIG"),
        ("blur_integrated_gradients", "BlurIG"),
    ],
)
def test_pair_with_its_defaults(
    saliency: Any, zoo_network: Network, name: str, theirs: str, output: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(saliency.guided_ig, "np", OlderNumpy())
    slow = theirs in ("GuidedIG", "BlurIG")  # their own tests compare the algorithms, this one the settings
    for case in first_and_last(zoo_network, output) if slow else cases(zoo_network, output):
        x = case.input[:, :, None] if theirs == "BlurIG" else case.input  # it blurs pictures with channels only
        found = getattr(saliency, theirs)().GetMask(x, gradients_for(case))
        assert relative_error(ours("pair", name, case), found.reshape(8, 8)) < CLOSE


@zoo_networks
@outputs
@pytest.mark.parametrize(
    ("name", "theirs"),
    [
        ("smoothgrad", "GradientSaliency"),
        ("smoothgrad_squared", "GradientSaliency"),
        ("smooth_integrated_gradients", "IntegratedGradients"),
    ],
)
def test_pairs_smoothed_masks_with_their_defaults(
    saliency: Any, pair_noise: Callable[[], None], zoo_network: Network, name: str, theirs: str, output: Output
) -> None:
    for case in first_and_last(zoo_network, output) if theirs == "IntegratedGradients" else cases(zoo_network, output):
        pair_noise()
        found = getattr(saliency, theirs)().GetSmoothedMask(case.input, gradients_for(case))
        assert relative_error(ours("pair", name, case), found) < CLOSE


# ---------------------------------------------------------------- Zennit


@pytest.fixture(scope="module")
def zennit() -> Any:
    load_zennit()
    return importlib.import_module("zennit.attribution")


@zoo_networks
@outputs
@pytest.mark.parametrize(
    ("name", "theirs"),
    [("gradient", "Gradient"), ("integrated_gradients", "IntegratedGradients"), ("smoothgrad", "SmoothGrad")],
)
def test_zennit_with_its_defaults(
    zennit: Any, zoo_network: Network, name: str, theirs: str, output: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    for case in cases(zoo_network, output):
        noise = iter(torch.from_numpy(draws(20)))
        monkeypatch.setattr(torch, "randn_like", lambda x, noise=noise: next(noise).reshape(x.shape))
        one_hot = torch.eye(len(zoo_network.classes), dtype=torch.float64)[[case.target]]
        _, found = getattr(zennit, theirs)(f_module(case))(tensor(case), one_hot)
        assert relative_error(ours("zennit", name, case), mapped(found)) < CLOSE
        assert len(list(noise)) == (1 if name == "smoothgrad" else 20)  # the last copy is the picture itself


@zoo_networks
def test_zennits_epsilon_rule_with_its_default(zennit: Any, zoo_network: Network) -> None:
    rules, core = importlib.import_module("zennit.rules"), importlib.import_module("zennit.composites")
    composite = core.LayerMapComposite(
        [*((kind, rules.Epsilon()) for kind in (nn.Linear, nn.Conv2d, nn.AdaptiveAvgPool2d)), (nn.ReLU, rules.Pass())]
    )
    for case in cases(zoo_network, "logit"):
        module, x = copy.deepcopy(case.network.module), tensor(case)
        with composite.context(module) as modified:
            out = modified(x)
            relevance = torch.zeros_like(out)
            relevance[0, case.target] = out[0, case.target].detach()
            (found,) = torch.autograd.grad(out, x, relevance)
        assert relative_error(ours("zennit", "lrp_epsilon", case), mapped(found)) < CLOSE
