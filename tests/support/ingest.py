"""Ingest between a simulated Upstox and a real bus, and an ear for what it says there."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import aiohttp
import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg

from services.ingest.app import build
from services.ingest.settings import IngestSettings
from services.simulator.app import open_simulator
from services.simulator.settings import SimulatorSettings
from shared.contracts.demand import DEMAND_INTERVAL_SECS, Coverage, Demand, decode_coverage, encode
from shared.contracts.messages import (
    Candle,
    Depth,
    FeedState,
    FeedStatus,
    Quote,
    decode_candle,
    decode_depth,
    decode_quote,
    decode_status,
)
from shared.contracts.subjects import candle_subject, demand_subject, depth_subject, quote_subject
from shared.runtime.health import Readiness
from shared.runtime.settings import NatsSettings, UpstoxSettings
from shared.runtime.tasks import stop
from tests.support.builders import KEY, OTHER_KEY
from tests.support.buses import flushed
from tests.support.servers import PASSWORD, NatsServer
from tests.support.services import running
from tests.support.waiting import eventually

TOKEN: Final = "simulated-token"


class Listener:
    """Keeps all that is published on md.>, in order."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.messages: list[Msg] = []

    async def listen(self) -> None:
        async def keep(message: Msg) -> None:
            self.messages.append(message)

        await self.client.subscribe("md.>", cb=keep)
        await flushed(self.client)

    def of(self, subject: str) -> list[bytes]:
        return [message.data for message in self.messages if message.subject == subject]

    def quotes(self, key: str = KEY) -> list[Quote]:
        return [decode_quote(data) for data in self.of(quote_subject(key))]

    def all_quotes(self) -> list[Quote]:
        found = [m for m in self.messages if m.subject.startswith("md.quote.")]
        return [decode_quote(message.data) for message in found]

    def candles(self, key: str = KEY) -> list[Candle]:
        return [decode_candle(data) for data in self.of(candle_subject(key))]

    def books(self, key: str = KEY) -> list[Depth]:
        return [decode_depth(data) for data in self.of(depth_subject(key))]

    def statuses(self) -> list[FeedStatus]:
        return [decode_status(data) for data in self.of("md.status")]

    def states(self) -> list[FeedState]:
        return [status.state for status in self.statuses()]

    def coverage(self) -> Coverage | None:
        """What was told last."""
        told = self.of("md.coverage")
        return decode_coverage(told[-1]) if told else None

    async def wait_for_quotes(
        self, count: int, key: str = KEY, *, timeout_secs: float = 15.0
    ) -> list[Quote]:
        async def enough() -> list[Quote]:
            seen = self.quotes(key)
            return seen if len(seen) >= count else []

        what = f"{count} quotes of {key}"
        return await eventually(enough, what=what, timeout_secs=timeout_secs)

    async def wait_for_state(self, state: FeedState, *, timeout_secs: float = 20.0) -> None:
        async def told() -> bool:
            return self.states()[-1:] == [state]

        await eventually(told, what=f"md.status says {state}", timeout_secs=timeout_secs)


@asynccontextmanager
async def listening(nats: NatsServer) -> AsyncIterator[Listener]:
    client = await nats.connect("observer")
    listener = Listener(client)
    await listener.listen()
    yield listener
    await client.close()


@asynccontextmanager
async def simulator(**settings: Any) -> AsyncIterator[str]:
    """A running simulator; its address."""
    options = {"port": 0, "ops_port": 0, "speed": 10, "frame_interval_ms": 500} | settings
    async with open_simulator(SimulatorSettings.model_validate(options)) as opened:
        driving = asyncio.create_task(opened.simulation_loop.run())
        try:
            yield f"http://127.0.0.1:{opened.port}"
        finally:
            driving.cancel()
            await asyncio.gather(driving, return_exceptions=True)


