"""DeepLIFT and DeepLIFT-SHAP: worked cases, promises kept over random networks, and Captum's numbers."""

from __future__ import annotations

import importlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from explorer.attribution import METHODS, Case, Network, exact_integrated_gradients
from explorer.attribution.methods import deeplift
from explorer.attribution.methods.deeplift import mean_products
from explorer.attribution.network import Output

from .each import each
from .toys import (
    BLACK,
    Floats,
    convolutional,
    delta_f,
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
)

DEEPLIFT, SHAP = METHODS["deeplift"], METHODS["deeplift_shap"]
BACKGROUND = np.random.default_rng(9).random((13, 8, 8))
seeds = st.integers(0, 10_000)

IMAGE = nn.Sequential(nn.Conv2d(1, 3, 3, padding=1, padding_mode="reflect"), nn.ReLU(), nn.AvgPool2d(4), nn.Flatten())
NETWORKS = {
    "softmax": Network(mlp(0), background=BACKGROUND),
    "leaky": Network(mlp(1, activation=lambda: nn.LeakyReLU(0.2)), background=BACKGROUND),
    "sigmoid": Network(mlp(2), activation="sigmoid", background=BACKGROUND),
    "image": Network(convolutional(), background=BACKGROUND),
    "padded": Network(
        nn.Sequential(IMAGE, linear(np.random.default_rng(3).standard_normal((3, 12)), 0.1)), background=BACKGROUND
    ),
}
networks = each("network", NETWORKS.values(), ids=NETWORKS)


def net(*layers: nn.Module, background: Floats | None = None) -> Network:
    return Network(nn.Sequential(*layers), activation="sigmoid", background=background)  # so that one logit is a class


def pixels(case: Case, n: int = 2) -> list[float]:
    found = DEEPLIFT(case).attribution.ravel()
    assert not found[n:].any()
    return [pytest.approx(value, abs=1e-14) for value in found[:n].tolist()]


SATURATED = net(first([[-1, -1]], 1), nn.ReLU(), linear([[-1]], 1))  # 1 − ReLU(1 − i₁ − i₂)


def test_a_saturated_sum_is_shared_where_the_gradient_is_zero() -> None:
    both, one = (Case(SATURATED, embed(*i), BLACK, 0, "logit") for i in ((1, 1), (1, 0)))
    assert not METHODS["gradient"](both).attribution.any()
    assert pixels(both) == [0.5, 0.5]  # the pre-activation falls by 2 and the unit by 1
    assert pixels(one) == [1, 0]
    assert DEEPLIFT(both).expected_sum == 1


def test_beyond_a_threshold_the_contribution_grows_from_zero_and_does_not_jump() -> None:
    network = net(first([[1]], -10), nn.ReLU())
    for above in (0, 1e-6, 1):
        assert pixels(Case(network, embed(10 + above), BLACK, 0, "logit"), 1) == [pytest.approx(above)]


def test_all_of_a_minimum_goes_to_the_smaller_input() -> None:
    # min(i₁, i₂) = i₁ − ReLU(i₁ − i₂) for inputs ≥ 0: what RevealCancel was made for and the rescale rule does not share
    network = net(first([[1, 0], [1, -1]]), nn.ReLU(), linear([[1, -1]]))
    assert pixels(Case(network, embed(3, 1), BLACK, 0, "logit")) == [0, 1]
    assert pixels(Case(network, embed(1, 3), BLACK, 0, "logit")) == [1, 0]
    # from the other side of the kink: the difference goes from −2 to 2 and its ReLU from 0 to 2, so Δout/Δin = 1/2
    assert pixels(Case(network, embed(3, 1), embed(0, 2), 0, "logit")) == [1.5, -0.5]


def test_the_mean_over_two_backgrounds_is_the_mean_of_two_maps() -> None:
    network = Network(SATURATED.module, activation="sigmoid", background=np.stack([BLACK, embed(1, 1)]))
    answer = SHAP(Case(network, embed(1, 1), picture(0), 0, "logit"))
    assert answer.attribution.ravel()[:3].tolist() == [0.25, 0.25, 0]
    assert answer.expected_sum == 0.5


