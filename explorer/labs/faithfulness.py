"""The lab faithfulness: deletion, insertion, ROAD, sensitivity-n and infidelity for the pinned methods (Petsiuk 2018; Rong 2022; Ancona 2018; Yeh 2019).

In Python::

    from explorer.attribution import METHODS, area
    from explorer.labs.faithfulness import curves_of
    from explorer.models import load_zoo
    from explorer.state import State

    case = State(network="digits").case(load_zoo())   # or Case(Network(your_module), picture, baseline, target)
    maps = METHODS["integrated_gradients"](case).attribution[None]
    print(area(curves_of("deletion", case, maps, fill=case.baseline)))
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal, get_args

import numpy as np
import plotly.graph_objects as go

from explorer.attribution import (
    METHODS,
    Case,
    Method,
    Setting,
    area,
    deletion_curves,
    greedy_order,
    infidelity,
    insertion_curves,
    pixel_order,
    random_maps,
    road_curves,
    sensitivity_n,
    subsets,
)
from explorer.attribution.faithfulness import COUNT, SIZES, Subsets
from explorer.attribution.measures import ROUNDING
from explorer.attribution.network import SHAPE, Floats
from explorer.attribution.perturbation import PIXELS
from explorer.attribution.road import COUNTS
from explorer.cost import check_methods
from explorer.labs.asked import asked, unit_of
from explorer.labs.charts import Line, bars, chart, lines
from explorer.labs.lab import Answer, Lab, Paper, Values
from explorer.labs.words import best
from explorer.pictures import baseline
from explorer.plain_data import numbers
from explorer.sentences import Sentence
from explorer.state import State, StateError, Zoo

Test = Literal["deletion", "insertion", "road", "road_least"]
TESTS: tuple[Test, ...] = get_args(Test)
FILLS = ("black", "mean", "baseline")
NAMED = {"black": "black", "mean": "the mean picture", "baseline": "the baseline"}
BETTER = {"deletion": min, "insertion": max, "road": min, "road_least": max}
RANDOM_MAPS = 5
CLEARLY = 0.05  # areas that differ by more, as a share of the range of F, differ clearly
ORDERS = 4 + 1 + RANDOM_MAPS  # at most: methods, picture, random
PASSES = 2 * PIXELS * (PIXELS + 1) // 2 + 2 * (PIXELS + 1) * ORDERS + 2 * len(COUNTS) * ORDERS + len(SIZES) * COUNT  # at most


def curves_of(test: Test, case: Case, maps: Floats, fill: Floats, seed: int = 0) -> Floats:
    """F while pixels are replaced in the order of each map.

    Args:
        test: ``"deletion"`` sets the input's pixels to the fill's, ``"insertion"`` puts them into the fill, both by descending
            attribution; ``"road"`` removes them by noisy linear imputation in that order, ``"road_least"`` by ascending.
        case: what is explained; its baseline is not used.
        maps: ``(j, 8, 8)``, signed.
        fill: ``(8, 8)``; ROAD does not use it.
        seed: of ROAD's noise.

    Returns:
        ``(j, 65)``, for ROAD ``(j, len(COUNTS))``, in units of F.

    Raises:
        ValueError: a shape is wrong, a number not finite, or logits are not finite.
    """
    match test:
        case "deletion":
            return deletion_curves(case, pixel_order(maps), fill)
        case "insertion":
            return insertion_curves(case, pixel_order(maps), fill)
        case "road":
            return road_curves(case, pixel_order(maps), seed=seed)
        case "road_least":
            return road_curves(case, pixel_order(-maps), seed=seed)


def unforetold(maps: Floats, drawn: Subsets) -> list[float] | None:
    """The share of the squared changes of F that each map does not foretell: infidelity at its best scale ÷ mean squared change.

    Args:
        maps: ``(j, 8, 8)``, in units of F or proportional to it.
        drawn: sets of pixels and the changes of F.

    Returns:
        For each map a number in [0, 1]: 0 if its sums are the changes up to a factor, 1 if they say nothing of them. None if F never changes.
    """
    changes = drawn.changes
    peak = float(np.abs(changes).max())
    if peak <= ROUNDING * abs(drawn.value):
        return None
    masks = drawn.masks.reshape(*changes.shape, *SHAPE).astype(np.float64)
    found = infidelity(maps, masks, changes / peak, scaled=True) / np.mean((changes / peak) ** 2)
    return [float(share) for share in found.clip(0, 1)]


def _answer(state: State, values: Values, zoo: Zoo) -> Answer:
    case, fill_name = state.case(zoo), str(values["fill"])
    methods = [METHODS[name] for name in state.pinned]
    used = [method for method in methods if not method.unsupported_reason(case.network)]
    if not used:
        raise StateError("none of the pinned methods applies to this network: pin another in the tab Compare")
    check_methods(state, case, used, besides=PASSES)
    fill = case.baseline if fill_name == "baseline" else baseline(fill_name, case.input, mean=zoo[state.network].mean)
    found = [asked(method, case, state).attribution for method in used]
    names = [method.title for method in used]
    given = np.stack([*found, case.input, *random_maps(RANDOM_MAPS, state.seed)])
    curves = {test: _with_controls(curves_of(test, case, given, fill, state.seed), len(used)) for test in TESTS}
    curves["deletion"]["greedy"] = deletion_curves(case, greedy_order(case, fill), fill)
    curves["insertion"]["greedy"] = insertion_curves(case, greedy_order(case, fill, insertion=True), fill)
    areas = {test: {key: area(found, COUNTS if test.startswith("road") else None).tolist() for key, found in curves[test].items()} for test in TESTS}
    drawn = subsets(replace(case, baseline=fill), seed=state.seed)
    sums = np.stack([*(_in_units_of_f(method, one, drawn.case, state) for method, one in zip(used, found, strict=True)), *given[len(used) : len(used) + 2]])
    shares, correlations = unforetold(sums, drawn), sensitivity_n(sums, drawn)
    width = float(np.ptp(np.vstack([curves["deletion"][key] for key in ("methods", "picture", "greedy")])))
    same = width <= ROUNDING * float(np.abs(curves["deletion"]["picture"]).max())
    beaten = sum(one < areas["deletion"]["picture"] - CLEARLY * width for one in areas["deletion"]["methods"])
    scored = "P" if state.output == "probability" else "the logit"
    return {
        "outcome": None if same else 0 if beaten == len(used) else 1 if beaten else 2,
        "methods": [method.name for method in used],
        "titles": names,
        "left_out": [method.title for method in methods if method not in used],
        "logit": [method.title for method in used if method.explains == "logit" and state.output == "probability"],
        "maps": [numbers(one) for one in found],
        "fill": NAMED[fill_name],
        "scored": scored,
        "areas": areas,
        "beaten": beaten,
        "margin": CLEARLY * width,
        "shares": shares,
        "charts": {
            **{f"curves_{test}": _curves_chart(test, curves[test], areas[test], names, scored) for test in TESTS},
            **{f"bars_{test}": _bars_chart(test, areas[test], names, scored) for test in TESTS},
            "sensitivity": _sensitivity_chart(correlations, names),
            **({} if shares is None else {"infidelity": _infidelity_chart(shares, names)}),
        },
    }


def _in_units_of_f(method: Method, found: Floats, case: Case, state: State) -> Floats:
    """A map as it foretells the change of F when pixels are set to the case's baseline: a gradient times x − x′."""
    return found * case.difference if unit_of(method, state) == "F per unit of a pixel" else found


