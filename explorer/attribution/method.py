"""What a method of attribution is to the rest of the explorer: one entry that says all there is to know of it.

The page, the comparison, the documentation and the tests that hold for every method read these entries and nothing
else. A method's module defines its entry; ``methods`` lists it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

import numpy as np

from explorer.attribution.arrays import finite
from explorer.attribution.case import NOISE_RANGES, OF, VARIANCE_OF, Case, Settings, whole
from explorer.attribution.field import Field, look, values_at
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

# What a complete method's attributions sum to.
DELTA_F = "F(x) − F(x′)"


@dataclass(frozen=True, slots=True)
class Setting:
    """One thing that a method can be told.

    Attributes:
        name: how it is called in ``values`` and in links; the same name means the same thing in every method.
        title: the label on the page.
        default: the value when nothing is said; its type is the setting's type.
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
        """The value, if it is one that this setting can have.

        Raises:
            ValueError: it is of another type or out of range; the message says what is allowed.
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
            value = whole(self.name, value)
        elif isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(f"{self.name} must be a number, not {_short(value)}")
        if not self.low <= value <= self.high:  # also refuses NaN
            raise ValueError(f"{self.name} must be {self.low:g} to {self.high:g}, not {_short(value)}")
        return value


def _short(value: object) -> str:
    """A refused value, short enough for a message."""
    if isinstance(value, int) and abs(value) >= 10**15:
        return "a huge number"
    return repr(value)[:40]


# Settings that several methods have in common.
STEPS = Setting("steps", "Steps m", 50, 1, 500)
RULE = Setting("rule", "Quadrature rule", "right", choices=RULE_NAMES)
SAMPLES = Setting("samples", "Samples n", 50, 1, 500)
NOISE_LEVEL = Setting("noise_level", "Noise level", 0.15, 0, 1)
SEED = Setting("seed", "Seed", 0, 0, 2**32 - 1)
CLIP = Setting("clip", "Clip noisy copies to 0…1", False)
SHARED = (STEPS, RULE, SAMPLES, NOISE_LEVEL, SEED, CLIP)  # a method that lists one of these just so is told with the others
# Where libraries differ; see ``conventions``.
NOISE_RANGE = Setting("noise_range", "The noise level is a share of the range of", "one", choices=NOISE_RANGES)
CLEAN_LAST = Setting("clean_last", "Last copy without noise", False)
AVERAGE_OF = Setting("of", "What is averaged", "gradient", choices=OF)
MAGNITUDE = Setting("magnitude", "Magnitude |∂F/∂x| only", False)
VARIED = Setting("variance_of", "Variance of", "gradient", choices=VARIANCE_OF)
DDOF = Setting("ddof", "Variance divided by n − ddof", 0, 0, 1)


class Passes(NamedTuple):
    """How many pictures go forward and backward through the network.

    Attributes:
        forward, backward: as in ``Answer``.
        alone: how many of them must wait for the one before, and so cannot share a pass.
    """

    forward: int
    backward: int
    alone: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What a method answers to a case.

    Attributes:
        attribution: ``(8, 8)`` float64, signed unless the method has no sign.
        forward, backward: how many pictures were sent forward and backward through the network, counted, not estimated.
        goal: what the attributions should sum to by the method's own promise, in units of F; None where nothing is
            promised.
        error: standard error of each pixel ``(8, 8)``, where the method averages over random draws.

    Raises:
        ValueError: one of them is not finite.
    """

    attribution: Floats
    forward: int
    backward: int
    goal: float | None = None
    error: Floats | None = None

    def __post_init__(self) -> None:
        finite("the attributions", self.attribution)
        if self.goal is not None:
            finite("the goals of the attributions", np.array(self.goal))
        if self.error is not None:
            finite("the standard errors of the attributions", self.error)


