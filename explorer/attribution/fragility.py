"""An attack on an explanation: a small change of the picture that keeps its class but moves the map's strongest pixels.

Ghorbani, Abid & Zou, "Interpretation of Neural Networks is Fragile", AAAI 2019 (the attack on the top pixels); Dombrowski et
al., "Explanations Can Be Manipulated and Geometry Is to Blame", NeurIPS 2019 (softplus for ReLU).
"""

# The attack follows the derivative of a map, a second derivative of F, which is 0 almost everywhere in a ReLU network. So
# it steps through a copy with softplus for ReLU, and all that it finds is judged on the network itself.

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from explorer.attribution.arrays import finite
from explorer.attribution.case import Case, Settings, integer
from explorer.attribution.field import gradient_field, logits_at
from explorer.attribution.layers import KINKED_AT_ZERO, negative_slope_of
from explorer.attribution.network import SHAPE, Floats, Network
from explorer.attribution.paths import integrate_paths
from explorer.attribution.rules import rule

Attacked = Literal["gradient", "integrated_gradients"]
PATH_STEPS = 10  # on each path of the softplus copy; the maps that judge have the steps of their settings


@dataclass(frozen=True, slots=True, eq=False)
class MapAttack:
    """The result of ``attack_map``. Step 0 is the input itself.

    Attributes:
        picture: the changed input, ``(8, 8)``: that of the chosen step.
        before, after: the maps of the input and of the changed one, ``(8, 8)``, by the network itself.
        overlap: which share of the strongest pixels of ``before`` is among those of ``after``, in [0, 1].
        count: how many strongest pixels are compared: as asked, or all that are not 0 if there are fewer.
        strongest_before, strongest_after: which they are, ``(8, 8)`` booleans; ties in reading order.
        step: the chosen step: of those that keep the class the one with the least overlap, and of these the one with the
            highest probability; 0 if no step lowers the overlap.
        predicted: the class of the input, which is kept.
        overlaps: the overlap at each step, ``(steps + 1,)``.
        probabilities: P of the predicted class at each step, ``(steps + 1,)``.
        kept: whether the network still predicts that class, ``(steps + 1,)``.
    """

    picture: Floats
    before: Floats
    after: Floats
    overlap: float
    count: int
    strongest_before: NDArray[np.bool_]
    strongest_after: NDArray[np.bool_]
    step: int
    predicted: int
    overlaps: Floats
    probabilities: Floats
    kept: NDArray[np.bool_]


def attack_map(
    case: Case,
    method: Attacked = "gradient",
    epsilon: float = 1 / 16,
    *,
    settings: Settings | None = None,
    steps: int = 60,
    step_size: float = 0.02,
    beta: float = 10.0,
    count: int = 8,
) -> MapAttack:
    """Change each pixel by at most ε, so that the network predicts the same class but the map's strongest pixels move.

    Each step changes every pixel by the same amount, up or down by the sign of the derivative of the strongest pixels' share
    in Σ|attribution|. No random draw: the same arguments give the same picture.

    Args:
        case: what is explained. The predicted class is kept, also where another one is the target.
        method: which map is attacked.
        epsilon: the largest change of a pixel, above 0. No pixel leaves [0, 1] that was in it.
        settings: steps and rule of Integrated Gradients; defaults as in ``Settings``.
        steps: of the attack, at least 1.
        step_size: the change of each pixel in one step, above 0.
        beta: of softplus(z) = ln(1 + exp(β z)) / β, above 0; the larger, the closer to ReLU.
        count: how many of the strongest pixels (by magnitude) are attacked, 1 to 64.

    Raises:
        ValueError: the method is unknown, a number is out of range, the network has no ReLU to replace, the map is 0
            everywhere, or logits, gradients or attributions are not finite.
    """
    return attack_maps(case, method, [epsilon], settings=settings, steps=steps, step_size=step_size, beta=beta, count=count)[0]


def attack_maps(
    case: Case,
    method: Attacked = "gradient",
    epsilons: Sequence[float] = (1 / 16, 2 / 16, 3 / 16, 4 / 16),
    *,
    settings: Settings | None = None,
    steps: int = 60,
    step_size: float = 0.02,
    beta: float = 10.0,
    count: int = 8,
) -> list[MapAttack]:
    """``attack_map`` for several ε at once, which takes little longer than for one; they do not depend on each other.

    Raises:
        ValueError: as for ``attack_map``, or there is no ε.
    """
    if method not in get_args(Attacked):
        raise ValueError(f"the method must be one of {get_args(Attacked)}, not {method!r}")
    if not epsilons:
        raise ValueError("there must be at least one epsilon")
    for name, number in (*(("epsilon", epsilon) for epsilon in epsilons), ("step_size", step_size), ("beta", beta)):
        if not 0 < number < np.inf:
            raise ValueError(f"{name} must be above 0, not {number}")
    if (steps := integer("steps", steps)) < 1:
        raise ValueError(f"steps must be at least 1, not {steps}")
    if not 1 <= (count := integer("count", count)) <= case.input.size:
        raise ValueError(f"count must be 1 to {case.input.size}, not {count}")
    settings = settings or Settings()
    soft = softened(case.network, beta)
    before = _maps(case, method, settings, case.input[None])[0]
    if not before.any():
        raise ValueError("the map is 0 at every pixel, so it has no strongest pixels to move")
    count = min(count, int(np.count_nonzero(before)))
    strongest = _strongest(before[None], count)[0]
    pictures = _steps(case, soft, method, strongest, np.array(epsilons), steps, step_size)
    return [_judged(case, method, settings, before, strongest, path) for path in pictures]


