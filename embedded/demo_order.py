"""The demo's paper order: placed over REST, filled on the stream, and read back."""

import asyncio
import secrets
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import aiohttp

from embedded.signup import Account
from shared.errors import TradeDadError

QUANTITY: Final = 10
_TIMEOUT: Final = aiohttp.ClientTimeout(total=30)
_FILL_SECS: Final = 30.0


class OrderFailedError(TradeDadError):
    """The paper order was not placed or not filled."""


@dataclass(frozen=True)
class PaperTrade:
    """A filled order, and the account after it; amounts in rupees."""

    symbol: str
    average_price: Decimal
    position: int
    available: Decimal
    charges: Decimal


async def trade_on_paper(
    http: aiohttp.ClientSession, url: str, account: Account, key: str, symbol: str
) -> PaperTrade:
    """Buy some shares on paper. `url` is a gateway's. Raises OrderFailedError."""
    token = await _access_token(http, url, account)
    headers = {"Authorization": f"Bearer {token}"}
    async with http.ws_connect(f"{url}/ws", max_msg_size=1 << 20) as socket:
        await socket.send_json({"op": "auth", "token": token})
        await socket.send_json({"op": "subscribe", "id": 1, "channel": "orders"})
        await _next(socket, "ack")
        order = await _place(http, url, headers, key)
        filled = 0
        while filled < QUANTITY:
            events = await _next(socket, "orders")
            filled += sum(event["trade"]["quantity"] for event in events if event["kind"] == "fill")
    query = {"account": "paper"}
    order = await _get(http, f"{url}/v1/orders/{order['order_id']}", headers, {})
    positions = await _get(http, f"{url}/v1/positions", headers, query)
    funds = await _get(http, f"{url}/v1/funds", headers, query)
    return PaperTrade(
        symbol=symbol,
        average_price=Decimal(order["order"]["average_price"]),
        position=positions["positions"][0]["quantity"],
        available=Decimal(funds["available"]),
        charges=Decimal(funds["charges"]),
    )


async def _access_token(http: aiohttp.ClientSession, url: str, account: Account) -> str:
    body = {"email": account.email, "password": account.password}
    async with http.post(f"{url}/auth/login", json=body, timeout=_TIMEOUT) as response:
        return str((await _body(response, 200))["access_token"])


async def _place(
    http: aiohttp.ClientSession, url: str, headers: dict[str, str], key: str
) -> dict[str, Any]:
    body = {
        "account": "paper", "key": key, "side": "BUY", "product": "I", "quantity": QUANTITY,
        "order_type": "MARKET",
    }  # fmt: skip
    headers = headers | {"Idempotency-Key": secrets.token_hex(12)}
    async with http.post(
        f"{url}/v1/orders", json=body, headers=headers, timeout=_TIMEOUT
    ) as response:
        return await _body(response, 201)


async def _get(
    http: aiohttp.ClientSession, url: str, headers: dict[str, str], query: dict[str, str]
) -> dict[str, Any]:
    async with http.get(url, params=query, headers=headers, timeout=_TIMEOUT) as response:
        return await _body(response, 200)


async def _body(response: aiohttp.ClientResponse, status: int) -> dict[str, Any]:
    if response.status != status:
        raise OrderFailedError(
            f"{response.method} {response.url.path} answered {response.status}: "
            f"{await response.text()}"
        )
    body: dict[str, Any] = await response.json()
    return body


async def _next(socket: aiohttp.ClientWebSocketResponse, kind: str) -> list[dict[str, Any]]:
    """The data of the next message of a kind."""
    try:
        async with asyncio.timeout(_FILL_SECS):
            while True:
                message = await socket.receive_json()
                if message["type"] == kind:
                    data: list[dict[str, Any]] = message.get("data", [])
                    return data
    except TimeoutError:
        raise OrderFailedError(f"no message {kind!r} within {_FILL_SECS:g} s") from None
    except TypeError:
        raise OrderFailedError("the stream was closed") from None
