"""The client's messages have the fields of the messages on the bus."""

from typing import Any

import msgspec
import pytest
from hypothesis import given

from services.gateway.fanout import channels, interest
from shared.contracts import messages as bus
from shared.contracts import option_chains
from tests.support.quote_strategies import quote_fields
from tradedad_client import messages

PAIRS: list[tuple[type[Any], type[Any]]] = [
    (bus.Quote, messages.Quote),
    (bus.Depth, messages.Depth),
    (bus.Greeks, messages.Greeks),
    (bus.Candle, messages.Candle),
    (bus.Bar, messages.Bar),
    (bus.FeedStatus, messages.FeedStatus),
    (option_chains.Chain, messages.Chain),
    (option_chains.ChainRow, messages.ChainRow),
    (option_chains.OptionState, messages.OptionState),
]


def fields(kind: type[Any]) -> dict[str, tuple[bool, Any]]:
    """By name: whether the field is required, and its default."""
    return {
        field.name: (field.required, () if field.default_factory is list else field.default)
        for field in msgspec.structs.fields(kind)
        if field.name != "snapshot"
    }


@pytest.mark.parametrize(("client_type", "bus_type"), PAIRS, ids=lambda kind: kind.__name__)
def test_a_message_has_every_field_of_its_bus_message(
    client_type: type[Any], bus_type: type[Any]
) -> None:
    assert fields(client_type).keys() == fields(bus_type).keys()
    for name, (is_required, _) in fields(bus_type).items():
        assert not is_required or fields(client_type)[name][0], f"{name} is optional"


def test_channels_and_outcomes_are_those_of_the_gateway() -> None:
    assert {*map(str, messages.Channel)} == {*map(str, channels.Channel)}
    assert {*map(str, messages.Outcome)} == {*map(str, interest.Outcome)} - {"removed"}


@given(quote_fields)
def test_a_published_quote_decodes_to_the_same_quote(values: dict[str, Any]) -> None:
    published = bus.Quote(**values)
    read = msgspec.json.decode(bus.encode(published), type=messages.Quote)
    assert msgspec.to_builtins(read) == msgspec.to_builtins(published)
