"""The lab convergence: its errors are those of the engine's own rules, and fall as it says."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from packed import floats
from strategies import ZOO, states

from explorer.attribution import METHODS, RULES, exact_integrated_gradients
from explorer.attribution.method import delta_f
from explorer.labs.convergence import STEPS
from explorer.state import State
from labs.said import all_are_true, answer_of


@given(states())
@settings(max_examples=12)
def test_maps_and_sentences_are_those_of_the_engine(state: State) -> None:
    answer, case = answer_of("convergence", state), state.case(ZOO)
    exact = exact_integrated_gradients(case).attribution
    peak = np.abs(exact).max()
    if answer["outcome"] is None:
        errors = [np.abs(METHODS["integrated_gradients"](case, steps=10, rule=name).attribution - exact).max() for name in RULES]
        all_are_true("convergence", answer, {"no path": lambda said: peak == 0, "all exact": lambda said: np.median(errors) <= 1.001e-9 * peak, **dict.fromkeys(("chart pixel", "chart sum"), lambda said: True)})
        return
    maps = floats(answer["maps"]).reshape(len(RULES), len(STEPS), 8, 8)
    errors = np.empty(maps.shape[:2])
    for r, name in enumerate(RULES):
        for m in (0, 3, 8):  # some of the numbers of steps
            truth = METHODS["integrated_gradients"](case, steps=STEPS[m], rule=name).attribution
            np.testing.assert_allclose(maps[r, m], truth, atol=1e-6 * np.abs(truth).max() + 1e-30)
        errors[r] = np.abs(np.array([METHODS["integrated_gradients"](case, steps=m, rule=name).attribution for m in STEPS]) - exact).max(axis=(1, 2)) / peak
    few, many = np.median(errors[:, STEPS.index(10)]), np.median(errors[:, STEPS.index(100)])
    right = METHODS["integrated_gradients"](case, steps=100, rule="right").attribution

    def close(one: float, other: float) -> bool:
        return bool(np.isclose(one, other, rtol=1e-6, atol=1e-9))

    def fell(said: object) -> bool:
        ratio = few / many
        return bool({"above a third": ratio < 3, "about a tenth": 3 <= ratio < 30, "below a thirtieth": ratio >= 30}[said.text.split(":")[0].removeprefix("It stayed ").removeprefix("It fell to ").removeprefix("It fell ").split(" of ")[0].split(" (")[0]])  # type: ignore[attr-defined]

    checks = {
        "errors fall": lambda said: close(said.numbers["few"], few) and close(said.numbers["many"], many) and fell(said),
        "median rule": lambda said: True,
        "chart pixel": lambda said: close(said.numbers["few"], few) and close(said.numbers["many"], many),
        "chart sum": lambda said: close(said.numbers["sum"], abs(right.sum() - delta_f(case)) / peak),
    }
    all_are_true("convergence", answer, checks)


def test_on_the_opening_edge_ten_times_the_steps_are_a_tenth_of_the_error() -> None:
    answer = answer_of("convergence", State())
    assert answer["outcome"] == 1 and 0.05 < answer["few"] < 0.2
    slopes = [np.polyfit(np.log(STEPS[3:]), np.log(errors[3:]), 1)[0] for errors in answer["pixel_errors"].values()]
    assert -1.6 < np.mean(slopes) < -0.8  # about 1/m, for Gauss–Legendre too
