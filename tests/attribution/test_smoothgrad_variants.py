"""SmoothGrad² and VarGrad: moments of the gradients at SmoothGrad's own points."""

from __future__ import annotations

import importlib
from collections.abc import Callable

import numpy as np
import pytest
import torch
from each import each
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from torch import nn

from explorer.attribution import METHODS, Case, Network, Settings, explain, gradient_field
from explorer.attribution.field import Field
from explorer.attribution.methods.smoothgrad import points
from explorer.attribution.methods.smoothgrad_variants import SMOOTHGRAD_SQUARED, VARGRAD, mean_square, variance
from explorer.attribution.network import Output

from .toys import (
    BLACK,
    Floats,
    embed,
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

ANY_CASE = Case(Network(linear(np.zeros((2, 64)))), BLACK, BLACK, 0)


def field(gradients: Floats) -> Field:
    n = len(gradients)
    return Field(np.zeros(n), gradients, np.zeros((n, 2)))


def of(function: Callable[[Case, Settings, Field], Floats], gradients: Floats) -> Floats:
    return function(ANY_CASE, Settings(), field(gradients))


@outputs
def test_they_are_the_moments_of_the_gradients_at_smoothgrads_copies(output: Output) -> None:
    case = random_case(Network(mlp(0)), 2, output)
    seen = gradient_field(case.network, points(case, Settings(seed=4)), case.target, output).gradients
    assert relative_error(SMOOTHGRAD_SQUARED(case, seed=4).attribution, (seen**2).mean(axis=0)) < 1e-12
    assert relative_error(VARGRAD(case, seed=4).attribution, seen.var(axis=0, ddof=0)) < 1e-12


@outputs
@each("seed", range(3))
def test_the_mean_square_is_the_square_of_the_mean_plus_the_variance(output: Output, seed: int) -> None:
    case = random_case(Network(mlp(seed)), seed, output)
    names = ("smoothgrad", "smoothgrad_squared", "vargrad")
    smooth, square, spread = (METHODS[name](case).attribution for name in names)
    assert relative_error(square, smooth**2 + spread) < 1e-13


def test_all_three_share_one_set_of_looks() -> None:
    sent: list[int] = []
    network = Network(mlp(0))
    network.module.register_forward_hook(lambda module, args, out: sent.append(len(out)))
    explain(random_case(network, 0), Settings(samples=30), ["smoothgrad", "smoothgrad_squared", "vargrad"])
    assert sent == [3 + 30]


@given(arrays(np.float64, (5, 8, 8), elements=st.floats(-1e6, 1e6)))
def test_variance_is_never_negative_and_never_above_the_mean_square(gradients: Floats) -> None:
    spread, square = of(variance, gradients), of(mean_square, gradients)
    assert (spread >= 0).all()
    assert (spread <= square * (1 + 1e-12)).all()


@given(st.floats(-1e9, 1e9), st.integers(1, 9))
def test_equal_gradients_have_no_variance_at_all(value: float, n: int) -> None:
    assert not of(variance, np.full((n, 8, 8), value)).any()


def test_variance_survives_an_offset_that_is_large_beside_the_spread() -> None:
    spread = np.random.default_rng(0).standard_normal((30, 8, 8))
    np.testing.assert_allclose(of(variance, spread + 1e6), of(variance, spread), rtol=1e-8)


@outputs
def test_without_noise_they_are_the_squared_gradient_and_nothing(output: Output) -> None:
    case = random_case(Network(mlp(0)), 1, output)
    gradient = METHODS["gradient"](case).attribution
    assert relative_error(SMOOTHGRAD_SQUARED(case, noise_level=0).attribution, gradient**2) < 1e-13
    assert VARGRAD(case, noise_level=0).attribution.max() < 1e-26 * (gradient**2).max()


def test_one_copy_has_no_variance_and_no_known_error() -> None:
    answer = VARGRAD(random_case(Network(mlp(0)), 1), samples=1)
    assert not answer.attribution.any()
    assert answer.error is None


def test_on_a_kink_the_share_of_active_copies_says_all() -> None:
    """∂F/∂x is 2 on the active side and 0 on the other, so with share p: mean square 4p, variance 4p(1 − p)."""
    network = Network(nn.Sequential(first([[1.0]], -0.5), nn.ReLU(), linear([[2.0]] * 2)))
    case = Case(network, embed(0.5), BLACK, 0, "logit")
    p = float((points(case, Settings(samples=40))[:, 0, 0] > 0.5).mean())
    assert 0.2 < p < 0.8
    assert SMOOTHGRAD_SQUARED(case, samples=40).attribution[0, 0] == pytest.approx(4 * p, rel=1e-14)
    assert VARGRAD(case, samples=40).attribution[0, 0] == pytest.approx(4 * p * (1 - p), rel=1e-14)


@zoo_networks
@outputs
@each(("name", "kind"), [("smoothgrad_squared", "smoothgrad_sq"), ("vargrad", "vargrad")])
def test_captums_noise_tunnel_agrees_on_the_same_noise(
    zoo_network: Network, name: str, kind: str, output: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    captum = importlib.import_module("captum.attr")
    module = f_module(Case(zoo_network, BLACK, BLACK, 0, output))
    for target in range(len(zoo_network.classes)):
        case = Case(zoo_network, picture(target), BLACK, target, output)
        noise = torch.tensor(points(case, Settings(samples=20)) - case.input).reshape(20, *zoo_network.input_shape)
        monkeypatch.setattr(torch, "normal", lambda mean, std, noise=noise: noise)
        found = captum.NoiseTunnel(captum.Saliency(module)).attribute(
            torch.tensor(case.input).reshape(1, *zoo_network.input_shape),
            nt_samples=20, stdevs=0.15, nt_type=kind, target=target, abs=False,
        ).detach().numpy().reshape(8, 8)
        ours = METHODS[name](case, samples=20).attribution
        size = METHODS["smoothgrad_squared"](case, samples=20).attribution.max()  # Captum subtracts numbers of this size
        assert np.abs(ours - found).max() < 1e-9 * size


@outputs
def test_vargrad_can_divide_by_n_minus_1_and_vary_the_magnitude(output: Output) -> None:
    case = random_case(Network(mlp(0)), 4, output)
    gradients = gradient_field(case.network, points(case, Settings(samples=12)), case.target, output).gradients
    for ddof in (0, 1):
        found = VARGRAD(case, samples=12, ddof=ddof, variance_of="magnitude").attribution
        assert relative_error(found, np.abs(gradients).var(axis=0, ddof=ddof)) < 1e-12
        assert relative_error(VARGRAD(case, samples=12, ddof=ddof).attribution, gradients.var(axis=0, ddof=ddof)) < 1e-12


@each("ddof", [0, 1])
def test_one_copy_has_no_variance_whatever_it_is_divided_by(ddof: int) -> None:
    answer = VARGRAD(random_case(Network(mlp(0)), 0), samples=1, ddof=ddof)
    assert not answer.attribution.any()
    assert answer.error is None


def test_the_standard_error_of_vargrad_grows_with_its_divisor() -> None:
    one, two = (VARGRAD(random_case(Network(mlp(0)), 0), samples=10, ddof=ddof).error for ddof in (0, 1))
    assert one is not None and two is not None
    np.testing.assert_allclose(two, one * 10 / 9, rtol=1e-13)