def test_two_networks_that_compute_the_same_can_get_different_maps() -> None:
    # ReLU(ReLU(x₁) − 1 − ReLU(x₂)) and ReLU(ReLU(x₁ − 1) − ReLU(x₂)), from Sundararajan et al. 2017
    one = net(first([[1, 0], [0, 1]]), nn.ReLU(), linear([[1, -1]], -1), nn.ReLU())
    two = net(first([[1, 0], [0, 1]], [-1, 0]), nn.ReLU(), linear([[1, -1]]), nn.ReLU())
    cases = [Case(network, embed(3, 1), BLACK, 0, "logit") for network in (one, two)]
    points = np.random.default_rng(0).normal(1, 2, (200, 8, 8))
    np.testing.assert_allclose(f_at(cases[0], points), f_at(cases[1], points), atol=1e-14)
    gradients = [METHODS["gradient"](case).attribution for case in cases]
    assert np.array_equal(*gradients)
    assert pixels(cases[0]) == [1.5, -0.5]
    assert pixels(cases[1]) == [2, -1]


@networks
@outputs
@pytest.mark.parametrize("method", [DEEPLIFT, SHAP], ids=["deeplift", "shap"])
def test_contributions_sum_to_the_goal(network: Network, output: Output, method: object) -> None:
    for seed in range(4):
        case = random_case(network, seed, output)
        answer = DEEPLIFT(case) if method is DEEPLIFT else SHAP(case)
        f = f_at(case, np.concatenate([case.input[None], case.baseline[None], BACKGROUND]))
        expected_sum = f[0] - f[1] if method is DEEPLIFT else f[0] - f[2:].mean()
        assert answer.expected_sum == pytest.approx(expected_sum, rel=1e-12, abs=1e-14)
        assert answer.attribution.sum() == pytest.approx(expected_sum, abs=1e-13 * np.abs(answer.attribution).sum())


@given(seeds, st.sampled_from(["softmax", "sigmoid"]), st.floats(0.2, 20), st.sampled_from(["probability", "logit"]))
def test_deeplift_is_complete_for_any_network(seed: int, activation: str, scale: float, output: Output) -> None:
    module = mlp(seed, (64, 9, 7, 4), activation=nn.ReLU if seed % 2 else lambda: nn.LeakyReLU(0.3), scale=scale)
    case = random_case(Network(module, activation=activation), seed, output)  # type: ignore[arg-type]
    found = DEEPLIFT(case).attribution
    # the difference of two probabilities near 1 is itself known to 1e-16 only
    assert abs(found.sum() - delta_f(case)) <= 1e-12 * np.abs(found).sum() + 4e-16


@outputs
def test_a_linear_network_gets_exact_integrated_gradients(output: Output) -> None:
    weights = np.random.default_rng(0).standard_normal((4, 64))
    case = random_case(Network(linear(weights, 0.3)), 1, output)
    found = DEEPLIFT(case).attribution
    assert relative_error(found, exact_integrated_gradients(case).attribution) < 1e-12
    if output == "logit":
        assert relative_error(found, case.difference * weights[1].reshape(8, 8)) < 1e-14


def test_a_linear_network_gets_its_shapley_values_from_the_background() -> None:
    weights = np.random.default_rng(0).standard_normal((2, 64))
    case = random_case(Network(linear(weights, 0.3), background=BACKGROUND), 1, "logit")
    expected = (case.input - BACKGROUND.mean(axis=0)) * weights[1].reshape(8, 8)
    assert relative_error(SHAP(case).attribution, expected) < 1e-13


@networks
@outputs
def test_a_background_of_one_picture_is_a_baseline(network: Network, output: Output) -> None:
    case = random_case(Network(network.module, activation=network.activation, background=BACKGROUND[:1]), 2, output)
    one = Case(case.network, case.input, BACKGROUND[0], case.target, output)
    assert np.array_equal(SHAP(case).attribution, DEEPLIFT(one).attribution)


