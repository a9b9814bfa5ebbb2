"""Exact interactions: they sum to exact IG, and softplus networks approach them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
import torch
from torch import nn

from explorer.attribution import Case, Network, NotPiecewiseLinear, exact_integrated_gradients, exact_interactions
from explorer.attribution.layers import sequential_layers
from explorer.pictures import PATTERNS

from .toys import BLACK, WHITE, Floats, mlp, picture


def check(case: Case) -> None:
    """Symmetric; rows sum to the exact attributions of the logit, and all to its difference."""
    pairs = exact_interactions(case)
    ig = exact_integrated_gradients(Case(case.network, case.input, case.baseline, case.target, "logit"))
    most = np.abs(ig.attribution).max()
    assert np.array_equal(pairs, pairs.T)
    assert np.abs(pairs.sum(axis=1) - ig.attribution.ravel()).max() <= 1e-12 * most
    f = case.network.logits(torch.from_numpy(np.stack([case.baseline, case.input])))[:, case.target].numpy()
    assert abs(pairs.sum() - (f[1] - f[0])) <= 1e-12 * max(most, np.abs(f).max())


def test_rows_sum_to_exact_attributions_on_five_hundred_varied_cases(zoo: Mapping[str, Network]) -> None:
    rng = np.random.default_rng(0)
    for name, network in zoo.items():
        for n in range(20 if name == "digits-cnn" else 96):
            x = list(PATTERNS.values())[n % len(PATTERNS)] if n % 3 else rng.random((8, 8)).round(n % 2)
            baseline = (BLACK, WHITE, rng.random((8, 8)), np.full((8, 8), 0.5))[n % 4]
            check(Case(network, x, baseline, n % len(network.classes), ("logit", "probability")[n % 2]))


def softened(network: Network, beta: float) -> nn.Sequential:
    """The network with softplus in place of ReLU."""
    return nn.Sequential(*(nn.Softplus(beta, threshold=40) if isinstance(layer, nn.ReLU) else layer for layer in sequential_layers(network)))


def products(network: Network, beta: float, case: Case, v: Floats, points: int) -> Floats:
    """The softplus network's interactions times a vector, by autograd at many points of the path."""
    alpha = (np.arange(points) + 0.5) / points
    d = torch.tensor(case.difference.ravel())
    x = torch.tensor(case.baseline.ravel()) + torch.from_numpy(alpha)[:, None] * d
    direction = d * torch.from_numpy(v)
    total = torch.zeros(64, dtype=torch.float64)
    for part, at in zip(x.split(250), torch.from_numpy(alpha).split(250), strict=True):
        part.requires_grad_()
        score = softened(network, beta)(part.reshape(-1, *network.input_shape))[:, case.target].sum()
        (gradient,) = torch.autograd.grad(score, part, create_graph=True)
        (curved,) = torch.autograd.grad((gradient @ direction).sum(), part)
        total += d * (-at * at.log() @ curved) + direction * (-at.log() @ gradient.detach())
    return (total / points).numpy()


@pytest.mark.parametrize(("name", "points", "close"), [("mlp", 20_000, 0.001), ("digits-cnn", 4_000, 0.03)])
def test_networks_with_softplus_approach_them_as_it_gets_sharper(name: str, points: int, close: float, zoo: Mapping[str, Network]) -> None:
    network = Network(mlp(0)) if name == "mlp" else zoo[name]
    case = Case(network, PATTERNS["edge"], BLACK, 1, "logit")
    v = np.random.default_rng(1).standard_normal(64)
    exact = exact_interactions(case) @ v
    errors = [np.abs(products(network, beta, case, v, points) - exact).max() / np.abs(exact).max() for beta in (80, 320, 1280)]
    assert errors[0] > 2 * errors[1] > 4 * errors[2] and errors[2] < close, errors


def test_units_that_switch_together_stay_apart() -> None:
    # two units switch at the same α, each with a pixel of its own: the pixels do not interact
    relu = nn.Sequential(nn.Linear(64, 2), nn.ReLU(), nn.Linear(2, 2)).double()
    with torch.no_grad():
        relu[0].weight.zero_()
        relu[0].weight[0, 0] = relu[0].weight[1, 1] = 1
        relu[0].bias.fill_(-0.5)
        relu[2].weight.copy_(torch.tensor([[1.0, 1.0], [0.0, 1.0]]))
    pairs = exact_interactions(Case(Network(relu), WHITE, BLACK, 0, "logit"))
    assert pairs[0, 1] == 0 and np.isclose(pairs[0, 0], 0.5) and np.isclose(pairs[1, 1], 0.5)


def test_pixels_that_share_a_unit_interact_as_the_formula_says() -> None:
    # F = max(0, x₀ + x₁ − 1): on the way from black to white it switches at ½, with w = (1, 1) and w · d = 2
    module = nn.Sequential(nn.Linear(64, 1), nn.ReLU(), nn.Linear(1, 2)).double()
    with torch.no_grad():
        module[0].weight.zero_()
        module[0].weight[0, :2] = 1
        module[0].bias.fill_(-1)
        module[2].weight.copy_(torch.tensor([[1.0], [0.0]]))
    pairs = exact_interactions(Case(Network(module), WHITE, BLACK, 0))
    assert np.isclose(pairs[0, 1], np.log(2) / 4, rtol=1e-14)
    assert np.isclose(pairs[0].sum(), 0.5, rtol=1e-14) and not pairs[2:].any()


def test_it_explains_the_logit_and_refuses_what_the_exact_rule_refuses() -> None:
    case = Case(Network(mlp(0)), picture(0), picture(1), 2, "probability")
    assert np.array_equal(exact_interactions(case), exact_interactions(Case(case.network, case.input, case.baseline, 2, "logit")))
    with pytest.raises(NotPiecewiseLinear, match="Tanh"):
        exact_interactions(Case(Network(mlp(0, activation=nn.Tanh)), picture(0), BLACK, 0))