def _with_controls(curves: Floats, count: int) -> dict[str, Floats]:
    return {"methods": curves[:count], "picture": curves[count], "random": curves[count + 1 :].mean(axis=0)}


def _curves_chart(test: Test, curves: Mapping[str, Floats], areas: Mapping[str, Any], names: Sequence[str], scored: str) -> dict[str, object]:
    replaced = COUNTS if test.startswith("road") else np.arange(PIXELS + 1)
    drawn = [Line(name, replaced, curve) for name, curve in zip(names, curves["methods"], strict=True)]
    controls = {key: text for key, text in (("picture", "picture itself"), ("random", "random order"), ("greedy", "greedy order")) if key in curves}
    drawn += [Line(text, replaced, curves[key], control=key != "picture") for key, text in controls.items()]
    said = ", ".join(f"the {text} {{{key}:number}}" for key, text in controls.items())
    figure = _lines(drawn, x="pixels inserted" if test == "insertion" else "pixels deleted", y=scored.removeprefix("the "), x_range=(0, PIXELS))
    return chart(figure, Sentence(f"controls in {test}", f"Areas of the controls: {said}.", {key: areas[key] for key in controls}))


def _bars_chart(test: Test, areas: Mapping[str, Any], names: Sequence[str], scored: str) -> dict[str, object]:
    of_methods: list[float] = areas["methods"]
    controls = {key: text for key, text in (("picture", "Picture itself"), ("random", "Random order"), ("greedy", "Greedy order")) if key in areas}
    values: list[float] = [*of_methods, *(areas[key] for key in controls)]
    best_area = BETTER[test](of_methods)
    winner = best(dict(zip(names, of_methods, strict=True)), largest=BETTER[test] is max)
    way = "smaller" if BETTER[test] is min else "larger"
    said = Sentence(f"best in {test}", f"The {way}, the better. Best of the methods: {winner}, {{best:number}}.", {"best": best_area})
    low, high = min(0.0, *values), max(0.0, *values)
    room = 0.15 * (high - low) or 1.0  # for the numbers beside the bars
    figure = bars([*names, *controls.values()], values, x=f"area under {scored}", x_range=(low - room if low else 0, high + room), controls=len(controls) - 1)
    return chart(figure, said)


