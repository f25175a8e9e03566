"""The demo's paper order: placed, filled on the stream, and read back."""

import asyncio
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from shared.errors import TradeDadError
from tradedad_client import Account, Client, NewOrder, OrderType, Product, Side

QUANTITY: Final = 10
_FILL_SECS: Final = 30.0


class OrderFailedError(TradeDadError):
    """The paper order was not filled."""


@dataclass(frozen=True)
class PaperTrade:
    """A filled order, and the account after it; amounts in rupees."""

    symbol: str
    average_price: Decimal
    position: int
    available: Decimal
    charges: Decimal


async def trade_on_paper(client: Client, key: str, symbol: str) -> PaperTrade:
    """Buy some shares on paper. Raises OrderFailedError, or the client's ClientError."""
    trading = client.trading
    placed = await trading.place(
        NewOrder(
            account=Account.PAPER,
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
                if event.order is not None and event.order.filled_quantity == QUANTITY:
                    break
    except TimeoutError:
        raise OrderFailedError(f"the order was not filled within {_FILL_SECS:g} s") from None
    order = (await trading.order(placed.order_id)).order
    positions = await trading.positions(Account.PAPER)
    funds = await trading.funds(Account.PAPER)
    return PaperTrade(
        symbol=symbol,
        average_price=order.average_price or Decimal(0),
        position=positions.positions[0].quantity,
        available=funds.available,
        charges=funds.charges or Decimal(0),
    )
