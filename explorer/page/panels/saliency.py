"""The tab Saliency: the picture beside its gradient, and what the gradient says."""

from __future__ import annotations

from dash import html
from dash.development.base_component import Component

from explorer.attribution.network import OUTPUTS
from explorer.page.components import script_owned, term
from explorer.page.narration import PIXELS, Facts
from explorer.page.panel import Panel
from explorer.sentences import Sentence
from explorer.state import State


def _layout(state: State) -> list[Component]:
    slope = html.P([html.B("A gradient is a slope."), " Where the curve is flat, the slope is 0 and the map is blank: ", term("saturation", "saturation"), "."], className="slope-note")
    curves = [
        html.Div([html.H3("F along the path", id=f"slope-{output}-title", className="visually-hidden"), script_owned(f"slope-{output}", "chart"), html.P(id=f"slope-{output}-note", className="quiet")])
        for output in OUTPUTS
    ]
    return [
        script_owned("saliency-maps", "maps-3"),
        html.Div([slope, *curves], className="maps-3 slopes"),
    ]


def narrate(facts: Facts) -> list[Sentence]:
    """The sentences about the gradient."""
    first, *gradient = _gradient(facts)
    others = facts.target_name != facts.predicted_name
    headline = [other_class(facts).at("headline"), first.at("second")] if others else [first.at("headline")]
    return [*headline, *gradient, *_one_shape(facts), *_spread(facts)]


def other_class(facts: Facts) -> Sentence:
    """Which class the network sees instead."""
    text = f"The network sees “{facts.predicted_name}”. You ask about “{facts.target_name}”, to which it gives P = {{score:chance}}."
    return Sentence("other class", text, {"score": facts.target_probability})


def _gradient(facts: Facts) -> list[Sentence]:
    """The first is the headline, or the second line where that is needed for another class."""
    peak, logit_peak, p = facts.gradient_peak, facts.logit_gradient_peak, facts.target_probability
    is_said = facts.output == "probability" and facts.target_name != facts.predicted_name  # by the headline
    value = "" if is_said else "P is {score:chance}. " if facts.output == "probability" else "The logit is {score:number}. "
    if peak == 0:
        return [Sentence("zero gradient", "The gradient is 0 at every pixel, so this map favours none.")]
    # With p past 0.98 or below 0.02 every softmax or sigmoid slope is below a fiftieth; and it shows, in F and against the
    # logit's: no pixel's whole range would change P by 0.05 if the slope stayed.
    if facts.output == "probability" and (p > 0.98 or p < 0.02) and peak < min(0.05, logit_peak / 20):
        blank = ": the gradient is blank" if facts.blank else ""
        so = "P is already {score:chance}, so no single pixel can raise it much" if p > 0.5 else "Small changes hardly move P" if is_said else "P is {score:chance}, and small changes hardly move it"
        return [
            Sentence("saturated", f"{so}{blank}.", {"score": p}),
            Sentence("logit not saturated", "The score behind it, the logit, still responds (up to {gradient:number}).", {"gradient": logit_peak}, "second"),
            Sentence("advice", "The gradient tells what would change the answer now, not what made it."),
        ]
    if facts.blank:
        ratio = int(min(facts.gradient_scale / peak, 1e9))
        text = f"{value}The gradient here is blank: it was {{ratio:whole}} times larger on the way."
        sentences = [Sentence("gradient blank", text, {"score": facts.f_input, "ratio": ratio})]
    elif facts.kink:
        sentences = [Sentence("kink here", f"{value}Your picture lies on a kink: for some pixels, the slope upwards is not the gradient.", {"score": facts.f_input})]
    else:
        text = f"{value}A + pixel raises {'P' if is_said else 'it'} when it gets a little brighter, a − pixel lowers it."
        sentences = [Sentence("sign", text, {"score": facts.f_input})]
    return [*sentences, Sentence("steepest", "The largest slope is {gradient:number} per unit of a pixel.", {"gradient": peak}, "second")]


def _one_shape(facts: Facts) -> list[Sentence]:
    if not facts.one_shape or facts.gradient_peak == 0:
        return []
    if facts.output == "probability":
        return [Sentence("one shape", "This network is linear inside: for one class the map has the same shape for every picture.")]
    return [Sentence("one map", "This network is linear inside: for one class the map is the same for every picture.")]


def _spread(facts: Facts) -> list[Sentence]:
    snr, half = facts.gradient_snr, facts.gradient_half
    # concentrated: a pixel in eight, or fewer, hold half of the map; diffuse: it takes a sixth or more of them
    if snr >= 8 and half <= PIXELS // 8:
        pixels = "a single pixel" if half == 1 else "{pixels:whole} pixels"
        text = f"This map is concentrated: half of it lies in {pixels}, and its peak is {{snr}} times its mean."
        return [Sentence("concentrated", text, {"pixels": half, "snr": snr})]
    if 0 < snr < 3 and half >= PIXELS / 6:
        text = "This map is diffuse: half of it takes {pixels:whole} pixels, and its peak is only {snr} times its mean."
        return [Sentence("diffuse", text, {"pixels": half, "snr": snr})]
    return []


PANEL = Panel("Saliency", _layout, narrate)
