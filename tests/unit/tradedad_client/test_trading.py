"""Orders name their instrument by key or by symbol."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from tests.support.builders import KEY
from tradedad_client import (
    Account,
    Instrument,
    NewOrder,
    OrderType,
    Product,
    Side,
    UnknownInstrument,
)
from tradedad_client.http_request import Request
from tradedad_client.instruments import Instruments
from tradedad_client.market_messages import InstrumentList
from tradedad_client.trading import Trading
from tradedad_client.trading_messages import OrderList

RELIANCE = Instrument(
    key=KEY, symbol="RELIANCE", name="Reliance Industries", segment="NSE_EQ", exchange="NSE",
    type="EQ",
)  # fmt: skip


class FakeRest:
    """Finds one instrument, and stores all other requests."""

    def __init__(self) -> None:
        self.commands: list[Request] = []

    async def send(self, request: Request, kind: type[Any]) -> Any:
        if kind is InstrumentList:
            return InstrumentList(
                instruments=[RELIANCE] if "RELIANCE" in request.path.upper() else []
            )
        self.commands.append(request)
        return OrderList(orders=[]) if kind is OrderList else None


def order(name: str) -> NewOrder:
    return NewOrder(
        account=Account.PAPER, key=name, side=Side.BUY, product=Product.DELIVERY, quantity=1,
        order_type=OrderType.LIMIT, price=Decimal("1400.05"),
    )  # fmt: skip


def trading_of(rest: FakeRest) -> Trading:
    instruments = Instruments(rest)  # type: ignore[arg-type]
    return Trading(rest, instruments, lambda: pytest.fail("no stream"))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", [KEY, "RELIANCE", "NSE:reliance"])
async def test_an_order_is_sent_with_the_key_of_its_instrument(name: str) -> None:
    rest = FakeRest()
    trading = trading_of(rest)
    await trading.preview(order(name))
    await trading.place(order(name))
    bodies = [msgspec.json.decode(request.body or b"") for request in rest.commands]
    assert [body["key"] for body in bodies] == [KEY, KEY]
    assert bodies[0]["price"] == "1400.05"


async def test_a_position_is_named_by_its_symbol() -> None:
    rest = FakeRest()
    await trading_of(rest).exit(Account.PAPER, "RELIANCE", Product.INTRADAY)
    assert rest.commands[0].path.startswith("/v1/positions/NSE_EQ%7CINE002A01018?")


async def test_nothing_is_sent_for_an_unknown_name() -> None:
    rest = FakeRest()
    trading = trading_of(rest)
    with pytest.raises(UnknownInstrument, match="NOBODY"):
        await trading.place(order("NOBODY"))
    with pytest.raises(UnknownInstrument, match="NOBODY"):
        await trading.exit(Account.PAPER, "NOBODY", Product.INTRADAY)
    assert rest.commands == []
