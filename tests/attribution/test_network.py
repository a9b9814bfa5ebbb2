"""The frozen copy: which modules are taken, and that the original is left alone."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from each import each
from torch import nn

from explorer.attribution import Case, Network, exact_integrated_gradients, explain, gradient_field

from .toys import BLACK, convolutional, first, linear, mlp, picture


class Failing(nn.Module):
    """Takes pictures until it is told to fail."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Linear(64, 3)
        self.register_buffer("fail", torch.tensor(False))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.fail:
            raise RuntimeError("told to fail")
        out: torch.Tensor = self.inner(x)
        return out


class Answering(nn.Module):
    """Answers with whatever it was given."""

    def __init__(self, answer: object) -> None:
        super().__init__()
        self.answer = answer

    def forward(self, x: torch.Tensor) -> object:
        return self.answer


def hooks(module: nn.Module) -> int:
    """How many hooks there are on a module and all inside it."""
    return sum(
        len(getattr(m, name))
        for m in module.modules()
        for name in ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
    )


def use(network: Network) -> None:
    """Ask a network everything that the engine can ask."""
    case = Case(network, picture(1), BLACK, 0)
    explain(case)
    exact_integrated_gradients(case)
    network.predict(picture(2))


def test_the_original_module_is_not_touched() -> None:
    module = convolutional().train()
    before = copy.deepcopy(module.state_dict())
    use(Network(module))
    assert all(part.training for part in module.modules())
    assert all(p.requires_grad and p.grad is None and p.dtype == torch.float32 for p in module.parameters())
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())
    assert hooks(module) == 0


def test_the_copy_does_not_follow_the_original() -> None:
    module = mlp(0)
    network = Network(module)
    before = network.scores(picture(0)[None])
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.zero_()
    assert np.array_equal(network.scores(picture(0)[None]), before)


def test_the_copy_is_double_precision_in_eval_mode_and_frozen_and_stays_so() -> None:
    network = Network(convolutional().train())
    before = copy.deepcopy(network.module.state_dict())
    use(network)
    assert not any(part.training for part in network.module.modules())
    assert all(p.dtype == torch.float64 for p in network.module.parameters())
    assert all(not p.requires_grad and p.grad is None for p in network.module.parameters())
    assert all(torch.equal(value, before[name]) for name, value in network.module.state_dict().items())
    assert hooks(network.module) == 0


def test_a_failure_leaves_no_hook_no_gradient_and_no_broken_network() -> None:
    network = Network(Failing())
    fine = network.scores(picture(0)[None])
    assert isinstance(network.module.fail, torch.Tensor)
    network.module.fail.fill_(True)
    with pytest.raises(RuntimeError, match="told to fail"):
        explain(Case(network, picture(0), BLACK, 0))
    network.module.fail.fill_(False)
    assert hooks(network.module) == 0
    assert all(p.grad is None for p in network.module.parameters())
    assert torch.is_grad_enabled()
    assert np.array_equal(network.scores(picture(0)[None]), fine)


def test_both_input_shapes_are_taken_and_found_out() -> None:
    flat = mlp(3)
    image = nn.Sequential(nn.Conv2d(1, 5, 8), nn.Flatten())
    assert Network(flat).input_shape == (64,)
    assert Network(image).input_shape == (1, 8, 8)


def test_flat_and_image_networks_of_the_same_weights_agree() -> None:
    flat = linear(np.random.default_rng(0).standard_normal((5, 64)), 0.1)
    image = nn.Sequential(nn.Conv2d(1, 5, 8).double(), nn.Flatten())
    assert isinstance(image[0], nn.Conv2d) and image[0].bias is not None
    with torch.no_grad():
        image[0].weight.copy_(flat.weight.reshape(5, 1, 8, 8))
        image[0].bias.copy_(flat.bias)
    seen = [gradient_field(Network(module), picture(0)[None], 2) for module in (flat, image)]
    np.testing.assert_allclose(seen[0].values, seen[1].values, rtol=1e-13)
    np.testing.assert_allclose(seen[0].gradients, seen[1].gradients, rtol=1e-12, atol=1e-15)


def test_pixels_reach_the_network_in_reading_order() -> None:
    weights = np.arange(64.0)
    gradient = gradient_field(Network(first([weights, 0 * weights])), BLACK[None], 0, "logit").gradients[0]
    assert np.array_equal(gradient, weights.reshape(8, 8))


