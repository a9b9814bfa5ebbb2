"""LRP with the ε, γ and z⁺ rules: worked cases, what is conserved, and where it depends on how a network is written."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from explorer.attribution import METHODS, Case, Method, Network, gradient_field
from explorer.attribution.network import Output

from .each import each
from .toys import (
    BLACK,
    Floats,
    convolutional,
    embed,
    f_at,
    first,
    linear,
    mlp,
    outputs,
    picture,
    random_case,
    relative_error,
)

EPSILON, GAMMA, ZPLUS = (METHODS[f"lrp_{name}"] for name in ("epsilon", "gamma", "zplus"))
rules = pytest.mark.parametrize("method", [EPSILON, GAMMA, ZPLUS], ids=["epsilon", "gamma", "zplus"])
seeds = st.integers(0, 10_000)

NETWORKS = {
    "flat": Network(mlp(0)),
    "leaky": Network(mlp(1, activation=lambda: nn.LeakyReLU(0.2)), activation="sigmoid"),
    "image": Network(convolutional()),
}
networks = each("network", NETWORKS.values(), ids=NETWORKS)


def net(*layers: nn.Module) -> Network:
    return Network(nn.Sequential(*layers), activation="sigmoid")  # so that one logit is a class


def without_biases(seed: int, activation: type[nn.Module] = nn.ReLU) -> nn.Sequential:
    module = mlp(seed, (64, 9, 7, 4), activation)
    for layer in module:
        if isinstance(layer, nn.Linear):
            nn.init.zeros_(layer.bias)
    return module


def logit(case: Case) -> float:
    return float(gradient_field(case.network, case.input[None].copy(), case.target, "logit").values[0])


def times_input(case: Case) -> Floats:
    return METHODS["gradient_times_input"](
        Case(case.network, case.input, case.baseline, case.target, "logit")
    ).attribution


def pixels(method: Method, network: Network, *x: float, **settings: float) -> list[float]:
    """The first two pixels' relevance for the first class; the others get none."""
    found = method(Case(network, embed(*x), BLACK, 0, "logit"), **settings).attribution.ravel()
    assert not found[2:].any()
    return [pytest.approx(value, rel=1e-14) for value in found[:2].tolist()]


def test_one_layer_shares_its_logit_by_each_rule() -> None:
    network = net(first([[3, -1]], 1))  # contributions 3 and −2, and 1 from the bias: a logit of 2
    assert pixels(EPSILON, network, 1, 2, epsilon=0) == [3, -2]  # 1 is the bias's
    assert pixels(EPSILON, network, 1, 2, epsilon=0.5) == [2.4, -1.6]  # times 2 / 2.5
    assert pixels(GAMMA, network, 1, 2, gamma=1) == [2, -2 / 3]  # 6 and −2 of 6, 2 of these the bias's
    assert pixels(ZPLUS, network, 1, 2) == [2, 0]


def test_a_negative_logit_is_shared_the_other_way_round() -> None:
    network = net(first([[-3, 1]], -1))  # a logit of −2
    assert pixels(EPSILON, network, 1, 2, epsilon=0) == [-3, 2]
    assert pixels(EPSILON, network, 1, 2, epsilon=0.5) == [-2.4, 1.6]
    assert pixels(GAMMA, network, 1, 2, gamma=1) == [-2, 2 / 3]  # what is negative weighs double here: −6, 2 and −2
    assert pixels(ZPLUS, network, 1, 2) == [0, -2]


def test_a_negative_pixel_with_a_negative_weight_counts_as_positive() -> None:
    network = net(first([[3, -1]]))  # contributions −3 and 4
    assert pixels(EPSILON, network, -1, -4, epsilon=0) == [-3, 4]
    assert pixels(GAMMA, network, -1, -4, gamma=1) == [-3 / 5, 8 / 5]
    assert pixels(ZPLUS, network, -1, -4) == [0, 1]


