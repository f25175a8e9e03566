"""The demo's orders: placed, filled on the stream, and read back."""

import asyncio
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from shared.errors import TradeDadError
from tradedad_client import Account, Client, NewOrder, OrderType, Product, Side

QUANTITY: Final = 10
_FILL_SECS: Final = 30.0


class OrderFailedError(TradeDadError):
    """An order was not filled."""


@dataclass(frozen=True)
class DemoTrade:
    """A filled order, and the account after it; amounts in rupees."""

    symbol: str
    average_price: Decimal
    position: int
    available: Decimal
    charges: Decimal | None
    """None: the broker does not tell them."""


async def trade(client: Client, account: Account, key: str, symbol: str) -> DemoTrade:
    """Buy some shares. Raises OrderFailedError, or the client's ClientError."""
    trading = client.trading
    placed = await trading.place(
        NewOrder(
            account=account,
            key=key,
            side=Side.BUY,
            product=Product.INTRADAY,
            quantity=QUANTITY,
            order_type=OrderType.MARKET,
        )
    )
    try:
        async with asyncio.timeout(_FILL_SECS):
            async for event in trading.follow(after=0):
                order = event.order
                if (
                    order is not None
                    and order.order_id == placed.order_id
                    and order.filled_quantity == QUANTITY
                ):
                    break
    except TimeoutError:
        detail = (await trading.order(placed.order_id)).order
        raise OrderFailedError(
            f"the order on the account {account} was not filled within {_FILL_SECS:g} s:"
            f" {detail.state}, {detail.filled_quantity} of {QUANTITY}"
        ) from None
    order = (await trading.order(placed.order_id)).order
    positions = (await trading.positions(account)).positions
    funds = await trading.funds(account)
    return DemoTrade(
        symbol=symbol,
        average_price=order.average_price or Decimal(0),
        position=next(one.quantity for one in positions if one.key == key),
        available=funds.available,
        charges=funds.charges or Decimal(0),
    )
