"""The pipeline from a simulated Upstox to MongoDB, each service in a process of its own."""

import asyncio
import tempfile
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Final

import aiohttp
from yarl import URL

from embedded.ports import HOST, free_ports
from services.simulator.settings import SIMULATED_TOKEN
from shared.contracts.subjects import ALL_QUOTES
from shared.market.exchange_time import WINDOW_MS, window_start
from shared.runtime.health import Readiness
from shared.runtime.mongo import Mongo, connect_mongo
from tests.support.builders import MONDAY_10_00
from tests.support.patience import PATIENCE_SECS, TAKEOVER_TTL_SECS, TEST_TIMEOUT_SECS
from tests.support.processes import ServiceProcess
from tests.support.servers import PASSWORD, NatsServer
from tests.support.settings import mongo_settings, process_environment
from tests.support.waiting import eventually

KEYS: Final = (
    "NSE_EQ|INE002A01018", "NSE_EQ|INE467B01029", "NSE_EQ|INE040A01034", "NSE_EQ|INE009A01021",
    "NSE_EQ|INE090A01021", "NSE_INDEX|Nifty 50",
)  # fmt: skip


class PipelineStack:
    """The simulator runs; a test starts the other services. Exchange time runs `speed` times as
    fast as the clock.
    """

    def __init__(self, environment: dict[str, str], http: aiohttp.ClientSession) -> None:
        self._environment = environment
        self._http = http
        self._services: list[ServiceProcess] = []
        self.first_window = 0
        """Start of the first window that tests compare; ingest has seen the whole one before."""

    def service(self, name: str, **environment: str) -> ServiceProcess:
        """A service that is not started yet; ended with the stack."""
        service = ServiceProcess(name, self._environment | environment)
        self._services.append(service)
        return service

    async def start_ingest(self) -> ServiceProcess:
        """Start ingest, and wait until its feed is live."""
        ingest = self.service("ingest")
        ingest.start()
        await ingest.wait_ready()
        self.first_window = window_start(await self.exchange_ms()) + 2 * WINDOW_MS
        return ingest

    async def start_simulator(self) -> None:
        """Start the simulator, and wait until it answers."""
        self.service("simulator").start()
        await eventually(self._has_clock, what="the simulator answers")

    async def _has_clock(self) -> bool:
        try:
            return await self.exchange_ms() > 0
        except aiohttp.ClientError:
            return False

    async def simulator(self, call: str, **query: str) -> Any:
        """The reply of one of the simulator's own calls."""
        async with self._http.get(URL(f"/simulator/v1/{call}"), params=query) as response:
            response.raise_for_status()
            return await response.json()

    async def halt(self, target: str) -> int:
        """Halt a segment or an instrument; the exchange time of it."""
        async with self._http.post("/simulator/v1/halts", json={"target": target}) as response:
            response.raise_for_status()
            begun = await response.json()
        return int(begun["from_ms"])

    async def resume(self, target: str) -> int:
        """End a halt; an exchange time before the next trade."""
        before_ms = await self.exchange_ms()
        async with self._http.delete(URL(f"/simulator/v1/halts/{target}")) as response:
            response.raise_for_status()
        return before_ms

    async def exchange_ms(self) -> int:
        """Exchange time that the simulated market has reached; a busy machine is behind its clock."""
        clock = await self.simulator("clock")
        return int(clock["market_ms"])

    async def wait_until(self, exchange_ms: int) -> None:
        """Wait until exchange time is this."""
        async with asyncio.timeout(TEST_TIMEOUT_SECS):
            while await self.exchange_ms() < exchange_ms:
                await asyncio.sleep(0.05)

    async def trades(self, key: str) -> list[dict[str, Any]]:
        """Every trade of an instrument so far."""
        rows: list[dict[str, Any]] = await self.simulator("trades", key=key)
        return rows

    def close(self) -> None:
        """End all services, the last one first."""
        for service in reversed(self._services):
            service.close()


async def wait_for_quote(nats: NatsServer) -> None:
    """Wait until ingest publishes a quote."""
    observer = await nats.connect("observer")
    quotes = await observer.subscribe(ALL_QUOTES)
    await quotes.next_msg(timeout=PATIENCE_SECS)
    await observer.close()


@asynccontextmanager
async def pipeline_stack(
    nats: NatsServer, mongo_url: str, *, speed: float, keys: Sequence[str] = KEYS, **more: str
) -> AsyncIterator[tuple[PipelineStack, Mongo]]:
    """A stack with a running simulator, and a connection to its database.

    `more` holds variables of all its services.
    """
    (port,) = free_ports(1)
    url = f"http://{HOST}:{port}"
    database = f"pipeline_{uuid.uuid4().hex[:12]}"
    async with AsyncExitStack() as exit_stack:
        folder = Path(exit_stack.enter_context(tempfile.TemporaryDirectory()))
        (folder / "watchlist.txt").write_text("\n".join(keys))
        environment = process_environment(has_outages=True, lease_ttl_secs=TAKEOVER_TTL_SECS) | {
            "TRADEDAD_NATS_URL": nats.url,
            "TRADEDAD_MONGO_URL": mongo_url,
            "TRADEDAD_MONGO_DATABASE": database,
            "TRADEDAD_INGEST_NATS_PASSWORD": PASSWORD,
            "TRADEDAD_INGEST_WATCHLIST_FILE": str(folder / "watchlist.txt"),
            "TRADEDAD_INGEST_MAX_AHEAD_SECS": "1e9",
            "TRADEDAD_INGEST_FEED_PING_SECS": f"{PATIENCE_SECS:g}",
            "TRADEDAD_PERSISTER_NATS_PASSWORD": PASSWORD,
            "TRADEDAD_PERSISTER_REPAIR": "false",
            "TRADEDAD_PERSISTER_MASTER_URL": f"{url}/market-quote/instruments/exchange/NSE.json.gz",
            "TRADEDAD_SIMULATOR_PORT": str(port),
            "TRADEDAD_SIMULATOR_SPEED": str(speed),
            "TRADEDAD_SIMULATOR_START_MS": str(MONDAY_10_00),
            # Not a divisor of a minute, so that a frame hides trades on both sides of a window's
            # end. Few trades and frames, so that a busy machine keeps up.
            "TRADEDAD_SIMULATOR_TRADES_PER_SEC": "1",
            "TRADEDAD_SIMULATOR_FRAME_INTERVAL_MS": "1400",
            "TRADEDAD_SIMULATOR_CLIENT_QUEUE_FRAMES": "10000",
            "TRADEDAD_SIMULATOR_SEND_TIMEOUT_SECS": f"{PATIENCE_SECS:g}",
            "TRADEDAD_UPSTOX_API_URL": url,
            "TRADEDAD_UPSTOX_ACCESS_TOKEN": SIMULATED_TOKEN,
            **more,
        }
        headers = {"Authorization": f"Bearer {SIMULATED_TOKEN}"}
        http = await exit_stack.enter_async_context(aiohttp.ClientSession(url, headers=headers))
        stack = PipelineStack(environment, http)
        exit_stack.push_async_callback(asyncio.to_thread, stack.close)
        await stack.start_simulator()
        settings = mongo_settings(mongo_url, database)
        mongo = await exit_stack.enter_async_context(connect_mongo(settings, Readiness("test")))
        yield stack, mongo
