"""The lab sanity: do maps change when the network forgets what it learned? (Adebayo et al. 2018)

In Python::

    import numpy as np, torch
    from explorer.attribution import Case, Network, similarities
    from explorer.labs.sanity import maps_of, randomised_maps
    network = Network(torch.nn.Sequential(torch.nn.Linear(64, 32), torch.nn.ReLU(), torch.nn.Linear(32, 3)))
    case = Case(network, np.random.default_rng(0).random((8, 8)), np.zeros((8, 8)), target=0, output="logit")
    trained, random = maps_of(case), randomised_maps(case)  # of gradient, Integrated Gradients, Guided Backprop
    print([found.signed for found in similarities(random[0, :, 2], trained[2])])  # logits random, five draws
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from explorer.attribution import (
    METHODS,
    Case,
    Setting,
    Similarity,
    affine_layers,
    random_maps,
    randomised,
    similarities,
)
from explorer.attribution.network import Floats, Network
from explorer.lab_networks import LabNetworks, lab_networks
from explorer.labs.charts import Line, chart, lines
from explorer.labs.lab import Answer, Lab, Paper, Values
from explorer.labs.words import listed
from explorer.plain_data import packed
from explorer.sentences import Sentence
from explorer.state import PREDICTED, State, Zoo

COMPARED: Mapping[str, str] = MappingProxyType({"gradient": "the gradient", "integrated_gradients": "Integrated Gradients", "guided_backprop": "Guided Backprop"})
SEEDS = 5
KINDS = ("cascading", "alone", "labels")
TWINNED = ("shapes", "shapes-ordinary", "digits", "digits-cnn")  # the networks that have a twin
MOST_LAYERS = 4  # of these
LABELLED = "digits"  # the network that the one with permuted labels is compared with
# How maps are compared: the fields of Similarity, with the words of the charts.
MEASURES: Mapping[str, str] = MappingProxyType(
    {
        "signed": "Signed, all pixels",
        "magnitude": "Magnitudes, all pixels",
        "signed_moving": "Signed, pixels off the baseline",
        "magnitude_moving": "Magnitudes, pixels off the baseline",
        "ssim": "SSIM",
    }
)
MARGIN = 0.02  # by which a correlation must be larger to be called so: they are printed with two decimals
CHANGED = 0.5  # below this correlation a map counts as changed
CHOICES = (
    "All three maps change.",
    "The gradient and Integrated Gradients change, Guided Backprop stays.",
    "No map changes much.",
    "Another mix: some maps change, others stay.",
)

Measured = dict[str, float | None]  # a similarity by every measure


def maps_of(case: Case, network: Network | None = None, *, steps: int = 50, rule: str = "right") -> Floats:
    """The maps of gradient, Integrated Gradients and Guided Backprop, ``(3, 8, 8)``, of the target's logit.

    Args:
        case: input, baseline and target. Its output does not matter: P of a random network hardly depends on its input.
        network: the network that is asked; None for that of the case.
        steps, rule: of Integrated Gradients.
    """
    asked = Case(network or case.network, case.input, case.baseline, case.target, "logit")
    settings: Mapping[str, dict[str, Any]] = {"integrated_gradients": {"steps": steps, "rule": rule}}
    return np.stack([METHODS[name](asked, **settings.get(name, {})).attribution for name in COMPARED])


def randomised_maps(case: Case, *, alone: bool = False, seeds: int = SEEDS, steps: int = 50, rule: str = "right") -> Floats:
    """The maps of ``maps_of`` after random weights were put into the network: ``(L, seeds, 3, 8, 8)`` for L layers with weights.

    Args:
        case: as for ``maps_of``.
        alone: whether k counts one layer alone, the k-th from the logits down; else all layers from the logits down to it.
        seeds: how many draws.
        steps, rule: of Integrated Gradients.
    """
    names = [layer.name for layer in affine_layers(case.network)]
    chosen = [[name] if alone else names[k:] for k, name in reversed(list(enumerate(names)))]
    return np.stack([[maps_of(case, randomised(case.network, layers, seed), steps=steps, rule=rule) for seed in range(seeds)] for layers in chosen])


def _answer(state: State, values: Values, zoo: Zoo) -> Answer:
    kind, networks = str(values["kind"]), lab_networks()
    asked = _asked(state, kind, zoo)
    case, model = asked.case(zoo), zoo[asked.network]
    settings = asked.settings()
    used: dict[str, Any] = {"steps": settings.steps, "rule": settings.rule}
    trained = maps_of(case, **used)
    if kind == "labels":
        others = maps_of(case, networks.permuted.network, **used)[None, None]
    else:
        others = randomised_maps(case, alone=kind == "alone", **used)
    controls = {
        "twin": maps_of(case, networks.twins[asked.network].network, **used)[None],
        "negated": -trained[None],
        "picture": np.broadcast_to(case.input, (1, *trained.shape)),
        "random": np.repeat(random_maps(SEEDS, 0)[:, None], len(COMPARED), axis=1),
    }
    compared = {name: _similarities(trained[m], np.concatenate([others.reshape(-1, *trained.shape), *controls.values()])[:, m], case) for m, name in enumerate(COMPARED)}
    random = {name: _by_depth(found, *others.shape[:2]) for name, found in compared.items()}
    layers = [] if kind == "labels" else _layers(case.network)
    answer: Answer = {
        "kind": kind,
        "network": model.title,
        "elsewhere": asked.network != state.network,
        "target": model.classes[case.target],
        "layers": layers,
        "trained": packed(trained),
        "others": packed(others[:, 0]),  # of seed 0
        "random": random,
        "controls": _controls(compared, {name: len(maps) for name, maps in controls.items()}),
        "charts": {} if kind == "labels" else _charts(random, kind, len(layers)),
    }
    if kind == "labels":
        answer |= _facts(networks)
    return {"outcome": _outcome([random[name][0]["mean"]["signed"] for name in COMPARED]), **answer}


def _asked(state: State, kind: str, zoo: Zoo) -> State:
    """The state whose network is tested: there are permuted labels for one network only."""
    if kind != "labels" or state.network == LABELLED:
        return state
    same_classes = zoo[state.network].classes == zoo[LABELLED].classes
    return state.replace(network=LABELLED, target=state.target if same_classes else PREDICTED)


def _similarities(trained: Floats, maps: Floats, case: Case) -> list[Similarity]:
    return similarities(maps, trained, case.difference != 0)


def _measured(found: Sequence[Similarity]) -> Measured:
    """The mean by every measure, of the maps that can be ranked; None where there is none."""
    means: Measured = {}
    for measure in MEASURES:
        values = [value for one in found if (value := getattr(one, measure)) is not None]
        means[measure] = float(np.mean(values)) if values else None
    return means


def _by_depth(found: Sequence[Similarity], depths: int, seeds: int) -> list[dict[str, Any]]:
    """For each number of random layers the mean and the single draws."""
    rows = [found[depth * seeds : (depth + 1) * seeds] for depth in range(depths)]
    return [{"mean": _measured(row), "draws": {measure: [getattr(one, measure) for one in row] for measure in MEASURES}} for row in rows]


def _controls(compared: Mapping[str, Sequence[Similarity]], counts: Mapping[str, int]) -> dict[str, dict[str, Measured]]:
    """By control and method. The similarities of the controls are the last ones, in their order."""
    found: dict[str, dict[str, Measured]] = {}
    last = sum(counts.values())
    for name, count in counts.items():
        found[name] = {method: _measured(all_[len(all_) - last : len(all_) - last + count]) for method, all_ in compared.items()}
        last -= count
    return found


def _layers(network: Network) -> list[str]:
    """The layers from the logits down, each with its size."""
    found = [f"{layer.shape[0]} {'maps' if layer.kind == 'Conv2d' else 'units'}" for layer in affine_layers(network)]
    return [f"{len(network.classes)} logits", *found[-2::-1]]


def _facts(networks: LabNetworks) -> dict[str, float]:
    stored = networks.permuted.stored
    assert stored is not None and networks.permuted.accuracy is not None
    return {"memorised": float(stored["training_accuracy"]), "accuracy": networks.permuted.accuracy}


def _outcome(correlations: Sequence[float | None]) -> int | None:
    if None in correlations:
        return None
    changed = [value < CHANGED for value in correlations if value is not None]
    return next((k for k, expected in enumerate(([True, True, True], [True, True, False], [False, False, False])) if changed == expected), 3)


def _charts(random: Mapping[str, list[dict[str, Any]]], kind: str, depths: int) -> dict[str, Any]:
    """One chart for each measure: the similarity by the number of random layers."""
    names = ["none", "logits", *(f"{k}" for k in range(depths - 1, 0, -1))]
    x = "random: this layer alone" if kind == "alone" else "random: from the logits down to layer"
    charts = {}
    for measure, title in MEASURES.items():
        means = {method: [depth["mean"][measure] for depth in rows] for method, rows in random.items()}
        drawn = [Line(_capital(COMPARED[method]), names, [None if values[0] is None else 1.0, *values], marks=True) for method, values in means.items()]
        last: dict[str, float | None] = {method: values[-1] for method, values in means.items()}
        says = f"{title}: {_each(last)} with {_last(kind)} random." if _defined(last) else "A flat map has no ranks, so there is nothing to draw."
        figure = lines(drawn, x=x, y="SSIM" if measure == "ssim" else "rank correlation", y_range=(-1.04, 1.04))
        figure.update_xaxes(type="category")
        charts[measure] = chart(figure, Sentence(measure, says, _defined(last)))
    return charts


def _capital(text: str) -> str:
    text = text.removeprefix("the ")
    return text[0].upper() + text[1:]


def _last(kind: str) -> str:
    return "only the first layer" if kind == "alone" else "all layers"


def _defined(values: Mapping[str, float | None]) -> dict[str, float]:
    return {name: value for name, value in values.items() if value is not None}


def _each(values: Mapping[str, float | None]) -> str:
    parts = [f"{COMPARED[name].removeprefix('the ')} {{{name}:correlation}}" for name in _defined(values)]
    return listed(parts)


def _narrate(answer: Answer) -> list[Sentence]:
    kind, random = answer["kind"], answer["random"]
    first: dict[str, float | None] = {name: rows[0]["mean"]["signed"] for name, rows in random.items()}
    said = [_happened(answer["outcome"], first), *(_labels(answer) if kind == "labels" else [])]
    last = {name: rows[-1]["mean"] for name, rows in random.items()}
    if kind != "labels" and (signed := _defined({name: mean["signed"] for name, mean in last.items()})):
        said.append(Sentence("last depth", f"With {_last(kind)} random: {_each(signed)}.", signed))
    sizes = {name: last["integrated_gradients"][name] for name in ("magnitude", "magnitude_moving")}
    if len(found := _defined(sizes)) == 2:
        where = "" if kind == "labels" else f" with {_last(kind)} random"
        text = f"Without signs, Integrated Gradients has {{magnitude:correlation}}{where}. Over pixels that differ from the baseline it is {{magnitude_moving:correlation}}."
        said.append(Sentence("without signs", text, found))
    return said + _twin(first, {name: measured["signed"] for name, measured in answer["controls"]["twin"].items()}, kind)


def _happened(outcome: int | None, values: Mapping[str, float | None]) -> Sentence:
    if outcome is None:
        flat = listed([COMPARED[name] for name, value in values.items() if value is None])
        return Sentence("flat", f"{flat[0].upper()}{flat[1:]} {'gives' if flat.count(' and ') == 0 else 'give'} a flat map here, whose pixels cannot be ranked.")
    words = [f"{title} {'changed' if value is not None and value < CHANGED else 'stayed'}" for title, value in zip(COMPARED.values(), values.values(), strict=True)]
    happened = ("All three maps changed", "The gradient and Integrated Gradients changed, Guided Backprop stayed", "No map changed much", f"Another mix: {listed(words)}")[outcome]
    numbers = _defined(values)
    return Sentence("happened", f"{happened}: rank correlations {listed([f'{{{name}:correlation}}' for name in numbers])}.", numbers)


def _labels(answer: Answer) -> list[Sentence]:
    facts = {name: answer[name] for name in ("memorised", "accuracy")}
    text = "Compared is a network that memorised {memorised:percent} of its permuted training labels; on new digits it is right in {accuracy:percent}."
    found = [Sentence("labels", text, facts)]
    if answer["elsewhere"]:
        found.append(Sentence("elsewhere", "This test compares the network Digits with one of its kind, whatever network is chosen."))
    return found


def _twin(first: Mapping[str, float | None], twin: Mapping[str, float | None], kind: str) -> list[Sentence]:
    """What a twin has, and which maps are more alike than that though what was learned is gone."""
    numbers = _defined(twin)
    if not numbers:
        return []
    found = [Sentence("twin", f"A twin, the same task trained with another seed, has {_each(twin)}.", numbers)]
    if above := [COMPARED[name] for name, value in _defined(first).items() if name in numbers and value > numbers[name] + MARGIN]:
        without = "permuted labels" if kind == "labels" else "random logits"
        found.append(Sentence("above the twin", f"So {listed(above)} {'changes' if len(above) == 1 else 'change'} less with {without} than from one trained network to another."))
    return found


def _unsupported(state: State, zoo: Zoo) -> str:
    if state.network in TWINNED:
        return ""
    return "This test needs a twin of the network, the same task trained with another seed, and this network has none."


LAB = Lab(
    title="Forget the weights",
    group="Can you believe the map?",
    question="Does the map notice that the network forgot what it learned?",
    minutes=4,
    emblem="######## #.#..#.# ######## +.+..+.+ ++++++++ ........ .+.+.+.. ..+...+.",
    prediction="We replace the weights of the last layer, which computes the logits, by random numbers. What happens to the three maps?",
    choices=CHOICES,
    settings=(
        Setting("kind", "What is random", "cascading", choices=KINDS),
        Setting("layer", "Random layers", 1, 0, MOST_LAYERS),
        Setting("compare", "Compare", "signed", choices=("signed", "magnitude", "ssim")),
        Setting("pixels", "Over", "all", choices=("all", "moving")),
    ),
    looks=frozenset({"layer", "compare", "pixels"}),
    answer=_answer,
    narrate=_narrate,
    why="A map that explains what the network learned must change when that is lost. "
    "Adebayo et al. report that gradients pass, and that Guided Backprop is invariant to the higher layers and fails.",
    caveat="The test finds maps that ignore the weights, but is inadequate for ranking methods (Binder et al.): uninformative maps can score high. "
    "Some of its conclusions may come from the task (Yona & Greenfeld). "
    "Of a test in an earlier paper, Sundararajan & Taly note: it drops signs, and counts pixels that are 0 by choice of baseline. "
    "Smooth MPRT averages out noise; Efficient MPRT asks whether the map grows more complex (Hedström et al.).",
    papers=(
        Paper("Adebayo et al. 2018", "Sanity Checks for Saliency Maps", "https://arxiv.org/abs/1810.03292"),
        Paper("Sundararajan & Taly 2018", "A Note about: Local Explanation Methods for Deep Neural Networks lack Sensitivity to Parameter Values", "https://arxiv.org/abs/1806.04205"),
        Paper("Yona & Greenfeld 2021", "Revisiting Sanity Checks for Saliency Maps", "https://arxiv.org/abs/2110.14297"),
        Paper("Binder et al. 2023", "Shortcomings of Top-Down Randomization-Based Sanity Checks for Evaluations of Deep Neural Network Explanations", "https://arxiv.org/abs/2211.12486"),
        Paper("Hedström et al. 2023", "Sanity Checks Revisited: An Exploration to Repair the Model Parameter Randomisation Test", "https://arxiv.org/abs/2401.06465"),
    ),
    unsupported=_unsupported,
    instead={"network": "digits-cnn"},
)