def _lines(drawn: Sequence[Line], **axes: Any) -> go.Figure:
    """Lines with many long names: their legend has the whole width of the chart."""
    return lines(drawn, **axes).update_layout(legend={"xref": "container", "x": 0, "yref": "container", "y": 1, "yanchor": "top"})


def _sensitivity_chart(correlations: Sequence[Sequence[float | None]], names: Sequence[str]) -> dict[str, object]:
    drawn = [Line(name, SIZES, values, marks=True) for name, values in zip(names, correlations, strict=False)]
    drawn += [Line(name, SIZES, values, marks=True, control=name != "picture itself") for name, values in zip(("picture itself", "random map"), correlations[len(names) :], strict=True)]
    middle = SIZES.index(8)
    known = {name: values[middle] for name, values in zip(names, correlations, strict=False) if values[middle] is not None}
    if known:
        winner = max(known, key=known.__getitem__)  # type: ignore[arg-type]
        said = Sentence("sensitivity", f"In sets of 8 pixels the highest correlation of the methods is {{r:correlation}}, of {winner}.", {"r": known[winner]})  # type: ignore[dict-item]
    else:
        said = Sentence("sensitivity", "In sets of 8 pixels no map of a method can be correlated: its sums or the changes are all equal.")
    figure = _lines(drawn, x="pixels in a set n", y="correlation", log_x=True, y_range=(-1.05, 1.05))
    return chart(figure.update_xaxes(tickmode="array", tickvals=list(SIZES), ticktext=[str(n) for n in SIZES]), said)


def _infidelity_chart(shares: Sequence[float], names: Sequence[str]) -> dict[str, object]:
    least = min(shares[: len(names)])
    winner = best(dict(zip(names, shares, strict=False)))
    said = Sentence("infidelity", f"The smaller, the better. Best of the methods: {winner}, {{share:percent}}.", {"share": least})
    return chart(bars([*names, "Picture itself", "Random map"], shares, x="share not foretold", x_range=(0, 1.15), controls=1), said)


