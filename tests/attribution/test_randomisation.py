"""Networks with random weights: what is drawn, what stays, and that maps depend on it as in Adebayo et al. 2018."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
import torch
from each import each
from torch import nn

from explorer.attribution import METHODS, Case, Network, WeightedLayer, affine_layers, randomised, similarities
from explorer.models import FOLDER
from explorer.pictures import DIGITS_FILE, read_digits

from .architectures import architectures
from .toys import BLACK, Combined, convolutional, mlp, picture


def weights(network: Network) -> dict[str, torch.Tensor]:
    """Parameters and buffers by name, those of a layer that is used twice once."""
    return {**dict(network.module.named_parameters()), **dict(network.module.named_buffers())}


def changed(one: Network, other: Network) -> set[str]:
    """The layers whose weights differ."""
    return {name.rpartition(".")[0] for name, tensor in weights(one).items() if not torch.equal(tensor, weights(other)[name])}


def drawn(network: Network, names: list[str]) -> set[str]:
    """Those of the layers that draw something, which a normalisation does not."""
    return {name for name in names if not isinstance(network.module.get_submodule(name), nn.BatchNorm1d | nn.BatchNorm2d)}


def test_the_layers_are_listed_from_the_pixels_up(zoo: Mapping[str, Network]) -> None:
    assert affine_layers(zoo["digits-cnn"]) == [
        WeightedLayer("0", "Conv2d", (4, 1, 3, 3)),
        WeightedLayer("2", "Conv2d", (8, 4, 3, 3)),
        WeightedLayer("4", "Conv2d", (12, 8, 3, 3)),
        WeightedLayer("8", "Linear", (10, 12)),
    ]
    assert [(layer.name, layer.kind) for layer in affine_layers(Network(convolutional()))] == [
        ("1.0", "Conv2d"), ("1.1", "BatchNorm2d"), ("2.0", "Conv2d"), ("5", "BatchNorm1d"), ("8", "Linear"),
    ]  # fmt: skip


@architectures
def test_only_the_chosen_layers_change_and_each_by_its_own_draw(module: nn.Module) -> None:
    network = Network(module)
    before = {name: tensor.clone() for name, tensor in weights(network).items()}
    names = [layer.name for layer in affine_layers(network)]
    alone = {name: randomised(network, [name], 3) for name in names}
    for depth in range(len(names) + 1):
        chosen = names[len(names) - depth :]
        cascade = randomised(network, chosen, 3)
        assert drawn(network, chosen) <= changed(cascade, network) <= set(chosen)
        for name in chosen:  # the same draw whether a layer is alone or one of many
            assert name not in changed(cascade, alone[name])
        assert np.isfinite(cascade.scores(picture(0)[None])).all()
    assert all(torch.equal(tensor, before[name]) for name, tensor in weights(network).items())
    assert changed(randomised(network, names, 3), randomised(network, names, 3)) == set()
    assert changed(randomised(network, names, 3), randomised(network, names, 4)) == drawn(network, names)


def test_it_draws_from_torchs_own_distribution_and_never_from_torchs_generator() -> None:
    network = Network(nn.Sequential(nn.Linear(64, 500), nn.Unflatten(1, (20, 5, 5)), nn.Conv2d(20, 400, 3), nn.Flatten(), nn.Linear(3600, 2)))
    names = [layer.name for layer in affine_layers(network)]
    state = torch.get_rng_state()
    ours = randomised(network, names, 0)
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(0)
    torchs = nn.Sequential(nn.Linear(64, 500), nn.Unflatten(1, (20, 5, 5)), nn.Conv2d(20, 400, 3), nn.Flatten(), nn.Linear(3600, 2))
    torch.set_rng_state(state)
    for name, tensor in weights(ours).items():
        theirs = torchs.state_dict()[name].double()
        if tensor.numel() > 100:
            bound = float(theirs.abs().max())
            assert float(tensor.abs().max()) == pytest.approx(bound, rel=0.02)
            for q in (0.1, 0.25, 0.5, 0.75, 0.9):
                assert float(tensor.flatten()[:100_000].quantile(q)) == pytest.approx(float(theirs.flatten()[:100_000].quantile(q)), abs=0.12 * bound)


def test_a_batch_normalisation_forgets_its_scale_and_its_statistics() -> None:
    norm = randomised(Network(convolutional()), ["1.1"], 0).module.get_submodule("1.1")
    assert isinstance(norm, nn.BatchNorm2d) and norm.running_mean is not None and norm.running_var is not None and norm.num_batches_tracked is not None
    assert not norm.running_mean.any() and torch.equal(norm.running_var, torch.ones(4, dtype=torch.float64))
    assert torch.equal(norm.weight, torch.ones(4, dtype=torch.float64)) and not norm.bias.any() and not norm.training


def test_a_network_without_a_sequence_can_be_randomised_too() -> None:
    network = Network(Combined(mlp(0), mlp(1)))
    assert [layer.name for layer in affine_layers(network)] == ["one.0", "one.2", "one.4", "two.0", "two.2", "two.4"]
    assert changed(randomised(network, ["two.4"], 0), network) == {"two.4"}
    assert changed(randomised(network, "two.4", 0), network) == {"two.4"}


class Scaled(nn.Module):
    """A layer with a weight of its own kind."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(64))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * self.scale


