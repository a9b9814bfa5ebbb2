"""Captum 0.9, where it is right, gives the same maps.

It keeps the weights of the steps and the α of its Riemann sums in single precision, so agreement ends at
about 1e-7. Its trapezoid is left out: its weights sum to (m − 1)/m.
"""

from __future__ import annotations

import importlib

import numpy as np
import pytest
import torch
from torch import nn

from explorer.attribution import Case, Network, Settings, explain
from explorer.attribution.methods.smoothgrad import points
from explorer.attribution.network import Output

from .toys import BLACK, Floats, convolutional, f_module, outputs, picture, relative_error, zoo_networks

captum = importlib.import_module("captum.attr")

METHODS = {
    "left": "riemann_left",
    "right": "riemann_right",
    "midpoint": "riemann_middle",
    "gauss-legendre": "gausslegendre",
}


def tensor(case: Case, x: Floats) -> torch.Tensor:
    return torch.tensor(x).reshape(1, *case.network.input_shape)


def cases(network: Network, output: Output) -> list[Case]:
    """Two pictures against noise and black, for each class."""
    pairs = [(picture(0), picture(1)), (np.round(picture(2)), BLACK)]
    return [Case(network, *pair, target, output) for pair in pairs for target in range(len(network.classes))]


def ours(case: Case, method: str, settings: Settings | None = None) -> Floats:
    return explain(case, settings, [method])[method].attribution


def theirs(attribution: torch.Tensor) -> Floats:
    return attribution.detach().numpy().reshape(8, 8)


def check_integrated_gradients(case: Case, rule: str) -> None:
    found = captum.IntegratedGradients(f_module(case)).attribute(
        tensor(case, case.input),
        tensor(case, case.baseline),
        target=case.target,
        n_steps=30,
        method=METHODS[rule],
    )
    assert relative_error(ours(case, "integrated_gradients", Settings(30, rule)), theirs(found)) < 1e-6


def check_gradient(case: Case) -> None:
    saliency = captum.Saliency(f_module(case))
    found = saliency.attribute(tensor(case, case.input).requires_grad_(), target=case.target, abs=False)
    assert relative_error(ours(case, "gradient"), theirs(found)) < 1e-6


def check_gradient_times_input(case: Case) -> None:
    product = captum.InputXGradient(f_module(case))
    found = product.attribute(tensor(case, case.input).requires_grad_(), target=case.target)
    assert relative_error(ours(case, "gradient_times_input"), theirs(found)) < 1e-6


def check_smoothgrad(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(samples=20, noise_level=0.15, seed=7)
    noise = torch.tensor(points(case, settings) - case.input).reshape(20, *case.network.input_shape)
    asked: list[torch.Tensor] = []

    def our_noise(mean: float, std: torch.Tensor) -> torch.Tensor:
        asked.append(std)
        return noise

    monkeypatch.setattr(torch, "normal", our_noise)
    tunnel = captum.NoiseTunnel(captum.Saliency(f_module(case)))
    found = tunnel.attribute(
        tensor(case, case.input),
        nt_samples=20,
        stdevs=0.15,
        nt_type="smoothgrad",
        target=case.target,
        abs=False,
    )
    assert [std.shape for std in asked] == [noise.shape]  # Captum did use our noise, once
    assert relative_error(ours(case, "smoothgrad", settings), theirs(found)) < 1e-6


@zoo_networks
@outputs
@pytest.mark.parametrize("rule", METHODS)
def test_integrated_gradients_equals_captums(zoo_network: Network, rule: str, output: Output) -> None:
    for case in cases(zoo_network, output)[::3]:  # both pictures, every third class
        check_integrated_gradients(case, rule)


@zoo_networks
@outputs
def test_gradient_equals_captums_saliency_with_its_sign(zoo_network: Network, output: Output) -> None:
    for case in cases(zoo_network, output):
        check_gradient(case)


@zoo_networks
@outputs
def test_gradient_times_input_equals_captums(zoo_network: Network, output: Output) -> None:
    for case in cases(zoo_network, output):
        check_gradient_times_input(case)


@zoo_networks
@outputs
def test_smoothgrad_equals_captums_noise_tunnel_on_the_same_noise(
    zoo_network: Network, output: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    for case in cases(zoo_network, output):
        check_smoothgrad(case, monkeypatch)


@outputs
def test_a_convolutional_network_gets_captums_maps_too(output: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    image = nn.Sequential(nn.Conv2d(1, 3, 3), nn.ReLU(), nn.AvgPool2d(3), nn.Flatten(), nn.Linear(12, 3))
    torch.manual_seed(0)
    for network in (Network(convolutional()), Network(image, activation="sigmoid")):
        for case in cases(network, output):
            check_gradient(case)
            check_gradient_times_input(case)
            check_smoothgrad(case, monkeypatch)
            for rule in METHODS:
                check_integrated_gradients(case, rule)


def test_captum_can_tell_a_difference() -> None:
    case = cases(Network(convolutional()), "logit")[0]
    left, right = (ours(case, "integrated_gradients", Settings(30, rule)) for rule in ("left", "right"))
    assert relative_error(left, right) > 1e-4  # so the bound of 1e-6 does tell the rules apart
