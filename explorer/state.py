"""Everything the user chose, as one pydantic model: its defaults and bounds hold for the page, for links and for Python."""

from __future__ import annotations

import reprlib
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, Self, get_args

import numpy as np
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Field,
    PlainSerializer,
    Strict,
    ValidationError,
    ValidationInfo,
    field_serializer,
    model_validator,
)
from pydantic_core import ErrorDetails, PydanticCustomError

from explorer.attribution import METHODS, SHARED, Case, Method, Setting, Settings, Value, has_exact_path
from explorer.attribution.method import CLIP, NOISE_LEVEL, RULE, SAMPLES, SEED, STEPS
from explorer.attribution.network import OUTPUTS, SHAPE, Floats, Output
from explorer.attribution.rules import EXACT
from explorer.hiding import HIDEABLE
from explorer.models import Model
from explorer.options import Options
from explorer.pictures import BASELINES, PATTERNS, BaselineKind, baseline

Tab = Literal["saliency", "integrated", "compare", "methods", "labs"]
Scale = Literal["unit", "own"]
Predicted = Literal["predicted"]

TABS: tuple[Tab, ...] = get_args(Tab)
SCALES: tuple[Scale, ...] = get_args(Scale)
PREDICTED: Predicted = "predicted"
RULE_NAMES = (*RULE.choices, EXACT)
MAX_STEPS, MAX_SAMPLES, MAX_NOISE = int(STEPS.high), int(SAMPLES.high), NOISE_LEVEL.high
MAX_SEED = 999_999
MAX_PINNED = 4
LOOKS = {"tab", "scale", "pinned", "lab", "lab_settings", "lesson", "lesson_step", "hide"}  # no number of an explanation depends on these

Zoo = Mapping[str, Model]
Level = Annotated[float, Field(strict=True, ge=0, le=1)]
Pixels = Annotated[tuple[Level, ...], Field(min_length=64, max_length=64, fail_fast=True)]
Number = Annotated[float, Strict(), Field(allow_inf_nan=False)]
LabValue = Annotated[bool, Strict()] | Annotated[int, Strict()] | Number | Annotated[str, Strict(), Field(max_length=40)]


def _pairs(given: object) -> object:
    return tuple(sorted(given.items())) if isinstance(given, dict) and all(isinstance(name, str) for name in given) else given


# As pairs, so that a state can be hashed; JSON has an object.
LabSettings = Annotated[
    tuple[tuple[Annotated[str, Strict(), Field(max_length=40)], LabValue], ...], BeforeValidator(_pairs), PlainSerializer(dict), Field(max_length=20)
]


class StateError(ValueError):
    """Something in a state is wrong; the message is one sentence without its full stop."""


def _field(title: str, default: Any, expected: str, **bounds: Any) -> Any:
    return Field(default, title=title, description=expected, **bounds)


def _number(title: str, setting: Setting, low: float, high: float) -> Any:
    kind = "a whole number" if isinstance(setting.default, int) else "a number"
    return _field(title, setting.default, f"{kind} from {low:g} to {high:,}", strict=True, ge=low, le=high)


def _one_of(title: str, default: str, names: tuple[str, ...], **bounds: Any) -> Any:
    return _field(title, default, f"one of {', '.join(names)}", **bounds)


def _each_once(names: tuple[str, ...]) -> tuple[str, ...]:
    for name in names:
        if name not in METHODS:
            raise ValueError(f"there is no method {shown(name)} to be pinned")
    if len(set(names)) < len(names):
        raise ValueError("a method can be pinned only once")
    return names


def _groups_once(names: tuple[str, ...]) -> tuple[str, ...]:
    for name in names:
        if name not in HIDEABLE:
            raise ValueError(f"what is hidden must be among {', '.join(HIDEABLE)}, not {shown(name)}")
    return tuple(sorted(set(names)))


