"""XRAI: whole regions of the picture, ranked by how much attribution they hold for their size.

Kapishnikov, Bolukbasi, Viégas & Terry, "XRAI: Better Attributions Through Regions", ICCV 2019.

Integrated Gradients from a black and from a white baseline, averaged so that neither dark nor bright pixels are blind
spots, says what each pixel is worth; Felzenszwalb's segmentation at several scales says what could belong together.
Unlike in the authors' code, regions are not widened at their borders, which at 8 × 8 would swallow the picture, and a
region counts as soon as it adds one pixel. F is the target's probability or logit; the case's baseline plays no part.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from explorer.attribution.case import Case
from explorer.attribution.field import look, values_at
from explorer.attribution.integrated import attribution, points
from explorer.attribution.method import RULE, STEPS, Answer, Method, Passes, Values, looks_on_path, shared
from explorer.attribution.network import SHAPE, Floats
from explorer.attribution.segments import regions


def xrai(base: Floats, masks: NDArray[np.bool_]) -> Floats:
    """The heatmap ``(8, 8)``, in units of base, of overlapping regions ``(r, 8, 8)``: XRAI's full algorithm.

    Again and again the region is taken whose pixels that are not taken yet have the highest mean attribution, and these
    get that mean. Pixels in no region get the mean of all such. So the map sums to what base ``(8, 8)`` sums to.
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
    """The mean of Integrated Gradients from black and from white, ``(8, 8)``, and how many points it looked at."""
    settings = shared(values)
    cases = [replace(case, baseline=np.full(SHAPE, level)) for level in (0.0, 1.0)]
    paths = [points(one, settings) for one in cases]
    field = look(case.network, np.concatenate(paths), case.target, case.output)
    k = len(paths[0])
    maps = [attribution(one, settings, part) for one, part in zip(cases, (field[:k], field[k:]), strict=True)]
    return (maps[0] + maps[1]) / 2, 2 * k


def _xrai(case: Case, values: Values) -> Answer:
    base, looks = base_attribution(case, values)
    f, black, white = values_at(case, np.stack([case.input, np.zeros(SHAPE), np.ones(SHAPE)])).tolist()
    goal = f - (black + white) / 2
    return Answer(xrai(base, regions(case.input)), looks + 3, looks, goal=goal)


def _count(case: Case, values: Values) -> Passes:
    looks = 2 * looks_on_path(values)
    return Passes(looks + 3, looks)


XRAI = Method(
    name="xrai",
    title="XRAI",
    year=2019,
    paper="Kapishnikov et al. 2019",
    reference="XRAI: Better Attributions Through Regions, arXiv:1906.02825",
    family="regions",
    formula="Integrated Gradients from black and white, averaged over the regions that hold most of it first",
    complete="F(x) − ½ (F(black) + F(white))",
    invariant=True,
    passes="2m + 3 forward, 2m backward",
    count=_count,
    settings=(STEPS, RULE),
    misleads="Regions come from the picture's edges alone, so what the network sees in a part of one is averaged away.",
    work=_xrai,
)
