"""Integrated Gradients averaged over noisy inputs or over baselines, and the straight paths behind both."""

from __future__ import annotations

import importlib

import numpy as np
import pytest
import torch
from each import each
from torch import nn

from explorer.attribution import METHODS, RULES, Case, Network, Settings, exact_integrated_gradients
from explorer.attribution.field import CHUNK, values_at
from explorer.attribution.means import error_of_mean, mean_of
from explorer.attribution.methods.averaged_ig import AVERAGED_BASELINES, SMOOTH_INTEGRATED_GRADIENTS, noise_pictures
from explorer.attribution.methods.smoothgrad import points
from explorer.attribution.network import Output
from explorer.attribution.paths import integrate_paths

from .toys import (
    BLACK,
    Floats,
    convolutional,
    embed,
    f_at,
    f_module,
    first,
    linear,
    mlp,
    outputs,
    picture,
    random_case,
    relative_error,
    zoo_networks,
)

rules = each("rule", RULES)
integrated_gradients = METHODS["integrated_gradients"]


def one_by_one(case: Case, inputs: Floats, baselines: Floats, steps: int, rule: str) -> Floats:
    """The map of each path from the method of one path."""
    return np.stack([
        integrated_gradients(Case(case.network, x, b, case.target, case.output), steps=steps, rule=rule).attribution
        for x, b in zip(inputs, baselines, strict=True)
    ])


@outputs
@rules
def test_smooth_ig_is_the_mean_of_ig_over_the_copies(rule: str, output: Output) -> None:
    case = random_case(Network(mlp(0)), 2, output)
    copies = points(case, Settings(samples=9, noise_level=0.3, seed=5))
    maps = one_by_one(case, copies, np.broadcast_to(case.baseline, copies.shape), 13, rule)
    found = SMOOTH_INTEGRATED_GRADIENTS(case, samples=9, noise_level=0.3, seed=5, steps=13, rule=rule)
    assert relative_error(found.attribution, maps.mean(axis=0)) < 1e-12
    assert found.error is not None
    assert relative_error(found.error, maps.std(axis=0, ddof=1) / 3) < 1e-12
    assert found.expected_sum == pytest.approx(f_at(case, copies).mean() - f_at(case, case.baseline[None])[0], rel=1e-12)


@outputs
@rules
def test_ig_over_baselines_is_the_mean_of_ig_from_each(rule: str, output: Output) -> None:
    case = random_case(Network(convolutional()), 2, output)
    baselines = noise_pictures(7, 3)
    maps = one_by_one(case, np.broadcast_to(case.input, baselines.shape), baselines, 11, rule)
    found = AVERAGED_BASELINES(case, baselines=7, seed=3, steps=11, rule=rule)
    assert relative_error(found.attribution, maps.mean(axis=0)) < 1e-12
    assert found.error is not None
    assert relative_error(found.error, maps.std(axis=0, ddof=1) / np.sqrt(7)) < 1e-12
    assert found.expected_sum == pytest.approx(f_at(case, case.input[None])[0] - f_at(case, baselines).mean(), rel=1e-12)


@outputs
@each("samples", [1, 4])
def test_smooth_ig_without_noise_is_ig(output: Output, samples: int) -> None:
    case = random_case(Network(mlp(0)), 1, output)
    found = SMOOTH_INTEGRATED_GRADIENTS(case, noise_level=0, samples=samples, steps=30, rule="midpoint")
    plain = integrated_gradients(case, steps=30, rule="midpoint")
    assert relative_error(found.attribution, plain.attribution) < 1e-12
    assert found.expected_sum == pytest.approx(plain.expected_sum, rel=1e-12)


@outputs
def test_with_fine_steps_the_averages_are_those_of_exact_ig(output: Output) -> None:
    case = random_case(Network(mlp(0)), 3, output)
    baselines = noise_pictures(5, 0)
    cases = [Case(case.network, case.input, baseline, case.target, output) for baseline in baselines]
    exact = [exact_integrated_gradients(case).attribution for case in cases]
    found = AVERAGED_BASELINES(case, baselines=5, steps=100, rule="midpoint").attribution
    assert relative_error(found, np.mean(exact, axis=0)) < 0.01


def test_the_cases_own_baseline_plays_no_part_where_baselines_are_drawn() -> None:
    network = Network(mlp(0))
    one, two = (AVERAGED_BASELINES(Case(network, picture(0), b, 0)).attribution for b in (BLACK, picture(1)))
    assert np.array_equal(one, two)


