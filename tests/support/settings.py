"""Settings of services under test, with deadlines that hold on a busy machine."""

from pathlib import Path
from typing import Final

from pydantic import SecretStr

from shared.runtime.settings import MongoSettings, NatsSettings, RuntimeSettings, UpstoxSettings
from tests.support.patience import LEASE_TTL_SECS, OUTAGE_SECS, PATIENCE_MS, PATIENCE_SECS

_PING_SECS: Final = 20
_OUTAGE_PING_SECS: Final = 2
_OUTAGE_CHECK_MS: Final = 1_000

FEW_TRADES: Final = {
    "TRADEDAD_SIMULATOR_UNIVERSE": "nifty50",
    "TRADEDAD_SIMULATOR_TRADES_PER_SEC": "0.4",
}
"""Settings of a simulator that needs little CPU time, even at many times real time."""

RUNTIME: Final = RuntimeSettings(shutdown_deadline_secs=PATIENCE_SECS, shutdown_grace_secs=0)


def nats_settings(
    url: str, *, has_outages: bool = False, lease_ttl_secs: float = LEASE_TTL_SECS
) -> NatsSettings:
    """A connection to the nats-server of a test.

    With `has_outages`, for a test that kills, freezes or cuts off the server: a frozen one is
    noticed after two pings, and a request that is lost fails soon.
    """
    return NatsSettings(
        url=url,
        connect_timeout_secs=round(OUTAGE_SECS if has_outages else PATIENCE_SECS),
        request_timeout_secs=OUTAGE_SECS if has_outages else PATIENCE_SECS,
        ping_interval_secs=_OUTAGE_PING_SECS if has_outages else _PING_SECS,
        lease_ttl_secs=lease_ttl_secs,
    )


def mongo_settings(url: str, database: str, *, has_outages: bool = False) -> MongoSettings:
    """A connection to a mongod of a test.

    With `has_outages`, for a test in which operations fail because there is no mongod: each of
    them takes the whole deadline, and a frozen mongod is noticed within seconds.
    """
    return MongoSettings(
        url=SecretStr(url),
        database=database,
        timeout_ms=int(OUTAGE_SECS * 1_000) if has_outages else PATIENCE_MS,
        connect_timeout_ms=_OUTAGE_CHECK_MS if has_outages else PATIENCE_MS,
    )


def upstox_settings(
    api_url: str, access_token: str, token_file: Path | None = None
) -> UpstoxSettings:
    """The simulated Upstox of a test."""
    return UpstoxSettings(
        api_url=api_url,
        access_token=SecretStr(access_token),
        token_file=token_file,
        timeout_secs=round(PATIENCE_SECS),
    )


def process_environment(
    *, has_outages: bool = False, lease_ttl_secs: float = LEASE_TTL_SECS
) -> dict[str, str]:
    """The same for a service in a process of its own."""
    nats = nats_settings("nats://unused", has_outages=has_outages, lease_ttl_secs=lease_ttl_secs)
    mongo = mongo_settings("mongodb://unused", "unused", has_outages=has_outages)
    return {
        "TRADEDAD_LOG_FORMAT": "json",
        "TRADEDAD_RUNTIME_SHUTDOWN_DEADLINE_SECS": f"{RUNTIME.shutdown_deadline_secs:g}",
        "TRADEDAD_RUNTIME_SHUTDOWN_GRACE_SECS": f"{RUNTIME.shutdown_grace_secs:g}",
        "TRADEDAD_NATS_CONNECT_TIMEOUT_SECS": str(nats.connect_timeout_secs),
        "TRADEDAD_NATS_REQUEST_TIMEOUT_SECS": f"{nats.request_timeout_secs:g}",
        "TRADEDAD_NATS_PING_INTERVAL_SECS": str(nats.ping_interval_secs),
        "TRADEDAD_NATS_LEASE_TTL_SECS": f"{nats.lease_ttl_secs:g}",
        "TRADEDAD_MONGO_TIMEOUT_MS": str(mongo.timeout_ms),
        "TRADEDAD_MONGO_CONNECT_TIMEOUT_MS": str(mongo.connect_timeout_ms),
        "TRADEDAD_UPSTOX_TIMEOUT_SECS": str(round(PATIENCE_SECS)),
    }
