"""Expected Gradients and GradientSHAP: random background pictures, random points on the path."""

from __future__ import annotations

import importlib

import numpy as np
import pytest
import torch
from torch import nn

from explorer.attribution import METHODS, Case, Network, Settings, exact_integrated_gradients, gradient_field
from explorer.attribution.methods.expected_gradients import EXPECTED_GRADIENTS, GRADIENT_SHAP, draw
from explorer.attribution.methods.smoothgrad import points
from explorer.attribution.network import Output

from .toys import (
    BLACK,
    Floats,
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

both = pytest.mark.parametrize("name", ["expected_gradients", "gradient_shap"])

BACKGROUND = np.stack([picture(seed) for seed in range(100, 105)])
NETWORK = Network(mlp(0), background=BACKGROUND)


def mean_of_exact(case: Case) -> Floats:
    """The limit of many samples: exact Integrated Gradients from every background picture, averaged."""
    background = case.network.background
    assert background is not None
    return np.mean([
        exact_integrated_gradients(Case(case.network, case.input, b, case.target, case.output)).attribution
        for b in background
    ], axis=0)


@outputs
@pytest.mark.parametrize("seed", range(4))
def test_expected_gradients_is_as_near_its_limit_as_it_says(output: Output, seed: int) -> None:
    case = random_case(NETWORK, seed, output)
    limit = mean_of_exact(case)
    found = EXPECTED_GRADIENTS(case, samples=5000, seed=seed)
    assert found.error is not None
    off = (found.attribution - limit) / found.error
    assert np.abs(off).max() < 5
    assert 0.5 < np.sqrt((off**2).mean()) < 1.6  # neither too proud nor too modest
    assert relative_error(found.attribution, limit) < 0.1
    assert found.expected_sum == pytest.approx(limit.sum(), rel=1e-9)


@outputs
def test_the_mean_over_seeds_comes_still_nearer(output: Output) -> None:
    case = random_case(NETWORK, 1, output)
    limit = mean_of_exact(case)
    maps = np.stack([EXPECTED_GRADIENTS(case, samples=5000, seed=seed).attribution for seed in range(20)])
    error = maps.std(axis=0, ddof=1) / np.sqrt(20)
    assert (np.abs(maps.mean(axis=0) - limit) < 5 * error).all()
    assert relative_error(maps.mean(axis=0), limit) < 0.03


@outputs
def test_it_is_the_mean_over_what_was_drawn(output: Output) -> None:
    case = random_case(NETWORK, 2, output)
    drawn = draw(BACKGROUND, 30, 7)
    maps = []
    for b, alpha in zip(*drawn, strict=True):
        at = b + alpha * (case.input - b)
        maps.append((case.input - b) * gradient_field(NETWORK, at[None], case.target, output).gradients[0])
    found = EXPECTED_GRADIENTS(case, samples=30, seed=7)
    assert relative_error(found.attribution, np.mean(maps, axis=0)) < 1e-12
    assert found.error is not None
    assert relative_error(found.error, np.std(maps, axis=0, ddof=1) / np.sqrt(30)) < 1e-12


@outputs
def test_gradient_shap_without_noise_is_expected_gradients(output: Output) -> None:
    case = random_case(NETWORK, 3, output)
    one, two = EXPECTED_GRADIENTS(case, seed=3), GRADIENT_SHAP(case, seed=3, noise_level=0)
    assert relative_error(two.attribution, one.attribution) < 1e-13
    assert two.expected_sum == pytest.approx(one.expected_sum, rel=1e-12)


@outputs
def test_the_goals_are_differences_of_means(output: Output) -> None:
    case = random_case(NETWORK, 4, output)
    background = f_at(case, BACKGROUND).mean()
    copies = points(case, Settings(samples=40, seed=2))
    assert EXPECTED_GRADIENTS(case).expected_sum == pytest.approx(f_at(case, case.input[None])[0] - background, rel=1e-12)
    found = GRADIENT_SHAP(case, samples=40, seed=2)
    assert found.expected_sum == pytest.approx(f_at(case, copies).mean() - background, rel=1e-12)


def test_on_a_linear_network_each_pixel_is_its_weight_times_its_distance_from_the_drawn_background() -> None:
    weights = np.random.default_rng(0).standard_normal((3, 64))
    case = Case(Network(linear(weights, [1, 2, 3]), background=BACKGROUND), picture(0), BLACK, 1, "logit")
    drawn = draw(BACKGROUND, 25, 0).baselines
    expected = weights[1].reshape(8, 8) * (case.input - drawn.mean(axis=0))
    assert relative_error(EXPECTED_GRADIENTS(case, samples=25).attribution, expected) < 1e-12


def test_a_worked_case_of_one_background_picture() -> None:
    """F = relu(x₀ − ¼) from black to x₀ = 1 is past the kink for α > ¼: pixel 0 gets the share of samples there."""
    network = Network(nn.Sequential(first([[1.0]], -0.25), nn.ReLU(), linear([[1.0]] * 2)), background=BLACK[None])
    case = Case(network, embed(1.0), picture(0), 0, "logit")
    share = (draw(BLACK[None], 400, 0).alphas > 0.25).mean()
    found = EXPECTED_GRADIENTS(case, samples=400)
    assert found.attribution[0, 0] == pytest.approx(share, rel=1e-13)
    assert found.attribution[0, 0] == pytest.approx(0.75, abs=0.08)
    assert found.expected_sum == pytest.approx(0.75, rel=1e-13)


def test_when_the_input_is_the_whole_background_there_is_nothing_to_explain() -> None:
    network = Network(mlp(0), background=picture(0)[None])
    answer = EXPECTED_GRADIENTS(Case(network, picture(0), BLACK, 0))
    assert not answer.attribution.any()
    assert answer.expected_sum == pytest.approx(0, abs=1e-15)


@both
def test_the_cases_own_baseline_plays_no_part(name: str) -> None:
    one, two = (METHODS[name](Case(NETWORK, picture(0), b, 0)).attribution for b in (BLACK, picture(1)))
    assert np.array_equal(one, two)


@both
def test_a_network_without_background_is_refused_with_the_reason(name: str) -> None:
    bare = Network(mlp(0))
    assert METHODS[name].unsupported_reason(NETWORK) == ""
    assert "trained on" in METHODS[name].unsupported_reason(bare)
    with pytest.raises(ValueError, match=r"does not apply: .*trained on"):
        METHODS[name](random_case(bare, 0))


@both
def test_one_sample_has_no_known_error(name: str) -> None:
    answer = METHODS[name](random_case(NETWORK, 0), samples=1)
    assert answer.error is None
    assert np.isfinite(answer.attribution).all()


def test_draws_are_fair_and_a_shorter_one_is_the_beginning_of_a_longer() -> None:
    many, few = draw(BACKGROUND, 4000, 3), draw(BACKGROUND, 9, 3)
    assert np.array_equal(few.baselines, many.baselines[:9])
    assert np.array_equal(few.alphas, many.alphas[:9])
    assert not np.array_equal(draw(BACKGROUND, 9, 4).alphas, few.alphas)
    share = [(many.baselines == b).all(axis=(1, 2)).mean() for b in BACKGROUND]
    assert np.abs(np.array(share) - 0.2).max() < 5 * np.sqrt(0.2 * 0.8 / 4000)
    assert np.abs(np.sort(many.alphas) - np.arange(4000) / 4000).max() < 2 / np.sqrt(4000)
    of_first = many.alphas[(many.baselines == BACKGROUND[0]).all(axis=(1, 2))]
    assert of_first.mean() == pytest.approx(0.5, abs=5 / np.sqrt(12 * len(of_first)))  # α does not know the picture


@zoo_networks
@outputs
def test_captums_gradient_shap_agrees_on_the_same_draws(
    zoo_network: Network, output: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    captum = importlib.import_module("captum.attr")
    n = 20
    network = Network(zoo_network.module, activation=zoo_network.activation, background=BACKGROUND)
    module = f_module(Case(network, BLACK, BLACK, 0, output))
    for target in range(len(network.classes)):
        case = Case(network, picture(target), BLACK, target, output)
        noise = torch.tensor(points(case, Settings(samples=n, seed=6)) - case.input).reshape(n, *network.input_shape)
        drawn = draw(BACKGROUND, n, 6)
        which = [int((b == BACKGROUND).all(axis=(1, 2)).argmax()) for b in drawn.baselines]
        monkeypatch.setattr(torch, "normal", lambda mean, std, noise=noise: noise)
        monkeypatch.setattr(np.random, "choice", lambda count, size, which=which: np.array(which))
        monkeypatch.setattr(np.random, "uniform", lambda low, high, size, alphas=drawn.alphas: alphas)
        found = captum.GradientShap(module).attribute(
            torch.tensor(case.input).reshape(1, *network.input_shape),
            baselines=torch.tensor(BACKGROUND).reshape(-1, *network.input_shape),
            n_samples=n, stdevs=0.15, target=target,
        ).detach().numpy().reshape(8, 8)
        assert relative_error(GRADIENT_SHAP(case, samples=n, seed=6).attribution, found) < 1e-9
