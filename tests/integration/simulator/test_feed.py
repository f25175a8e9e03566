"""The feed follows Upstox's protocol, tested with a plain WebSocket client."""

import asyncio
from itertools import pairwise
from typing import Any

import aiohttp
import pytest

from services.simulator.feed.encode import pb
from services.simulator.market.instruments import INSTRUMENTS
from services.simulator.metrics import SLOW_CLIENTS
from tests.support.patience import PATIENCE_SECS
from tests.support.simulated import AUTHORIZE, DIRECT, feed_uri, receive, request, running

RELIANCE = "NSE_EQ|INE002A01018"
NIFTY = "NSE_INDEX|Nifty 50"


def slow_clients() -> float:
    return sum(
        sample.value
        for metric in SLOW_CLIENTS.collect()
        for sample in metric.samples
        if sample.name.endswith("_total") and sample.labels["stream"] == "feed"
    )


async def test_a_client_receives_market_info_then_a_snapshot_then_live_frames(
    http: aiohttp.ClientSession,
) -> None:
    async with http.ws_connect(await feed_uri(http)) as socket:
        assert (await receive(socket)).type == pb.market_info
        await socket.send_bytes(request("sub", [RELIANCE, NIFTY, "NSE_EQ|NOBODY"], "full"))
        snapshot = await receive(socket)
        assert snapshot.type == pb.initial_feed
        assert set(snapshot.feeds) == {RELIANCE, NIFTY}
        first = snapshot.feeds[RELIANCE].fullFeed.marketFF
        frames: list[Any] = []
        volumes = [first.vtt]
        async with asyncio.timeout(PATIENCE_SECS):
            while len(frames) < 12 or volumes[-1] == volumes[0]:
                frames.append(await receive(socket))
                if RELIANCE in frames[-1].feeds:
                    volumes.append(frames[-1].feeds[RELIANCE].fullFeed.marketFF.vtt)

    assert {frame.type for frame in frames} == {pb.live_feed}
    times = [frame.currentTs for frame in frames]
    assert times == sorted(set(times))
    assert snapshot.currentTs < times[0]
    assert [ts % 250 for ts in times] == [0] * len(times)
    assert volumes == sorted(volumes)
    for frame in frames:
        for key, feed in frame.feeds.items():
            full = feed.fullFeed.indexFF if key == NIFTY else feed.fullFeed.marketFF
            assert full.ltpc.ltt <= frame.currentTs


async def test_a_mode_can_be_changed_and_a_subscription_ended(http: aiohttp.ClientSession) -> None:
    async with http.ws_connect(await feed_uri(http)) as socket:
        await receive(socket)
        await socket.send_bytes(request("sub", [RELIANCE]))
        assert (await receive(socket)).feeds[RELIANCE].WhichOneof("FeedUnion") == "ltpc"
        await socket.send_bytes(request("change_mode", [RELIANCE], "option_greeks"))
        while True:
            message = await receive(socket)
            if message.type == pb.initial_feed:
                break
        assert message.feeds[RELIANCE].WhichOneof("FeedUnion") == "firstLevelWithGreeks"
        await socket.send_bytes(request("unsub", [RELIANCE]))
        await socket.send_bytes(request("sub", [NIFTY]))
        while NIFTY not in message.feeds:
            message = await receive(socket)
        assert set((await receive(socket)).feeds) == {NIFTY}


async def test_text_and_invalid_requests_are_ignored(http: aiohttp.ClientSession) -> None:
    async with http.ws_connect(await feed_uri(http)) as socket:
        await receive(socket)
        await socket.send_str(request("sub", [RELIANCE]).decode())
        await socket.send_bytes(b"{")
        await socket.send_bytes(request("sub", [NIFTY]))
        snapshot = await receive(socket)
        assert (snapshot.type, set(snapshot.feeds)) == (pb.initial_feed, {NIFTY})


@pytest.mark.parametrize("path", [AUTHORIZE, DIRECT])
@pytest.mark.parametrize("authorization", ["Bearer wrong", "Bearer ü", ""])
async def test_an_invalid_token_is_refused_in_upstox_envelope(
    http: aiohttp.ClientSession, path: str, authorization: str
) -> None:
    async with http.get(path, headers={"Authorization": authorization}) as response:
        assert response.status == 401
        body = await response.json()
    (error,) = body["errors"]
    assert body["status"] == "error"
    assert error["errorCode"] == error["error_code"] == "UDAPI100050"
    assert {"propertyPath", "invalidValue", "property_path", "invalid_value"} < set(error)


async def test_an_address_opens_one_connection_only(http: aiohttp.ClientSession) -> None:
    uri = await feed_uri(http)
    async with http.ws_connect(uri) as socket:
        await receive(socket)
    with pytest.raises(aiohttp.WSServerHandshakeError) as error:
        await http.ws_connect(uri)
    assert error.value.status == 403


async def test_the_feed_path_redirects_to_a_one_time_address(http: aiohttp.ClientSession) -> None:
    async with http.get(DIRECT, allow_redirects=False) as response:
        assert response.status == 302
        location = response.headers["Location"]
    async with http.ws_connect(location) as socket:
        assert (await receive(socket)).type == pb.market_info


async def test_a_client_that_never_reads_is_disconnected_and_others_lose_no_frame() -> None:
    before = slow_clients()
    subscribe_all = request("sub", [instrument.key for instrument in INSTRUMENTS], "full")
    async with (
        running(speed=100.0, client_queue_frames=4, send_timeout_secs=0.2) as http,
        http.ws_connect(await feed_uri(http)) as stuck,
        http.ws_connect(await feed_uri(http)) as healthy,
        asyncio.timeout(PATIENCE_SECS),
    ):
        await stuck.send_bytes(subscribe_all)
        await healthy.send_bytes(request("sub", [NIFTY]))
        values: list[int] = []
        while slow_clients() == before or len(values) < 20:
            message = await receive(healthy)
            if message.type == pb.live_feed:
                values.append(message.feeds[NIFTY].ltpc.ltt)
    # An index has a value every second, so a lost frame would be visible.
    assert [b - a for a, b in pairwise(values)] == [1_000] * (len(values) - 1)
