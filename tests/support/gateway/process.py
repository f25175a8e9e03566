"""A gateway in a process of its own, which can be killed, stopped and replaced."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

from shared.contracts.messages import Quote
from tests.support.gateway.endpoint import Gateway, GatewayPeers, open_peers
from tests.support.patience import PATIENCE_SECS
from tests.support.processes import ServiceProcess
from tests.support.servers import PASSWORD, NatsServer

_PATIENT = {
    "AUTH_DEADLINE_SECS": f"{PATIENCE_SECS:g}",
    "BLOCKED_SECS": f"{PATIENCE_SECS:g}",
    "HEARTBEAT_SECS": f"{PATIENCE_SECS:g}",
    "MAX_QUOTE_AGE_SECS": f"{PATIENCE_SECS:g}",
    "SHUTDOWN_SPREAD_SECS": "0",
    "STREAM_HEARTBEAT_SECS": f"{PATIENCE_SECS:g}",
}


class GatewayProcess(Gateway):
    """A gateway at an address that its successor keeps."""

    def __init__(self, peers: GatewayPeers, nats: NatsServer, settings: Mapping[str, str]) -> None:
        super().__init__(peers)
        environment = _environment(settings) | {
            "TRADEDAD_NATS_URL": nats.url,
            "TRADEDAD_TOKEN_JWKS_URL": self.issuer.settings.jwks_url,
            "TRADEDAD_GATEWAY_PORT": str(self.port),
            "TRADEDAD_GATEWAY_NATS_PASSWORD": PASSWORD,
        }
        self.process = ServiceProcess("gateway", environment)

    async def start(self) -> None:
        """Start the process, and wait until it is ready."""
        self.process.start()
        await self.process.wait_ready()

    async def replace(self, **settings: str) -> None:
        """Kill the process, and start another one at the same address, with other settings."""
        self.process.kill()
        self.process.environment |= _environment(settings)
        await self.start()

    async def metric(self, name: str) -> float:
        """The value of a metric without labels."""
        async with self.http.get(f"{self.process.ops_url}/metrics") as response:
            lines = (await response.text()).splitlines()
        (value,) = (line.split()[1] for line in lines if line.startswith(f"{name} "))
        return float(value)


def _environment(settings: Mapping[str, str]) -> dict[str, str]:
    return {f"TRADEDAD_GATEWAY_{name}": value for name, value in settings.items()}


@asynccontextmanager
async def gateway_process(
    nats: NatsServer, *, past: Sequence[Quote] = (), **settings: str
) -> AsyncIterator[GatewayProcess]:
    """A gateway that is ready, with patient settings.

    `past` holds quotes that were published before it started. `settings` are named as in the
    environment, without the prefix ``TRADEDAD_GATEWAY_``.
    """
    async with open_peers(nats, past) as peers:
        gateway = GatewayProcess(peers, nats, _PATIENT | settings)
        try:
            await gateway.start()
            yield gateway
        finally:
            await asyncio.to_thread(gateway.process.close)