@dataclass(frozen=True, slots=True)
class FieldWork:
    """How a method of the gradient family works: where it looks, and what it makes of what it sees there.

    Attributes:
        points: where, ``(k, 8, 8)``.
        attribution: what it makes of F and ∂F/∂x there, ``(8, 8)``, signed.
        error: standard error of that, where there is one.
    """

    points: Callable[[Case, Settings], Floats]
    attribution: Callable[[Case, Settings, Field], Floats]
    error: Callable[[Field, Settings], Floats | None] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """One entry of the table.

    Attributes:
        name: short, for code and links.
        title: as people say it.
        year: of the paper.
        paper: authors, short.
        reference: the paper's title and where to find it.
        family: what kind of question it asks.
        formula: in one line.
        complete: what the attributions are meant to sum to, such as ``DELTA_F``; "" when nothing is promised.
        invariant: whether two networks that compute the same function always get the same map (Sundararajan 2017's
            Implementation Invariance).
        passes: what it costs in passes through the network, in words.
        count: the same as numbers, told for a case and a value for each setting without doing the work.
        settings: what it can be told.
        misleads: one honest sentence on when it misleads.
        explains: ``"F"``, or ``"logit"`` for methods whose map is one of the target's logit whichever output is chosen.
        work: the method itself, for a case and a value for each of its settings.
        refusal: why it does not apply to a network, as half a sentence without a full stop; "" when it does.
    """

    name: str
    title: str
    year: int
    paper: str
    reference: str
    family: Family
    formula: str
    complete: str
    invariant: bool
    passes: str
    count: Callable[[Case, Values], Passes]
    settings: tuple[Setting, ...]
    misleads: str
    work: Callable[[Case, Values], Answer] | FieldWork
    explains: Literal["F", "logit"] = "F"
    refusal: Callable[[Network], str] = lambda network: ""

    def values(self, given: Mapping[str, object]) -> Values:
        """A value for each setting: the given one, checked, else its default.

        Raises:
            ValueError: an unknown setting, or a value that it cannot have.
        """
        known = {setting.name: setting for setting in self.settings}
        for name in given:
            if name not in known:
                raise ValueError(f"{self.title} has no setting {name!r}")
        return MappingProxyType(
            {name: s.check(given[name]) if name in given else s.default for name, s in known.items()}
        )

    def __call__(self, case: Case, **given: object) -> Answer:
        """Answer a case; settings that are not given have their defaults.

        Raises:
            ValueError: the network is one that the method does not apply to, a setting is wrong, or what the network or
                the method answers is not finite.
        """
        if reason := self.refusal(case.network):
            raise ValueError(f"{self.title} does not apply: {reason}")
        values = self.values(given)
        if isinstance(self.work, FieldWork):
            return _look_and_answer(self, self.work, case, shared(values))
        return self.work(case, values)


def always(forward: int, backward: int) -> Callable[[Case, Values], Passes]:
    """The count of a method that costs the same whatever it is told."""
    return lambda case, values: Passes(forward, backward)


def each_sample(case: Case, values: Values) -> Passes:
    """The count of a method that looks once at each of n samples."""
    return Passes(int(values["samples"]), int(values["samples"]))


def looks_on_path(values: Values) -> int:
    """How many pictures one path from end to end needs, for methods that take steps by a rule."""
    return nodes(str(values["rule"]), int(values["steps"]))


def shared(values: Values) -> Settings:
    """The shared settings among a method's values, as the gradient family reads them."""
    names = {field.name for field in fields(Settings)}
    some: dict[str, Any] = {name: value for name, value in values.items() if name in names}
    return Settings(**some)


def _look_and_answer(method: Method, work: FieldWork, case: Case, settings: Settings) -> Answer:
    points = work.points(case, settings)
    field = look(case.network, points, case.target, case.output)
    goal, ends = None, 0
    if method.complete == DELTA_F:
        goal, ends = delta_f(case), 2
    return Answer(
        work.attribution(case, settings, field),
        forward=len(points) + ends,
        backward=len(points),
        goal=goal,
        error=work.error(field, settings) if work.error else None,
    )


def delta_f(case: Case) -> float:
    """F(x) − F(x′): two pictures forward."""
    f_baseline, f_input = values_at(case, np.stack([case.baseline, case.input])).tolist()
    return float(f_input - f_baseline)
