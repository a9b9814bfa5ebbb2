"""The options of single methods: one pydantic model a method, made from the settings that the method lists."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, PlainValidator, create_model

from explorer.attribution import METHODS, SHARED, Method

CLOSED = ConfigDict(frozen=True, extra="forbid")


def options_of(method: Method) -> type[BaseModel]:
    """The model of one method's options. A shared setting defaults to None: then the value of the whole state applies."""
    fields: dict[str, Any] = {
        setting.name: (Annotated[Any, PlainValidator(setting.check)], None if setting in SHARED else setting.default)
        for setting in method.settings
    }
    return create_model(method.name, __config__=CLOSED, **fields)


if TYPE_CHECKING:
    Options = BaseModel  # mypy does not follow models that are made at run time
else:
    Options = create_model("Options", __config__=CLOSED, **{name: (model := options_of(method), model()) for name, method in METHODS.items()})
