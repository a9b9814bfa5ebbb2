"""XRAI: regions of the picture, ranked by their mean attribution.

Kapishnikov, Bolukbasi, Viégas & Terry, "XRAI: Better Attributions Through Regions", ICCV 2019.
"""

# Pixels are rated by the mean of Integrated Gradients from a black and from a white baseline; regions are Felzenszwalb's
# segmentation at several scales. Unlike in the authors' code, regions are not dilated, as at 8 × 8 they would cover the
# picture, and a region counts if it adds at least one pixel. The case's baseline is not used.

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from explorer.attribution.case import Case
from explorer.attribution.field import gradient_field, values_at
from explorer.attribution.method import (
    RULE,
    STEPS,
    Attribution,
    Method,
    Passes,
    Values,
    points_on_path,
    shared_settings,
)
from explorer.attribution.methods.integrated_gradients import attribution, points
from explorer.attribution.network import SHAPE, Floats
from explorer.attribution.segments import regions


def xrai(base: Floats, masks: NDArray[np.bool_]) -> Floats:
    """The heatmap ``(8, 8)``, in units of base, of overlapping regions ``(r, 8, 8)``: XRAI's full algorithm.

    Repeatedly selects the region whose remaining pixels have the highest mean attribution; these get that mean. Pixels in
    no region get their mean. So the map has the same sum as base ``(8, 8)``.
    """
    values, masks = base.reshape(-1), masks.reshape(len(masks), -1)
    left = np.ones(values.size, bool)
    heat = np.zeros(values.size)
    while (new := masks & left).any():
        sizes = new.sum(axis=1)
        gains = np.where(sizes > 0, new @ values / np.maximum(sizes, 1), -np.inf)
        best = gains.argmax()
        heat[new[best]] = gains[best]
        left &= ~masks[best]
    if left.any():
        heat[left] = values[left].mean()
    return heat.reshape(SHAPE)


def base_attribution(case: Case, values: Values) -> tuple[Floats, int]:
    """The mean of Integrated Gradients from black and from white, ``(8, 8)``, and the number of evaluated points."""
    settings = shared_settings(values)
    cases = [replace(case, baseline=np.full(SHAPE, level)) for level in (0.0, 1.0)]
    paths = [points(one, settings) for one in cases]
    field = gradient_field(case.network, np.concatenate(paths), case.target, case.output)
    k = len(paths[0])
    maps = [attribution(one, settings, part) for one, part in zip(cases, (field[:k], field[k:]), strict=True)]
    return (maps[0] + maps[1]) / 2, 2 * k


def _xrai(case: Case, values: Values) -> Attribution:
    base, evaluations = base_attribution(case, values)
    f, black, white = values_at(case, np.stack([case.input, np.zeros(SHAPE), np.ones(SHAPE)])).tolist()
    expected_sum = f - (black + white) / 2
    return Attribution(xrai(base, regions(case.input)), evaluations + 3, evaluations, expected_sum=expected_sum)


def _count(case: Case, values: Values) -> Passes:
    evaluations = 2 * points_on_path(values)
    return Passes(evaluations + 3, evaluations)


XRAI = Method(
    name="xrai",
    title="XRAI",
    year=2019,
    paper="Kapishnikov et al. 2019",
    reference="XRAI: Better Attributions Through Regions, arXiv:1906.02825",
    family="regions",
    formula="Integrated Gradients from black and white, averaged over the regions that hold most of it first",
    complete="F(x) − ½ (F(black) + F(white))",
    unit="F",
    asks="along paths from black and from white",
    invariant=True,
    passes="2m + 3 forward, 2m backward",
    count=_count,
    settings=(STEPS, RULE),
    caveat="Regions come from the picture's edges alone, so what the network sees in a part of one is averaged away.",
    compute=_xrai,
)

ENTRIES = (XRAI,)
