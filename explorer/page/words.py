"""The "What's happening?" line: what is seen in this very state, and why.

Each sentence is chosen by the numbers themselves, never by the name of a pattern. It carries the name of its claim and
the numbers that it states: ``tests/page/claims.py`` checks every claim against numbers of its own.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

PIXELS = 64
NOTHING = 1e-11  # a share, or a way in pixels, this small is rounding
ENOUGH_SAMPLES = 20  # with fewer, |mean| / standard error is far from normal: at n = 2 a third of the clear signs are wrong

Claim = Literal[
    "other class",
    "zero gradient",
    "saturated",
    "logit not saturated",
    "sign",
    "steepest",
    "one shape",
    "one map",
    "concentrated",
    "diffuse",
    "no path",
    "nothing to share",
    "baseline scores",
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


@dataclass(frozen=True, slots=True)
class Sentence:
    """What is said: the claim, its text, and every number in the text by name, as it was before it was rounded.

    The claim ``"advice"`` says nothing of this state.
    """

    claim: Claim
    text: str
    numbers: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Facts:
    """The numbers that the sentences are chosen by; peaks are of |map|, shares are of |ΔF|, see ``answer``.

    Attributes:
        one_shape: whether the gradient of this F has one shape for all pictures.
        gradient_half: the fewest pixels that hold half of Σ |gradient|.
        moving_gradient: the gradient's peak at the picture, over the pixels that differ from the baseline.
        path_peak: its peak over the steps that weigh something, over the pixels that move a tenth of the farthest or more.
        share: |Σ − ΔF| / |ΔF|; None where ΔF is rounding.
        pixel_error: the largest error of a pixel, as a share of the exact map's peak; None where that is 0.
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
    gradient_peak: float
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
    def no_path(self) -> bool:
        """Whether the input is the baseline, to rounding."""
        return self.farthest <= NOTHING


def tell(facts: Facts) -> dict[str, list[Sentence]]:
    """The sentences for each tab, the most important first."""
    return {
        "saliency": [*_asked(facts), *_gradient(facts), *_spread(facts)],
        "integrated": _no_path(facts) if facts.no_path else [*_path(facts), *_sum(facts), *_zeros(facts)],
        "compare": [*_agreement(facts), *_noise(facts)],
    }


