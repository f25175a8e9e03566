"""Orders that a user places elsewhere, and fills that a test orders."""

from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest
import upstox_client

from tests.support.sdk import SDK_SECS, sdk_call

Sdk = Callable[[Callable[[Any], Any]], Awaitable[Any]]
ORDERS = "/simulator/v1/orders"
ORDER: dict[str, Any] = {
    "user_id": "SIM002",
    "quantity": 5,
    "product": "I",
    "validity": "DAY",
    "price": 1_300.0,
    "instrument_token": "NSE_EQ|INE002A01018",
    "order_type": "LIMIT",
    "transaction_type": "BUY",
    "disclosed_quantity": 0,
    "trigger_price": 0.0,
    "is_amo": False,
}


async def place(http: aiohttp.ClientSession, **more: Any) -> str:
    async with http.post(ORDERS, json=ORDER | more) as response:
        assert response.status == 201, await response.text()
        order_id: str = (await response.json())["order_id"]
        return order_id


async def fill(http: aiohttp.ClientSession, order_id: str, **body: Any) -> int:
    async with http.post(f"{ORDERS}/{order_id}/fills", json=body) as response:
        return response.status


async def token_of(http: aiohttp.ClientSession, user_id: str) -> str:
    body = {"kind": "full", "user_id": user_id}
    async with http.post("/simulator/v1/login/tokens", json=body) as response:
        assert response.status == 200, await response.text()
        token: str = (await response.json())["access_token"]
        return token


async def test_an_order_from_elsewhere_is_in_the_books_of_its_user_only(
    http: aiohttp.ClientSession, sdk: Sdk, base_url: str
) -> None:
    order_id = await place(http)
    assert await fill(http, order_id, quantity=2) == 204
    assert await fill(http, order_id, quantity=3, price=1_299.5) == 204

    def books(client: Any) -> Any:
        api = upstox_client.OrderApi(client)
        return (
            api.get_order_book("2.0", _request_timeout=SDK_SECS).data,
            api.get_trade_history("2.0", _request_timeout=SDK_SECS).data,
            upstox_client.PortfolioApi(client).get_positions("2.0", _request_timeout=SDK_SECS).data,
        )

    orders, trades, positions = await sdk_call(base_url, await token_of(http, "SIM002"), books)
    (order,) = orders
    assert (order.order_id, order.tag, order.placed_by) == (order_id, None, "SIM002")
    assert (order.status, order.filled_quantity, order.average_price) == ("complete", 5, 1_299.7)
    assert [(each.quantity, each.average_price) for each in trades] == [(2, 1_300.0), (3, 1_299.5)]
    assert [position.quantity for position in positions] == [5]
    assert await sdk(books) == ([], [], [])


async def test_an_order_can_be_cancelled_elsewhere(http: aiohttp.ClientSession) -> None:
    order_id = await place(http)
    async with http.delete(f"{ORDERS}/{order_id}") as response:
        assert response.status == 204
    async with http.get(ORDERS) as response:
        assert [order["status"] for order in await response.json()] == ["cancelled"]
    assert await fill(http, order_id, quantity=1) == 422


async def test_faults_of_requests_and_tokens_do_not_matter(http: aiohttp.ClientSession) -> None:
    for body in ({"kind": "error", "times": None}, {"kind": "reset", "times": None}):
        async with http.post("/simulator/v1/faults", json=body) as response:
            assert response.status == 201
    async with http.post("/simulator/v1/faults/tokens", json={"alive": False}) as response:
        assert response.status == 204
    assert await place(http)


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        (ORDERS, ORDER | {"user_id": "sim 2"}, 422),
        (ORDERS, ORDER | {"quantity": 0}, 400),
        (f"{ORDERS}/1/fills", {"quantity": 1}, 404),
        (f"{ORDERS}/1/fills", {"quantity": 0}, 422),
    ],
)
async def test_an_invalid_call_is_refused(
    http: aiohttp.ClientSession, path: str, body: dict[str, Any], status: int
) -> None:
    async with http.post(path, json=body) as response:
        assert response.status == status
