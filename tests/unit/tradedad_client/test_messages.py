"""The client's messages are those of the bus, field by field."""

from typing import Any

import msgspec
import pytest

from services.gateway.fanout import channels, interest
from shared.contracts import messages as bus
from tests.support.builders import quote
from tradedad_client import messages

PAIRS: list[tuple[type[Any], type[Any]]] = [
    (bus.Quote, messages.Quote),
    (bus.Depth, messages.Depth),
    (bus.Greeks, messages.Greeks),
    (bus.Bar, messages.Bar),
    (bus.FeedStatus, messages.FeedStatus),
]


def fields(kind: type[Any]) -> dict[str, tuple[bool, Any]]:
    """By name: whether it must be there, and what it is if it is not."""
    return {
        field.name: (field.required, () if field.default_factory is list else field.default)
        for field in msgspec.structs.fields(kind)
        if field.name != "snapshot"
    }


@pytest.mark.parametrize(("ours", "theirs"), PAIRS, ids=lambda kind: kind.__name__)
def test_a_program_gets_every_field_that_ingest_publishes(
    ours: type[Any], theirs: type[Any]
) -> None:
    assert fields(ours).keys() == fields(theirs).keys()
    for name, (is_required, _) in fields(theirs).items():
        assert not is_required or fields(ours)[name][0], f"{name} may be absent"


def test_channels_and_outcomes_are_those_of_the_gateway() -> None:
    assert {*map(str, messages.Channel)} == {*map(str, channels.Channel)}
    assert {*map(str, messages.Outcome)} == {*map(str, interest.Outcome)} - {"removed"}


def test_a_quote_reads_as_it_was_published() -> None:
    published = quote(bid=1.5, bid_qty=4, snap=True)
    read = msgspec.json.decode(bus.encode(published), type=messages.Quote)
    assert msgspec.to_builtins(read) == msgspec.to_builtins(published)
