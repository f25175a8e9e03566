"""Describes a message of the bus, which is relayed as it is, in the OpenAPI document."""

from functools import cache, reduce
from operator import or_
from types import UnionType
from typing import Any, Final, Union, get_args, get_origin

import msgspec
from pydantic import Field, GetCoreSchemaHandler, create_model
from pydantic_core import CoreSchema

from services.gateway.rest.models import Schema
from shared.web.attribute_docs import inherited_attribute_docs


class _Relayed:
    """Makes pydantic describe the annotated message by a model with the same fields."""

    def __get_pydantic_core_schema__(
        self, message: type[msgspec.Struct], handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return handler(model_of(message))


RELAYED: Final = _Relayed()
"""For `Annotated`: the schema has the fields, defaults and docstrings of the message's class."""


@cache
def model_of(message: type[msgspec.Struct]) -> type[Schema]:
    """A model with the name, the fields and the docstrings of a message and those inside it."""
    docs = inherited_attribute_docs(message)
    fields: dict[str, Any] = {
        field.name: (
            _described(field.type),
            Field(
                ... if field.required else field.default,
                description=docs.get(field.name),
            ),
        )
        for field in msgspec.structs.fields(message)
    }
    return create_model(message.__name__, __base__=Schema, __doc__=message.__doc__, **fields)


def _described(annotation: Any) -> Any:
    """The type with a model in place of each message."""
    if isinstance(annotation, type) and issubclass(annotation, msgspec.Struct):
        return model_of(annotation)
    origin, args = get_origin(annotation), get_args(annotation)
    if origin in (Union, UnionType):
        return reduce(or_, map(_described, args))
    if origin is list:
        (item,) = args
        return list[_described(item)]  # type: ignore[misc]
    return annotation
