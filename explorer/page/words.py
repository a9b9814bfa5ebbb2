"""The "What's happening?" line: what is seen in this very state, and why.

Each sentence is chosen by the numbers themselves, never by the name of a pattern. Thresholds are stated beside the
sentence that they release.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

PIXELS = 64
NOTHING = 1e-11  # a share this small is the rounding of the sum itself


@dataclass(frozen=True, slots=True)
class Facts:
    """The numbers that the sentences are chosen by; peaks are of |map|, shares are of |ΔF|, see ``answer``."""

    network_linear: bool
    target_name: str
    predicted_name: str
    target_probability: float
    output: str
    f_input: float
    f_baseline: float
    gradient_peak: float
    logit_gradient_peak: float
    path_gradient_peak: float
    gradient_snr: float
    share: float | None
    delta: float
    pixel_error: float | None
    rule: str
    steps: int
    pieces: int
    equal_pixels: int
    samples: int
    noise_level: float
    noise_snr: float | None
    agreement: float | None

    @property
    def f_name(self) -> str:
        """How F is written on the page, such as P(ring) or logit(ring)."""
        return f"{'P' if self.output == 'probability' else 'logit'}({self.target_name})"


def tell(facts: Facts) -> dict[str, list[str]]:
    """The sentences for each tab, the most important first."""
    return {
        "saliency": [*_asked(facts), *_gradient(facts), *_spread(facts.gradient_snr, "This map")],
        "integrated": [*_path(facts), *_sum(facts), *_zeros(facts)],
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


def _asked(facts: Facts) -> list[str]:
    if facts.target_name == facts.predicted_name:
        return []
    return [
        f"The network sees “{facts.predicted_name}” here; you ask about “{facts.target_name}”, "
        f"to which it gives {number(facts.target_probability)}."
    ]


def _gradient(facts: Facts) -> list[str]:
    if facts.gradient_peak == 0:
        return [f"The gradient is zero at every pixel: no small change of the picture would change {facts.f_name}."]
    # With p past 0.98 or below 0.02 every softmax or sigmoid slope is below a fiftieth; and it shows, against the logit's.
    extreme = facts.target_probability > 0.98 or facts.target_probability < 0.02
    if facts.output == "probability" and extreme and facts.gradient_peak < facts.logit_gradient_peak / 20:
        end = "1" if facts.target_probability > 0.5 else "0"
        told = [
            f"Saturation: {facts.f_name} = {probability(facts.target_probability)} is so near {end} that it hardly moves any more, "
            f"so its gradient has almost vanished (at most {number(facts.gradient_peak)}), while the logit’s has not "
            f"(up to {number(facts.logit_gradient_peak)}). The gradient tells what would change the answer now, "
            f"not what made it; switch the output to logit, or look at Integrated Gradients."
        ]
    else:
        told = [
            f"Brightening a + pixel a little raises {facts.f_name}, brightening a − pixel lowers it; the strongest by "
            f"{number(facts.gradient_peak)} for a change of 1."
        ]
    if facts.network_linear:
        changes = "and only its size changes" if facts.output == "probability" else "and of the same size"
        told.append(
            f"This network is linear inside, so for one class the map has the same shape for every picture, {changes}. "
            f"Paint something else and see."
        )
    return told


def _spread(snr: float, what: str) -> list[str]:
    # A peak 8 times the mean is what one pixel in eight carrying everything would give; below 3, most pixels share alike.
    if snr >= 8:
        return [f"{what} is concentrated: its peak is {number(snr)} times its mean."]
    if 0 < snr < 3:
        return [f"{what} is diffuse: its peak is only {number(snr)} times its mean."]
    return []


def _path(facts: Facts) -> list[str]:
    if facts.equal_pixels == PIXELS:
        return ["The input is the baseline itself: there is no path to walk, ΔF is 0 and every attribution is 0."]
    told = []
    if facts.output == "probability" and facts.f_baseline > 0.5:
        told.append(
            f"The baseline itself already scores {facts.f_name} = {probability(facts.f_baseline)}, so what is explained is how the "
            f"picture takes it to {probability(facts.f_input)}; with another baseline it would be another story."
        )
    else:
        told.append(
            f"On the way from the baseline to the picture {facts.f_name} goes from {probability(facts.f_baseline)} to "
            f"{probability(facts.f_input)}; each pixel gets its share of that change."
        )
    if facts.path_gradient_peak > 10 * facts.gradient_peak:
        told.append(
            f"At the picture the gradient is at most {number(facts.gradient_peak)}, yet on the way it reaches "
            f"{number(facts.path_gradient_peak)}: that is what Integrated Gradients adds up and a single gradient misses."
        )
    return told


def _sum(facts: Facts) -> list[str]:
    if facts.equal_pixels == PIXELS:
        return []
    if facts.rule == "exact":
        pieces = f"{facts.pieces} linear pieces" if facts.pieces > 1 else "a single linear piece"
        return [f"The path crosses {pieces}; each is integrated in closed form, so the sum is complete to rounding."]
    if facts.share is None:
        return ["F is the same at both ends, so the attributions should cancel out to 0."]
    if facts.share > 0.01:
        missed = "falls short of" if facts.delta * (facts.f_input - facts.f_baseline) < 0 else "overshoots"
        size = f"{number(facts.share, 2)} times ΔF itself" if facts.share >= 2 else f"{percent(facts.share)} of it"
        return [
            f"Incomplete: the sum {missed} ΔF by {number(abs(facts.delta))}, {size}. More steps bring it "
            f"closer in the end; the exact rule leaves no error."
        ]
    near = f"within {percent(facts.share)} of ΔF" if facts.share >= NOTHING else "ΔF to rounding"
    told = [f"The sum is {near} with {facts.steps} step{'s' if facts.steps > 1 else ''}."]
    # completeness is necessary, not sufficient: errors of single pixels can cancel in the sum
    if facts.pixel_error is not None and facts.pixel_error > max(0.01, 3 * facts.share):
        told.append(
            f"Yet single pixels are off by up to {percent(facts.pixel_error)} of the largest: their errors cancel in the sum."
        )
    return told


def _zeros(facts: Facts) -> list[str]:
    if not 0 < facts.equal_pixels < PIXELS:
        return []
    if facts.equal_pixels == 1:
        return ["1 pixel equals the baseline and so gets 0, whatever the network makes of it."]
    return [f"{facts.equal_pixels} pixels equal the baseline and so get 0, whatever the network makes of them."]


def _agreement(facts: Facts) -> list[str]:
    if facts.agreement is None:
        return ["One of the maps is flat, so there is no ranking of pixels to compare."]
    rank = f"rank correlation {facts.agreement:.2f}".replace("-", "−")
    if facts.agreement > 0.8:
        start = f"Gradient and Integrated Gradients rank the pixels alike here ({rank})."
    elif facts.agreement > 0.3:
        start = f"Gradient and Integrated Gradients agree only in part ({rank})."
    else:
        start = f"Gradient and Integrated Gradients tell different stories ({rank})."
    return [
        start,
        "The gradient asks what would change F at the picture; Integrated Gradients what made F differ from the baseline, "
        "and only its sum is meant to be ΔF.",
    ]


def _noise(facts: Facts) -> list[str]:
    if facts.noise_level == 0:
        return ["With no noise every SmoothGrad sample is the vanilla gradient."]
    if facts.samples == 1:
        return ["One SmoothGrad sample cannot tell signal from noise: take more."]
    if facts.noise_snr is None:
        return ["The SmoothGrad samples do not differ: the gradient is constant where they fall."]
    if facts.noise_snr < 2:
        return [
            f"SmoothGrad is mostly noise: half the pixels lie within {number(facts.noise_snr)} standard errors of 0. "
            f"Four times the samples halve the error."
        ]
    return [f"SmoothGrad’s signal stands clear of its noise: the median pixel is {number(facts.noise_snr)} standard errors from 0."]


def probability(value: float) -> str:
    """Like ``number``, but 0.9995 stays 0.9995: digits until it differs from 1."""
    if 1 - 1e-12 < value < 1:
        return "≈ 1"
    if 0.999 <= value < 1:
        digits = min(15, 1 - math.floor(math.log10(1 - value)))
        return f"{value:.{digits}f}"
    return number(value)
