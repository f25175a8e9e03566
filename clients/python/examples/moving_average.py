"""A bot that crosses two moving averages of live prices, and can trade on the paper account.

    python moving_average.py RELIANCE --short 20 --long 100
    python moving_average.py RELIANCE --quantity 10     # places paper orders

Address and credentials come from the environment: TRADEDAD_CLIENT_URL, _EMAIL and _PASSWORD.
"""

import argparse
import asyncio
from collections import deque

from tradedad_client import (
    Account,
    Client,
    ClientError,
    NewOrder,
    OrderType,
    Product,
    Refused,
    Side,
)


class Crossing:
    """Tells when the average of the last `short` prices crosses that of the last `long`."""

    def __init__(self, short: int, long: int) -> None:
        self._prices: deque[float] = deque(maxlen=long)
        self._short = short
        self._was_above: bool | None = None

    def add(self, price: float) -> Side | None:
        """Add a price; return which side to take if the averages have crossed now."""
        self._prices.append(price)
        if len(self._prices) < (self._prices.maxlen or 0):
            return None
        short = sum(list(self._prices)[-self._short :]) / self._short
        long = sum(self._prices) / len(self._prices)
        if short == long:
            return None
        was_above, self._was_above = self._was_above, short > long
        if was_above is None or was_above == self._was_above:
            return None
        return Side.BUY if self._was_above else Side.SELL


async def trade(client: Client, key: str, side: Side, quantity: int) -> None:
    """Place a paper order, and print what became of it."""
    order = NewOrder(
        account=Account.PAPER,
        key=key,
        side=side,
        product=Product.INTRADAY,
        quantity=quantity,
        order_type=OrderType.MARKET,
    )
    try:
        placed = await client.trading.place(order)
    except Refused as refusal:
        print(f"the order was refused: {refusal}", flush=True)
    else:
        print(f"{placed.side} {placed.quantity} is {placed.state}: {placed.order_id}", flush=True)


async def main() -> None:
    """Follow one instrument until `signals` signals have come."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("instrument", help="RELIANCE, or an instrument key")
    parser.add_argument("--short", type=int, default=20, help="prices in the short average")
    parser.add_argument("--long", type=int, default=100, help="prices in the long average")
    parser.add_argument("--quantity", type=int, default=0, help="of each paper order; 0 for none")
    parser.add_argument("--signals", type=int, help="end after this number of signals")
    options = parser.parse_args()
    crossing = Crossing(options.short, options.long)
    signals = 0
    async with Client.from_environment() as client:
        async for quote in client.quotes([options.instrument]):
            side = None if quote.ltp is None else crossing.add(quote.ltp)
            if side is None:
                continue
            print(f"{quote.time:%H:%M:%S %Z}  {side} at {quote.ltp}", flush=True)
            if options.quantity:
                await trade(client, quote.key, side, options.quantity)
            signals += 1
            if signals == options.signals:
                return


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except (ClientError, ValueError) as error:
        raise SystemExit(str(error)) from None
    except KeyboardInterrupt:
        raise SystemExit from None
