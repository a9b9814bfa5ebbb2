"""What plain torch says of a state: finer steps, other seeds, more samples. Of an answer only its maps are read."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from explorer.models import Model
from explorer.state import State

Floats = NDArray[np.float64]
DENSE = 1200  # steps of the integral that stands for the exact one, and samples that stand for all noise
DENSE_CONVOLUTIONAL = 300  # whose passes cost fifty times as much
CHUNK = 500


@dataclass(frozen=True, eq=False)
class Truth:
    """A state and its answer, and what plain torch says of them."""

    state: State
    model: Model
    payload: dict[str, Any]

    @property
    def target(self) -> int:
        return int(self.payload["target"])

    @cached_property
    def x(self) -> Floats:
        return np.array(self.state.pixels)

    @cached_property
    def baseline(self) -> Floats:
        return np.array(self.payload["baseline"])

    @cached_property
    def difference(self) -> Floats:
        return self.x - self.baseline

    @property
    def dense(self) -> int:
        return DENSE_CONVOLUTIONAL if "cnn" in self.state.network else DENSE

    def map(self, name: str) -> Floats:
        return np.array(self.payload["methods"][name]["map"])

    # ---- the network

    def look(self, points: Floats, output: str | None = None) -> tuple[Floats, Floats, Floats]:
        """F, its gradient, and a number that rises with F and keeps its digits where F saturates, at ``(k, 64)``."""
        parts = [self._look(points[i : i + CHUNK], output or self.state.output) for i in range(0, len(points), CHUNK)]
        return tuple(np.concatenate(arrays) for arrays in zip(*parts, strict=True))  # type: ignore[return-value]

    def _look(self, points: Floats, output: str) -> tuple[Floats, Floats, Floats]:
        x = torch.tensor(points, dtype=torch.float64, requires_grad=True)
        z = self.model.network.module(x.reshape(len(points), *self.model.network.input_shape))
        rises = z[:, self.target]
        if output == "probability" and self.model.network.activation == "softmax":
            rises = rises - torch.cat([z[:, : self.target], z[:, self.target + 1 :]], dim=1).logsumexp(dim=1)
        (gradient,) = torch.autograd.grad(rises.sum(), x)
        values = rises
        if output == "probability":
            values = torch.sigmoid(rises)
            gradient = (values * torch.sigmoid(-rises))[:, None] * gradient
        return values.detach().numpy(), gradient.detach().numpy(), rises.detach().numpy()

    @cached_property
    def scores(self) -> Floats:
        with torch.no_grad():
            z = self.model.network.module(torch.tensor(self.x).reshape(1, *self.model.network.input_shape))[0]
            found: Floats = (torch.sigmoid(z) if self.model.network.activation == "sigmoid" else torch.softmax(z, 0)).numpy()
        return found

    @cached_property
    def ends(self) -> tuple[float, float]:
        """F at the baseline and at the input."""
        f_baseline, f_input = self.look(np.stack([self.baseline, self.x]))[0].tolist()
        return f_baseline, f_input

    @cached_property
    def size(self) -> float:
        """The size of the numbers that ΔF is a difference of: its rounding is a share of it."""
        if self.state.output == "probability":
            return max(map(abs, self.ends))
        with torch.no_grad():
            places = torch.tensor(np.stack([self.x, self.baseline])).reshape(2, *self.model.network.input_shape)
            return float(self.model.network.module(places).abs().max())

    @cached_property
    def delta_f(self) -> float:
        return self.ends[1] - self.ends[0]

    @cached_property
    def gradient(self) -> Floats:
        return self.look(self.x[None])[1][0]

    @cached_property
    def logit_gradient(self) -> Floats:
        return self.look(self.x[None], "logit")[1][0]

    # ---- the path

    def on_path(self, alphas: Floats) -> Floats:
        return self.baseline + alphas[:, None] * self.difference

    def steps(self, m: int) -> tuple[Floats, Floats]:
        """Gradients ``(k, 64)`` and weights of the state's rule with m steps."""
        alphas, weights = nodes(self.state.rule, m)
        return self.look(self.on_path(alphas))[1], weights

    def integrated(self, m: int) -> Floats:
        gradients, weights = self.steps(m)
        return self.difference * (weights @ gradients)

    @cached_property
    def own_integrated(self) -> Floats:
        """Integrated Gradients by the state's own rule; the exact rule's is the answer's."""
        return self.map("integrated_gradients") if self.state.rule == "exact" else self.integrated(self.state.steps)

    @cached_property
    def piece_gradients(self) -> Floats:
        """The mean gradient over each of the exact rule's pieces, ``(k, 64)``; of the answer, where they end."""
        ends = np.array([0.0, *self.payload["path"]["alphas"]])
        places, weights = nodes("gauss-legendre", 8)
        alphas = ends[:-1, None] + np.diff(ends)[:, None] * places
        means: Floats = np.einsum("kjp,j->kp", self.look(self.on_path(alphas.ravel()))[1].reshape(*alphas.shape, 64), weights)
        return means

    @cached_property
    def dense_gradients(self) -> Floats:
        return self.look(self.on_path((np.arange(self.dense) + 0.5) / self.dense))[1]

    @cached_property
    def fine_integrated(self) -> Floats:
        """Integrated Gradients by many midpoints."""
        return self.difference * self.dense_gradients.mean(axis=0)

    # ---- the noise

    def samples(self, n: int, seed: int) -> Floats:
        """The gradients of n noisy copies, ``(n, 64)``."""
        noise = self.state.noise_level * np.random.default_rng(seed).standard_normal((n, 64))
        copies = self.x + noise
        return self.look(np.clip(copies, 0, 1) if self.state.clip else copies)[1]

    @cached_property
    def own_samples(self) -> Floats:
        return self.samples(self.state.samples, self.state.seed)

    @cached_property
    def many_samples(self) -> Floats:
        """Of another seed."""
        return self.samples(self.dense, self.state.seed + 1)

    @cached_property
    def ratios(self) -> Floats:
        """|mean| / standard error of each pixel."""
        error = self.own_samples.std(axis=0, ddof=1) / np.sqrt(len(self.own_samples))
        mean = np.abs(self.own_samples.mean(axis=0))
        return np.divide(mean, error, out=np.where(mean > 0, np.inf, 0.0), where=error > 1e-12 * mean)


@lru_cache(maxsize=128)  # Gauss–Legendre's are dear
def nodes(rule: str, m: int) -> tuple[Floats, Floats]:
    """α and weights of a quadrature rule, from its definition."""
    k = np.arange(m)
    equal = np.full(m, 1 / m)
    if rule == "trapezoid":
        return np.linspace(0, 1, m + 1), np.array([0.5, *np.ones(m - 1), 0.5]) / m
    if rule == "gauss-legendre":
        places, weights = np.polynomial.legendre.leggauss(m)
        return (1 + places) / 2, weights / 2
    if rule == "captum-trapezoid":
        ends = (k == 0).astype(float) + (k == m - 1)
        return np.linspace(0, 1, m), (1 - ends / 2) / m
    return {
        "left": k / m,
        "right": (k + 1) / m,
        "midpoint": (k + 0.5) / m,
        "closed-average": np.linspace(0, 1, m),
    }[rule], equal


def close(a: float, b: float, relative: float = 1e-6, absolute: float = 0.0) -> bool:
    return bool(abs(a - b) <= relative * max(abs(a), abs(b)) + absolute)
