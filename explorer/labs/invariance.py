"""The lab invariance: two networks with the same answers and other layers, and which methods tell them apart (Sundararajan et al. 2017).

In Python::

    from explorer.labs.invariance import maps_of_both
    from explorer.models import load_zoo
    from explorer.state import State

    zoo = load_zoo()
    case = State(network="digits").case(zoo)   # or Case(Network(your_module), picture, baseline, target)
    one, other = maps_of_both(case, zoo["digits-rewritten"].network, ["deeplift"])["deeplift"]
    print(abs(one - other).max() / abs(one).max())
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import plotly.graph_objects as go

from explorer.attribution import METHODS, Case, Network, Setting
from explorer.attribution.field import values_at
from explorer.attribution.network import Floats
from explorer.labs.charts import chart, plain
from explorer.labs.differences import SAME, relative_difference, same_map
from explorer.labs.lab import Answer, Lab, Paper, Values
from explorer.plain_data import numbers, packed
from explorer.sentences import Sentence
from explorer.state import PREDICTED, State, Zoo

PAIR = ("digits", "digits-rewritten")
# Both networks have linear layers only, so the activation maps do not apply; exact Shapley values take up to 0.2 s.
SHOWN = tuple(name for name, method in METHODS.items() if method.family != "activation maps" and name != "shapley_values")
ZERO_AT = 1e-17  # where a difference of 0 is drawn on the logarithmic axis
CHOICES = (
    "No maps.",
    "Only maps by methods with rules of their own for layers.",
    "Only maps by methods that ask for answers and slopes.",
    "Maps of both kinds.",
)
KINDS = {True: "asks for answers and slopes", False: "has rules of its own for layers"}


def maps_of_both(case: Case, other: Network, methods: Iterable[str] = SHOWN) -> dict[str, Floats]:
    """The maps of two networks, by method: ``(2, 8, 8)`` float64, with the default settings of each.

    Args:
        case: what is explained, of the first network.
        other: the second network. Methods that do not apply to both are left out.

    Raises:
        ValueError: a map is not finite.
    """
    cases = (case, replace(case, network=other))
    applying = [name for name in methods if not any(METHODS[name].unsupported_reason(asked.network) for asked in cases)]
    return {name: np.stack([METHODS[name](asked).attribution for asked in cases]) for name in applying}


def _answer(state: State, _: Values, zoo: Zoo) -> Answer:
    case = state.replace(network=PAIR[0], target=PREDICTED).case(zoo)
    other = zoo[PAIR[1]].network
    maps = maps_of_both(case, other)
    f = [float(values_at(asked, asked.input[None])[0]) for asked in (case, replace(case, network=other))]
    differences = {name: relative_difference(*found) for name, found in maps.items()}
    differ = [name for name, found in maps.items() if not same_map(name, found[0], found[1], f[0])]
    kinds = {METHODS[name].invariant for name in differ}
    count = {kind: sum(METHODS[name].invariant == kind for name in maps) for kind in KINDS}
    # what perturbation methods may differ by in rounding can be much of a map that is nearly 0
    compared = {name: value for name, value in differences.items() if name in differ or value <= SAME}
    largest = {kind: max((value for name, value in compared.items() if METHODS[name].invariant == kind), default=0.0) for kind in KINDS}
    return {
        "outcome": (False in kinds) + 2 * (True in kinds),
        "class": zoo[PAIR[0]].classes[case.target],
        "output": state.output,
        "f": f,
        "input": numbers(case.input),
        "methods": list(maps),
        "maps": packed(np.stack(list(maps.values()))),
        "differences": numbers(list(differences.values())),
        "differ": differ,
        "ruled": {"count": count[False], "differ": sum(not METHODS[name].invariant for name in differ), "most": largest[False]},
        "asking": {"count": count[True], "differ": sum(METHODS[name].invariant for name in differ), "most": largest[True]},
        "charts": {"differences": chart(_dots(differences), _says(differ, differences))},
    }


def _dots(differences: Mapping[str, float]) -> go.Figure:
    """A dot for each method on a logarithmic axis, the largest difference on top; one row of marks for each kind."""
    order = sorted(differences, key=lambda name: -differences[name])
    figure = go.Figure(layout={"template": None})
    for kind, title in KINDS.items():
        names = [name for name in order if METHODS[name].invariant == kind]
        figure.add_scatter(
            x=plain([max(differences[name], ZERO_AT) for name in names]),
            y=[METHODS[name].title for name in names],
            name=title,
            mode="markers",
            orientation="h",
            marker={"size": 9, "symbol": "circle" if kind else "diamond"},
            hovertemplate="%{y}: %{x:.2g}<extra></extra>",
        )
    figure.update_xaxes(title_text="difference ÷ peak", type="log", dtick=5, tickangle=0, range=[-17.5, 0.8])
    figure.update_yaxes(categoryorder="array", categoryarray=[METHODS[name].title for name in order], autorange="reversed", dtick=1, ticks="")
    return figure


def _says(differ: Sequence[str], differences: Mapping[str, float]) -> Sentence:
    same = [value for name, value in differences.items() if name not in differ]
    found: dict[str, Any] = {"differ": len(differ), "same": len(same)}
    if not differ:
        return Sentence("dots", "No method differs by more than rounding: all {same:whole} stay below {most:bound} of the peak.", {"same": len(same), "most": max(same)})
    least = min(differences[name] for name in differ)
    return Sentence("dots", "{differ:whole} methods differ, by {least:percent} of the peak or more; {same:whole} do not.", {**found, "least": least})


def _narrate(answer: Answer) -> list[Sentence]:
    ruled, asking = answer["ruled"], answer["asking"]
    kind = "probability" if answer["output"] == "probability" else "number"
    counts = "{differ:whole} of {count:whole}, by up to {most:percent} of the peak"
    first = (
        Sentence("no map differs", "No maps: every method gives both networks the same one, to rounding."),
        Sentence("which differ", f"Only maps by methods with rules of their own for layers: {counts}.", ruled),
        Sentence("which differ", f"Only maps by methods that ask for answers and slopes: {counts}.", asking),
        Sentence(
            "which differ",
            f"Maps of both kinds: {counts}.",
            {"differ": ruled["differ"] + asking["differ"], "count": ruled["count"] + asking["count"], "most": max(ruled["most"], asking["most"])},
        ),
    )[answer["outcome"]]
    rest = (
        Sentence("on a kink", "A method that asks only for answers and slopes can differ where it asks on a kink.")
        if asking["differ"]
        else Sentence("the others stay", "The {count:whole} methods that ask for answers and slopes agree to {most:bound} of the peak: rounding.", {"count": asking["count"], "most": asking["most"]})
    )
    return [
        first,
        Sentence("the same answer", f"Both networks see the digit {answer['class']}: F is {{one:{kind}}} and {{other:{kind}}}.", {"one": answer["f"][0], "other": answer["f"][1]}),
        rest,
        Sentence("the paper's pair", "For the paper’s two tiny networks, Integrated Gradients gives (1.5, −0.5) twice; DeepLIFT gives (2, −1) to one."),
    ]


LAB = Lab(
    title="Same function, other network",
    group="Can you believe the map?",
    question="Do equal outputs give equal maps?",
    minutes=3,
    emblem="..#..+.. .##..++. ###..+++ .##..++. .##..++. ###..+++ .##..++. ..#..+..",
    prediction="Two digit networks answer every picture alike, with other layers inside. Some methods ask only for answers and slopes; others have rules for layers. Which maps differ?",
    choices=CHOICES,
    settings=(Setting("method", "Method", "guided_backprop", choices=SHOWN),),
    looks=frozenset({"method"}),
    answer=_answer,
    narrate=_narrate,
    why="A method that asks only for answers and slopes cannot see the layers. "
    "DeepLIFT, LRP and Guided Backprop go through the layers by rules of their own, so other layers can give another map.",
    caveat="On a kink even the gradient can differ: at 0, x has slope 1, but ReLU(x) − ReLU(−x) has 0 here. "
    "The paper names DeepLift and LRP; that Guided Backprop and DeconvNet differ too is our measurement.",
    papers=(Paper("Sundararajan et al. 2017", "Axiomatic Attribution for Deep Networks", "https://arxiv.org/abs/1703.01365"),),
)
