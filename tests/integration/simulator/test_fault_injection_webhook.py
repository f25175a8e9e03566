"""The effect of faults on the receiver of the webhook."""

import asyncio
from contextlib import AsyncExitStack
from itertools import pairwise
from typing import Any

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import SecretStr

from services.simulator.app import open_simulator
from services.simulator.settings import SimulatorSettings
from tests.support.patience import PATIENCE_SECS

ORDER = {
    "quantity": 1,
    "product": "D",
    "validity": "DAY",
    "price": 0,
    "instrument_token": "NSE_EQ|INE002A01018",
    "order_type": "MARKET",
    "transaction_type": "BUY",
    "disclosed_quantity": 0,
    "trigger_price": 0,
    "is_amo": False,
}


async def posts_with(kind: str) -> list[dict[str, Any]]:
    """The first three posts after an order that is filled, while the fault is armed."""
    received: asyncio.Queue[Any] = asyncio.Queue()

    async def receive(request: web.Request) -> web.Response:
        received.put_nowait(await request.json())
        return web.Response()

    app = web.Application()
    app.add_routes([web.post("/", receive)])
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(TestServer(app))
        settings = SimulatorSettings(
            port=0,
            ops_port=0,
            speed=10.0,
            access_token=SecretStr("t"),
            webhook_url=str(server.make_url("/")),
        )
        simulator = await stack.enter_async_context(open_simulator(settings))
        running = [
            asyncio.create_task(component.run())
            for component in (simulator.simulation_loop, simulator.webhook)
        ]
        url = f"http://127.0.0.1:{simulator.port}"
        headers = {"Authorization": "Bearer t"}
        http = await stack.enter_async_context(aiohttp.ClientSession(url, headers=headers))
        async with http.post("/simulator/v1/faults", json={"kind": kind}) as response:
            assert response.status == 201
        async with http.post("/v3/order/place", json=ORDER) as response:
            assert response.status == 200, await response.text()
        async with asyncio.timeout(PATIENCE_SECS):
            updates = [await received.get() for _ in range(3)]
        for task in running:
            task.cancel()
        await asyncio.wait(running)
    return updates


async def test_an_update_is_posted_twice() -> None:
    updates = await posts_with("webhook_twice")
    assert [first == second for first, second in pairwise(updates)] == [True, False]


async def test_a_forged_update_is_posted_before_the_true_one() -> None:
    forged, true, _ = await posts_with("webhook_forged")
    assert forged["order_id"] == true["order_id"]
    assert (true["status"], true["filled_quantity"]) == ("put order req received", 0)
    assert (forged["status"], forged["filled_quantity"]) == ("complete", 1)
