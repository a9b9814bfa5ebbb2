"""The lab fragile: how far a small change moves a map whose class it keeps (Ghorbani, Abid & Zou 2019; Dombrowski et al. 2019).

In Python::

    import numpy as np, torch
    from explorer.attribution import Case, Network, attack_map
    network = Network(torch.nn.Sequential(torch.nn.Linear(64, 32), torch.nn.ReLU(), torch.nn.Linear(32, 3)))
    picture = np.random.default_rng(0).random((8, 8))
    found = attack_map(Case(network, picture, np.zeros((8, 8)), network.predict(picture)), "gradient", epsilon=1 / 16)
    print(found.overlap, found.probabilities[found.step], found.picture - picture)
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from explorer.attribution import Case, MapAttack, Network, Setting, Settings, attack_maps
from explorer.attribution.fragility import Attacked
from explorer.attribution.layers import KINKED_AT_ZERO
from explorer.labs.charts import Line, chart, lines
from explorer.labs.lab import Answer, Lab, Paper, Values
from explorer.labs.words import listed
from explorer.plain_data import numbers, packed
from explorer.sentences import Sentence
from explorer.state import State, Zoo

SIXTEENTHS = (1, 2, 3, 4)  # the sizes of the change
ASKED = 2  # the one that the prediction is about
# Each step of an attack has a map: with the page's m, up to 500, an answer could take seconds; with these it is half a second.
STEPS, STEPS_OF_CONVOLUTIONS = 25, 10
ATTACK_STEPS, ATTACK_STEPS_OF_CONVOLUTIONS = 60, 36  # of .02: either crosses the largest range more than twice
METHODS: Mapping[Attacked, str] = MappingProxyType({"gradient": "the gradient", "integrated_gradients": "Integrated Gradients"})
# Networks that differ only in their training, with small changes of the pixels or without.
ROBUST, ORDINARY = "shapes", "shapes-ordinary"
CHOICES = (
    "Both maps keep at least half of them.",
    "Only Integrated Gradients keeps at least half of them.",
    "Only the gradient keeps at least half of them.",
    "Both maps lose more than half of them.",
)
HAPPENED = (
    "Both maps kept at least half of them",
    "Only Integrated Gradients kept at least half of them",
    "Only the gradient kept at least half of them",
    "Both maps lost more than half of them",
)


def steps_of(network: Network) -> int:
    """m of Integrated Gradients in an attack, by the midpoint rule."""
    return STEPS if _is_flat(network) else STEPS_OF_CONVOLUTIONS


def _is_flat(network: Network) -> bool:
    return len(network.input_shape) == 1


def attacks(case: Case) -> dict[Attacked, list[MapAttack]]:
    """Each map attacked with each ε of ``SIXTEENTHS``. A map that is 0 everywhere has no strongest pixels, and is left out.

    Raises:
        ValueError: the network has no ReLU layer.
    """
    found: dict[Attacked, list[MapAttack]] = {}
    steps = ATTACK_STEPS if _is_flat(case.network) else ATTACK_STEPS_OF_CONVOLUTIONS
    quadrature = Settings(steps=steps_of(case.network), rule="midpoint")
    for method in METHODS:
        try:
            found[method] = _best_so_far(attack_maps(case, method, [k / 16 for k in SIXTEENTHS], settings=quadrature, steps=steps))
        except ValueError as wrong:
            if not str(wrong).startswith("the map is 0"):
                raise
    return found


def _best_so_far(results: list[MapAttack]) -> list[MapAttack]:
    """For each ε the best attack of those that it allows: a smaller change is one of at most ε, too."""
    best: list[MapAttack] = []
    for result in results:
        best.append(min([*best[-1:], result], key=lambda one: one.overlap))
    return best


def _answer(state: State, _: Values, zoo: Zoo) -> Answer:
    case = state.case(zoo)
    found = attacks(case)
    other = {ROBUST: ORDINARY, ORDINARY: ROBUST}.get(state.network)
    compared = {} if other is None else attacks(state.replace(network=other, target=case.target).case(zoo))  # of the same class
    classes = zoo[state.network].classes
    before = float(case.network.scores(case.input[None])[0].max())
    answer: Answer = {
        "outcome": _outcome(found),
        "predicted": classes[case.network.predict(case.input)],
        "target": classes[case.target],
        "output": case.output,
        "probability": before,
        "steps": steps_of(case.network),
        "picture": packed(case.input),
        "attacks": {method: _plain(results) for method, results in found.items()},
        "compared": {},
        "charts": _charts(state.network, other, found, compared),
    }
    if other is not None:
        robust, ordinary = (found, compared) if state.network == ROBUST else (compared, found)
        if set(robust) == set(ordinary) == set(METHODS):
            answer["compared"] = {
                name: {method: results[_place(ASKED)].overlap for method, results in each.items()} for name, each in (("robust", robust), ("ordinary", ordinary))
            }
    return answer


def _place(sixteenths: int) -> int:
    return SIXTEENTHS.index(sixteenths)


def _outcome(found: Mapping[Attacked, list[MapAttack]]) -> int | None:
    if set(found) != set(METHODS):
        return None
    gradient, integrated = (found[method][_place(ASKED)].overlap >= 0.5 for method in METHODS)
    return 0 if gradient and integrated else 1 if integrated else 2 if gradient else 3


def _plain(results: list[MapAttack]) -> dict[str, Any]:
    """The attacks on one map, by ε."""
    first = results[0]
    return {
        "before": packed(first.before),
        "strongest": np.flatnonzero(first.strongest_before).tolist(),
        "count": first.count,
        "pictures": packed(np.stack([result.picture for result in results])),
        "after": packed(np.stack([result.after for result in results])),
        "strongest_after": [np.flatnonzero(result.strongest_after).tolist() for result in results],
        "kept": [round(result.overlap * result.count) for result in results],
        "steps": [result.step for result in results],
        "probabilities": numbers([result.probabilities[result.step] for result in results]),
    }


def _charts(network: str, other: str | None, found: Mapping[Attacked, list[MapAttack]], compared: Mapping[Attacked, list[MapAttack]]) -> dict[str, Any]:
    """The overlap by ε, and along the steps of each attack."""
    if not found:
        return {}
    here, there = ("" if other is None else f", {'trained against changes' if name == ROBUST else 'ordinary training'}" for name in (network, other))
    sizes = [0, *SIXTEENTHS]
    drawn = [Line(f"{_title(method)}{where}", sizes, [1.0, *(result.overlap for result in results)], marks=True) for each, where in ((found, here), (compared, there)) for method, results in each.items()]
    most: dict[str, float] = {method: results[-1].overlap for method, results in found.items()}
    charts = {
        "sizes": chart(
            lines(drawn, x="largest change of a pixel, in sixteenths", y="share that stays", y_range=(-0.04, 1.04)),
            Sentence("sizes", f"At 4/16 {listed([f'{METHODS[method]} keeps {{{method}:percent}}' for method in found])} of the strongest pixels.", most),
        )
    }
    for method, results in found.items():
        for k, result in zip(SIXTEENTHS, results, strict=True):
            steps = np.arange(len(result.overlaps))
            overlap = Line("strongest pixels that stay", steps, result.overlaps, steps=True)
            charts[f"{method}-{k}"] = chart(
                lines([overlap, Line("P of the predicted class", steps, result.probabilities)], x="steps of the attack", y="share, and P", y_range=(-0.04, 1.04)),
                Sentence(f"{method}-{k}", _best(result), {"step": result.step} if result.step else {}),
            )
    return charts


def _best(result: MapAttack) -> str:
    return "Step {step:whole} is the one that is shown: of those that keep the class, the fewest pixels stay." if result.step else "No step that keeps the class moves a strongest pixel."


def _title(method: Attacked) -> str:
    return _capital(METHODS[method].removeprefix("the "))


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]


def _narrate(answer: Answer) -> list[Sentence]:
    found = answer["attacks"]
    if not found:
        return [Sentence("both flat", "Both maps are 0 everywhere, so they have no strongest pixels to move.")]
    kept = {method: attack["kept"][_place(ASKED)] for method, attack in found.items()}
    counts = {f"of_{method}": attack["count"] for method, attack in found.items()}
    each = listed([f"{METHODS[method]} kept {{{method}:whole}} of {{of_{method}:whole}}" for method in kept])
    said = []
    if answer["outcome"] is None:
        (flat,) = (title for method, title in METHODS.items() if method not in found)
        said.append(Sentence("one flat", f"{_capital(flat)} is 0 everywhere; {each}.", {**kept, **counts}))
    else:
        said.append(Sentence("kept", f"{HAPPENED[answer['outcome']]}: {each}.", {**kept, **counts}))
    before = {"before": answer["probability"]}
    after = {method: attack["probabilities"][_place(ASKED)] for method, attack in found.items()}
    changed = listed([f"{{{method}:chance}}" for method in after])
    said.append(Sentence("class stays", f"The predicted class stays {answer['predicted']}: P was {{before:chance}}, and is {changed} after the {'change' if len(after) == 1 else 'two attacks'}.", {**before, **after}))
    smaller = {method: attack["kept"][_place(1)] for method, attack in found.items()}
    said.append(Sentence("half the change", f"With a change of at most 1/16, {listed([f'{METHODS[method]} kept {{{method}:whole}}' for method in smaller])}.", smaller))
    if answer["compared"]:
        robust, ordinary = answer["compared"]["robust"], answer["compared"]["ordinary"]
        helped = [METHODS[method] for method in METHODS if robust[method] > ordinary[method]]
        which = "neither map" if not helped else "both maps" if len(helped) == 2 else f"only {helped[0]}"
        shares = {f"{name}_{method}": each[method] for name, each in (("robust", robust), ("ordinary", ordinary)) for method in METHODS}
        with_, without = (listed([f"{{{name}_{method}:percent}}" for method in METHODS]) for name in ("robust", "ordinary"))
        said.append(Sentence("training", f"Training against small changes helped {which} here: {with_} stayed, against {without} with ordinary training.", shares))
    return said


def _unsupported(state: State, zoo: Zoo) -> str:
    if any(isinstance(part, KINKED_AT_ZERO) for part in zoo[state.network].network.module.modules()):
        return ""
    if zoo[state.network].linear:
        return "This network has no ReLU, so its gradient has the same strongest pixels on every picture."
    return "This network has no ReLU, and the attack needs one: it steps through a copy whose ReLUs are smooth."


LAB = Lab(
    title="Fooling the map",
    group="Can you believe the map?",
    question="Can the map change while the answer stays?",
    minutes=4,
    emblem="###.+... ####.+.. ####..+. ###..+.. ###.+... ####.+.. ####..+. ###..+..",
    prediction="We change each pixel by at most 2/16 of its range, so that the predicted class stays. What happens to the eight strongest pixels of each map?",
    choices=CHOICES,
    settings=(
        Setting("method", "Map", "gradient", choices=tuple(METHODS)),
        Setting("epsilon", "Largest change ε of a pixel", ASKED, 0, SIXTEENTHS[-1]),
    ),
    looks=frozenset({"method", "epsilon"}),
    answer=_answer,
    narrate=_narrate,
    why="A ReLU network’s gradient jumps where a unit switches, so pixels that hardly move the scores can move the map. "
    "Dombrowski et al. relate this to the curvature of the network’s output; smoothing makes maps more robust, they find.",
    caveat="In the papers the change is hardly visible; on an 8 × 8 picture it can be seen. "
    "Dombrowski et al. aim at a chosen map, others at any change: this attack is neither paper’s protocol exactly. "
    "It steps through a smooth copy of the network, and is judged on the network itself. "
    "A map that held may fall to a better attack.",
    papers=(
        Paper("Ghorbani, Abid & Zou 2019", "Interpretation of Neural Networks Is Fragile", "https://arxiv.org/abs/1710.10547"),
        Paper("Dombrowski et al. 2019", "Explanations can be manipulated and geometry is to blame", "https://arxiv.org/abs/1906.07983"),
    ),
    unsupported=_unsupported,
    instead={"network": "shapes"},
)
