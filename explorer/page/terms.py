"""Terms of the page that are explained where they are met: what a popover says, and the concept that says more."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

# name: (text, name of a concept or "")
TERMS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "F": ("The output that is explained: the probability or the logit of one class, the target.", "logit"),
        "baseline": ("x′, the picture that the path starts from. Another baseline gives another explanation.", "baseline"),
        "alpha": ("α is the place on the path: 0 at the baseline, 1 at your picture. Pixels are x′ + α (x − x′).", "integrated-gradients"),
        "gradient": ("∂F/∂x: how fast F changes when a pixel gets a little brighter.", "gradient"),
        "relu": ("A ReLU unit passes positive numbers and stops negative ones. A tick marks where one switches on or off.", "exact"),
        "logit": ("The score of a class before it becomes a probability. It does not flatten where P is near 1.", "logit"),
        "saturation": ("P cannot rise above 1. Near 1 its curve is flat, so its gradient is almost 0.", "saturation"),
        "sum": ("Σ adds up all attributions. For Integrated Gradients it should be ΔF.", "completeness"),
        "delta": ("ΔF = F(x) − F(x′): how much F changed from the baseline to your picture.", "completeness"),
        "error": ("Σ − ΔF is what the sum misses. A small value is necessary, not sufficient.", "completeness"),
        "concentration": ("The map’s peak divided by its mean: 1 is flat, 64 a single pixel. More is not better.", "concentration"),
        "map": ("One number for each pixel, drawn as a colour: + raises F, − lowers it.", "gradient"),
        "integrated": ("Integrated Gradients adds up the gradients on the way from a baseline to your picture.", "integrated-gradients"),
        "smoothgrad": ("SmoothGrad is the mean gradient of copies with noise.", "smoothgrad"),
        "guided": ("Guided Backprop passes back positive parts only, wherever there is a ReLU.", ""),
        "rules": ("DeepLIFT and LRP hand the score back layer by layer, each by rules of its own.", "invariance"),
        "spread": ("The standard error says how far a mean of random draws may be off.", "smoothgrad"),
        "rank": ("1: two maps order the pixels alike. 0: unrelated. −1: the other way round.", ""),
        "road": ("ROAD fills deleted pixels from their neighbours, so that less looks strange to the network.", ""),
        "top": ("The top pixels of a map are those with the largest attributions.", ""),
        "score": ("F, the output that is explained: the probability or the logit of one class.", "logit"),
        "passes": ("A forward pass computes F once. A backward pass computes its gradient once.", ""),
        "pin": ("A pinned method is shown in Compare, next to the others that are pinned.", ""),
    }
)

# Words in the texts of labs that are such terms, the longest first.
WORDS: Mapping[str, str] = MappingProxyType(
    {
        "Integrated Gradients": "integrated",
        "Guided Backprop": "guided",
        "rank correlation": "rank",
        "standard error": "spread",
        "pinned methods": "pin",
        "top pixels": "top",
        "SmoothGrad": "smoothgrad",
        "DeepLIFT": "rules",
        "baseline": "baseline",
        "gradient": "gradient",
        "logit": "logit",
        "the score": "score",
        "ReLU": "relu",
        "ROAD": "road",
        "map": "map",
        "x′": "baseline",
        "α": "alpha",
        "F": "F",
    }
)
