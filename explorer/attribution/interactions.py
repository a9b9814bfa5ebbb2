"""Integrated Hessians without quadrature error: how much each pair of pixels adds to a logit of a ReLU network.

Janizek, Sturmfels & Lee, "Explaining Explanations: Axiomatic Feature Interactions for Deep Networks", JMLR 2021.
"""

# The second derivative of a piecewise-linear F is 0 except where the path crosses a kink. There it is a sum over the units that
# switch, one rank-one term for each, also where several switch at one α: a single term for the jump of the gradient would be
# wrong. With d = x − x′, unit k switching at α_k, w_k the input gradient of its pre-activation, c_k the weight by which its
# output reaches F, and Δ_k the change of its slope (1 for a ReLU that turns on, −1 for one that turns off):
#
#     Γ = Σ_k  −α_k ln α_k · Δ_k c_k / (w_k · d) · (d ⊙ w_k)(d ⊙ w_k)ᵀ  +  diag( d ⊙ ∫ −ln α · ∂F/∂x dα )

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from explorer.attribution.arrays import finite
from explorer.attribution.case import Case
from explorer.attribution.exact import PiecewiseLinearPath, cut_path
from explorer.attribution.network import Floats
from explorer.attribution.vjp import gated

PIXELS = 64
Gates = list[NDArray[np.bool_] | None]  # of each layer: which units are on in each piece
BATCH = 512  # units whose gradients are computed at once: bounds memory


def exact_interactions(case: Case) -> Floats:
    """The interactions of all pairs of pixels, exact to rounding, for the target's logit whatever output the case has.

    Returns:
        ``(64, 64)`` float64, symmetric, in units of the logit; pixels in reading order. Row i sums to the exact
        Integrated Gradients of pixel i, so all sum to F(x) − F(x′).

    Raises:
        NotPiecewiseLinear: the network is not one that the exact rule supports.
        ValueError: its logits on the path are not finite.
    """
    case = replace(case, output="logit")
    path = cut_path(case)
    difference = case.difference.ravel()
    starts, alphas = path.cuts[:-1], path.cuts[1:-1]
    signal = np.zeros((len(starts), path.logits.shape[1]))
    signal[:, case.target] = 1
    pairs = np.zeros((PIXELS, PIXELS))
    gates: Gates = [layer.on_from(starts) for layer in path.layers]
    for index in reversed(range(len(path.layers))):
        layer, on = path.layers[index], gates[index]
        if on is None:
            signal = layer.known.vjp(signal, layer.shape)
            continue
        slope = layer.known.slope or 0.0
        signal = signal.reshape(len(starts), -1)
        before, unit = np.nonzero(on[1:] != on[:-1])
        reach = np.where(on[before + 1, unit], 1 - slope, slope - 1) * signal[before + 1, unit]
        used = reach != 0
        before, unit, reach = before[used], unit[used], reach[used]
        for first in range(0, len(unit), BATCH):
            part = slice(first, first + BATCH)
            moved = difference * _gradients(path, gates, index, before[part], unit[part])
            rate = moved.sum(axis=1)
            alpha = alphas[before[part]]
            weight = np.divide(-alpha * np.log(alpha) * reach[part], rate, out=np.zeros(len(rate)), where=rate != 0)
            pairs += (moved * weight[:, None]).T @ moved
        signal = gated(signal, on, slope)
    primitive = path.cuts - path.cuts * np.log(np.where(path.cuts > 0, path.cuts, 1.0))  # of −ln α
    own = difference * (np.diff(primitive) @ signal.reshape(len(starts), PIXELS))
    pairs = (pairs + pairs.T) / 2  # to the last bit
    pairs[np.diag_indices(PIXELS)] += own
    return finite("the interactions", pairs)


def _gradients(path: PiecewiseLinearPath, gates: Gates, index: int, pieces: NDArray[np.intp], units: NDArray[np.intp]) -> Floats:
    """The input gradients ``(n, 64)`` of the pre-activations of units of a layer, each on a piece of its own."""
    signal = np.zeros((len(units), int(np.prod(path.layers[index].shape))))
    signal[np.arange(len(units)), units] = 1
    for below in reversed(range(index)):
        layer, on = path.layers[below], gates[below]
        if on is None:
            signal = layer.known.vjp(signal, layer.shape)
        else:
            signal = gated(signal.reshape(len(units), -1), on[pieces], layer.known.slope or 0.0)
    return signal.reshape(len(units), PIXELS)
