"""The tab Integrated Gradients: the path with its gradients and their sum, and what the sum says."""

from __future__ import annotations

import dash_bootstrap_components as dbc
from dash import html
from dash.development.base_component import Component

from explorer.page.components import icon_button, script_owned, term
from explorer.page.controls import baseline_controls, quadrature_controls
from explorer.page.narration import NOTHING, PIXELS, Claim, Facts
from explorer.page.panel import Panel
from explorer.page.panels.saliency import other_class
from explorer.sentences import Sentence
from explorer.state import State

SPEEDS = {"2": "2 steps/s", "5": "5 steps/s", "10": "10 steps/s", "25": "25 steps/s", "60": "60 steps/s"}

SURE = 0.95  # P from which the network is called sure
NEAR_1 = 0.98  # P from which it can hardly rise


def _layout(state: State) -> list[Component]:
    return [
        html.Div(
            [
                html.Div([script_owned("map-baseline"), baseline_controls(state)], className="cell-baseline"),
                script_owned("map-interpolated", "cell-now"),
                html.P(
                    [
                        html.B("Gradient"), ": how much a brighter pixel raises ", term("F", "F"), ". Your picture appears step by step. At each step, ",
                        html.B("gradient × change of the pixel"), " is added to the ", html.B("sum"), ".",
                    ],
                    className="how",
                ),
                html.Fieldset(
                    [
                        html.Legend("Map beside the picture", className="visually-hidden"),
                        dbc.RadioItems(
                            id="half",
                            options=[{"label": "Gradient", "value": "gradient"}, {"label": "Sum", "value": "sum"}],
                            value="sum",
                            inline=True,
                            className="segmented",
                        ),
                    ],
                    className="halves",
                ),
                script_owned("map-gradient", "cell-gradient"),
                script_owned("map-sum", "cell-sum"),
            ],
            id="integrated-maps",
            className="path-maps",
        ),
        html.Div(
            [
                html.Div([html.Div([_player(), _quadrature(state)], className="line-head"), _timeline()], className="line"),
                html.Div([_gauge(), _pixel()], className="side"),
            ],
            className="lower",
        ),
    ]


def _player() -> html.Div:
    """Play and step, which ask the server nothing."""
    play = html.Button(
        [html.Span(className="icon icon-play", **{"aria-hidden": "true"}), html.Span("Play")],
        id="play",
        type="button",
        title="Play or pause (space)",
        className="tool primary",
    )
    return html.Div(
        [
            icon_button("to-start", "To the start", "start", title="To the start (Home)"),
            icon_button("step-back", "One step back", "back", title="One step back (←)"),
            play,
            icon_button("step-forward", "One step forward", "forward", title="One step forward (→)"),
            icon_button("to-end", "To the end", "end", title="To the end (End)"),
            icon_button("loop", "Loop", "loop"),
            html.Output(id="step-shown", htmlFor="scrub", className="shown"),
        ],
        id="playback",
        className="player",
        role="group",
        **{"aria-label": "Playback of Integrated Gradients"},
    )


def _quadrature(state: State) -> html.Div:
    """The speed of the playback, and how the path is cut into steps."""
    speeds = [{"label": text, "value": value} for value, text in SPEEDS.items()]
    speed = html.Div([html.Label("Speed", htmlFor="speed", className="form-label visually-hidden"), dbc.Select(id="speed", options=speeds, value="10")], className="speed")
    return html.Div([speed, *quadrature_controls(state)], className="quadrature")


def _timeline() -> html.Div:
    """Gradients, curve and slider over one axis, α."""
    return html.Div(
        [
            html.Div(
                [
                    html.H3("F along the path", id="path-title", className="visually-hidden"),
                    script_owned("strip", "strip"),
                    script_owned("path-chart", "chart"),
                ],
                id="plot",
                className="plot",
            ),
            html.Label("Step", htmlFor="scrub", className="form-label visually-hidden"),
            dbc.Input(id="scrub", type="range", min=0, max=50, step=1, value=50),
            html.Div([html.Span(id="path-from"), html.Span(["ticks: a ", term("relu", "unit"), " switches"], id="path-note"), html.Span("your picture")], className="ends"),
        ],
        className="timeline",
    )


def _gauge() -> html.Div:
    return html.Div(
        [
            html.Div([html.H3([term("sum", "Σ"), " against ", term("delta", "ΔF")]), html.B(id="sum-shown", className="notranslate")], className="head"),
            script_owned("sum-bar", "bar"),
            html.P(id="sum-note", className="quiet"),
        ],
        id="gauge",
        className="gauge",
    )


def _pixel() -> html.Div:
    return html.Div(
        [
            html.H3("Strongest pixel", id="pixel-title"),
            html.P(id="pixel-area", className="quiet"),
            script_owned("pixel-chart", "chart"),
        ],
        className="pixel",
    )