def test_two_layers_share_by_hand() -> None:
    network = net(first([[1, 1], [1, -2], [-1, 0]]), nn.ReLU(), linear([[1, 2, 5]]))
    # units 4, 1 and 0 at (3, 1); the first two have a relevance of 4 and 2
    assert pixels(EPSILON, network, 3, 1, epsilon=0) == [3 + 6, 1 - 4]
    assert pixels(EPSILON, network, 3, 1, epsilon=1) == [
        4 * 6 / 7 * 3 / 5 + 2 * 6 / 7 * 3 / 2,
        4 * 6 / 7 / 5 - 2 * 6 / 7,
    ]
    assert pixels(GAMMA, network, 3, 1, gamma=1) == [3 + 2 * 6 / 4, 1 - 2 * 2 / 4]
    assert pixels(ZPLUS, network, 3, 1) == [3 + 2, 1]


def test_average_pooling_shares_like_a_layer_of_equal_weights() -> None:
    network = net(nn.Unflatten(1, (1, 8, 8)), nn.AvgPool2d(8), nn.Flatten(), linear([[128]]))
    for method in (EPSILON, GAMMA, ZPLUS):
        settings = {"epsilon": 0.0} if method is EPSILON else {}
        assert pixels(method, network, 3, 1, **settings) == [6, 2]


def test_two_networks_that_compute_the_same_can_get_different_maps() -> None:
    # ReLU(ReLU(x₁) − 1 − ReLU(x₂)) and ReLU(ReLU(x₁ − 1) − ReLU(x₂)), from Sundararajan et al. 2017; both 1 at (3, 1)
    one = net(first([[1, 0], [0, 1]]), nn.ReLU(), linear([[1, -1]], -1), nn.ReLU())
    two = net(first([[1, 0], [0, 1]], [-1, 0]), nn.ReLU(), linear([[1, -1]]), nn.ReLU())
    # x₁ − x₂ at once, and as (x₁ + x₂) − 2 x₂
    three, four = net(first([[1, -1]])), net(first([[1, 1], [0, 2]]), linear([[1, -1]]))
    points = np.random.default_rng(0).normal(1, 2, (200, 8, 8))
    for a, b in ((one, two), (three, four)):
        cases = [Case(network, embed(3, 1), BLACK, 0, "logit") for network in (a, b)]
        np.testing.assert_allclose(f_at(cases[0], points), f_at(cases[1], points), atol=1e-14)
        assert np.array_equal(times_input(cases[0]), times_input(cases[1]))
    assert pixels(EPSILON, one, 3, 1, epsilon=1) == [1.5 * 3 / 4, -0.5 / 2]
    assert pixels(EPSILON, two, 3, 1, epsilon=1) == [1, -0.5 / 2]
    assert pixels(GAMMA, one, 3, 1, gamma=1) == [6 / 4, -1 / 4]
    assert pixels(GAMMA, two, 3, 1, gamma=1) == [4 / 3 * 6 / 5, -1 / 3]
    assert pixels(ZPLUS, three, 3, 1) == [2, 0]
    assert pixels(ZPLUS, four, 3, 1) == [1.5, 0.5]


@networks
@outputs
def test_without_epsilon_and_gamma_it_is_gradient_times_input_of_the_logit(network: Network, output: Output) -> None:
    for seed in range(4):
        case = random_case(network, seed, output)
        assert relative_error(EPSILON(case, epsilon=0.0).attribution, times_input(case)) < 1e-12
        assert relative_error(GAMMA(case, gamma=0.0).attribution, times_input(case)) < 1e-12


