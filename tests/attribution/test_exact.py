"""Exact Integrated Gradients: complete to rounding, cut where units switch and only there, else refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate  # type: ignore[import-untyped]
from torch import nn

from explorer.attribution import (
    Case,
    Network,
    exact_integrated_gradients,
    gradient_field,
)
from explorer.attribution.exact import exact_path
from explorer.attribution.network import Activation, Output
from explorer.pictures import PATTERNS

from .architectures import architectures, cuts, piecewise_gauss
from .toys import (
    BLACK,
    WHITE,
    Floats,
    along,
    delta_f,
    embed,
    f_at,
    first,
    linear,
    mlp,
    outputs,
    picture,
    random_case,
    relative_error,
    zoo_networks,
)

ACTIVATIONS: tuple[Activation, ...] = ("softmax", "sigmoid")

# Completeness


def varied_cases(network: Network, output: Output, count: int) -> list[Case]:
    """Inputs: noise, binary, 17 levels, presets. Baselines: the same, black and white. Any target."""
    rng = np.random.default_rng(0)
    presets = list(PATTERNS.values())

    def some(kind: int) -> Floats:
        if kind == 0:
            return rng.random((8, 8))
        if kind == 1:
            return (rng.random((8, 8)) < 0.3).astype(float)
        if kind == 2:
            return np.asarray(rng.integers(0, 17, (8, 8)) / 16)
        if kind == 3:
            return presets[rng.integers(len(presets))]
        return BLACK if rng.random() < 0.5 else WHITE

    classes = len(network.classes)
    return [Case(network, some(i % 4), some(i % 5), int(rng.integers(classes)), output) for i in range(count)]


def few_if_convolutional(network: Network, many: Any, few: Any) -> Any:
    """Fewer for a convolutional network: its paths have a thousand pieces, so one of its cases says as much as thirty."""
    return few if any(isinstance(layer, nn.Conv2d) for layer in network.module.modules()) else many


@zoo_networks
@outputs
def test_exact_maps_are_complete_to_rounding_on_a_thousand_varied_cases_of_each_network(
    zoo_network: Network, output: Output
) -> None:
    for case in varied_cases(zoo_network, output, few_if_convolutional(zoo_network, 500, 20)):
        attribution = exact_integrated_gradients(case).attribution
        ends = f_at(case, np.stack([case.input, case.baseline]))
        delta = abs(attribution.sum() - (ends[0] - ends[1]))
        # What is summed is of the size of the attributions; what it is held against, of the size of F.
        assert delta <= 2e-14 * (np.abs(attribution).sum() + np.abs(ends).max())


@outputs
@architectures
def test_exact_maps_are_complete_for_every_architecture_that_can_be_cut(module: nn.Module, output: Output) -> None:
    network = Network(module)
    for seed in range(10):
        case = random_case(network, seed, output)
        attribution = exact_integrated_gradients(case).attribution
        assert abs(attribution.sum() - delta_f(case)) <= 1e-13 * (np.abs(attribution).sum() + 1e-2)


@given(
    seed=st.integers(0, 2**32),
    sizes=st.lists(st.integers(1, 9), min_size=0, max_size=4),
    whole=st.booleans(),
    without_bias=st.booleans(),
    activation=st.sampled_from([nn.ReLU, nn.LeakyReLU]),
    scores=st.sampled_from(["softmax", "sigmoid"]),
    levels=st.sampled_from([1, 2, 1000]),
    black=st.booleans(),
    output=st.sampled_from(["probability", "logit"]),
)
def test_exact_maps_are_complete_whatever_ties_and_zeros_there_are(
    seed: int,
    sizes: list[int],
    whole: bool,
    without_bias: bool,
    activation: type[nn.Module],
    scores: Activation,
    levels: int,
    black: bool,
    output: Output,
) -> None:
    # whole weights and coarse pixels make many units switch at once, or sit on their kink from end to end
    rng = np.random.default_rng(seed)
    module = mlp(seed, (64, *sizes, 3), activation)
    with torch.no_grad():
        for layer in module:
            if isinstance(layer, nn.Linear):
                if whole:
                    layer.weight.copy_(torch.from_numpy(rng.integers(-1, 2, layer.weight.shape)))
                    layer.bias.copy_(torch.from_numpy(rng.integers(-1, 2, layer.bias.shape)))
                if without_bias:
                    layer.bias.zero_()
    network = Network(module, activation=scores)
    x = rng.integers(0, levels + 1, (8, 8)) / levels
    baseline = BLACK if black else rng.integers(0, levels + 1, (8, 8)) / levels
    case = Case(network, x, baseline, int(rng.integers(3)), output)
    steps = exact_integrated_gradients(case)
    ends = f_at(case, np.stack([x, baseline]))
    size = np.abs(steps.attribution).sum() + np.abs(ends).max()
    assert np.isfinite(steps.running).all()
    assert abs(steps.attribution.sum() - (ends[0] - ends[1])) <= 1e-12 * size
    assert (steps.weights > 0).all()
    assert steps.alphas[-1] == 1


# Agreement with other ways to integrate


@outputs
@architectures
def test_exact_maps_equal_gauss_legendre_between_the_switches(module: nn.Module, output: Output) -> None:
    for activation in ACTIVATIONS:
        case = random_case(Network(module, activation=activation), 3, output)
        steps = exact_integrated_gradients(case)
        assert relative_error(steps.attribution, piecewise_gauss(case, cuts(steps))) < 1e-12


@zoo_networks
@outputs
def test_exact_maps_equal_gauss_legendre_between_the_switches_on_the_zoo(zoo_network: Network, output: Output) -> None:
    for i, case in enumerate(varied_cases(zoo_network, output, few_if_convolutional(zoo_network, 60, 3))):
        steps = exact_integrated_gradients(case)
        if case.difference.any():
            # the thousand pieces of a convolutional network are short, so few nodes integrate each to rounding
            expected = piecewise_gauss(case, cuts(steps), few_if_convolutional(zoo_network, 30, 8))
            assert relative_error(steps.attribution, expected) < 1e-11, i


@zoo_networks
@outputs
def test_exact_maps_equal_adaptive_quadrature_broken_at_the_switches(zoo_network: Network, output: Output) -> None:
    x = PATTERNS["circle"]
    towards = few_if_convolutional(zoo_network, 1.0, 0.05)  # a short path, as each of its pieces is integrated here
    case = Case(zoo_network, x, x + towards * (picture(0) - x), 1, output)
    steps = exact_integrated_gradients(case)

    def integrand(alpha: float) -> Floats:
        return gradient_field(case.network, along(case, np.array([alpha])), case.target, output).gradients.ravel()

    expected = sum(
        integrate.quad_vec(integrand, a, b, epsabs=1e-14, epsrel=1e-12)[0]
        for a, b in zip(cuts(steps)[:-1], cuts(steps)[1:], strict=True)
    )
    assert relative_error(steps.attribution, case.difference * np.reshape(expected, (8, 8))) < 1e-11


def test_a_logit_that_moves_very_far_within_a_piece_is_still_integrated_exactly() -> None:
    # one piece, from logit −2000 to 3000: nearly all of the change lies in a thousandth of the path
    # (for the sigmoid the other logit moves along, so that it is the target's own move that counts)
    others: dict[Activation, float] = {"softmax": 0.0, "sigmoid": 5000.0}
    for activation, other in others.items():
        network = Network(first([[5000.0, 1.0], [other, 0.0]], [-2000.0, 0.0]), activation=activation)
        case = Case(network, embed(1, 1), BLACK, 0)
        found = exact_integrated_gradients(case).attribution
        np.testing.assert_allclose(found.ravel()[:2], np.array([5000, 1]) / 5001, rtol=1e-12)


@pytest.mark.parametrize("size", [1e6, 1e18, 1e19, 1e25, 1e100, 1e300])
def test_logits_that_move_too_far_for_a_probability_are_refused_with_how_far_and_have_exact_logits(size: float) -> None:
    network = Network(nn.Sequential(*mlp(0), linear(size * np.random.default_rng(1).standard_normal((3, 5)))))
    with pytest.raises(ValueError, match=r"^the logits move by [\d.e+]+ along the path, too far for the exact rule$"):
        exact_integrated_gradients(random_case(network, 0))
    case = random_case(network, 0, "logit")
    found = exact_integrated_gradients(case).attribution
    assert abs(found.sum() - delta_f(case)) < 1e-12 * np.abs(found).sum()


@pytest.mark.parametrize("ask", [exact_integrated_gradients, exact_path])
@outputs
def test_logits_that_are_not_finite_on_the_path_are_refused_as_such(ask: Callable[[Case], object], output: Output) -> None:
    network = Network(nn.Sequential(linear(1e10 * np.random.default_rng(1).standard_normal((8, 64))), nn.ReLU(), nn.Linear(8, 3)))
    for x in (1e300 * WHITE, 1e300 * picture(0)):
        with pytest.raises(ValueError, match=r"^the (network's logits|changes of units along the path) are not finite: "):
            ask(Case(network, x, BLACK, 0, output))


# The trace


@outputs
def test_running_attributions_are_exact_at_the_end_of_every_piece(output: Output) -> None:
    case = random_case(Network(mlp(0)), 2, output)
    steps = exact_integrated_gradients(case)
    values = f_at(case, along(case, np.array([0.0, *steps.alphas])))
    np.testing.assert_allclose(steps.values, values[1:], rtol=1e-12)
    np.testing.assert_allclose(steps.running.sum(axis=(1, 2)), values[1:] - values[0], rtol=0, atol=1e-13)


def test_steps_of_the_exact_trace_are_its_pieces() -> None:
    steps = exact_integrated_gradients(random_case(Network(mlp(0)), 2))
    assert np.array_equal(steps.alphas, cuts(steps)[1:])
    np.testing.assert_allclose(np.cumsum(steps.weights), steps.alphas, rtol=1e-14)
    assert steps.weights.sum() == pytest.approx(1, abs=1e-15)
    assert np.array_equal(steps.attribution, steps.running[-1])
    assert steps.gradients.shape == steps.running.shape == (len(steps.alphas), 8, 8)


def as_a_whole(case: Case) -> None:
    """The exact map without its steps is the map of all its steps."""
    path, steps = exact_path(case), exact_integrated_gradients(case)
    scale = np.abs(steps.attribution).sum() + np.abs(steps.values).max()
    assert np.abs(path.attribution - steps.attribution).max() <= 1e-14 * scale
    assert path.switches == steps.switches
    for one, other in ((path.alphas, steps.alphas), (path.weights, steps.weights), (path.logits, steps.logits)):
        assert np.array_equal(one, other)
    alphas = np.linspace(0, 1, 7)
    assert np.array_equal(path.logits_at(alphas), steps.logits_at(alphas))


@outputs
@architectures
def test_the_exact_map_without_its_steps_is_the_same(module: nn.Module, output: Output) -> None:
    for seed in range(5):
        as_a_whole(random_case(Network(module), seed, output))


@zoo_networks
@outputs
def test_the_exact_map_without_its_steps_is_the_same_on_the_zoo(zoo_network: Network, output: Output) -> None:
    for seed in range(5):
        as_a_whole(random_case(zoo_network, seed, output))
