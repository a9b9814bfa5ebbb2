"""The lab smoothing: SmoothGrad's noisy copies one by one, their mean gradient and its standard error (Smilkov 2017).

In Python::

    import numpy as np, torch
    from explorer.attribution import Case, Network
    from explorer.labs.smoothing import mean_errors, noisy_gradients

    network = Network(torch.nn.Sequential(torch.nn.Linear(64, 16), torch.nn.ReLU(), torch.nn.Linear(16, 3)))
    case = Case(network, np.random.default_rng(0).random((8, 8)), np.zeros((8, 8)), target=0)
    copies, field = noisy_gradients(case, noise_level=0.5, seed=0)
    mean_errors(field.gradients, (25, 100))  # the second is about half the first
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from explorer.attribution import Case, Field, Setting, Settings, gradient_field, rank_correlations
from explorer.attribution.means import error_of_mean, mean_of
from explorer.attribution.measures import ROUNDING
from explorer.attribution.methods import smoothgrad
from explorer.attribution.network import Floats
from explorer.labs.charts import Line, chart, lines
from explorer.labs.lab import Answer, Lab, Paper, Values
from explorer.plain_data import numbers, packed
from explorer.sentences import Sentence
from explorer.state import State, Zoo

COPIES = 100
COUNTS = (2, 3, 4, 5, 7, 10, 14, 20, 25, 35, 50, 70, 100)
FEW, MANY = 25, 100  # what the prediction is about
CERTAIN = 2  # standard errors: a mean that is smaller than this has no certain sign
LARGEST = 5  # copies whose gradients are said to hold most
SAME = 0.75  # below this ratio of the error with 25 copies to that with 100 it counts as larger
CHOICES = ("It stays about as large.", "It becomes about half as large.", "It becomes a third as large, or less.")


def noisy_gradients(case: Case, noise_level: float, seed: int, count: int = COPIES) -> tuple[Floats, Field]:
    """SmoothGrad's noisy copies x + ε, ε ~ N(0, σ²), not clipped, and F and its gradient at each.

    Args:
        case: what is explained.
        noise_level: σ, in units of a pixel.
        seed: of the noise; the copies are those of the engine's SmoothGrad.
        count: how many copies.

    Returns:
        The copies ``(count, 8, 8)``, float64, and the field at them.
    """
    copies = smoothgrad.points(case, Settings(samples=count, noise_level=noise_level, seed=seed))
    return copies, gradient_field(case.network, copies, case.target, case.output)


def standard_error(gradients: Floats) -> Floats:
    """The standard error of the mean of n ≥ 2 gradients ``(n, 8, 8)``, ``(8, 8)``: 0 where they differ by rounding only."""
    error = error_of_mean(gradients)
    if error is None:
        raise ValueError("one copy has no standard error")
    return np.where(error > ROUNDING * np.abs(mean_of(gradients)), error, 0.0)


def mean_errors(gradients: Floats, counts: Sequence[int]) -> Floats:
    """The standard error, averaged over the pixels, of the mean of the first n gradients, for each n of ``counts``."""
    return np.array([standard_error(gradients[:n]).mean() for n in counts])


def uncertain(gradients: Floats) -> int:
    """The number of pixels whose mean is smaller than two standard errors, so that its sign is not certain."""
    return int((np.abs(mean_of(gradients)) < CERTAIN * standard_error(gradients)).sum())


def _answer(state: State, values: Values, zoo: Zoo) -> Answer:
    case, level = state.case(zoo), float(values["noise_level"])
    copies, field = noisy_gradients(case, level, state.seed)
    clean = gradient_field(case.network, case.input[None], case.target, case.output)
    gradients, gradient, mean = field.gradients, clean.gradients[0], mean_of(field.gradients)
    classes = case.network.probabilities_of(np.concatenate([clean.logits, field.logits])).argmax(axis=1)
    errors = mean_errors(gradients, COUNTS)
    few, many = (float(errors[COUNTS.index(n)]) for n in (FEW, MANY))
    ratio = few / many if few and many else None
    squares = np.sort((gradients**2).reshape(COPIES, -1).sum(axis=1))[::-1]
    peaks = np.abs(gradients).reshape(COPIES, -1).max(axis=1)
    correlation = float(rank_correlations(np.stack([mean, gradient]))[0, 1])
    found: Answer = {
        "outcome": None if ratio is None or ratio < SAME else 0 if ratio < 1.5 else 1 if ratio <= 3 else 2,
        "noise_level": level,
        "copies": packed(copies.astype(np.float16)),  # they are only drawn
        "gradients": packed(gradients),
        "values": numbers(field.values),
        "gradient": numbers(gradient),
        # single gradients may be far larger than their mean: the scale fits most of them
        "scale": max(float(np.abs(mean).max()), float(np.abs(gradient).max()), float(np.median(peaks))),
        "probability": case.output == "probability",
        "few": few,
        "many": many,
        "uncertain": uncertain(gradients),
        "kept": int((classes[1:] == classes[0]).sum()),
        "f": float(clean.values[0]),
        "smoothed": float(field.values.mean()),
        "correlation": correlation if np.isfinite(correlation) else None,
        "largest": float(squares[:LARGEST].sum() / squares.sum()) if squares.sum() else None,
        "charts": {},
    }
    if ratio is not None:
        drawn = [
            Line("mean standard error", COUNTS, np.where(errors > 0, errors, np.nan), marks=True),
            Line("falls as 1/√n", COUNTS, many * np.sqrt(MANY / np.array(COUNTS))),
        ]
        figure = lines(drawn, x="copies n", y="standard error", log_x=True, log_y=True)
        figure.update_xaxes(tickvals=[2, 5, 10, 25, 50, 100])
        figure.update_yaxes(tickvals=_ticks(errors), tickformat=".1~g")
        says = Sentence("errors", "The mean standard error is {few:two} with 25 copies and {many:two} with 100.", {"few": few, "many": many})
        found["charts"]["errors"] = chart(figure, says)
    return found


def _ticks(errors: Floats) -> list[float]:
    """Round numbers for a logarithmic axis that may be shorter than a decade."""
    powers = range(int(np.floor(np.log10(errors[errors > 0].min()))) - 1, int(np.ceil(np.log10(errors.max()))) + 1)
    digits = (1, 2, 5) if len(powers) < 5 else (1,)
    return [float(f"{digit}e{power}") for power in powers for digit in digits]


def _narrate(answer: Answer) -> list[Sentence]:
    outcome = answer["outcome"]
    kind = "probability" if answer["probability"] else "number"
    if outcome is None and answer["few"] and answer["many"]:
        first = Sentence("error grows", "It grew: {few:two} with 25 copies, {many:two} with 100. A few late copies have far larger gradients.", {"few": answer["few"], "many": answer["many"]})
    elif outcome is None:
        first = Sentence("no error", f"{'The first 25' if answer['many'] else 'All'} copies have the same gradient, so there is no error to compare.")
    else:
        happened = ("It stayed about as large", "It became about half as large", "It became a third as large, or less")[outcome]
        first = Sentence("error falls", f"{happened}: {{few:two}} with 25 copies, {{many:two}} with 100.", {"few": answer["few"], "many": answer["many"]})
    said = [first]
    if outcome in (0, 2) and answer["largest"] is not None:
        text = "Five of the 100 gradients hold {share:percent} of their squares: so few copies show 1/√n only roughly."
        said.append(Sentence("few copies", text, {"share": answer["largest"]}))
    said += [
        Sentence("uncertain signs", "With all 100 copies, {count:whole} of 64 pixels have no certain sign.", {"count": answer["uncertain"]}),
        Sentence(
            "smoothed F",
            f"F is {{f:{kind}}} at your picture, and {{mean:{kind}}} on average over the copies. SmoothGrad explains this average.",
            {"f": answer["f"], "mean": answer["smoothed"]},
        ),
        Sentence("class kept", "The network gives {count:whole} of the 100 copies the class of your picture.", {"count": answer["kept"]}),
    ]
    if answer["correlation"] is not None:
        said.append(Sentence("another map", "The mean of 100 and the gradient without noise have the rank correlation {r:correlation}.", {"r": answer["correlation"]}))
    return said


LAB = Lab(
    title="Sample by sample",
    group="How the methods work",
    question="What does averaging noisy copies change?",
    minutes=3,
    emblem="..+..+.. .+.##.+. +.####.+ .######. .######. +.####.+ .+.##.+. ..+..+..",
    prediction="SmoothGrad averages the gradients of noisy copies. A standard error tells how far such a mean may be off. What happens to it from 25 to 100 copies?",
    choices=CHOICES,
    settings=(
        Setting("samples", "Copies n", 1, 1, COPIES),
        Setting("noise_level", "Noise level σ", 0.15, 0.01, 1.0),
    ),
    looks=frozenset({"samples"}),
    answer=_answer,
    narrate=_narrate,
    why="The copies are independent draws, so the standard error of their mean falls like 1/√n: four times the copies halve it. "
    "The mean itself tends to the gradient of another function: F averaged over the noise, which is F convolved with a Gaussian.",
    caveat="A small standard error says that the mean has settled, not that it explains the picture. With a larger σ it settles on the map of a smoother function.",
    papers=(Paper("Smilkov et al. 2017", "SmoothGrad: removing noise by adding noise", "https://arxiv.org/abs/1706.03825"),),
)
