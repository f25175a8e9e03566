"""The official SDK's streamer works with the feed, unmodified except for its host."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import aiohttp
import pytest
import upstox_client
import websocket
from upstox_client.feeder import market_data_feeder_v3

from tests.support.patience import PATIENCE_SECS
from tests.support.sdk import sdk_client
from tests.support.simulated import feed_uri, running

RELIANCE = "NSE_EQ|INE002A01018"
NIFTY = "NSE_INDEX|Nifty 50"


class Streaming:
    """A streamer whose events are delivered to this event loop."""

    def __init__(self, streamer: Any, http: aiohttp.ClientSession) -> None:
        self.streamer = streamer
        self.http = http
        self._events: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()
        loop = asyncio.get_running_loop()

        def listener(name: str) -> Callable[..., object]:
            return lambda *args: loop.call_soon_threadsafe(
                self._events.put_nowait, (name, args[0] if args else None)
            )

        for name in ("open", "message", "error", "close", "reconnecting"):
            streamer.on(name, listener(name))

    async def event(self, name: str) -> Any:
        """The next event of this name; others before it are dropped."""
        async with asyncio.timeout(PATIENCE_SECS):
            while True:
                event_name, value = await self._events.get()
                if event_name == name:
                    return value

    async def message(self, matches: Callable[[Any], bool]) -> Any:
        """The next message that matches."""
        while not matches(message := await self.event("message")):
            pass
        return message


@asynccontextmanager
async def streaming(
    monkeypatch: pytest.MonkeyPatch, keys: list[str], mode: str, **options: Any
) -> AsyncIterator[Streaming]:
    """A connected streamer. The simulator is closed first, then the SDK's thread ends."""
    bases: list[str] = []
    running_threads: list[threading.Event] = []
    sockets: list[Any] = []

    class LocalWebSocketApp(websocket.WebSocketApp):
        def __init__(self, url: str, **kwargs: Any) -> None:
            super().__init__(url.replace("wss://api.upstox.com", bases[0]), **kwargs)

        def run_forever(self, *args: Any, **kwargs: Any) -> bool:
            ended = threading.Event()
            running_threads.append(ended)
            try:
                return super().run_forever(*args, **kwargs)
            finally:
                ended.set()

    monkeypatch.setattr(
        market_data_feeder_v3,
        "websocket",
        SimpleNamespace(ABNF=websocket.ABNF, WebSocketApp=LocalWebSocketApp),
    )
    with sdk_client("http://unused", "t") as client:
        streamer = upstox_client.MarketDataStreamerV3(client, keys, mode)
        async with running(speed=10.0, **options) as http:
            bases.append((await feed_uri(http)).partition("/market-data-feeder")[0])
            session = Streaming(streamer, http)
            streamer.connect()
            await session.event("open")
            yield session
            streamer.auto_reconnect(False)
            sockets.append(streamer.feeder.ws.sock)
    # Closed by the server, because after the SDK's disconnect() its thread may run for 10 s.
    for ended in running_threads:
        assert await asyncio.to_thread(ended.wait, 10)
    for socket in sockets:
        if socket is not None:
            socket.shutdown()  # websocket-client leaves it open when the server closes


@pytest.mark.parametrize(
    ("mode", "block"),
    [
        ("ltpc", "ltpc"),
        ("option_greeks", "firstLevelWithGreeks"),
        ("full", "fullFeed"),
        ("full_d30", "fullFeed"),
    ],
)
async def test_each_mode_has_a_snapshot_and_live_frames(
    monkeypatch: pytest.MonkeyPatch, mode: str, block: str
) -> None:
    async with streaming(monkeypatch, [RELIANCE, NIFTY], mode, plan="plus") as session:
        info = await session.event("message")
        snapshot = await session.event("message")
        live = await session.message(lambda message: message.get("type") == "live_feed")
    assert info["type"] == "market_info"
    assert "type" not in snapshot  # initial_feed is zero, which proto3 omits
    assert set(snapshot["feeds"]) == {RELIANCE, NIFTY}
    assert block in snapshot["feeds"][RELIANCE]
    assert all(block in feed for feed in live["feeds"].values())
    if block == "fullFeed":
        levels = snapshot["feeds"][RELIANCE]["fullFeed"]["marketFF"]["marketLevel"]["bidAskQuote"]
        assert len(levels) == (30 if mode == "full_d30" else 5)


async def test_a_mode_is_changed_and_a_subscription_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    async with streaming(monkeypatch, [RELIANCE], "ltpc") as session:
        await session.message(lambda message: RELIANCE in message.get("feeds", {}))
        await asyncio.to_thread(session.streamer.change_mode, [RELIANCE], "full")
        changed = await session.message(
            lambda message: "fullFeed" in message.get("feeds", {}).get(RELIANCE, {})
        )
        assert "type" not in changed
        await asyncio.to_thread(session.streamer.unsubscribe, [RELIANCE])
        await asyncio.to_thread(session.streamer.subscribe, [NIFTY], "ltpc")
        await session.message(lambda message: NIFTY in message.get("feeds", {}))
        for _ in range(3):
            assert set((await session.event("message"))["feeds"]) == {NIFTY}


async def test_an_option_has_its_greeks(monkeypatch: pytest.MonkeyPatch) -> None:
    options = {"universe": "full", "start_ms": 1_767_607_200_000}
    async with streaming(monkeypatch, [RELIANCE], "ltpc", **options) as session:
        async with session.http.get("/simulator/v1/instruments") as response:
            symbols = {each["symbol"]: each["key"] for each in await response.json()}
        key = symbols["NIFTY 25000 PE 06 JAN 26"]
        await asyncio.to_thread(session.streamer.subscribe, [key], "option_greeks")
        message = await session.message(lambda message: key in message.get("feeds", {}))
    option = message["feeds"][key]["firstLevelWithGreeks"]
    assert -1 < option["optionGreeks"]["delta"] < 0
    assert {"theta", "gamma", "vega", "rho"} < set(option["optionGreeks"])
    assert option["oi"] > 0
    assert 0.05 < option["iv"] < 0.5


async def test_the_streamer_reconnects_with_its_subscriptions(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with streaming(monkeypatch, [RELIANCE], "full") as session:
        await session.message(lambda message: RELIANCE in message.get("feeds", {}))
        before = session.streamer.feeder.ws.sock
        # Break the connection as a network failure would.
        before.sock.shutdown(2)
        await session.event("reconnecting")
        await session.event("open")
        snapshot = await session.message(lambda message: RELIANCE in message.get("feeds", {}))
        assert "fullFeed" in snapshot["feeds"][RELIANCE]
        assert session.streamer.feeder.ws.sock is not before
