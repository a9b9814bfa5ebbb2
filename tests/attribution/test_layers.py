"""Walking a network: its layers in their order, called without a trace, and pulled back through."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from explorer.attribution import Network
from explorer.attribution.layers import (
    AFFINE,
    KINKED_AT_ZERO,
    NotSequential,
    activate,
    affine_and_relu_layers,
    layer_vjp,
    unsupported_reason,
)

from .toys import NETWORKS, mlp, networks, picture


def pictures(network: Network, count: int = 3) -> torch.Tensor:
    return torch.tensor(np.stack([picture(seed) for seed in range(count)])).reshape(-1, *network.input_shape)


@networks
def test_the_layers_called_in_their_order_are_the_network(network: Network) -> None:
    a = pictures(network)
    for layer in affine_and_relu_layers(network):
        a = activate(layer, a) if isinstance(layer, KINKED_AT_ZERO) else layer(a)
    assert torch.equal(a, network.logits(pictures(network)))


@networks
def test_pulling_back_is_the_transposed_matrix(network: Network) -> None:
    a, generator = pictures(network), torch.Generator().manual_seed(0)
    for layer in affine_and_relu_layers(network):
        out = activate(layer, a) if isinstance(layer, KINKED_AT_ZERO) else layer(a)
        if isinstance(layer, AFFINE):
            up = torch.randn(out.shape, generator=generator, dtype=torch.float64)
            down = torch.randn(a.shape, generator=generator, dtype=torch.float64)
            change = layer(a + down) - out
            pulled = layer_vjp(layer, a.shape[1:], up.reshape(len(up), -1))
            assert pulled.shape == a.shape
            torch.testing.assert_close(
                (pulled * down).flatten(1).sum(1), (up * change).flatten(1).sum(1), rtol=1e-10, atol=1e-12
            )
        a = out


def test_a_linear_layer_of_channels_is_pulled_back_too() -> None:
    layer = nn.Linear(4, 2).double().requires_grad_(False)
    up = torch.arange(12.0, dtype=torch.float64).reshape(2, 3, 2)
    assert torch.allclose(layer_vjp(layer, torch.Size((3, 4)), up), up @ layer.weight)


def test_an_activation_leaves_what_goes_in_as_it_is() -> None:
    z = torch.tensor([-2.0, 0.0, 3.0], dtype=torch.float64)
    assert activate(nn.ReLU(inplace=True), z).tolist() == [0, 0, 3]
    assert activate(nn.LeakyReLU(0.25, inplace=True), z).tolist() == [-0.5, 0, 3]
    assert z.tolist() == [-2, 0, 3]


def test_one_layer_in_two_places_is_walked_twice() -> None:
    relu = nn.ReLU()
    network = Network(nn.Sequential(nn.Linear(64, 4), relu, nn.Linear(4, 4), relu))
    assert [type(layer) for layer in affine_and_relu_layers(network)] == [nn.Linear, nn.ReLU, nn.Linear, nn.ReLU]


def test_what_cannot_be_walked_is_named() -> None:
    class Own(nn.ReLU):
        pass

    network = Network(nn.Sequential(nn.Linear(64, 4), nn.Sequential(Own())))
    with pytest.raises(NotSequential, match=r"layer 1\.0 is a Own"):
        affine_and_relu_layers(network)
    assert unsupported_reason(network).endswith("layer 1.0 is a Own")
    hooked = Network(mlp(0))
    hooked.module.register_forward_pre_hook(lambda module, args: None)
    assert unsupported_reason(hooked).endswith("the network has a hook")
    assert unsupported_reason(NETWORKS["image"]) == ""
