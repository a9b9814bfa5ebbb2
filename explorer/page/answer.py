"""What the server answers to a state: every number the page shows, and the words for them.

Plain data in, plain data out; nothing here knows of Dash. Maps travel as 64 numbers, row by row. The gradients of the
path, by far the largest part, travel as base64 of little-endian float32: they are drawn, while the sums that they
make are also sent in full.
"""

from __future__ import annotations

import base64
import math
from typing import Any

import numpy as np

from explorer.attribution import (
    Explanation,
    Trace,
    completeness,
    exact_integrated_gradients,
    explain,
    mean_magnitude,
    rank_correlations,
    snr,
    standard_error,
    statistical_snr,
    top_pixels,
    trace,
)
from explorer.attribution.exact import ExactTrace
from explorer.attribution.network import Floats
from explorer.models import Model
from explorer.page.words import Facts, tell
from explorer.state import State, Zoo

COMPARED = ("gradient", "integrated_gradients", "smoothgrad")


def answer(state: State, zoo: Zoo) -> dict[str, Any]:
    """Explain a state: the payload that the page's scripts draw from."""
    case, model = state.case(zoo), zoo[state.network]
    explanation = explain(case, state.settings())
    exact = exact_integrated_gradients(case)
    steps = exact if state.rule == "exact" else trace(case, explanation.settings, explanation["integrated_gradients"].field)
    maps = {name: result.attribution for name, result in explanation.results.items()}
    maps["integrated_gradients"] = steps.attribution
    noise_error = standard_error(explanation["smoothgrad"].field)
    noise_snr = statistical_snr(maps["smoothgrad"], noise_error)
    scores = model.network.probabilities_of(explanation.logits)
    methods = {name: _method(values, explanation) for name, values in maps.items()}
    error = np.abs(steps.attribution - exact.attribution)
    correlations = _correlations(maps)
    return {
        "baseline": _numbers(case.baseline),
        "scores": _numbers(scores),
        "logits": _numbers(explanation.logits),
        "predicted": int(scores.argmax()),
        "target": case.target,
        "f": {"input": explanation.f_input, "baseline": explanation.f_baseline, "delta": explanation.delta_f},
        "equal_pixels": int((case.difference == 0).sum()),
        "methods": methods,
        "path": _path(steps, explanation.f_baseline, explanation.f_input),
        "exact": {
            "map": _numbers(exact.attribution),
            "pieces": len(exact.alphas),
            "switches": [[s.alpha, s.layer, s.unit, int(s.turns_on)] for s in exact.switches],
            "error_max": float(error.max()),
            "error_mean": float(error.mean()),
            "error": _numbers(error),
        },
        "smoothgrad": {
            "error": None if noise_error is None else _numbers(noise_error),
            "snr": noise_snr,
            "sigma": state.noise_level,
        },
        "correlations": correlations,
        "words": tell(_facts(state, model, explanation, exact, methods, noise_snr, scores, correlations[0][1])),
    }


def _method(attribution: Floats, explanation: Explanation) -> dict[str, Any]:
    sums = completeness(attribution, explanation.delta_f)
    return {
        "map": _numbers(attribution),
        "snr": snr(attribution),
        "mean": mean_magnitude(attribution),
        "total": sums.total,
        "delta": sums.delta,
        "share": sums.share,
        "top": [list(pixel) for pixel in top_pixels(attribution)],
    }


def _path(steps: Trace, f_baseline: float, f_input: float) -> dict[str, Any]:
    return {
        "alphas": _numbers(steps.alphas),
        "weights": _numbers(steps.weights),
        "values": _numbers(steps.values),
        "ends": [f_baseline, f_input],
        "gradients": base64.b64encode(steps.gradients.astype("<f4").tobytes()).decode(),
    }


def _correlations(maps: dict[str, Floats]) -> list[list[float | None]]:
    table = rank_correlations(np.stack([maps[name] for name in COMPARED]))
    return [[None if math.isnan(value) else value for value in row] for row in table.tolist()]


def _facts(
    state: State,
    model: Model,
    explanation: Explanation,
    exact: ExactTrace,
    methods: dict[str, dict[str, Any]],
    noise_snr: float | None,
    scores: Floats,
    agreement: float | None,
) -> Facts:
    integrated = methods["integrated_gradients"]
    peak = float(np.abs(exact.attribution).max())
    error = float(np.abs(np.array(integrated["map"]) - exact.attribution.ravel()).max())
    return Facts(
        network_linear=model.linear,
        target_name=model.classes[explanation.case.target],
        predicted_name=model.classes[int(scores.argmax())],
        target_probability=float(scores[explanation.case.target]),
        output=state.output,
        baseline=state.baseline,
        f_input=explanation.f_input,
        f_baseline=explanation.f_baseline,
        gradient_peak=float(np.abs(explanation["gradient"].attribution).max()),
        logit_gradient_peak=float(np.abs(explanation.logit_gradient).max()),
        gradient_snr=methods["gradient"]["snr"],
        integrated_snr=integrated["snr"],
        smooth_snr=methods["smoothgrad"]["snr"],
        share=integrated["share"],
        delta=integrated["delta"],
        pixel_error=error / peak if peak else None,
        rule=state.rule,
        steps=state.steps,
        pieces=len(exact.alphas),
        equal_pixels=int((explanation.case.difference == 0).sum()),
        samples=state.samples,
        noise_level=state.noise_level,
        noise_snr=noise_snr,
        agreement=agreement,
    )


def _numbers(array: Floats) -> list[float]:
    return array.ravel().tolist()
