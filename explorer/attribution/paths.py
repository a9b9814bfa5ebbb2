"""Many straight paths at once: what the methods have in common that average over inputs or baselines.

A path leads from a baseline picture to an input picture. Each gives a map of its own; the methods average the maps,
and the spread of the maps tells how far the average can be trusted.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from explorer.attribution.case import Case
from explorer.attribution.field import CHUNK, look
from explorer.attribution.method import STEPS
from explorer.attribution.network import SHAPE, Floats
from explorer.attribution.rules import rule

# For methods that take m steps on each of many paths: the work is their product.
STEPS_EACH = replace(STEPS, title="Steps m, on each path", default=25, high=100)


def integrated(case: Case, inputs: Floats, baselines: Floats, steps: int, rule_name: str) -> Floats:
    """Integrated Gradients along each of p paths, ``(p, 8, 8)``, in units of F.

    Args:
        case: whose network, target and output; its own two pictures play no part.
        inputs, baselines: the ends of the paths, ``(p, 8, 8)`` each.
        steps, rule_name: the quadrature, as for Integrated Gradients; p times as many pictures go forward and backward.
    """
    alphas, weights = rule(rule_name, steps)
    share = alphas[:, None, None]
    maps = np.empty(inputs.shape)
    each = max(1, CHUNK // len(alphas))  # whole paths: memory is bounded however many there are
    for i in range(0, len(inputs), each):
        ends, starts = inputs[i : i + each], baselines[i : i + each]
        pictures = (1 - share) * starts[:, None] + share * ends[:, None]
        field = look(case.network, pictures.reshape(-1, *SHAPE), case.target, case.output)
        gradients = field.gradients.reshape(pictures.shape)
        maps[i : i + each] = (ends - starts) * np.einsum("k,pkij->pij", weights, gradients)
    return maps


def one_look_each(case: Case, inputs: Floats, baselines: Floats, alphas: Floats) -> Floats:
    """(x − x′) · ∂F(x′ + α (x − x′)) for each of p paths and its own α ``(p,)``, ``(p, 8, 8)``, in units of F."""
    share = alphas[:, None, None]
    field = look(case.network, (1 - share) * baselines + share * inputs, case.target, case.output)
    return (inputs - baselines) * field.gradients


def mean_and_error(maps: Floats) -> tuple[Floats, Floats | None]:
    """The mean of n maps ``(n, 8, 8)`` and its standard error, from the sample variance (ddof 1); None for one map."""
    n = len(maps)
    mean = maps.sum(axis=0) / n
    if n < 2:
        return mean, None
    return mean, np.sqrt(((maps - mean) ** 2).sum(axis=0) / (n - 1) / n)
