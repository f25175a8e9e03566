"""Ingest between a simulated Upstox and a real bus, with a subscriber to all that it publishes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg

from services.ingest.app import build
from services.ingest.settings import IngestSettings
from services.simulator.settings import SIMULATED_TOKEN
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
from shared.runtime.tasks import stop
from tests.support.builders import KEY, OTHER_KEY
from tests.support.buses import flushed, wait_connected
from tests.support.patience import LEASE_TTL_SECS, PATIENCE_SECS
from tests.support.servers import PASSWORD, NatsServer
from tests.support.services import running
from tests.support.settings import RUNTIME, nats_settings, upstox_settings
from tests.support.simulated import simulator as any_simulator
from tests.support.waiting import eventually


class Listener:
    """Keeps everything that is published on ``md.>``, in order."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.messages: list[Msg] = []

    async def listen(self) -> None:
        async def on_message(message: Msg) -> None:
            self.messages.append(message)

        await self.client.subscribe("md.>", cb=on_message)
        await flushed(self.client)

    def of(self, subject: str) -> list[bytes]:
        return [message.data for message in self.messages if message.subject == subject]

    def quotes(self, key: str = KEY) -> list[Quote]:
        return [decode_quote(data) for data in self.of(quote_subject(key))]

    def all_quotes(self) -> list[Quote]:
        messages = [m for m in self.messages if m.subject.startswith("md.quote.")]
        return [decode_quote(message.data) for message in messages]

    def candles(self, key: str = KEY) -> list[Candle]:
        return [decode_candle(data) for data in self.of(candle_subject(key))]

    def books(self, key: str = KEY) -> list[Depth]:
        return [decode_depth(data) for data in self.of(depth_subject(key))]

    def statuses(self) -> list[FeedStatus]:
        return [decode_status(data) for data in self.of("md.status")]

    def states(self) -> list[FeedState]:
        return [status.state for status in self.statuses()]

    def coverage(self) -> Coverage | None:
        """The last coverage."""
        published = self.of("md.coverage")
        return decode_coverage(published[-1]) if published else None

    async def wait_for_quotes(self, count: int, key: str = KEY) -> list[Quote]:
        """All quotes of an instrument, once there are this many."""
        subject = quote_subject(key)
        await eventually(lambda: len(self.of(subject)) >= count, what=f"{count} quotes of {key}")
        return self.quotes(key)

    async def wait_for_more_quotes(self, count: int, key: str = KEY) -> None:
        """Wait for this many more quotes of an instrument than there are now."""
        await self.wait_for_quotes(len(self.quotes(key)) + count, key)

    async def wait_for_state(self, state: FeedState) -> None:
        """Wait until the last status is this."""
        await eventually(lambda: self.states()[-1:] == [state], what=f"md.status is {state}")


@asynccontextmanager
async def listening(nats: NatsServer) -> AsyncIterator[Listener]:
    client = await nats.connect("observer")
    listener = Listener(client)
    await listener.listen()
    yield listener
    if nats.is_running:
        await wait_connected(client)
    await client.close()


def simulator(**settings: Any) -> AbstractAsyncContextManager[str]:
    """A running simulator, ten times as fast as the clock unless set otherwise; its URL."""
    return any_simulator(**({"speed": 10, "frame_interval_ms": 500} | settings))


async def post_to_simulator(url: str, path: str, body: dict[str, Any]) -> Any:
    """POST to one of the simulator's own calls; the JSON of the reply, if it has any."""
    async with (
        aiohttp.ClientSession() as http,
        http.post(f"{url}/simulator/v1/{path}", json=body) as response,
    ):
        assert response.status < 300, await response.text()
        return await response.json() if response.status != 204 else None


async def add_fault(url: str, kind: str, **fault: Any) -> None:
    """Let the simulator inject a fault."""
    await post_to_simulator(url, "faults", {"kind": kind, **fault})


async def clear_faults(url: str) -> None:
    """Let the simulator inject no more faults."""
    async with aiohttp.ClientSession() as http, http.delete(f"{url}/simulator/v1/faults"):
        pass


def ingest_settings(
    nats: NatsServer,
    url: str,
    watchlist: Path | None,
    *,
    has_outages: bool = False,
    lease_ttl_secs: float = LEASE_TTL_SECS,
    **more: Any,
) -> IngestSettings:
    """Patient settings; `has_outages` is for tests that break the server of NATS."""
    nats_group = nats_settings(nats.url, has_outages=has_outages, lease_ttl_secs=lease_ttl_secs)
    options = {
        "ops_port": 0,
        "nats_password": PASSWORD,
        "watchlist_file": watchlist,
        "clock_every_secs": 0.1,
        "max_ahead_secs": 1e9,  # the simulated exchange runs ten times as fast as the clock
        "feed_ping_secs": PATIENCE_SECS,
        "silent_after_secs": PATIENCE_SECS,
        "unknown_after_secs": PATIENCE_SECS,
        "nats": nats_group,
        "runtime": RUNTIME,
        "upstox": upstox_settings(url, SIMULATED_TOKEN),
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
        "TRADEDAD_UPSTOX_ACCESS_TOKEN": SIMULATED_TOKEN,
    }


@asynccontextmanager
async def ingest(settings: IngestSettings) -> AsyncIterator[Readiness]:
    """Ingest that is starting."""
    readiness = Readiness("ingest")
    async with running(build(settings, readiness)):
        yield readiness


class DemandPublisher:
    """Publishes a demand, and repeats it as gateways do."""

    def __init__(self, client: Client, name: str) -> None:
        self._client = client
        self._demand = Demand(gateway=name, rev=0, quotes=[])

    async def demand(self, *quotes: str, depth: tuple[str, ...] = ()) -> int:
        """Publish a new demand; its `rev`."""
        rev = self._demand.rev + 1
        self._demand = Demand(
            gateway=self._demand.gateway, rev=rev, quotes=list(quotes), depth=list(depth)
        )
        await self._publish()
        return rev

    async def _publish(self) -> None:
        await self._client.publish(demand_subject(self._demand.gateway), encode(self._demand))

    async def repeat(self) -> None:
        while True:
            await asyncio.sleep(DEMAND_INTERVAL_SECS)
            await self._publish()


@asynccontextmanager
async def demand_publisher(nats: NatsServer, name: str = "gw-1") -> AsyncIterator[DemandPublisher]:
    """A gateway that only demands instruments."""
    client = await nats.connect("gateway")
    gateway = DemandPublisher(client, name)
    repeating = asyncio.create_task(gateway.repeat())
    try:
        yield gateway
    finally:
        await stop([repeating])
        await client.close()


@pytest.fixture
async def listener(nats: NatsServer) -> AsyncIterator[Listener]:
    """Receives everything on ``md.>``."""
    async with listening(nats) as running_listener:
        yield running_listener


@pytest.fixture
def watchlist(tmp_path: Path) -> Path:
    """A watchlist of a share and an index."""
    path = tmp_path / "watchlist.txt"
    path.write_text(f"{KEY}\n{OTHER_KEY}\n")
    return path