async def ask_simulator(url: str, path: str, body: dict[str, Any]) -> Any:
    """POST to one of the simulator's own calls; the answer's JSON, if it has any."""
    async with (
        aiohttp.ClientSession() as http,
        http.post(f"{url}/simulator/v1/{path}", json=body) as response,
    ):
        assert response.status < 300, await response.text()
        return await response.json() if response.status != 204 else None


async def arm(url: str, kind: str, **fault: Any) -> None:
    """Let frames of the feed go wrong."""
    await ask_simulator(url, "faults", {"kind": kind, **fault})


async def disarm_all(url: str) -> None:
    async with aiohttp.ClientSession() as http, http.delete(f"{url}/simulator/v1/faults"):
        pass


def ingest_settings(
    nats: NatsServer, url: str, watchlist: Path | None, *, lease_ttl_secs: float = 1, **more: Any
) -> IngestSettings:
    options = {
        "ops_port": 0,
        "nats_password": PASSWORD,
        "watchlist_file": watchlist,
        "clock_every_secs": 0.1,
        "max_ahead_secs": 1e9,  # the simulated exchange runs ten times as fast as our clock
        "nats": NatsSettings.model_validate({"url": nats.url, "lease_ttl_secs": lease_ttl_secs}),
        "upstox": UpstoxSettings.model_validate({"api_url": url, "access_token": TOKEN}),
    } | more
    return IngestSettings.model_validate(options)


def ingest_environment(
    nats: NatsServer, url: str, watchlist: Path, *, lease_ttl_secs: float
) -> dict[str, str]:
    """The same for a process of its own."""
    return {
        "TRADEDAD_INGEST_NATS_PASSWORD": PASSWORD,
        "TRADEDAD_INGEST_WATCHLIST_FILE": str(watchlist),
        "TRADEDAD_INGEST_MAX_AHEAD_SECS": "1e9",
        "TRADEDAD_NATS_URL": nats.url,
        "TRADEDAD_NATS_LEASE_TTL_SECS": str(lease_ttl_secs),
        "TRADEDAD_UPSTOX_API_URL": url,
        "TRADEDAD_UPSTOX_ACCESS_TOKEN": TOKEN,
    }


@asynccontextmanager
async def ingest(settings: IngestSettings) -> AsyncIterator[Readiness]:
    readiness = Readiness("ingest")
    async with running(build(settings, readiness)):
        yield readiness


class Asker:
    """A gateway that only asks, and repeats itself as gateways do."""

    def __init__(self, client: Client, name: str) -> None:
        self._client = client
        self._demand = Demand(gateway=name, rev=0, quotes=[])

    async def want(self, *quotes: str, depth: tuple[str, ...] = ()) -> int:
        """Tell a new demand; its `rev`."""
        rev = self._demand.rev + 1
        self._demand = Demand(
            gateway=self._demand.gateway, rev=rev, quotes=list(quotes), depth=list(depth)
        )
        await self._tell()
        return rev

    async def _tell(self) -> None:
        await self._client.publish(demand_subject(self._demand.gateway), encode(self._demand))

    async def repeat(self) -> None:
        while True:
            await asyncio.sleep(DEMAND_INTERVAL_SECS)
            await self._tell()


@asynccontextmanager
async def asker(nats: NatsServer, name: str = "gw-1") -> AsyncIterator[Asker]:
    client = await nats.connect("gateway")
    gateway = Asker(client, name)
    repeating = asyncio.create_task(gateway.repeat())
    try:
        yield gateway
    finally:
        await stop([repeating])
        await client.close()


@pytest.fixture
async def listener(nats: NatsServer) -> AsyncIterator[Listener]:
    """Hears all that is said on md.>."""
    async with listening(nats) as heard:
        yield heard


@pytest.fixture
def watchlist(tmp_path: Path) -> Path:
    """A share and an index."""
    path = tmp_path / "watchlist.txt"
    path.write_text(f"{KEY}\n{OTHER_KEY}\n")
    return path
