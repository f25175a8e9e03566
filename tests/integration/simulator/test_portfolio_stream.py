"""Updates of orders and positions, over the portfolio stream and the webhook."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
import upstox_client
from aiohttp import web
from pydantic import SecretStr
from upstox_client.feeder.portfolio_data_feeder import PortfolioDataFeeder

from services.simulator.account.portfolio_updates import PortfolioUpdate, UpdateType
from services.simulator.app import open_simulator
from services.simulator.callbacks.webhook import Webhook
from services.simulator.settings import SimulatorSettings
from shared.runtime.tasks import stop
from tests.support.patience import PATIENCE_SECS
from tests.support.sdk import SDK_SECS, sdk_client
from tests.support.waiting import eventually

Sdk = Callable[[Callable[[Any], Any]], Awaitable[Any]]

STREAM = "/v2/feed/portfolio-stream-feed"
RELIANCE = "NSE_EQ|INE002A01018"
ORDER = {
    "quantity": 2,
    "product": "D",
    "validity": "DAY",
    "price": 0,
    "instrument_token": RELIANCE,
    "order_type": "MARKET",
    "transaction_type": "SELL",
    "disclosed_quantity": 0,
    "trigger_price": 0,
    "is_amo": False,
}


async def place(http: aiohttp.ClientSession, **more: Any) -> str:
    async with http.post("/v3/order/place", json=ORDER | more) as response:
        assert response.status == 200
        return str((await response.json())["data"]["order_ids"][0])


async def place_gtt(http: aiohttp.ClientSession) -> None:
    body = {
        "type": "SINGLE",
        "quantity": 1,
        "product": "I",
        "instrument_token": RELIANCE,
        "transaction_type": "BUY",
        "rules": [{"strategy": "ENTRY", "trigger_type": "BELOW", "trigger_price": 1_000}],
    }
    async with http.post("/v3/order/gtt/place", json=body) as response:
        assert response.status == 200


async def receive(socket: aiohttp.ClientWebSocketResponse, number: int) -> list[Any]:
    return [json.loads(await socket.receive_str(timeout=PATIENCE_SECS)) for _ in range(number)]


async def test_the_stream_sends_updates_of_the_requested_types(http: aiohttp.ClientSession) -> None:
    query = {"update_types": "order,position,holding,gtt_order"}
    async with http.get(f"{STREAM}/authorize", params=query) as response:
        uri = (await response.json())["data"]["authorizedRedirectUri"]
    async with aiohttp.ClientSession() as anonymous, anonymous.ws_connect(uri) as socket:
        order_id = await place(http)
        updates = await receive(socket, 7)
        await place_gtt(http)
        [gtt] = await receive(socket, 1)
    orders = [update for update in updates if update["update_type"] == "order"]
    assert [update["status"] for update in orders][:4] == [
        "put order req received",
        "validation pending",
        "open pending",
        "open",
    ]
    assert {update["order_id"] for update in orders} == {order_id}
    assert {update["user_id"] for update in orders} == {"SIM001"}
    assert {update["instrument_key"] for update in orders} == {RELIANCE}
    [position] = [update for update in updates if update["update_type"] == "position"]
    assert (position["exchange"], position["quantity"]) == ("NSE_EQ", -2)
    assert not {"last_price", "pnl", "realised"} & set(position)
    [holding] = [update for update in updates if update["update_type"] == "holding"]
    assert holding["cnc_used_quantity"] == 2
    assert (gtt["update_type"], gtt["rules"][0]["status"]) == ("gtt_order", "PENDING")


async def test_the_stream_sends_order_updates_by_default(http: aiohttp.ClientSession) -> None:
    async with http.ws_connect(STREAM) as socket:
        await place(http)
        assert [update["update_type"] for update in await receive(socket, 5)] == ["order"] * 5


async def test_the_official_sdk_parses_the_address(sdk: Sdk) -> None:
    answer = await sdk(
        lambda client: upstox_client.WebsocketApi(client).get_portfolio_stream_feed_authorize(
            "2.0", _request_timeout=SDK_SECS
        )
    )
    assert answer.data.authorized_redirect_uri.startswith("ws://")


@pytest.mark.parametrize("query", [{}, {"code": "an-unknown-code"}])
async def test_the_stream_requires_a_token_or_a_code(base_url: str, query: dict[str, str]) -> None:
    async with aiohttp.ClientSession(base_url) as anonymous:
        with pytest.raises(aiohttp.WSServerHandshakeError) as error:
            await anonymous.ws_connect(STREAM, params=query)
    assert error.value.status == 401


async def test_the_official_streamer_receives_order_updates(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    address = PortfolioDataFeeder.get_websocket_url
    hosts: list[str] = []

    def local(feeder: Any) -> str:
        return str(address(feeder)).replace("wss://api.upstox.com", hosts[0])

    monkeypatch.setattr(PortfolioDataFeeder, "get_websocket_url", local)
    loop = asyncio.get_running_loop()
    events: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()
    ended = threading.Event()

    def listener(name: str) -> Callable[..., object]:
        return lambda *args: loop.call_soon_threadsafe(
            events.put_nowait, (name, args[0] if args else None)
        )

    settings = SimulatorSettings(port=0, ops_port=0, access_token=SecretStr("t"))
    async with open_simulator(settings) as simulator:
        hosts.append(f"ws://127.0.0.1:{simulator.port}")
        headers = {"Authorization": "Bearer t"}
        url = f"http://127.0.0.1:{simulator.port}"
        with sdk_client("http://unused", "t") as client:
            streamer = upstox_client.PortfolioDataStreamer(client, position_update=True)
            streamer.auto_reconnect(False)
            for name in ("open", "message", "error"):
                streamer.on(name, listener(name))
            streamer.on("close", lambda *_: ended.set())
            streamer.connect()
            async with (
                asyncio.timeout(PATIENCE_SECS),
                aiohttp.ClientSession(url, headers=headers) as http,
            ):
                assert await events.get() == ("open", None)
                await place(http)
                messages = [await events.get() for _ in range(6)]
            socket = streamer.feeder.ws.sock
    # Closed by the server, because after the SDK's disconnect() its thread may run for 10 s.
    assert await asyncio.to_thread(ended.wait, 10)
    socket.shutdown()  # websocket-client leaves it open when the server closes
    types = [json.loads(message)["update_type"] for _, message in messages]
    assert types == ["order"] * 5 + ["position"]


@asynccontextmanager
async def receiver(*answers: int) -> AsyncIterator[tuple[str, list[str]]]:
    """A user's server that answers with these statuses, then with 200; its URL and the bodies."""
    bodies: list[str] = []
    statuses = list(answers)

    async def receive_post(request: web.Request) -> web.Response:
        bodies.append(await request.text())
        return web.Response(status=statuses.pop(0) if statuses else 200)

    app = web.Application()
    app.router.add_post("/hook", receive_post)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    try:
        yield f"http://127.0.0.1:{port}/hook", bodies
    finally:
        await runner.cleanup()


