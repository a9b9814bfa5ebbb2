"""``Facts``, from which each panel chooses its sentences, and the claims that they make; ``tests/claims.py`` checks each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

PIXELS = 64
NOTHING = 1e-11  # shares and changes of a pixel below this are rounding errors
FAINT = 0.04  # of its scale: a map that stays below is drawn blank; FAINT in assets/draw/map.js
ENOUGH_SAMPLES = 20  # with fewer, |mean| / standard error is far from normal: at n = 2 a third of the clear signs are wrong

Claim = Literal[
    "other class",
    "zero gradient",
    "gradient blank",
    "flared up",
    "saturated",
    "logit not saturated",
    "sign",
    "kink here",
    "steepest",
    "one shape",
    "one map",
    "concentrated",
    "diffuse",
    "no path",
    "nothing to share",
    "baseline scores",
    "score",
    "logit responds",
    "near 1",
    "raised",
    "lowered",
    "ends",
    "gradient on path",
    "pieces",
    "complete by pieces",
    "same ends",
    "incomplete",
    "more steps",
    "complete",
    "pixel errors",
    "errors cancel",
    "equal pixels",
    "flat map",
    "ranked alike",
    "ranked in part",
    "ranked apart",
    "rank unsettled",
    "no noise",
    "one sample",
    "samples alike",
    "few pixels differ",
    "few samples",
    "noise hides",
    "noise in part",
    "clear of noise",
    "four times",
    "advice",
]


# How the start of the path is named in a sentence, by kind of baseline.
STARTS: Mapping[str, str] = MappingProxyType(
    {
        "black": "black",
        "white": "white",
        "noise": "noise",
        "blur": "the blurred picture",
        "mean": "the mean picture",
        "farthest": "the farthest picture",
        "drawing": "your baseline",
    }
)


@dataclass(frozen=True, slots=True)
class Facts:
    """The numbers by which sentences are chosen; peaks are of |map|, shares of |ΔF|, see ``answer``.

    Attributes:
        one_shape: whether the gradient of this F has one shape for all pictures.
        start: the baseline, as in "on the way from black".
        gradient_scale: the largest |gradient| at any step of the path and at the picture, on whose scale the gradient is drawn.
        gradient_half: the fewest pixels that hold half of Σ |gradient|.
        moving_gradient: the gradient's peak at the picture, over the pixels that differ from the baseline.
        path_peak: its peak over the steps that weigh something, over the pixels that move a tenth of the farthest or more.
        share: |Σ − ΔF| / |ΔF|; None where ΔF is rounding.
        pixel_error: the largest error of a pixel, as a share of the exact map's peak; None where that is 0.
        exact: whether the exact rule applies to the network.
        kink: whether some pixel that is drawn changes F otherwise than its gradient says, however little it is raised; only looked for
            where the exact rule does not apply: a maximum of equal numbers is the common case.
        net_error: |Σ errors| / Σ |errors| over the pixels; 0 where there are none.
        farthest: max |x − x′|.
        differing: the pixels in which SmoothGrad's samples differ by more than rounding.
        agreement: rank correlation of gradient and Integrated Gradients, None where a map is flat.
        exact_agreement: the same with exact Integrated Gradients.
    """

    one_shape: bool
    target_name: str
    predicted_name: str
    target_probability: float
    output: str
    f_input: float
    f_baseline: float
    start: str
    gradient_peak: float
    gradient_scale: float
    logit_gradient_peak: float
    gradient_snr: float
    gradient_half: int
    moving_gradient: float
    path_peak: float
    total: float
    delta: float
    share: float | None
    pixel_error: float | None
    net_error: float
    rule: str
    exact: bool
    kink: bool
    steps: int
    pieces: int
    equal_pixels: int
    farthest: float
    samples: int
    noise_level: float
    noise_snr: float | None
    differing: int
    agreement: float | None
    exact_agreement: float | None

    @property
    def f_name(self) -> str:
        """How F is written on the page, such as P(ring) or logit(ring)."""
        return f"{'P' if self.output == 'probability' else 'logit'}({self.target_name})"

    @property
    def subject(self) -> str:
        """F within a sentence."""
        return "P" if self.output == "probability" else "the logit"

    @property
    def blank(self) -> bool:
        """Whether the gradient at the picture is drawn blank, although it is not 0."""
        return 0 < self.gradient_peak < FAINT * self.gradient_scale

    @property
    def no_path(self) -> bool:
        """Whether the input is the baseline, to rounding."""
        return self.farthest <= NOTHING
