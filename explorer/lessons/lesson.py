"""What a lesson consists of, and the controls that a step can point at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

# name: (where it is in the page, what it is)
CONTROLS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "picture": ("#paint-grid", "the painting grid"),
        "tools": ("#painting .tools", "brush, undo, eraser, invert and clear"),
        "invert": ("#paint-invert", "the button *Invert*"),
        "patterns": ("#patterns", "the patterns"),
        "digits": ("#digits", "the handwritten digits"),
        "classes": ("#scores", "the list of classes with their P"),
        "network": ("#network", "the choice of the network"),
        "class": ("#target", "the choice of the class that is explained"),
        "output": ("#output", "the switch between P and logit"),
        "saliency": ("#tab-saliency", "the tab *Saliency*"),
        "integrated": ("#tab-integrated", "the tab *Integrated Gradients*"),
        "compare": ("#tab-compare", "the tab *Compare*"),
        "methods": ("#tab-methods", "the tab *Methods*"),
        "labs": ("#tab-labs", "the tab *Labs*"),
        "baselines": ("#baselines", "the small pictures that choose the baseline"),
        "gradient": ("#map-gradient .map-surface", "the map *Gradient here*"),
        "sum": ("#map-sum .map-surface", "the map *Sum*"),
        "magnify": ("#map-gradient .map-foot .btn, #saliency-maps .map-foot .btn:not(.needless)", "the button *Magnify*"),
        "play": ("#play", "the button *Play*"),
        "slider": ("#scrub", "the slider of the path"),
        "curve": ("#plot", "the strip of gradients and the curve"),
        "steps": ("#steps", "the number of steps m"),
        "rule": ("#rule", "the rule"),
        "bar": ("#gauge", "the bar of Σ against ΔF"),
        "pixel": (".pixel", "the chart of one pixel"),
        "saliency-maps": ("#saliency-maps, #saliency-maps .map:has(.scale-signed)", "the maps of *Saliency*; on a phone, where they are not side by side, the first"),
        "compare-maps": ("#compare-maps", "the maps of *Compare*"),
        "scale": ("#scale", "the switch of the colour scale in *Compare*"),
        "samples": ("#samples", "the number of SmoothGrad's samples n"),
        "noise": ("#noise_level", "SmoothGrad's noise level σ"),
        "lab-choices": (".lab-page:not([hidden]) .lab-choices", "the prediction of the open lab"),
        "lab-controls": (".lab-page:not([hidden]) .lab-controls", "the controls of the open lab"),
        "shelf": ("#shelf", "the shelf of labs"),
        "present": ("#present", "the button *Present*"),
        "copy-link": ("#copy-link", "the button *Copy link*"),
    }
)

MAPS: Mapping[str, str] = MappingProxyType(
    {
        "gradient": "the gradient at the picture",
        "smoothgrad": "SmoothGrad",
        "gradient_times_input": "gradient × input",
        "integrated_gradients": "Integrated Gradients",
    }
)


BESIDE = ("gradient", "sum")


@dataclass(frozen=True, slots=True)
class Choice:
    """An answer to choose from; feedback is what is said to it when it was wrong, and names the idea. Texts are HTML."""

    text: str
    right: bool
    feedback: str


@dataclass(frozen=True, slots=True)
class Mark:
    """Before a map is shown, the visitor marks so many pixels where they expect its largest attributions.

    Attributes:
        map: a name in ``MAPS``.
        pixels: how many are marked.
    """

    map: str
    pixels: int


@dataclass(frozen=True, slots=True)
class Step:
    """One step: predict, act, reveal, explain.

    Attributes:
        title: plain text.
        start: the fields of the state that it starts with, where they differ from the defaults; None keeps what is there.
        points: the control that it speaks of, a name in ``CONTROLS``, or "".
        beside: the map of *Integrated Gradients* that a phone shows beside the picture, a name in ``BESIDE``, or "".
        text: what is said first, as HTML, as are the following texts; "" where there is none.
        predict: the question of the prediction.
        choices: its answers.
        mark: a prediction by marking pixels.
        task: what is to be done.
        done: when it is done: predicates, all of which must hold, with their arguments.
        reveal: what happened.
        explain: why.
    """

    title: str
    start: Mapping[str, Any] | None
    points: str
    beside: str
    text: str
    predict: str
    choices: tuple[Choice, ...]
    mark: Mark | None
    task: str
    done: Mapping[str, Mapping[str, Any]]
    reveal: str
    explain: str


@dataclass(frozen=True, slots=True)
class Lesson:
    """A lesson; ``about`` is HTML, ``own`` says whether it comes from the folder of a teacher."""

    name: str
    title: str
    minutes: int
    about: str
    steps: tuple[Step, ...]
    own: bool = False
