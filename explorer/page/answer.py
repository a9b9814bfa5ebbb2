"""What the server answers to a state: every number the page shows, and the words for them.

Plain data in, plain data out; nothing here knows of Dash. Maps travel as 64 numbers, row by row. What is only drawn
travels as float32, packed: the gradients of the path, by far the largest part (the sums that they make are also sent in
full), the curve of F and the places of the switches.
"""

from __future__ import annotations

import base64
import math
from typing import Any

import numpy as np

from explorer.attribution import (
    Explanation,
    Figures,
    Trace,
    exact_integrated_gradients,
    explain,
    figures,
    rank_correlations,
    standard_error,
    statistical_snr,
    trace,
)
from explorer.attribution.exact import ExactPath, ExactTrace, exact_path
from explorer.attribution.field import outputs
from explorer.attribution.network import Floats
from explorer.models import Model
from explorer.page.words import Facts, tell
from explorer.state import State, Zoo

CURVE = np.linspace(0, 1, 101)  # where the curve of F along the path is drawn, however few the steps
CURVE.flags.writeable = False
COMPARED = ("gradient", "integrated_gradients", "smoothgrad")


def answer(state: State, zoo: Zoo) -> dict[str, Any]:
    """Explain a state: the payload that the page's scripts draw from."""
    case, model = state.case(zoo), zoo[state.network]
    explanation = explain(case, state.settings())
    exact: ExactTrace | ExactPath
    steps: Trace
    if state.rule == "exact":
        exact = steps = exact_integrated_gradients(case)
    else:
        exact, steps = exact_path(case), trace(case, explanation.settings, explanation["integrated_gradients"].field)
    maps = {name: result.attribution for name, result in explanation.results.items()}
    maps["integrated_gradients"] = steps.attribution
    stack = np.stack(list(maps.values()))
    noise_error = standard_error(explanation["smoothgrad"].field)
    scores = model.network.probabilities_of(explanation.logits)
    payload = {
        "baseline": _numbers(case.baseline),
        "scores": _numbers(scores),
        "logits": _numbers(explanation.logits),
        "predicted": int(scores.argmax()),
        "target": case.target,
        "f": {"input": explanation.f_input, "baseline": explanation.f_baseline, "delta": explanation.delta_f},
        "equal_pixels": int((case.difference == 0).sum()),
        "methods": {
            name: _method(values, found)
            for name, values, found in zip(maps, stack.reshape(len(maps), -1).tolist(), figures(stack, explanation.delta_f), strict=True)
        },
        "path": _path(steps, exact, explanation),
        "exact": _exact(exact, steps.attribution),
        "smoothgrad": {
            "error": None if noise_error is None else _numbers(noise_error),
            "snr": statistical_snr(maps["smoothgrad"], noise_error),
            "sigma": state.noise_level,
        },
        "correlations": _correlations(stack[[list(maps).index(name) for name in COMPARED]]),
    }
    return {**payload, "words": tell(_facts(state, model, payload, explanation, steps))}


def _method(values: list[float], found: Figures) -> dict[str, Any]:
    sums = found.completeness
    return {
        "map": values,
        "snr": found.snr,
        "mean": found.mean,
        "total": sums.total,
        "delta": sums.delta,
        "share": sums.share,
        "top": [list(pixel) for pixel in found.top],
    }


def _path(steps: Trace, exact: ExactTrace | ExactPath, explanation: Explanation) -> dict[str, Any]:
    case = explanation.case
    curve, _ = outputs(case.network, exact.logits_at(CURVE), case.target, case.output)
    return {
        "curve": _packed(curve),
        "alphas": _numbers(steps.alphas),
        "weights": _numbers(steps.weights),
        "values": _numbers(steps.values),
        "ends": [explanation.f_baseline, explanation.f_input],
        "gradients": _packed(steps.gradients.reshape(len(steps.alphas), -1).T),  # pixel by pixel: neighbours resemble each other
    }


def _exact(exact: ExactTrace | ExactPath, attribution: Floats) -> dict[str, Any]:
    error = np.abs(attribution - exact.attribution)
    switches = np.array([switch.alpha for switch in exact.switches])
    return {
        "map": _numbers(exact.attribution),
        "pieces": len(exact.alphas),
        "switches": _packed(np.round(switches * 2**16) / 2**16),  # finer than a screen; some networks have hundreds
        "error_max": float(error.max()),
        "error_mean": float(error.mean()),
    }


def _correlations(maps: Floats) -> list[list[float | None]]:
    table = rank_correlations(maps)
    return [[None if math.isnan(value) else value for value in row] for row in table.tolist()]


def _facts(state: State, model: Model, payload: dict[str, Any], explanation: Explanation, steps: Trace) -> Facts:
    methods, exact = payload["methods"], payload["exact"]
    target = payload["target"]
    peak = max(map(abs, exact["map"]))
    return Facts(
        network_linear=model.linear,
        target_name=model.classes[target],
        predicted_name=model.classes[payload["predicted"]],
        target_probability=payload["scores"][target],
        output=state.output,
        f_input=explanation.f_input,
        f_baseline=explanation.f_baseline,
        gradient_peak=float(np.abs(explanation["gradient"].attribution).max()),
        logit_gradient_peak=float(np.abs(explanation.logit_gradient).max()),
        path_gradient_peak=float(np.abs(steps.gradients).max()),
        gradient_snr=methods["gradient"]["snr"],
        share=methods["integrated_gradients"]["share"],
        delta=methods["integrated_gradients"]["delta"],
        pixel_error=exact["error_max"] / peak if peak else None,
        rule=state.rule,
        steps=state.steps,
        pieces=exact["pieces"],
        equal_pixels=payload["equal_pixels"],
        samples=state.samples,
        noise_level=state.noise_level,
        noise_snr=payload["smoothgrad"]["snr"],
        agreement=payload["correlations"][COMPARED.index("gradient")][COMPARED.index("integrated_gradients")],
    )


def _numbers(array: Floats) -> list[float]:
    return array.ravel().tolist()


def _packed(array: Floats) -> str:
    """Base64 of little-endian float32: first the lowest byte of each, then the next. So it compresses by an eighth more."""
    planes = array.astype("<f4").reshape(-1, 1).view(np.uint8).T
    return base64.b64encode(planes.tobytes()).decode()