def test_the_background_is_taken_in_chunks_of_bounded_size(monkeypatch: pytest.MonkeyPatch) -> None:
    case = random_case(NETWORKS["softmax"], 2)
    whole, sizes, forward = SHAP(case), [], nn.Linear.forward
    monkeypatch.setattr(deeplift, "CHUNK", 5)
    monkeypatch.setattr(nn.Linear, "forward", lambda self, x: (sizes.append(len(x)), forward(self, x))[1])
    chunked = SHAP(case)
    assert sizes == [6] * 6 + [4] * 3  # three linear layers each, and x with every chunk
    assert chunked.forward == 16 and whole.forward == 14
    assert chunked.backward == whole.backward == 13
    assert relative_error(chunked.attribution, whole.attribution) < 1e-13
    assert chunked.expected_sum == pytest.approx(whole.expected_sum, rel=1e-12)


@given(st.floats(-800, 800), st.floats(-800, 800))
def test_the_softmaxs_mean_slope_is_the_rescale_rule_for_two_classes(start: float, end: float) -> None:
    def sigmoid(z: float) -> float:
        return float(np.exp(-np.logaddexp(0, -z)))

    found = mean_products(np.array([[start]]), np.array([[end]]))[0, 0]
    if abs(end - start) > 1e-3:
        change = sigmoid(-start) - sigmoid(-end) if start + end > 0 else sigmoid(end) - sigmoid(start)
        assert found == pytest.approx(change / (end - start), rel=1e-10, abs=1e-300)
    else:
        assert found == pytest.approx(sigmoid(start) * sigmoid(-start), rel=1e-2, abs=1e-300)


@pytest.mark.parametrize("scale", [0.1, 3, 30, 1000])
def test_the_softmaxs_mean_slopes_are_those_of_a_fine_sum(scale: float) -> None:
    start, end = np.random.default_rng(4).normal(0, scale, (2, 1, 5))
    rivals = start + (np.arange(400_000)[:, None] + 0.5) / 400_000 * (end - start)
    log_p = -np.logaddexp.reduce(np.insert(rivals, 0, 0, axis=1), axis=1)[:, None]
    assert relative_error(mean_products(start, end)[0], np.exp(rivals + 2 * log_p).mean(axis=0)) < 1e-6


@pytest.mark.parametrize("scale", [1e3, 1e6, 1e12, 1e200])
def test_a_steep_softmax_stays_complete_and_finite(scale: float) -> None:
    weights = scale * np.random.default_rng(5).standard_normal((3, 64))
    weights[2] = -weights[0]
    case = Case(Network(linear(weights - weights.mean(axis=0))), picture(1), -picture(1), 0)
    changes = [Case(case.network, case.input, case.baseline, t) for t in range(3)]
    assert any(abs(delta_f(c)) > 0.99 for c in changes)
    for c in changes:
        found = DEEPLIFT(c).attribution
        assert abs(found.sum() - delta_f(c)) <= 1e-12 * np.abs(found).sum()


@networks
@outputs
def test_degenerate_questions_get_finite_maps(network: Network, output: Output) -> None:
    assert not DEEPLIFT(Case(network, picture(3), picture(3), 0, output)).attribution.any()
    assert not DEEPLIFT(Case(network, BLACK, BLACK, 0, output)).attribution.any()
    for method in (DEEPLIFT, SHAP):
        for x in (BLACK, 1e6 * picture(1), -1e6 * picture(1), 1e-300 * picture(2)):
            assert np.isfinite(method(Case(network, x, BLACK, 1, output)).attribution).all()


@outputs
def test_a_constant_network_gets_a_zero_map(output: Output) -> None:
    case = random_case(Network(linear(np.zeros((3, 64)), [1, 2, 3]), background=BACKGROUND), 0, output)
    assert not DEEPLIFT(case).attribution.any() and not SHAP(case).attribution.any()


def test_a_unit_that_does_not_change_passes_its_derivative_on() -> None:
    # the pre-activations stay at 0.5, −0.5 and 0 while pixels change: only the first unit passes anything
    network = net(first([[1, -1], [1, -1], [1, -1]], [0.5, -0.5, 0]), nn.ReLU(), linear([[1, 10, 100]]))
    assert pixels(Case(network, embed(2, 2), BLACK, 0, "logit")) == [2, -2]


