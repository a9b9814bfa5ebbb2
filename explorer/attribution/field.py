"""The gradient field: F and ∂F/∂x at many points, in bounded chunks.

Known layers are evaluated by ``vjp``, all other networks by ``torch.autograd.grad``.
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
CHUNK = 1024  # points that a method collects before it evaluates them; ``Network.chunk`` limits a single pass


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """F and its gradient at k points.

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


def gradient_field(
    network: Network,
    points: Floats,
    target: int,
    output: Output | Sequence[Output] = "probability",
    *,
    chunk: int | None = None,
) -> Field:
    """F and its gradient with respect to the input, at each of k points (Simonyan et al. 2013).

    Args:
        network: the network.
        points: ``(k, 8, 8)``, finite.
        target: class index, 0-based.
        output: which F, one for all points or one for each point.
        chunk: the maximal number of points in one pass, None for ``network.chunk``; it changes results only by
            rounding.

    Returns:
        The field at the points, in the same order. ReLU′(0) is 0, as in torch.

    Raises:
        ValueError: the points have the wrong shape or are not finite, output or target is unknown, the number of outputs
            is not that of the points, or logits or gradients are not finite.
    """
    if not (type(points) is np.ndarray and points.dtype == np.float64 and points.flags.carray):
        points = real("the points", points)  # also copies read-only memory, which torch does not accept
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
        return _evaluate(network, points, target, output)
    count = len(points)
    # preallocated: a list of the chunks' results would keep torch from reusing their memory
    whole = Field(np.empty(count), np.empty((count, *SHAPE)), np.empty((count, len(network.classes))))
    for i in range(0, count, chunk):
        part = slice(i, i + chunk)
        found = _evaluate(network, points[part], target, output if isinstance(output, str) else output[part])
        whole.values[part], whole.gradients[part], whole.logits[part] = found.values, found.gradients, found.logits
    return whole


def values_at(case: Case, points: Floats) -> Floats:
    """F of a case's target at each of k points ``(k, 8, 8)``, ``(k,)``: forward passes only, in chunks.

    Raises:
        ValueError: logits are not finite.
    """
    logits = logits_at(case.network, points)
    scores = logits if case.output == "logit" else case.network.probabilities_of(logits)
    return scores[:, case.target]


def logits_at(network: Network, points: Floats) -> Floats:
    """All classes' logits ``(k, C)`` at k ≥ 1 points ``(k, 8, 8)``: forward passes only, in chunks.

    Raises:
        ValueError: logits are not finite.
    """
    parts = (points[i : i + network.chunk] for i in range(0, len(points), network.chunk))
    # torch accepts no read-only memory
    return finite(LOGITS, np.concatenate([_logits(network, part if part.flags.writeable else part.copy()) for part in parts]))


def _logits(network: Network, points: Floats) -> Floats:
    if found := evaluate(network, points):
        return found.logits
    with torch.no_grad():
        return network.logits(torch.from_numpy(points)).numpy()


def _evaluate(network: Network, points: Floats, target: int, output: Output | Sequence[Output]) -> Field:
    if found := evaluate(network, points):
        values, cotangents = outputs(network, found.logits, target, output)
        return Field(values, finite(GRADIENTS, found.vjp(cotangents)), found.logits)
    if torch.is_grad_enabled() and not torch.is_inference_mode_enabled():
        return _evaluate_by_autograd(network, points, target, output)
    with torch.inference_mode(False), torch.enable_grad():  # independent of the caller's mode
        return _evaluate_by_autograd(network, points, target, output)


def _evaluate_by_autograd(network: Network, points: Floats, target: int, output: Output | Sequence[Output]) -> Field:
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

    The derivative of the probability is not left to autograd: p (1 − p) loses all digits when p is nearly 1, as in a
    saturated network; p times the sum of the other probabilities does not.

    Raises:
        ValueError: logits are not finite.
    """
    finite(LOGITS, logits)
    if output == "logit":
        slopes = np.zeros_like(logits)
        slopes[:, target] = 1
        return logits[:, target], slopes
    values, slopes = _probability(network, logits, target)
    if output != "probability":
        for row, kind in enumerate(output):
            if kind == "logit":
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
    score = slopes[target].copy()
    slopes[target] = 0
    others = slopes.sum(axis=0)
    total = others + score
    values = score / total
    share = values / total
    slopes *= -share
    slopes[target] = share * others
    return values, slopes.T
