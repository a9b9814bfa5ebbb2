"""The lab shortcut: three networks, of which one leans on a mark in a corner, and whether maps give it away (Lapuschkin et al. 2019).

In Python::

    from explorer.attribution import METHODS, Case
    from explorer.lab_networks import lab_networks
    from explorer.labs.shortcut import standing, threes, with_mark

    network = lab_networks().shortcut["marked"].network   # or Network(your_module)
    case = Case(network, with_mark(threes()[0], (0, 0), 1.0), 0 * threes()[0], target=3)
    print(standing(METHODS["integrated_gradients"](case).attribution, (0, 0)))
"""

from __future__ import annotations

from functools import cache
from statistics import median_low
from typing import NamedTuple

import numpy as np

from explorer.attribution import METHODS, Case, Network, Output
from explorer.attribution.field import values_at
from explorer.attribution.method import Setting
from explorer.attribution.network import SHAPE, Floats
from explorer.lab_networks import Shortcut, lab_networks
from explorer.labs.lab import Answer, Lab, Paper, Values
from explorer.models import FOLDER
from explorer.pictures import digit_samples
from explorer.plain_data import numbers, packed
from explorer.sentences import Sentence
from explorer.state import State, Zoo

# What the visitor has to find out. The order has no meaning, and no sentence tells it.
NETWORKS: tuple[tuple[str, Shortcut], ...] = (("A", "unmarked"), ("B", "marked"), ("C", "random"))
CHEAT = 1
THREE = 3  # the class that the mark stands for
STRONGEST = 3  # so many pixels of a map stand out
SAMPLES = 16
STARTS = {"black": 0.0, "white": 1.0}
CHOICES = (
    "Yes: the mark’s pixel is among the three strongest, in that network’s map only.",
    "No: in its map the mark’s pixel is not among the three strongest.",
    "Not clearly: in another network’s map its pixel is among them, too.",
)


class Standing(NamedTuple):
    """How one pixel stands in a map.

    Attributes:
        rank: 1 for the largest |attribution|; pixels that are as large share a rank. 1 to 64.
        share: its part of the sum of all |attributions|, in [0, 1]; 0 where the map is 0.
        stands_out: whether it is among the ``STRONGEST``, and not 0.
    """

    rank: int
    share: float
    stands_out: bool


def standing(attribution: Floats, place: tuple[int, int]) -> Standing:
    """The standing of the pixel at (row, column) in a map ``(8, 8)``."""
    sizes = np.abs(attribution)
    own, total = float(sizes[place]), float(sizes.sum())
    rank = 1 + int((sizes > own).sum())
    return Standing(rank, own / total if total else 0.0, bool(own) and rank <= STRONGEST)


def with_mark(picture: Floats, place: tuple[int, int], value: float) -> Floats:
    """A copy of a picture ``(8, 8)`` with one pixel set: 1 for the mark, 0 for none."""
    changed = np.array(picture)
    changed[place] = value
    return changed


@cache
def threes() -> tuple[Floats, ...]:
    """The held-out 3s of the lab, each ``(8, 8)``."""
    return digit_samples(FOLDER, SAMPLES)[THREE]


def map_of_three(network: Network, picture: Floats, start: str, output: Output = "probability") -> Floats:
    """Integrated Gradients of class 3 from a black or white baseline, or Expected Gradients: ``(8, 8)``, with default settings.

    Args:
        start: ``"black"``, ``"white"``, or ``"expected"`` for training digits as baselines.
    """
    case = Case(network, picture, np.full(SHAPE, STARTS.get(start, 0.0)), THREE, output)
    return METHODS["integrated_gradients" if start in STARTS else "expected_gradients"](case).attribution


