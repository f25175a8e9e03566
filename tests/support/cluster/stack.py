"""All services on clusters of three, as on Kubernetes: two of each that can have a standby."""

import asyncio
import secrets
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import aiohttp

from embedded.daemons import ROOT
from embedded.ports import HOST, free_ports
from operations.deployments import DATABASE
from services.simulator.settings import SIMULATED_TOKEN
from services.trading.links.seal_keys import create_seal_key
from shared.market.exchange_time import WINDOW_MS, window_start
from shared.runtime.clock import SystemClock
from shared.runtime.health import Readiness
from shared.runtime.mongo import Mongo, connect_mongo
from shared.runtime.settings import MongoSettings, NatsSettings, own_variables
from tests.support.builders import MONDAY_10_00
from tests.support.cluster.guarded_replica_set import GuardedReplicaSet, run_guarded_replica_set
from tests.support.cluster.nats_cluster import NatsCluster, run_nats_cluster
from tests.support.pipeline_stack import KEYS, PipelineStack
from tests.support.processes import ServiceProcess
from tests.support.servers import PASSWORD
from tests.support.settings import mongo_settings

STREAMS: Final = ("TICKS", "KV_leases", "KV_revocations")
SPEED: Final = 30
"""Exchange time passes so much faster than time: a window of five minutes takes ten seconds."""
PARTITIONS: Final = 2
_REPLICATED: Final = ("ingest", "persister", "trading", "gateway")
_COUNTED: Final = ("auth", *_REPLICATED)
_KUBERNETES: Final = ROOT / "deploy" / "k8s" / "base" / "settings.env"
_NATS_PREFIX: Final = "TRADEDAD_NATS_"


@dataclass(frozen=True)
class ClusterStack:
    """The servers and the services, which are all ready."""

    nats: NatsCluster
    replica_set: GuardedReplicaSet
    pipeline: PipelineStack
    mongo: Mongo
    services: dict[str, ServiceProcess]
    """By name and number: `ingest-0`, `ingest-1`."""
    gateway_urls: list[str]
    simulator_url: str

    def assert_nothing_ended(self) -> None:
        """Each service is still in the process that was started."""
        ended = [name for name, service in self.services.items() if not service.is_running]
        assert ended == []

    async def wait_healthy(self) -> None:
        """Wait until both clusters are whole again and all services are ready."""
        await self.nats.wait_current(STREAMS)
        await asyncio.to_thread(self.replica_set.wait_complete)
        await asyncio.gather(*(service.wait_ready() for service in self.services.values()))


@asynccontextmanager
async def cluster_stack(nats_server: Path) -> AsyncIterator[ClusterStack]:
    """A stack on this version of nats-server."""
    simulator_port, auth_port, *gateway_ports = free_ports(4)
    urls = [f"http://{HOST}:{port}" for port in gateway_ports]
    simulator_url = f"http://{HOST}:{simulator_port}"
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        mongods = stack.enter_context(ExitStack())
        starting = asyncio.create_task(
            asyncio.to_thread(mongods.enter_context, run_guarded_replica_set())
        )
        try:
            nats = await stack.enter_async_context(run_nats_cluster(nats_server))
        finally:
            replica_set = await starting
        await asyncio.to_thread(create_seal_key, folder / "seal-keys", SystemClock())
        (folder / "watchlist.txt").write_text("\n".join(KEYS))
        environment = (
            _production_limits()
            | _addresses(nats, simulator_url, auth_port, urls[0])
            | _simulation(simulator_port, urls)
            | _files(folder)
        )
        http = await stack.enter_async_context(
            aiohttp.ClientSession(
                simulator_url, headers={"Authorization": f"Bearer {SIMULATED_TOKEN}"}
            )
        )
        pipeline = PipelineStack(environment, http)
        stack.push_async_callback(asyncio.to_thread, pipeline.close)
        await pipeline.start_simulator()
        services = _start(pipeline, replica_set, gateway_ports)
        await asyncio.gather(*(service.wait_ready() for service in services.values()))
        pipeline.first_window = window_start(await pipeline.exchange_ms()) + 2 * WINDOW_MS
        settings = mongo_settings(replica_set.url, DATABASE)
        mongo = await stack.enter_async_context(connect_mongo(settings, Readiness("test")))
        yield ClusterStack(nats, replica_set, pipeline, mongo, services, urls, simulator_url)