def narrate(facts: Facts) -> list[Sentence]:
    """The sentences about the path and its sum."""
    if facts.no_path:
        return _no_path(facts)
    return [_headline(facts).at("headline"), *[sentence.at("second") for sentence in _second(facts)], *_ends(facts), *_sum(facts), *_equal_pixels(facts)]


def _no_path(facts: Facts) -> list[Sentence]:
    rounding = "" if facts.equal_pixels == PIXELS else " to rounding"
    return [
        Sentence("no path", f"Picture and baseline are the same{rounding}. There is no path.", place="headline"),
        Sentence("nothing to share", f"So ΔF and every attribution are 0{rounding}.", place="second"),
    ]


def _headline(facts: Facts) -> Sentence:
    p = facts.target_probability
    if facts.target_name != facts.predicted_name:
        return other_class(facts)
    if facts.output == "probability" and facts.f_baseline > 0.5:
        ends = {"baseline": facts.f_baseline, "input": facts.f_input}
        return Sentence("baseline scores", "The baseline itself already has P = {baseline:chance}; your picture has {input:chance}.", ends)
    value, score = ("P = {score:chance}", p) if facts.output == "probability" else ("The logit is {score:number}", facts.f_input)
    if facts.gradient_peak == 0:
        return Sentence("zero gradient", f"{value}, and its gradient here is 0 at every pixel.", {"score": score})
    if facts.blank and facts.output == "probability" and p >= SURE:
        return Sentence("gradient blank", "The network is sure (P = {score:chance}), yet its gradient here is blank.", {"score": score})
    if facts.blank:
        return Sentence("gradient blank", f"{value}, and its gradient here is blank.", {"score": score})
    if facts.output == "logit" and p > NEAR_1:
        return Sentence("logit responds", f"{value}, and its gradient is not blank: the score still responds.", {"score": score})
    return Sentence("score", f"{value}. The gradient shows only what would change it now.", {"score": score})


def _second(facts: Facts) -> list[Sentence]:
    if facts.output == "logit" and facts.target_probability > NEAR_1 and not facts.blank and facts.gradient_peak > 0:
        near_1 = Sentence("near 1", "P is {score:chance} and can hardly rise.", {"score": facts.target_probability})
        return [near_1, *_change(facts)]
    return _change(facts)


def _change(facts: Facts) -> list[Sentence]:
    """What the sum shows of how F came from the baseline's to the picture's."""
    if facts.share is None or facts.total * (facts.f_input - facts.f_baseline) <= 0:  # too few steps: no pixel need have the sign
        return []
    found, way = {"baseline": facts.f_baseline}, f"on the way from {facts.start}"
    value = "{baseline:chance}" if facts.output == "probability" else "{baseline:number}"
    rose = facts.f_input > facts.f_baseline
    claim: Claim = "raised" if rose else "lowered"
    verb, sign = ("raised", "+") if rose else ("lowered", "−")
    if facts.blank and facts.target_name == facts.predicted_name:
        return [
            Sentence("flared up", f"{way[0].upper()}{way[1:]} the gradient flared up."),
            Sentence(claim, f"The sum adds it up: {sign} pixels {verb} {facts.subject} from {value}.", found),
        ]
    return [Sentence(claim, f"The sum shows what {verb} {facts.subject} from {value} {way}.", found)]


def _ends(facts: Facts) -> list[Sentence]:
    ends = {"baseline": facts.f_baseline, "input": facts.f_input}
    form = "probability" if facts.output == "probability" else "number"
    sentences = [
        Sentence("ends", f"From {facts.start} to your picture {facts.f_name} goes from {{baseline:{form}}} to {{input:{form}}}.", ends),
        Sentence("advice", "Each pixel gets a share of that change. A different baseline gives a different explanation."),
    ]
    if facts.path_peak > 10 * facts.moving_gradient:
        mean = "its mean over a piece" if facts.rule == "exact" else "on the path it"
        sentences.append(
            Sentence(
                "gradient on path",
                f"Where pixels change, the gradient is at most {{here:bound}} at your picture; {mean} reaches {{on the path}}.",
                {"here": facts.moving_gradient, "on the path": facts.path_peak},
            )
        )
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
            Sentence("more steps", f"More steps usually reduce the error{'; the exact rule leaves none beyond rounding' if facts.exact else ''}."),
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
    subject, them = ("pixel equals the baseline and gets", "it") if count == 1 else ("pixels equal the baseline and get", "them")
    return [Sentence("equal pixels", f"{{pixels:whole}} {subject} 0, whatever the network makes of {them}.", {"pixels": count})]


PANEL = Panel("Integrated Gradients", _layout, narrate, needs_exact=True, short="Int. Gradients")