def _narrate(answer: Answer) -> list[Sentence]:
    areas, scored, titles, shares = answer["areas"], answer["scored"], answer["titles"], answer["shares"]
    told = []
    if answer["outcome"] is None:
        told.append(Sentence("no change", f"Deletion never changes {scored} here, so no order is better than another."))
    else:
        told.append(_beaten(answer))
        told.append(Sentence("clearly", f"“Clearly” is by more than 5 % of the range that {scored} goes through: {{margin:number}}.", {"margin": answer["margin"]}))
        winners = {test: best(dict(zip(titles, areas[test]["methods"], strict=True)), largest=BETTER[test] is max) for test in TESTS}
        told.append(Sentence("best", f"Best of the methods in deletion: {winners['deletion']}; in insertion: {winners['insertion']}; in ROAD: {winners['road']}."))
    if shares is not None:
        picture = shares[len(titles)]
        count = {"beaten": float(sum(picture < share for share in shares[: len(titles)])), "count": float(len(titles))}
        told.append(Sentence("picture foretells", "Methods that the picture itself beats by infidelity: {beaten:whole} of {count:whole}.", count))
    if answer["left_out"]:
        told.append(Sentence("left out", f"Left out, because they do not apply to this network: {', '.join(answer['left_out'])}."))
    if answer["logit"]:
        told.append(Sentence("logit", f"These explain the logit, but are judged by P: {', '.join(answer['logit'])}."))
    return told


def _beaten(answer: Answer) -> Sentence:
    picture = {"picture": answer["areas"]["deletion"]["picture"]}
    if answer["outcome"] == 1:
        counts = {"beaten": float(answer["beaten"]), "count": float(len(answer["titles"]))}
        return Sentence("picture beaten", "Some of them: {beaten:whole} of {count:whole}, with a clearly smaller deletion area than the picture’s {picture:number}.", counts | picture)
    who = "All of them have" if answer["outcome"] == 0 else "None of them has"
    return Sentence("picture beaten", f"{who} a clearly smaller deletion area than the picture’s {{picture:number}}.", picture)


LAB = Lab(
    title="Does the map matter?",
    group="Can you believe the map?",
    question="Does the score fall when the top pixels are deleted?",
    minutes=5,
    emblem="######## ######.# ###.##.# ###.#..# #.#.#..# #.#....# #......# ........",
    prediction="Take the picture itself as a map: its bright pixels are deleted first. How many of the pinned methods clearly beat it?",
    choices=("All of them.", "Some of them.", "None of them."),
    settings=(
        Setting("test", "Test", "deletion", choices=TESTS),
        Setting("fill", "Set deleted pixels to", "black", choices=FILLS),
    ),
    looks=frozenset({"test"}),
    answer=_answer,
    narrate=_narrate,
    why="Set to black, only pixels that are not black can change, and these make the shape: the picture itself is a strong rival. "
    "Each test asks another question, by its order, its sets and its fill, so the tests need not agree.",
    caveat="Pictures with deleted pixels are unlike those of the training, so F may fall for that alone (Hooker et al.). "
    "Blurrier maps tend to score better in ROAR, which retrains the network, and also in ROAD (Song et al.). "
    "Quantus scores ROAD by the accuracy over many pictures; here it is F of one.",
    papers=(
        Paper("Bach et al. 2015", "On Pixel-Wise Explanations for Non-Linear Classifier Decisions by Layer-Wise Relevance Propagation", "https://doi.org/10.1371/journal.pone.0130140"),
        Paper("Petsiuk et al. 2018", "RISE: Randomized Input Sampling for Explanation of Black-box Models", "https://arxiv.org/abs/1806.07421"),
        Paper("Rong et al. 2022", "A Consistent and Efficient Evaluation Strategy for Attribution Methods", "https://arxiv.org/abs/2202.00449"),
        Paper("Ancona et al. 2018", "Towards better understanding of gradient-based attribution methods for Deep Neural Networks", "https://arxiv.org/abs/1711.06104"),
        Paper("Yeh et al. 2019", "On the (In)fidelity and Sensitivity of Explanations", "https://arxiv.org/abs/1901.09392"),
        Paper("Hooker et al. 2019", "A Benchmark for Interpretability Methods in Deep Neural Networks", "https://arxiv.org/abs/1806.10758"),
        Paper("Song et al. 2023", "On Pitfalls of RemOve-And-Retrain: Data Processing Inequality Perspective", "https://arxiv.org/abs/2304.13836"),
        Paper("Zheng et al. 2024", "F-Fidelity: A Robust Framework for Faithfulness Evaluation of Explainable AI", "https://arxiv.org/abs/2410.02970"),
    ),
)
