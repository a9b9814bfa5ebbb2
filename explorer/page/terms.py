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
        "passes": ("A forward pass computes F once. A backward pass computes its gradient once.", ""),
        "pin": ("A pinned method is shown in Compare, next to the others that are pinned.", ""),
    }
)
