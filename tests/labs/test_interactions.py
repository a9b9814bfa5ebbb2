"""The lab interactions: its parts are the engine's, add up to the logit's change, and its pairs are the strongest."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from packed import floats
from strategies import ZOO, states

from explorer.attribution import exact_integrated_gradients, exact_interactions
from explorer.attribution.field import logits_at
from explorer.pictures import PATTERNS
from explorer.sentences import Sentence
from explorer.state import State
from labs.said import all_are_true, answer_of


@given(states())
@settings(max_examples=20)
def test_parts_and_sentences_are_those_of_the_engine(state: State) -> None:
    answer, case = answer_of("interactions", state), replace(state.case(ZOO), output="logit")
    matrix = exact_interactions(case)
    own = matrix.diagonal().sum()
    pairs = {(i, j): 2 * matrix[i, j] for i in range(64) for j in range(i + 1, 64)}
    largest = max(abs(value) for value in (*pairs.values(), *matrix.diagonal()))
    size = 1e-9 * largest + 1e-12
    packed = floats(answer["pairs"]).reshape(64, 64)
    np.testing.assert_allclose(packed + np.diag(answer["own_parts"]), matrix, atol=1e-6 * largest + 1e-30)
    assert not packed.diagonal().any() and (packed == packed.T).all()
    np.testing.assert_allclose(answer["exact"], exact_integrated_gradients(case).attribution.ravel(), atol=1e-9 * (1 + largest))
    sizes = sorted((abs(value) for value in pairs.values()), reverse=True)
    np.testing.assert_allclose([abs(value) for _, _, value in answer["strongest"]], sizes[: len(answer["strongest"])], atol=size)
    below, above = logits_at(case.network, np.stack([case.baseline, case.input]))[:, case.target]

    def sums(said: Sentence) -> bool:
        return bool(np.allclose([said.numbers["own"], said.numbers["pairs"]], [own, sum(pairs.values())], atol=1e-8 * (1 + largest)))

    def ratio() -> float:
        small, large = sorted((abs(own), abs(sum(pairs.values()))))
        return float(small / large)

    def strongest(said: Sentence) -> bool:
        first, second = (8 * said.numbers[f"{which}row"] + said.numbers[f"{which}column"] for which in ("", "other_"))
        return bool(np.isclose(pairs[int(first), int(second)], said.numbers["value"], atol=size) and np.isclose(abs(said.numbers["value"]), sizes[0], atol=size))

    def cancel(said: Sentence) -> bool:
        up, down = (sum(value for value in pairs.values() if sign * value > 0) for sign in (1, -1))
        return bool(np.allclose([said.numbers["up"], said.numbers["down"]], [up, -down], atol=1e-6 * (1 + largest)) and said.numbers["down"] > 0)

    checks = {
        "nothing": lambda said: not matrix.any(),
        "own is larger": lambda said: sums(said) and ratio() < 0.8 + 1e-9 and abs(own) > abs(sum(pairs.values())),
        "pairs are larger": lambda said: sums(said) and ratio() < 0.8 + 1e-9 and abs(own) < abs(sum(pairs.values())),
        "alike": lambda said: sums(said) and ratio() > 0.8 - 1e-9,
        "complete": lambda said: np.isclose(said.numbers["total"], above - below, rtol=1e-10, atol=1e-10),
        "strongest pair": strongest,
        "pairs cancel": cancel,
        "no pair": lambda said: sizes[0] <= 64 * 1e-12 * largest,
        "always the logit": lambda said: case.network.classes[case.target] in said.text,
        "chart sums": sums,
    }
    all_are_true("interactions", answer, checks)  # type: ignore[arg-type]


def test_pairs_carry_the_edge_and_single_pixels_the_ring() -> None:
    edge, ring = (answer_of("interactions", State(pixels=tuple(PATTERNS[name].ravel().tolist()))) for name in ("edge", "ring"))
    assert edge["outcome"] == 1 and edge["paired"] > 20 > 0 > edge["own"]
    assert ring["outcome"] == 0 and ring["own"] > 14 and abs(ring["paired"]) < 2
    assert abs(ring["total"] - ring["delta"]) < 1e-12
    assert answer_of("interactions", State(output="logit"))["pairs"] == answer_of("interactions", State())["pairs"]  # of the logit in both


def test_a_linear_network_and_a_single_pixel_have_no_pairs() -> None:
    for state in (State(network="logistic"), State(pixels=tuple(PATTERNS["dot"].ravel().tolist()))):
        answer = answer_of("interactions", state)
        assert answer["outcome"] == 0 and not answer["strongest"] and answer["paired"] == 0 != answer["own"]


def test_own_parts_hold_half_of_a_product() -> None:
    """Integrated Hessians of x₁ · x₂ at (1, 1) from 0, by quadrature of Janizek's integrals; all second derivatives but the mixed one are 0."""
    nodes = (np.arange(200) + 0.5) / 200
    product = np.outer(nodes, nodes)  # α β
    mixed, own = product.mean(), product.mean()  # ∂²F = 1; of x₁: ∂F = α β x₂
    assert np.isclose(2 * own, 0.5) and np.isclose(2 * own + 2 * mixed, 1)


