"""A gateway inside a test's own event loop, which can be stopped and started again."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from services.gateway import metrics
from services.gateway.app import build
from services.gateway.settings import GatewaySettings
from shared.contracts.messages import Quote
from shared.runtime.clock import Clock
from shared.runtime.health import Readiness
from shared.runtime.settings import NatsSettings
from tests.support.gateway.endpoint import Gateway, GatewayPeers, open_peers
from tests.support.patience import PATIENCE_SECS
from tests.support.servers import PASSWORD, NatsServer
from tests.support.services import running
from tests.support.settings import RUNTIME, nats_settings
from tests.support.waiting import eventually

_PATIENT: dict[str, Any] = {
    "auth_deadline_secs": PATIENCE_SECS,
    "auth_timeout_secs": PATIENCE_SECS,
    "blocked_secs": PATIENCE_SECS,
    "heartbeat_secs": PATIENCE_SECS,
    "max_quote_age_secs": PATIENCE_SECS,
    "hook_timeout_secs": PATIENCE_SECS,
    "link_timeout_secs": PATIENCE_SECS,
    "order_timeout_secs": PATIENCE_SECS,
    "question_timeout_secs": PATIENCE_SECS,
    "runtime": RUNTIME,
    "shutdown_spread_secs": 0.0,
    "stream_heartbeat_secs": PATIENCE_SECS,
}


class InProcessGateway(Gateway):
    """Keeps its address when it is stopped and started again."""

    def __init__(self, peers: GatewayPeers, nats: NatsSettings) -> None:
        super().__init__(peers)
        self._nats = nats
        self._exit_stack = AsyncExitStack()
        self.readiness = Readiness("gateway")

    async def start(
        self, *, wait: bool = True, clock: Clock | None = None, **settings: Any
    ) -> None:
        """Start the gateway and, unless `wait` is False, wait until it is ready.

        `clock` replaces the clock of the operating system.
        """
        self.readiness = Readiness("gateway")
        options: dict[str, Any] = {
            "port": self.port,
            "nats_password": PASSWORD,
            "nats": self._nats,
            "tokens": self.issuer.settings,
        }
        validated = GatewaySettings.model_validate(_PATIENT | options | settings)
        built = build(validated, self.readiness, clock)
        await self._exit_stack.enter_async_context(running(built))
        if wait:
            await self.wait_ready()

    async def wait_ready(self) -> None:
        """Wait until nothing is missing."""
        await eventually(self.readiness.is_ready, what="the gateway is ready")

    async def wait_not_ready(self) -> None:
        """Wait until something is missing."""
        await eventually(lambda: not self.readiness.is_ready(), what="the gateway is not ready")

    async def stop(self) -> None:
        """Stop the gateway as SIGTERM does."""
        await self._exit_stack.aclose()


@asynccontextmanager
async def running_gateway(
    nats: NatsServer,
    *,
    past: Sequence[Quote] = (),
    bus: NatsSettings | None = None,
    **settings: Any,
) -> AsyncIterator[InProcessGateway]:
    """A gateway that is ready, with patient settings.

    `past` holds quotes that were published before it started, `bus` its own connection to NATS
    if that is not a patient one. Other settings are named as in `GatewaySettings`.
    """
    async with open_peers(nats, past) as peers:
        gateway = InProcessGateway(peers, bus or nats_settings(nats.url))
        await gateway.start(**settings)
        try:
            yield gateway
        finally:
            await gateway.stop()


def open_streams() -> float:
    """How many streams the gateways of this process have open."""
    (metric,) = metrics.STREAMS.collect()
    return metric.samples[0].value


async def wait_for_open_streams(count: float) -> None:
    """Wait until the gateways of this process have this many streams."""
    await eventually(lambda: open_streams() == count, what=f"{count:g} open streams")