def _start(
    pipeline: PipelineStack, replica_set: GuardedReplicaSet, gateway_ports: list[int]
) -> dict[str, ServiceProcess]:
    services = {}
    for name in _COUNTED:
        for number in range(2 if name in _REPLICATED else 1):
            own = {} if name in ("gateway", "ingest") else {
                "TRADEDAD_MONGO_URL": replica_set.url_of(name)
            }  # fmt: skip
            if name == "gateway":
                own["TRADEDAD_GATEWAY_PORT"] = str(gateway_ports[number])
            services[f"{name}-{number}"] = service = pipeline.service(name, **own)
            service.start()
    return services


def _production_limits() -> dict[str, str]:
    """Timeouts and intervals as in production, in place of the patient ones of other tests."""
    limits = {
        name: str(value)
        for group in (NatsSettings, MongoSettings)
        for name, value in own_variables(group).items()
        if isinstance(value, int | float)
    }
    lines = (line.partition("=") for line in _KUBERNETES.read_text().splitlines())
    kubernetes = {
        name: value
        for name, _, value in lines
        if name.startswith(_NATS_PREFIX) and not name.endswith(("_URL", "_CA_FILE"))
    }
    return limits | kubernetes


def _addresses(
    nats: NatsCluster, simulator_url: str, auth_port: int, gateway_url: str
) -> dict[str, str]:
    auth_url = f"http://{HOST}:{auth_port}"
    return {
        "TRADEDAD_NATS_URL": nats.url,
        "TRADEDAD_MONGO_DATABASE": DATABASE,
        "TRADEDAD_UPSTOX_API_URL": simulator_url,
        "TRADEDAD_UPSTOX_ACCESS_TOKEN": SIMULATED_TOKEN,
        "TRADEDAD_UPSTOX_TIMEOUT_SECS": "5",
        "TRADEDAD_AUTH_PORT": str(auth_port),
        "TRADEDAD_AUTH_TRUSTED_PROXIES": f"{HOST}/32",
        "TRADEDAD_TOKEN_JWKS_URL": f"{auth_url}/.well-known/jwks.json",
        "TRADEDAD_GATEWAY_AUTH_URL": auth_url,
        "TRADEDAD_GATEWAY_TRADING_PARTITIONS": str(PARTITIONS),
        "TRADEDAD_TRADING_PARTITIONS": str(PARTITIONS),
        "TRADEDAD_TRADING_UPSTOX_REDIRECT_URL": f"{gateway_url}/v1/link/upstox/callback",
        "TRADEDAD_PERSISTER_MASTER_URL": (
            f"{simulator_url}/market-quote/instruments/exchange/NSE.json.gz"
        ),
    } | {f"TRADEDAD_{name.upper()}_NATS_PASSWORD": PASSWORD for name in _COUNTED}


def _simulation(port: int, gateway_urls: list[str]) -> dict[str, str]:
    return {
        "TRADEDAD_SIMULATOR_PORT": str(port),
        "TRADEDAD_SIMULATOR_SPEED": str(SPEED),
        "TRADEDAD_SIMULATOR_START_MS": str(MONDAY_10_00),
        "TRADEDAD_SIMULATOR_TRADES_PER_SEC": "1",
        "TRADEDAD_SIMULATOR_FRAME_INTERVAL_MS": "1400",
        "TRADEDAD_SIMULATOR_CLIENT_QUEUE_FRAMES": "10000",
        "TRADEDAD_SIMULATOR_LEDGER_MAX_ROWS": "1000000",
        "TRADEDAD_SIMULATOR_RATE_LIMITS": "false",
        "TRADEDAD_SIMULATOR_REDIRECT_URIS": f"{gateway_urls[0]}/v1/link/upstox/callback",
        "TRADEDAD_SIMULATOR_CLIENT_ID": "simulated-client",
        "TRADEDAD_SIMULATOR_CLIENT_SECRET": "simulated-secret",
        "TRADEDAD_TRADING_UPSTOX_CLIENT_ID": "simulated-client",
        "TRADEDAD_TRADING_UPSTOX_CLIENT_SECRET": "simulated-secret",
        "TRADEDAD_TRADING_LIVE_ORDERS": "true",
        "TRADEDAD_TRADING_CALENDAR": "always_open",
        "TRADEDAD_TRADING_MAX_OPEN_ORDERS": "10000",
        "TRADEDAD_INGEST_MAX_AHEAD_SECS": "1e9",
    }


def _files(folder: Path) -> dict[str, str]:
    return {
        "TRADEDAD_INGEST_WATCHLIST_FILE": str(folder / "watchlist.txt"),
        "TRADEDAD_AUTH_KEYS_DIR": str(folder / "keys"),
        "TRADEDAD_AUTH_CREATE_MISSING_KEY": "true",
        "TRADEDAD_AUTH_PEPPER": secrets.token_hex(32),
        "TRADEDAD_TRADING_KEYS_DIR": str(folder / "seal-keys"),
    }
