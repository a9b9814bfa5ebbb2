"""Quadrature rules: what must hold for any of them, and what is known of each."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.attribution import RULES, rule

names = pytest.mark.parametrize("name", list(RULES))
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


@pytest.mark.parametrize("m", [1, 2, 3, 4, 5, 6, 7])
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
@pytest.mark.parametrize("m", [0, -1])
def test_fewer_than_one_step_is_refused(name: str, m: int) -> None:
    with pytest.raises(ValueError, match=f"at least 1 step, not {m}"):
        rule(name, m)
