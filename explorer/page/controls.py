"""The settings, each group of which stands beside what it changes.

The controls are native inputs of Dash. ``controls.js`` listens to them through one clientside callback and writes what
they say into the state; when the state comes from elsewhere (a link, Back), it writes the state into them.
"""

from __future__ import annotations

from collections.abc import Sequence

import dash_bootstrap_components as dbc
from dash import ClientsideFunction, Dash, Input, html
from dash.development.base_component import Component

from explorer.page.components import icon_button, number_field, script_owned
from explorer.state import MAX_NOISE, MAX_SAMPLES, MAX_SEED, MAX_STEPS, PREDICTED, State

BASELINE_TITLES = {
    "black": "Black",
    "white": "White",
    "noise": "Noise",
    "blur": "Blurred picture",
    "mean": "Mean of the training pictures",
    "farthest": "Farthest: each pixel 0 or 1",
    "drawing": "A picture of mine",
}
RULE_TITLES = {
    "right": "right",
    "left": "left",
    "midpoint": "midpoint",
    "trapezoid": "trapezoid",
    "gauss-legendre": "Gauss–Legendre",
    "exact": "exact",
    "captum-trapezoid": "Captum’s (faulty)",
    "closed-average": "PAIR’s (faulty)",
}
CONTROLS = (
    "network",
    "target",
    "output",
    "baseline_seed",
    "steps",
    "rule",
    "samples",
    "noise_level",
    "seed",
    "clip",
)


def class_options(classes: Sequence[str]) -> list[dict[str, str]]:
    """What can be chosen as the target of a network with these classes."""
    known = [{"label": name if name == str(i) else f"{i}: {name}", "value": str(i)} for i, name in enumerate(classes)]
    return [{"label": "The predicted class", "value": PREDICTED}, *known]


def quadrature_controls(state: State) -> list[Component]:
    """Steps and rule of Integrated Gradients."""
    rules = [{"label": title, "value": rule} for rule, title in RULE_TITLES.items()]
    return [
        number_field("steps", "Steps", 1, MAX_STEPS, state.steps, sign="m"),
        html.Div([html.Label("Rule", htmlFor="rule", className="form-label wide"), dbc.Select(id="rule", options=rules, value=state.rule)], className="inline-field"),
    ]


def baseline_controls(state: State) -> html.Div:
    """The baselines as small pictures, which the script draws, and the seed of the noise."""
    return html.Div(
        [
            script_owned("baselines", "thumbs", role="group", **{"aria-label": "Baseline x′"}),
            html.Div(number_field("baseline_seed", "Noise seed", 0, MAX_SEED, state.baseline_seed), id="baseline-seed-field", hidden=True),
            html.Div(id="baseline-hint", className="hint", role="status"),
        ],
        className="baseline-controls",
    )


def noise_controls(state: State) -> list[Component]:
    """Samples, noise level, seed and clipping of SmoothGrad."""
    return [
        number_field("samples", "Samples", 1, MAX_SAMPLES, state.samples, sign="n"),
        number_field("noise_level", "Noise", 0, MAX_NOISE, state.noise_level, step=0.01, sign="σ"),
        html.Div([number_field("seed", "Seed", 0, MAX_SEED, state.seed), icon_button("new-seed", "Other noise: take the next seed", "dice")], className="pair"),
        dbc.Checkbox(id="clip", label="Clip copies to 0…1", value=state.clip),
    ]


def register(app: Dash) -> None:
    """What the controls say goes to the script, and from there into the state."""
    app.clientside_callback(
        ClientsideFunction("explorer", "controlsChanged"), *[Input(name, "value") for name in CONTROLS],
        prevent_initial_call=True,
    )