def number(value: float, digits: int = 3) -> str:
    """So many significant digits with a true minus sign, as ``explorer.number`` of the page."""
    text = f"{value:#.{digits}g}".removesuffix(".") if value else "0"
    if "e" in text:
        mantissa, exponent = text.split("e")
        raised = str(int(exponent)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
        text = f"{mantissa}·10{raised}"
    return text.replace("-", "−")


def percent(share: float) -> str:
    """A share as a percentage, as ``explorer.percent`` of the page: two significant digits below 10 %, whole above."""
    value = 100 * share
    if share < NOTHING:
        return "0 %"
    return f"{number(value, 2)} %" if value < 9.5 else f"{value:.0f} %"


def _asked(facts: Facts) -> list[Sentence]:
    if facts.target_name == facts.predicted_name:
        return []
    score = facts.target_probability
    text = (
        f"The network sees “{facts.predicted_name}” here; you ask about “{facts.target_name}”, "
        f"to which it gives {probability(score)}."
    )
    return [Sentence("other class", text, {"score": score})]


def _gradient(facts: Facts) -> list[Sentence]:
    peak, logit_peak = facts.gradient_peak, facts.logit_gradient_peak
    if peak == 0:
        return [Sentence("zero gradient", "The gradient is zero at every pixel, so this map favours no pixel.")]
    # With p past 0.98 or below 0.02 every softmax or sigmoid slope is below a fiftieth; and it shows, in F and against the
    # logit's: no pixel's whole range would change P by 0.05 if the slope stayed.
    extreme = facts.target_probability > 0.98 or facts.target_probability < 0.02
    if facts.output == "probability" and extreme and peak < min(0.05, logit_peak / 20):
        end = "1" if facts.target_probability > 0.5 else "0"
        score = facts.target_probability
        told = [
            Sentence(
                "saturated",
                f"Saturation: {facts.f_name} = {probability(score)} is so near {end} that its gradient has almost vanished "
                f"(at most {number(peak)}).",
                {"score": score, "end": float(end), "gradient": peak},
            ),
            Sentence("logit not saturated", f"The logit’s gradient has not (up to {number(logit_peak)}).", {"gradient": logit_peak}),
            Sentence("advice", "The gradient tells what would change the answer now, not what made it."),
            Sentence("advice", "Switch the output to Logit, or look at Integrated Gradients."),
        ]
    else:
        told = [
            Sentence("sign", f"Brightening a + pixel a little raises {facts.f_name}; brightening a − pixel a little lowers it."),
            Sentence("steepest", f"The largest slope is {number(peak)} for each unit of brightness.", {"gradient": peak}),
        ]
    if facts.one_shape and facts.output == "probability":
        told.append(Sentence("one shape", "This network is linear inside: for one class the map has the same shape for every picture."))
    elif facts.one_shape:
        told.append(Sentence("one map", "This network is linear inside: for one class the map is the same for every picture."))
    return told


def _spread(facts: Facts) -> list[Sentence]:
    snr, half = facts.gradient_snr, facts.gradient_half
    # concentrated: a pixel in eight, or fewer, hold half of the map; diffuse: it takes a sixth or more of them
    if snr >= 8 and half <= PIXELS // 8:
        pixels = "a single pixel" if half == 1 else f"{half} pixels"
        text = f"This map is concentrated: half of it lies in {pixels}, and its peak is {number(snr)} times its mean."
        return [Sentence("concentrated", text, {"pixels": half, "snr": snr})]
    if 0 < snr < 3 and half >= PIXELS / 6:
        text = f"This map is diffuse: half of it takes {half} pixels, and its peak is only {number(snr)} times its mean."
        return [Sentence("diffuse", text, {"pixels": half, "snr": snr})]
    return []


def _no_path(facts: Facts) -> list[Sentence]:
    rounding = "" if facts.equal_pixels == PIXELS else " to rounding"
    return [
        Sentence("no path", f"The input is the baseline itself{rounding}: there is no path."),
        Sentence("nothing to share", f"So ΔF and all of Integrated Gradients are 0{rounding}."),
    ]


def _path(facts: Facts) -> list[Sentence]:
    start, end = facts.f_baseline, facts.f_input
    ends = {"baseline": start, "input": end}
    if facts.output == "probability" and start > 0.5:
        told = [
            Sentence(
                "baseline scores",
                f"The baseline itself already scores {facts.f_name} = {probability(start)}; explained is how the picture takes it "
                f"to {probability(end)}.",
                ends,
            ),
            Sentence("advice", "Another baseline asks another question."),
        ]
    else:
        text = f"From the baseline to the picture {facts.f_name} goes from {probability(start)} to {probability(end)}."
        told = [Sentence("ends", text, ends), Sentence("advice", "Each pixel is given a share of that change.")]
    if facts.path_peak > 10 * facts.moving_gradient:
        mean = "its mean over a piece" if facts.rule == "exact" else "on the path it"
        told += [
            Sentence(
                "gradient on path",
                f"Where pixels change, the gradient is at most {number(facts.moving_gradient)} at the picture; "
                f"{mean} reaches {number(facts.path_peak)}.",
                {"here": facts.moving_gradient, "on the path": facts.path_peak},
            ),
            Sentence("advice", "That is what Integrated Gradients adds up and a single gradient misses."),
        ]
    return told


def _sum(facts: Facts) -> list[Sentence]:
    if facts.rule == "exact":
        pieces = f"{facts.pieces} linear pieces" if facts.pieces > 1 else "a single linear piece"
        return [
            Sentence("pieces", f"The path crosses {pieces}.", {"pieces": facts.pieces}),
            Sentence("complete by pieces", "Each is integrated without error beyond rounding, so the sum is ΔF to rounding."),
        ]
    if facts.share is None:
        text = f"F is the same at both ends to rounding, so the sum should be 0; it is {number(facts.total)}."
        return [Sentence("same ends", text, {"sum": facts.total})]
    steps = f"With {facts.steps} step{'s' if facts.steps > 1 else ''}"
    share, delta = facts.share, abs(facts.delta)
    if share > 0.01:
        misses = "falls short of" if facts.delta * (facts.f_input - facts.f_baseline) < 0 else "overshoots"
        size = f"{number(share, 2)} times ΔF itself" if share >= 2 else f"{percent(share)} of it"
        return [
            Sentence(
                "incomplete",
                f"Incomplete: the sum {misses} ΔF by {number(delta)}, {size}.",
                {"delta": delta, "share": share, "short": float(misses == "falls short of")},
            ),
            Sentence("more steps", "More steps bring it closer in the end; the exact rule leaves no error beyond rounding."),
        ]
    near = f"differs from ΔF by {percent(share)}" if share >= NOTHING else "is ΔF to rounding"
    told = [Sentence("complete", f"{steps} the sum {near}.", {"steps": facts.steps, "share": share})]
    # completeness is necessary, not sufficient: errors of single pixels can cancel in the sum
    if facts.pixel_error is not None and facts.pixel_error > max(0.01, 3 * share):
        error = facts.pixel_error
        text = f"Yet single pixels are off by up to {percent(error)} of the largest."
        told.append(Sentence("pixel errors", text, {"error": error}))
        if facts.net_error <= 0.1:
            told.append(Sentence("errors cancel", "In the sum their errors nearly cancel."))
    return told


def _zeros(facts: Facts) -> list[Sentence]:
    count = facts.equal_pixels
    if count == 0:
        return []
    subject = "1 pixel equals the baseline and so gets 0" if count == 1 else f"{count} pixels equal the baseline and so get 0"
    return [Sentence("equal pixels", f"{subject}, whatever the network makes of {'it' if count == 1 else 'them'}.", {"pixels": count})]


def _agreement(facts: Facts) -> list[Sentence]:
    if facts.agreement is None or facts.exact_agreement is None or facts.no_path:
        return [Sentence("flat map", "One of the maps is flat, so there is no ranking of pixels to compare.")]
    claim, text = _ranked(facts.agreement)
    settled = claim == _ranked(facts.exact_agreement)[0]
    found = {"correlation": facts.agreement}
    if settled:
        told = [Sentence(claim, f"Gradient and Integrated Gradients {text} (rank correlation {_correlation(facts.agreement)}).", found)]
    else:
        steps = f"{facts.steps} step{'s' if facts.steps > 1 else ''}"
        text = (
            f"The rank correlation of Gradient and Integrated Gradients is {_correlation(facts.agreement)} with {steps}, "
            f"{_correlation(facts.exact_agreement)} with the exact integral."
        )
        told = [Sentence("rank unsettled", text, {**found, "exact": facts.exact_agreement, "steps": facts.steps})]
    return [
        *told,
        Sentence("advice", "The gradient asks what would change F at the picture."),
        Sentence("advice", "Integrated Gradients asks what made F differ from the baseline, and only its sum is meant to be ΔF."),
    ]


def _ranked(correlation: float) -> tuple[Claim, str]:
    if correlation > 0.8:
        return "ranked alike", "rank the pixels alike here"
    if correlation > 0.3:
        return "ranked in part", "agree only in part"
    return "ranked apart", "tell different stories"


def _correlation(value: float) -> str:
    return f"{value:.2f}".replace("-", "−")


def _noise(facts: Facts) -> list[Sentence]:
    n, snr = facts.samples, facts.noise_snr
    if facts.noise_level == 0:
        return [Sentence("no noise", "With no noise every SmoothGrad sample is the vanilla gradient.")]
    if n == 1:
        return [Sentence("one sample", "One SmoothGrad sample cannot tell signal from noise: take more.")]
    if facts.differing == 0:
        return [Sentence("samples alike", f"All {n} SmoothGrad samples are the same to rounding: there is no spread to measure.", {"samples": n})]
    if snr is None or facts.differing <= PIXELS // 2:
        pixels = "a single pixel" if facts.differing == 1 else f"{facts.differing} pixels"
        text = f"The {n} SmoothGrad samples differ in {pixels} only."
        return [Sentence("few pixels differ", text, {"samples": n, "pixels": facts.differing})]
    if n < ENOUGH_SAMPLES:
        text = f"{n} SmoothGrad samples are too few to tell signal from noise: take {ENOUGH_SAMPLES} or more."
        return [Sentence("few samples", text, {"samples": n, "enough": ENOUGH_SAMPLES})]
    found = {"errors": snr}
    more = Sentence("four times", "Four times the samples halve the standard error on average.")
    if snr < 1:
        return [Sentence("noise hides", f"Noise hides SmoothGrad’s signal in half the pixels: they lie within {number(snr)} standard errors of 0.", found), more]
    if snr < 2:
        return [Sentence("noise in part", f"SmoothGrad is still noisy: the median pixel is only {number(snr)} standard errors from 0.", found), more]
    return [Sentence("clear of noise", f"SmoothGrad’s signal stands clear of its noise: the median pixel is {number(snr)} standard errors from 0.", found)]


def probability(value: float) -> str:
    """Like ``number``, but 0.9995 stays 0.9995: digits until it differs from 1."""
    if 1 - 1e-12 < value < 1:
        return "≈ 1"
    if 0.999 <= value < 1:
        digits = min(15, 1 - math.floor(math.log10(1 - value)))
        return f"{value:.{digits}f}"
    return number(value)
