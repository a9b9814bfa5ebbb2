"""``Method``: the metadata, settings and computation of one attribution method.

Page, docs and general tests read nothing but these entries. A module in ``methods`` defines them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

import numpy as np

from explorer.attribution.arrays import finite
from explorer.attribution.case import AVERAGE_QUANTITIES, NOISE_RANGES, VARIANCE_QUANTITIES, Case, Settings, integer
from explorer.attribution.field import Field, gradient_field, values_at
from explorer.attribution.network import Floats, Network
from explorer.attribution.rules import RULE_NAMES, nodes

Value = bool | int | float | str
Values = Mapping[str, Value]
Family = Literal[
    "gradient field", "adaptive path", "changed backward pass", "activation maps", "perturbation", "regions"
]
FAMILIES: tuple[Family, ...] = (
    "gradient field",
    "adaptive path",
    "changed backward pass",
    "activation maps",
    "perturbation",
    "regions",
)

# ``Method.complete`` of a method with completeness.
DELTA_F = "F(x) − F(x′)"


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting of a method.

    Attributes:
        name: its key in ``values`` and in links; the same name has the same meaning in every method.
        title: the label on the page.
        default: the value when none is given; its type is the setting's type.
        low, high: the range of a number, ends included.
        choices: the values of a text setting.
    """

    name: str
    title: str
    default: Value
    low: float = 0
    high: float = 0
    choices: tuple[str, ...] = ()

    def check(self, value: object) -> Value:
        """Validate a value and return it.

        Raises:
            ValueError: wrong type or out of range; the message says what is allowed.
        """
        if isinstance(self.default, bool):
            if not isinstance(value, bool):
                raise ValueError(f"{self.name} must be true or false, not {_short(value)}")
            return value
        if isinstance(self.default, str):
            if value not in self.choices:
                raise ValueError(f"{self.name} must be one of {', '.join(self.choices)}, not {_short(value)}")
            return str(value)
        if isinstance(self.default, int):
            value = integer(self.name, value)
        elif isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(f"{self.name} must be a number, not {_short(value)}")
        if not self.low <= value <= self.high:  # also rejects NaN
            raise ValueError(f"{self.name} must be {self.low:g} to {self.high:g}, not {_short(value)}")
        return value


def _short(value: object) -> str:
    """An invalid value, shortened for an error message."""
    if isinstance(value, int) and abs(value) >= 10**15:
        return "a huge number"
    return repr(value)[:40]


# Settings that several methods share.
DEFAULTS = Settings()
STEPS = Setting("steps", "Steps m", DEFAULTS.steps, 1, 500)
RULE = Setting("rule", "Quadrature rule", DEFAULTS.rule, choices=RULE_NAMES)
SAMPLES = Setting("samples", "Samples n", DEFAULTS.samples, 1, 500)
NOISE_LEVEL = Setting("noise_level", "Noise level", DEFAULTS.noise_level, 0, 1)
SEED = Setting("seed", "Seed", DEFAULTS.seed, 0, 2**32 - 1)
CLIP = Setting("clip", "Clip noisy copies to 0…1", DEFAULTS.clip)
# A method that lists one of these unchanged takes the page's value; a variant made by ``replace`` is a setting of its own.
SHARED = (STEPS, RULE, SAMPLES, NOISE_LEVEL, SEED, CLIP)
STEPS_EACH = replace(STEPS, title="Steps m, on each path", default=25, high=100)  # where the cost is paths × steps
# Where libraries differ; see ``conventions``.
NOISE_RANGE = Setting("noise_range", "The noise level is a share of the range of", DEFAULTS.noise_range, choices=NOISE_RANGES)
CLEAN_LAST = Setting("clean_last", "Last copy without noise", DEFAULTS.clean_last)
AVERAGE_OF = Setting("of", "What is averaged", "gradient", choices=AVERAGE_QUANTITIES)
MAGNITUDE = Setting("magnitude", "Magnitude |∂F/∂x| only", False)
VARIED = Setting("variance_of", "Variance of", "gradient", choices=VARIANCE_QUANTITIES)
DDOF = Setting("ddof", "Variance divided by n − ddof", 0, 0, 1)


class Passes(NamedTuple):
    """The number of pictures that pass forward and backward through the network.

    Attributes:
        forward, backward: as in ``Attribution``.
        sequential: how many of them depend on the one before, and so cannot be batched.
    """

    forward: int
    backward: int
    sequential: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Attribution:
    """The result of one method for one case.

    Attributes:
        attribution: ``(8, 8)`` float64, signed unless the method has no sign.
        forward, backward: how many pictures were passed forward and backward through the network, counted, not estimated.
        expected_sum: the sum that the attributions have by the method's completeness property, in units of F; None
            for a method without one.
        error: standard error of each pixel ``(8, 8)``; None unless the method averages over random draws.

    Raises:
        ValueError: one of them is not finite.
    """

    attribution: Floats
    forward: int
    backward: int
    expected_sum: float | None = None
    error: Floats | None = None

    def __post_init__(self) -> None:
        finite("the attributions", self.attribution)
        if self.expected_sum is not None:
            finite("the goals of the attributions", np.array(self.expected_sum))
        if self.error is not None:
            finite("the standard errors of the attributions", self.error)


@dataclass(frozen=True, slots=True)
class GradientMethod:
    """A method that needs only F and ∂F/∂x at points that are known beforehand, so that it can share a batch.

    Attributes:
        points: where to evaluate the gradient field, ``(k, 8, 8)``.
        attribution: the map, ``(8, 8)``, from the field at these points.
        error: its standard error ``(8, 8)``, where there is one.
    """

    points: Callable[[Case, Settings], Floats]
    attribution: Callable[[Case, Settings, Field], Floats]
    error: Callable[[Field, Settings], Floats | None] | None = None


