"""The settings: network, target, output, baseline, Integrated Gradients and SmoothGrad.

The controls are native inputs of Dash. ``controls.js`` listens to them through one clientside callback and writes what
they say into the state; when the state comes from elsewhere (a link, Back), it writes the state into them.
"""

from __future__ import annotations

from collections.abc import Sequence

import dash_bootstrap_components as dbc
from dash import ClientsideFunction, Dash, Input, html

from explorer.page.components import icon_button, labelled, slider_with_number
from explorer.state import MAX_SAMPLES, MAX_SEED, MAX_STEPS, PREDICTED, State, Zoo

BASELINE_TITLES = {
    "black": "Black (all 0)",
    "white": "White (all 1)",
    "noise": "Noise (uniform)",
    "blur": "Blur of the input",
    "mean": "Mean training picture",
    "farthest": "Farthest (each pixel 0 or 1)",
    "drawing": "My drawing",
}
RULE_TITLES = {
    "right": "Right (the paper’s sum)",
    "left": "Left",
    "midpoint": "Midpoint",
    "trapezoid": "Trapezoid",
    "gauss-legendre": "Gauss–Legendre",
    "exact": "Exact (piece by piece)",
    "captum-trapezoid": "Captum’s trapezoid (faulty)",
    "closed-average": "PAIR’s average (faulty)",
}
MAX_SLIDER = 50  # per cent of noise
CONTROLS = (
    "network",
    "target",
    "output",
    "baseline",
    "baseline_seed",
    "steps",
    "steps-slider",
    "rule",
    "samples",
    "samples-slider",
    "noise_level",
    "seed",
    "clip",
)


def controls(state: State, zoo: Zoo) -> html.Details:
    """All settings, open on wide screens, folded on narrow ones."""
    return html.Details(
        [
            html.Summary(html.H2("Settings")),
            html.Div([_question(state, zoo), _path(state), _noise(state)], className="settings"),
        ],
        id="settings",
        className="card-quiet",
        open=True,
    )


def class_options(classes: Sequence[str]) -> list[dict[str, str]]:
    """What can be chosen as the target of a network with these classes."""
    known = [{"label": name if name == str(i) else f"{i}: {name}", "value": str(i)} for i, name in enumerate(classes)]
    return [{"label": "The predicted class", "value": PREDICTED}, *known]


def _question(state: State, zoo: Zoo) -> html.Div:
    networks = [{"label": model.title, "value": name} for name, model in zoo.items()]
    classes = class_options(zoo[state.network].classes)
    return html.Div(
        [
            labelled("Network", dbc.Select(id="network", options=networks, value=state.network, size="sm"), hint=" "),
            labelled("Target class", dbc.Select(id="target", options=classes, value=str(state.target), size="sm")),
            html.Fieldset(
                [
                    html.Legend("Output F"),
                    dbc.RadioItems(
                        id="output",
                        options=[
                            {"label": "Probability", "value": "probability"},
                            {"label": "Logit", "value": "logit"},
                        ],
                        value=state.output,
                        inline=True,
                    ),
                ],
                className="field",
            ),
        ],
        className="group",
    )


def _path(state: State) -> html.Div:
    kinds = [{"label": title, "value": kind} for kind, title in BASELINE_TITLES.items()]
    rules = [{"label": title, "value": rule} for rule, title in RULE_TITLES.items()]
    return html.Div(
        [
            html.H3("Integrated Gradients"),
            labelled(
                "Baseline x′",
                dbc.Select(id="baseline", options=kinds, value=state.baseline, size="sm"),
                beside=icon_button("keep-drawing", "Use my drawing as the baseline", "pin"),
            ),
            html.Div(id="baseline-hint", className="hint", role="status"),
            html.Div(
                labelled(
                    "Noise baseline’s seed",
                    dbc.Input(
                        id="baseline_seed", type="number", min=0, max=MAX_SEED, step=1, value=state.baseline_seed,
                        debounce=300, size="sm",
                    ),
                ),
                id="baseline-seed-field",
            ),
            slider_with_number("Steps m", "steps", 1, MAX_STEPS, state.steps),
            labelled("Quadrature rule", dbc.Select(id="rule", options=rules, value=state.rule, size="sm")),
        ],
        className="group",
    )


def _noise(state: State) -> html.Div:
    level = dbc.Input(
        id="noise_level", type="range", min=0, max=MAX_SLIDER, step=1, value=round(state.noise_level * 100)
    )
    return html.Div(
        [
            html.H3("SmoothGrad"),
            slider_with_number("Samples n", "samples", 1, MAX_SAMPLES, state.samples),
            labelled("Noise level", level, beside=html.Output(id="noise-shown", htmlFor="noise_level", className="shown")),
            html.Div(
                [
                    labelled(
                        "Seed",
                        dbc.Input(
                            id="seed", type="number", min=0, max=MAX_SEED, step=1, value=state.seed, debounce=300, size="sm"
                        ),
                        beside=icon_button("new-seed", "Other noise: take the next seed", "dice"),
                    ),
                    dbc.Checkbox(id="clip", label="Clip noisy copies to 0…1", value=state.clip),
                ],
            ),
        ],
        className="group",
    )


def register(app: Dash) -> None:
    """What the controls say goes to the script, and from there into the state."""
    app.clientside_callback(
        ClientsideFunction("explorer", "controlsChanged"), *[Input(name, "value") for name in CONTROLS],
        prevent_initial_call=True,
    )