@given(seeds, st.sampled_from([nn.ReLU, nn.LeakyReLU]), st.booleans())
def test_without_biases_every_rule_keeps_the_logit(seed: int, activation: type[nn.Module], signed: bool) -> None:
    case = random_case(Network(without_biases(seed, activation)), seed, "logit")
    if signed:
        case = Case(case.network, case.input - 0.5, case.baseline, case.target, "logit")
    if abs(logit(case)) < 1e-3:
        return
    for answer in (EPSILON(case, epsilon=0.0), GAMMA(case), GAMMA(case, gamma=50.0)):
        assert answer.expected_sum == pytest.approx(logit(case), rel=1e-12)
        assert abs(answer.attribution.sum() - answer.expected_sum) < 1e-9 * np.abs(answer.attribution).sum()
    if activation is nn.ReLU and logit(case) > 0:  # then every unit with relevance has a positive contribution
        answer = ZPLUS(case)
        assert answer.attribution.sum() == pytest.approx(answer.expected_sum, rel=1e-12)


@given(seeds, st.floats(0.001, 5))
def test_epsilon_takes_what_it_says_in_one_layer_without_bias(seed: int, epsilon: float) -> None:
    weights = np.random.default_rng(seed).standard_normal((3, 64))
    case = random_case(Network(linear(weights)), seed, "logit")
    z, answer = logit(case), EPSILON(random_case(Network(linear(weights)), seed, "logit"), epsilon=epsilon)
    assert answer.attribution.sum() == pytest.approx(z * abs(z) / (abs(z) + epsilon), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_zplus_keeps_the_logit_whatever_the_biases_and_takes_its_sign(seed: int) -> None:
    case = random_case(NETWORKS["flat"], seed)
    answer = ZPLUS(case)
    assert answer.expected_sum == pytest.approx(logit(case), rel=1e-12)
    assert answer.attribution.sum() == pytest.approx(answer.expected_sum, rel=1e-12)
    assert (answer.attribution * np.sign(answer.expected_sum) >= 0).all()


def test_zplus_loses_relevance_that_has_no_positive_contribution_to_go_to() -> None:
    network = net(first([[-1, 0], [1, 1]], [5, 0]), nn.ReLU(), linear([[1, 1]]))
    assert pixels(ZPLUS, network, 1, 1) == [1, 1]  # of a logit of 4 + 2
    assert pixels(ZPLUS, net(first([[-1, -2]])), 1, 1) == [0, 0]


@pytest.mark.parametrize("seed", range(3))
def test_with_a_large_gamma_only_positive_contributions_are_left(seed: int) -> None:
    case = random_case(Network(without_biases(seed)), seed)
    case = Case(case.network, case.input, case.baseline, int(gradient_field(case.network, case.input[None], 0).logits.argmax()))
    assert logit(case) > 0
    far, near = (GAMMA(case, gamma=gamma).attribution for gamma in (100.0, 10.0))
    zplus = ZPLUS(case).attribution
    assert relative_error(far, zplus) < 0.1
    assert relative_error(far, zplus) < 0.3 * relative_error(near, zplus)


@rules
@networks
def test_the_targets_logit_is_explained_whichever_output_is_asked_for(network: Network, method: Method) -> None:
    answers = [method(random_case(network, 2, output)) for output in ("probability", "logit")]
    assert np.array_equal(answers[0].attribution, answers[1].attribution)
    assert answers[0].expected_sum == answers[1].expected_sum == pytest.approx(logit(random_case(network, 2)), rel=1e-12)


@rules
def test_a_normalisation_behind_a_layer_is_a_part_of_it(method: Method) -> None:
    torch.manual_seed(1)
    conv, flat, norms = nn.Conv2d(1, 3, 3, bias=False), nn.Linear(12, 4), (nn.BatchNorm2d(3), nn.BatchNorm1d(4))
    for norm in norms:
        nn.init.uniform_(norm.weight, -1, 1)
        nn.init.uniform_(norm.bias, -0.3, 0.3)
        norm.running_mean.uniform_(-0.2, 0.2)  # type: ignore[union-attr]
        norm.running_var.uniform_(0.5, 1.5)  # type: ignore[union-attr]
    shape, pool = nn.Unflatten(1, (1, 8, 8)), nn.AvgPool2d(3)
    rest = (nn.ReLU(), linear(np.random.default_rng(0).standard_normal((2, 4))))
    plain = [shape, conv, norms[0], nn.ReLU(), pool, nn.Flatten(), flat, norms[1], *rest]
    module = nn.Sequential(*plain).double().eval()
    merged = [torch.nn.utils.fuse_conv_bn_eval(conv, norms[0]), torch.nn.utils.fuse_linear_bn_eval(flat, norms[1])]
    fused = nn.Sequential(shape, merged[0], nn.ReLU(), pool, nn.Flatten(), merged[1], *rest)
    for seed in range(3):
        maps = [method(random_case(Network(m), seed)).attribution for m in (module, fused)]
        assert maps[0].any()
        assert relative_error(*maps) < 1e-12


@rules
@networks
def test_degenerate_questions_get_finite_maps(network: Network, method: Method) -> None:
    assert not method(Case(network, BLACK, picture(0), 0)).attribution.any()
    for x in (1e6 * picture(1), -1e6 * picture(1), 1e-300 * picture(2), 1e-310 * picture(2), embed(1), -embed(1e-200)):
        for settings in ({}, {"epsilon": 0.0}, {"gamma": 100.0}):
            if set(settings) <= {s.name for s in method.settings}:
                assert np.isfinite(method(Case(network, x, BLACK, 1), **settings).attribution).all()


@rules
def test_networks_with_nothing_to_share_get_zero_maps(method: Method) -> None:
    constant = Network(linear(np.zeros((3, 64)), [1, 2, 3]))
    dead = net(first([[1, 1]], -100), nn.ReLU(), linear([[1], [2]], [1, 0]))
    for case in (random_case(constant, 0), random_case(constant, 1), random_case(dead, 0), random_case(dead, 1)):
        answer = method(case)
        assert not answer.attribution.any()
        assert answer.expected_sum == pytest.approx(logit(case))
    # a pre-activation of exactly 0 where contributions cancel
    cancelling = net(first([[1, -1]]), nn.ReLU(), linear([[1]]))
    assert not method(Case(cancelling, embed(2, 2), BLACK, 0)).attribution.any()


@rules
@networks
def test_eight_threads_get_the_numbers_of_one(network: Network, method: Method) -> None:
    cases = [random_case(network, seed) for seed in range(4)] * 4
    alone = [method(case).attribution for case in cases]
    assert all(np.array_equal(a, method(case).attribution) for a, case in zip(alone, cases, strict=True))
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda case: method(case).attribution, cases))
    # to the last bits, which the matrix products of busy threads need not share
    assert max(relative_error(a, b) for a, b in zip(together, alone, strict=True)) < 1e-13


@rules
def test_whatever_mode_the_caller_is_in_and_whatever_layers_do_in_place(method: Method) -> None:
    in_place = nn.Sequential(*[nn.ReLU(inplace=True) if isinstance(m, nn.ReLU) else m for m in mlp(0)])
    expected = method(random_case(NETWORKS["flat"], 0)).attribution
    case = random_case(Network(in_place), 0)
    assert np.array_equal(method(case).attribution, expected)
    with torch.inference_mode():
        assert np.array_equal(method(case).attribution, expected)
        assert np.isfinite(method(random_case(NETWORKS["image"], 0)).attribution).all()


@rules
def test_networks_that_cannot_be_walked_are_refused_with_the_reason(method: Method) -> None:
    class Wrapped(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x[:, :3]

    with pytest.raises(ValueError, match=r"does not apply: .* the network is a Wrapped"):
        method(random_case(Network(Wrapped()), 0))
    assert "layer 1 is a MaxPool2d" in method.unsupported_reason(net(nn.Unflatten(1, (1, 8, 8)), nn.MaxPool2d(4), nn.Flatten()))
    assert not method.unsupported_reason(NETWORKS["image"])
