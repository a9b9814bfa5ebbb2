"""The lab baselines: six baselines, their maps, and a deletion test that repeats the baseline's question (Sturmfels 2020; Erion 2021).

In Python::

    from explorer.labs.baselines import baseline_maps, deletion_duel
    from explorer.models import load_zoo
    from explorer.state import State

    case = State(network="digits").case(load_zoo())   # or Case(Network(your_module), picture, baseline, target)
    maps = baseline_maps(case, {"black": 0 * case.input, "white": 0 * case.input + 1})
    print(deletion_duel(case, maps, 0 * case.input + 1).areas)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from explorer.attribution import METHODS, Case, Setting, area, deletion_curves, greedy_order, pixel_order, random_maps
from explorer.attribution.field import values_at
from explorer.attribution.network import SHAPE, Floats
from explorer.labs.asked import asked
from explorer.labs.charts import Line, chart, lines
from explorer.labs.lab import Answer, Lab, Paper, Values
from explorer.labs.words import ALIKE as ALIKE_PRINTED
from explorer.labs.words import best
from explorer.pictures import baseline
from explorer.plain_data import numbers
from explorer.sentences import Sentence
from explorer.state import State, Zoo

STARTS = ("black", "white", "mean", "blur", "noise")
EXPECTED = "expected"
FILLS = ("black", "white", "mean")
NAMED = {"black": "black", "white": "white", "mean": "the mean", "blur": "the blurred picture", "noise": "noise", EXPECTED: "many pictures"}
RANDOM_ORDERS = 8
ALIKE = 0.05  # areas that differ by less, as a share of the range of F, count as alike
CHOICES = ("The map from black.", "The map from white.", "Both about alike.")


@dataclass(frozen=True, slots=True, eq=False)
class Duel:
    """Deletion curves of some maps with one colour, and their controls: all ``(65,)``, in units of F.

    Attributes:
        curves: by map, most relevant pixel first.
        negated: by map, of the map times −1.
        random: the mean over ``RANDOM_ORDERS`` random orders.
        greedy: of the order that asks the network at each step.
    """

    curves: Mapping[str, Floats]
    negated: Mapping[str, Floats]
    random: Floats
    greedy: Floats

    @property
    def areas(self) -> dict[str, float]:
        """The area under each map's curve; divided by its width, so it is a mean of F."""
        return {name: float(area(curve)) for name, curve in self.curves.items()}


def integrated(case: Case) -> Floats:
    """Integrated Gradients with 50 steps of the right rule, ``(8, 8)``, in units of F."""
    return METHODS["integrated_gradients"](case).attribution


def baseline_maps(case: Case, baselines: Mapping[str, Floats], explain: Callable[[Case], Floats] = integrated) -> dict[str, Floats]:
    """The map of one case from each of several baselines ``(8, 8)``, by name: ``(8, 8)`` each, in units of F.

    Args:
        case: what is explained; its own baseline is not used.
        baselines: by name.
        explain: the method, from a case to its map.
    """
    return {name: explain(replace(case, baseline=picture)) for name, picture in baselines.items()}


def changes_from(case: Case, baselines: Mapping[str, Floats], background: Floats | None = None) -> dict[str, float]:
    """F(x) − F(x′) for each baseline by name, and, named ``expected``, F(x) minus the mean F of a background ``(b, 8, 8)``."""
    value = float(values_at(case, case.input[None])[0])
    changes = {name: value - float(values_at(case, picture[None])[0]) for name, picture in baselines.items()}
    return changes if background is None else changes | {EXPECTED: value - float(values_at(case, background).mean())}


def deletion_duel(case: Case, maps: Mapping[str, Floats], fill: Floats, seed: int = 0) -> Duel:
    """Delete the top pixels of each map to one picture, and watch F (deletion: Petsiuk et al. 2018).

    Args:
        case: what is explained; its baseline is not used.
        maps: ``(8, 8)`` each, by name.
        fill: what pixels are set to, ``(8, 8)``.
        seed: of the random orders.

    Raises:
        ValueError: a map or the fill has another shape or is not finite, or logits are not finite.
    """
    stacked = np.stack(list(maps.values()))
    given = [pixel_order(stacked), pixel_order(-stacked), pixel_order(random_maps(RANDOM_ORDERS, seed)), greedy_order(case, fill)[None]]
    curves = deletion_curves(case, np.concatenate(given), fill)
    n = len(stacked)
    return Duel(dict(zip(maps, curves[:n], strict=True)), dict(zip(maps, curves[n : 2 * n], strict=True)), curves[2 * n : -1].mean(axis=0), curves[-1])


