"""The lab shift: which maps change when every picture is shifted, and the first bias takes the shift back (Kindermans et al. 2017).

In Python::

    from explorer.labs.shift import shifted_maps
    from explorer.models import load_zoo
    from explorer.state import State

    case = State(network="digits").case(load_zoo())   # or Case(Network(your_module), picture, baseline, target)
    before, kept, moved = shifted_maps(case, -1.0)["integrated_gradients"]
    print(abs(kept - before).max(), abs(moved - before).max())
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike

from explorer.attribution import METHODS, Case, Setting, shifted_case
from explorer.attribution.field import values_at
from explorer.attribution.network import SHAPE, Floats
from explorer.attribution.shift import folds_into_bias
from explorer.labs.differences import relative_difference, same_map
from explorer.labs.lab import Answer, Lab, Paper, Values
from explorer.pictures import PATTERNS
from explorer.plain_data import numbers, packed
from explorer.sentences import Sentence
from explorer.state import State, Zoo

# Slopes at the picture, then differences from a baseline or a background, then slopes times the picture.
SHOWN = (
    "gradient",
    "smoothgrad",
    "guided_backprop",
    "integrated_gradients",
    "deeplift",
    "occlusion",
    "expected_gradients",
    "gradient_times_input",
    "lrp_epsilon",
)
CONSTANTS: Mapping[str, Floats] = MappingProxyType(
    {"minus-one": np.full(SHAPE, -1.0), "half": np.full(SHAPE, 0.5), "checkerboard": np.asarray(PATTERNS["checkerboard"])}
)
CHOICES = ("Both maps stay.", "The gradient stays, Integrated Gradients changes.", "The gradient changes, Integrated Gradients stays.", "Both maps change.")


def shifted_maps(case: Case, constant: ArrayLike, methods: Iterable[str] = SHOWN) -> dict[str, Floats]:
    """The maps of a picture, and those of the shifted picture in the network that takes the shift back.

    Args:
        case: what is explained.
        constant: c, a number or a picture ``(8, 8)``, which is added to the input.
        methods: names in the registry; those that do not apply to the network are left out. All have their default settings.

    Returns:
        For each method ``(3, 8, 8)`` float64: before the shift, after it with baseline and background as they were, and after
        it with both shifted too.

    Raises:
        ValueError: the constant is no number and no picture, or a map is not finite.
    """
    c = np.asarray(constant, dtype=np.float64)
    cases = (case, shifted_case(case, c, references=False), shifted_case(case, c, references=True))
    applying = [name for name in methods if not METHODS[name].unsupported_reason(case.network)]
    return {name: np.stack([METHODS[name](asked).attribution for asked in cases]) for name in applying}


def _answer(state: State, values: Values, zoo: Zoo) -> Answer:
    case, constant = state.case(zoo), CONSTANTS[str(values["constant"])]
    maps = shifted_maps(case, constant)
    after = shifted_case(case, constant, references=False)
    f_before, f_after = (float(values_at(asked, asked.input[None])[0]) for asked in (case, after))
    changed = {name: [not same_map(name, found[0], other, f_before) for other in found[1:]] for name, found in maps.items()}
    return {
        "outcome": 2 * changed["gradient"][0] + changed["integrated_gradients"][0],
        "output": state.output,
        "f": [f_before, f_after],
        "input": numbers(case.input),
        "baseline": numbers(case.baseline),
        "constant": numbers(constant),
        "methods": list(maps),
        "titles": [METHODS[name].title for name in maps],
        "maps": packed(np.stack(list(maps.values()))),
        "changed": list(changed.values()),
        "differences": [[relative_difference(found[0], other) for other in found[1:]] for found in maps.values()],
    }


def _narrate(answer: Answer) -> list[Sentence]:
    kind = "probability" if answer["output"] == "probability" else "number"
    kept, moved = ([title for title, changed in zip(answer["titles"], answer["changed"], strict=True) if changed[i]] for i in (0, 1))
    names = f" ({' and '.join(moved)})" if 1 <= len(moved) <= 2 else ""
    return [
        Sentence("which stay", CHOICES[answer["outcome"]]),
        Sentence("the same answer", f"The network answers as before: F is {{before:{kind}}}, and after the shift {{after:{kind}}}.", {"before": answer["f"][0], "after": answer["f"][1]}),
        Sentence("baseline kept", "The baseline keeps its numbers: {kept:whole} of {all:whole} maps change.", {"kept": len(kept), "all": len(answer["methods"])}),
        Sentence("baseline shifted", f"Baseline and background are shifted too: {{moved:whole}} of {{all:whole}} change{names}.", {"moved": len(moved), "all": len(answer["methods"])}),
    ]


def _unsupported(state: State, zoo: Zoo) -> str:
    if folds_into_bias(zoo[state.network].network, CONSTANTS["minus-one"]):
        return ""
    return "The first bias of this network cannot take a shift back: the convolution puts a border of zeros around the picture, which is not shifted."


LAB = Lab(
    title="Shifted input",
    group="What you choose",
    question="Does adding a constant to the input change the map?",
    minutes=4,
    emblem="........ .##..++. .##..++. .##..++. .##..++. .##..++. .##..++. ........",
    prediction="We add −1 to every pixel, and the first bias takes it back: the answer stays. Which maps stay, if the baseline keeps its numbers?",
    choices=CHOICES,
    settings=(
        Setting("constant", "Added to the input", "minus-one", choices=tuple(CONSTANTS)),
        Setting("references", "Shift baseline and background too", False),
    ),
    looks=frozenset({"references"}),
    answer=_answer,
    narrate=_narrate,
    why="Slopes do not depend on the numbers that stand for a picture, but slopes times these numbers do. "
    "A baseline is a picture, too: with the same numbers it means another picture to the shifted network.",
    caveat="A changed map need not be wrong: with the baseline kept, it answers another question. "
    "For DeepLIFT, Occlusion and Expected Gradients this is our measurement, not the paper’s.",
    papers=(Paper("Kindermans et al. 2017", "The (Un)reliability of saliency methods", "https://arxiv.org/abs/1711.00867"),),
    unsupported=_unsupported,
    instead={"network": "digits"},
)
