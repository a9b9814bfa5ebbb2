"""Groups of controls that a link can hide: ``hide=network,digits``. ``assets/css/hide.css`` has a rule for each name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

# name: what is not shown
HIDEABLE: Mapping[str, str] = MappingProxyType(
    {
        "baseline": "the small pictures that choose the baseline",
        "class": "the choice of the class that is explained, and the list of classes",
        "compare": "the tab *Compare*",
        "concepts": "the key concepts at the end of the page",
        "digits": "the handwritten digits",
        "figures": "the figures and downloads below the maps",
        "integrated": "the tab *Integrated Gradients*",
        "labs": "the tab *Labs*",
        "methods": "the tab *Methods*",
        "network": "the choice of the network",
        "output": "the switch between P and logit",
        "patterns": "the patterns",
        "player": "the buttons that play and step",
        "rule": "steps m and rule",
        "saliency": "the tab *Saliency*",
        "smoothgrad": "samples, noise and seed of SmoothGrad",
        "tools": "brush, undo, eraser, invert and clear",
    }
)
