"""Integrated Gradients with quadrature: the axioms, the orders of the rules, and the trace."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from explorer.attribution import (
    RULES,
    Case,
    Network,
    Settings,
    completeness,
    exact_integrated_gradients,
    explain,
    gradient_field,
    trace,
)
from explorer.attribution.methods.integrated_gradients import points
from explorer.attribution.network import Output

from .each import each
from .toys import (
    BLACK,
    WHITE,
    Floats,
    convolutional,
    delta_f,
    linear,
    mlp,
    outputs,
    picture,
    random_case,
    relative_error,
)

rules = pytest.mark.parametrize("rule", list(RULES))
SMOOTH = {
    "tanh": Network(mlp(0, (64, 12, 8, 3), nn.Tanh)),
    "softplus": Network(mlp(1, (64, 12, 8, 3), nn.Softplus), activation="sigmoid"),
}
smooth_networks = each("network", SMOOTH.values(), ids=SMOOTH)


def ig(case: Case, rule: str, m: int) -> Floats:
    name = "integrated_gradients"
    return explain(case, Settings(steps=m, rule=rule), [name])[name].attribution


def delta(case: Case, rule: str, m: int) -> float:
    return float(ig(case, rule, m).sum()) - delta_f(case)


@rules
@pytest.mark.parametrize("m", [1, 2, 7])
def test_a_linear_network_is_integrated_exactly_however_few_the_steps(rule: str, m: int) -> None:
    weights = np.random.default_rng(0).standard_normal((3, 64))
    case = random_case(Network(linear(weights, 0.5)), 1, "logit")
    assert relative_error(ig(case, rule, m), case.difference * weights[case.target].reshape(8, 8)) < 1e-15
    assert abs(delta(case, rule, m)) < 1e-13


@rules
@outputs
def test_pixels_equal_in_input_and_baseline_get_exactly_zero(rule: str, output: Output) -> None:
    same = np.random.default_rng(3).random((8, 8)) < 0.5
    case = Case(Network(mlp(2)), picture(0), np.where(same, picture(0), picture(1)), 1, output)
    found = ig(case, rule, 9)
    assert (found[same] == 0).all()
    assert (found[~same] != 0).any()


@rules
@outputs
def test_an_input_that_is_the_baseline_gets_an_all_zero_map_and_no_delta(rule: str, output: Output) -> None:
    case = Case(Network(mlp(2)), picture(0), picture(0), 1, output)
    explanation = explain(case, Settings(steps=9, rule=rule))
    found = explanation["integrated_gradients"].attribution
    assert not found.any()
    assert completeness(found, explanation.delta_f).delta == 0
    assert completeness(found, explanation.delta_f).share is None


@smooth_networks
@outputs
@pytest.mark.parametrize(("rule", "order"), [("left", 1), ("right", 1), ("midpoint", 2), ("trapezoid", 2)])
def test_completeness_error_falls_with_the_order_of_the_rule(
    network: Network, output: Output, rule: str, order: int
) -> None:
    case = Case(network, picture(0), BLACK, 1, output)
    errors = [abs(delta(case, rule, m)) for m in (100, 200, 400)]
    assert np.log2(np.divide(errors[:-1], errors[1:])) == pytest.approx([order, order], abs=0.05)


@smooth_networks
@outputs
def test_gauss_legendre_is_complete_to_rounding_on_a_smooth_network(network: Network, output: Output) -> None:
    case = Case(network, picture(0), BLACK, 1, output)
    assert abs(delta(case, "gauss-legendre", 40)) < 1e-13
    assert abs(delta(case, "gauss-legendre", 3)) > 1e-9  # so the bound above says something


@smooth_networks
@outputs
def test_rules_are_related_as_the_textbook_says(network: Network, output: Output) -> None:
    case, m = random_case(network, 1, output), 11
    left, right, midpoint, trapezoid = (ig(case, rule, m) for rule in ("left", "right", "midpoint", "trapezoid"))
    at_input, at_baseline = gradient_field(network, np.stack([case.input, case.baseline]), case.target, output).gradients
    difference = case.difference * (at_input - at_baseline)
    assert relative_error(right - left, difference / m) < 1e-10
    assert relative_error((left + right) / 2, trapezoid) < 1e-12
    assert relative_error((midpoint + trapezoid) / 2, ig(case, "trapezoid", 2 * m)) < 1e-12
    assert relative_error((midpoint + left) / 2, ig(case, "left", 2 * m)) < 1e-12


@pytest.mark.parametrize(
    ("rule", "mirrored"),
    [
        ("left", "right"),
        ("midpoint", "midpoint"),
        ("trapezoid", "trapezoid"),
        ("gauss-legendre", "gauss-legendre"),
    ],
)
@outputs
def test_swapping_input_and_baseline_negates_the_map_of_the_mirrored_rule(
    rule: str, mirrored: str, output: Output
) -> None:
    case = random_case(SMOOTH["tanh"], 2, output)
    swapped = Case(case.network, case.baseline, case.input, case.target, output)
    assert relative_error(ig(swapped, mirrored, 13), -ig(case, rule, 13)) < 1e-12


@rules
@outputs
def test_pixels_that_the_network_cannot_tell_apart_get_equal_attribution(rule: str, output: Output) -> None:
    module = mlp(3)
    assert isinstance(module[0], nn.Linear)
    with torch.no_grad():
        module[0].weight[:, 10] = module[0].weight[:, 53]
    x, baseline = picture(0), picture(1)
    x.flat[10], baseline.flat[10] = x.flat[53], baseline.flat[53]
    found = ig(Case(Network(module), x, baseline, 2, output), rule, 9).ravel()
    assert found[10] == pytest.approx(found[53], rel=1e-13)
    assert found[10] != 0


@outputs
def test_a_pixel_alone_in_differing_gets_the_whole_difference(output: Output) -> None:
    # Sensitivity (a): input and baseline differ in one pixel and F differs, so that pixel gets something
    x = picture(0)
    x[3, 4] = 1 - x[3, 4]
    case = Case(Network(mlp(4)), x, picture(0), 1, output)
    found = ig(case, "gauss-legendre", 300)
    assert np.count_nonzero(found) == 1
    assert found[3, 4] == pytest.approx(delta_f(case), rel=1e-3)


@outputs
@pytest.mark.parametrize("rule", ["left", "right", "midpoint", "trapezoid", "gauss-legendre"])
def test_quadrature_tends_to_the_exact_map(rule: str, output: Output) -> None:
    case = random_case(Network(mlp(5)), 3, output)
    exact = exact_integrated_gradients(case).attribution
    errors = [relative_error(ig(case, rule, m), exact) for m in (5, 400)]
    assert errors[1] < min(1e-2, errors[0] / 10)


# The trace


@rules
@outputs
@pytest.mark.parametrize("module", [mlp(0), convolutional()], ids=["flat", "image"])
def test_the_last_step_of_the_trace_is_the_attribution(module: nn.Module, output: Output, rule: str) -> None:
    case, settings = random_case(Network(module), 4, output), Settings(steps=23, rule=rule)
    result = explain(case, settings)["integrated_gradients"]
    steps = trace(case, settings, result.field)
    assert np.array_equal(steps.running[-1], steps.attribution)
    assert relative_error(steps.attribution, result.attribution) < 1e-13


@rules
@outputs
def test_each_step_of_the_trace_adds_its_weighted_gradient(rule: str, output: Output) -> None:
    case, settings = random_case(Network(mlp(0)), 5, output), Settings(steps=23, rule=rule)
    steps = trace(case, settings, explain(case, settings)["integrated_gradients"].field)
    total = np.zeros((8, 8))
    for weight, gradient, running in zip(steps.weights, steps.gradients, steps.running, strict=True):
        total += weight * gradient
        np.testing.assert_allclose(running, case.difference * total, rtol=1e-12, atol=1e-16)


@rules
def test_the_trace_tells_alpha_weight_and_f_of_each_step(rule: str) -> None:
    case, settings = random_case(Network(mlp(0)), 5), Settings(steps=6, rule=rule)
    steps = trace(case, settings, explain(case, settings)["integrated_gradients"].field)
    alphas, weights = RULES[rule](6)
    points = [case.baseline + a * case.difference for a in alphas]
    assert np.array_equal(steps.alphas, alphas)
    assert np.array_equal(steps.weights, weights)
    np.testing.assert_allclose(steps.values, case.network.scores(np.stack(points))[:, case.target], rtol=1e-12)
    assert steps.gradients.shape == steps.running.shape == (*alphas.shape, 8, 8)


def test_the_path_starts_at_the_baseline_and_ends_at_the_input_to_the_last_bit() -> None:
    case = Case(Network(mlp(0)), picture(0), 0.1 * WHITE + picture(1) / 3, 0)
    path = points(case, Settings(steps=7, rule="trapezoid"))
    assert np.array_equal(path[0], case.baseline)
    assert np.array_equal(path[-1], case.input)