class State(BaseModel, frozen=True, extra="forbid"):
    """What the user chose. Numbers follow from it alone: the same state gives the same numbers anywhere.

    Attributes:
        pixels: the picture, 64 values in [0, 1], row by row.
        network: a name in the zoo.
        target: a class index, or ``"predicted"`` for the class that scores highest.
        output: ``"probability"`` or ``"logit"``.
        baseline: a kind in ``pictures.BASELINES``.
        baseline_seed: of the noise baseline.
        drawing: the picture kept as a baseline, 64 values, or None.
        steps, rule: of Integrated Gradients; the exact rule takes no steps.
        samples, noise_level, seed, clip: of SmoothGrad.
        options: of single methods.
        pinned: the methods that are compared, one to four.
        tab, scale: what is shown; one colour scale for all maps of a ``"unit"``, or each its ``"own"``. No number depends on it, nor on what is pinned.
        lab, lab_settings: the lab that is open, ``""`` for none, and its settings that differ from their defaults. ``labs`` checks them.
        lesson, lesson_step: the lesson that is open, ``""`` for none, and its step, from 1. The page knows which lessons there are.
        hide: groups of controls that are not shown, names in ``hiding.HIDEABLE``.

    Raises:
        ValidationError: a value that the field cannot have (a ValueError of pydantic's). Only ``from_json`` knows the networks.
    """

    pixels: Pixels = _field("the picture", tuple(PATTERNS["edge"].ravel().tolist()), "64 numbers")
    network: str = _field("the network", "shapes", "a name", strict=True)
    target: Annotated[int, Strict(), Field(ge=0)] | Predicted = _field("the target", PREDICTED, f"a class index or '{PREDICTED}'")
    output: Output = _one_of("the output", "probability", OUTPUTS)
    baseline: BaselineKind = _one_of("the baseline", "black", BASELINES)
    baseline_seed: int = _number("the baseline seed", SEED, 0, MAX_SEED)
    drawing: Pixels | None = _field("the drawing", None, "64 numbers")
    steps: int = _number("the number of steps m", STEPS, STEPS.low, STEPS.high)
    rule: str = _one_of("the rule", str(RULE.default), RULE_NAMES, strict=True, pattern=f"^({'|'.join(RULE_NAMES)})$")
    samples: int = _number("the number of samples n", SAMPLES, SAMPLES.low, SAMPLES.high)
    noise_level: float = _number("the noise level", NOISE_LEVEL, NOISE_LEVEL.low, NOISE_LEVEL.high)
    seed: int = _number("the seed", SEED, 0, MAX_SEED)
    clip: bool = _field("clip", CLIP.default, "true or false", strict=True)
    options: Options = _field("the options", Options(), "an object of objects")
    pinned: Annotated[tuple[str, ...], AfterValidator(_each_once)] = _field(
        "the pinned methods", ("gradient", "smoothgrad", "gradient_times_input", "integrated_gradients"), f"1 to {MAX_PINNED} names", min_length=1, max_length=MAX_PINNED
    )
    tab: Tab = _one_of("the tab", "integrated", TABS)
    scale: Scale = _one_of("the scale", "unit", SCALES)
    lab: str = _field("the lab", "", "a name", strict=True, max_length=40)
    lab_settings: LabSettings = _field("the settings of the lab", (), "an object of numbers, truths and words")
    lesson: str = _field("the lesson", "", "a name of small letters, digits and hyphens", strict=True, max_length=40, pattern="^[a-z0-9-]*$")
    lesson_step: int = _field("the step of the lesson", 1, "a whole number from 1 to 99", strict=True, ge=1, le=99)
    hide: Annotated[tuple[str, ...], AfterValidator(_groups_once)] = _field("what is hidden", (), "names of groups of controls", max_length=len(HIDEABLE))

    @classmethod
    def from_json(cls, data: object, zoo: Zoo) -> State:
        """A state from the page's request; fields left out keep their defaults.

        Raises:
            StateError: naming the first thing that is wrong.
        """
        try:
            return cls.model_validate(data, context=zoo)
        except ValidationError as wrong:
            raise StateError(next(iter(sentences(wrong).values()))) from None

    @model_validator(mode="after")
    def _goes_together(self, info: ValidationInfo) -> Self:
        """The check of each field against the others and, where the zoo is given as context, against its networks."""
        if (zoo := info.context) is not None:
            if self.network not in zoo:
                raise _contradiction("network", f"the network must be one of {', '.join(zoo)}, not {shown(self.network)}")
            if self.rule == EXACT and not has_exact_path(zoo[self.network].network):
                raise _contradiction("rule", f"the exact rule needs a network of affine and ReLU layers, and {self.network} has others: choose another rule")
            count = len(zoo[self.network].classes)
            if isinstance(self.target, int) and self.target >= count:
                raise _contradiction("target", f"the target must be 0 to {count - 1} for the network {self.network}, not {shown(self.target)}")
        if self.baseline == "drawing" and self.drawing is None:
            raise _contradiction("baseline", "the baseline is 'drawing', but no drawing is given")
        return self

    @field_serializer("options")
    def _chosen(self, options: Options) -> dict[str, dict[str, Any]]:
        return options.model_dump(exclude_defaults=True)

    def replace(self, **changes: Any) -> State:
        """A state with other values for some fields; see the class for what is raised."""
        return State(**{**dict(self), **changes})

    def to_json(self) -> dict[str, Any]:
        """The state as the page holds it: plain lists, strings, numbers and booleans; of the options those that were chosen."""
        return self.model_dump(mode="json")

    def cache_key(self, *, options: bool = False) -> bytes:
        """All that an answer depends on.

        Args:
            options: whether the answer depends on the options of single methods.
        """
        return self.model_dump_json(exclude=LOOKS if options else LOOKS | {"options"}).encode()

    def picture(self) -> Floats:
        """The input x, ``(8, 8)``."""
        return np.array(self.pixels).reshape(SHAPE)

    def case(self, zoo: Zoo) -> Case:
        """The question that this state puts to its network."""
        model = zoo[self.network]
        picture = self.picture()
        drawing = None if self.drawing is None else np.array(self.drawing).reshape(SHAPE)
        reference = baseline(self.baseline, picture, seed=self.baseline_seed, mean=model.mean, drawing=drawing)
        target = model.network.predict(picture) if isinstance(self.target, str) else self.target
        return Case(model.network, picture, reference, target, self.output)

    def settings(self) -> Settings:
        """The settings of the gradient family. Under the exact rule those of the quadrature are not used."""
        return Settings(**self._shared(SHARED))

    def values(self, method: Method) -> dict[str, Value]:
        """The values of a method's settings: the shared ones that it lists, then its own options."""
        own = getattr(self.options, method.name).model_dump(exclude_defaults=True)
        return {**self._shared([setting for setting in method.settings if setting in SHARED]), **own}

    def _shared(self, settings: Sequence[Setting]) -> dict[str, Any]:
        values = {setting.name: getattr(self, setting.name) for setting in settings}
        return {**values, "rule": "gauss-legendre"} if values.get("rule") == EXACT else values


