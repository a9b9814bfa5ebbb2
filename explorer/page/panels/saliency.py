"""The tab Saliency: the picture beside its gradient, and what the gradient says."""

from __future__ import annotations

from dash import html
from dash.development.base_component import Component

from explorer.attribution.network import OUTPUTS
from explorer.page.components import script_owned
from explorer.page.narration import PIXELS, Facts, Sentence
from explorer.page.panel import Panel
from explorer.state import State


def _layout(state: State) -> list[Component]:
    slope = html.P([html.B("A gradient is a slope."), " Where the curve is flat, the slope is 0 and the map is blank."], className="slope-note")
    curves = [
        html.Div([html.H3(id=f"slope-{output}-title", className="visually-hidden"), script_owned(f"slope-{output}", "chart"), html.P(id=f"slope-{output}-note", className="quiet")])
        for output in OUTPUTS
    ]
    return [
        script_owned("saliency-maps", "maps-3"),
        html.Div([slope, *curves], className="maps-3 slopes"),
    ]


def narrate(facts: Facts) -> list[Sentence]:
    """The sentences about the gradient."""
    return [*_other_class(facts), *_gradient(facts), *_spread(facts)]


def _other_class(facts: Facts) -> list[Sentence]:
    if facts.target_name == facts.predicted_name:
        return []
    text = f"The network sees “{facts.predicted_name}” here; you ask about “{facts.target_name}”, to which it gives {{score:probability}}."
    return [Sentence("other class", text, {"score": facts.target_probability})]


def _gradient(facts: Facts) -> list[Sentence]:
    peak, logit_peak = facts.gradient_peak, facts.logit_gradient_peak
    if peak == 0:
        return [Sentence("zero gradient", "The gradient is zero at every pixel, so this map favours no pixel.")]
    # With p past 0.98 or below 0.02 every softmax or sigmoid slope is below a fiftieth; and it shows, in F and against the
    # logit's: no pixel's whole range would change P by 0.05 if the slope stayed.
    extreme = facts.target_probability > 0.98 or facts.target_probability < 0.02
    if facts.output == "probability" and extreme and peak < min(0.05, logit_peak / 20):
        end = 1.0 if facts.target_probability > 0.5 else 0.0
        sentences = [
            Sentence(
                "saturated",
                f"Saturation: {facts.f_name} = {{score:probability}} is so near {{end:whole}} that its gradient has almost vanished "
                "(at most {gradient}).",
                {"score": facts.target_probability, "end": end, "gradient": peak},
            ),
            Sentence("logit not saturated", "The logit’s gradient has not (up to {gradient}).", {"gradient": logit_peak}),
            Sentence("advice", "The gradient tells what would change the answer now, not what made it."),
            Sentence("advice", "Switch the output to Logit, or look at Integrated Gradients."),
        ]
    else:
        sentences = [
            Sentence("sign", f"Brightening a + pixel a little raises {facts.f_name}; brightening a − pixel a little lowers it."),
            Sentence("steepest", "The largest slope is {gradient} for each unit of brightness.", {"gradient": peak}),
        ]
    if facts.one_shape and facts.output == "probability":
        sentences.append(Sentence("one shape", "This network is linear inside: for one class the map has the same shape for every picture."))
    elif facts.one_shape:
        sentences.append(Sentence("one map", "This network is linear inside: for one class the map is the same for every picture."))
    return sentences


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