def arrived(bodies: list[str], number: int) -> Callable[[], Awaitable[bool]]:
    async def has_arrived() -> bool:
        return len(bodies) >= number

    return has_arrived


async def test_the_webhook_posts_order_updates_and_retries() -> None:
    async with receiver(500, 503) as (url, bodies):
        webhook = Webhook(url, timeout_secs=PATIENCE_SECS, pause_secs=0.01)
        task = asyncio.create_task(webhook.run())
        webhook.publish(PortfolioUpdate("U", UpdateType.ORDER, "one"))
        webhook.publish(PortfolioUpdate("U", UpdateType.POSITION, "not for the webhook"))
        webhook.publish(PortfolioUpdate("U", UpdateType.GTT, "two"))
        await eventually(arrived(bodies, 4), what="both updates")
        await stop([task])
    assert bodies == ["one", "one", "one", "two"]


async def test_the_webhook_drops_an_update_after_three_attempts() -> None:
    async with receiver(500, 500, 500) as (url, bodies):
        webhook = Webhook(url, timeout_secs=PATIENCE_SECS, pause_secs=0.01)
        task = asyncio.create_task(webhook.run())
        webhook.publish(PortfolioUpdate("U", UpdateType.ORDER, "lost"))
        webhook.publish(PortfolioUpdate("U", UpdateType.ORDER, "next"))
        await eventually(arrived(bodies, 4), what="the next update")
        await stop([task])
    assert bodies == ["lost"] * 3 + ["next"]


async def test_webhook_and_stream_receive_the_same_updates() -> None:
    async with receiver() as (webhook_url, bodies):
        settings = SimulatorSettings(
            port=0, ops_port=0, access_token=SecretStr("t"), webhook_url=webhook_url
        )
        async with open_simulator(settings) as simulator:
            posting = asyncio.create_task(simulator.webhook.run())
            url, headers = f"http://127.0.0.1:{simulator.port}", {"Authorization": "Bearer t"}
            async with (
                aiohttp.ClientSession(url, headers=headers) as http,
                http.ws_connect(STREAM) as socket,
            ):
                await place(http)
                messages = await receive(socket, 5)
                await eventually(arrived(bodies, 5), what="the same five updates")
            await stop([posting])
    assert [json.loads(body) for body in bodies] == messages
