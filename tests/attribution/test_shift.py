"""Shifted networks: the same answers to shifted pictures, and which methods give the same maps."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
import torch
from each import each
from torch import nn

from explorer.attribution import METHODS, Case, Network, randomised, shifted, shifted_case
from explorer.attribution.shift import folds_into_bias
from explorer.models import FOLDER
from explorer.pictures import DIGITS_FILE, read_digits

from .architectures import ARCHITECTURES, architectures, one_linear_layer_used_twice
from .toys import BLACK, Combined, Floats, linear, mlp, picture, relative_error

CONSTANTS = {"one number": np.float64(-1.0), "a picture": 2 * picture(9) - 1}
constants = each("constant", CONSTANTS.values(), ids=CONSTANTS)

# Which maps of a ReLU network stay, and which only if what the method compares the input with is shifted too.
STAY = {"gradient", "smoothgrad", "smoothgrad_squared", "vargrad", "deconvnet", "guided_backprop"}
STAY_WITH_BASELINE = {
    "integrated_gradients", "smooth_integrated_gradients", "guided_integrated_gradients", "deeplift", "occlusion", "lime", "kernel_shap", "shapley_values",
}  # fmt: skip
STAY_WITH_BACKGROUND = {"expected_gradients", "gradient_shap", "deeplift_shap"}
ALWAYS_CHANGE = {"gradient_times_input", "lrp_epsilon", "lrp_gamma", "lrp_zplus", "blur_integrated_gradients", "averaged_baselines", "xrai"}
# Methods of convolutional networks only.
OF_MAPS = {"cam", "grad_cam", "grad_cam_plus_plus", "smooth_grad_cam_plus_plus", "guided_grad_cam"}


@architectures
@constants
def test_the_shifted_network_answers_x_plus_c_as_the_network_answers_x(module: nn.Module, constant: Floats) -> None:
    network = Network(module)
    pictures = np.random.default_rng(0).random((50, 8, 8))
    with torch.no_grad():
        expected = network.logits(torch.from_numpy(pictures)).numpy()
        found = shifted(network, constant).logits(torch.from_numpy(pictures + constant)).numpy()
    assert np.abs(found - expected).max() <= 1e-13 * max(1.0, np.abs(expected).max())


@constants
def test_also_where_layers_are_not_in_a_row(constant: Floats) -> None:
    network = Network(Combined(mlp(0), mlp(1)))
    assert not folds_into_bias(network, constant)
    np.testing.assert_allclose(shifted(network, constant).scores(picture(0)[None] + constant), network.scores(picture(0)[None]), rtol=1e-12)


def test_it_folds_into_a_bias_only_where_that_is_all_of_its_effect() -> None:
    minus_one, varied = CONSTANTS.values()
    for name, (of_number, of_picture) in {
        "relu": (True, True),
        "one-layer": (True, True),
        "image": (True, False),  # a convolution without a border answers a constant with a constant
        "conv": (False, False),  # with a border of zeros it does not
        "pooled": (False, False),
        "activations-at-the-ends": (True, True),
    }.items():
        network = Network(ARCHITECTURES[name])
        assert (folds_into_bias(network, minus_one), folds_into_bias(network, varied)) == (of_number, of_picture), name
    twice = nn.Sequential(linear(np.eye(64)), nn.ReLU())
    assert folds_into_bias(Network(nn.Sequential(*twice, mlp(0))), varied)
    assert not folds_into_bias(Network(nn.Sequential(*twice, *twice, mlp(0))), varied)
    assert folds_into_bias(Network(one_linear_layer_used_twice(0)), varied)  # it is a later one that is used twice


def test_the_bias_is_the_papers_and_all_else_stays() -> None:
    network = Network(nn.Sequential(linear(np.eye(64)[:3] * 2, [1.0, 2.0, 3.0])))
    altered = shifted(network, np.arange(64.0).reshape(8, 8))
    assert altered.module[0].bias.tolist() == [1.0, 0.0, -1.0]
    assert torch.equal(altered.module[0].weight, network.module[0].weight)
    assert network.module[0].bias.tolist() == [1.0, 2.0, 3.0] and altered.module[0].bias.requires_grad is False


def test_a_first_layer_without_a_bias_gets_one() -> None:
    network = Network(nn.Sequential(nn.Linear(64, 4, bias=False), nn.ReLU(), nn.Linear(4, 2)))
    np.testing.assert_allclose(shifted(network, 0.5).scores(picture(0)[None] + 0.5), network.scores(picture(0)[None]), rtol=1e-13)


def maps(case: Case, methods: set[str]) -> Mapping[str, Floats]:
    """The map of each method that applies, with fewer samples where it can."""
    few = {"samples": 10, "steps": 10}
    return {
        name: METHODS[name](case, **{s.name: few[s.name] for s in METHODS[name].settings if s.name in few}).attribution
        for name in methods
        if not METHODS[name].unsupported_reason(case.network)
    }


def check_which_maps_stay(network: Network, methods: set[str]) -> None:
    """For a held-out digit, with baseline and background shifted and not."""
    pictures, _, held_out = read_digits(FOLDER / DIGITS_FILE)
    x = pictures[held_out][3].reshape(8, 8)
    case = Case(network, x, BLACK, network.predict(x), "logit")
    before = maps(case, methods)
    for constant in CONSTANTS.values():
        both, neither = (shifted_case(case, constant, references=references) for references in (True, False))
        assert np.array_equal(neither.input, x + constant) and np.array_equal(neither.baseline, BLACK)
        for baseline in (False, True):
            for background in (False, True):
                start = both if baseline else neither
                asked = Case((both if background else neither).network, start.input, start.baseline, case.target, case.output)
                same = {method for method, found in maps(asked, methods).items() if relative_error(found, before[method]) < 1e-12}
                expected = STAY | OF_MAPS
                expected |= STAY_WITH_BASELINE if baseline else set()
                expected |= STAY_WITH_BACKGROUND if background else set()
                assert same == expected & before.keys(), (baseline, background)


def test_which_methods_give_the_same_map_of_a_shifted_picture(zoo: Mapping[str, Network]) -> None:
    assert set(METHODS) == STAY | STAY_WITH_BASELINE | STAY_WITH_BACKGROUND | ALWAYS_CHANGE | OF_MAPS
    check_which_maps_stay(zoo["digits"], set(METHODS))


def test_with_a_layer_in_front_the_same_methods_do(zoo: Mapping[str, Network]) -> None:
    few = {"gradient", "gradient_times_input", "integrated_gradients", "expected_gradients", "lrp_epsilon", "deeplift", "guided_backprop"}
    check_which_maps_stay(zoo["digits-cnn"], few | OF_MAPS)


def test_the_background_is_shifted_on_request_only() -> None:
    background = np.stack([picture(1), picture(2)])
    network = Network(mlp(0), background=background)
    assert np.array_equal(shifted(network, -1.0).background, background)
    assert np.array_equal(shifted(network, -1.0, background=True).background, background - 1)
    assert shifted(Network(mlp(0)), -1.0, background=True).background is None
    assert not shifted(network, -1.0, background=True).background.flags.writeable


@each(
    ("constant", "reason"),
    [
        (np.ones(64), r"the constant must be a number or a picture \(8, 8\), not \(64,\)"),
        (np.full((8, 8), np.inf), "the shifts are not finite"),
        (np.full((8, 8), 1e308), "the shifted biases are not finite"),
        (1j, "the constant must hold real numbers"),
    ],
)
def test_constants_that_cannot_be_subtracted_are_refused(constant: Floats, reason: str) -> None:
    with pytest.raises(ValueError, match=f"^{reason}"):
        shifted(Network(mlp(0)), constant)


def test_altered_networks_can_be_altered_again(zoo: Mapping[str, Network]) -> None:
    network = zoo["digits-cnn"]
    back = shifted(shifted(network, 0.25), -0.25)
    np.testing.assert_allclose(back.scores(picture(0)[None]), network.scores(picture(0)[None]), rtol=1e-10)
    assert shifted(randomised(network, ["8"], 0), 0.5).products > network.products


def test_altered_networks_have_gradients_whatever_torchs_mode_was(zoo: Mapping[str, Network]) -> None:
    x = picture(0)
    for network in (zoo["digits"], zoo["digits-cnn"]):
        name = "4" if network is zoo["digits"] else "8"
        with torch.inference_mode():
            altered = [shifted(network, 0.5), randomised(network, [name], 0)]
        expected = [shifted(network, 0.5), randomised(network, [name], 0)]
        for method in ("gradient", "guided_backprop"):
            for one, other in zip(altered, expected, strict=True):
                found = METHODS[method](Case(one, x, BLACK, 0)).attribution
                assert found.any() and np.array_equal(found, METHODS[method](Case(other, x, BLACK, 0)).attribution)
