"""All services in processes of their own, with two gateways behind nginx, and their replacement."""

import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from embedded.daemons import ROOT
from embedded.ports import HOST, free_ports
from shared.runtime.mongo import Mongo
from tests.support.nginx import nginx_before
from tests.support.pipeline_stack import PipelineStack, pipeline_stack
from tests.support.processes import ServiceProcess
from tests.support.servers import PASSWORD, MongoServer, NatsServer
from tests.support.waiting import eventually

SPEED: Final = 60.0
"""Exchange time is so much faster than the clock: a window takes five seconds."""
_MANY: Final = "100000"


@dataclass(frozen=True, slots=True)
class Handover:
    """One process was replaced by another; times are Unix seconds."""

    service: str
    stopped_at: float
    ended_at: float
    leading_at: float | None
    """When the successor had the lease; None for a gateway."""
    exchange_ms: tuple[int, int] | None = None
    """Exchange time before and after; None for a gateway."""

    @property
    def gap_secs(self) -> float:
        """How long nobody led."""
        assert self.leading_at is not None
        return self.leading_at - self.stopped_at

    def __str__(self) -> str:
        gap = "" if self.leading_at is None else f", {self.gap_secs:.2f} s without a leader"
        return f"{self.service}: {self.ended_at - self.stopped_at:.2f} s to stop{gap}"


class RollingStack:
    """Starts the services, and replaces them."""

    def __init__(self, pipeline: PipelineStack, mongo: Mongo, ports: list[int]) -> None:
        self.pipeline = pipeline
        self.mongo = mongo
        self.auth_url = ""
        self._ports = ports
        self._gateways: list[ServiceProcess] = []
        self._leaders: dict[str, ServiceProcess] = {}

    async def start(self, auth_port: int) -> None:
        """Start one process of each service, and two gateways; wait until they are ready."""
        self.auth_url = f"http://{HOST}:{auth_port}"
        first = [self.pipeline.service("auth"), *map(self._lead, ("persister", "trading"))]
        for service in first:
            service.start()
        self._leaders["ingest"] = await self.pipeline.start_ingest()
        self._gateways = [self._gateway(port) for port in self._ports]
        for gateway in self._gateways:
            gateway.start()
        for service in [*first, *self._gateways]:
            await service.wait_ready()

    def _lead(self, name: str) -> ServiceProcess:
        self._leaders[name] = self.pipeline.service(name)
        return self._leaders[name]

    def _gateway(self, port: int) -> ServiceProcess:
        return self.pipeline.service("gateway", TRADEDAD_GATEWAY_PORT=str(port))

    async def replace_gateway(self, index: int) -> Handover:
        """Stop a gateway, and start another one at its address once it has ended."""
        gateway = self._gateways[index]
        gateway.send_signal(signal.SIGTERM)
        assert await gateway.exited() == 0
        handover = _handover("gateway", gateway, None)
        successor = self._gateways[index] = self._gateway(self._ports[index])
        successor.start()
        await successor.wait_ready()
        return handover

    async def replace_leader(self, name: str) -> Handover:
        """Start a standby, then stop the leader; wait until the standby leads and is ready."""
        leader, standby = self._leaders[name], self.pipeline.service(name)
        standby.start()
        await standby.wait_ready()
        before_ms = await self.pipeline.exchange_ms()
        leader.send_signal(signal.SIGTERM)
        assert await leader.exited() == 0
        self._leaders[name] = standby
        # Until it has noticed that the leader has gone, it is ready as a standby.
        await eventually(lambda: standby.log_entries("leading"), what=f"the standby {name} leads")
        await standby.wait_ready()
        handover = _handover(name, leader, standby)
        after_ms = await self.pipeline.exchange_ms()
        return replace(handover, exchange_ms=(before_ms, after_ms))


def _handover(name: str, old: ServiceProcess, new: ServiceProcess | None) -> Handover:
    return Handover(
        service=name,
        stopped_at=_logged_at(old, "stopping"),
        ended_at=_logged_at(old, "stopped"),
        leading_at=None if new is None else _logged_at(new, "leading"),
    )


