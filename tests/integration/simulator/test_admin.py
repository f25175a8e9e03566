"""The simulator's own calls return the ground truth of the market."""

import json
from typing import Any

import aiohttp
import pytest

from services.simulator.feed.encode import pb
from tests.support.patience import PATIENCE_SECS

RELIANCE = "NSE_EQ|INE002A01018"


async def full_mode(http: aiohttp.ClientSession, messages: int) -> list[Any]:
    """The first messages for RELIANCE in full mode: a snapshot, then live frames."""
    async with http.get("/v3/feed/market-data-feed/authorize") as response:
        uri = (await response.json())["data"]["authorizedRedirectUri"]
    async with http.ws_connect(uri) as socket:
        await socket.receive_bytes(timeout=PATIENCE_SECS)  # market_info
        data = {"instrumentKeys": [RELIANCE], "mode": "full"}
        await socket.send_bytes(json.dumps({"method": "sub", "data": data}).encode())
        return [
            pb.FeedResponse.FromString(await socket.receive_bytes(timeout=PATIENCE_SECS))
            for _ in range(messages)
        ]


async def test_the_ledger_contains_the_quotes_sent_to_a_client(http: aiohttp.ClientSession) -> None:
    quotes: list[dict[str, object]] = []
    messages = await full_mode(http, 10)
    for message in messages:
        full = message.feeds[RELIANCE].fullFeed.marketFF
        quotes.append(
            {
                "kind": "live" if message.type == pb.live_feed else "snapshot",
                "ts": message.currentTs,
                "ltp": full.ltpc.ltp,
                "ltt": full.ltpc.ltt,
                "ltq": full.ltpc.ltq,
                "vtt": full.vtt,
                "atp": full.atp,
                "oi": None,
            }
        )
    span = {
        "key": RELIANCE,
        "from_ms": messages[0].currentTs,
        "to_ms": messages[-1].currentTs + 1,
    }
    async with http.get("/simulator/v1/sent", params=span) as response:
        assert await response.json() == quotes


async def test_trades_add_up_to_the_volume_that_was_sent(http: aiohttp.ClientSession) -> None:
    message = (await full_mode(http, 8))[-1]
    span = {"key": RELIANCE, "to_ms": message.currentTs + 1}
    async with http.get("/simulator/v1/trades", params=span) as response:
        trades = await response.json()
    full = message.feeds[RELIANCE].fullFeed.marketFF
    assert sum(trade["quantity"] for trade in trades) == full.vtt
    assert trades[-1] == {
        "time_ms": full.ltpc.ltt,
        "price": full.ltpc.ltp,
        "quantity": full.ltpc.ltq,
    }


async def test_instruments_and_clock_are_returned(http: aiohttp.ClientSession) -> None:
    async with http.get("/simulator/v1/instruments") as response:
        instruments = await response.json()
    assert len(instruments) == 52
    assert {"key": RELIANCE, "symbol": "RELIANCE", "name": "Reliance Industries"} in instruments
    async with http.get("/simulator/v1/clock") as response:
        clock = await response.json()
    assert clock["speed"] == 10.0
    assert clock["seed"] == 1
    assert clock["now_ms"] >= clock["market_ms"] >= 1_767_607_200_000


@pytest.mark.parametrize("path", ["sent", "trades"])
@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({}, "key"),
        ({"key": "NSE_EQ|NOBODY"}, "key"),
        ({"key": RELIANCE, "from_ms": "yesterday"}, "from_ms"),
        ({"key": RELIANCE, "to_ms": "-1"}, "to_ms"),
    ],
)
async def test_an_invalid_query_is_refused_with_its_field(
    http: aiohttp.ClientSession, path: str, query: dict[str, str], field: str
) -> None:
    async with http.get(f"/simulator/v1/{path}", params=query) as response:
        assert response.status == 422
        assert response.content_type == "application/problem+json"
        assert (await response.json())["field"] == field
