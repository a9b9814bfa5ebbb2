"""The network that is explained: a frozen, double-precision copy of a torch module."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Output = Literal["probability", "logit"]
Activation = Literal["softmax", "sigmoid"]

SIDE = 8
SHAPE = (SIDE, SIDE)
OUTPUTS: tuple[Output, ...] = ("probability", "logit")

# Pictures a pass: past these, batching stops paying, as what the layers make of them no longer stays in a core's cache.
# Measured best; a convolution holds each picture once for every weight of its window.
FLAT_CHUNK, IMAGE_CHUNK = 1024, 32


class Network:
    """A classifier of 8 × 8 pictures, ready to be asked for scores and gradients.

    The module is copied, cast to float64, set to eval mode and frozen; the original is never touched. Any
    ``torch.nn.Module`` will do that maps ``(k, 64)`` or ``(k, 1, 8, 8)`` to ``(k, C)`` pre-activation class
    scores ("logits"); which of the two is found out by trying.

    Args:
        module: the classifier. It must return logits, not probabilities.
        activation: ``"softmax"`` when the classes exclude each other, ``"sigmoid"`` when each logit is a
            score of its own.
        classes: one name for each class; numbers when left out.
        background: pictures ``(b, 8, 8)`` like those that it was trained on, for methods that average over such;
            None when there are none to be had.

    Attributes:
        products: at most so many multiplications make a picture's logits: each weight is used once, a convolution's at
            most once at each pixel.

    Raises:
        ValueError: the module takes neither shape, does not return ``(k, C)``, answers a picture by the batch that it
            comes in, or the names or the background do not fit.
    """

    def __init__(
        self,
        module: torch.nn.Module,
        *,
        activation: Activation = "softmax",
        classes: Sequence[str] | None = None,
        background: Floats | None = None,
    ) -> None:
        if activation not in ("softmax", "sigmoid"):
            raise ValueError(f"activation must be 'softmax' or 'sigmoid', not {activation!r}")
        self.activation: Activation = activation
        self.module = copy.deepcopy(module).to("cpu", torch.float64).eval().requires_grad_(False)
        self.products = sum(p.numel() * (SIDE * SIDE if p.ndim > 2 else 1) for p in self.module.parameters())
        self.input_shape, count = _probe(self.module)
        self.classes = tuple(classes) if classes is not None else tuple(str(c) for c in range(count))
        if len(self.classes) != count:
            raise ValueError(f"the network has {count} classes, but {len(self.classes)} names were given")
        self.background = None if background is None else np.array(background, dtype=np.float64)
        if self.background is not None:
            if self.background.shape[1:] != SHAPE or not len(self.background) or not np.isfinite(self.background).all():
                raise ValueError(f"the background must be finite pictures (b, 8, 8), not {self.background.shape}")
            self.background.flags.writeable = False

    @property
    def chunk(self) -> int:
        """How many pictures to send through at once: as fast as it gets, and bounds memory."""
        return FLAT_CHUNK if len(self.input_shape) == 1 else IMAGE_CHUNK

    def logits(self, points: torch.Tensor) -> torch.Tensor:
        """Pre-activation class scores, ``(k, C)`` float64, of points ``(k, 8, 8)`` float64; differentiable."""
        # a copy, as a network may begin by writing into its input
        logits: torch.Tensor = self.module(points.reshape(-1, *self.input_shape).clone())
        return logits

    def probabilities(self, logits: torch.Tensor) -> torch.Tensor:
        """The scores in [0, 1] that belong to logits ``(k, C)``: softmax or sigmoid, same shape."""
        return torch.softmax(logits, dim=-1) if self.activation == "softmax" else torch.sigmoid(logits)

    def probabilities_of(self, logits: Floats) -> Floats:
        """The same for numpy: probabilities of logits ``(…, C)``."""
        probabilities: Floats = self.probabilities(torch.from_numpy(np.ascontiguousarray(logits))).numpy()
        return probabilities

    def scores(self, points: Floats) -> Floats:
        """Probabilities of all classes, ``(k, C)`` in [0, 1], for pictures ``(k, 8, 8)``."""
        with torch.no_grad():
            logits = self.logits(torch.from_numpy(np.array(points, dtype=np.float64)))
            scores: Floats = self.probabilities(logits).numpy()
        return scores

    def predict(self, picture: Floats) -> int:
        """The class with the highest score for one picture ``(8, 8)``; the lowest index wins a tie."""
        return int(self.scores(np.asarray(picture)[None])[0].argmax())


def _probe(module: torch.nn.Module) -> tuple[tuple[int, ...], int]:
    """The input shape that the module accepts, and how many classes it answers with."""
    refusals = []
    for shape in ((SIDE * SIDE,), (1, SIDE, SIDE)):
        try:
            with torch.no_grad():
                three = torch.linspace(0, 1, 3 * SIDE * SIDE, dtype=torch.float64).reshape(3, *shape)
                logits, fewer = module(three.clone()), module(three[:2].clone())
        except (RuntimeError, ValueError, IndexError, TypeError, AssertionError) as refusal:
            reason = (str(refusal).splitlines() or [type(refusal).__name__])[0]
            refusals.append(f"(k, {', '.join(map(str, shape))}): {reason}")
            continue
        if isinstance(logits, torch.Tensor) and logits.ndim == 2 and logits.shape[0] == 3:
            if not torch.allclose(logits[:2], fewer, rtol=1e-9, atol=1e-12, equal_nan=True):
                raise ValueError("the network's answer for a picture depends on the batch that it comes in")
            return shape, logits.shape[1]
        found = tuple(logits.shape) if isinstance(logits, torch.Tensor) else type(logits).__name__
        refusals.append(f"(k, {', '.join(map(str, shape))}): it answers {found}, not (k, classes)")
    raise ValueError("the network must map (k, 64) or (k, 1, 8, 8) to (k, classes); " + "; ".join(refusals))