@each(
    "module",
    [
        nn.Linear(63, 3),
        nn.Conv2d(3, 2, 3),
        nn.Conv2d(1, 2, 3),  # answers a map
        Answering(torch.zeros(3)),
        Answering(torch.zeros(1, 3)),  # one row for two pictures
        Answering("three"),
    ],
)
def test_a_module_of_another_shape_is_refused_with_both_reasons(module: nn.Module) -> None:
    with pytest.raises(ValueError, match=r"\(k, 64\).*\(k, 1, 8, 8\): "):
        Network(module)


def test_a_module_that_checks_its_shape_by_assertion_is_probed_too() -> None:
    class Checking(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            assert x.shape[1:] == (1, 8, 8)
            return x.flatten(1)

    assert Network(Checking()).input_shape == (1, 8, 8)


def test_a_module_whose_answer_for_a_picture_depends_on_the_batch_is_refused() -> None:
    # batch normalisation without running statistics normalises by the batch even in eval mode
    batchy = nn.Sequential(nn.Linear(64, 8), nn.BatchNorm1d(8, track_running_stats=False), nn.Linear(8, 3))
    with pytest.raises(ValueError, match="batch"):
        Network(batchy)


def test_class_names_default_to_numbers_and_must_fit() -> None:
    assert Network(mlp(0)).classes == ("0", "1", "2", "3", "4")
    assert Network(mlp(0), classes=list("abcde")).classes == ("a", "b", "c", "d", "e")
    with pytest.raises(ValueError, match="5 classes, but 2 names"):
        Network(mlp(0), classes=["a", "b"])


def test_an_unknown_activation_is_refused() -> None:
    with pytest.raises(ValueError, match="'relu'"):
        Network(mlp(0), activation="relu")  # type: ignore[arg-type]


def test_softmax_scores_sum_to_one_and_sigmoid_scores_stand_alone() -> None:
    module = linear(np.zeros((2, 64)), [0.0, np.log(3)])
    np.testing.assert_allclose(Network(module).scores(BLACK[None]), [[1 / 4, 3 / 4]], rtol=1e-15)
    np.testing.assert_allclose(Network(module, activation="sigmoid").scores(BLACK[None]), [[1 / 2, 3 / 4]], rtol=1e-15)


def test_predict_names_the_highest_score_and_the_lowest_index_in_a_tie() -> None:
    assert Network(linear(np.zeros((3, 64)), [0, 2, 1])).predict(BLACK) == 1
    assert Network(linear(np.zeros((3, 64)), [0, 2, 2])).predict(BLACK) == 1


@pytest.mark.usefixtures("every_warning")
def test_pictures_of_another_shape_have_no_scores() -> None:
    network = Network(mlp(0))
    for shape in ((1, 64), (2, 4, 8), (8,)):
        with pytest.raises(ValueError, match=r"the pictures must have shape \(k, 8, 8\), not"):
            network.scores(np.zeros(shape))
    with pytest.raises(ValueError, match=r"not \(1, 3, 8\)"):
        network.predict(np.zeros((3, 8)))


def test_asking_for_scores_neither_changes_the_picture_nor_warns_when_it_is_read_only() -> None:
    network = Network(nn.Sequential(nn.ReLU(inplace=True), nn.Linear(64, 2)))
    mine = -picture(0)
    network.predict(mine)
    assert np.array_equal(mine, -picture(0))
    mine.flags.writeable = False
    assert network.scores(mine[None]).shape == (1, 2)


def test_a_network_that_begins_by_writing_into_its_input_can_be_looked_at() -> None:
    eager = Network(nn.Sequential(nn.ReLU(inplace=True), first([[1.0], [0.0]])))
    gradient = gradient_field(eager, picture(0)[None], 0, "logit").gradients[0]
    assert gradient[0, 0] == 1
    assert np.count_nonzero(gradient) == 1


def test_a_networks_products_count_each_weight_and_a_convolutions_at_every_pixel() -> None:
    flat = Network(nn.Sequential(nn.Linear(64, 5), nn.ReLU(), nn.Linear(5, 2)))
    assert flat.products == 64 * 5 + 5 + 5 * 2 + 2
    image = Network(nn.Sequential(nn.Conv2d(1, 3, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(192, 2)))
    assert image.products == 3 * 9 * 64 + 3 + 192 * 2 + 2
    assert image.chunk < flat.chunk
