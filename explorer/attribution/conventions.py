"""Conventions: the settings with which methods here give the maps of a paper or a library.

::

    method = METHODS["smoothgrad"]
    method(case, **CONVENTIONS["captum"].values(method)).attribution   # Captum's map for the same noise
"""

# The notes of a convention name what it cannot set: LIME, KernelSHAP and occlusion, and the libraries' random numbers (noise
# here has the same distribution, not the same numbers).

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from explorer.attribution.method import SHARED, Method, Value


@dataclass(frozen=True, slots=True, eq=False)
class Convention:
    """The settings of one paper or library.

    Attributes:
        name: the key in code and links.
        title: the name that is shown.
        source: the version or papers that it follows.
        shared: settings of the whole page: ``baseline`` and ``output``, which belong to the case, and ``steps``, ``rule``,
            ``samples``, ``noise_level`` and ``clip``. Without ``output`` the user's choice is kept.
        options: method name → values for that method's own settings.
        notes: what differs from the paper and what cannot be reproduced, one sentence each.
    """

    name: str
    title: str
    source: str
    shared: Mapping[str, Value]
    options: Mapping[str, Mapping[str, Value]]
    notes: tuple[str, ...]

    def values(self, method: Method) -> dict[str, Value]:
        """The convention's values for a method's settings; all other settings keep their defaults."""
        common = {s.name: self.shared[s.name] for s in SHARED if s in method.settings and s.name in self.shared}
        return {**common, **self.options.get(method.name, {})}


def _shared(steps: int, rule: str, samples: int, noise_level: float, clip: bool = False) -> dict[str, Value]:
    return {
        "baseline": "black",  # all of them
        "steps": steps,
        "rule": rule,
        "samples": samples,
        "noise_level": noise_level,
        "clip": clip,
    }


def _convention(
    name: str,
    title: str,
    source: str,
    shared: Mapping[str, Value],
    options: Mapping[str, Mapping[str, Value]],
    notes: tuple[str, ...],
) -> Convention:
    """A convention with read-only mappings."""
    read_only = {method: MappingProxyType(dict(values)) for method, values in options.items()}
    return Convention(name, title, source, MappingProxyType(dict(shared)), MappingProxyType(read_only), notes)


PAPER = _convention(
    "paper",
    "as the paper",
    "Simonyan et al. 2013, Sundararajan et al. 2017, Smilkov et al. 2017",
    {**_shared(50, "right", 50, 0.15), "output": "probability"},
    {},
    (
        "The papers leave some numbers open: 20 to 300 steps, and noise of 10 to 20 % of the range of the pixels.",
        "The range of the pixels is 1 here, that of all pictures, whatever the range of this one.",
        "Simonyan et al. show the magnitude of the gradient; here it keeps its sign.",
        "LIME, KernelSHAP, occlusion and what else these papers do not define keep their own settings.",
    ),
)

CAPTUM = _convention(
    "captum",
    "as Captum",
    "Captum 0.9.0",
    _shared(50, "gauss-legendre", 5, 1.0),
    {
        "gradient": {"magnitude": True},
        "smoothgrad": {"of": "magnitude"},
        "vargrad": {"variance_of": "magnitude", "ddof": 0},
        "smooth_integrated_gradients": {"steps": 50, "samples": 5},
        "gradient_shap": {"samples": 5, "noise_level": 0.0},
        "lrp_epsilon": {"epsilon": 1e-9},
    },
    (
        "Saliency is the magnitude of the gradient, so its SmoothGrad averages magnitudes and its VarGrad is the variance "
        "of magnitudes.",
        "The noise has a standard deviation of 1, whatever the pixels: as much as their whole range here, and only 5 copies "
        "are averaged, so the map is mostly noise.",
        "Integrated Gradients uses the Gauss–Legendre rule instead of the paper's sum.",
        "Fault: its trapezoid rule, which is not its default, has weights that sum to (m − 1)/m; here it is called "
        "captum-trapezoid.",
        "The steps' weights are kept in single precision; here they are double, so maps differ by about 1 part in 10⁷.",
        "Its DeepLIFT has a rule of its own for the softmax that loses completeness; it is not imitated.",
        "Not set: its LIME and KernelSHAP take single pixels, not blocks, and 25 samples.",
        "Its LIME fits by the Lasso with α = 0.01, and weighs by the cosine between pictures.",
        "Occlusion is the same for the same window; Captum has no window of its own to set.",
    ),
)

