"""What a user does with a fresh system: signs up, receives quotes, places orders.

``python -m tests.compose.trial``, with the certificate authority to trust in SSL_CERT_FILE. With the
argument ``restored``, the same user logs in again and finds the orders.
"""

import asyncio
import json
import sys
import time
from collections.abc import Mapping
from typing import Any, Final

import aiohttp

from embedded.demo_link import link_simulated_account
from embedded.demo_order import trade
from tradedad_client import (
    Account,
    Client,
    NewOrder,
    Order,
    OrderRefused,
    OrderType,
    Product,
    Side,
)

ADDRESS: Final = "https://localhost:8443"
_EMAIL: Final = "me@example.com"
_PASSWORD: Final = "a long sentence is best"
_KEY: Final = "NSE_EQ|INE002A01018"
_QUOTES: Final = 10
_LIMIT_SECS: Final = 60.0


async def run() -> Mapping[str, Any]:
    """Returns figures to print. Raises an error of the client or TimeoutError."""
    started = time.monotonic()
    async with asyncio.timeout(_LIMIT_SECS):
        await _sign_up()
        async with Client(ADDRESS, email=_EMAIL, password=_PASSWORD) as client:
            received = 0
            async for _ in client.quotes([_KEY, "NSE_INDEX|Nifty 50"]):
                received += 1
                if received == _QUOTES:
                    break
            quotes_secs = time.monotonic() - started
            order = NewOrder(
                account=Account.PAPER, key=_KEY, side=Side.BUY, product=Product.INTRADAY,
                quantity=1, order_type=OrderType.MARKET,
            )  # fmt: skip
            placed = await _place(client, order)
            async with aiohttp.ClientSession() as browser:
                linked = await link_simulated_account(browser, client)
            filled = await trade(client, Account.UPSTOX, _KEY, "RELIANCE")
    return {
        "quotes": received,
        "quotes_secs": round(quotes_secs, 1),
        "order": str(placed.state),
        "linked": linked,
        "position_at_upstox": filled.position,
    }


async def find_again() -> Mapping[str, Any]:
    """Log in to the restored system; its orders by account. Raises AssertionError, TimeoutError or
    an error of the client."""
    async with asyncio.timeout(_LIMIT_SECS):
        async with Client(ADDRESS, email=_EMAIL, password=_PASSWORD) as client:
            found = {account: await client.trading.orders(account) for account in Account}
            async for _ in client.quotes([_KEY]):
                break
    for account, orders in found.items():
        assert [order.key for order in orders] == [_KEY], account
    return {str(account): str(orders[0].state) for account, orders in found.items()}


async def _place(client: Client, order: NewOrder) -> Order:
    """Place it once the persister has loaded the instruments of the day."""
    while True:
        try:
            return await client.trading.place(order)
        except OrderRefused as refusal:
            if refusal.rule != "instrument":
                raise
        await asyncio.sleep(0.5)


async def _sign_up() -> None:
    async with aiohttp.ClientSession() as session:
        body = json.dumps({"email": _EMAIL, "password": _PASSWORD})
        async with session.post(f"{ADDRESS}/auth/signup", data=body) as response:
            assert response.status == 201, await response.text()
            assert response.headers["Strict-Transport-Security"]


if __name__ == "__main__":
    print(asyncio.run(find_again() if sys.argv[1:] == ["restored"] else run()))