@each(
    ("module", "layers", "seed", "reason"),
    [
        (mlp(0), ["4", "9"], 0, "the layers with weights are 0, 2, 4; there is no '9'"),
        (mlp(0), ["1"], 0, "the layers with weights are 0, 2, 4; there is no '1'"),
        (mlp(0), ["4"], -1, "the seed must be 0 or more, not -1"),
        (mlp(0), ["4"], 0.5, "seed must be a whole number"),
        (nn.Sequential(Scaled(), mlp(0)), [], 0, "only linear, convolutional and normalising layers can be randomised, and layer 0 is a Scaled"),
        (nn.Sequential(nn.Unflatten(1, (4, 16)), nn.AdaptiveAvgPool1d(1), nn.Flatten()), [], 0, "the network has no layer with weights"),
    ],
)
def test_what_cannot_be_drawn_is_refused(module: nn.Module, layers: list[str], seed: int, reason: str) -> None:
    with pytest.raises(ValueError, match=f"^{reason}"):
        randomised(Network(module), layers, seed)


def test_guided_backprop_hardly_sees_that_the_logits_are_random_and_the_gradient_does(zoo: Mapping[str, Network]) -> None:
    pictures, _, held_out = read_digits(FOLDER / DIGITS_FILE)
    network = zoo["digits-cnn"]
    names = [layer.name for layer in affine_layers(network)]
    last, every = ([randomised(network, part, seed) for seed in range(5)] for part in (names[-1:], names))

    def correlations(method: str, networks: list[Network]) -> tuple[float, float, float]:
        rows = []
        for x in pictures[held_out][:10].reshape(-1, 8, 8):
            trained, *others = [
                METHODS[method](Case(n, x, BLACK, network.predict(x), "logit")).attribution for n in (network, *networks)
            ]
            rows += [(s.signed, s.magnitude, s.magnitude_moving) for s in similarities(np.stack(others), trained, x > 0)]
        means = np.mean(np.array(rows, dtype=float), axis=0)
        return float(means[0]), float(means[1]), float(means[2])

    assert correlations("guided_backprop", last)[0] > 0.7
    assert abs(correlations("gradient", last)[0]) < 0.3
    assert abs(correlations("gradient", every)[0]) < 0.3
    # Sundararajan & Taly 2018: Integrated Gradients' magnitudes seem to stay, since pixels that equal the baseline are 0 in both maps
    signed, magnitude, magnitude_moving = correlations("integrated_gradients", every)
    assert abs(signed) < 0.3 and magnitude > 0.8 and magnitude_moving < 0.5
