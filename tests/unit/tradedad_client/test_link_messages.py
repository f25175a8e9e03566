"""The client's messages on links have the fields of the trading service."""

from typing import Any

import msgspec
import pytest

from shared.contracts import upstox_links as contract
from tests.support.gateway.fake_links import LINKED
from tradedad_client import link_messages as messages

PAIRS: list[tuple[type[Any], type[Any]]] = [
    (contract.LinkView, messages.LinkStatus),
    (contract.LinkBeginReply, messages.LinkLogin),
]


def fields(kind: type[Any]) -> dict[str, tuple[bool, Any]]:
    """By name: whether the field is required, and its default."""
    return {field.name: (field.required, field.default) for field in msgspec.structs.fields(kind)}


@pytest.mark.parametrize(("service", "client"), PAIRS, ids=lambda kind: kind.__name__)
def test_a_message_has_the_fields_of_the_trading_service(
    service: type[Any], client: type[Any]
) -> None:
    assert fields(client) == fields(service)


def test_purposes_and_states_are_those_of_the_trading_service() -> None:
    assert {*map(str, messages.LinkPurpose)} == {*map(str, contract.LinkPurpose)}
    assert {*map(str, messages.LinkState)} == {*map(str, contract.LinkState)}


def test_a_link_is_read_whole_and_a_later_state_too() -> None:
    body = msgspec.json.encode(LINKED)
    read = msgspec.json.decode(body, type=messages.LinkStatus)
    assert msgspec.json.encode(read) == body
    later = body.replace(b'"linked"', b'"suspended"')
    assert msgspec.json.decode(later, type=messages.LinkStatus).state == "suspended"


def test_the_address_of_a_login_is_not_in_its_repr() -> None:
    login = messages.LinkLogin(login_url="https://upstox.example/?state=s3cret", expires_at=1)
    assert "s3cret" not in repr(login)
