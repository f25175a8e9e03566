"""A simulated Upstox and a trading service that is ended and started again, for many users."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Final

from services.trading.links.seal_keys import create_seal_key
from shared.bus.connection import Bus
from shared.runtime.clock import SystemClock
from shared.runtime.settings import MongoSettings
from tests.support.buses import bus_of
from tests.support.patience import TAKEOVER_TTL_SECS
from tests.support.servers import NatsServer
from tests.support.trading import trading
from tests.support.trading_client import market, trading_client
from tests.support.upstox_trading import Simulated, simulated, upstox_options
from tests.support.waiting import eventually

_CALL_SECS: Final = 1
"""The timeout of calls to Upstox, shorter than its late answers."""
_NO_LIMITS: Final = {"max_orders_per_sec": 1_000, "max_open_orders": 1_000}
_MIN_SECS, _MAX_SECS = 2.0, 8.0
"""Between two restarts."""


class Stage:
    """The simulator, the service, and the connection of a gateway."""

    def __init__(
        self,
        upstox: Simulated,
        nats: NatsServer,
        mongo: MongoSettings,
        options: dict[str, Any],
    ) -> None:
        self.upstox = upstox
        self.restarts = 0
        self._nats = nats
        self._mongo = mongo
        self._options = options
        self._service = AsyncExitStack()
        self._restarting = asyncio.Lock()

    async def start(self) -> None:
        """Start the service."""
        running = trading(self._nats, self._mongo, **self._options)
        readiness = await self._service.enter_async_context(running)
        await eventually(readiness.is_ready, what="the service is ready")

    async def end(self) -> None:
        """End the service, whatever it does at this moment: the answers of commands are lost."""
        await self._service.aclose()

    async def restart(self, restarts: int) -> None:
        """End the service and start it again, if this is the number of restarts until now."""
        async with self._restarting:
            if self.restarts == restarts:
                await self.end()
                await self.start()
                self.restarts += 1

    async def restart_until(self, ending: asyncio.Event, chance: random.Random) -> None:
        """End and start the service at random moments until the event."""
        while not ending.is_set():
            try:
                async with asyncio.timeout(chance.uniform(_MIN_SECS, _MAX_SECS)):
                    await ending.wait()
            except TimeoutError:
                await self.restart(self.restarts)

    async def calm(self, longest_delay_secs: float) -> None:
        """Disarm all faults, and wait until none has an effect any more."""
        await self.upstox.disarm()
        until_ms = await self._time_ms("now_ms") + longest_delay_secs * 1_000

        async def is_over() -> bool:
            return await self._time_ms("market_ms") > until_ms

        await eventually(is_over, what="the effects of faults are over")

    async def _time_ms(self, name: str) -> int:
        """Exchange time of the simulator's clock, or of the market, which may be behind it."""
        time_ms: int = (await self.upstox.get("clock"))[name]
        return time_ms


@asynccontextmanager
async def stage(
    nats: NatsServer, mongo: MongoSettings, keys_dir: Path
) -> AsyncIterator[tuple[Stage, Bus]]:
    """A stage with a running service, and the connection of a gateway."""
    await asyncio.to_thread(create_seal_key, keys_dir, SystemClock())
    async with AsyncExitStack() as stack:
        upstox = await stack.enter_async_context(simulated())
        await stack.enter_async_context(market(nats))
        options = upstox_options(upstox.url, keys_dir, timeout_secs=_CALL_SECS) | _NO_LIMITS
        options["lease_ttl_secs"] = TAKEOVER_TTL_SECS
        made = Stage(upstox, nats, mongo, options)
        await made.start()
        stack.push_async_callback(made.end)
        await stack.enter_async_context(trading_client(nats))  # waits until it is served
        yield made, await stack.enter_async_context(bus_of(nats, "gateway"))