Unit = Literal["F", "F per unit of a pixel", "F²", "(F per unit of a pixel)²", "F² per unit of a pixel", ""]


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """One entry of the registry.

    Attributes:
        name: the key in code and links.
        title: the name that is shown.
        year: of the paper.
        paper: authors, short.
        reference: the paper's title and where to find it.
        family: which kind of method it is.
        formula: in one line.
        complete: what the attributions sum to, such as ``DELTA_F``; "" for a method without completeness.
        invariant: whether two networks that compute the same function get the same map (Sundararajan 2017's
            Implementation Invariance): to rounding, and where F is differentiable at the points that the method
            evaluates. On a kink torch's gradient depends on the layers.
        passes: its cost in passes through the network, in words.
        count: the same as numbers, for a case and a value for each setting, without running the method.
        settings: its settings.
        caveat: one sentence on when the map misleads.
        unit: of the map, where F is what the method explains and a pixel's range is 1; ``""`` where its parts have different ones.
            Only maps with one unit can be compared by size.
        other_units: the unit with another value of a setting: by setting, then by value.
        asks_at: where it evaluates the network: at the input alone (``"picture"``), at the page's points on the straight
            path (``"path"``), at noisy copies of the input (``"copies"``), or elsewhere (``""``).
        asks: where it evaluates elsewhere, in words that follow "asks"; "" if ``asks_at`` says it.
        explains: ``"F"``, or ``"logit"`` for methods whose map is one of the target's logit whichever output is chosen.
        compute: the method itself, for a case and a value for each of its settings.
        unsupported_reason: why it does not apply to a network, as a clause without a full stop; "" when it does.
    """

    name: str
    title: str
    year: int
    paper: str
    reference: str
    family: Family
    formula: str
    complete: str
    unit: Unit
    invariant: bool
    passes: str
    count: Callable[[Case, Values], Passes]
    settings: tuple[Setting, ...]
    caveat: str
    compute: Callable[[Case, Values], Attribution] | GradientMethod
    explains: Literal["F", "logit"] = "F"
    other_units: Mapping[str, Mapping[Value, Unit]] = field(default_factory=dict)
    asks_at: Literal["picture", "path", "copies", ""] = ""
    asks: str = ""
    unsupported_reason: Callable[[Network], str] = lambda network: ""

    def __post_init__(self) -> None:
        """Check that a gradient method has shared settings only: others would not reach it."""
        own = {setting.name for setting in self.settings} - {field.name for field in fields(Settings)}
        if own and isinstance(self.compute, GradientMethod):
            raise ValueError(f"{self.name}: a gradient method takes the fields of Settings only, not {', '.join(sorted(own))}")

    def values(self, given: Mapping[str, object]) -> Values:
        """A value for each setting: the given one, checked, else its default.

        Raises:
            ValueError: an unknown setting, or a value that it cannot have.
        """
        return checked_values(self.title, self.settings, given)

    def __call__(self, case: Case, **given: object) -> Attribution:
        """Run the method on a case; settings that are not given have their defaults.

        Raises:
            ValueError: the method does not apply to the network, a setting is invalid, or logits, gradients or the result
                are not finite.
        """
        if reason := self.unsupported_reason(case.network):
            raise ValueError(f"{self.title} does not apply: {reason}")
        values = self.values(given)
        if isinstance(self.compute, GradientMethod):
            return _run_gradient_method(self, self.compute, case, shared_settings(values))
        return self.compute(case, values)


def checked_values(title: str, settings: Iterable[Setting], given: Mapping[str, object]) -> Values:
    """A value for each setting: the given one, checked, else its default; read-only.

    Raises:
        ValueError: an unknown setting, or a value that it cannot have; the message starts with the title of what has the settings.
    """
    known = {setting.name: setting for setting in settings}
    for name in given:
        if name not in known:
            raise ValueError(f"{title} has no setting {_short(name)}")
    return MappingProxyType({name: s.check(given[name]) if name in given else s.default for name, s in known.items()})


def fixed_passes(forward: int, backward: int) -> Callable[[Case, Values], Passes]:
    """``Method.count`` of a method whose cost depends on nothing."""
    return lambda case, values: Passes(forward, backward)


def passes_per_sample(case: Case, values: Values) -> Passes:
    """``Method.count`` of a method that evaluates each of n samples once."""
    return Passes(int(values["samples"]), int(values["samples"]))


def points_on_path(values: Values) -> int:
    """How many points the method's quadrature rule has on one path."""
    return nodes(str(values["rule"]), int(values["steps"]))


def shared_settings(values: Values) -> Settings:
    """A method's values as the ``Settings`` that gradient methods take."""
    names = {field.name for field in fields(Settings)}
    some: dict[str, Any] = {name: value for name, value in values.items() if name in names}
    return Settings(**some)


def _run_gradient_method(method: Method, parts: GradientMethod, case: Case, settings: Settings) -> Attribution:
    points = parts.points(case, settings)
    field = gradient_field(case.network, points, case.target, case.output)
    expected_sum, ends = None, 0
    if method.complete == DELTA_F:
        expected_sum, ends = delta_f(case), 2
    return Attribution(
        parts.attribution(case, settings, field),
        forward=len(points) + ends,
        backward=len(points),
        expected_sum=expected_sum,
        error=parts.error(field, settings) if parts.error else None,
    )


def delta_f(case: Case) -> float:
    """F(x) − F(x′); 2 forward passes."""
    f_baseline, f_input = values_at(case, np.stack([case.baseline, case.input])).tolist()
    return float(f_input - f_baseline)
