"""The gradient field: F and ∂F/∂x against finite differences, autograd and exact arithmetic."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal, localcontext
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from explorer.attribution import Network, Settings, exact_integrated_gradients, explain, gradient_field
from explorer.attribution.network import Activation, Output

from .toys import (
    BLACK,
    Floats,
    convolutional,
    first,
    linear,
    mlp,
    outputs,
    picture,
    random_case,
    relative_error,
    zoo_networks,
)

activations = pytest.mark.parametrize("activation", ["softmax", "sigmoid"])


def pictures(k: int, seed: int = 0) -> Floats:
    return np.random.default_rng(seed).random((k, 8, 8))


def finite_difference(network: Network, x: Floats, target: int, output: Output, h: float = 1e-5) -> Floats:
    """∂F/∂x by central differences."""
    nudges = h * np.eye(64).reshape(64, 8, 8)
    up, down = (gradient_field(network, x + sign * nudges, target, output).values for sign in (1, -1))
    slopes: Floats = ((up - down) / (2 * h)).reshape(8, 8)
    return slopes


def by_autograd(network: Network, points: Floats, target: int, output: Output) -> tuple[Floats, Floats]:
    """F and ∂F/∂x by plain torch: softmax or sigmoid left to autograd."""
    x = torch.tensor(points, requires_grad=True)
    z = network.module(x.reshape(-1, *network.input_shape))
    if output == "probability":
        z = torch.softmax(z, 1) if network.activation == "softmax" else torch.sigmoid(z)
    (gradients,) = torch.autograd.grad(z[:, target].sum(), x)
    return z[:, target].detach().numpy(), gradients.numpy()


@outputs
@activations
@pytest.mark.parametrize("module", [mlp(0), mlp(1, activation=nn.Tanh), convolutional()], ids=["relu", "tanh", "conv"])
def test_gradients_are_the_slopes_of_f(module: nn.Module, activation: Activation, output: Output) -> None:
    network = Network(module, activation=activation)
    for target in range(len(network.classes)):
        found = gradient_field(network, picture(5)[None], target, output).gradients[0]
        assert relative_error(found, finite_difference(network, picture(5), target, output)) < 1e-7


@outputs
@activations
@pytest.mark.parametrize("module", [mlp(0), mlp(1, activation=nn.Softplus), convolutional()])
def test_values_and_gradients_equal_plain_autograd(module: nn.Module, activation: Activation, output: Output) -> None:
    network = Network(module, activation=activation)
    for target in range(len(network.classes)):
        found = gradient_field(network, pictures(20), target, output)
        values, gradients = by_autograd(network, pictures(20), target, output)
        np.testing.assert_allclose(found.values, values, rtol=1e-13)
        assert relative_error(found.gradients, gradients) < 1e-12


@zoo_networks
@outputs
def test_values_and_gradients_equal_plain_autograd_on_the_zoo(zoo_network: Network, output: Output) -> None:
    for target in range(len(zoo_network.classes)):
        found = gradient_field(zoo_network, pictures(20), target, output)
        values, gradients = by_autograd(zoo_network, pictures(20), target, output)
        np.testing.assert_allclose(found.values, values, rtol=1e-12)
        assert relative_error(found.gradients, gradients) < 1e-10


@outputs
@pytest.mark.parametrize("chunk", [1, 7, 30])
@pytest.mark.parametrize("module", [mlp(0), convolutional()], ids=["flat", "image"])
def test_the_chunk_size_does_not_matter(module: nn.Module, chunk: int, output: Output) -> None:
    network = Network(module)
    whole, cut = gradient_field(network, pictures(30), 1, output), gradient_field(network, pictures(30), 1, output, chunk=chunk)
    np.testing.assert_allclose(cut.values, whole.values, rtol=1e-13)
    np.testing.assert_allclose(cut.logits, whole.logits, rtol=1e-13, atol=1e-14)
    assert relative_error(cut.gradients, whole.gradients) < 1e-13


def test_more_points_than_a_chunk_come_back_in_their_order() -> None:
    network, points = Network(mlp(0)), pictures(2500)
    few = [0, 1023, 1024, 2047, 2048, 2499]
    found, alone = gradient_field(network, points, 1), gradient_field(network, points[few], 1)
    assert found.gradients.shape == (2500, 8, 8)
    np.testing.assert_allclose(found.values[few], alone.values, rtol=1e-13)
    assert relative_error(found.gradients[few], alone.gradients) < 1e-13


def test_no_more_than_a_chunk_of_points_is_held_by_torch_at_once() -> None:
    sizes: list[int] = []
    network = Network(mlp(0))
    network.module.register_forward_hook(lambda module, args, out: sizes.append(len(out)))
    gradient_field(network, pictures(25), 0, chunk=10)
    assert sizes == [10, 10, 5]
    gradient_field(network, pictures(5000), 0)
    assert sum(sizes[3:]) == 5000
    assert max(sizes) <= 2048  # a bound there is, also for whoever does not ask for one


@pytest.mark.parametrize("chunk", [1, 3, 100])
def test_each_point_can_have_an_output_of_its_own(chunk: int) -> None:
    network, points = Network(mlp(0)), pictures(8)
    wanted: list[Output] = ["logit", "probability", "probability", "logit"] * 2
    mixed = gradient_field(network, points, 2, wanted, chunk=chunk)
    for i, output in enumerate(wanted):
        alone = gradient_field(network, points[i : i + 1], 2, output)
        assert mixed.values[i] == pytest.approx(alone.values[0], rel=1e-13)
        assert relative_error(mixed.gradients[i], alone.gradients[0]) < 1e-13


def test_a_part_of_a_field_is_the_field_at_that_part_of_the_points() -> None:
    network, points = Network(mlp(0)), pictures(9)
    part, alone = gradient_field(network, points, 1)[3:7], gradient_field(network, points[3:7], 1)
    np.testing.assert_allclose(part.values, alone.values, rtol=1e-13)
    np.testing.assert_allclose(part.logits, alone.logits, rtol=1e-12)
    assert relative_error(part.gradients, alone.gradients) < 1e-13


def test_no_points_give_an_empty_field() -> None:
    found = gradient_field(Network(mlp(0)), np.zeros((0, 8, 8)), 0)
    assert found.values.shape == (0,)
    assert found.gradients.shape == (0, 8, 8)
    assert found.logits.shape == (0, 5)


def test_logits_are_the_modules_own_answer_for_either_output() -> None:
    network, points = Network(mlp(0)), pictures(6)
    with torch.no_grad():
        own = network.module(torch.from_numpy(points.reshape(6, 64))).numpy()
    np.testing.assert_allclose(gradient_field(network, points, 1, "probability").logits, own, rtol=1e-13)
    np.testing.assert_allclose(gradient_field(network, points, 1, "logit").logits, own, rtol=1e-13)


@outputs
def test_values_equal_scores_and_logits(output: Output) -> None:
    network, points = Network(mlp(0)), pictures(6)
    found = gradient_field(network, points, 3, output)
    expected = network.scores(points)[:, 3] if output == "probability" else found.logits[:, 3]
    np.testing.assert_allclose(found.values, expected, rtol=1e-14)


# Where probabilities saturate p (1 − p) loses its digits in double precision; the truth has 400 decimals here.


@pytest.mark.parametrize("z", [-300.0, -40.5, -3.25, 0.0, 3.25, 20.0, 36.5, 40.5, 300.0, 700.0])
def test_saturated_sigmoid_gradients_keep_their_digits(z: float) -> None:
    network = Network(first([[1.0], [0.5]], [z, 0.0]), activation="sigmoid")
    with localcontext(prec=400):
        e = Decimal(-z).exp()
        value, slope = 1 / (1 + e), e / (1 + e) ** 2
    found = gradient_field(network, BLACK[None], 0)
    assert found.values[0] == pytest.approx(float(value), rel=2e-13, abs=0)
    assert found.gradients[0, 0, 0] == pytest.approx(float(slope), rel=2e-13, abs=0)
    assert float(slope) > 0


@given(z=st.lists(st.integers(-4000, 4000), min_size=3, max_size=3), target=st.integers(0, 2))
def test_saturated_softmax_gradients_keep_their_digits(z: list[int], target: int) -> None:
    scores = [n / 16 for n in z]  # sixteenths, so that no digit is lost before the softmax
    weights = [1.0, -2.0, 0.5]
    network = Network(first([[w] for w in weights], scores))
    with localcontext(prec=400):
        e = [Decimal(score).exp() for score in scores]
        p = [part / sum(e) for part in e]
        slope = p[target] * sum(p[c] * Decimal(weights[target] - weights[c]) for c in range(3))
        size = p[target] * sum(p[c] * abs(Decimal(weights[target] - weights[c])) for c in range(3))
    found = gradient_field(network, BLACK[None], target)
    assert found.values[0] == pytest.approx(float(p[target]), rel=1e-12, abs=0)
    assert abs(found.gradients[0, 0, 0] - float(slope)) <= 1e-12 * float(size) + 5e-324


def test_the_gradient_of_a_nearly_certain_class_is_minus_the_sum_of_the_others() -> None:
    network = Network(linear(np.random.default_rng(0).standard_normal((4, 64)), [90, 1, 2, 3]))
    gradients = np.stack([gradient_field(network, picture(0)[None], c).gradients[0] for c in range(4)])
    assert gradient_field(network, picture(0)[None], 0).values[0] == 1.0  # all digits of 1 − p are gone …
    assert relative_error(gradients[0], -gradients[1:].sum(axis=0)) < 1e-12  # … but not the gradient's


@pytest.mark.parametrize("slope", [0.0, 0.25])
def test_the_slope_at_a_kink_is_the_one_of_the_inactive_side(slope: float) -> None:
    kinked = nn.LeakyReLU(slope) if slope else nn.ReLU()
    network = Network(nn.Sequential(first([[1.0]]), kinked, linear([[1.0]] * 2)))
    assert gradient_field(network, BLACK[None], 0, "logit").gradients[0, 0, 0] == slope


@outputs
def test_a_network_that_ignores_its_input_has_zero_gradients(output: Output) -> None:
    class Deaf(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.tensor([[0.0, 1.0]], dtype=x.dtype).repeat(len(x), 1)

    found = gradient_field(Network(Deaf()), pictures(3), 0, output)
    assert np.array_equal(found.gradients, np.zeros((3, 8, 8)))


@pytest.mark.parametrize("shape", [(8, 8), (3, 64), (3, 1, 8, 8), (3, 8, 7)])
def test_points_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"\(k, 8, 8\)"):
        gradient_field(Network(mlp(0)), np.zeros(shape), 0)


def test_as_many_outputs_as_points_are_needed() -> None:
    with pytest.raises(ValueError, match="2 outputs for 3 points"):
        gradient_field(Network(mlp(0)), pictures(3), 0, ["logit", "logit"])


@pytest.mark.parametrize(
    "wrong",
    [
        {"output": "logits"},
        {"output": ["logit", "logits"]},
        {"target": -1},
        {"target": 5},
        {"chunk": 0},
        {"chunk": -1},
    ],
    ids=str,
)
def test_an_unknown_output_target_or_chunk_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"output|target|chunk"):
        gradient_field(Network(mlp(0)), pictures(2), **{"target": 0, **wrong})


@pytest.mark.usefixtures("every_warning")
def test_read_only_points_are_taken_without_a_warning() -> None:
    case = random_case(Network(mlp(0)), 0)
    found = gradient_field(case.network, case.input[None], 0)
    assert found.values.shape == (1,)


def test_points_are_not_written_to_and_carry_no_gradient_away() -> None:
    points = pictures(4)
    found = gradient_field(Network(mlp(0)), points, 0)
    assert np.array_equal(points, pictures(4))
    assert all(type(part) is np.ndarray for part in (found.values, found.gradients, found.logits))


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_the_callers_torch_mode_does_not_change_the_numbers(mode: Any) -> None:
    network = Network(mlp(0))
    expected = gradient_field(network, pictures(3), 0).gradients
    with mode():
        found = gradient_field(network, pictures(3), 0).gradients
    np.testing.assert_allclose(found, expected, rtol=1e-13)


@pytest.mark.parametrize("module", [mlp(0), convolutional()], ids=["flat", "image"])
def test_eight_threads_see_the_same_numbers_as_one(module: nn.Module) -> None:
    network = Network(module)

    def ask(seed: int) -> Floats:
        case = random_case(network, seed, "logit" if seed % 2 else "probability")
        maps = [result.attribution for result in explain(case, Settings(seed=seed)).results.values()]
        return np.stack([*maps, exact_integrated_gradients(case).attribution])

    alone = [ask(seed) for seed in range(48)]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(ask, range(48)))
    # not bit by bit: a BLAS may add in another order for memory that is aligned otherwise
    for found, expected in zip(together, alone, strict=True):
        assert max(map(relative_error, found, expected)) < 1e-14