def limits() -> dict[str, list[float]]:
    """The least and the greatest value of each number that an explanation depends on."""
    found = {}
    for name, field in State.model_fields.items():
        ends = [getattr(bound, end) for end in ("ge", "le") for bound in field.metadata if hasattr(bound, end)]
        if len(ends) == 2 and name not in LOOKS:
            found[name] = ends
    return found


def _contradiction(field: str, sentence: str) -> PydanticCustomError:
    return PydanticCustomError("contradiction", "{sentence}", {"field": field, "sentence": sentence})


def sentences(wrong: ValidationError) -> dict[tuple[Any, ...], str]:
    """What is wrong with a state: where, as names from the outermost to the innermost, and a sentence for each."""
    found: dict[tuple[Any, ...], str] = {}
    for error in wrong.errors(include_url=False):
        place, sentence = _told(error)
        found.setdefault(place, sentence)
    return found


def _told(error: ErrorDetails) -> tuple[tuple[Any, ...], str]:
    place, value, kind = error["loc"], error["input"], error["type"]
    unknown = kind == "extra_forbidden"
    match place:
        case ():
            if kind == "contradiction":
                return (error["ctx"]["field"],), error["msg"]
            return place, "the state must be an object"
        case ("options", str() as method, setting):
            title = METHODS[method].title
            return place, f"{title} has no setting {shown(setting)}" if unknown else f"{title}: {error['ctx']['error']}"
        case ("options", method) if unknown:
            return place, f"there is no method {shown(method)} to be given options"
        case (name,) if unknown:
            return place, f"the state has an unknown field {shown(name)}"
    name = str(place[0])
    field = State.model_fields[name]
    if kind == "value_error":
        said = str(error["ctx"]["error"])
    elif name in ("pixels", "drawing") and len(place) == 2:
        said = f"{field.title} must hold numbers from 0 to 1, but row {int(place[1]) // 8}, column {int(place[1]) % 8} is {shown(value)}"
    else:
        given = f"{error['ctx']['actual_length']} values" if kind in ("too_short", "too_long") else shown(value)
        said = f"{field.title} must be {field.description}, not {given}"
    return (name,), said


def shown(value: object) -> str:
    """A refused value, short enough for a message, whatever it is."""
    if isinstance(value, int) and abs(value) >= 10**15:
        return "a huge number"
    short = reprlib.Repr()
    short.maxlevel, short.maxlist, short.maxdict, short.maxstring = 2, 3, 2, 36
    return short.repr(value)
