"""The lab convergence: how fast each quadrature rule approaches exact Integrated Gradients (Sundararajan 2017; Sotoudeh & Thakur 2019).

In Python::

    from explorer.labs.convergence import STEPS, errors_by_steps
    from explorer.models import load_zoo
    from explorer.state import State

    case = State(network="digits").case(load_zoo())   # or Case(Network(your_module), picture, baseline, target)
    exact, maps = errors_by_steps(case)
    print(STEPS, abs(maps["right"] - exact).max(axis=(1, 2)))
"""

from __future__ import annotations

import numpy as np

from explorer.attribution import RULES, Case, Setting, exact_integrated_gradients, gradient_field, has_exact_path, rule
from explorer.attribution.method import delta_f
from explorer.attribution.network import SHAPE, Floats
from explorer.attribution.paths import on_path
from explorer.labs.charts import Line, chart, lines
from explorer.labs.lab import Answer, Lab, Paper, Values
from explorer.plain_data import numbers, packed
from explorer.sentences import Sentence
from explorer.state import State, Zoo

GRID = 600  # nodes that all rules but Gauss–Legendre share
STEPS = (1, 2, 3, 5, 10, 20, 30, 50, 100, 150, 300)  # divisors of GRID / 2
FEW, MANY = 10, 100  # what the prediction is about
CHOICES = ("It stays above a third of that.", "It falls to about a tenth: a third to a thirtieth.", "It falls below a thirtieth.")
ROUNDING = 1e-9  # of the peak: what is below has no error of quadrature


def errors_by_steps(case: Case) -> tuple[Floats, dict[str, Floats]]:
    """Integrated Gradients by every rule at every number of ``STEPS``, against the exact ones.

    Returns:
        The exact map ``(8, 8)``, and for each rule its maps ``(len(STEPS), 8, 8)``, all float64 in units of F.

    Raises:
        NotPiecewiseLinear: there is no exact map for the network.
    """
    gauss = [rule("gauss-legendre", m)[0] for m in STEPS]
    alphas = np.concatenate([np.arange(GRID + 1) / GRID, *gauss])
    gradients = gradient_field(case.network, on_path(case, alphas), case.target, case.output).gradients.reshape(len(alphas), -1)
    starts = GRID + 1 + np.cumsum([0, *STEPS])
    maps: dict[str, Floats] = {name: np.empty((len(STEPS), *SHAPE)) for name in RULES}
    for name, found in maps.items():
        for i, m in enumerate(STEPS):
            nodes, weights = rule(name, m)
            used = np.arange(starts[i], starts[i + 1]) if name == "gauss-legendre" else np.rint(nodes * GRID).astype(int)
            found[i] = case.difference * (weights @ gradients[used]).reshape(SHAPE)
    return exact_integrated_gradients(case).attribution, maps


def _answer(state: State, _: Values, zoo: Zoo) -> Answer:
    case = state.case(zoo)
    exact, maps = errors_by_steps(case)
    peak, change = float(np.abs(exact).max()), delta_f(case)
    if not peak:
        return {"outcome": None, "exact": numbers(exact), "rules": list(RULES), "steps": list(STEPS), "peak": 0.0, "charts": {}}
    pixel = {name: np.abs(found - exact).max(axis=(1, 2)) / peak for name, found in maps.items()}
    total = {name: np.abs(found.sum(axis=(1, 2)) - change) / peak for name, found in maps.items()}
    few, many = (float(np.median([error[STEPS.index(m)] for error in pixel.values()])) for m in (FEW, MANY))
    ratio = few / many if many else 1.0
    outcome = None if few <= ROUNDING else 0 if ratio < 3 else 1 if ratio < 30 else 2
    return {
        "outcome": outcome,
        "rules": list(RULES),
        "steps": list(STEPS),
        "peak": peak,
        "exact": numbers(exact),
        "maps": packed(np.stack(list(maps.values()))),
        "few": few,
        "many": many,
        "ratio": ratio,
        "pixel_errors": {name: numbers(errors) for name, errors in pixel.items()},
        "charts": {
            "pixel": chart(
                lines([Line(name, STEPS, errors, marks=True) for name, errors in pixel.items()], x="steps m", y="pixel error ÷ peak", log_x=True, log_y=True),
                Sentence("pixel errors", "The median largest error of a pixel falls from {few:percent} of the peak at 10 steps to {many:percent} at 100.", {"few": few, "many": many}),
            ),
            "sum": chart(
                lines([Line(name, STEPS, np.where(errors > 1e-15, errors, np.nan), marks=True) for name, errors in total.items()], x="steps m", y="|Σ − ΔF| ÷ peak", log_x=True, log_y=True),
                Sentence("sum errors", "At 100 steps the right rule’s |Σ − ΔF| is {sum:percent} of the peak.", {"sum": float(total["right"][STEPS.index(MANY)])}),
            ),
        },
    }


def _narrate(answer: Answer) -> list[Sentence]:
    if answer["outcome"] is None:
        if answer["peak"]:
            return [Sentence("all exact", "Every rule is exact here with 10 steps already: the gradient does not change on the way.")]
        return [Sentence("no path", "The exact map is 0 everywhere, so there is no error to measure.")]
    happened = ("It stayed above a third of that", "It fell to about a tenth (a third to a thirtieth)", "It fell below a thirtieth")[answer["outcome"]]
    return [
        Sentence("errors fall", f"{happened}: {{few:percent}} of the peak at 10 steps, {{many:percent}} at 100.", {"few": answer["few"], "many": answer["many"]}),
        Sentence("median rule", "Both are the median of the five rules."),
    ]


def _unsupported(state: State, zoo: Zoo) -> str:
    if has_exact_path(zoo[state.network].network):
        return ""
    return "The exact rule does not know all layers of this network, so there is no exact value to compare with."


LAB = Lab(
    title="How many steps?",
    group="What you choose",
    question="When are more steps no longer worth it?",
    minutes=3,
    emblem="#....... #....... .#...... .#...... ..#..... ...##... .....+++ ........",
    prediction="Integrated Gradients takes 100 steps instead of 10. What happens to the largest error of a pixel?",
    choices=CHOICES,
    settings=(
        Setting("steps", "Steps m", 10, 1, 300),
        Setting("rule", "Rule", "right", choices=tuple(RULES)),
    ),
    looks=frozenset({"steps", "rule"}),
    answer=_answer,
    narrate=_narrate,
    why="In a ReLU network the gradient jumps where a unit switches, and a step that holds a jump errs by about its width. "
    "So the error falls like 1/m, and Gauss–Legendre, made for smooth functions, gains nothing there.",
    caveat="A small |Σ − ΔF| is necessary, not sufficient: errors of pixels can cancel in the sum.",
    papers=(
        Paper("Sundararajan et al. 2017", "Axiomatic Attribution for Deep Networks", "https://arxiv.org/abs/1703.01365"),
        Paper("Sotoudeh & Thakur 2019", "Computing Linear Restrictions of Neural Networks", "https://arxiv.org/abs/1908.06214"),
    ),
    unsupported=_unsupported,
    instead={"network": "shapes"},
)
