"""The client's messages on orders and accounts have the fields of the trading service."""

from typing import Any

import msgspec
import pytest

from services.trading.orders.order import OrderState as ServiceState
from shared.contracts import trading as contract
from tests.support.gateway.fake_trading import EVENT, FUNDS, ORDER, PREVIEW
from tradedad_client import trading_messages as messages

PAIRS: list[tuple[type[Any], type[Any]]] = [
    (contract.OrderView, messages.Order),
    (contract.OrderDetail, messages.OrderDetail),
    (contract.Orders, messages.OrderList),
    (contract.OrdersReply, messages.OrderList),
    (contract.Trade, messages.Trade),
    (contract.Trades, messages.TradeList),
    (contract.PositionView, messages.Position),
    (contract.Positions, messages.Positions),
    (contract.Holding, messages.Holding),
    (contract.Holdings, messages.HoldingList),
    (contract.Funds, messages.Funds),
    (contract.ActiveSwitch, messages.ActiveSwitch),
    (contract.Limits, messages.Limits),
    (contract.KillSwitch, messages.KillSwitch),
    (contract.ChargesView, messages.Charges),
    (contract.RuleResult, messages.RuleResult),
    (contract.Preview, messages.Preview),
    (contract.UserEvent, messages.AccountEvent),
    (contract.Events, messages.Events),
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
    assert {*map(str, messages.EventKind)} == {*map(str, contract.EventKind)}
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
