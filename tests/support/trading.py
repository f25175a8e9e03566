"""Trading services of tests: inside the event loop of a test, and as processes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import aiohttp

from services.trading.app import MakeWork, build, partition_work
from services.trading.settings import TradingSettings
from shared.runtime.health import Readiness
from shared.runtime.settings import MongoSettings
from tests.support.patience import LEASE_TTL_SECS, PATIENCE_SECS
from tests.support.processes import ServiceProcess
from tests.support.servers import PASSWORD, NatsServer
from tests.support.services import running
from tests.support.settings import RUNTIME, nats_settings, process_environment

SNAPSHOT_ENTRIES: Final = 20
"""So few that tests of takeovers read stored accounts as well as later entries."""

SILENCE_SECS: Final = 86_400.0
"""Tests send a clock tick only when the market moves."""


def trading_settings(
    nats: NatsServer,
    mongo: MongoSettings,
    *,
    lease_ttl_secs: float = LEASE_TTL_SECS,
    **options: Any,
) -> TradingSettings:
    """The settings of a trading service inside the event loop of a test."""
    return TradingSettings.model_validate(
        {
            "ops_port": 0,
            "nats_password": PASSWORD,
            "nats": nats_settings(nats.url, lease_ttl_secs=lease_ttl_secs),
            "mongo": mongo,
            "runtime": RUNTIME,
            "snapshot_entries": SNAPSHOT_ENTRIES,
            "feed_silence_secs": SILENCE_SECS,
            "instruments_timeout_secs": PATIENCE_SECS,
            **options,
        }
    )


@asynccontextmanager
async def trading(
    nats: NatsServer,
    mongo: MongoSettings,
    *,
    make_work: MakeWork = partition_work,
    **options: Any,
) -> AsyncIterator[Readiness]:
    """A trading service that is starting."""
    readiness = Readiness("trading")
    async with running(build(trading_settings(nats, mongo, **options), readiness, make_work)):
        yield readiness


def trading_environment(
    nats: NatsServer,
    mongo: MongoSettings,
    *,
    has_outages: bool = False,
    lease_ttl_secs: float = LEASE_TTL_SECS,
) -> dict[str, str]:
    """The environment of a trading service in a process of its own."""
    return process_environment(has_outages=has_outages, lease_ttl_secs=lease_ttl_secs) | {
        "TRADEDAD_NATS_URL": nats.url,
        "TRADEDAD_MONGO_URL": mongo.url.get_secret_value(),
        "TRADEDAD_MONGO_DATABASE": mongo.database,
        "TRADEDAD_TRADING_NATS_PASSWORD": PASSWORD,
        "TRADEDAD_TRADING_SNAPSHOT_ENTRIES": str(SNAPSHOT_ENTRIES),
        "TRADEDAD_TRADING_FEED_SILENCE_SECS": str(SILENCE_SECS),
        "TRADEDAD_TRADING_INSTRUMENTS_TIMEOUT_SECS": f"{PATIENCE_SECS:g}",
    }


async def owns_partition(process: ServiceProcess, partition: int = 0) -> bool:
    """Whether the process holds the lease of the partition, by its metrics."""
    timeout = aiohttp.ClientTimeout(total=PATIENCE_SECS)
    async with (
        aiohttp.ClientSession(timeout=timeout) as http,
        http.get(f"{process.ops_url}/metrics") as response,
    ):
        return f'tradedad_leading{{lease="trading.{partition}"}} 1.0' in await response.text()
