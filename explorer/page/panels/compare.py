"""The tab Compare: the pinned methods side by side, how far they agree, and how clear SmoothGrad is of its noise."""

from __future__ import annotations

from dash import html
from dash.development.base_component import Component

from explorer.page.components import script_owned, segmented
from explorer.page.controls import noise_controls
from explorer.page.narration import ENOUGH_SAMPLES, PIXELS, Claim, Facts
from explorer.page.panel import Panel
from explorer.sentences import Sentence
from explorer.state import State

SCALES = {"unit": "One per unit", "own": "Own"}


def _layout(state: State) -> list[Component]:
    scales = [{"label": label, "value": scale} for scale, label in SCALES.items()]
    means = [html.H3("Mean |attribution| per pixel"), script_owned("mean-chart", "chart chart-bars")]
    ranks = [html.H3("Rank correlation (Spearman)"), script_owned("correlations", "correlations")]
    return [
        html.Div([html.Span("Scale"), segmented("scale", "Colour scale", scales, state.scale), html.Span(id="scale-note", className="quiet")], className="scale-switch"),
        script_owned("compare-maps", "units"),
        html.Div(noise_controls(state), id="smoothgrad-controls", className="noise-controls"),
        html.Details([html.Summary("How alike are they?"), html.Div([html.Div(means), html.Div(ranks)], className="alike-charts")], id="alike"),
    ]


def narrate(facts: Facts) -> list[Sentence]:
    """The sentences about how the three core methods agree, and about SmoothGrad's noise."""
    return [*_agreement(facts), *_noise(facts)]


def _agreement(facts: Facts) -> list[Sentence]:
    if facts.agreement is None or facts.exact_agreement is None or facts.no_path:
        return [Sentence("flat map", "One of the maps is flat, so there is no ranking of pixels to compare.")]
    claim, text = _ranked(facts.agreement)
    found = {"correlation": facts.agreement}
    if claim == _ranked(facts.exact_agreement)[0]:
        sentence = Sentence(claim, f"Gradient and Integrated Gradients {text} (rank correlation {{correlation:correlation}}).", found)
    else:
        text = (
            f"The rank correlation of Gradient and Integrated Gradients is {{correlation:correlation}} with {{steps:whole}} "
            f"step{'s' if facts.steps > 1 else ''}, {{exact:correlation}} with the exact integral."
        )
        sentence = Sentence("rank unsettled", text, {**found, "exact": facts.exact_agreement, "steps": facts.steps})
    return [
        sentence,
        Sentence("advice", "The gradient asks what would change F at your picture."),
        Sentence("advice", "Integrated Gradients asks what made F differ from the baseline."),
    ]


def _ranked(correlation: float) -> tuple[Claim, str]:
    if correlation > 0.8:
        return "ranked alike", "rank the pixels alike here"
    if correlation > 0.3:
        return "ranked in part", "agree only in part"
    return "ranked apart", "rank the pixels differently"


def _noise(facts: Facts) -> list[Sentence]:
    n, snr = facts.samples, facts.noise_snr
    if facts.noise_level == 0:
        return [Sentence("no noise", "With no noise every SmoothGrad sample is the vanilla gradient.")]
    if n == 1:
        return [Sentence("one sample", "One SmoothGrad sample cannot tell signal from noise: take more.")]
    if facts.differing == 0:
        return [Sentence("samples alike", "All {samples:whole} SmoothGrad samples are the same to rounding.", {"samples": n})]
    if snr is None or facts.differing <= PIXELS // 2:
        pixels = "a single pixel" if facts.differing == 1 else "{pixels:whole} pixels"
        return [Sentence("few pixels differ", f"The {{samples:whole}} SmoothGrad samples differ in {pixels} only.", {"samples": n, "pixels": facts.differing})]
    if n < ENOUGH_SAMPLES:
        text = "{samples:whole} SmoothGrad samples are too few to tell signal from noise: take {enough:whole} or more."
        return [Sentence("few samples", text, {"samples": n, "enough": ENOUGH_SAMPLES})]
    found = {"errors": snr}
    more = Sentence("four times", "Four times the samples halve the standard error on average.")
    if snr < 1:
        return [Sentence("noise hides", "SmoothGrad is too noisy: half its pixels lie within {errors} standard errors of 0.", found), more]
    if snr < 2:
        return [Sentence("noise in part", "SmoothGrad is still noisy: the median pixel is only {errors} standard errors from 0.", found), more]
    return [Sentence("clear of noise", "SmoothGrad is well above its noise: the median pixel is {errors} standard errors from 0.", found)]


PANEL = Panel("Compare", _layout, narrate, shows_methods=True, needs_exact=True)
