"""The lab interactions: which pixels change a logit together, without quadrature error (Integrated Hessians, Janizek 2021).

In Python::

    import numpy as np, torch
    from explorer.attribution import Case, Network, exact_interactions
    from explorer.labs.interactions import strongest_pairs

    network = Network(torch.nn.Sequential(torch.nn.Linear(64, 16), torch.nn.ReLU(), torch.nn.Linear(16, 3)))
    case = Case(network, np.random.default_rng(0).random((8, 8)), np.zeros((8, 8)), target=0)
    strongest_pairs(exact_interactions(case), 5)  # (pixel, pixel, what both add to the logit together)
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from explorer.attribution import Setting, exact_interactions, has_exact_path
from explorer.attribution.measures import ROUNDING
from explorer.attribution.method import delta_f
from explorer.attribution.network import SIDE, Floats
from explorer.labs.charts import bars, chart
from explorer.labs.lab import Answer, Lab, Paper, Values
from explorer.plain_data import numbers, packed
from explorer.sentences import Sentence
from explorer.state import State, Zoo

LISTED = 6  # of the strongest pairs
ALIKE = 0.8  # from this ratio on two sums are about the same
CHOICES = ("That of the pixels’ own parts.", "That of the parts of pairs.", "Both about as far.")


def strongest_pairs(interactions: Floats, count: int) -> list[tuple[int, int, float]]:
    """The pairs of pixels that add most to the logit, whatever the sign, the strongest first.

    Args:
        interactions: ``(64, 64)``, symmetric, as ``exact_interactions`` returns them.
        count: how many; fewer are returned if fewer are not 0.

    Returns:
        For each pair its pixels i < j in reading order, and Γᵢⱼ + Γⱼᵢ in units of the logit.
    """
    first, second = np.triu_indices(len(interactions), 1)
    together = interactions[first, second] + interactions[second, first]
    order = np.argsort(-np.abs(together), kind="stable")[:count]
    return [(int(first[k]), int(second[k]), float(together[k])) for k in order if together[k]]


def without_own(interactions: Floats) -> Floats:
    """The parts of pairs: the interactions ``(64, 64)`` with 0 on the diagonal. What is rounding of the others becomes 0."""
    pairs = interactions - np.diag(np.diag(interactions))
    pairs[np.abs(pairs) <= ROUNDING * np.abs(interactions).max()] = 0
    return pairs


def _answer(state: State, _: Values, zoo: Zoo) -> Answer:
    case = replace(state.case(zoo), output="logit")
    interactions = exact_interactions(case)
    parts, pairs = np.diag(interactions), without_own(interactions)
    own, paired, delta, total = float(parts.sum()), float(pairs.sum()), delta_f(case), float(interactions.sum())
    small, large = sorted((abs(own), abs(paired)))
    outcome = None if not large else 2 if small > ALIKE * large else int(abs(paired) > abs(own))
    ends = np.array([min(0.0, own, paired, total), max(0.0, own, paired, total)])
    room = 0.2 * np.ptp(ends) or 1.0  # for the numbers beside the bars
    drawn = bars(["own parts", "pairs", "both"], [own, paired, total], x="change of the logit", x_range=[float(ends[0] - room), float(ends[1] + room)])
    says = Sentence("sums", "Own parts {own:number} and pairs {pairs:number}: together {total:number}.", {"own": own, "pairs": paired, "total": total})
    return {
        "outcome": outcome,
        "class": case.network.classes[case.target],
        "input": numbers(case.input),
        "pairs": packed(pairs),
        "own_parts": numbers(parts),
        "exact": numbers(interactions.sum(axis=1)),
        "strongest": strongest_pairs(pairs, LISTED),
        "peak": float(np.abs(pairs).max()),
        "own": own,
        "paired": paired,
        "raised": float(pairs[pairs > 0].sum()),
        "lowered": float(pairs[pairs < 0].sum()),
        "total": total,
        "delta": delta,
        "charts": {"sums": chart(drawn, says)},
    }


def _narrate(answer: Answer) -> list[Sentence]:
    sums = {"own": answer["own"], "pairs": answer["paired"]}
    match answer["outcome"]:
        case None:
            said = [Sentence("nothing", "Every part is 0, so there is nothing to split.")]
        case 0:
            said = [Sentence("own is larger", "That of the pixels’ own parts: they add up to {own:number}, the parts of pairs to {pairs:number}.", sums)]
        case 1:
            said = [Sentence("pairs are larger", "That of the parts of pairs: they add up to {pairs:number}, the pixels’ own parts to {own:number}.", sums)]
        case _:
            said = [Sentence("alike", "Both about as far: the pixels’ own parts add up to {own:number}, the parts of pairs to {pairs:number}.", sums)]
    text = "All parts add up to {total:number}, the change of the logit from baseline to picture, to rounding."
    said.append(Sentence("complete", text, {"total": answer["total"]}))
    if answer["strongest"]:
        first, second, value = answer["strongest"][0]
        text = "The strongest pair: {row:whole}, {column:whole} with {other_row:whole}, {other_column:whole} (row, column) adds {value:number}."
        places = {"row": first // SIDE, "column": first % SIDE, "other_row": second // SIDE, "other_column": second % SIDE}
        said.append(Sentence("strongest pair", text, {**places, "value": value}))
        text = "Pairs cancel each other: some raise the logit by {up:number} in all, others lower it by {down:number}."
        if answer["raised"] and answer["lowered"]:
            said.append(Sentence("pairs cancel", text, {"up": answer["raised"], "down": -answer["lowered"]}))
    else:
        said.append(Sentence("no pair", "No pair has a part here."))
    said.append(Sentence("always the logit", f"All this is about the logit of {answer['class']}, also where P is chosen above."))
    return said


def _unsupported(state: State, zoo: Zoo) -> str:
    if has_exact_path(zoo[state.network].network):
        return ""
    return "The exact rule does not know all layers of this network, so its interactions have no exact value here."


LAB = Lab(
    title="Pixels together",
    group="How the methods work",
    question="Which pixels count only as a pair?",
    minutes=4,
    emblem="##...... ##+..... ..+..... ...+.... ....+... .....+.. .....+## ......##",
    prediction="The change of the logit from baseline to picture can be split: one part for each pixel, one for each pair. Which of the two sums is farther from 0?",
    choices=CHOICES,
    settings=(Setting("pixel", "Pixel", -1, -1, 63),),  # in reading order; -1: one of the strongest pair
    looks=frozenset({"pixel"}),
    answer=_answer,
    narrate=_narrate,
    why="On the way from baseline to picture the logit is a chain of straight pieces, with a kink wherever a ReLU switches. "
    "Each kink depends on all pixels that its unit reads, so it gives a part to every pair of them.",
    caveat="An own part is not what a pixel does without the others. Even of a product x₁ · x₂, from 0, own parts hold half.",
    papers=(
        Paper("Janizek et al. 2021", "Explaining Explanations: Axiomatic Feature Interactions for Deep Networks", "https://arxiv.org/abs/2002.04138"),
        Paper("Sotoudeh & Thakur 2019", "Computing Linear Restrictions of Neural Networks", "https://arxiv.org/abs/1908.06214"),
    ),
    unsupported=_unsupported,
    instead={"network": "shapes"},
)