def _answer(state: State, _: Values, zoo: Zoo) -> Answer:
    case, background = state.case(zoo), zoo[state.network].network.background
    starts = {kind: baseline(kind, case.input, seed=state.baseline_seed, mean=zoo[state.network].mean) for kind in STARTS}
    maps = baseline_maps(case, starts, lambda one: asked(METHODS["integrated_gradients"], one, state).attribution)
    pictures, forced = dict(starts), {name: picture == case.input for name, picture in starts.items()}
    if background is not None:  # a network of one's own may bring none
        maps[EXPECTED] = asked(METHODS["expected_gradients"], case, state).attribution
        pictures[EXPECTED], forced[EXPECTED] = background.mean(axis=0), (background == case.input).all(axis=0)
    duels = {fill: deletion_duel(case, maps, starts[fill], state.seed) for fill in FILLS}
    areas = {fill: _areas(duel) for fill, duel in duels.items()}
    rivals = duels["white"].curves["black"], duels["white"].curves["white"]
    gap, width = areas["white"]["black"] - areas["white"]["white"], float(np.ptp(rivals))
    scored = "P" if state.output == "probability" else "the logit"
    return {
        "outcome": 2 if abs(gap) <= ALIKE * width else int(gap > 0),
        "scored": scored,
        "maps": {name: numbers(found) for name, found in maps.items()},
        "pictures": {name: numbers(picture) for name, picture in pictures.items()},
        "changes": changes_from(case, starts, background),
        "forced": {name: np.flatnonzero(where).tolist() for name, where in forced.items()},
        "areas": areas,
        "charts": {fill: _chart(fill, duel, areas[fill], scored) for fill, duel in duels.items()},
    }


def _areas(duel: Duel) -> dict[str, float]:
    found = duel.areas
    found |= {f"negated {name}": float(area(duel.negated[name])) for name in ("black", "white")}
    return found | {"random": float(area(duel.random)), "greedy": float(area(duel.greedy))}


def _chart(fill: str, duel: Duel, areas: Mapping[str, float], scored: str) -> dict[str, object]:
    deleted = np.arange(len(duel.greedy))
    drawn = [Line(f"from {NAMED[name]}", deleted, duel.curves[name]) for name in FILLS]
    drawn += [Line("random order", deleted, duel.random, control=True), Line("greedy order", deleted, duel.greedy, control=True)]
    said = Sentence(
        f"to {fill}",
        f"Set to {NAMED[fill]}, the random order has area {{random:number}} and the greedy order {{greedy:number}}.",
        {"random": areas["random"], "greedy": areas["greedy"]},
    )
    return chart(lines(drawn, x="pixels deleted", y=scored.removeprefix("the "), x_range=(0, SHAPE[0] * SHAPE[1])), said)


def _narrate(answer: Answer) -> list[Sentence]:
    areas, scored = answer["areas"], answer["scored"]
    rivals = {name: areas["white"][name] for name in ("black", "white")}
    happened = (
        f"The map from black: its area under {scored} is {{black:number}}, against {{white:number}} of the map from white.",
        f"The map from white: its area under {scored} is {{white:number}}, against {{black:number}} of the map from black.",
        f"Both about alike, within 5 % of the range of {scored}: {{black:number}} from black and {{white:number}} from white.",
    )[answer["outcome"]]
    told = [Sentence("to white", happened, rivals), Sentence("area", f"The area is the mean of {scored} while the 64 pixels go: the smaller, the sooner it fell.")]
    negated = areas["white"]["negated black"]
    if negated < rivals["black"] - ALIKE_PRINTED * abs(rivals["black"]):
        text = "Set to white, the map from black does better when it is negated: {negated:number} against {black:number}."
        told.append(Sentence("negated", text, {"negated": negated, "black": rivals["black"]}))
    black, white, mean = (best({f"from {text}": areas[fill][name] for name, text in NAMED.items() if name in areas[fill]}) for fill in FILLS)
    told.append(Sentence("smallest", f"Smallest area when set to black: {black}; to white: {white}; to the mean: {mean}."))
    return told


LAB = Lab(
    title="What is “nothing”?",
    group="What you choose",
    question="How far does the map depend on the start?",
    minutes=4,
    emblem="....++++ ....++++ ....++++ ....++++ ####.... ####.... ####.... ####....",
    prediction="We set the top pixels of a map to white, one by one. Which map makes the score fall faster?",
    choices=CHOICES,
    settings=(Setting("fill", "Set deleted pixels to", "white", choices=FILLS),),
    looks=frozenset({"fill"}),
    answer=_answer,
    narrate=_narrate,
    why="A map from white says what the difference to white does, and setting pixels to white undoes just that difference. "
    "So the test repeats the baseline’s question, and cannot say which baseline is right.",
    caveat="Pictures with deleted pixels are unlike those of the training, and F may fall for that alone. "
    "Sturmfels et al. leave such a duel for future work; these numbers are this page’s, for one picture.",
    papers=(
        Paper("Sturmfels et al. 2020", "Visualizing the Impact of Feature Attribution Baselines", "https://doi.org/10.23915/distill.00022"),
        Paper("Erion et al. 2021", "Improving performance of deep learning models with axiomatic attribution priors and expected gradients", "https://arxiv.org/abs/1906.10670"),
        Paper("Petsiuk et al. 2018", "RISE: Randomized Input Sampling for Explanation of Black-box Models", "https://arxiv.org/abs/1806.07421"),
    ),
)
