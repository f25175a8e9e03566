"""Faults of orders, as the official SDK and the portfolio stream show them."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest
import upstox_client
from upstox_client.rest import ApiException

from tests.support.patience import PATIENCE_SECS
from tests.support.sdk import SDK_SECS
from tests.support.waiting import eventually

Sdk = Callable[[Callable[[Any], Any]], Awaitable[Any]]
STREAM = "/v2/feed/portfolio-stream-feed"
RELIANCE = "NSE_EQ|INE002A01018"
HELD_SECS = 50.0
"""Exchange time; the market runs ten times as fast as the clock."""


async def arm(http: aiohttp.ClientSession, kind: str, **options: Any) -> None:
    async with http.post("/simulator/v1/faults", json={"kind": kind, **options}) as response:
        assert response.status == 201, await response.text()


async def place(sdk: Sdk, price: float = 0.0) -> str:
    """A market order, or one with a limit; returns its id."""
    body = upstox_client.PlaceOrderV3Request(
        quantity=2, product="I", validity="DAY", price=price, instrument_token=RELIANCE,
        order_type="LIMIT" if price else "MARKET", transaction_type="BUY",
        disclosed_quantity=0, trigger_price=0.0, is_amo=False, tag="mine",
    )  # fmt: skip
    answer = await sdk(
        lambda client: upstox_client.OrderApiV3(client).place_order(body, _request_timeout=SDK_SECS)
    )
    return str(answer.data.order_ids[0])


class Books:
    """The calls of the SDK that read orders and trades."""

    def __init__(self, sdk: Sdk) -> None:
        self._sdk = sdk

    async def _read(self, name: str, *arguments: Any, **options: Any) -> Any:
        def work(client: Any) -> Any:
            call = getattr(upstox_client.OrderApi(client), name)
            return call(*arguments, **options, _request_timeout=SDK_SECS)

        return (await self._sdk(work)).data

    async def orders(self) -> list[Any]:
        return list(await self._read("get_order_book", "2.0"))

    async def of_tag(self) -> list[Any]:
        return list(await self._read("get_order_details", "2.0", tag="mine"))

    async def trades(self) -> list[Any]:
        return list(await self._read("get_trade_history", "2.0"))

    async def status(self, order_id: str) -> Any:
        return await self._read("get_order_status", order_id=order_id)

    async def has_status(self, order_id: str, status: str) -> Any:
        async def has() -> list[Any]:
            found = await self.status(order_id)
            return [found] if found.status == status else []

        return (await eventually(has, what=f"the order is {status}"))[0]


@pytest.fixture
def books(sdk: Sdk) -> Books:
    return Books(sdk)


async def test_a_hidden_order_is_found_after_the_delay(
    http: aiohttp.ClientSession, sdk: Sdk, books: Books
) -> None:
    await arm(http, "order_hidden", delay_secs=HELD_SECS)
    order_id = await place(sdk)
    assert (await books.orders(), await books.of_tag(), await books.trades()) == ([], [], [])
    with pytest.raises(ApiException) as error:
        await books.status(order_id)
    assert error.value.status == 404
    await eventually(books.of_tag, what="the order is found by its tag")
    assert [order.order_id for order in await books.orders()] == [order_id]
    assert (await books.status(order_id)).status == "complete"
    assert sum(trade.quantity for trade in await books.trades()) == 2


async def test_hidden_trades_are_found_after_the_delay(
    http: aiohttp.ClientSession, sdk: Sdk, books: Books
) -> None:
    await arm(http, "trades_hidden", delay_secs=HELD_SECS)
    order_id = await place(sdk)
    assert (await books.status(order_id)).filled_quantity == 2
    assert await books.trades() == []
    trades = await eventually(books.trades, what="the trades are found")
    assert sum(trade.quantity for trade in trades) == 2


async def test_an_order_is_shown_as_complete_before_it_is_at_the_exchange(
    http: aiohttp.ClientSession, sdk: Sdk, books: Books
) -> None:
    async with http.ws_connect(STREAM) as socket:
        await arm(http, "early_complete", delay_secs=HELD_SECS)
        order_id = await place(sdk, price=1_300.0)
        early = await books.status(order_id)
        assert (early.status, early.filled_quantity) == ("complete", 2)
        assert (early.exchange_order_id, await books.trades()) == (None, [])
        true = await books.has_status(order_id, "open")
        assert (true.filled_quantity, await books.trades()) == (0, [])
        assert true.exchange_order_id
        updates = [json.loads(await socket.receive_str(timeout=PATIENCE_SECS)) for _ in range(5)]
    statuses = [update["status"] for update in updates]
    assert statuses[2:] == ["complete", "open pending", "open"]


async def test_an_accepted_order_is_rejected_later_for_lack_of_funds(
    http: aiohttp.ClientSession, sdk: Sdk, books: Books
) -> None:
    await arm(http, "late_rejection", delay_secs=HELD_SECS)
    order_id = await place(sdk)
    assert (await books.status(order_id)).status == "validation pending"
    rejected = await books.has_status(order_id, "rejected")
    assert rejected.status_message == "Insufficient funds"


async def test_a_cancellation_that_was_taken_ends_in_a_fill(
    http: aiohttp.ClientSession, sdk: Sdk, books: Books
) -> None:
    order_id = await place(sdk, price=1_300.0)
    await arm(http, "late_cancel", delay_secs=HELD_SECS)
    answer = await sdk(
        lambda client: upstox_client.OrderApiV3(client).cancel_order(
            order_id, _request_timeout=SDK_SECS
        )
    )
    assert answer.data.order_id == order_id
    assert (await books.status(order_id)).status == "cancel pending"
    complete = await books.has_status(order_id, "complete")
    assert (complete.filled_quantity, complete.average_price) == (2, 1_300.0)
    assert "cancelled" not in [version.status for version in await books.of_tag()]


async def test_a_modification_that_was_taken_is_rejected(
    http: aiohttp.ClientSession, sdk: Sdk, books: Books
) -> None:
    order_id = await place(sdk, price=1_300.0)
    await arm(http, "not_modified", message="Price is out of range")
    change = upstox_client.ModifyOrderRequest(
        order_id=order_id, validity="DAY", price=1_310.0, order_type="LIMIT", trigger_price=0.0
    )
    answer = await sdk(
        lambda client: upstox_client.OrderApiV3(client).modify_order(
            change, _request_timeout=SDK_SECS
        )
    )
    assert answer.status == "success"
    found = await books.status(order_id)
    assert (found.status, found.price) == ("open", 1_300.0)
    assert found.status_message == "Price is out of range"
