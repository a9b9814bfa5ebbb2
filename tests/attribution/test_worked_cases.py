"""Cases that one can work out on paper; the answers are written down here."""

from __future__ import annotations

import numpy as np
import pytest
from each import each
from torch import nn

from explorer.attribution import Case, Network, Settings, exact_integrated_gradients, explain
from explorer.attribution.network import Output

from .toys import BLACK, Floats, embed, first, linear


def network(*layers: nn.Module) -> Network:
    return Network(nn.Sequential(*layers))


RAMP = network(first([[1.0]], -0.5), nn.ReLU(), linear([[1.0], [0.0]]))  # max(0, x − ½)
# 1 − max(0, 1 − x)
SATURATING = network(first([[-1.0]], 1.0), nn.ReLU(), linear([[-1.0], [0.0]], [1.0, 0.0]))
# relu(x), relu(−x), relu(x − y), relu(y − x): x = relu(x) − relu(−x), min = x − relu(x − y), …
TWO = first([[1.0, 0.0], [-1.0, 0.0], [1.0, -1.0], [-1.0, 1.0]])
MINIMUM = network(TWO, nn.ReLU(), linear([[1.0, -1.0, -1.0, 0.0], [0.0, 0.0, 0.0, 0.0]]))
MAXIMUM = network(TWO, nn.ReLU(), linear([[1.0, -1.0, 0.0, 1.0], [0.0, 0.0, 0.0, 0.0]]))
DISTANCE = network(TWO, nn.ReLU(), linear([[0.0, 0.0, 1.0, 1.0], [0.0, 0.0, 0.0, 0.0]]))  # |x − y|
# Sundararajan et al. 2017, appendix B: relu(relu(x) − 1 − relu(y)) and relu(relu(x − 1) − relu(y)),
# which agree wherever pixels are not negative
EITHER = [[1.0, 0.0], [0.0, 1.0]]
LATE = network(first(EITHER), nn.ReLU(), linear([[1.0, -1.0]], -1.0), nn.ReLU(), linear([[1.0], [0.0]]))
EARLY = network(first(EITHER, [-1.0, 0.0]), nn.ReLU(), linear([[1.0, -1.0]]), nn.ReLU(), linear([[1.0], [0.0]]))


def case(
    net: Network,
    x: tuple[float, ...],
    baseline: tuple[float, ...] = (0.0,),
    output: Output = "logit",
    target: int = 0,
) -> Case:
    return Case(net, embed(*x), embed(*baseline), target, output)


def pixels(attribution: Floats, count: int = 2) -> list[float]:
    """The first pixels, once it is sure that there is nothing in the others."""
    assert not attribution.ravel()[count:].any()
    return [float(value) for value in attribution.ravel()[:count]]


@each(
    ("question", "answer"),
    [
        (case(RAMP, (1,)), [0.5, 0]),
        (case(RAMP, (0.5,)), [0, 0]),
        (case(RAMP, (0.75,), (0.25,)), [0.25, 0]),
        (case(RAMP, (0,), (1,)), [-0.5, 0]),
        (case(SATURATING, (2,)), [1, 0]),
        (case(SATURATING, (0.25,)), [0.25, 0]),
        (case(MINIMUM, (1, 0.5)), [0, 0.5]),
        (case(MAXIMUM, (1, 0.5)), [1, 0]),
        # from (0.2, 0.6) to (0.8, 0.2) the two are equal at α = 0.4
        (case(MINIMUM, (0.8, 0.2), (0.2, 0.6)), [0.6 * 0.4, -0.4 * 0.6]),
        (case(MAXIMUM, (0.8, 0.2), (0.2, 0.6)), [0.6 * 0.6, -0.4 * 0.4]),
        (case(DISTANCE, (1, 0)), [1, 0]),
        (case(DISTANCE, (1, 1)), [0, 0]),
        # |x − y| falls from 1 to 0 on the first half and rises on the second: both halves cancel
        (case(DISTANCE, (1, 0), (0, 1)), [0, 0]),
        # from (0.5, 1) to (1, 0) they are equal at α = ⅓: the sign of x − y is ⅓ in the mean
        (case(DISTANCE, (1, 0), (0.5, 1)), [0.5 / 3, 1 / 3]),
        # from black to (3, 1) it is 2α − 1 once α > ½, however it is computed
        (case(LATE, (3, 1)), [1.5, -0.5]),
        (case(EARLY, (3, 1)), [1.5, -0.5]),
    ],
)
def test_exact_integrated_gradients_gives_the_answer_on_paper(question: Case, answer: list[float]) -> None:
    found = pixels(exact_integrated_gradients(question).attribution)
    assert found == pytest.approx(answer, rel=1e-14, abs=1e-15)


