"""A halt is seen on the feed and in the REST calls, until it is ended."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import quote

import aiohttp
import pytest
import upstox_client

from services.simulator.feed.encode import pb
from tests.support.simulated import feed_uri, receive, request
from tests.support.waiting import eventually

Sdk = Callable[[Callable[[Any], Any]], Awaitable[Any]]
HALTS = "/simulator/v1/halts"
RELIANCE = "NSE_EQ|INE002A01018"
TCS = "NSE_EQ|INE467B01029"
NIFTY = "NSE_INDEX|Nifty 50"


async def halt(http: aiohttp.ClientSession, target: str, **more: Any) -> dict[str, Any]:
    async with http.post(HALTS, json={"target": target, **more}) as response:
        assert response.status == 201, await response.text()
        begun: dict[str, Any] = await response.json()
        return begun


async def resume(http: aiohttp.ClientSession, target: str) -> int:
    async with http.delete(f"{HALTS}/{quote(target)}") as response:
        return response.status


async def data(http: aiohttp.ClientSession, path: str) -> Any:
    async with http.get(path) as response:
        assert response.status == 200, await response.text()
        return (await response.json())["data"]


async def frames_until(socket: aiohttp.ClientWebSocketResponse, condition: Any) -> list[Any]:
    """The messages up to the first one that meets the condition."""
    messages = [await receive(socket)]
    while not condition(messages[-1]):
        messages.append(await receive(socket))
    return messages


def has_status(segment: str, status: str) -> Callable[[Any], bool]:
    def matches(message: Any) -> bool:
        if message.type != pb.market_info:
            return False
        value: int = message.marketInfo.segmentStatus[segment]
        wanted: int = pb.MarketStatus.Value(status)
        return value == wanted

    return matches


async def test_a_halted_segment_is_closed_and_silent_until_it_resumes(
    http: aiohttp.ClientSession,
) -> None:
    async with http.ws_connect(await feed_uri(http)) as socket:
        assert has_status("NSE_EQ", "NORMAL_OPEN")(await receive(socket))
        await socket.send_bytes(request("sub", [RELIANCE, NIFTY], "full"))
        await frames_until(socket, lambda m: m.type == pb.live_feed and RELIANCE in m.feeds)
        begun = await halt(http, "NSE_EQ")
        assert begun["target"] == "NSE_EQ"
        assert begun["until_ms"] is None
        info = (await frames_until(socket, has_status("NSE_EQ", "NORMAL_CLOSE")))[-1]
        normal_open = pb.MarketStatus.Value("NORMAL_OPEN")
        assert info.marketInfo.segmentStatus["NSE_INDEX"] == normal_open
        assert (await data(http, "/v2/market/status/NSE"))["status"] == "NORMAL_CLOSE"
        assert (await data(http, "/v2/market/status/NFO"))["status"] == "NORMAL_OPEN"
        frames = [await receive(socket) for _ in range(20)]
        assert all(set(frame.feeds) == {NIFTY} for frame in frames)
        assert await resume(http, "NSE_EQ") == 204
        await frames_until(socket, has_status("NSE_EQ", "NORMAL_OPEN"))
        await frames_until(socket, lambda m: RELIANCE in m.feeds)
    assert (await data(http, "/v2/market/status/NSE"))["status"] == "NORMAL_OPEN"


async def test_the_book_of_a_halted_instrument_is_empty(http: aiohttp.ClientSession) -> None:
    async with http.ws_connect(await feed_uri(http)) as socket:
        await socket.send_bytes(request("sub", [RELIANCE, TCS], "full"))
        await frames_until(socket, lambda m: m.type == pb.live_feed and RELIANCE in m.feeds)
        await halt(http, RELIANCE)
        messages = await frames_until(socket, lambda m: _is_empty(m, RELIANCE))
        assert messages[-1].feeds[RELIANCE].fullFeed.marketFF.tbq == 0
        frames = [await receive(socket) for _ in range(20)]
        assert all(set(frame.feeds) == {TCS} for frame in frames)
        path = f"/v2/market-quote/quotes?instrument_key={quote(RELIANCE)}"
        (row,) = (await data(http, path)).values()
        empty = {"quantity": 0, "price": 0.0, "orders": 0}
        assert row["depth"] == {"buy": [empty] * 5, "sell": [empty] * 5}
        assert (await data(http, "/v2/market/status/NSE"))["status"] == "NORMAL_OPEN"
        assert await resume(http, RELIANCE) == 204
        messages = await frames_until(socket, lambda m: RELIANCE in m.feeds)
        levels = messages[-1].feeds[RELIANCE].fullFeed.marketFF.marketLevel.bidAskQuote
        assert all(level.bidQ and level.askQ for level in levels)


def _is_empty(message: Any, key: str) -> bool:
    if key not in message.feeds:
        return False
    levels = message.feeds[key].fullFeed.marketFF.marketLevel.bidAskQuote
    return len(levels) == 5 and not any(
        level.bidQ or level.bidP or level.askQ or level.askP for level in levels
    )


async def test_a_halt_with_a_time_ends_by_itself(http: aiohttp.ClientSession) -> None:
    async with http.ws_connect(await feed_uri(http)) as socket:
        begun = await halt(http, "NSE_EQ", secs=5)
        assert begun["until_ms"] - begun["from_ms"] == 5_000
        await frames_until(socket, has_status("NSE_EQ", "NORMAL_CLOSE"))
        info = (await frames_until(socket, has_status("NSE_EQ", "NORMAL_OPEN")))[-1]
        assert info.currentTs >= begun["until_ms"]
    assert await resume(http, "NSE_EQ") == 404


async def test_an_order_in_a_halt_goes_to_the_exchange_when_it_ends(
    http: aiohttp.ClientSession, sdk: Sdk
) -> None:
    await halt(http, "NSE_EQ")
    body = upstox_client.PlaceOrderV3Request(
        quantity=1, product="I", validity="DAY", price=0, instrument_token=RELIANCE,
        order_type="MARKET", transaction_type="BUY", disclosed_quantity=0, trigger_price=0.0,
        is_amo=False, slice=False,
    )  # fmt: skip
    placed = await sdk(lambda client: upstox_client.OrderApiV3(client).place_order(body))
    (order_id,) = placed.data.order_ids
    (order,) = await data(http, "/v2/order/retrieve-all")
    assert (order["order_id"], order["status"]) == (order_id, "after market order req received")
    await resume(http, "NSE_EQ")

    async def is_complete() -> bool:
        await asyncio.sleep(0.1)  # below the limit on calls
        (order,) = await data(http, "/v2/order/retrieve-all")
        return bool(order["status"] == "complete")

    await eventually(is_complete, what="the order is filled")


async def test_halts_are_listed_and_unknown_targets_refused(http: aiohttp.ClientSession) -> None:
    first, second = await halt(http, "NSE_EQ"), await halt(http, NIFTY, secs=86_400)
    async with http.get(HALTS) as response:
        assert json.loads(await response.read()) == [first, second]
    assert await resume(http, NIFTY) == 204
    assert await resume(http, NIFTY) == 404
    async with http.get(HALTS) as response:
        assert await response.json() == [first]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"target": "NSE_EQ|NOBODY"}, "target"),
        ({"target": "NSE"}, "target"),
        ({}, "target"),
        ({"target": "NSE_EQ", "secs": 0}, "secs"),
    ],
)
async def test_an_invalid_halt_is_refused_with_its_field(
    http: aiohttp.ClientSession, body: dict[str, Any], field: str
) -> None:
    async with http.post(HALTS, json=body) as response:
        assert response.status == 422
        assert (await response.json())["field"] == field
