"""Known layers in numpy: the same logits and gradients as torch and its autograd, for any network of them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from explorer.attribution import Case, Network
from explorer.attribution.coalitions import game, members
from explorer.attribution.conv_coalitions import logits_of_all_coalitions
from explorer.attribution.vjp import evaluate

from .architectures import architectures
from .toys import Floats, mlp


def autograd(network: Network, points: Floats, cotangents: Floats) -> tuple[Floats, Floats]:
    x = torch.tensor(points, requires_grad=True)
    logits = network.logits(x)
    (gradients,) = torch.autograd.grad(logits, x, torch.from_numpy(cotangents))
    return logits.detach().numpy(), gradients.numpy()


@architectures
def test_logits_and_gradients_are_autograds_at_kinks_too(module: nn.Module) -> None:
    network, rng = Network(module), np.random.default_rng(0)
    points = np.concatenate([np.zeros((1, 8, 8)), np.full((1, 8, 8), 0.5), rng.random((70, 8, 8))])
    before = points.copy()
    found = evaluate(network, points)
    assert found is not None
    cotangents = rng.standard_normal(found.logits.shape)
    logits, gradients = autograd(network, points, cotangents)
    np.testing.assert_allclose(found.logits, logits, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(found.vjp(cotangents), gradients, rtol=1e-12, atol=1e-12 * np.abs(gradients).max())
    assert np.array_equal(points, before)


def test_other_networks_are_left_to_autograd() -> None:
    assert evaluate(Network(nn.Sequential(nn.Linear(64, 4), nn.Tanh(), nn.Linear(4, 2))), np.zeros((1, 8, 8))) is None


@st.composite
def convolutions(draw: st.DrawFn) -> nn.Sequential:
    """Convolutions that keep the size, some ReLUs, and the mean of each map."""
    torch.manual_seed(draw(st.integers(0, 99)))
    layers: list[nn.Module] = []
    channels = 1
    for _ in range(draw(st.integers(1, 3))):
        size, more = draw(st.sampled_from([1, 3, (1, 3), 5])), draw(st.integers(1, 3))
        padding = tuple(n // 2 for n in size) if isinstance(size, tuple) else size // 2
        layers += [nn.Conv2d(channels, more, size, padding=padding, bias=draw(st.booleans())), nn.ReLU()][: draw(st.sampled_from([1, 2]))]
        channels = more
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 2, bias=draw(st.booleans())))


@given(convolutions(), st.integers(0, 99), st.integers(0, 6))
def test_tables_of_coalitions_hold_the_logits_of_their_pictures(module: nn.Sequential, seed: int, players: int) -> None:
    network, rng = Network(module), np.random.default_rng(seed)
    baseline = rng.random((8, 8))
    changed = rng.permutation(16)[:players].reshape(-1, 1, 1)
    blocks = (np.add.outer(4 * (np.arange(8) // 2), np.arange(8) // 2) == changed).any(axis=0)
    playing = game(Case(network, np.where(blocks, rng.random((8, 8)), baseline), baseline, 0))
    assert playing.count == players
    found = logits_of_all_coalitions(network, playing.case.input, baseline, playing.regions, players)
    assert found is not None
    pictures = playing.pictures(members(np.arange(2**players), players))
    with torch.no_grad():
        np.testing.assert_allclose(found, network.logits(torch.from_numpy(pictures)).numpy(), rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize(
    "module",
    [
        mlp(0),
        nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), nn.LeakyReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2, 2)),
        nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2, 2)),
        nn.Sequential(nn.Conv2d(1, 2, 3, padding=1, padding_mode="circular"), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2, 2)),
    ],
)
def test_networks_of_another_kind_have_no_tables(module: nn.Module) -> None:
    zeros = np.zeros((8, 8))
    assert logits_of_all_coalitions(Network(module), zeros, zeros, np.full((8, 8), -1), 0) is None