def test_a_worked_case_of_two_pixels() -> None:
    """F = 2x₀ + relu(x₁ − ½) has the gradient (2, 0) below the kink and (2, 1) above; x = (1, 1), baselines drawn.

    The straight path from x₁′ < ½ to 1 is past the kink for the share (1 − ½)/(1 − x₁′), so pixel 1 gets ½ in full;
    from x₁′ ≥ ½ it gets 1 − x₁′.
    """
    network = Network(nn.Sequential(first([[2.0, 0], [0, 1.0]], [0.0, -0.5]), nn.ReLU(), linear([[1.0, 1.0]] * 2)))
    case = Case(network, embed(1, 1), BLACK, 0, "logit")
    drawn = noise_pictures(6, 1).reshape(6, 64)[:, :2]
    found = AVERAGED_BASELINES(case, baselines=6, seed=1, steps=100, rule="midpoint").attribution.ravel()
    assert found[0] == pytest.approx((2 * (1 - drawn[:, 0])).mean(), rel=1e-12)
    assert found[1] == pytest.approx(np.minimum(0.5, 1 - drawn[:, 1]).mean(), abs=0.01)  # a node's share of the path
    assert found[2:].tolist() == [0] * 62


def test_fewer_noise_pictures_are_the_first_of_more_and_lie_in_the_pixels_range() -> None:
    many = noise_pictures(50, 9)
    assert np.array_equal(noise_pictures(7, 9), many[:7])
    assert not np.array_equal(noise_pictures(7, 8), many[:7])
    assert many.min() >= 0
    assert many.max() < 1
    assert many.mean() == pytest.approx(0.5, abs=0.02)


@each("paths", [1, CHUNK // 10 - 1, CHUNK // 10 + 1])
def test_paths_are_the_same_in_one_chunk_or_several(paths: int) -> None:
    case = random_case(Network(mlp(0)), 0)
    rng = np.random.default_rng(paths)
    inputs, baselines = rng.random((2, paths, 8, 8))
    sent: list[int] = []
    case.network.module.register_forward_hook(lambda module, args, out: sent.append(len(out)))
    together = integrate_paths(case, inputs, baselines, 10, "left")
    assert max(sent) <= CHUNK
    assert sum(sent) == 10 * paths
    some = [0, paths // 2, paths - 1]
    assert relative_error(together[some], one_by_one(case, inputs[some], baselines[some], 10, "left")) < 1e-12


@outputs
def test_values_are_those_of_the_field_however_many_and_without_a_warning(output: Output, every_warning: None) -> None:
    case = random_case(Network(mlp(0)), 0, output)
    pictures = np.random.default_rng(0).random((CHUNK + 3, 8, 8))
    expected = f_at(case, pictures)
    pictures.flags.writeable = False
    np.testing.assert_allclose(values_at(case, pictures), expected, rtol=1e-13)


def test_mean_and_error_of_one_two_and_many_maps() -> None:
    maps = np.random.default_rng(0).standard_normal((40, 8, 8)) + 1e6
    assert error_of_mean(maps[:1]) is None
    error = error_of_mean(maps[:2])
    assert error is not None
    np.testing.assert_allclose(error, np.abs(maps[0] - maps[1]) / 2, rtol=1e-8)
    mean, error = mean_of(maps), error_of_mean(maps)
    assert error is not None
    np.testing.assert_allclose(mean, maps.mean(axis=0), rtol=1e-13)
    np.testing.assert_allclose(error, maps.std(axis=0, ddof=1) / np.sqrt(40), rtol=1e-8)


@zoo_networks
@outputs
def test_captums_noise_tunnel_around_ig_agrees_on_the_same_noise(
    zoo_network: Network, output: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To 1e-6 only: Captum keeps the steps in single precision."""
    captum = importlib.import_module("captum.attr")
    module = f_module(Case(zoo_network, BLACK, BLACK, 0, output))
    for target in range(len(zoo_network.classes)):
        case = Case(zoo_network, picture(target), picture(50), target, output)
        noise = torch.tensor(points(case, Settings(samples=6)) - case.input).reshape(6, *zoo_network.input_shape)
        monkeypatch.setattr(torch, "normal", lambda mean, std, noise=noise: noise)
        x, baseline = (torch.tensor(p).reshape(1, *zoo_network.input_shape) for p in (case.input, case.baseline))
        found = captum.NoiseTunnel(captum.IntegratedGradients(module)).attribute(
            x, nt_samples=6, stdevs=0.15, baselines=baseline, target=target, n_steps=20, method="riemann_right"
        )
        ours = SMOOTH_INTEGRATED_GRADIENTS(case, samples=6, steps=20, rule="right").attribution
        assert relative_error(ours, found.detach().numpy().reshape(8, 8)) < 1e-6


@outputs
def test_smooth_ig_can_average_the_squared_maps_and_then_promises_no_sum(output: Output) -> None:
    case = random_case(Network(mlp(0)), 1, output)
    settings = Settings(samples=5, noise_range="picture")
    maps = np.stack([
        METHODS["integrated_gradients"](Case(case.network, x, case.baseline, case.target, output), steps=10).attribution
        for x in points(case, settings)
    ])
    found = SMOOTH_INTEGRATED_GRADIENTS(case, samples=5, steps=10, noise_range="picture", squares=True)
    assert relative_error(found.attribution, (maps**2).mean(axis=0)) < 1e-12
    assert found.expected_sum is None
    assert found.error is not None
    assert relative_error(found.error, (maps**2).std(axis=0, ddof=1) / np.sqrt(5)) < 1e-10
