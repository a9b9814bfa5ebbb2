"""What is said of a network in the JSON beside its weights."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, Field, Strict, ValidationError, model_validator

from explorer.attribution.network import Activation
from explorer.own.layers import MOST_LAYERS
from explorer.state import shown

FORMAT = "gradient-explorer-network"
MOST_CLASSES, MOST_SAMPLES = 20, 100
LONGEST = {"title": 40, "class": 30, "about": 240}  # characters


def _printable(text: str) -> str:
    if not text.isprintable() or text != text.strip() or not text:
        raise ValueError("must be a printable text without spaces around it")
    return text


def _each_once(names: list[str]) -> list[str]:
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise ValueError(f"must differ, but {twice!r} is there twice")
    return names


Whole = Annotated[int, Strict()]
Number = Annotated[float, Strict(), Field(allow_inf_nan=False)]
Level = Annotated[float, Strict(), Field(ge=0, le=1)]
Pixels = Annotated[list[Level], Field(min_length=64, max_length=64)]
ClassName = Annotated[str, Strict(), Field(max_length=LONGEST["class"]), AfterValidator(_printable)]
OneOrEach = Number | Annotated[list[Number], Field(min_length=64, max_length=64)]


class Normalisation(BaseModel, frozen=True, extra="forbid"):
    """The network is given (pixel − mean) / std: one number for all pixels, or 64, row by row."""

    mean: OneOrEach = 0.0
    std: OneOrEach = 1.0

    @model_validator(mode="after")
    def _divides(self) -> Self:
        if min(self.std if isinstance(self.std, list) else [self.std]) < 1e-6:
            raise ValueError("the std of the normalisation must be above 0.000001")
        return self

    def values(self) -> tuple[float | list[float], float | list[float]]:
        """Mean and std."""
        return self.mean, self.std


class Facts(BaseModel, frozen=True, extra="forbid"):
    """The members of the JSON file.

    Attributes:
        format, version: which file this is.
        title: on the page; about: one sentence for it.
        classes: their names, in the order of the logits.
        activation: "softmax" for exclusive classes, "sigmoid" for independent ones.
        input_size: always 8 × 8.
        normalisation: what is done to the pixels, 0 black and 1 white, before the first layer.
        layers: each with its kind and options; ``layers.KINDS`` has the allowed ones.
        mean: the mean of the training pictures, 64 values in [0, 1], row by row.
        samples: some training pictures, for methods that average over them; there may be none.
        accuracy, held_out: the share of held-out pictures classified right, and how many there were; both or neither.
    """

    format: Literal["gradient-explorer-network"]
    version: Literal[1]
    title: Annotated[str, Strict(), Field(max_length=LONGEST["title"]), AfterValidator(_printable)]
    about: Annotated[str, Strict(), Field(max_length=LONGEST["about"]), AfterValidator(_printable)]
    classes: Annotated[list[ClassName], Field(min_length=2, max_length=MOST_CLASSES), AfterValidator(_each_once)]
    activation: Activation
    input_size: tuple[Literal[8], Literal[8]]
    normalisation: Normalisation
    layers: Annotated[list[dict[str, Any]], Field(min_length=1, max_length=MOST_LAYERS)]
    mean: Pixels
    samples: Annotated[list[Pixels], Field(max_length=MOST_SAMPLES)]
    accuracy: Level | None = None
    held_out: Annotated[int, Strict(), Field(ge=1, le=10**9)] | None = None

    @model_validator(mode="after")
    def _measured_on(self) -> Self:
        if (self.accuracy is None) != (self.held_out is None):
            raise ValueError("accuracy and held_out go together: give both or neither")
        return self


def read_facts(content: bytes) -> Facts:
    """The facts in the bytes of a JSON file.

    Raises:
        ValueError: they are not such JSON, or a member is missing, unknown or wrong; the message is a clause that names it.
    """
    given = parsed(content)
    if not isinstance(given, dict):
        raise ValueError("it must hold an object")
    return checked_facts(given)


def checked_facts(given: dict[str, Any]) -> Facts:
    """The facts in plain data; see ``read_facts`` for what is raised."""
    try:
        return Facts.model_validate(given)
    except ValidationError as wrong:
        raise ValueError(_clause(wrong)) from None


def _clause(wrong: ValidationError) -> str:
    error = wrong.errors(include_url=False)[0]
    place = ".".join(str(part) for part in error["loc"] if part not in ("list[constrained-float]", "float", "constrained-float", "str"))
    kind, value = error["type"], error["input"]
    if kind == "missing":
        return f"it lacks {place!r}"
    if kind == "extra_forbidden":
        return f"it has an unknown member {place!r:.60}"
    if kind == "value_error":
        said = str(error["ctx"]["error"])
        return f"{place} {said}" if place and said.startswith("must") else said
    if kind in ("too_short", "too_long", "string_too_long"):
        return f"{place} has a wrong length: it should{error['msg'].replace(' after validation', '').partition('should')[2]}"
    return f"{place} is wrong: {error['msg'].replace('Input should', 'it should')}, not {shown(value)}"


def parsed(content: bytes) -> Any:
    """JSON as plain data; without what Python's parser lets pass: NaN, and a key that is there twice.

    Raises:
        ValueError: it is no such JSON; the message is a clause.
    """
    try:
        return json.loads(content.decode("utf-8"), object_pairs_hook=_each_key_once, parse_constant=_no_constant)
    except (UnicodeDecodeError, RecursionError) as error:
        raise ValueError("it is no JSON" if isinstance(error, UnicodeDecodeError) else "it is nested too deeply") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"it is no JSON (line {error.lineno}: {error.msg})") from None


def _each_key_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(key for key in found if sum(key == other for other, _ in pairs) > 1)
        raise ValueError(f"it has {twice!r:.40} twice")
    return found


def _no_constant(name: str) -> float:
    raise ValueError(f"it holds {name}, which is no number of JSON")
