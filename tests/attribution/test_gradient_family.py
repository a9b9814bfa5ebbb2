"""What holds for every method that averages gradients or goes its own path."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from explorer.attribution import METHODS, Attribution, Case, Network
from explorer.attribution.method import FAMILIES
from explorer.attribution.network import Output

from .each import each
from .toys import BLACK, WHITE, Combined, convolutional, linear, mlp, outputs, picture, random_case, relative_error

SIGNED = (
    "smooth_integrated_gradients",
    "averaged_baselines",
    "expected_gradients",
    "gradient_shap",
    "blur_integrated_gradients",
    "guided_integrated_gradients",
)
UNSIGNED = ("smoothgrad_squared", "vargrad")
every_method = each("name", SIGNED + UNSIGNED)
signed_method = each("name", SIGNED)

BACKGROUND = np.stack([picture(seed) for seed in range(100, 107)])


def network(module: nn.Module, **given: Any) -> Network:
    return Network(module, background=BACKGROUND, **given)


NETWORKS = {"flat": network(mlp(0)), "image": network(convolutional())}


@every_method
@pytest.mark.parametrize("kind", NETWORKS)
@outputs
def test_answers_are_finite_doubles_of_the_inputs_shape(name: str, kind: str, output: Output) -> None:
    answer = METHODS[name](random_case(NETWORKS[kind], 3, output))
    for found in (answer.attribution, answer.error):
        if found is not None:
            assert found.shape == (8, 8)
            assert found.dtype == np.float64
            assert np.isfinite(found).all()
            assert found.any()


@every_method
def test_the_same_question_gets_the_same_answer(name: str) -> None:
    case = random_case(NETWORKS["flat"], 1)
    one, two = METHODS[name](case), METHODS[name](case)
    assert np.array_equal(one.attribution, two.attribution)
    assert (one.expected_sum, one.forward, one.backward) == (two.expected_sum, two.forward, two.backward)


@every_method
def test_another_seed_gives_another_map_where_there_is_one(name: str) -> None:
    case = random_case(NETWORKS["flat"], 1)
    if "seed" in METHODS[name].values({}):
        assert not np.array_equal(METHODS[name](case).attribution, METHODS[name](case, seed=1).attribution)
        assert METHODS[name](case).error is not None
    else:
        assert METHODS[name](case).error is None


@every_method
@outputs
def test_a_pixel_that_the_network_does_not_read_gets_zero(name: str, output: Output) -> None:
    module = mlp(4)
    assert isinstance(module[0], nn.Linear)
    with torch.no_grad():
        module[0].weight[:, [0, 9, 63]] = 0
    found = METHODS[name](random_case(network(module), 2, output)).attribution.ravel()
    assert (found[[0, 9, 63]] == 0).all()
    assert (np.delete(found, [0, 9, 63]) != 0).any()


@every_method
@outputs
def test_a_network_that_is_constant_gets_an_all_zero_map(name: str, output: Output) -> None:
    answer = METHODS[name](random_case(network(linear(np.zeros((3, 64)), [1, 2, 3])), 0, output))
    assert not answer.attribution.any()
    assert answer.error is None or not answer.error.any()


@every_method
@outputs
@pytest.mark.parametrize("scale", [1.0, 200.0])
@pytest.mark.parametrize(("x", "baseline"), [(BLACK, BLACK), (WHITE, WHITE), (picture(0), picture(0)), (WHITE, BLACK)])
def test_degenerate_pictures_and_saturated_networks_get_finite_maps(
    name: str, output: Output, scale: float, x: np.ndarray, baseline: np.ndarray
) -> None:
    for activation in ("softmax", "sigmoid"):
        net = network(mlp(3, (64, 12, 4), scale=scale), activation=activation)
        answer = METHODS[name](Case(net, x, baseline, 1, output))
        assert np.isfinite(answer.attribution).all()
        assert answer.error is None or np.isfinite(answer.error).all()
        assert answer.expected_sum is None or np.isfinite(answer.expected_sum)


@every_method
@pytest.mark.parametrize("end", ["low", "high"])
def test_settings_at_the_ends_of_their_ranges_give_finite_maps(name: str, end: str) -> None:
    case = random_case(NETWORKS["flat"], 1)
    for setting in METHODS[name].settings:
        if not isinstance(setting.default, str | bool):
            answer = METHODS[name](case, **{setting.name: type(setting.default)(getattr(setting, end))})
            assert np.isfinite(answer.attribution).all(), setting.name
            assert answer.error is None or np.isfinite(answer.error).all(), setting.name


@every_method
@pytest.mark.parametrize("rule", ["right", "trapezoid"])
def test_the_pictures_sent_through_the_network_are_counted(name: str, rule: str) -> None:
    net = network(mlp(0))
    values: dict[str, Any] = {"rule": rule} if "rule" in METHODS[name].values({}) else {}
    sent = {True: 0, False: 0}

    def count(module: nn.Module, args: Any, out: torch.Tensor) -> None:
        sent[out.requires_grad] += len(out)

    net.module.register_forward_hook(count)
    answer = METHODS[name](random_case(net, 1), **values)
    assert answer.backward == sent[True]
    assert answer.forward == sent[True] + sent[False]


@signed_method
def test_maps_of_a_two_class_network_are_opposite(name: str) -> None:
    net = network(mlp(8, (64, 16, 2)))
    one, two = (METHODS[name](Case(net, picture(0), BLACK, target)) for target in (0, 1))
    assert relative_error(one.attribution, -two.attribution) < 1e-11
    assert one.expected_sum == pytest.approx(-(two.expected_sum or 0), rel=1e-11)


@pytest.mark.parametrize("name", UNSIGNED)
def test_unsigned_maps_of_a_two_class_network_are_equal_and_never_negative(name: str) -> None:
    net = network(mlp(8, (64, 16, 2)))
    one, two = (METHODS[name](Case(net, picture(0), BLACK, target)).attribution for target in (0, 1))
    assert relative_error(one, two) < 1e-11
    assert (one >= 0).all()
    assert one.any()


@pytest.mark.parametrize("name", [name for name in SIGNED if not name.startswith("guided")])
def test_attributions_of_a_sum_of_networks_are_the_sum_of_attributions(name: str) -> None:
    one, two = mlp(5), mlp(6)

    of_one, of_two, of_both = (
        METHODS[name](random_case(network(module), 3, "logit")).attribution for module in (one, two, Combined(one, two))
    )
    assert relative_error(of_both, 2 * of_one - 3 * of_two) < 1e-11


@signed_method
@given(seed=st.integers(0, 10**6), target=st.integers(0, 2))
@settings(max_examples=15)
def test_on_a_linear_network_the_sum_is_the_goal(name: str, seed: int, target: int) -> None:
    """Nothing is left to quadrature there, nor, for the logit, to chance in α: only the drawn baselines remain."""
    weights = np.random.default_rng(seed).standard_normal((3, 64))
    net = Network(linear(weights, [1.0, -1, 0]), background=BACKGROUND[:1])
    answer = METHODS[name](Case(net, picture(seed), picture(seed + 1), target, "logit"))
    assert answer.expected_sum is not None
    assert abs(answer.attribution.sum() - answer.expected_sum) < 1e-10


@signed_method
@outputs
def test_with_many_looks_the_sum_comes_near_the_goal(name: str, output: Output) -> None:
    case = random_case(NETWORKS["flat"], 5, output)
    given_values = METHODS[name].values({})
    more = {"steps": 100} if name in ("smooth_integrated_gradients", "averaged_baselines") else {"steps": 500}
    answer = METHODS[name](case, **(more if "steps" in given_values else {"samples": 5000}))
    assert answer.expected_sum is not None
    size = np.abs(answer.attribution).sum()
    if "steps" in given_values:
        assert abs(answer.attribution.sum() - answer.expected_sum) < 0.01 * size
    else:
        assert answer.error is not None
        bound = 4 * float(np.sqrt(64) * np.linalg.norm(answer.error))  # pixels' errors may all point the same way
        assert abs(answer.attribution.sum() - answer.expected_sum) < bound < size


@every_method
def test_entries_say_all_there_is_to_say(name: str) -> None:
    method = METHODS[name]
    assert method.name == name
    assert method.family in FAMILIES
    for said in (method.title, method.paper, method.reference, method.formula, method.passes, method.caveat):
        assert said and "  " not in said
    assert str(method.year) in method.paper
    assert bool(method.complete) == (METHODS[name](random_case(NETWORKS["flat"], 0)).expected_sum is not None)
    assert method.values({}) == method.values(dict(method.values({})))  # every default is a value it can have


@every_method
def test_the_pictures_and_the_background_are_left_alone(name: str) -> None:
    case = random_case(NETWORKS["flat"], 4)
    before = [picture.copy() for picture in (case.input, case.baseline, BACKGROUND)]
    answer = METHODS[name](case)
    assert isinstance(answer, Attribution)
    background = NETWORKS["flat"].background
    assert background is not None
    now = (case.input, case.baseline, background)
    assert all(np.array_equal(a, b) for a, b in zip(before, now, strict=True))
