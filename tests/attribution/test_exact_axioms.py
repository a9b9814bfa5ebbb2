"""What exact Integrated Gradients must hold to, and which networks it refuses."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

from explorer.attribution import (
    Case,
    Network,
    NotPiecewiseLinear,
    exact_integrated_gradients,
    gradient_field,
)
from explorer.attribution.network import Activation, Output

from .architectures import architectures, leaky
from .toys import BLACK, convolutional, delta_f, linear, mlp, outputs, picture, random_case, relative_error

ACTIVATIONS: tuple[Activation, ...] = ("softmax", "sigmoid")

# Axioms


@outputs
@pytest.mark.parametrize("module", [mlp(0), leaky(1), convolutional()], ids=["relu", "leaky", "conv"])
def test_swapping_input_and_baseline_negates_the_exact_map(module: nn.Module, output: Output) -> None:
    case = random_case(Network(module), 2, output)
    back = Case(case.network, case.baseline, case.input, case.target, output)
    found = exact_integrated_gradients(back).attribution
    assert relative_error(found, -exact_integrated_gradients(case).attribution) < 1e-12


@outputs
def test_an_exact_map_is_the_sum_of_those_of_two_halves_of_the_path(output: Output) -> None:
    case = random_case(Network(mlp(0)), 3, output)
    middle = (case.input + case.baseline) / 2
    halves = [(middle, case.baseline), (case.input, middle)]
    parts = [exact_integrated_gradients(Case(case.network, *ends, case.target, output)) for ends in halves]
    total = parts[0].attribution + parts[1].attribution
    assert relative_error(total, exact_integrated_gradients(case).attribution) < 1e-12


@outputs
def test_pixels_equal_in_input_and_baseline_get_exactly_zero(output: Output) -> None:
    same = picture(7) < 0.5
    case = Case(Network(mlp(0)), picture(0), np.where(same, picture(0), picture(1)), 1, output)
    found = exact_integrated_gradients(case).attribution
    assert (found[same] == 0).all()
    assert (found[~same] != 0).all()


@outputs
@architectures
def test_an_input_that_is_the_baseline_gets_an_all_zero_map(module: nn.Module, output: Output) -> None:
    steps = exact_integrated_gradients(Case(Network(module), picture(0), picture(0), 0, output))
    assert not steps.attribution.any()
    assert steps.alphas[-1] == 1


def test_dead_units_and_a_constant_class_change_nothing() -> None:
    alive = mlp(0, (64, 6, 2))
    assert isinstance(alive[0], nn.Linear) and isinstance(alive[2], nn.Linear)
    w1, b1, w2, b2 = (p.numpy(force=True) for p in (alive[0].weight, alive[0].bias, alive[2].weight, alive[2].bias))
    # two units that are never active (one of them without weights) and one that always is 0, all listened to
    with_dead = nn.Sequential(
        linear(np.vstack([w1, 0.01 * w1[:1], np.zeros((2, 64))]), [*b1, -50, -1, 0]),
        nn.ReLU(),
        linear(np.hstack([w2, np.ones((2, 3))]), b2),
    )
    steps = [exact_integrated_gradients(Case(Network(net), picture(0), BLACK, 0)) for net in (alive, with_dead)]
    assert relative_error(steps[1].attribution, steps[0].attribution) < 1e-13
    assert steps[1].switches == steps[0].switches


@outputs
@pytest.mark.parametrize("slope", [0.0, 0.3])
def test_a_network_without_biases_is_its_own_tangent_from_black(output: Output, slope: float) -> None:
    # every pre-activation is exactly 0 at the baseline and linear on the path, so nothing switches
    module = mlp(0, (64, 20, 12, 4), lambda: nn.LeakyReLU(slope))
    for layer in module:
        if isinstance(layer, nn.Linear):
            nn.init.zeros_(layer.bias)
    case = Case(Network(module), picture(0), BLACK, 1, output)
    steps = exact_integrated_gradients(case)
    assert steps.switches == ()
    gradient = gradient_field(case.network, case.input[None].copy(), 1, "logit").gradients[0]
    if output == "logit":
        assert relative_error(steps.attribution, case.input * gradient) < 1e-13
    assert abs(steps.attribution.sum() - delta_f(case)) < 1e-14


@outputs
@pytest.mark.parametrize("output_bias", [0.0, 1.0])
def test_a_network_whose_weights_are_all_zero_gets_an_all_zero_map(output: Output, output_bias: float) -> None:
    module = nn.Sequential(linear(np.zeros((5, 64))), nn.ReLU(), linear(np.zeros((3, 5)), output_bias))
    steps = exact_integrated_gradients(Case(Network(module), picture(0), BLACK, 0, output))
    assert not steps.attribution.any()
    assert steps.switches == ()


# Refusals


class NotSequential(nn.Module):
    """Piecewise linear, but nobody can see it from outside."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(64, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(self.layer(x))