@networks
@outputs
def test_eight_threads_get_the_numbers_of_one(network: Network, output: Output) -> None:
    cases = [random_case(network, seed, output) for seed in range(4)] * 4
    for method in (DEEPLIFT, SHAP):
        alone = [method(case).attribution for case in cases]
        with ThreadPoolExecutor(8) as pool:
            together = list(pool.map(lambda case, method=method: method(case).attribution, cases))
        # to the last bits, which the matrix products of busy threads need not share
        assert max(relative_error(a, b) for a, b in zip(together, alone, strict=True)) < 1e-14


def test_whatever_mode_the_caller_is_in_and_whatever_layers_do_in_place() -> None:
    module = nn.Sequential(*[nn.ReLU(inplace=True) if isinstance(m, nn.ReLU) else m for m in mlp(0)])
    expected = DEEPLIFT(random_case(NETWORKS["softmax"], 0)).attribution
    case = random_case(Network(module), 0)
    assert np.array_equal(DEEPLIFT(case).attribution, expected)
    with torch.inference_mode():
        assert np.array_equal(DEEPLIFT(case).attribution, expected)
        assert np.isfinite(DEEPLIFT(random_case(NETWORKS["image"], 0)).attribution).all()
    with torch.no_grad():
        assert np.array_equal(DEEPLIFT(case).attribution, expected)


def test_networks_that_cannot_be_walked_are_refused_with_the_reason() -> None:
    with pytest.raises(ValueError, match=r"DeepLIFT does not apply: .* layer 1 is a Tanh"):
        DEEPLIFT(random_case(Network(mlp(0, activation=nn.Tanh)), 0))
    hooked = Network(mlp(0), background=BACKGROUND)
    hooked.module[2].register_forward_hook(lambda module, args, out: 2 * out)  # type: ignore[index, operator]
    assert "layer 2 has a hook" in DEEPLIFT.unsupported_reason(hooked)
    assert SHAP.unsupported_reason(hooked) == DEEPLIFT.unsupported_reason(hooked)
    assert "brings none" in SHAP.unsupported_reason(Network(mlp(0)))
    assert not DEEPLIFT.unsupported_reason(Network(mlp(0)))


def captums(case: Case, references: Floats) -> Floats:
    captum = importlib.import_module("captum.attr")
    x, xs = (torch.tensor(a).reshape(-1, *case.network.input_shape) for a in (case.input, references))
    method = captum.DeepLift if len(references) == 1 else captum.DeepLiftShap
    found = method(f_module(case)).attribute(x, xs, target=case.target)
    return found.detach().numpy().reshape(8, 8)


@networks
@pytest.mark.filterwarnings("ignore::UserWarning:captum")
def test_captum_gets_the_same_maps(network: Network) -> None:
    outputs: list[Output] = ["logit", "probability"] if network.activation == "sigmoid" else ["logit"]
    for output in outputs:
        for seed in range(3):
            case = random_case(network, seed, output)
            assert relative_error(DEEPLIFT(case).attribution, captums(case, case.baseline[None])) < 1e-9
            assert relative_error(SHAP(case).attribution, captums(case, BACKGROUND)) < 1e-9


@pytest.mark.filterwarnings("ignore::UserWarning:captum")
def test_captums_softmax_is_another_rule_that_does_not_sum_to_the_difference() -> None:
    case = random_case(NETWORKS["softmax"], 1)
    logit_cases = [Case(case.network, case.input, case.baseline, t, "logit") for t in range(5)]
    maps = np.stack([DEEPLIFT(c).attribution for c in logit_cases])
    found = captums(case, case.baseline[None])
    # Δp/Δz of the target alone, times its map less the mean map of all classes (a proposal of the paper for logits)
    rule = delta_f(case) / delta_f(logit_cases[1]) * (maps[1] - maps.mean(axis=0))
    assert relative_error(found, rule) < 1e-9
    assert abs(found.sum() - delta_f(case)) > 0.1 * abs(delta_f(case))
    assert DEEPLIFT(case).attribution.sum() == pytest.approx(delta_f(case), rel=1e-12)
