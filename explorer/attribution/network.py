"""``Network``: a frozen, double-precision copy of a torch module."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch

from explorer.attribution.arrays import Floats as Floats
from explorer.attribution.arrays import finite, real
from explorer.attribution.network_checks import checked_copy

Output = Literal["probability", "logit"]
Activation = Literal["softmax", "sigmoid"]

SIDE = 8
SHAPE = (SIDE, SIDE)
OUTPUTS: tuple[Output, ...] = ("probability", "logit")

# Pictures in one pass, measured: with more, the activations no longer fit into a core's cache (a convolution unfolds each
# picture once for every weight of its window).
FLAT_CHUNK, IMAGE_CHUNK = 1024, 32


class Network:
    """A classifier of 8 × 8 pictures that can be evaluated for scores and gradients.

    The module is copied, cast to float64, set to eval mode and frozen; the original is not changed. It can be any
    ``torch.nn.Module`` that maps ``(k, 64)`` or ``(k, 1, 8, 8)`` to ``(k, C)`` pre-activation class scores ("logits");
    which of the two is found by trying. ``network_checks`` validates it.

    Args:
        module: the classifier. It must return logits, not probabilities.
        activation: ``"softmax"`` for exclusive classes, ``"sigmoid"`` for independent ones.
        classes: one name for each class; their numbers by default.
        background: pictures ``(b, 8, 8)`` from the distribution of the training data, for methods that average over
            them; None when there are none.

    Attributes:
        products: an upper bound of the multiplications in one forward pass of one picture: each weight is used once, a
            convolution's at most once at each pixel.

    Raises:
        ValueError: the network cannot be explained; the message is one sentence that says why. The module cannot be
            copied, accepts neither shape or does not return ``(k, C)`` in float64; a parameter, a buffer or a logit is
            not finite; it returns probabilities, one logit under a softmax, random numbers, or logits that depend on
            the batch; torch finds no gradient where the logits differ, or one that is not their slope; or the names or
            the background do not fit.
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
        self.module, self.input_shape, count = checked_copy(module, activation)
        self.products = _products(self.module)
        self.classes = tuple(classes) if classes is not None else tuple(str(c) for c in range(count))
        if len(self.classes) != count:
            raise ValueError(f"the network has {count} classes, but {len(self.classes)} names were given")
        self.background = None if background is None else real("the background", background)
        if self.background is not None:
            if self.background.shape[1:] != SHAPE or not len(self.background) or not np.isfinite(self.background).all():
                raise ValueError(f"the background must be finite pictures (b, 8, 8), not {self.background.shape}")
            self.background.flags.writeable = False

    @property
    def chunk(self) -> int:
        """The number of pictures in one pass: the fastest, and bounds memory."""
        return FLAT_CHUNK if len(self.input_shape) == 1 else IMAGE_CHUNK

    def logits(self, points: torch.Tensor) -> torch.Tensor:
        """Pre-activation class scores, ``(k, C)`` float64, of points ``(k, 8, 8)`` float64; differentiable."""
        # a copy, as the first layer may write into its input
        logits: torch.Tensor = self.module(points.reshape(-1, *self.input_shape).clone())
        if logits.shape != (len(points), len(self.classes)):
            raise ValueError(f"the network answers {len(points)} pictures with {tuple(logits.shape)}")
        return logits

    def probabilities(self, logits: torch.Tensor) -> torch.Tensor:
        """Probabilities of logits ``(k, C)``, same shape: softmax or sigmoid."""
        return torch.softmax(logits, dim=-1) if self.activation == "softmax" else torch.sigmoid(logits)

    def probabilities_of(self, logits: Floats) -> Floats:
        """Probabilities of logits ``(…, C)`` as a numpy array."""
        probabilities: Floats = self.probabilities(torch.from_numpy(np.ascontiguousarray(logits))).numpy()
        return probabilities

    def scores(self, points: Floats) -> Floats:
        """Probabilities of all classes, ``(k, C)`` in [0, 1], for pictures ``(k, 8, 8)``.

        Raises:
            ValueError: the pictures have another shape, or they or the network's logits for them are not finite.
        """
        points = finite("the pictures", real("the pictures", points))
        if points.shape[1:] != SHAPE:
            raise ValueError(f"the pictures must have shape (k, 8, 8), not {points.shape}")
        with torch.no_grad():
            logits = self.logits(torch.from_numpy(points))
        return self.probabilities_of(finite("the network's logits", logits.numpy()))

    def predict(self, picture: Floats) -> int:
        """The class with the highest score for one picture ``(8, 8)``; the lowest index wins a tie."""
        return int(self.scores(real("the picture", picture)[None])[0].argmax())


def with_module(network: Network, module: torch.nn.Module) -> Network:
    """The network with another module: an altered copy of its own, frozen, with the same input and classes.

    It is not checked again, which would take longer than most questions: only for alterations that keep it valid.
    """
    altered = copy.copy(network)
    altered.module, altered.products = module, _products(module)
    return altered


def _products(module: torch.nn.Module) -> int:
    return sum(p.numel() * (SIDE * SIDE if p.ndim > 2 else 1) for p in module.parameters())