class BentLinear(nn.Linear):
    """Is a Linear by class, and not by what it does."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.tanh(super().forward(x))


class BentSequential(nn.Sequential):
    """Is a Sequential by class, and not by what it does."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = torch.tanh(super().forward(x))  # type: ignore[no-untyped-call]
        return out


IMAGE = nn.Unflatten(1, (1, 8, 8))
REFUSED: Mapping[str, tuple[nn.Module, list[str]]] = {
    "tanh": (nn.Sequential(nn.Linear(64, 8), nn.Tanh(), nn.Linear(8, 3)), ["layer 1", "Tanh"]),
    "softplus": (mlp(0, activation=nn.Softplus), ["layer 1", "Softplus"]),
    "max-pool": (
        nn.Sequential(IMAGE, nn.MaxPool2d(2), nn.Flatten(), nn.Linear(16, 3)),
        ["layer 1", "MaxPool2d"],
    ),
    "softmax": (nn.Sequential(nn.Linear(64, 8), nn.Softmax(1), nn.Linear(8, 3)), ["layer 1", "Softmax"]),
    "group-norm": (nn.Sequential(nn.Linear(64, 4), nn.GroupNorm(1, 4)), ["layer 1", "GroupNorm"]),
    "nested": (
        nn.Sequential(nn.Linear(64, 8), nn.Sequential(nn.Identity(), nn.GELU())),
        ["layer 1.1", "GELU"],
    ),
    "custom": (NotSequential(), ["the network", "NotSequential"]),
    "custom-inside": (nn.Sequential(nn.Identity(), NotSequential()), ["layer 1", "NotSequential"]),
    "custom-sequential": (BentSequential(nn.Linear(64, 3)), ["the network", "BentSequential"]),
    "custom-linear": (nn.Sequential(nn.Identity(), BentLinear(64, 3)), ["layer 1", "BentLinear"]),
}


@outputs
@pytest.mark.parametrize(("module", "named"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_cut_is_refused_by_name(module: nn.Module, named: list[str], output: Output) -> None:
    with pytest.raises(NotPiecewiseLinear) as refusal:
        exact_integrated_gradients(Case(Network(module), picture(0), BLACK, 0, output))
    assert all(word in str(refusal.value) for word in named)


def test_named_layers_are_refused_by_their_names() -> None:
    module = nn.Sequential()
    module.add_module("score", nn.Linear(64, 3))
    module.add_module("squash", nn.Tanh())
    with pytest.raises(NotPiecewiseLinear, match=r"layer squash is a Tanh.*'gauss-legendre'"):
        exact_integrated_gradients(Case(Network(module), picture(0), BLACK, 0))


def test_a_layer_with_a_hook_that_changes_its_answer_is_refused() -> None:
    module = mlp(0)
    module.register_forward_hook(lambda module, args, out: torch.tanh(out))
    with pytest.raises(NotPiecewiseLinear, match="hook"):
        exact_integrated_gradients(Case(Network(module), picture(0), BLACK, 0, "logit"))


def test_the_refusal_is_a_value_error() -> None:
    assert issubclass(NotPiecewiseLinear, ValueError)


def test_the_network_is_as_it_was_after_being_cut_and_after_being_refused() -> None:
    for module in (convolutional(), REFUSED["tanh"][0]):
        network = Network(module)
        before: dict[str, Any] = copy.deepcopy(network.module.state_dict())
        answer: NDArray[np.float64] = network.scores(picture(0)[None])
        with suppress(NotPiecewiseLinear):
            exact_integrated_gradients(Case(network, picture(0), BLACK, 0))
        assert all(torch.equal(value, before[name]) for name, value in network.module.state_dict().items())
        assert np.array_equal(network.scores(picture(0)[None]), answer)
        assert not any(part._forward_pre_hooks or part._forward_hooks for part in network.module.modules())
