"""A simulator inside a test's own event loop, and a plain client of it and of its feed."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Final

import aiohttp

from services.simulator.app import open_simulator
from services.simulator.feed.encode import pb
from services.simulator.settings import SIMULATED_TOKEN, SimulatorSettings
from services.simulator.simulation.loop import SimulationLoop
from shared.runtime.tasks import stop
from tests.support.patience import PATIENCE_SECS

AUTHORIZE: Final = "/v3/feed/market-data-feed/authorize"
DIRECT: Final = "/v3/feed/market-data-feed"
_CLIENT_TOKEN: Final = "t"


@asynccontextmanager
async def simulator(**options: Any) -> AsyncIterator[str]:
    """A simulator with these settings; yields its URL."""
    async with stepped_simulator(**options) as (url, loop):
        driving = asyncio.create_task(loop.run())
        try:
            yield url
        finally:
            await stop([driving])


@asynccontextmanager
async def stepped_simulator(**options: Any) -> AsyncIterator[tuple[str, SimulationLoop]]:
    """A simulator whose market stands still between the steps that a test takes with its loop."""
    settings = SimulatorSettings.model_validate(
        {"port": 0, "ops_port": 0, "access_token": SIMULATED_TOKEN} | options
    )
    async with open_simulator(settings) as opened:
        yield f"http://127.0.0.1:{opened.port}", opened.simulation_loop


@asynccontextmanager
async def running(**options: Any) -> AsyncIterator[aiohttp.ClientSession]:
    """A client, with a good token, of a simulator with these settings.

    The simulator ends before the client, so that it has connections to close.
    """
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(simulator(access_token=_CLIENT_TOKEN, **options))
        headers = {"Authorization": f"Bearer {_CLIENT_TOKEN}"}
        async with aiohttp.ClientSession(url, headers=headers) as http:
            yield http
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
    """A request on the feed."""
    data: dict[str, object] = {"instrumentKeys": keys}
    if mode is not None:
        data["mode"] = mode
    return json.dumps({"guid": "1", "method": method, "data": data}).encode()


async def receive(socket: aiohttp.ClientWebSocketResponse) -> Any:
    """The next message of the feed."""
    return pb.FeedResponse.FromString(await socket.receive_bytes(timeout=PATIENCE_SECS))
