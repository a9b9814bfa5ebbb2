"""Every number of the original explorer, from its formula written down once more and from the engine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from each import each

from explorer.attribution import (
    Case,
    Network,
    Settings,
    completeness,
    exact_integrated_gradients,
    explain,
    mean_magnitude,
    snr,
    top_pixels,
    trace,
)
from explorer.pictures import PATTERNS

from .toys import BLACK, WHITE, Floats, picture, relative_error

BASELINES = {"black": BLACK, "white": WHITE}
ROW, COLUMN = np.indices((8, 8))
DISTANCE = np.sqrt((ROW - 3.5) ** 2 + (COLUMN - 3.5) ** 2)
WEIGHTS = 0.28 * (COLUMN - 3.5) + 0.82 * np.exp(-((ROW - 3.5) ** 2 + (COLUMN - 3.5) ** 2) / 5.5)
BIAS = -0.15
FORMULAS: dict[str, Floats] = {
    "edge": np.where(COLUMN < 4, 0.9, 0.1),
    "circle": np.select([DISTANCE <= 2.2, DISTANCE <= 2.8], [0.92, 0.45], 0.06),
    "diagonal": 1 - (ROW + COLUMN) / 14,
}

every_case = each("number", range(4))


def probability(x: Floats, target: int) -> float:
    one = 1 / (1 + np.exp(-(BIAS + (WEIGHTS * x).sum())))
    return float(one if target == 1 else 1 - one)


def gradient(x: Floats, target: int) -> Floats:
    one = probability(x, 1)
    slope: Floats = one * (1 - one) * WEIGHTS * (1 if target == 1 else -1)
    return slope


def right_sum(x: Floats, baseline: Floats, target: int, m: int) -> Floats:
    gradients = [gradient(baseline + k / m * (x - baseline), target) for k in range(1, m + 1)]
    total: Floats = (x - baseline) * np.mean(gradients, axis=0)
    return total


def case_of(expected: Mapping[str, Any], network: Network) -> Case:
    x, baseline = PATTERNS[expected["pattern"]], BASELINES[expected["baseline"]]
    return Case(network, x, baseline, expected["target"], expected["output"])


@each("name", FORMULAS)
def test_patterns_follow_the_original_formulas(name: str) -> None:
    np.testing.assert_allclose(PATTERNS[name], FORMULAS[name], rtol=0, atol=2e-16)


@each("target", [0, 1])
def test_the_logistic_network_follows_the_original_formula(zoo: Mapping[str, Network], target: int) -> None:
    for x in [*FORMULAS.values(), BLACK, WHITE, picture(0)]:
        found = explain(Case(zoo["logistic"], x, BLACK, target))
        assert found.f_input == pytest.approx(probability(x, target), rel=1e-9)
        assert relative_error(found["gradient"].attribution, gradient(x, target)) < 1e-9


def test_there_are_four_cases(original_explorer: list[dict[str, Any]]) -> None:
    assert len(original_explorer) == 4


@every_case
def test_the_formula_written_down_here_gives_the_original_numbers(
    original_explorer: list[dict[str, Any]], number: int
) -> None:
    expected = original_explorer[number]
    x, baseline, target = FORMULAS[expected["pattern"]], BASELINES[expected["baseline"]], expected["target"]
    attribution = right_sum(x, baseline, target, expected["steps"])
    assert probability(x, target) == pytest.approx(expected["f_x"], rel=1e-9)
    assert probability(baseline, target) == pytest.approx(expected["f_baseline"], rel=1e-9)
    assert attribution.sum() == pytest.approx(expected["ig_sum"], rel=1e-9)
    np.testing.assert_allclose(attribution, expected["ig"], rtol=0, atol=5.1e-9)  # printed with 8 decimals


@every_case
def test_the_engine_gives_the_original_numbers(
    original_explorer: list[dict[str, Any]], zoo: Mapping[str, Network], number: int
) -> None:
    expected = original_explorer[number]
    settings = Settings(steps=expected["steps"], rule=expected["rule"])
    found = explain(case_of(expected, zoo["logistic"]), settings)
    vanilla, ig = found["gradient"].attribution, found["integrated_gradients"]
    sums = completeness(ig.attribution, found.delta_f)
    half = trace(found.case, settings, ig.field).running[expected["steps"] // 2 - 1]
    numbers = {
        "f_x": found.f_input,
        "f_baseline": found.f_baseline,
        "p_class1": zoo["logistic"].scores(found.case.input[None].copy())[0, 1],
        "vanilla_snr": snr(vanilla),
        "vanilla_mean_abs": mean_magnitude(vanilla),
        "ig_sum": sums.total,
        "completeness_delta": sums.delta,
        "ig_mean_abs": mean_magnitude(ig.attribution),
        "ig_snr": snr(ig.attribution),
        "ig_sum_half": half.sum(),
    }
    assert numbers == pytest.approx({name: expected[name] for name in numbers}, rel=1e-9)
    np.testing.assert_allclose(ig.attribution, expected["ig"], rtol=0, atol=5.1e-9)


@every_case
def test_the_engine_names_the_original_top_pixels_in_their_order(
    original_explorer: list[dict[str, Any]], zoo: Mapping[str, Network], number: int
) -> None:
    expected = original_explorer[number]
    settings = Settings(steps=expected["steps"], rule=expected["rule"])
    found = explain(case_of(expected, zoo["logistic"]), settings)["integrated_gradients"].attribution
    top = top_pixels(found, len(expected["ig_top"]))
    assert [[row, column] for row, column, _ in top] == [pixel[:2] for pixel in expected["ig_top"]]
    np.testing.assert_allclose([p[2] for p in top], [p[2] for p in expected["ig_top"]], rtol=0, atol=5.1e-7)


@every_case
def test_the_exact_map_is_the_formulas_integral(
    original_explorer: list[dict[str, Any]], zoo: Mapping[str, Network], number: int
) -> None:
    # inside it is linear, so each pixel's part of the logit is its part of the probability
    case = case_of(original_explorer[number], zoo["logistic"])
    parts = WEIGHTS * case.difference
    rise = probability(case.input, case.target) - probability(case.baseline, case.target)
    assert relative_error(exact_integrated_gradients(case).attribution, parts * rise / parts.sum()) < 1e-9


@every_case
def test_the_two_classes_have_opposite_maps(
    original_explorer: list[dict[str, Any]], zoo: Mapping[str, Network], number: int
) -> None:
    case = case_of(original_explorer[number], zoo["logistic"])
    for name, result in explain(case).results.items():
        other = explain(Case(case.network, case.input, case.baseline, 1 - case.target)).results[name]
        assert relative_error(other.attribution, -result.attribution) < 1e-9
