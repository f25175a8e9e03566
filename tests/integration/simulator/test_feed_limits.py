"""The feed keeps a user to the limits, and tells of phases as the day goes by."""

import asyncio
from datetime import datetime
from typing import Any

import aiohttp
import pytest

from services.simulator.feed.encode import pb
from shared.market.exchange_time import IST
from tests.support.simulated import DIRECT, feed_uri, receive, request, running

RELIANCE = "NSE_EQ|INE002A01018"
NIFTY = "NSE_INDEX|Nifty 50"
MONDAY = "2026-11-23"


def at(time: str) -> int:
    return int(datetime.fromisoformat(f"{MONDAY}T{time}").replace(tzinfo=IST).timestamp() * 1_000)


async def test_thirty_levels_are_not_given_without_plus() -> None:
    async with running() as http, http.ws_connect(await feed_uri(http)) as socket:
        await receive(socket)
        await socket.send_bytes(request("sub", [RELIANCE], "full_d30"))
        await socket.send_bytes(request("sub", [NIFTY]))
        assert set((await receive(socket)).feeds) == {NIFTY}


async def test_socket_is_closed_at_a_limit_if_so_set() -> None:
    async with running(limit_reaction="close") as http:
        async with http.ws_connect(await feed_uri(http)) as socket:
            await receive(socket)
            await socket.send_bytes(request("sub", [RELIANCE], "full_d30"))
            message = await socket.receive(timeout=5)
            assert message.type is aiohttp.WSMsgType.CLOSE
            assert socket.close_code == aiohttp.WSCloseCode.POLICY_VIOLATION


async def test_plus_user_gets_thirty_levels() -> None:
    async with running(plan="plus") as http, http.ws_connect(await feed_uri(http)) as socket:
        await receive(socket)
        await socket.send_bytes(request("sub", [RELIANCE], "full_d30"))
        full = (await receive(socket)).feeds[RELIANCE].fullFeed.marketFF
        assert len(full.marketLevel.bidAskQuote) == 30


async def test_third_connection_of_a_user_is_refused_until_one_has_gone() -> None:
    async with running() as http, http.ws_connect(await feed_uri(http)):
        second = await http.ws_connect(await feed_uri(http))
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await http.ws_connect(await feed_uri(http))
        assert refused.value.status == 403
        await second.close()
        async with http.ws_connect(await feed_uri(http)) as third:
            assert (await receive(third)).type == pb.market_info


async def test_token_opens_the_feed_directly_if_so_set() -> None:
    async with running(feed_handshake="direct") as http:
        async with http.ws_connect(DIRECT) as socket:
            assert (await receive(socket)).type == pb.market_info
        async with http.get(DIRECT, allow_redirects=False) as response:
            assert response.status == 302
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await http.ws_connect(DIRECT, headers={"Authorization": "Bearer wrong"})
        assert refused.value.status == 401


async def messages_until(socket: Any, *, has: Any) -> list[Any]:
    found: list[Any] = []
    async with asyncio.timeout(20):
        while not found or not has(found[-1]):
            found.append(await receive(socket))
    return found


async def test_change_of_phase_is_told_and_ends_the_live_frames() -> None:
    options = {"calendar": "exchange", "start_ms": at("15:27:00"), "speed": 200.0}
    async with running(**options) as http, http.ws_connect(await feed_uri(http)) as socket:
        await socket.send_bytes(request("sub", [RELIANCE], "full"))

        def is_closing(message: Any) -> bool:
            return bool(message.marketInfo.segmentStatus.get("NSE_EQ") == pb.CLOSING_START)

        found = await messages_until(socket, has=is_closing)
    infos = [one for one in found if one.type == pb.market_info]
    told = [one.marketInfo.segmentStatus["NSE_EQ"] for one in infos]
    assert told == [pb.NORMAL_OPEN, pb.NORMAL_CLOSE, pb.CLOSING_START]
    assert [one.currentTs for one in infos[1:]] == [at("15:30"), at("15:40")]
    live = [one.currentTs for one in found if one.type == pb.live_feed]
    assert live
    assert max(live) <= at("15:30")


async def test_pre_open_indicates_a_price_and_trading_follows() -> None:
    options = {"calendar": "exchange", "start_ms": at("09:03:00"), "speed": 200.0}
    async with running(**options) as http, http.ws_connect(await feed_uri(http)) as socket:
        await socket.send_bytes(request("sub", [RELIANCE], "ltpc"))

        def is_trade(message: Any) -> bool:
            return bool(message.feeds and message.feeds[RELIANCE].ltpc.ltt >= at("09:15"))

        found = await messages_until(socket, has=is_trade)
    live = [one for one in found if one.type == pb.live_feed]
    indicated = [one for one in live if one.feeds[RELIANCE].ltpc.HasField("iep")]
    assert indicated
    assert max(one.currentTs for one in indicated) <= at("09:08") + 250
    assert not live[-1].feeds[RELIANCE].ltpc.HasField("iep")


async def test_shut_segment_gives_its_last_price_and_then_nothing() -> None:
    options = {"calendar": "exchange", "universe": "full", "start_ms": at("20:00"), "speed": 20.0}
    async with running(**options) as http, http.ws_connect(await feed_uri(http)) as socket:
        info = (await receive(socket)).marketInfo
        assert info.segmentStatus["NSE_EQ"] == pb.CLOSING_END
        assert info.segmentStatus["MCX_FO"] == pb.NORMAL_OPEN
        async with http.get("/simulator/v1/instruments") as response:
            keys = [one["key"] for one in await response.json()]
        commodities = {key for key in keys if key.startswith("MCX_FO|")}
        await socket.send_bytes(request("sub", [RELIANCE, *sorted(commodities)], "full"))
        snapshot = await receive(socket)
        assert set(snapshot.feeds) == {RELIANCE} | commodities
        assert snapshot.feeds[RELIANCE].fullFeed.marketFF.ltpc.ltt == at("15:30")
        for _ in range(10):
            assert set((await receive(socket)).feeds) <= commodities