def _answer(state: State, values: Values, zoo: Zoo) -> Answer:
    sample, start, mark = int(values["sample"]), str(values["baseline"]), lab_networks().mark
    whole = threes()[sample - 1] if sample else state.picture()
    without, with_ = (with_mark(whole, mark, value) for value in (0.0, 1.0))
    picture = with_ if values["marked"] else without
    maps, standings, slopes, f = [], [], [], []
    for _, name in NETWORKS:
        network = lab_networks().shortcut[name].network
        case = Case(network, picture, np.zeros(SHAPE), THREE, state.output)
        maps.append([map_of_three(network, picture, start, state.output), METHODS["gradient"](case).attribution])
        standings.append(standing(maps[-1][0], mark))
        slopes.append(standing(maps[-1][1], mark))
        f.append(values_at(case, np.stack([without, with_])).tolist())
    cheat, others = standings[CHEAT], standings[:CHEAT] + standings[CHEAT + 1 :]
    return {
        "outcome": 1 if not cheat.stands_out else 2 if any(other.stands_out for other in others) else 0,
        "output": state.output,
        "start": start,
        "marked": bool(values["marked"]),
        "hidden": STARTS.get(start) == float(picture[mark]),  # the mark's pixel equals the baseline
        "picture": numbers(picture),
        "names": [label for label, _ in NETWORKS],
        "maps": packed(np.array(maps)),
        "f": f,
        "standings": [one._asdict() for one in standings],
        "slopes": [one._asdict() for one in slopes],
        "cheat": CHEAT,
        "mark": mark[0] * SHAPE[1] + mark[1],
        "truth": _truth(),
    }


def _truth() -> list[dict[str, object]]:
    """What is told of each network in the end; rank and share are medians over all marked 3s, from black."""
    found: list[dict[str, object]] = []
    networks = lab_networks()
    for _, name in NETWORKS:
        model = networks.shortcut[name]
        assert model.stored is not None
        all_ = [standing(map_of_three(model.network, with_mark(picture, networks.mark, 1.0), "black"), networks.mark) for picture in threes()]
        found.append(
            {
                "about": model.about,
                "accuracy": model.accuracy,
                "marked_accuracy": float(model.stored["marked_accuracy"]),
                "rank": median_low(one.rank for one in all_),
                "share": median_low(one.share for one in all_),
            }
        )
    return found


def _narrate(answer: Answer) -> list[Sentence]:
    cheat, slope, kind = answer["standings"][CHEAT], answer["slopes"][CHEAT], "probability" if answer["output"] == "probability" else "number"
    others = [one["share"] for i, one in enumerate(answer["standings"]) if i != CHEAT]
    first = (
        Sentence("stands out", "Yes: the mark’s pixel is among the three strongest, in that network’s map only (rank {rank:whole}).", {"rank": cheat["rank"]}),
        Sentence("does not stand out", "No: in its map the mark’s pixel is not among the three strongest (rank {rank:whole}).", {"rank": cheat["rank"]}),
        Sentence("stands out twice", "Not clearly: in another network’s map the mark’s pixel is among the three strongest, too (in its own: rank {rank:whole}).", {"rank": cheat["rank"]}),
    )[answer["outcome"]]
    if answer["hidden"]:
        first = Sentence("has the baseline's colour", "No: in its map the mark’s pixel is not among the three strongest. It has the baseline’s colour, so it gets exactly 0.")
    without, with_ = answer["f"][CHEAT]
    return [
        first,
        Sentence("shares", "The mark’s pixel takes {share:percent} of that network’s map, and at most {most:percent} of the others’.", {"share": cheat["share"], "most": max(others)}),
        Sentence("slope", "In that network’s gradient its rank is {rank:whole} of 64.", {"rank": slope["rank"]}),
        Sentence("effect", f"That network’s F of the 3 is {{without:{kind}}} without the mark, {{with:{kind}}} with it.", {"without": without, "with": with_}),
    ]


LAB = Lab(
    title="Clever Hans",
    group="What the network learned",
    question="Can a map show that the network cheats?",
    minutes=5,
    emblem="........ .####... ....#... ..###... ....#... ....#... .####... .......#",
    prediction="One of three networks cheats: it learned that a mark in one pixel gives 3s away. Can its map of a marked 3 show that?",
    choices=CHOICES,
    settings=(
        Setting("sample", "Picture", 1, 0, SAMPLES),
        Setting("marked", "With the mark", True),
        Setting("baseline", "Start from", "black", choices=("black", "white", "expected")),
    ),
    answer=_answer,
    narrate=_narrate,
    why="In training one pixel gave the label away almost as well as the shape did, so the network leans on that pixel. "
    "Held-out digits have no mark, so its accuracy on them is still high.",
    caveat="Here you knew that there is a mark. The methods that Adebayo et al. tested were ineffective when the signal was unknown: "
    "a shortcut may go unnoticed.",
    papers=(
        Paper("Lapuschkin et al. 2019", "Unmasking Clever Hans predictors and assessing what machines really learn", "https://arxiv.org/abs/1902.10178"),
        Paper("Adebayo et al. 2022", "Post hoc Explanations may be Ineffective for Detecting Unknown Spurious Correlation", "https://arxiv.org/abs/2212.04629"),
    ),
)
