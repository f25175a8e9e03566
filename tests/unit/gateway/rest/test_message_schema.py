"""A relayed message is described with the fields, defaults and docstrings of its class."""

from typing import Annotated

import msgspec
import pytest
from pydantic import ValidationError

from services.gateway.rest.message_schema import RELAYED, model_of
from services.gateway.rest.models import Schema
from shared.contracts.messages import Quote
from tests.support.builders import quote
from tests.support.schema_comparison import check_same_fields


class Answer(Schema):
    quotes: list[Annotated[Quote, RELAYED]]


def test_the_model_of_a_quote_has_its_fields_and_defaults() -> None:
    check_same_fields(model_of(Quote), Quote)


def test_the_schema_names_the_message_and_describes_each_field() -> None:
    schema = Answer.model_json_schema()
    assert schema["properties"]["quotes"]["items"] == {"$ref": "#/$defs/Quote"}
    described = schema["$defs"]["Quote"]
    assert described["description"] == Quote.__doc__
    assert described["required"] == ["key", "epoch", "seq", "ts", "rt"]
    assert all(field["description"] for field in described["properties"].values())
    assert described["properties"]["ieq"]["anyOf"] == [{"type": "integer"}, {"type": "null"}]


def test_an_encoded_quote_fits_the_schema() -> None:
    encoded = msgspec.to_builtins(quote(open=1.5, iep=2.5))
    Answer.model_validate({"quotes": [encoded]})
    with pytest.raises(ValidationError, match="iep"):
        Answer.model_validate({"quotes": [encoded | {"iep": "none"}]})
