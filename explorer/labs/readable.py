"""The lab readable: maps of one picture on networks trained with and without an adversary (Tsipras 2019; Etmann 2019; Shah 2021).

In Python::

    import numpy as np, torch
    from explorer.attribution import Case, Network, Settings
    from explorer.labs.readable import neighbour_correlation, three_maps

    network = Network(torch.nn.Sequential(torch.nn.Linear(64, 16), torch.nn.ReLU(), torch.nn.Linear(16, 3)))
    case = Case(network, np.random.default_rng(0).random((8, 8)), np.zeros((8, 8)), target=0)
    [neighbour_correlation(attribution) for attribution in three_maps(case, Settings())]  # near 0: not trained
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from explorer.attribution import Case, Setting, Settings, exact_integrated_gradients, gradient_field
from explorer.attribution.field import values_at
from explorer.attribution.measures import ROUNDING
from explorer.attribution.methods import smoothgrad
from explorer.attribution.network import Floats
from explorer.labs.charts import Line, chart, lines
from explorer.labs.lab import Answer, Lab, Paper, Values
from explorer.labs.stages import HELD_OUT, RIGHT, STEPS, TRAININGS, stages
from explorer.plain_data import packed
from explorer.sentences import Sentence
from explorer.state import State, Zoo

METHODS = ("Gradient", "SmoothGrad", "Integrated Gradients")
NAMES = ("against small changes", "ordinary")  # of the trainings, in the order of TRAININGS
CLEAR = 0.1  # a smaller difference of the correlations is none
CHOICES = ("The network trained against small changes.", "The network with ordinary training.", "Neither: both are about as smooth.")
OWN_NETWORKS = ("shapes", "shapes-ordinary")  # whose classes are those of this lab's networks


def neighbour_correlation(attribution: Floats) -> float | None:
    """How smooth a map is: the correlation of neighbouring pixels, a measure of this lab's own.

    Pearson's, over all 224 ordered pairs of pixels that share an edge: 1 is smooth, 0 is noise, −1 a chessboard.

    Args:
        attribution: ``(8, 8)``.

    Returns:
        In [−1, 1]; None for a constant map.
    """
    peak = np.abs(attribution).max()
    if not peak:
        return None
    values = attribution / peak
    one = np.concatenate([values[:, 1:].ravel(), values[1:].ravel()])
    other = np.concatenate([values[:, :-1].ravel(), values[:-1].ravel()])
    centre = np.concatenate([one, other]).mean()
    one, other = one - centre, other - centre
    spread = float((one @ one + other @ other) / 2)
    return None if spread <= (ROUNDING * len(one)) ** 2 else float(np.clip(one @ other / spread, -1, 1))


def three_maps(case: Case, settings: Settings) -> Floats:
    """Gradient, SmoothGrad and exact Integrated Gradients of a case, ``(3, 8, 8)`` float64.

    Raises:
        NotPiecewiseLinear: the exact ones do not apply to the network.
    """
    points = np.concatenate([case.input[None], smoothgrad.points(case, settings)])
    field = gradient_field(case.network, points, case.target, case.output)
    return np.stack([field.gradients[0], smoothgrad.attribution(case, settings, field[1:]), exact_integrated_gradients(case).attribution])


def shapes_case(state: State, zoo: Zoo) -> Case:
    """The question of a state, put to the shapes network: about the state's target if it is a shape, else about the predicted shape."""
    target = state.target if state.network in OWN_NETWORKS else "predicted"
    return state.replace(network="shapes", target=target).case(zoo)


def _answer(state: State, _: Values, zoo: Zoo) -> Answer:
    case, settings = shapes_case(state, zoo), state.settings()
    cases = [[replace(case, network=network) for network in stages(training).values()] for training in TRAININGS]
    maps = np.array([[three_maps(one, settings) for one in row] for row in cases])
    smooth = [[[neighbour_correlation(found) for found in stage] for stage in row] for row in maps]
    robust, ordinary = (row[-1][0] for row in smooth)
    if robust is None or ordinary is None:
        outcome = None
    else:
        outcome = 2 if abs(robust - ordinary) < CLEAR else int(ordinary > robust)
    return {
        "outcome": outcome,
        "class": case.network.classes[case.target],
        "probability": state.output == "probability",
        "steps": list(STEPS),
        "maps": packed(maps),
        "peaks": np.abs(maps).max(axis=(3, 4)).tolist(),
        "smooth": smooth,
        "f": [[float(values_at(one, case.input[None])[0]) for one in row] for row in cases],
        "right": [list(RIGHT[training]) for training in TRAININGS],
        "held_out": HELD_OUT,
        "picture": neighbour_correlation(case.input),
        "charts": {"smooth": _smooth_chart(smooth), "accuracy": _accuracy_chart()},
    }


