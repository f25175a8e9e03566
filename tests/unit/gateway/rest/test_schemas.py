"""The document describes what the persister and ingest really send."""

import msgspec
import pytest
from pydantic import BaseModel

from services.gateway.rest import schemas
from shared.contracts import history, instruments, messages

PAIRS: list[tuple[type[BaseModel], type[msgspec.Struct]]] = [
    (schemas.HistoryBar, history.HistoryBar),
    (schemas.Bars, history.BarsReply),
    (schemas.Gap, history.Gap),
    (schemas.Gaps, history.GapsReply),
    (schemas.Instrument, instruments.Instrument),
    (schemas.Quote, messages.Quote),
    (schemas.Feed, messages.FeedStatus),
]


@pytest.mark.parametrize(("described", "sent"), PAIRS, ids=lambda kind: kind.__name__)
def test_an_answer_has_the_fields_that_are_described(
    described: type[BaseModel], sent: type[msgspec.Struct]
) -> None:
    fields = msgspec.structs.fields(sent)
    assert list(described.model_fields) == [field.name for field in fields]
    required = {name for name, field in described.model_fields.items() if field.is_required()}
    assert required == {field.name for field in fields if field.required}
    for field in fields:
        if not field.required:
            default = None if field.default is msgspec.NODEFAULT else field.default
            if field.default_factory is not msgspec.NODEFAULT:
                default = field.default_factory()
            assert described.model_fields[field.name].get_default() == default


def test_both_answers_about_instruments_fit_one_description() -> None:
    for sent in (instruments.SearchReply, instruments.GetReply):
        names = {field.name for field in msgspec.structs.fields(sent)}
        assert {"instruments"} <= names <= set(schemas.Instruments.model_fields)
