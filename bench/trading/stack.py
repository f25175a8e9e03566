"""The processes that the benchmark of orders measures: gateway, trading and the simulator."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Final

import psutil

from bench.trading.market import BenchMarket, moving_market
from embedded.ports import HOST, free_ports
from services.simulator.settings import SIMULATED_TOKEN
from tests.support.issuer import TokenIssuer, serve_issuer
from tests.support.processes import ServiceProcess, service_process
from tests.support.servers import PASSWORD, run_mongo, run_nats

_UNLIMITED: Final = "1000000000"
# The limits of one user are no part of what is measured.
_TRADING_LIMITS: Final = {
    "OPENING_CASH_RUPEES": "1000000000",
    "PAPER_LATENCY_MS": "0",
    "MAX_OPEN_ORDERS": "10000",
    "MAX_ORDERS_PER_SEC": "1000",
    "MAX_ORDERS_PER_DAY": "1000000",
    "MAX_DAILY_LOSS_RUPEES": _UNLIMITED,
}
_GATEWAY_LIMITS: Final = {
    "MAX_STREAMS_PER_ADDRESS": "100000",
    "ACCEPT_PER_SEC": "100000",
    "ACCEPT_PER_SEC_PER_ADDRESS": "100000",
    "REQUESTS_PER_SEC": "1000000",
    "REQUESTS_BURST": _UNLIMITED,
    "ADDRESS_REQUESTS_BURST": _UNLIMITED,
}


@dataclass(frozen=True)
class Stack:
    """Running processes of the stack, and their addresses."""

    url: str
    """Of the gateway."""
    simulator_url: str
    issuer: TokenIssuer
    market: BenchMarket
    gateway: ServiceProcess
    trading: ServiceProcess

    def cpu_secs(self) -> dict[str, float]:
        """CPU time that the measured processes have used so far."""
        return {process.name: _cpu_secs(process.pid) for process in (self.gateway, self.trading)}


def _cpu_secs(pid: int) -> float:
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


@asynccontextmanager
async def running_stack() -> AsyncIterator[Stack]:
    """nats-server, mongod, a moving market, trading, a gateway and a simulator, all ready."""
    async with AsyncExitStack() as stack:
        nats = stack.enter_context(run_nats())
        mongo = stack.enter_context(run_mongo())
        issuer = await stack.enter_async_context(serve_issuer())
        market = await stack.enter_async_context(moving_market(nats))
        port, simulator_port = free_ports(2)
        environment = {
            "TRADEDAD_NATS_URL": nats.url,
            "TRADEDAD_MONGO_URL": mongo.url,
            "TRADEDAD_LOG_LEVEL": "error",
        }
        trading = environment | {
            "TRADEDAD_TRADING_NATS_PASSWORD": PASSWORD,
            **{f"TRADEDAD_TRADING_{name}": value for name, value in _TRADING_LIMITS.items()},
        }
        gateway = environment | {
            "TRADEDAD_TOKEN_JWKS_URL": issuer.settings.jwks_url,
            "TRADEDAD_GATEWAY_NATS_PASSWORD": PASSWORD,
            "TRADEDAD_GATEWAY_PORT": str(port),
            **{f"TRADEDAD_GATEWAY_{name}": value for name, value in _GATEWAY_LIMITS.items()},
        }
        simulator = {
            "TRADEDAD_LOG_LEVEL": "error",
            "TRADEDAD_SIMULATOR_PORT": str(simulator_port),
            "TRADEDAD_SIMULATOR_RATE_LIMITS": "false",
            "TRADEDAD_SIMULATOR_OPENING_CASH_RUPEES": _UNLIMITED,
            "TRADEDAD_SIMULATOR_ACCESS_TOKEN": SIMULATED_TOKEN,
        }
        started = [
            await stack.enter_async_context(service_process(name, settings))
            for name, settings in (
                ("trading", trading), ("gateway", gateway), ("simulator", simulator),
            )
        ]  # fmt: skip
        yield Stack(
            f"http://{HOST}:{port}", f"http://{HOST}:{simulator_port}", issuer, market,
            gateway=started[1], trading=started[0],
        )  # fmt: skip
