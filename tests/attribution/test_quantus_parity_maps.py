"""Parity with Quantus 0.6 of what compares maps: parameter randomisation and input invariance."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from explorer.attribution import METHODS, Case, Network, affine_layers, randomised, shifted, similarities
from explorer.models import FOLDER
from explorer.pictures import DIGITS_FILE, read_digits

from .quantus_oracle import load_quantus
from .toys import BLACK, Floats, picture

SEED = 5


@pytest.fixture(scope="module")
def quantus() -> Any:
    return load_quantus()


def maps(network: Network, pictures: Floats, targets: list[int], method: str) -> Floats:
    cases = [Case(network, x, BLACK, target, "logit") for x, target in zip(pictures, targets, strict=True)]
    return np.stack([METHODS[method](case).attribution for case in cases])


def explain(model: nn.Module, inputs: Floats, targets: Any, *, method: str, **others: object) -> Floats:
    """What Quantus calls for the maps of a model that it has altered."""
    return maps(Network(model), np.asarray(inputs).reshape(-1, 8, 8), [int(target) for target in targets], method)[:, None]


# Quantus seeds every layer's draw alike, so its layers' weights are copies of one stream; it gets this project's draws here.
@pytest.mark.parametrize("order", ["top_down", "independent"])
def test_parameter_randomisation(order: str, quantus: Any, zoo: Mapping[str, Network], monkeypatch: pytest.MonkeyPatch) -> None:
    pictures, _, held_out = read_digits(FOLDER / DIGITS_FILE)
    network, x = zoo["digits-cnn"], pictures[held_out][:4].reshape(-1, 8, 8)
    targets = [network.predict(one) for one in x]
    names = [layer.name for layer in affine_layers(network)]
    drawn = {p.shape: p for p in randomised(network, names, SEED).module.parameters()}
    assert len(drawn) == 2 * len(names)  # so the shape says which layer it is

    def reset(layer: Any) -> None:
        layer.weight.copy_(drawn[layer.weight.shape])
        layer.bias.copy_(drawn[layer.bias.shape])

    for kind in (nn.Linear, nn.Conv2d):
        monkeypatch.setattr(kind, "reset_parameters", reset)
    for method in ("gradient", "integrated_gradients", "guided_backprop"):
        before = maps(network, x, targets, method)
        for absolute in (True, False):
            with torch.random.fork_rng():
                theirs = quantus.MPRT(layer_order=order, abs=absolute, normalise=True, disable_warnings=True)(
                    model=network.module, x_batch=x[:, None], y_batch=np.array(targets), a_batch=before[:, None],
                    explain_func=explain, explain_func_kwargs={"method": method}, channel_first=True,
                )  # fmt: skip
            assert list(theirs) == ["original", *(reversed(names) if order == "top_down" else names)]
            for depth, name in enumerate(reversed(names), start=1):
                altered = randomised(network, names[-depth:] if order == "top_down" else [name], SEED)
                for i, after in enumerate(maps(altered, x, targets, method)):
                    (ours,) = similarities(after[None], before[i])
                    assert (ours.magnitude if absolute else ours.signed) == pytest.approx(theirs[name][i], abs=1e-6)


def in_float32(network: Network) -> nn.Module:
    """A copy of the module in the precision that Quantus shifts in."""
    return copy.deepcopy(network.module).float()


# Quantus leaves the first pixel of each picture as it is (it drops the first of the indices that it shifts), so its scores
# are those of a picture that is shifted in part. It computes the bias in float32, and calls maps equal up to 1e-4.
@pytest.mark.parametrize("kernel", [3, 8])
def test_input_invariance(kernel: int, quantus: Any) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(kernel)  # a convolution without a border: Quantus shifts no other first layer right
        network = Network(nn.Sequential(nn.Conv2d(1, 30, kernel), nn.ReLU(), nn.Flatten(), nn.Linear(30 * (9 - kernel) ** 2, 3)))
    x, targets, seen = np.stack([picture(seed) for seed in range(3)]), [0, 1, 2], []

    def noted(model: nn.Module, inputs: Floats, targets: Any, **others: Any) -> Floats:
        seen.append((inputs.reshape(-1, 8, 8), model[0].bias.numpy()))  # type: ignore[index]
        return explain(model, inputs, targets, **others)

    altered = shifted(network, np.float64(-1))
    partly = x - (np.arange(64).reshape(8, 8) > 0)
    for method in ("gradient", "guided_backprop", "gradient_times_input", "integrated_gradients"):
        before = maps(network, x, targets, method)
        theirs = quantus.InputInvariance(abs=False, normalise=False, input_shift=-1, disable_warnings=True)(
            model=in_float32(network), x_batch=x[:, None], y_batch=np.array(targets), a_batch=before[:, None],
            explain_func=noted, explain_func_kwargs={"method": method}, channel_first=True,
        )  # fmt: skip
        pictures, bias = seen[-1]
        np.testing.assert_array_equal(pictures, partly)
        np.testing.assert_allclose(bias, altered.module[0].bias.numpy(), rtol=0, atol=1e-6)  # type: ignore[index]
        found = [maps(altered, inputs, targets, method) for inputs in (partly, x - 1)]
        replayed, ours = ([np.allclose(one, two, atol=1e-4) for one, two in zip(before, after, strict=True)] for after in found)
        assert replayed == [bool(score) for score in theirs]
        assert ours == [method in ("gradient", "guided_backprop")] * 3


def test_with_a_border_of_zeros_quantus_shifts_to_another_function_and_shifted_does_not(quantus: Any, zoo: Mapping[str, Network]) -> None:
    network, x = zoo["digits-cnn"], picture(0)[None]
    wrapped = quantus.helpers.model.pytorch_model.PyTorchModel(in_float32(network), channel_first=True)
    theirs = Network(wrapped.add_mean_shift_to_first_layer(-1, (1, 1, 8, 8)))
    expected = network.scores(x)
    assert np.abs(theirs.scores(x - 1) - expected).max() > 0.01
    assert np.abs(shifted(network, np.float64(-1)).scores(x - 1) - expected).max() < 1e-12
