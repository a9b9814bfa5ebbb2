"""``Case``: the network, input, baseline, target and output that a method explains. ``Settings``: its parameters."""

from __future__ import annotations

import operator
from dataclasses import dataclass

import numpy as np

from explorer.attribution.arrays import real
from explorer.attribution.network import OUTPUTS, SHAPE, Floats, Network, Output
from explorer.attribution.rules import EXACT, RULE_NAMES

AVERAGE_QUANTITIES = ("gradient", "magnitude", "square")
VARIANCE_QUANTITIES = ("gradient", "magnitude")
NOISE_RANGES = ("one", "picture")


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """What is to be explained.

    Attributes:
        network: the network.
        input: the picture x, ``(8, 8)`` float64, ``[row, column]``; finite.
        baseline: the reference picture x′, same shape.
        target: index of the class that is explained, 0-based.
        output: F is the target's ``"probability"`` or its ``"logit"``.

    Raises:
        ValueError: a picture has the wrong shape, is complex or masked, or holds NaN or infinity; target or output is
            unknown; or the network is not a ``Network``.
    """

    network: Network
    input: Floats
    baseline: Floats
    target: int
    output: Output = "probability"

    def __post_init__(self) -> None:
        if not isinstance(self.network, Network):
            raise ValueError(f"the network must be a Network, such as Network(module), not a {type(self.network).__name__}")
        for name in ("input", "baseline"):
            picture = real(f"the {name}", getattr(self, name))
            if picture.shape != SHAPE:
                raise ValueError(f"the {name} must have shape {SHAPE}, not {picture.shape}")
            if not np.isfinite(picture).all():
                raise ValueError(f"the {name} must hold finite numbers only")
            picture.flags.writeable = False
            object.__setattr__(self, name, picture)
        object.__setattr__(self, "target", integer("target", self.target))
        if not 0 <= self.target < len(self.network.classes):
            raise ValueError(f"the target must be 0 to {len(self.network.classes) - 1}, not {self.target}")
        if self.output not in OUTPUTS:
            raise ValueError(f"the output must be one of {OUTPUTS}, not {self.output!r}")

    @property
    def difference(self) -> Floats:
        """x − x′, ``(8, 8)``."""
        return self.input - self.baseline


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of the gradient methods; each reads its own part.

    Attributes:
        steps: m, the number of path steps of Integrated Gradients, at least 1.
        rule: quadrature rule, a name in ``rules.RULES`` or ``rules.FAULTY``; for ``"exact"`` call
            ``exact_integrated_gradients``.
        samples: n, the number of SmoothGrad's noisy copies, at least 1.
        noise_level: σ of the noise as a share of the ``noise_range``; 0 or more.
        seed: of SmoothGrad's noise.
        clip: whether noisy copies are clipped to [0, 1], as the original explorer does.
        noise_range: the range that the noise level is a share of: ``"one"``, the range of a pixel, or ``"picture"``, the
            input's max − min, as in some libraries.
        clean_last: whether the last copy is the input itself, as in Zennit.
        of: the quantity that SmoothGrad averages: each copy's ``"gradient"``, its ``"magnitude"`` or its ``"square"``.
        magnitude: whether the vanilla gradient is |∂F/∂x|.
        variance_of: the quantity whose variance VarGrad is: each copy's ``"gradient"`` or its ``"magnitude"``.
        ddof: VarGrad divides by samples − ddof: 0 or 1.

    Raises:
        ValueError: a value is out of its range or unknown.
    """

    steps: int = 50
    rule: str = "right"
    samples: int = 50
    noise_level: float = 0.15
    seed: int = 0
    clip: bool = False
    noise_range: str = "one"
    clean_last: bool = False
    of: str = "gradient"
    magnitude: bool = False
    variance_of: str = "gradient"
    ddof: int = 0

    def __post_init__(self) -> None:
        for name in ("steps", "samples", "seed", "ddof"):
            object.__setattr__(self, name, integer(name, getattr(self, name)))
        if self.steps < 1:
            raise ValueError(f"steps must be at least 1, not {self.steps}")
        if self.rule not in RULE_NAMES:
            hint = "; call exact_integrated_gradients for the exact rule" if self.rule == EXACT else ""
            raise ValueError(f"the rule must be one of {RULE_NAMES}, not {self.rule!r}{hint}")
        if self.samples < 1:
            raise ValueError(f"samples must be at least 1, not {self.samples}")
        if not 0 <= self.noise_level < np.inf:
            raise ValueError(f"the noise level must be 0 or more, not {self.noise_level}")
        if self.seed < 0:
            raise ValueError(f"the seed must be 0 or more, not {self.seed}")
        if self.noise_range not in NOISE_RANGES:
            raise ValueError(f"noise_range must be one of {NOISE_RANGES}, not {self.noise_range!r}")
        if self.of not in AVERAGE_QUANTITIES:
            raise ValueError(f"of must be one of {AVERAGE_QUANTITIES}, not {self.of!r}")
        if self.variance_of not in VARIANCE_QUANTITIES:
            raise ValueError(f"variance_of must be one of {VARIANCE_QUANTITIES}, not {self.variance_of!r}")
        if self.ddof not in (0, 1):
            raise ValueError(f"ddof must be 0 or 1, not {self.ddof}")


def integer(name: str, value: object) -> int:
    """The value as an int, for any integer type; True and 2.0 are not integers.

    Raises:
        ValueError: the value is not an integer.
    """
    if not isinstance(value, bool):
        try:
            return operator.index(value)  # type: ignore[arg-type]
        except TypeError:
            pass
    raise ValueError(f"{name} must be a whole number, not {repr(value)[:40]}")
