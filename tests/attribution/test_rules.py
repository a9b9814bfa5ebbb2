"""Quadrature rules: what must hold for any of them, and what is known of each."""

from __future__ import annotations

import math

import numpy as np
import pytest
from each import each
from hypothesis import given
from hypothesis import strategies as st

from explorer.attribution import FAULTY, METHODS, RULES, Settings, rule
from explorer.attribution.method import RULE
from explorer.attribution.rules import RULE_NAMES, nodes

names = each("name", list(RULES))
steps = st.integers(1, 150)


def integral(name: str, m: int, power: int) -> float:
    """The rule's answer for ∫ α^power dα over [0, 1], which is 1 / (power + 1)."""
    alphas, weights = rule(name, m)
    return math.fsum(weights * alphas**power)


@names
@given(m=steps)
def test_weights_sum_to_one(name: str, m: int) -> None:
    _, weights = rule(name, m)
    assert abs(math.fsum(weights) - 1) <= 1e-15


@names
@given(m=steps)
def test_weights_are_positive(name: str, m: int) -> None:
    _, weights = rule(name, m)
    assert (weights > 0).all()


@names
@given(m=steps)
def test_nodes_ascend_within_the_path(name: str, m: int) -> None:
    alphas, _ = rule(name, m)
    assert (np.diff(alphas) > 0).all()
    assert alphas[0] >= 0
    assert alphas[-1] <= 1


@names
@given(m=steps)
def test_there_are_m_nodes_and_one_more_for_the_trapezoid(name: str, m: int) -> None:
    alphas, weights = rule(name, m)
    assert alphas.shape == weights.shape == (m + (name == "trapezoid"),)
    assert alphas.dtype == weights.dtype == np.float64


def test_nodes_are_where_the_formulas_say() -> None:
    assert rule("left", 4)[0].tolist() == [0, 0.25, 0.5, 0.75]
    assert rule("right", 4)[0].tolist() == [0.25, 0.5, 0.75, 1]
    assert rule("midpoint", 4)[0].tolist() == [0.125, 0.375, 0.625, 0.875]
    assert rule("trapezoid", 4)[0].tolist() == [0, 0.25, 0.5, 0.75, 1]
    assert rule("trapezoid", 4)[1].tolist() == [0.125, 0.25, 0.25, 0.25, 0.125]
    np.testing.assert_allclose(rule("gauss-legendre", 2)[0], 0.5 + np.array([-0.5, 0.5]) / math.sqrt(3), rtol=1e-15)
    np.testing.assert_allclose(rule("gauss-legendre", 3)[1], np.array([5, 8, 5]) / 18, rtol=1e-14)


@given(m=steps)
def test_left_and_right_are_exact_to_degree_0_and_miss_a_line_by_half_a_step(m: int) -> None:
    assert integral("left", m, 1) - 1 / 2 == pytest.approx(-1 / (2 * m), abs=1e-15)
    assert integral("right", m, 1) - 1 / 2 == pytest.approx(1 / (2 * m), abs=1e-15)


@given(m=steps)
def test_midpoint_and_trapezoid_are_exact_to_degree_1_and_miss_a_parabola_as_known(m: int) -> None:
    assert integral("midpoint", m, 1) == pytest.approx(1 / 2, abs=1e-15)
    assert integral("trapezoid", m, 1) == pytest.approx(1 / 2, abs=1e-15)
    assert integral("midpoint", m, 2) - 1 / 3 == pytest.approx(-1 / (12 * m**2), abs=1e-15)
    assert integral("trapezoid", m, 2) - 1 / 3 == pytest.approx(1 / (6 * m**2), abs=1e-15)


@given(m=st.integers(1, 40))
def test_gauss_legendre_is_exact_to_degree_2m_minus_1(m: int) -> None:
    errors = [integral("gauss-legendre", m, power) - 1 / (power + 1) for power in range(2 * m)]
    assert max(map(abs, errors)) <= 1e-14


