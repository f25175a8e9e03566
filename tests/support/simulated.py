"""A simulator for a test's own settings, and a plain client's words on its feed."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Final

import aiohttp
from pydantic import SecretStr

from services.simulator.app import open_simulator
from services.simulator.feed.encode import pb
from services.simulator.settings import SimulatorSettings

AUTHORIZE: Final = "/v3/feed/market-data-feed/authorize"
DIRECT: Final = "/v3/feed/market-data-feed"


@asynccontextmanager
async def running(**options: Any) -> AsyncIterator[aiohttp.ClientSession]:
    """A client of a simulator with these settings; the simulator ends before the client."""
    settings = SimulatorSettings(port=0, ops_port=0, access_token=SecretStr("t"), **options)
    async with AsyncExitStack() as stack:
        simulator = await stack.enter_async_context(open_simulator(settings))
        driving = asyncio.create_task(simulator.simulation_loop.run())
        url = f"http://127.0.0.1:{simulator.port}"
        async with aiohttp.ClientSession(url, headers={"Authorization": "Bearer t"}) as http:
            yield http
            driving.cancel()
            await asyncio.wait([driving])
            await stack.aclose()


async def feed_uri(http: aiohttp.ClientSession) -> str:
    """A one-time address of the feed."""
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
    """A message to the feed."""
    data: dict[str, object] = {"instrumentKeys": keys}
    if mode is not None:
        data["mode"] = mode
    return json.dumps({"guid": "1", "method": method, "data": data}).encode()


async def receive(socket: aiohttp.ClientWebSocketResponse) -> Any:
    """The next message of the feed."""
    return pb.FeedResponse.FromString(await socket.receive_bytes(timeout=5))
