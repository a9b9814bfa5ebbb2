"""The gradient field: what are F and ∂F/∂x *here*, and here, and here?

Every method of the gradient family asks this one question, at other points. ``look`` answers it for as many
points as there are, chunk by chunk: through layers that the engine knows (``vjp``), else by ``torch.autograd.grad``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from explorer.attribution.arrays import finite, real
from explorer.attribution.case import Case
from explorer.attribution.network import OUTPUTS, SHAPE, Floats, Network, Output
from explorer.attribution.vjp import evaluate

LOGITS = "the network's logits"
GRADIENTS = "the network's gradients"
CHUNK = 1024  # points to be gathered before looking: bounds memory. The network has its own measure for what it is sent.


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """What was seen at k points.

    Attributes:
        values: F at each point, ``(k,)`` float64; in [0, 1] for probabilities, unbounded for logits.
        gradients: ∂F/∂x at each point, ``(k, 8, 8)`` float64, in units of F for a change of 1 in a pixel.
        logits: all classes' pre-activation scores, ``(k, C)``.
    """

    values: Floats
    gradients: Floats
    logits: Floats

    def __getitem__(self, part: slice) -> Field:
        """The field at some of the points."""
        return Field(self.values[part], self.gradients[part], self.logits[part])


def look(
    network: Network,
    points: Floats,
    target: int,
    output: Output | Sequence[Output] = "probability",
    *,
    chunk: int | None = None,
) -> Field:
    """F and its gradient with respect to the input, at each of k points (Simonyan et al. 2013).

    Args:
        network: whom to ask.
        points: ``(k, 8, 8)``, finite.
        target: class index, 0-based.
        output: which F, for all points or one for each.
        chunk: at most so many points in one pass, None for what suits the network; the answers do not depend on it
            beyond rounding.

    Returns:
        The field at the points, in their order. ReLU′(0) is 0, as in torch.

    Raises:
        ValueError: points of another shape or not finite, an unknown output or target, another number of outputs than
            points, or logits or gradients that are not finite there.
    """
    if not (type(points) is np.ndarray and points.dtype == np.float64 and points.flags.carray):
        points = real("the points", points)  # among others read-only memory, which torch does not take
    if points.ndim != 3 or points.shape[1:] != SHAPE:
        raise ValueError(f"points must have shape (k, 8, 8), not {points.shape}")
    finite("the points", points)
    if not isinstance(output, str) and len(output) != len(points):
        raise ValueError(f"{len(output)} outputs for {len(points)} points")
    unknown = ({output} if isinstance(output, str) else set(output)) - set(OUTPUTS)
    if unknown:
        raise ValueError(f"the output must be one of {OUTPUTS}, not {unknown.pop()!r}")
    if not 0 <= target < len(network.classes):
        raise ValueError(f"the target must be 0 to {len(network.classes) - 1}, not {target}")
    chunk = network.chunk if chunk is None else chunk
    if chunk < 1:
        raise ValueError(f"the chunk must be at least 1 point, not {chunk}")
    if len(points) <= chunk:
        return _look_once(network, points, target, output)
    count = len(points)
    # filled chunk by chunk: a list of what each chunk saw would keep torch from using its memory again
    whole = Field(np.empty(count), np.empty((count, *SHAPE)), np.empty((count, len(network.classes))))
    for i in range(0, count, chunk):
        part = slice(i, i + chunk)
        seen = _look_once(network, points[part], target, output if isinstance(output, str) else output[part])
        whole.values[part], whole.gradients[part], whole.logits[part] = seen.values, seen.gradients, seen.logits
    return whole


def values_at(case: Case, points: Floats) -> Floats:
    """F of a case's target at each of k points ``(k, 8, 8)``, ``(k,)``: forward only, in passes that suit the network.

    Raises:
        ValueError: logits that are not finite.
    """
    values, network = np.empty(len(points)), case.network
    for i in range(0, len(points), network.chunk):
        part = points[i : i + network.chunk]
        logits = finite(LOGITS, _logits(network, part if part.flags.writeable else part.copy()))  # torch takes no read-only memory
        scores = logits if case.output == "logit" else network.probabilities_of(logits)
        values[i : i + network.chunk] = scores[:, case.target]
    return values


def _logits(network: Network, points: Floats) -> Floats:
    if seen := evaluate(network, points):
        return seen.logits
    with torch.no_grad():
        return network.logits(torch.from_numpy(points)).numpy()


def _look_once(network: Network, points: Floats, target: int, output: Output | Sequence[Output]) -> Field:
    if seen := evaluate(network, points):
        values, cotangents = outputs(network, seen.logits, target, output)
        return Field(values, finite(GRADIENTS, seen.vjp(cotangents)), seen.logits)
    if torch.is_grad_enabled() and not torch.is_inference_mode_enabled():
        return _look_with_grad(network, points, target, output)
    with torch.inference_mode(False), torch.enable_grad():  # whatever mode the caller is in
        return _look_with_grad(network, points, target, output)


def _look_with_grad(network: Network, points: Floats, target: int, output: Output | Sequence[Output]) -> Field:
    x = torch.from_numpy(points).requires_grad_()
    logits = network.logits(x)
    z: Floats = logits.detach().numpy()
    values, cotangents = outputs(network, z, target, output)
    if logits.requires_grad:
        (gradients,) = torch.autograd.grad(logits, x, torch.from_numpy(cotangents))
    else:  # a network that ignores its input
        gradients = torch.zeros_like(x)
    return Field(values, finite(GRADIENTS, gradients.numpy()), z)


def outputs(
    network: Network, logits: Floats, target: int, output: Output | Sequence[Output]
) -> tuple[Floats, Floats]:
    """F ``(k,)`` and ∂F/∂logits ``(k, C)`` at logits ``(k, C)``.

    The derivative of the probability is written out rather than left to autograd: p (1 − p) loses all its digits
    when p is nearly 1, which is just where a saturated network is worth explaining; p times the sum of the other
    probabilities does not.

    Raises:
        ValueError: logits that are not finite.
    """
    finite(LOGITS, logits)
    if output == "logit":
        slopes = np.zeros_like(logits)
        slopes[:, target] = 1
        return logits[:, target], slopes
    values, slopes = _probability(network, logits, target)
    if output != "probability":
        for row, wanted in enumerate(output):
            if wanted == "logit":
                values[row] = logits[row, target]
                slopes[row] = 0
                slopes[row, target] = 1
    return values, slopes


def _probability(network: Network, logits: Floats, target: int) -> tuple[Floats, Floats]:
    if network.activation == "sigmoid":
        z = logits[:, target]
        values = np.exp(-np.logaddexp(0, -z))
        slopes = np.zeros_like(logits)
        slopes[:, target] = values * np.exp(-np.logaddexp(0, z))
        return values, slopes
    # classes first: numpy reduces over the leading axis several times faster
    slopes = np.ascontiguousarray(logits.T)
    slopes = np.exp(slopes - slopes.max(axis=0))
    wanted = slopes[target].copy()
    slopes[target] = 0
    others = slopes.sum(axis=0)
    total = others + wanted
    values = wanted / total
    share = values / total
    slopes *= -share
    slopes[target] = share * others
    return values, slopes.T