def _judged(
    case: Case, method: Attacked, settings: Settings, before: Floats, strongest: NDArray[np.bool_], pictures: Floats
) -> MapAttack:
    """The best of the pictures ``(steps + 1, 8, 8)`` that one ε gave, by the network itself."""
    count = int(strongest.sum())
    maps = _maps(case, method, settings, pictures)
    logits = logits_at(case.network, pictures)
    predicted = int(logits[0].argmax())
    probabilities = np.ascontiguousarray(case.network.probabilities_of(logits)[:, predicted])
    kept = logits.argmax(axis=1) == predicted
    strongest_each = _strongest(maps, count)
    overlaps = (strongest_each & strongest).sum(axis=1) / count
    step = int(np.lexsort((-probabilities, np.where(kept, overlaps, np.inf)))[0])
    if overlaps[step] == 1:
        step = 0
    return MapAttack(
        pictures[step],
        before,
        maps[step],
        float(overlaps[step]),
        count,
        strongest.reshape(SHAPE),
        strongest_each[step].reshape(SHAPE),
        step,
        predicted,
        overlaps,
        probabilities,
        kept,
    )


def softened(network: Network, beta: float) -> nn.Module:
    """A copy of a network's module with softplus in place of each ReLU; of a leaky ReLU its kink is smoothed alike.

    Raises:
        ValueError: the module has no such layer. One that calls ``torch.relu`` in its forward has none either.
    """
    with torch.inference_mode(False):  # independent of the caller's mode
        module = nn.Sequential(copy.deepcopy(network.module))  # so that the module itself may be a ReLU
    kinks = [(name, part) for name, part in module.named_modules(remove_duplicate=False) if isinstance(part, KINKED_AT_ZERO)]
    if not kinks:
        raise ValueError("the attack replaces ReLU layers by softplus, and the network has no ReLU layer")
    for name, part in kinks:
        module.set_submodule(name, _Softened(negative_slope_of(part), beta))
    return module


class _Softened(nn.Module):
    def __init__(self, slope: float, beta: float) -> None:
        super().__init__()
        self.slope, self.beta = slope, beta

    def forward(self, z: Tensor) -> Tensor:
        return self.slope * z + (1 - self.slope) * functional.softplus(z, self.beta)


def _steps(
    case: Case, soft: nn.Module, method: Attacked, strongest: NDArray[np.bool_], epsilons: Floats, steps: int, step_size: float
) -> Floats:
    """For each of e ε the input and what each step makes of it, ``(e, steps + 1, 8, 8)``."""
    x, most = case.input.ravel(), epsilons[:, None]
    with torch.inference_mode(False), torch.enable_grad():  # independent of the caller's mode
        # a pixel that is out of [0, 1] already may only come back
        low = torch.from_numpy(np.maximum(x - most, np.minimum(x, 0)))
        high = torch.from_numpy(np.minimum(x + most, np.maximum(x, 1)))
        attacked = torch.from_numpy(strongest)
        pictures = [torch.from_numpy(np.tile(x, (len(epsilons), 1)))]
        for _ in range(steps):
            moving = pictures[-1].clone().requires_grad_()
            sizes = _soft_maps(case, soft, method, moving).abs()
            shares = (sizes * attacked).sum(1) / sizes.sum(1)
            (direction,) = torch.autograd.grad(shares.sum(), moving, materialize_grads=True)
            # not a number where the softplus copy's map is 0 everywhere: there is no direction
            moved = pictures[-1] - step_size * direction.nan_to_num(0.0, 0.0, 0.0).sign()
            pictures.append(torch.minimum(torch.maximum(moved, low), high))
    return torch.stack(pictures, 1).numpy().reshape(len(epsilons), -1, *SHAPE)


def _soft_maps(case: Case, soft: nn.Module, method: Attacked, pictures: Tensor) -> Tensor:
    """The maps of the softplus copy at e pictures, both ``(e, 64)``, differentiable."""
    if method == "gradient":
        points, difference, weights = pictures[:, None], torch.ones_like(pictures), torch.ones(1, dtype=torch.float64)
    else:
        alphas, weights = (torch.tensor(numbers) for numbers in rule("midpoint", PATH_STEPS))
        baseline = torch.tensor(case.baseline.ravel())
        difference = pictures - baseline
        points = baseline + alphas[:, None] * difference[:, None]
    logits = soft(points.reshape(-1, *case.network.input_shape))
    score = (logits if case.output == "logit" else case.network.probabilities(logits))[:, case.target]
    (gradients,) = torch.autograd.grad(score.sum(), points, create_graph=True, materialize_grads=True)
    return difference * (weights @ gradients)


def _maps(case: Case, method: Attacked, settings: Settings, pictures: Floats) -> Floats:
    """The maps of pictures ``(k, 8, 8)`` by the network itself."""
    if method == "gradient":
        return gradient_field(case.network, pictures, case.target, case.output).gradients
    baselines = np.broadcast_to(case.baseline, pictures.shape)
    return finite("the attributions", integrate_paths(case, pictures, baselines, settings.steps, settings.rule))


def _strongest(maps: Floats, count: int) -> NDArray[np.bool_]:
    """Which pixels of k maps ``(k, 8, 8)`` are the strongest, ``(k, 64)``; ties in reading order."""
    flat = -np.abs(maps).reshape(len(maps), -1)
    found = np.zeros(flat.shape, dtype=np.bool_)
    np.put_along_axis(found, flat.argsort(axis=1, kind="stable")[:, :count], True, axis=1)
    return found