PAIR = _convention(
    "pair",
    "as PAIR saliency",
    "PAIR saliency 0.2.1",
    _shared(25, "closed-average", 25, 0.15),
    {
        "smoothgrad": {"noise_range": "picture", "of": "square"},
        "smoothgrad_squared": {"noise_range": "picture"},
        "vargrad": {"noise_range": "picture"},  # not in the library; the copies are SmoothGrad's
        "smooth_integrated_gradients": {"steps": 25, "samples": 25, "noise_range": "picture", "squares": True},
        "guided_integrated_gradients": {"steps": 200, "fraction": 0.25, "max_dist": 0.02},
        "xrai": {"steps": 100},
        "blur_integrated_gradients": {"steps": 100, "rule": "right", "sigma_max": 50.0, "grad_step": 0.01},
    },
    (
        "Fault: Integrated Gradients averages m points that include both ends; the ends should count half.",
        "SmoothGrad averages squares unless told otherwise, which others call SmoothGrad².",
        "The noise is a share of the picture's own range: an even picture gets none.",
        "Fault: Blur IG's difference quotient is far shorter than its steps, so jumps of the blur, where a kernel grows by a "
        "pixel, are counted often or never.",
        "Sums of gradients are kept in single precision; here they are double, so maps differ by about 1 part in 10⁷.",
        "Not set: its occlusion sums over the windows on a pixel, of 15 × 15 pixels, where others average.",
        "It has no LIME and no KernelSHAP, so these keep their own settings.",
    ),
)

ZENNIT = _convention(
    "zennit",
    "as Zennit",
    "Zennit 0.5.1",
    _shared(20, "right", 20, 0.1),
    {
        "smoothgrad": {"noise_range": "picture", "clean_last": True},
        # not in the library; the copies are SmoothGrad's
        "smoothgrad_squared": {"noise_range": "picture", "clean_last": True},
        "vargrad": {"noise_range": "picture", "clean_last": True},
        "lrp_epsilon": {"epsilon": 1e-6},
        "lrp_gamma": {"gamma": 0.25},
    },
    (
        "Asked for nothing in particular it explains all classes at once, each as much as it scores; here it is asked for the "
        "target alone.",
        "The last of SmoothGrad's copies is the picture itself, without noise, so one sample gives the gradient.",
        "The noise is a share of the picture's own range: an even picture gets none.",
        "Its γ-rule and z⁺-rule add a stabiliser of 10⁻⁶, and its z⁺-rule shares out to positive biases too; neither is "
        "imitated.",
        "Not set: its occlusion shows one window of 8 × 8 pixels and hides the rest; its map is F itself.",
        "It has no LIME and no KernelSHAP, so these keep their own settings.",
    ),
)

XPLIQUE = _convention(
    "xplique",
    "as Xplique",
    "Xplique 2.0.0, its documentation and source, not run",
    _shared(49, "trapezoid", 50, 0.2),
    {
        "gradient": {"magnitude": True},
        "vargrad": {"ddof": 1},
    },
    (
        "Integrated Gradients uses the trapezoid rule; what it calls 50 steps are 50 points, with 49 steps between them.",
        "Saliency is the magnitude of the gradient, but SmoothGrad averages gradients with their sign.",
        "The noise has a standard deviation of 0.2, whatever the pixels.",
        "VarGrad divides by n − 1.",
        "It computes in single precision; here it is double.",
        "Not set: its LIME and KernelSHAP take regions of a segmentation, not blocks, and 150 and 800 samples.",
        "Its LIME fits by ridge regression, and its KernelSHAP does not hold the sum at ΔF.",
        "Its occlusion puts grey windows of 3 × 3 pixels side by side; it is not set either.",
    ),
)

ORIGINAL = _convention(
    "original",
    "as the original explorer",
    "Gradient Attribution — Interactive Explorer, G. T. Chism 2026",
    {**_shared(50, "right", 50, 0.15, clip=True), "output": "probability"},
    {},
    (
        "SmoothGrad's noisy copies are clipped to 0…1, so where the picture is black or white the noise is lopsided.",
        "Its page does not say how many copies it averages, nor how noisy they are: the paper's 50 and 15 % stand in.",
        "It has three methods; LIME, KernelSHAP, occlusion and all others keep their own settings.",
    ),
)

CONVENTIONS: Mapping[str, Convention] = MappingProxyType(
    {convention.name: convention for convention in (PAPER, CAPTUM, PAIR, ZENNIT, XPLIQUE, ORIGINAL)}
)
