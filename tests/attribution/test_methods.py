"""What holds for every method in the table, and for asking them together."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import torch
from each import each
from torch import nn

from explorer.attribution import CORE, METHODS, Case, GradientMethod, Network, Settings, explain, gradient_field
from explorer.attribution.methods import registry
from explorer.attribution.network import Output

from .toys import (
    BLACK,
    NETWORKS,
    Combined,
    f_at,
    first,
    linear,
    mlp,
    networks,
    outputs,
    picture,
    random_case,
    relative_error,
)

every_method = each("method", list(CORE))


def attribution(case: Case, method: str, settings: Settings | None = None) -> np.ndarray:
    return explain(case, settings, [method])[method].attribution


@every_method
@networks
@outputs
def test_answers_are_finite_doubles_of_the_inputs_shape(network: Network, method: str, output: Output) -> None:
    found = attribution(random_case(network, 3, output), method)
    assert found.shape == (8, 8)
    assert found.dtype == np.float64
    assert np.isfinite(found).all()
    assert found.any()


@every_method
def test_the_same_question_gets_the_same_answer(method: str) -> None:
    case = random_case(NETWORKS["flat"], 1)
    assert np.array_equal(attribution(case, method), attribution(case, method))


@every_method
@outputs
def test_a_pixel_that_the_network_does_not_read_gets_zero(method: str, output: Output) -> None:
    module = mlp(4)
    assert isinstance(module[0], nn.Linear)
    with torch.no_grad():
        module[0].weight[:, [0, 9, 63]] = 0
    found = attribution(random_case(Network(module), 2, output), method).ravel()
    assert (found[[0, 9, 63]] == 0).all()
    assert (np.delete(found, [0, 9, 63]) != 0).any()


@every_method
@outputs
def test_a_network_that_is_constant_gets_an_all_zero_map(method: str, output: Output) -> None:
    network = Network(linear(np.zeros((3, 64)), [1, 2, 3]))
    assert not attribution(random_case(network, 0, output), method).any()


@every_method
def test_attributions_of_a_sum_of_networks_are_the_sum_of_attributions(method: str) -> None:
    one, two = Network(mlp(5)), Network(mlp(6))

    of_one, of_two, of_both = (
        attribution(random_case(network, 3, "logit"), method) for network in (one, two, Network(Combined(one.module, two.module)))
    )
    assert relative_error(of_both, 2 * of_one - 3 * of_two) < 1e-12


@every_method
@outputs
def test_two_networks_that_compute_the_same_get_the_same_map(method: str, output: Output) -> None:
    plain = mlp(7, (64, 12, 3))
    assert isinstance(plain[0], nn.Linear) and isinstance(plain[2], nn.Linear)
    # units shuffled and scaled, a doubled unit shared out, and the last layer split in two
    order, scale = np.random.default_rng(0).permutation(12), np.linspace(0.1, 3, 12)
    w1, b1 = plain[0].weight.numpy(force=True)[order], plain[0].bias.numpy(force=True)[order]
    w2, b2 = plain[2].weight.numpy(force=True)[:, order] / scale, plain[2].bias.numpy(force=True)
    w1, b1 = np.vstack([w1 * scale[:, None], w1[:1] * scale[0]]), np.append(b1 * scale, b1[0] * scale[0])
    w2 = np.hstack([0.25 * w2[:, :1], w2[:, 1:], 0.75 * w2[:, :1]])
    rewritten = nn.Sequential(
        linear(w1, b1), nn.ReLU(), nn.Sequential(linear(2 * w2, 0), linear(np.eye(3) / 2, b2)), nn.Identity()
    )
    cases = [random_case(Network(module), 4, output) for module in (plain, rewritten)]
    points = np.random.default_rng(1).random((50, 8, 8))
    np.testing.assert_allclose(f_at(cases[1], points), f_at(cases[0], points), rtol=1e-12)
    assert relative_error(attribution(cases[1], method), attribution(cases[0], method)) < 1e-12


@every_method
def test_probability_maps_of_a_two_class_network_are_opposite(method: str) -> None:
    network = Network(mlp(8, (64, 16, 2)))
    maps = [attribution(Case(network, picture(0), BLACK, target), method) for target in (0, 1)]
    assert relative_error(maps[0], -maps[1]) < 1e-12


@every_method
def test_softmax_of_two_logits_is_the_sigmoid_of_their_difference(method: str) -> None:
    weights = np.random.default_rng(2).standard_normal((2, 64))
    softmax = Network(linear(weights, [0.5, -0.25]))
    sigmoid = Network(linear(weights[:1] - weights[1:], 0.75), activation="sigmoid")
    maps = [attribution(Case(network, picture(0), BLACK, 0), method) for network in (softmax, sigmoid)]
    assert relative_error(maps[1], maps[0]) < 1e-12


@networks
@outputs
def test_one_batch_for_all_methods_answers_as_each_method_alone(network: Network, output: Output) -> None:
    case, settings = random_case(network, 5, output), Settings(steps=13, rule="trapezoid", samples=17, seed=3)
    together = explain(case, settings)
    for name in CORE:
        method = METHODS[name].compute
        assert isinstance(method, GradientMethod)
        points = method.points(case, settings)
        field = gradient_field(network, points, case.target, output)
        assert relative_error(together[name].attribution, method.attribution(case, settings, field)) < 1e-12
        np.testing.assert_allclose(together[name].field.values, field.values, rtol=1e-12)
        assert points.shape == (*field.values.shape, 8, 8)


@outputs
def test_an_explanation_knows_f_at_both_ends_and_all_logits(output: Output) -> None:
    case = random_case(NETWORKS["flat"], 6, output)
    found, ends = explain(case), f_at(case, np.stack([case.input, case.baseline]))
    assert found.f_input == pytest.approx(ends[0], rel=1e-13)
    assert found.f_baseline == pytest.approx(ends[1], rel=1e-13)
    assert found.delta_f == found.f_input - found.f_baseline
    np.testing.assert_allclose(found.logits, gradient_field(case.network, case.input[None].copy(), 0).logits[0], rtol=1e-13)


@outputs
def test_the_logit_gradient_is_there_whichever_output_was_asked_for(output: Output) -> None:
    case = random_case(NETWORKS["flat"], 7, output)
    expected = gradient_field(case.network, case.input[None].copy(), case.target, "logit").gradients[0]
    assert relative_error(explain(case).logit_gradient, expected) < 1e-13


def test_methods_come_in_the_order_asked_and_default_to_all_with_default_settings() -> None:
    case = random_case(NETWORKS["flat"], 0)
    assert list(explain(case).results) == list(CORE)
    assert explain(case).settings == Settings()
    assert list(explain(case, methods=["smoothgrad", "gradient"]).results) == ["smoothgrad", "gradient"]
    assert explain(case, methods=[]).results == {}


def test_a_method_that_is_not_in_the_table_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="saliency_map"):
        explain(random_case(NETWORKS["flat"], 0), methods=["saliency_map"])


def test_one_forward_pass_answers_every_method() -> None:
    calls: list[int] = []
    network = Network(mlp(0))
    network.module.register_forward_hook(lambda module, args, out: calls.append(len(out)))
    explain(random_case(network, 0), Settings(steps=50, samples=50))
    assert calls == [3 + 1 + 50 + 50]  # both ends and the logit gradient, then each distinct set of points


def test_gradient_is_the_gradient_at_the_input_with_its_sign() -> None:
    case = Case(Network(first([[2.0, -3.0], [0.0, 0.0]])), picture(0), picture(1), 0, "logit")
    assert attribution(case, "gradient").ravel()[:3].tolist() == [2, -3, 0]


@outputs
def test_gradient_times_input_is_the_product(output: Output) -> None:
    case = random_case(NETWORKS["flat"], 8, output)
    found = explain(case)
    assert np.array_equal(found["gradient_times_input"].attribution, case.input * found["gradient"].attribution)


def test_gradient_times_input_of_a_linear_network_without_offset_sums_to_f() -> None:
    network = Network(linear(np.random.default_rng(0).standard_normal((3, 64))))
    found = explain(random_case(network, 1, "logit"))
    assert found["gradient_times_input"].attribution.sum() == pytest.approx(found.f_input, rel=1e-13)


def test_the_table_of_methods_cannot_be_changed_by_a_visitor() -> None:
    with pytest.raises(TypeError):
        METHODS["mine"] = METHODS["gradient"]  # type: ignore[index]


def test_the_registry_lists_the_modules_of_the_package_and_each_entry_once() -> None:
    folder = Path(registry.__file__).parent
    assert {path.stem for path in folder.glob("*.py")} == {"__init__", "registry", *registry.MODULES}
    entries = [entry for name in registry.MODULES for entry in import_module(f"{registry.__package__}.{name}").ENTRIES]
    assert [entry.name for entry in entries] == list(METHODS)
    assert set(CORE) <= set(METHODS)


def test_a_gradient_method_with_a_setting_of_its_own_is_an_error() -> None:
    gradient, own = METHODS["gradient"], METHODS["lrp_epsilon"].settings[0]
    with pytest.raises(ValueError, match="gradient: a gradient method takes the fields of Settings only, not epsilon"):
        replace(gradient, settings=(own,))