def _smooth_chart(smooth: list[list[list[float | None]]]) -> dict[str, object]:
    drawn = [Line(name, STEPS[1:], [stage[0] for stage in row[1:]], marks=True) for name, row in zip(NAMES, smooth, strict=True)]
    figure = lines(drawn, x="steps of training", y="correlation of neighbours", log_x=True)
    first, last = (stage[0] for stage in (smooth[0][1], smooth[0][-1]))
    if first is None or last is None:
        return chart(figure, Sentence("smooth", "The correlation of neighbouring pixels of the gradient, for both trainings."))
    says = "Trained against small changes, the gradient’s neighbours correlate {first:correlation} after 1 step, {last:correlation} after 12,000."
    return chart(figure, Sentence("smooth", says, {"first": first, "last": last}))


def _accuracy_chart() -> dict[str, object]:
    shares = [np.array(RIGHT[training]) / HELD_OUT for training in TRAININGS]
    drawn = [Line(name, STEPS[1:], share[1:], marks=True) for name, share in zip(NAMES, shares, strict=True)]
    figure = lines(drawn, x="steps of training", y="accuracy", log_x=True, y_range=(0, 1))
    says = "After 12,000 steps {robust:percent} of held-out shapes are right with training against changes, {ordinary:percent} with ordinary training."
    return chart(figure, Sentence("accuracy", says, {"robust": float(shares[0][-1]), "ordinary": float(shares[1][-1])}))


def _narrate(answer: Answer) -> list[Sentence]:
    (robust, ordinary), outcome = ([row[-1] for row in answer["smooth"]]), answer["outcome"]
    if outcome is None:
        said = [Sentence("no gradient", "A gradient is the same at every pixel, so its smoothness cannot be told.")]
    else:
        texts = (
            "The network trained against small changes: neighbouring pixels of its gradient correlate {robust:correlation}, of the other’s {ordinary:correlation}.",
            "The network with ordinary training: neighbouring pixels of its gradient correlate {ordinary:correlation}, of the other’s {robust:correlation}.",
            "Neither: both are about as smooth. Neighbouring pixels correlate {robust:correlation} and {ordinary:correlation}.",
        )
        said = [Sentence("gradient", texts[outcome], {"robust": robust[0], "ordinary": ordinary[0]})]
    for method, name in ((1, "SmoothGrad"), (2, "Integrated Gradients")):
        if robust[method] is not None and ordinary[method] is not None:
            text = f"{name}: {{robust:correlation}} trained against changes, {{ordinary:correlation}} with ordinary training."
            said.append(Sentence(name, text, {"robust": robust[method], "ordinary": ordinary[method]}))
    if answer["picture"] is not None:
        said.append(Sentence("picture", "Neighbouring pixels of your picture itself correlate {picture:correlation}.", {"picture": answer["picture"]}))
    right = {"robust": answer["right"][0][-1], "ordinary": answer["right"][1][-1]}
    said.append(Sentence("cost", "What it costs: of 4,000 held-out shapes {robust:whole} are right, and {ordinary:whole} with ordinary training.", right))
    name, kind = ("P", "probability") if answer["probability"] else ("The logit", "number")
    text = f"{name} of {answer['class']}, which the maps explain, is {{robust:{kind}}} and {{ordinary:{kind}}} for your picture."
    said.append(Sentence("F", text, {"robust": answer["f"][0][-1], "ordinary": answer["f"][1][-1]}))
    said.append(Sentence("same layers", "The two have the same layers, pictures and first weights, whatever network is chosen above."))
    text = "The first, after 12,000 steps, is the page’s Shapes. The page’s network with ordinary training has fewer units: it is not used."
    said.append(Sentence("which pair", text))
    return said


LAB = Lab(
    title="Noise in method or network?",
    group="What the network learned",
    question="Who makes the confetti: the method or the training?",
    minutes=4,
    emblem="#+.#.### .#+..### +.#+.### #..#.### .+#..### #.+#.### +#...### .#+#.###",
    prediction="Two networks with the same layers learned the same shapes. One was also trained against small changes of the pixels. Whose gradient map is smoother?",
    choices=CHOICES,
    settings=(Setting("steps", "Steps of training", STEPS[-1], STEPS[0], STEPS[-1]),),
    looks=frozenset({"steps"}),
    answer=_answer,
    narrate=_narrate,
    why="Methods, layers and pictures are the same in both rows, so what differs comes from the training. "
    "Training against small changes flattens the network around the training pictures, so single pixels have less say.",
    caveat="The correlation of neighbours is this lab’s own measure, and thin shapes lower it. A smooth map is easier to read; that does not make it right.",
    papers=(
        Paper("Tsipras et al. 2019", "Robustness May Be at Odds with Accuracy", "https://arxiv.org/abs/1805.12152"),
        Paper("Etmann et al. 2019", "On the Connection Between Adversarial Robustness and Saliency Map Interpretability", "https://arxiv.org/abs/1905.04172"),
        Paper(
            "Ross & Doshi-Velez 2018",
            "Improving the Adversarial Robustness and Interpretability of Deep Neural Networks by Regularizing Their Input Gradients",
            "https://arxiv.org/abs/1711.09404",
        ),
        Paper("Shah et al. 2021", "Do Input Gradients Highlight Discriminative Features?", "https://arxiv.org/abs/2102.12781"),
    ),
)
