"""The tab Integrated Gradients: the path with its gradients and their sum, and what the sum says."""

from __future__ import annotations

from dash import html
from dash.development.base_component import Component

from explorer.page.components import chart_box, script_owned
from explorer.page.narration import NOTHING, PIXELS, Facts, Sentence
from explorer.page.panel import Panel


def _layout() -> list[Component]:
    path = [html.H3(id="path-title"), html.P(id="path-note", className="chart-note"), script_owned("path-chart", "chart")]
    pixel = [html.H3(id="pixel-title"), html.P(id="pixel-area", className="chart-note"), script_owned("pixel-chart", "chart")]
    return [
        script_owned("integrated-maps", "maps maps-4"),
        script_owned("gauge", "gauge"),
        html.Div([chart_box(path), chart_box(pixel)], className="charts"),
    ]


def narrate(facts: Facts) -> list[Sentence]:
    """The sentences about the path and its sum."""
    return _no_path(facts) if facts.no_path else [*_path(facts), *_sum(facts), *_equal_pixels(facts)]


def _no_path(facts: Facts) -> list[Sentence]:
    rounding = "" if facts.equal_pixels == PIXELS else " to rounding"
    return [
        Sentence("no path", f"The input is the baseline itself{rounding}: there is no path."),
        Sentence("nothing to share", f"So ΔF and all of Integrated Gradients are 0{rounding}."),
    ]


def _path(facts: Facts) -> list[Sentence]:
    ends = {"baseline": facts.f_baseline, "input": facts.f_input}
    if facts.output == "probability" and facts.f_baseline > 0.5:
        sentences = [
            Sentence(
                "baseline scores",
                f"The baseline itself already scores {facts.f_name} = {{baseline:probability}}; explained is how the picture takes it "
                "to {input:probability}.",
                ends,
            ),
            Sentence("advice", "Another baseline asks another question."),
        ]
    else:
        text = f"From the baseline to the picture {facts.f_name} goes from {{baseline:probability}} to {{input:probability}}."
        sentences = [Sentence("ends", text, ends), Sentence("advice", "Each pixel is given a share of that change.")]
    if facts.path_peak > 10 * facts.moving_gradient:
        mean = "its mean over a piece" if facts.rule == "exact" else "on the path it"
        sentences += [
            Sentence(
                "gradient on path",
                f"Where pixels change, the gradient is at most {{here}} at the picture; {mean} reaches {{on the path}}.",
                {"here": facts.moving_gradient, "on the path": facts.path_peak},
            ),
            Sentence("advice", "That is what Integrated Gradients adds up and a single gradient misses."),
        ]
    return sentences


def _sum(facts: Facts) -> list[Sentence]:
    if facts.rule == "exact":
        pieces = "{pieces:whole} linear pieces" if facts.pieces > 1 else "a single linear piece"
        return [
            Sentence("pieces", f"The path crosses {pieces}.", {"pieces": facts.pieces}),
            Sentence("complete by pieces", "Each is integrated without error beyond rounding, so the sum is ΔF to rounding."),
        ]
    if facts.share is None:
        text = "F is the same at both ends to rounding, so the sum should be 0; it is {sum}."
        return [Sentence("same ends", text, {"sum": facts.total})]
    share, delta = facts.share, abs(facts.delta)
    if share > 0.01:
        is_short = facts.delta * (facts.f_input - facts.f_baseline) < 0
        size = "{share:two} times ΔF itself" if share >= 2 else "{share:percent} of it"
        return [
            Sentence(
                "incomplete",
                f"Incomplete: the sum {'falls short of' if is_short else 'overshoots'} ΔF by {{delta}}, {size}.",
                {"delta": delta, "share": share, "short": float(is_short)},
            ),
            Sentence("more steps", "More steps bring it closer in the end; the exact rule leaves no error beyond rounding."),
        ]
    near = "differs from ΔF by {share:percent}" if share >= NOTHING else "is ΔF to rounding"
    steps = f"With {{steps:whole}} step{'s' if facts.steps > 1 else ''}"
    sentences = [Sentence("complete", f"{steps} the sum {near}.", {"steps": facts.steps, "share": share})]
    # completeness is necessary, not sufficient: errors of single pixels can cancel in the sum
    if facts.pixel_error is not None and facts.pixel_error > max(0.01, 3 * share):
        text = "Yet single pixels are off by up to {error:percent} of the largest."
        sentences.append(Sentence("pixel errors", text, {"error": facts.pixel_error}))
        if facts.net_error <= 0.1:
            sentences.append(Sentence("errors cancel", "In the sum their errors nearly cancel."))
    return sentences


def _equal_pixels(facts: Facts) -> list[Sentence]:
    count = facts.equal_pixels
    if count == 0:
        return []
    subject, them = ("pixel equals the baseline and so gets", "it") if count == 1 else ("pixels equal the baseline and so get", "them")
    return [Sentence("equal pixels", f"{{pixels:whole}} {subject} 0, whatever the network makes of {them}.", {"pixels": count})]


PANEL = Panel("Integrated Gradients", _layout, narrate, needs_exact=True)
