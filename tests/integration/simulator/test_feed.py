"""The feed speaks Upstox's protocol: to a plain client, and to the official SDK."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import aiohttp
import pytest
import upstox_client
import websocket
from pydantic import SecretStr
from upstox_client.feeder import market_data_feeder_v3

from services.simulator.app import open_simulator
from services.simulator.feed.frames import pb
from services.simulator.market.instruments import INSTRUMENTS
from services.simulator.metrics import SLOW_CLIENTS
from services.simulator.settings import SimulatorSettings
from tests.support.sdk import sdk_client

AUTHORIZE = "/v3/feed/market-data-feed/authorize"
DIRECT = "/v3/feed/market-data-feed"
RELIANCE = "NSE_EQ|INE002A01018"
NIFTY = "NSE_INDEX|Nifty 50"


async def feed_uri(http: aiohttp.ClientSession) -> str:
    async with http.get(AUTHORIZE) as response:
        assert response.status == 200
        body = await response.json()
    uri: str = body["data"]["authorizedRedirectUri"]
    assert body == {
        "status": "success",
        "data": {"authorized_redirect_uri": uri, "authorizedRedirectUri": uri},
    }
    return uri


def request(method: str, keys: list[str], mode: str | None = None) -> bytes:
    data: dict[str, object] = {"instrumentKeys": keys}
    if mode is not None:
        data["mode"] = mode
    return json.dumps({"guid": "1", "method": method, "data": data}).encode()


@asynccontextmanager
async def running(**options: Any) -> AsyncIterator[aiohttp.ClientSession]:
    """A client of a simulator with these settings; the simulator ends before the client."""
    settings = SimulatorSettings(port=0, ops_port=0, access_token=SecretStr("t"), **options)
    async with AsyncExitStack() as stack:
        simulator = await stack.enter_async_context(open_simulator(settings))
        driving = asyncio.create_task(simulator.driver.run())
        url = f"http://127.0.0.1:{simulator.port}"
        async with aiohttp.ClientSession(url, headers={"Authorization": "Bearer t"}) as http:
            yield http
            driving.cancel()
            await asyncio.wait([driving])
            await stack.aclose()


def slow_clients() -> float:
    (metric,) = SLOW_CLIENTS.collect()
    return metric.samples[0].value


async def receive(socket: aiohttp.ClientWebSocketResponse) -> Any:
    return pb.FeedResponse.FromString(await socket.receive_bytes(timeout=5))


async def test_client_is_told_the_market_then_a_snapshot_then_what_changes(
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
        async with asyncio.timeout(10):
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


async def test_mode_can_be_changed_and_a_subscription_ended(http: aiohttp.ClientSession) -> None:
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


async def test_text_and_malformed_frames_are_ignored(http: aiohttp.ClientSession) -> None:
    async with http.ws_connect(await feed_uri(http)) as socket:
        await receive(socket)
        await socket.send_str(request("sub", [RELIANCE]).decode())
        await socket.send_bytes(b"{")
        await socket.send_bytes(request("sub", [NIFTY]))
        snapshot = await receive(socket)
        assert (snapshot.type, set(snapshot.feeds)) == (pb.initial_feed, {NIFTY})


@pytest.mark.parametrize("path", [AUTHORIZE, DIRECT])
@pytest.mark.parametrize("authorization", ["Bearer wrong", "Bearer ü", ""])
async def test_bad_token_is_refused_in_upstox_words(
    http: aiohttp.ClientSession, path: str, authorization: str
) -> None:
    async with http.get(path, headers={"Authorization": authorization}) as response:
        assert response.status == 401
        body = await response.json()
    (error,) = body["errors"]
    assert body["status"] == "error"
    assert error["errorCode"] == error["error_code"] == "UDAPI100050"
    assert {"propertyPath", "invalidValue", "property_path", "invalid_value"} < set(error)


async def test_address_opens_one_connection_only(http: aiohttp.ClientSession) -> None:
    uri = await feed_uri(http)
    async with http.ws_connect(uri) as socket:
        await receive(socket)
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await http.ws_connect(uri)
    assert refused.value.status == 403


async def test_direct_address_redirects_to_the_feed(http: aiohttp.ClientSession) -> None:
    async with http.get(DIRECT, allow_redirects=False) as response:
        assert response.status == 302
        location = response.headers["Location"]
    async with http.ws_connect(location) as socket:
        assert (await receive(socket)).type == pb.market_info


async def test_official_sdk_receives_the_feed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The SDK's streamer as it is, but for the host, which it has as a literal."""
    ended = threading.Event()
    urls: list[str] = []

    class LocalWebSocketApp(websocket.WebSocketApp):
        def __init__(self, url: str, **options: Any) -> None:
            super().__init__(url.replace("wss://api.upstox.com", urls[0]), **options)

        def run_forever(self, *args: Any, **options: Any) -> bool:
            try:
                return super().run_forever(*args, **options)
            finally:
                ended.set()

    monkeypatch.setattr(
        market_data_feeder_v3,
        "websocket",
        SimpleNamespace(ABNF=websocket.ABNF, WebSocketApp=LocalWebSocketApp),
    )
    loop = asyncio.get_running_loop()
    events: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()

    def listener(name: str) -> Any:
        return lambda *args: loop.call_soon_threadsafe(
            events.put_nowait, (name, args[0] if args else None)
        )

    async with running(speed=10.0) as http:
        urls.append((await feed_uri(http)).partition("/market-data-feeder")[0])
        with sdk_client("http://unused", "t") as client:
            streamer = upstox_client.MarketDataStreamerV3(client, [RELIANCE, NIFTY], "full")
            streamer.auto_reconnect(False)
            for name in ("open", "message", "error"):
                streamer.on(name, listener(name))
            streamer.connect()
            async with asyncio.timeout(10):
                received = [await events.get() for _ in range(4)]
            socket = streamer.feeder.ws.sock
    # Ended from this side, for after the SDK's disconnect() its thread may stay for 10 s.
    assert await asyncio.to_thread(ended.wait, 10)
    socket.shutdown()  # websocket-client leaves it open when the server closes

    assert sorted(name for name, _ in received) == ["message", "message", "message", "open"]
    info, snapshot, live = [message for name, message in received if name == "message"]
    assert info["type"] == "market_info"
    assert info["marketInfo"]["segmentStatus"]["NSE_EQ"] == "NORMAL_OPEN"
    assert "type" not in snapshot  # initial_feed is zero, and zeros are not on the wire
    assert set(snapshot["feeds"]) == {RELIANCE, NIFTY}
    full = snapshot["feeds"][RELIANCE]["fullFeed"]["marketFF"]
    assert int(full["vtt"]) > 0
    assert len(full["marketLevel"]["bidAskQuote"]) == 5
    assert live["type"] == "live_feed"
    assert int(live["currentTs"]) > int(snapshot["currentTs"])


async def test_client_that_never_reads_is_cut_off_and_others_lose_nothing() -> None:
    before = slow_clients()
    everything = request("sub", [instrument.key for instrument in INSTRUMENTS], "full_d30")
    async with (
        running(speed=100.0, client_queue_frames=4, send_timeout_secs=0.2) as http,
        http.ws_connect(await feed_uri(http)) as stuck,
        http.ws_connect(await feed_uri(http)) as healthy,
        asyncio.timeout(20),
    ):
        await stuck.send_bytes(everything)
        await healthy.send_bytes(request("sub", [NIFTY]))
        values: list[int] = []
        while slow_clients() == before or len(values) < 20:
            message = await receive(healthy)
            if message.type == pb.live_feed:
                values.append(message.feeds[NIFTY].ltpc.ltt)
    # An index has a value every second, so a lost frame would show.
    assert [b - a for a, b in pairwise(values)] == [1_000] * (len(values) - 1)
