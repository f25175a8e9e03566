"""The feed enforces the limits of a user, and reports the phases of the day."""

import asyncio
from datetime import datetime
from itertools import groupby
from typing import Any

import aiohttp
import pytest

from services.simulator.feed.encode import pb
from shared.market.exchange_time import IST
from tests.support.patience import PATIENCE_SECS
from tests.support.simulated import DIRECT, feed_uri, receive, request, running

RELIANCE = "NSE_EQ|INE002A01018"
NIFTY = "NSE_INDEX|Nifty 50"
MONDAY = "2026-11-23"


def at(time: str) -> int:
    return int(datetime.fromisoformat(f"{MONDAY}T{time}").replace(tzinfo=IST).timestamp() * 1_000)


async def test_full_d30_is_ignored_without_the_plus_plan() -> None:
    async with running() as http, http.ws_connect(await feed_uri(http)) as socket:
        await receive(socket)
        await socket.send_bytes(request("sub", [RELIANCE], "full_d30"))
        await socket.send_bytes(request("sub", [NIFTY]))
        assert set((await receive(socket)).feeds) == {NIFTY}


async def test_the_connection_is_closed_at_a_limit_if_configured() -> None:
    async with running(limit_reaction="close") as http:
        async with http.ws_connect(await feed_uri(http)) as socket:
            await receive(socket)
            await socket.send_bytes(request("sub", [RELIANCE], "full_d30"))
            message = await socket.receive(timeout=PATIENCE_SECS)
            assert message.type is aiohttp.WSMsgType.CLOSE
            assert socket.close_code == aiohttp.WSCloseCode.POLICY_VIOLATION


async def test_the_plus_plan_has_thirty_levels() -> None:
    async with running(plan="plus") as http, http.ws_connect(await feed_uri(http)) as socket:
        await receive(socket)
        await socket.send_bytes(request("sub", [RELIANCE], "full_d30"))
        full = (await receive(socket)).feeds[RELIANCE].fullFeed.marketFF
        assert len(full.marketLevel.bidAskQuote) == 30


async def test_a_third_connection_is_refused_until_another_is_closed() -> None:
    async with running() as http, http.ws_connect(await feed_uri(http)):
        second = await http.ws_connect(await feed_uri(http))
        with pytest.raises(aiohttp.WSServerHandshakeError) as error:
            await http.ws_connect(await feed_uri(http))
        assert error.value.status == 403
        await second.close()
        async with http.ws_connect(await feed_uri(http)) as third:
            assert (await receive(third)).type == pb.market_info


async def test_a_token_opens_the_feed_directly_if_configured() -> None:
    async with running(feed_handshake="direct") as http:
        async with http.ws_connect(DIRECT) as socket:
            assert (await receive(socket)).type == pb.market_info
        async with http.get(DIRECT, allow_redirects=False) as response:
            assert response.status == 302
        with pytest.raises(aiohttp.WSServerHandshakeError) as error:
            await http.ws_connect(DIRECT, headers={"Authorization": "Bearer wrong"})
        assert error.value.status == 401


async def messages_until(socket: Any, *, has: Any) -> list[Any]:
    """All messages up to the first for which `has` is true."""
    messages: list[Any] = []
    async with asyncio.timeout(PATIENCE_SECS):
        while not messages or not has(messages[-1]):
            messages.append(await receive(socket))
    return messages


async def test_a_change_of_phase_is_published_and_ends_the_live_frames() -> None:
    options = {"calendar": "exchange", "start_ms": at("15:27:00"), "speed": 200.0}
    async with running(**options) as http, http.ws_connect(await feed_uri(http)) as socket:
        await socket.send_bytes(request("sub", [RELIANCE], "full"))

        def is_closing(message: Any) -> bool:
            return bool(message.marketInfo.segmentStatus.get("NSE_EQ") == pb.CLOSING_START)

        messages = await messages_until(socket, has=is_closing)
    infos = [each for each in messages if each.type == pb.market_info]
    statuses = [each.marketInfo.segmentStatus["NSE_EQ"] for each in infos]
    # A change of another segment is published, too: futures and options close at 15:40.
    changes = [status for status, _ in groupby(statuses)]
    assert changes == [pb.NORMAL_OPEN, pb.NORMAL_CLOSE, pb.CLOSING_START]
    assert [each.currentTs for each in infos[1:]] == [at("15:30"), at("15:40"), at("15:50")]
    live = [each.currentTs for each in messages if each.type == pb.live_feed]
    assert live
    assert max(live) <= at("15:30")


async def test_the_opening_auction_is_one_trade_on_the_feed_and_in_the_minute_candle() -> None:
    options = {"calendar": "exchange", "start_ms": at("09:03:00"), "speed": 200.0}
    async with running(**options) as http:
        async with http.ws_connect(await feed_uri(http)) as socket:
            await socket.send_bytes(request("sub", [RELIANCE], "full"))

            def is_trade(message: Any) -> bool:
                if RELIANCE not in message.feeds:
                    return False
                ltpc = message.feeds[RELIANCE].fullFeed.marketFF.ltpc
                return bool(ltpc.ltt >= at("09:15"))

            messages = await messages_until(socket, has=is_trade)
        async with http.get("/simulator/v1/trades", params={"key": RELIANCE}) as response:
            trade = (await response.json())[0]
        path = f"/v3/historical-candle/intraday/{RELIANCE}/minutes/1"
        async with http.get(path) as response:
            candle = (await response.json())["data"]["candles"][-1]
    live = [
        (each.currentTs, each.feeds[RELIANCE].fullFeed.marketFF)
        for each in messages
        if each.type == pb.live_feed
    ]
    indicated = [(ts, full) for ts, full in live if full.ltpc.HasField("iep")]
    assert indicated
    assert {full.vtt for _, full in indicated} == {0}
    assert at("09:07") < max(ts for ts, _ in indicated) <= at("09:10") + 250
    matched = [full for ts, full in live if full.vtt and ts < at("09:15")]
    assert [(full.ltpc.ltt, full.ltpc.ltp, full.ltpc.ltq, full.vtt) for full in matched] == [
        (trade["time_ms"], trade["price"], trade["quantity"], trade["quantity"])
    ]
    assert at("09:10") <= trade["time_ms"] < at("09:12")
    assert trade["price"] == indicated[-1][1].iep
    assert not matched[0].ltpc.HasField("iep")
    assert candle[1:6] == [*[trade["price"]] * 4, trade["quantity"]]


async def test_a_closed_segment_has_a_snapshot_and_no_live_frames() -> None:
    options = {"calendar": "exchange", "universe": "full", "start_ms": at("20:00"), "speed": 20.0}
    async with running(**options) as http, http.ws_connect(await feed_uri(http)) as socket:
        info = (await receive(socket)).marketInfo
        assert info.segmentStatus["NSE_EQ"] == pb.CLOSING_END
        assert info.segmentStatus["MCX_FO"] == pb.NORMAL_OPEN
        async with http.get("/simulator/v1/instruments") as response:
            keys = [each["key"] for each in await response.json()]
        commodities = {key for key in keys if key.startswith("MCX_FO|")}
        await socket.send_bytes(request("sub", [RELIANCE, *sorted(commodities)], "full"))
        snapshot = await receive(socket)
        assert set(snapshot.feeds) == {RELIANCE} | commodities
        assert snapshot.feeds[RELIANCE].fullFeed.marketFF.ltpc.ltt >= at("15:30")
        for _ in range(10):
            assert set((await receive(socket)).feeds) <= commodities
