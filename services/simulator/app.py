"""Composes the simulator from its parts."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from services.simulator.access.one_time_codes import OneTimeCodes
from services.simulator.access.tokens import TokenStore
from services.simulator.api.admin.faults import FaultAdminRoutes
from services.simulator.api.admin.halts import HaltRoutes
from services.simulator.api.admin.market import MarketAdminRoutes
from services.simulator.api.login.routes import login_routes
from services.simulator.api.market_data.routes import market_data_routes
from services.simulator.api.middleware.call_limits import call_limits
from services.simulator.api.middleware.error_answers import error_answers
from services.simulator.api.middleware.request_faults import request_faults
from services.simulator.api.middleware.token_scopes import token_scopes
from services.simulator.brokerage import Brokerage
from services.simulator.callbacks.webhook import Webhook
from services.simulator.fault_injection.faults import Faults
from services.simulator.market.market import Market
from services.simulator.market.simulated_calendar import SimulatedCalendar
from services.simulator.market.universe import instruments_of
from services.simulator.settings import SimulatorSettings
from services.simulator.simulation.exchange_clock import ExchangeClock
from services.simulator.simulation.ledger import Ledger
from services.simulator.simulation.loop import SimulationLoop
from services.simulator.sockets.feed_authorization import FeedAuthorizationRoutes
from services.simulator.sockets.feed_server import FeedServer
from shared.runtime.clock import Clock, SystemClock
from shared.runtime.health import Readiness
from shared.runtime.logs import get_logger
from shared.runtime.service import Component
from shared.runtime.site import serve
from shared.web.problems import problems

log = get_logger(__name__)

# A quote call may have 500 instrument keys in its query.
_MAX_LINE_BYTES: Final = 1 << 15
_STREAM_CODE_LIFETIME_SECS: Final = 60.0
_STREAM_CODE_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class Simulator:
    """A simulator that listens on `port`; the two components must run."""

    port: int
    simulation_loop: SimulationLoop
    webhook: Webhook


@asynccontextmanager
async def open_simulator(settings: SimulatorSettings) -> AsyncIterator[Simulator]:
    """Serve the simulator; port 0 in the settings means any free port.

    Raises ConfigError if the port is taken.
    """
    wall_clock = SystemClock()
    interval_ms = settings.frame_interval_ms
    start_ms = wall_clock.now_ms() if settings.start_ms is None else settings.start_ms
    start_ms -= start_ms % interval_ms
    instruments = instruments_of(settings.universe, synthetic=settings.synthetic, start_ms=start_ms)
    market = Market(
        instruments,
        seed=settings.seed,
        start_ms=start_ms,
        trades_per_sec=settings.trades_per_sec,
        calendar=SimulatedCalendar(always_open=settings.calendar == "always_open"),
    )
    ledger = Ledger(market.states, max_rows=settings.ledger_max_rows)
    faults = Faults()
    feed_codes = _stream_codes(wall_clock)
    feed = FeedServer(market, feed_codes, ledger, settings, faults)
    clock = ExchangeClock(wall_clock, start_ms=start_ms, speed=settings.speed)
    loop = SimulationLoop(market, clock, ledger, feed.publish, frame_interval_ms=interval_ms)
    loop.step(start_ms)  # the opening trades, so that every instrument has a price

    tokens = TokenStore(clock, settings.access_token.get_secret_value())
    brokerage = Brokerage(
        market.states,
        market.calendar,
        lambda: market.now_ms,
        tokens,
        _stream_codes(wall_clock),
        settings,
        faults,
    )
    loop.on_step.append(brokerage.step)
    app = web.Application(
        middlewares=[
            problems,
            request_faults(faults, tokens),
            error_answers,
            call_limits(settings, tokens, wall_clock),
            token_scopes(tokens),
        ]
    )
    app.add_routes(login_routes(settings, tokens, clock, wall_clock))
    app.add_routes(FaultAdminRoutes(faults, tokens).routes())
    app.add_routes(market_data_routes(instruments, market, tokens))
    app.add_routes(brokerage.routes())
    app.add_routes(FeedAuthorizationRoutes(feed_codes, tokens, feed, settings).routes())
    app.add_routes(feed.routes())
    app.add_routes(HaltRoutes(market).routes())
    app.add_routes(MarketAdminRoutes(instruments, market, clock, ledger, settings).routes())
    app.on_shutdown.append(feed.close_all)
    app.on_shutdown.append(brokerage.portfolio_server.close_all)
    async with serve(
        app,
        settings.host,
        settings.port,
        max_line_bytes=_MAX_LINE_BYTES,
        settings=("TRADEDAD_SIMULATOR_HOST", "TRADEDAD_SIMULATOR_PORT"),
    ) as port:
        log.info("simulator listening", port=port, start_ms=start_ms, speed=settings.speed)
        yield Simulator(port, loop, brokerage.webhook)


@asynccontextmanager
async def build(
    settings: SimulatorSettings,
    readiness: Readiness,  # noqa: ARG001  (the simulator depends on no other server)
) -> AsyncIterator[Sequence[Component]]:
    """Open the simulator; yields its components."""
    async with open_simulator(settings) as simulator:
        yield [simulator.simulation_loop, simulator.webhook]


def _stream_codes(wall_clock: Clock) -> OneTimeCodes[str]:
    return OneTimeCodes(
        wall_clock, lifetime_secs=_STREAM_CODE_LIFETIME_SECS, code_bytes=_STREAM_CODE_BYTES
    )
