"""The client's messages on orders and accounts have the fields of the trading service."""

from typing import Any

import msgspec
import pytest

from services.trading.orders.order_state import OrderState as ServiceState
from shared.contracts import trading_replies as replies
from tests.support.gateway.fake_trading import EVENT, FUNDS, ORDER, PREVIEW
from tradedad_client import trading_messages as messages

PAIRS: list[tuple[type[Any], type[Any]]] = [
    (replies.OrderView, messages.Order),
    (replies.OrderDetail, messages.OrderDetail),
    (replies.Orders, messages.OrderList),
    (replies.OrdersReply, messages.OrderList),
    (replies.Trade, messages.Trade),
    (replies.Trades, messages.TradeList),
    (replies.PositionView, messages.Position),
    (replies.Positions, messages.Positions),
    (replies.Holding, messages.Holding),
    (replies.Holdings, messages.HoldingList),
    (replies.Funds, messages.Funds),
    (replies.ActiveSwitch, messages.ActiveSwitch),
    (replies.Limits, messages.Limits),
    (replies.KillSwitch, messages.KillSwitch),
    (replies.ChargesView, messages.Charges),
    (replies.RuleResult, messages.RuleResult),
    (replies.Preview, messages.Preview),
    (replies.UserEvent, messages.AccountEvent),
    (replies.Events, messages.Events),
]


def fields(kind: type[Any]) -> dict[str, tuple[bool, Any]]:
    """By name: whether the field is required, and its default."""
    return {field.name: (field.required, field.default) for field in msgspec.structs.fields(kind)}


@pytest.mark.parametrize(("service", "client"), PAIRS, ids=lambda kind: kind.__name__)
def test_a_message_has_the_fields_of_the_trading_service(
    service: type[Any], client: type[Any]
) -> None:
    assert fields(client) == fields(service)


def test_kinds_and_states_are_those_of_the_trading_service() -> None:
    assert {*map(str, messages.EventKind)} == {*map(str, replies.EventKind)}
    assert {*map(str, messages.OrderState)} == {*map(str, ServiceState)}


@pytest.mark.parametrize(
    ("message", "kind"),
    [(ORDER, messages.Order), (FUNDS, messages.Funds), (PREVIEW, messages.Preview),
     (EVENT, messages.AccountEvent)],
)  # fmt: skip
def test_every_digit_of_an_amount_is_kept(message: msgspec.Struct, kind: type[Any]) -> None:
    body = msgspec.json.encode(message)
    read = msgspec.json.decode(body, type=kind)
    assert msgspec.json.encode(read) == body
