"""The answer to a state, as plain data: every number that the page shows, and the sentences about them.

Maps are 64 numbers, row by row. What is only drawn is packed as float32: the gradients of the path, which are the largest
part, the curves of both outputs, the logit's gradient and the positions of the switches.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from explorer.attribution import (
    Case,
    Explanation,
    Figures,
    Settings,
    Trace,
    exact_integrated_gradients,
    explain,
    figures,
    gradient_field,
    has_exact_path,
    rank_correlations,
    standard_error,
    statistical_snr,
    trace,
)
from explorer.attribution.exact import ExactPath, ExactTrace, exact_path
from explorer.attribution.field import logits_at, outputs, values_at
from explorer.attribution.measures import ROUNDING
from explorer.attribution.methods import integrated_gradients
from explorer.attribution.network import OUTPUTS, SHAPE, Floats
from explorer.attribution.paths import on_path
from explorer.cost import CURVE_POINTS, REFERENCE_STEPS
from explorer.models import Model
from explorer.page.narration import FAINT, NOTHING, STARTS, Facts
from explorer.page.panels import PANELS
from explorer.plain_data import numbers, packed
from explorer.sentences import Sentence
from explorer.state import State, Zoo

CURVE = np.linspace(0, 1, CURVE_POINTS)  # where the curve of F along the path is drawn, however few the steps
CURVE.flags.writeable = False
RAISED = 1e-6  # by how much a pixel is raised in search of a kink
COMPARED = ("gradient", "integrated_gradients", "smoothgrad")


def needs_exact(state: State) -> bool:
    """Whether what a state shows needs the exact path, by far the largest part of the work on a convolutional network."""
    return PANELS[state.tab].needs_exact or state.rule == "exact"


def answer(state: State, zoo: Zoo, *, exact: bool = True) -> dict[str, Any]:
    """Explain a state: the payload that the page's scripts draw from.

    Args:
        state: what the user chose.
        zoo: the networks.
        exact: whether to compute the exact path; else ``"exact"`` is None, and there are sentences only for panels that do not
            need it. Always computed under the exact rule. A network that is not piecewise linear has none: ``"exact"`` is None,
            and the sentences compare with a fine quadrature instead.
    """
    payload, sentences = narrated(state, zoo, exact=exact)
    return {**payload, "narration": {tab: [sentence.to_json() for sentence in of_tab] for tab, of_tab in sentences.items()}}


def narrated(state: State, zoo: Zoo, *, exact: bool = True) -> tuple[dict[str, Any], dict[str, list[Sentence]]]:
    """The payload without its sentences, and the sentences of each panel with their claims."""
    case, model = state.case(zoo), zoo[state.network]
    explanation = explain(case, state.settings())
    crossed: ExactTrace | ExactPath | None
    steps: Trace
    bent = not has_exact_path(case.network)  # it has no exact path
    if state.rule == "exact":
        crossed = steps = exact_integrated_gradients(case)
    else:
        crossed = exact_path(case) if exact and not bent else None
        steps = trace(case, explanation.settings, explanation["integrated_gradients"].field)
    maps = {name: result.attribution for name, result in explanation.results.items()}
    maps["integrated_gradients"] = steps.attribution
    stack = np.stack(list(maps.values()))
    noise_error = standard_error(explanation["smoothgrad"].field)
    size = max(abs(explanation.f_input), abs(explanation.f_baseline))
    if state.output == "logit":  # which may be small itself, and comes from the same sums as the largest
        size = max(size, float(np.abs(explanation.logits).max()))
    measured = figures(stack, explanation.delta_f, size)
    scores = model.network.probabilities_of(explanation.logits)
    payload = {
        "baseline": numbers(case.baseline),
        "scores": numbers(scores),
        "logits": numbers(explanation.logits),
        "predicted": int(scores.argmax()),
        "target": case.target,
        "f": {"input": explanation.f_input, "baseline": explanation.f_baseline, "delta": explanation.delta_f},
        "equal_pixels": int((case.difference == 0).sum()),
        "methods": {
            name: _method(values, found)
            for name, values, found in zip(maps, stack.reshape(len(maps), -1).tolist(), measured, strict=True)
        },
        "path": _path(steps, explanation),
        "curves": _curves(case, crossed),
        "logit_gradient": packed(explanation.logit_gradient),
        "exact": crossed and _exact(crossed, steps.attribution),
        "smoothgrad": {
            "error": None if noise_error is None else [float(f"{error:.7g}") for error in noise_error.ravel().tolist()],
            "snr": statistical_snr(maps["smoothgrad"], noise_error),
            "sigma": state.noise_level,
        },
        "correlations": _correlations(stack[[list(maps).index(name) for name in COMPARED]]),
    }
    reference = _reference(case) if bent and exact else None
    facts = _facts(state, model, payload, explanation, steps, reference)
    narrators = {name: panel.narrate for name, panel in PANELS.items() if panel.narrate and (crossed or (bent and exact) or not panel.needs_exact)}
    return payload, {name: narrate(facts) for name, narrate in narrators.items()}


def _reference(case: Case) -> Floats:
    """What stands for exact Integrated Gradients in the sentences about a network without an exact path, ``(8, 8)``."""
    settings = Settings(steps=REFERENCE_STEPS, rule="gauss-legendre")
    field = gradient_field(case.network, integrated_gradients.points(case, settings), case.target, case.output)
    return integrated_gradients.attribution(case, settings, field)


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


def _path(steps: Trace, explanation: Explanation) -> dict[str, Any]:
    return {
        "alphas": numbers(steps.alphas),
        "weights": numbers(steps.weights),
        "values": numbers(steps.values),
        "ends": [explanation.f_baseline, explanation.f_input],
        "gradients": packed(steps.gradients.reshape(len(steps.alphas), -1).T),  # pixel by pixel: neighbours resemble each other
    }


def _curves(case: Case, exact: ExactTrace | ExactPath | None) -> dict[str, str]:
    """Both outputs of the target along the path, at evenly spaced points."""
    logits = exact.logits_at(CURVE) if exact else logits_at(case.network, on_path(case, CURVE))
    values = {kind: outputs(case.network, logits, case.target, kind)[0] for kind in OUTPUTS}
    # they are only drawn: of numbers in half precision the last bytes are 0, which compresses
    return {kind: packed(curve.astype(np.float16 if np.abs(curve).max() < 1e4 else np.float32).astype(np.float64)) for kind, curve in values.items()}


def _exact(exact: ExactTrace | ExactPath, attribution: Floats) -> dict[str, Any]:
    error = np.abs(attribution - exact.attribution)
    return {
        "map": numbers(exact.attribution),
        "pieces": len(exact.alphas),
        "switches": packed(np.round(exact.switching.alphas * 2**16) / 2**16),  # finer than a screen; some networks have hundreds
        "error_max": float(error.max()),
        "error_mean": float(error.mean()),
    }


def _correlations(maps: Floats) -> list[list[float | None]]:
    table = rank_correlations(maps)
    return [[_known(value) for value in row] for row in table.tolist()]


def _facts(state: State, model: Model, payload: dict[str, Any], explanation: Explanation, steps: Trace, reference: Floats | None) -> Facts:
    methods, noise = payload["methods"], payload["smoothgrad"]
    # without the exact path and what stands for it, placeholders: no sentence that needs them is chosen
    exact = payload["exact"] or {"map": methods["integrated_gradients"]["map"], "pieces": 0, "error_max": 0.0}
    if reference is not None:
        exact = {**exact, "map": reference.ravel(), "error_max": float(np.abs(steps.attribution - reference).max())}
    target = payload["target"]
    gradient, integrated = np.array(methods["gradient"]["map"]), np.array(methods["integrated_gradients"]["map"])
    truth, smooth = np.array(exact["map"]), np.array(methods["smoothgrad"]["map"])
    peak, errors = float(np.abs(truth).max()), integrated - truth
    distance = np.abs(explanation.case.difference).ravel()
    farthest = float(distance.max())
    agreement, exact_agreement = rank_correlations(np.stack([gradient, integrated, truth]))[0, 1:].tolist()
    return Facts(
        one_shape=model.linear and (state.output == "logit" or model.network.activation == "sigmoid"),
        target_name=model.classes[target],
        predicted_name=model.classes[payload["predicted"]],
        target_probability=payload["scores"][target],
        output=state.output,
        f_input=explanation.f_input,
        f_baseline=explanation.f_baseline,
        start=STARTS[state.baseline],
        gradient_scale=float(max(np.abs(gradient).max(), np.abs(steps.gradients).max())),
        gradient_peak=float(np.abs(gradient).max()),
        logit_gradient_peak=float(np.abs(explanation.logit_gradient).max()),
        gradient_snr=methods["gradient"]["snr"],
        gradient_half=_half(np.abs(gradient)),
        moving_gradient=_peak(gradient[distance > 0]),
        path_peak=_peak(steps.gradients.reshape(-1, distance.size)[steps.weights > 0][:, distance >= max(farthest / 10, NOTHING)]),
        total=methods["integrated_gradients"]["total"],
        delta=methods["integrated_gradients"]["delta"],
        share=methods["integrated_gradients"]["share"],
        pixel_error=exact["error_max"] / peak if peak else None,
        net_error=float(abs(errors.sum()) / (np.abs(errors).sum() or 1)),
        rule=state.rule,
        exact=has_exact_path(model.network),
        kink=not has_exact_path(model.network) and _on_kink(explanation.case, gradient.reshape(SHAPE)),
        steps=state.steps,
        pieces=exact["pieces"],
        equal_pixels=payload["equal_pixels"],
        farthest=farthest,
        samples=state.samples,
        noise_level=state.noise_level,
        noise_snr=noise["snr"],
        differing=int((np.array(noise["error"] or 0.0) > ROUNDING * np.abs(smooth).max()).sum()),
        agreement=_known(agreement),
        exact_agreement=_known(exact_agreement),
    )


def _peak(values: Floats) -> float:
    return float(np.abs(values).max(initial=0))


def _on_kink(case: Case, gradient: Floats) -> bool:
    """Whether a pixel that is drawn, raised by very little, changes F otherwise than its gradient says."""
    drawn = np.flatnonzero(np.abs(gradient) >= FAINT * (np.abs(gradient).max() or 1))
    raised = np.repeat(case.input[None], len(drawn) + 1, axis=0)
    raised.reshape(len(raised), -1)[np.arange(len(drawn)), drawn] += RAISED
    values = values_at(case, raised)
    rises = (values[:-1] - values[-1]) / RAISED
    return bool((rises * np.sign(gradient.ravel()[drawn]) < 0.5 * np.abs(gradient.ravel()[drawn])).any()) and bool(np.abs(gradient).max() > ROUNDING / RAISED)


def _half(magnitude: Floats) -> int:
    """The fewest pixels that hold half of the sum."""
    running = np.sort(magnitude)[::-1].cumsum()
    return int((running < running[-1] / 2).sum()) + 1


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value
