"""Compares a schema of a response with the message that is relayed as that response."""

import msgspec
from pydantic import BaseModel


def check_same_fields(schema: type[BaseModel], message: type[msgspec.Struct]) -> None:
    """Fails if names, order, required fields or defaults differ."""
    fields = msgspec.structs.fields(message)
    assert list(schema.model_fields) == [field.name for field in fields]
    required = {name for name, field in schema.model_fields.items() if field.is_required()}
    assert required == {field.name for field in fields if field.required}
    for field in fields:
        if not field.required:
            default = None if field.default is msgspec.NODEFAULT else field.default
            if field.default_factory is not msgspec.NODEFAULT:
                default = field.default_factory()
            assert schema.model_fields[field.name].get_default() == default