def _logged_at(process: ServiceProcess, event: str) -> float:
    entries: list[dict[str, Any]] = process.log_entries(event)
    assert entries, f"{process.name} has not logged {event!r}: {process.log()[-2000:]}"
    return datetime.fromisoformat(entries[-1]["timestamp"]).timestamp()


def nifty_50() -> list[str]:
    """The instruments that ingest always follows here."""
    lines = (ROOT / "deploy" / "watchlists" / "nifty50.txt").read_text().splitlines()
    return [line.split("#")[0].strip() for line in lines if line.split("#")[0].strip()]


@asynccontextmanager
async def rolling_stack(
    nats: NatsServer, mongo_server: MongoServer, folder: Path
) -> AsyncIterator[tuple[RollingStack, str]]:
    """A stack that is ready, and the URL of nginx. Some 500 quotes a second.

    Durations that matter to a restart are production's: leases, grace periods, timeouts.
    """
    auth_port, *gateway_ports = free_ports(3)
    auth_url = f"http://{HOST}:{auth_port}"
    environment = {
        "TRADEDAD_NATS_LEASE_TTL_SECS": "5",
        "TRADEDAD_RUNTIME_SHUTDOWN_DEADLINE_SECS": "10",
        "TRADEDAD_RUNTIME_SHUTDOWN_GRACE_SECS": "1",
        "TRADEDAD_SIMULATOR_FRAME_INTERVAL_MS": f"{100 * SPEED:g}",
        "TRADEDAD_SIMULATOR_TRADES_PER_SEC": "0.4",
        "TRADEDAD_AUTH_PORT": str(auth_port),
        "TRADEDAD_AUTH_KEYS_DIR": str(folder / "signing-keys"),
        "TRADEDAD_AUTH_CREATE_MISSING_KEY": "true",
        "TRADEDAD_AUTH_PEPPER": "pepper-of-tests-" * 4,
        "TRADEDAD_AUTH_NATS_PASSWORD": PASSWORD,
        "TRADEDAD_AUTH_BCRYPT_COST": "10",
        "TRADEDAD_AUTH_FREE_SIGNUPS": _MANY,
        "TRADEDAD_TOKEN_JWKS_URL": f"{auth_url}/.well-known/jwks.json",
        "TRADEDAD_TRADING_NATS_PASSWORD": PASSWORD,
        "TRADEDAD_TRADING_CALENDAR": "always_open",
        "TRADEDAD_TRADING_MAX_ORDERS_PER_SEC": "1000",
        "TRADEDAD_TRADING_MAX_ORDERS_PER_DAY": _MANY,
        "TRADEDAD_GATEWAY_NATS_PASSWORD": PASSWORD,
        "TRADEDAD_GATEWAY_AUTH_URL": auth_url,
        "TRADEDAD_GATEWAY_TRUSTED_PROXIES": f"{HOST}/32",
        # All clients of the test have one address.
        "TRADEDAD_GATEWAY_MAX_STREAMS_PER_ADDRESS": _MANY,
        "TRADEDAD_GATEWAY_ACCEPT_PER_SEC_PER_ADDRESS": _MANY,
        "TRADEDAD_GATEWAY_REQUESTS_PER_SEC": _MANY,
        "TRADEDAD_GATEWAY_REQUESTS_BURST": _MANY,
        "TRADEDAD_GATEWAY_ADDRESS_REQUESTS_PER_SEC": _MANY,
        "TRADEDAD_GATEWAY_ADDRESS_REQUESTS_BURST": _MANY,
    }
    async with pipeline_stack(
        nats, mongo_server.url, speed=SPEED, keys=nifty_50(), **environment
    ) as (pipeline, mongo):
        stack = RollingStack(pipeline, mongo, gateway_ports)
        await stack.start(auth_port)
        with nginx_before(gateway_ports) as url:
            yield stack, url
