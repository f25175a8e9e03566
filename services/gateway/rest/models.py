"""The base models of queries, bodies and responses, and the type of an instrument key."""

from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from shared.contracts.subjects import MAX_KEY_CHARS, key_to_tokens
from shared.errors import InvalidField


class Input(BaseModel):
    """The base of all queries and bodies. Unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Schema(BaseModel):
    """The base of all responses. An absent field is unknown, never zero."""

    model_config = ConfigDict(use_attribute_docstrings=True)


def _instrument_key(key: str) -> str:
    try:
        key_to_tokens(key)
    except InvalidField as error:
        raise ValueError(error.detail) from None
    return key


_KEY_PATTERN: Final = r"^[^|]+\|[^|]+$"
Key = Annotated[
    str,
    Field(max_length=MAX_KEY_CHARS, json_schema_extra={"pattern": _KEY_PATTERN}),
    AfterValidator(_instrument_key),
]
"""Upstox's instrument key, e.g. `NSE_EQ|INE002A01018`."""
