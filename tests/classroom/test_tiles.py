"""What the wall shows of a picture, against plain autograd."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pytest
import torch
from random_states import random_states

from explorer.attribution.network import Floats, Network
from explorer.classroom.tiles import DIGITS, for_wall, tile
from explorer.models import load_zoo
from explorer.page.answer import answer
from explorer.state import State

ZOO = load_zoo()
OPENING = State()


def probability(network: Network, target: int) -> Callable[[Floats], tuple[Floats, Floats]]:
    """P of a class, and its gradient, at points ``(k, 64)``."""

    def at(points: Floats) -> tuple[Floats, Floats]:
        x = torch.tensor(points, dtype=torch.float64, requires_grad=True)
        logits = network.module(x.reshape(len(points), *network.input_shape))
        chances = torch.sigmoid(logits) if network.activation == "sigmoid" else torch.softmax(logits, 1)
        (gradient,) = torch.autograd.grad(chances[:, target].sum(), x)
        return chances.detach().numpy(), gradient.numpy()

    return at


def test_only_what_a_number_depends_on_is_kept_of_the_students_state() -> None:
    for state in random_states(ZOO, 16, 40):
        given = state.replace(tab="methods", scale="own", pinned=("gradient",), lab="saturation", lesson="x", lesson_step=3)
        kept = for_wall(given)
        same = ("pixels", "network", "baseline", "baseline_seed", "drawing", "steps", "rule", "samples", "noise_level", "seed", "clip")
        assert all(getattr(kept, name) == getattr(given, name) for name in same)
        rest = set(State.model_fields) - set(same)
        assert {name: getattr(kept, name) for name in rest} == {name: getattr(OPENING, name) for name in rest}


@pytest.mark.parametrize("seed", range(3))
def test_the_facts_of_a_picture_are_what_autograd_says(seed: int) -> None:
    for given in random_states(ZOO, seed, 6):
        state = for_wall(given.replace(rule="midpoint"))
        network = ZOO[state.network].network
        facts = tile(state, answer(state, ZOO, exact=False), ZOO)
        assert json.loads(json.dumps(facts)) == facts
        x = state.picture().ravel()
        chances = probability(network, 0)(x[None])[0][0]
        assert chances[facts["predicted"]] == pytest.approx(chances.max(), abs=1e-12)
        assert facts["class"] == ZOO[state.network].classes[facts["predicted"]] and facts["network"] == state.network
        assert facts["score"] == pytest.approx(chances.max(), abs=6e-7) and facts["pixels"] == x.tolist()
        baseline = state.case(ZOO).baseline.ravel()
        alphas = (np.arange(state.steps) + 0.5) / state.steps
        gradients = probability(network, facts["predicted"])(baseline + alphas[:, None] * (x - baseline))[1]
        expected = (x - baseline) * gradients.mean(0)
        assert len(facts["map"]) == 64
        np.testing.assert_allclose(facts["map"], expected, rtol=0.51 * 10 ** (1 - DIGITS), atol=1e-9 * max(1e-30, np.abs(expected).max()))