@each("m", [1, 2, 3, 4, 5, 6, 7])
def test_gauss_legendre_misses_degree_2m_by_the_known_amount(m: int) -> None:
    known = math.factorial(m) ** 4 / ((2 * m + 1) * math.factorial(2 * m) ** 2)  # × f^(2m) / (2m)! = 1
    assert 1 / (2 * m + 1) - integral("gauss-legendre", m, 2 * m) == pytest.approx(known, rel=1e-4, abs=1e-15)


def test_shared_nodes_cannot_be_written_to() -> None:
    alphas, weights = rule("gauss-legendre", 5)
    with pytest.raises(ValueError, match="read-only"):
        alphas[0] = 0.5
    with pytest.raises(ValueError, match="read-only"):
        weights[0] = 0.5


def test_an_unknown_rule_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="'simpson'"):
        rule("simpson", 5)


@names
@each("m", [0, -1])
def test_fewer_than_one_step_is_refused(name: str, m: int) -> None:
    with pytest.raises(ValueError, match=f"at least 1 step, not {m}"):
        rule(name, m)


# Rules that are wrong as libraries are wrong

faulty_names = each("name", list(FAULTY))


@given(m=steps)
def test_the_weights_of_captums_trapezoid_sum_to_m_minus_1_over_m(m: int) -> None:
    assert math.fsum(rule("captum-trapezoid", m)[1]) == pytest.approx((m - 1) / m, abs=1e-15)


@given(m=st.integers(2, 150))
def test_captums_trapezoid_is_the_true_one_short_of_that_factor(m: int) -> None:
    alphas, weights = rule("captum-trapezoid", m)
    true_alphas, true_weights = rule("trapezoid", m - 1)
    np.testing.assert_allclose(alphas, true_alphas, rtol=0, atol=1e-15)
    np.testing.assert_allclose(weights, true_weights * (m - 1) / m, rtol=1e-13)


@given(m=st.integers(2, 150))
def test_the_closed_average_has_weights_of_1_over_m_and_misses_a_parabola_by_order_1_over_m(m: int) -> None:
    _, weights = rule("closed-average", m)
    assert abs(math.fsum(weights) - 1) <= 1e-15
    assert (weights == 1 / m).all()
    assert integral("closed-average", m, 1) == pytest.approx(1 / 2, abs=1e-15)
    known = (2 * m - 1) / (6 * (m - 1))  # Σ k² / (m (m − 1)²) for k = 0…m − 1
    assert integral("closed-average", m, 2) == pytest.approx(known, rel=1e-13)
    assert known - 1 / 3 == pytest.approx(1 / (6 * (m - 1)), rel=1e-12)  # the trapezoid on these points: 1/(6 (m − 1)²)


@faulty_names
@given(m=steps)
def test_faulty_rules_look_at_m_points_with_both_ends(name: str, m: int) -> None:
    alphas, weights = rule(name, m)
    assert alphas.shape == weights.shape == (m,)
    assert alphas[0] == 0
    assert alphas[-1] == (1 if m > 1 else 0)
    assert (np.diff(alphas) > 0).all()
    assert np.isfinite(weights).all()


def test_faulty_rules_are_not_among_the_rules_but_settings_and_methods_take_them() -> None:
    assert not set(FAULTY) & set(RULES)
    for name in FAULTY:
        assert Settings(rule=name).rule == name
        assert RULE.check(name) == name
    with pytest.raises(ValueError, match="captum-trapezoid"):  # its cells would not be those of the weights
        METHODS["blur_integrated_gradients"].values({"rule": "captum-trapezoid"})


@each("name", RULE_NAMES)
@each("m", [1, 2, 9])
def test_a_rule_has_as_many_nodes_as_it_says_beforehand(name: str, m: int) -> None:
    assert nodes(name, m) == len(rule(name, m)[0])
