"""The response schemas have the fields that the persister and ingest send."""

import msgspec
import pytest
from pydantic import BaseModel

from services.gateway.rest.market import schemas
from shared.contracts import history, instruments, messages
from tests.support.schema_comparison import check_same_fields

PAIRS: list[tuple[type[BaseModel], type[msgspec.Struct]]] = [
    (schemas.HistoryBar, history.HistoryBar),
    (schemas.Bars, history.BarsReply),
    (schemas.Unfetched, history.Unfetched),
    (schemas.Gap, history.Gap),
    (schemas.Gaps, history.GapsReply),
    (schemas.Instrument, instruments.Instrument),
    (schemas.Reference, instruments.Reference),
    (schemas.InstrumentDetail, instruments.DetailReply),
    (schemas.Feed, messages.FeedStatus),
]


@pytest.mark.parametrize(("schema", "message"), PAIRS, ids=lambda kind: kind.__name__)
def test_a_schema_has_the_fields_and_defaults_of_its_message(
    schema: type[BaseModel], message: type[msgspec.Struct]
) -> None:
    check_same_fields(schema, message)


def test_one_schema_covers_both_replies_about_instruments() -> None:
    for message in (instruments.SearchReply, instruments.GetReply):
        names = {field.name for field in msgspec.structs.fields(message)}
        assert {"instruments"} <= names <= set(schemas.Instruments.model_fields)