@each(
    ("rule", "m", "answer"),
    [
        ("left", 4, 0.25),  # α = 0, ¼, ½, ¾: active only at ¾, since ReLU′(0) = 0
        ("right", 4, 0.5),  # ¼, ½, ¾, 1
        ("right", 5, 0.6),  # 0.2, 0.4, 0.6, 0.8, 1
        ("midpoint", 4, 0.5),
        ("midpoint", 5, 0.4),  # 0.1, 0.3, 0.5, 0.7, 0.9
        ("trapezoid", 4, 0.375),  # ¼ at ¾ and ⅛ at 1
        ("gauss-legendre", 2, 0.5),
        ("gauss-legendre", 3, 5 / 18),  # the middle node lies on the kink
    ],
)
def test_quadrature_of_a_ramp_gives_the_answer_on_paper(rule: str, m: int, answer: float) -> None:
    found = explain(case(RAMP, (1,)), Settings(steps=m, rule=rule))["integrated_gradients"].attribution
    assert pixels(found, 1) == pytest.approx([answer], rel=1e-14)


def test_gradient_is_blind_where_the_network_saturates_and_integrated_gradients_is_not() -> None:
    # the example of Sundararajan et al. 2017, section 2.1
    found = explain(case(SATURATING, (2,)), Settings(steps=50, rule="midpoint"))
    assert pixels(found["gradient"].attribution) == [0, 0]
    assert pixels(found["gradient_times_input"].attribution) == [0, 0]
    assert pixels(found["integrated_gradients"].attribution) == pytest.approx([1, 0], rel=1e-14)


def test_gradient_is_zero_on_the_kink_and_one_beyond_it() -> None:
    at = {x: explain(case(RAMP, (x,)))["gradient"].attribution[0, 0] for x in (0.4, 0.5, 0.6)}
    assert at == {0.4: 0, 0.5: 0, 0.6: 1}


@each("target", [0, 1])
def test_probability_of_a_linear_network_is_attributed_in_proportion_to_the_logits_parts(target: int) -> None:
    # F = σ(±z), z = 3x − y − 1, from z′ = −1 to 1.5: each pixel's part of z times (σ(z) − σ(z′)) / (z − z′)
    net = network(first([[-3.0, 1.0], [0.0, 0.0]], [1.0, 0.0]))
    rise = (1 / (1 + np.exp(-1.5)) - 1 / (1 + np.exp(1))) / 2.5 * (1 if target else -1)
    question = case(net, (1, 0.5), output="probability", target=target)
    assert pixels(exact_integrated_gradients(question).attribution) == pytest.approx([3 * rise, -0.5 * rise], rel=1e-13)


@each("slope", [0.0, 0.25])
def test_a_unit_that_stays_on_its_kink_counts_as_off(slope: float) -> None:
    # relu(x − y) where x = y on the whole path: ReLU′(0) = 0
    net = network(first([[1.0, -1.0]]), nn.LeakyReLU(slope), linear([[1.0], [0.0]]))
    question = case(net, (1, 1))
    for found in (
        exact_integrated_gradients(question).attribution,
        explain(question, Settings(steps=4))["integrated_gradients"].attribution,
    ):
        assert pixels(found) == [slope, -slope]


def test_smoothgrad_of_a_ramp_far_from_its_kink_is_the_gradient_there() -> None:
    for x, answer in ((0.9, 1.0), (0.1, 0.0)):
        found = explain(case(RAMP, (x,)), Settings(noise_level=0.01))["smoothgrad"].attribution
        assert pixels(found, 1) == pytest.approx([answer], abs=1e-15)


def test_running_attribution_of_a_ramp_starts_to_rise_at_its_kink() -> None:
    steps = exact_integrated_gradients(case(RAMP, (1,)))
    assert steps.alphas.tolist() == [0.5, 1]
    assert steps.running[:, 0, 0].tolist() == [0, 0.5]
    assert steps.values.tolist() == [0, 0.5]
    assert [(s.alpha, s.layer, s.unit, s.turns_on) for s in steps.switches] == [(0.5, 0, 0, True)]


def test_black_against_black_is_nothing() -> None:
    assert pixels(exact_integrated_gradients(Case(MINIMUM, BLACK, BLACK, 0)).attribution) == [0, 0]
