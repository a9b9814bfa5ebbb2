"""Where the exact rule says that units switch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from each import each
from torch import nn

from explorer.attribution import (
    Case,
    Network,
    exact_integrated_gradients,
)
from explorer.attribution.network import Activation

from .architectures import ARCHITECTURES, architectures, cuts, pre_activations
from .toys import (
    BLACK,
    along,
    convolutional,
    delta_f,
    embed,
    f_at,
    first,
    linear,
    mlp,
    random_case,
    relative_error,
)

ACTIVATIONS: tuple[Activation, ...] = ("softmax", "sigmoid")


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


@each("turns_on", [True, False])
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


@each("ends", [(1e-17, -1.0), (-1.0, 1e-17), (1.0, -1e-17), (-1e-17, 1.0)])
def test_a_crossing_that_rounding_puts_on_an_end_leaves_f_at_the_ends_alone(
    ends: tuple[float, float],
) -> None:
    case = Case(kinks(0.0), embed(ends[0]), embed(ends[1]), 0, "logit")
    steps = exact_integrated_gradients(case)
    assert (steps.weights > 0).all()
    assert steps.alphas[-1] == 1
    assert steps.values[-1] == f_at(case, case.input[None].copy())[0]
    assert steps.attribution.sum() == pytest.approx(delta_f(case), rel=1e-15, abs=1e-16)


@each("mode", [torch.no_grad, torch.inference_mode])
@each("module", [mlp(0), convolutional()], ids=["flat", "image"])
def test_the_callers_torch_mode_does_not_change_the_exact_map(module: nn.Module, mode: Any) -> None:
    case = random_case(Network(module), 0)
    expected = exact_integrated_gradients(case).attribution
    with mode():
        found = exact_integrated_gradients(case).attribution
    assert relative_error(found, expected) < 1e-13
