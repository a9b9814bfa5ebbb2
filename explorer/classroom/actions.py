"""What a teacher or a student may do in a room, as it is sent: every body is bounded, and nothing in it is free text."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, Strict, TypeAdapter, ValidationError

from explorer.server.errors import BadRequestBody

Whole = Annotated[int, Strict(), Field(ge=0, le=2**53)]
Truth = Annotated[bool, Strict()]
Number = Annotated[float, Field(strict=True, ge=-1e9, le=1e9, allow_inf_nan=False)]
Level = Annotated[float, Field(strict=True, ge=0, le=1)]
Pixels = Annotated[list[Level], Field(min_length=64, max_length=64)]
Pixel = Annotated[int, Strict(), Field(ge=0, le=63)]
Id = Annotated[str, Field(pattern=r"^[a-z0-9]{12}$")]
Alias = Annotated[str, Field(min_length=1, max_length=40)]
Key = Annotated[str, Field(pattern=r"^(lesson/[a-z0-9-]{1,40}/[1-9][0-9]?|lab/[a-z_]{1,40}|ask/[0-9]{1,6})$")]
Lesson = Annotated[str, Field(pattern=r"^[a-z0-9-]{1,40}$")]


class _Action(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Look(_Action):
    """Where the teacher's playhead is, and what is marked."""

    step: Number = 0
    count: Whole = 0
    playing: Truth = False
    speed: Number = 0
    loop: Truth = False
    pixel: Pixel | None = None
    magnified: Number | Truth = False


class Lead(_Action):
    """The teacher's page changed: its state, its picture while a stroke lasts, or its playhead; n grows."""

    do: Literal["lead"]
    n: Whole
    state: dict[str, Any] | None = None
    pixels: Pixels | None = None
    look: Look | None = None


class Share(_Action):
    """The teacher's page has answers of single methods, or of the open lab, to its nth change."""

    do: Literal["share"]
    n: Whole
    methods: Annotated[list[Annotated[str, Field(max_length=40)]], Field(max_length=4)] = []
    lab: Truth = False


class Screens(_Action):
    do: Literal["screens"]
    mode: Literal["free", "hold", "clear"]


class OfPicture(_Action):
    do: Literal["publish", "hide"]
    id: Id
    on: Truth


class Remove(_Action):
    do: Literal["remove"]
    id: Id


class Mute(_Action):
    do: Literal["mute"]
    alias: Alias
    on: Truth


class Poll(_Action):
    """Choose what the class is asked; the server has the texts of lessons and labs, so those sent along are not kept."""

    do: Literal["poll"]
    key: Key | None
    kind: Literal["choice", "marks"] = "choice"
    title: Annotated[str, Field(max_length=1000)] | None = None
    choices: Annotated[list[Annotated[str, Field(max_length=1000)]], Field(max_length=9)] | None = None
    pixels: Annotated[int, Field(strict=True, ge=1, le=32)] | None = None
    picture: Pixels | None = None
    network: Annotated[str, Field(max_length=80)] | None = None


class Reveal(_Action):
    do: Literal["reveal"]
    on: Truth


class StartChallenge(_Action):
    do: Literal["challenge"]
    kind: Annotated[str, Field(max_length=20)]
    minutes: Annotated[float, Field(strict=True, ge=0.1, le=60)]
    state: dict[str, Any]


class EndChallenge(_Action):
    do: Literal["challenge-end"]


class End(_Action):
    do: Literal["end"]


class Send(_Action):
    do: Literal["send"]
    id: Id
    state: dict[str, Any]


class Vote(_Action):
    do: Literal["vote"]
    key: Key
    choice: Annotated[int, Field(strict=True, ge=0, le=8)] | None = None
    pixels: Annotated[list[Pixel], Field(min_length=1, max_length=32)] | None = None


class Done(_Action):
    do: Literal["done"]
    lesson: Lesson
    step: Annotated[int, Field(strict=True, ge=1, le=99)]


class Try(_Action):
    do: Literal["try"]
    state: dict[str, Any]


class Leave(_Action):
    do: Literal["leave"]


OfTeacher = Lead | Share | Screens | OfPicture | Remove | Mute | Poll | Reveal | StartChallenge | EndChallenge | End
OfStudent = Send | Vote | Done | Try | Leave
_ADAPTER: TypeAdapter[OfTeacher | OfStudent] = TypeAdapter(Annotated[OfTeacher | OfStudent, Field(discriminator="do")])


def read_action(data: object) -> OfTeacher | OfStudent:
    """An action as it was sent.

    Raises:
        BadRequestBody: naming the first thing that is wrong.
    """
    try:
        return _ADAPTER.validate_python(data)
    except ValidationError as wrong:
        error = wrong.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, error["loc"][1:]))[:60]  # a name that was sent may be as long as the body
        raise BadRequestBody(f"the action is not one of a room: {place or 'do'}: {error['msg'][:200]}") from None
