"""The client's messages have the fields of REST's answers."""

from typing import Any

import msgspec
import pytest
from pydantic import BaseModel

from services.gateway.rest.market import schemas
from tradedad_client import market_messages, messages

PAIRS: list[tuple[type[msgspec.Struct], type[BaseModel]]] = [
    (market_messages.Instrument, schemas.Instrument),
    (market_messages.InstrumentList, schemas.Instruments),
    (market_messages.Reference, schemas.Reference),
    (market_messages.InstrumentDetail, schemas.InstrumentDetail),
    (market_messages.HistoryBar, schemas.HistoryBar),
    (market_messages.BarPage, schemas.Bars),
    (market_messages.Unfetched, schemas.Unfetched),
    (market_messages.HistoryGap, schemas.Gap),
    (market_messages.GapPage, schemas.Gaps),
    (market_messages.OptionChain, schemas.OptionChain),
    (market_messages.LastQuotes, schemas.Quotes),
    (market_messages.GatewayStatus, schemas.GatewayStatus),
    (market_messages.SystemStatus, schemas.Status),
    (messages.FeedStatus, schemas.Feed),
]


@pytest.mark.parametrize(("message", "schema"), PAIRS, ids=lambda kind: kind.__name__)
def test_a_message_has_every_field_and_requires_no_optional_one(
    message: type[msgspec.Struct], schema: type[BaseModel]
) -> None:
    fields: dict[str, Any] = {field.name: field for field in msgspec.structs.fields(message)}
    assert fields.keys() == schema.model_fields.keys()
    for name, field in schema.model_fields.items():
        assert field.is_required() or not fields[name].required, name
