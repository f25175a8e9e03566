"""The response schemas have the fields that the trading service sends."""

import msgspec
import pytest

from services.gateway.rest.links import schemas
from shared.contracts import upstox_links
from tests.support.gateway.fake_links import LINKED
from tests.support.schema_comparison import check_same_fields


@pytest.mark.parametrize("name", ["LinkBeginReply", "LinkView"])
def test_a_schema_has_the_fields_and_defaults_of_its_message(name: str) -> None:
    check_same_fields(getattr(schemas, name), getattr(upstox_links, name))


def test_an_encoded_link_is_valid_by_its_schema() -> None:
    schemas.LinkView.model_validate_json(msgspec.json.encode(LINKED))
