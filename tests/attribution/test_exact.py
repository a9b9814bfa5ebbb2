"""Exact Integrated Gradients: complete to rounding, cut where units switch and only there, else refused."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import integrate  # type: ignore[import-untyped]
from torch import nn

from explorer.attribution import (
    Case,
    ExactTrace,
    Network,
    NotPiecewiseLinear,
    exact_integrated_gradients,
    look,
)
from explorer.attribution.network import Activation, Output
from explorer.pictures import PATTERNS

from .toys import (
    BLACK,
    WHITE,
    Floats,
    along,
    convolutional,
    delta_f,
    embed,
    f_at,
    first,
    linear,
    mlp,
    picture,
    random_case,
    relative_error,
)

ACTIVATIONS: tuple[Activation, ...] = ("softmax", "sigmoid")
outputs = pytest.mark.parametrize("output", ["probability", "logit"])


def leaky(seed: int) -> nn.Sequential:
    return mlp(seed, (64, 20, 12, 4), nn.LeakyReLU)


def nested(seed: int) -> nn.Sequential:
    inner = mlp(seed, (16, 12, 8))
    return nn.Sequential(
        nn.Unflatten(1, (8, 8)),
        nn.Sequential(nn.Sequential(nn.Flatten(), nn.Linear(64, 16)), nn.Sequential(nn.ReLU())),
        nn.Sequential(inner, nn.Sequential(nn.BatchNorm1d(8), nn.ReLU()), nn.Dropout(0.5), nn.Identity()),
        nn.Linear(8, 3),
    )


def one_activation_module_used_twice(seed: int) -> nn.Sequential:
    net, relu = mlp(seed), nn.ReLU()
    return nn.Sequential(*(relu if isinstance(layer, nn.ReLU) else layer for layer in net))


def one_linear_layer_used_twice(seed: int) -> nn.Sequential:
    start, middle, end = mlp(seed, (64, 12))[0], mlp(seed + 1, (12, 12))[0], mlp(seed + 2, (12, 3))[0]
    return nn.Sequential(start, nn.ReLU(), middle, nn.ReLU(), middle, nn.ReLU(), end)


def in_place(seed: int) -> nn.Sequential:
    return nn.Sequential(*mlp(seed, activation=lambda: nn.ReLU(inplace=True)), nn.Dropout(inplace=True))


def activation_first_and_last(seed: int) -> nn.Sequential:
    return nn.Sequential(linear(2 * np.eye(64), -1), nn.ReLU(), nn.ReLU(), *mlp(seed), nn.LeakyReLU(0.2))


ARCHITECTURES = {
    "relu": mlp(0),
    "relu-large": mlp(1, (64, 32, 32, 10), scale=2.5),
    "leaky": leaky(2),
    "conv": convolutional(3),
    "image": nn.Sequential(nn.Conv2d(1, 3, 3), nn.ReLU(), nn.AvgPool2d(3), nn.Flatten(), nn.Linear(12, 3)),
    "nested": nested(4),
    "shared-relu": one_activation_module_used_twice(5),
    "shared-linear": one_linear_layer_used_twice(6),
    "in-place": in_place(7),
    "activations-at-the-ends": activation_first_and_last(8),
    "linear": nn.Sequential(mlp(9, (64, 3))[0]),
    "one-layer": mlp(10, (64, 3))[0],
}
architectures = pytest.mark.parametrize("module", ARCHITECTURES.values(), ids=ARCHITECTURES)


def cuts(steps: ExactTrace) -> Floats:
    """0, where units switch, 1."""
    return np.array([0.0, *sorted({switch.alpha for switch in steps.switches}), 1.0])


def piecewise_gauss(case: Case, ends: Floats, nodes: int = 30) -> Floats:
    """Integrated Gradients by Gauss–Legendre between the cuts, asking the network itself at every node."""
    x, w = np.polynomial.legendre.leggauss(nodes)
    alphas = (ends[:-1, None] + np.diff(ends)[:, None] * (x + 1) / 2).ravel()
    weights = (np.diff(ends)[:, None] * w / 2).ravel()
    gradients = look(case.network, along(case, alphas), case.target, case.output).gradients
    total: Floats = case.difference * np.tensordot(weights, gradients, 1)
    return total


def pre_activations(network: Network, pictures: Floats) -> list[Floats]:
    """What goes into each activation, ``(k, units)``, in the order of the layers by hooks on a copy."""
    module, seen = copy.deepcopy(network.module), list[Floats]()
    for layer in module.modules():
        if isinstance(layer, nn.ReLU | nn.LeakyReLU):
            layer.register_forward_pre_hook(lambda layer, args: seen.append(args[0].flatten(1).numpy().copy()))
    with torch.no_grad():
        module(torch.from_numpy(pictures).reshape(-1, *network.input_shape))
    return seen


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


@outputs
def test_exact_maps_are_complete_to_rounding_on_a_thousand_varied_cases_of_each_network(
    zoo_network: Network, output: Output
) -> None:
    for case in varied_cases(zoo_network, output, few_if_convolutional(zoo_network, 1000, 60)):
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


@outputs
def test_exact_maps_equal_gauss_legendre_between_the_switches_on_the_zoo(zoo_network: Network, output: Output) -> None:
    for i, case in enumerate(varied_cases(zoo_network, output, few_if_convolutional(zoo_network, 60, 3))):
        steps = exact_integrated_gradients(case)
        if case.difference.any():
            expected = piecewise_gauss(case, cuts(steps))
            assert relative_error(steps.attribution, expected) < 1e-11, i


@outputs
def test_exact_maps_equal_adaptive_quadrature_broken_at_the_switches(zoo_network: Network, output: Output) -> None:
    x = PATTERNS["circle"]
    towards = few_if_convolutional(zoo_network, 1.0, 0.05)  # a short path, as each of its pieces is integrated here
    case = Case(zoo_network, x, x + towards * (picture(0) - x), 1, output)
    steps = exact_integrated_gradients(case)

    def integrand(alpha: float) -> Floats:
        return look(case.network, along(case, np.array([alpha])), case.target, output).gradients.ravel()

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


# Switches


@architectures
def test_a_switch_is_a_zero_of_the_pre_activation_of_its_unit(module: nn.Module) -> None:
    network = Network(module)
    for seed in range(5):
        case = random_case(network, seed)
        switches = exact_integrated_gradients(case).switches
        seen = pre_activations(network, along(case, np.array([switch.alpha for switch in switches])))
        for row, switch in enumerate(switches):
            pre = seen[switch.layer]
            assert abs(pre[row, switch.unit]) <= 1e-12 * max(1.0, float(np.abs(pre[row]).max()))


@architectures
def test_between_switches_no_unit_changes_sides_and_at_a_switch_only_its_own(module: nn.Module) -> None:
    network = Network(module)
    for seed in range(5):
        case = random_case(network, seed)
        steps = exact_integrated_gradients(case)
        ends = cuts(steps)
        inside = np.linspace(0.02, 0.98, 7)
        probes = ends[:-1, None] + np.diff(ends)[:, None] * inside
        active = [pre.reshape(*probes.shape, -1) > 0 for pre in pre_activations(network, along(case, probes.ravel()))]
        assert all((part == part[:, :1]).all() for part in active)
        changes = {
            (float(ends[piece + 1]), layer, int(unit), bool(part[piece + 1, 0, unit]))
            for layer, part in enumerate(active)
            for piece, unit in zip(*np.nonzero(part[1:, 0] != part[:-1, 0]), strict=True)
        }
        assert changes == {(s.alpha, s.layer, s.unit, s.turns_on) for s in steps.switches}


@architectures
def test_switches_ascend_within_the_path(module: nn.Module) -> None:
    alphas = [s.alpha for s in exact_integrated_gradients(random_case(Network(module), 1)).switches]
    assert alphas == sorted(alphas)
    assert all(0 < alpha < 1 for alpha in alphas)


def test_a_linear_network_has_one_piece_and_no_switch() -> None:
    steps = exact_integrated_gradients(random_case(Network(mlp(0, (64, 3))), 0))
    assert steps.switches == ()
    assert steps.alphas.tolist() == [1]
    assert steps.weights.tolist() == [1]


def test_the_way_back_has_the_same_switches_turned_round() -> None:
    case = random_case(Network(ARCHITECTURES["relu-large"]), 1)
    there = exact_integrated_gradients(case).switches
    back = exact_integrated_gradients(Case(case.network, case.baseline, case.input, case.target)).switches
    assert len(there) > 5
    assert [(s.layer, s.unit, s.turns_on) for s in there] == [(s.layer, s.unit, not s.turns_on) for s in reversed(back)]
    np.testing.assert_allclose([s.alpha for s in there], [1 - s.alpha for s in reversed(back)], rtol=1e-9)


def kinks(*thresholds: float) -> Network:
    """F = Σ relu(first pixel − threshold), one unit for each."""
    count = len(thresholds)
    return Network(
        nn.Sequential(
            first([[1.0]] * count, [-t for t in thresholds]),
            nn.ReLU(),
            linear([[1.0] * count, [0.0] * count]),
        )
    )


def two_layers(one: nn.Module, two: nn.Module) -> Network:
    """F = relu(two(relu(one(x))))."""
    return Network(nn.Sequential(one, nn.ReLU(), two, nn.ReLU(), linear([[1.0], [0.0]])))


def test_units_that_switch_at_the_same_place_are_each_told() -> None:
    steps = exact_integrated_gradients(Case(kinks(0.25, 0.5, 0.5), embed(1), BLACK, 0, "logit"))
    told = [(s.alpha, s.layer, s.unit, s.turns_on) for s in steps.switches]
    assert sorted(told) == [(0.25, 0, 0, True), (0.5, 0, 1, True), (0.5, 0, 2, True)]
    assert steps.alphas.tolist() == [0.25, 0.5, 1]  # one piece between them, none of length zero
    assert steps.attribution[0, 0] == 1.75


def test_a_unit_on_its_kink_at_an_end_of_the_path_does_not_switch() -> None:
    steps = exact_integrated_gradients(Case(kinks(0.0, 1.0), embed(1), BLACK, 0, "logit"))
    assert steps.switches == ()
    assert steps.attribution[0, 0] == 1


def test_a_unit_that_only_touches_its_kink_does_not_switch() -> None:
    # second layer: −|x − ½| = −relu(x − ½) − relu(½ − x), which touches 0 from below at ½
    network = two_layers(first([[1.0], [-1.0]], [-0.5, 0.5]), linear([[-1.0, -1.0]]))
    steps = exact_integrated_gradients(Case(network, embed(1), BLACK, 0, "logit"))
    assert {s.layer for s in steps.switches} == {0}
    assert not steps.attribution.any()


def test_a_unit_that_crosses_where_an_earlier_layer_already_cut_is_told_too() -> None:
    # second layer: relu(x − ½) − relu(½ − x) = x − ½, which crosses 0 where both units before it switch
    network = two_layers(first([[1.0], [-1.0]], [-0.5, 0.5]), linear([[1.0, -1.0]]))
    steps = exact_integrated_gradients(Case(network, embed(1), BLACK, 0, "logit"))
    assert {(s.alpha, s.layer, s.unit, s.turns_on) for s in steps.switches} == {
        (0.5, 0, 0, True),
        (0.5, 0, 1, False),
        (0.5, 1, 0, True),
    }
    assert steps.attribution[0, 0] == 0.5


@pytest.mark.parametrize("turns_on", [True, False])
def test_a_unit_that_leaves_or_enters_a_stretch_of_exact_zeros_is_told(turns_on: bool) -> None:
    # the second unit sees relu(x − ½): exactly 0 on one half of the path, positive on the other
    network = two_layers(first([[1.0]], [-0.5]), linear([[1.0]]))
    ends = (embed(1), BLACK) if turns_on else (BLACK, embed(1))
    steps = exact_integrated_gradients(Case(network, *ends, 0, "logit"))
    assert {(s.alpha, s.layer, s.turns_on) for s in steps.switches} == {
        (0.5, 0, turns_on),
        (0.5, 1, turns_on),
    }


def test_pre_activations_too_small_to_multiply_are_seen_to_cross() -> None:
    network = Network(nn.Sequential(first([[2e-200]], [-1e-200]), nn.ReLU(), linear([[1e200]] * 2)))
    steps = exact_integrated_gradients(Case(network, embed(1), BLACK, 0, "logit"))
    assert [s.alpha for s in steps.switches] == [0.5]
    assert steps.attribution[0, 0] == pytest.approx(1, rel=1e-15)


def test_cuts_stay_on_the_path_however_near_to_its_ends_a_unit_crosses() -> None:
    for threshold in (1e-300, 1e-17, 1e-16, 1 - 2**-53, 0.1, 0.7):
        for tiny in (1e-300, 1e-17, 2**-53):
            network = Network(
                nn.Sequential(
                    first([[1.0, 0.0], [-1.0, tiny], [1.0, 1.0]], [-threshold, threshold, -1 - threshold]),
                    nn.ReLU(),
                    linear([[1.0, 2.0, 3.0], [0.0, 0.0, 0.0]]),
                )
            )
            case = Case(network, embed(1, 1), embed(tiny), 0, "logit")
            steps = exact_integrated_gradients(case)
            assert all(0 <= s.alpha <= 1 for s in steps.switches)
            assert steps.alphas[-1] == 1
            assert (steps.weights > 0).all()
            assert abs(steps.attribution.sum() - delta_f(case)) < 1e-15


@pytest.mark.parametrize("ends", [(1e-17, -1.0), (-1.0, 1e-17), (1.0, -1e-17), (-1e-17, 1.0)])
def test_a_crossing_that_rounding_puts_on_an_end_leaves_f_at_the_ends_alone(
    ends: tuple[float, float],
) -> None:
    case = Case(kinks(0.0), embed(ends[0]), embed(ends[1]), 0, "logit")
    steps = exact_integrated_gradients(case)
    assert (steps.weights > 0).all()
    assert steps.alphas[-1] == 1
    assert steps.values[-1] == f_at(case, case.input[None].copy())[0]
    assert steps.attribution.sum() == pytest.approx(delta_f(case), rel=1e-15, abs=1e-16)


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
@pytest.mark.parametrize("module", [mlp(0), convolutional()], ids=["flat", "image"])
def test_the_callers_torch_mode_does_not_change_the_exact_map(module: nn.Module, mode: Any) -> None:
    case = random_case(Network(module), 0)
    expected = exact_integrated_gradients(case).attribution
    with mode():
        found = exact_integrated_gradients(case).attribution
    assert relative_error(found, expected) < 1e-13


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
    gradient = look(case.network, case.input[None].copy(), 1, "logit").gradients[0]
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


class NotWalkable(nn.Module):
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
    "softmax": (nn.Sequential(nn.Linear(64, 3), nn.Softmax(1)), ["layer 1", "Softmax"]),
    "group-norm": (nn.Sequential(nn.Linear(64, 4), nn.GroupNorm(1, 4)), ["layer 1", "GroupNorm"]),
    "nested": (
        nn.Sequential(nn.Linear(64, 8), nn.Sequential(nn.Identity(), nn.GELU())),
        ["layer 1.1", "GELU"],
    ),
    "custom": (NotWalkable(), ["the network", "NotWalkable"]),
    "custom-inside": (nn.Sequential(nn.Identity(), NotWalkable()), ["layer 1", "NotWalkable"]),
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
