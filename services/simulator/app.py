"""Puts the simulator together."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from services.simulator.admin import Admin
from services.simulator.driver import Driver
from services.simulator.envelope import refusals
from services.simulator.exchange_clock import ExchangeClock
from services.simulator.fault_injection.calls import FaultCalls
from services.simulator.fault_injection.faults import Faults
from services.simulator.fault_injection.requests import fault_injection
from services.simulator.feed.access import FeedAccess
from services.simulator.feed.codes import OneTimeCodes
from services.simulator.feed.server import Feed
from services.simulator.gate import gate
from services.simulator.ledger import Ledger
from services.simulator.login.routes import login_routes
from services.simulator.login.scopes import scopes
from services.simulator.market.market import Market
from services.simulator.market.simulated_calendar import SimulatedCalendar
from services.simulator.market.universe import instruments_of
from services.simulator.portfolio_stream.webhook import Webhook
from services.simulator.rest.routes import market_routes
from services.simulator.settings import SimulatorSettings
from services.simulator.tokens import Tokens
from services.simulator.trading import Trading
from shared.runtime.clock import SystemClock
from shared.runtime.health import Readiness
from shared.runtime.logs import get_logger
from shared.runtime.service import Component
from shared.runtime.site import serve
from shared.web.problems import problems

log = get_logger(__name__)

# A quote call may name 500 instruments in its query.
_MAX_LINE_BYTES: Final = 1 << 15


@dataclass(frozen=True, slots=True)
class Simulator:
    """An open simulator: where it listens, and what has to run for time to pass."""

    port: int
    driver: Driver
    webhook: Webhook


@asynccontextmanager
async def open_simulator(settings: SimulatorSettings) -> AsyncIterator[Simulator]:
    """Serve the simulator; `settings.port` may be 0 for any free port.

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
    codes = OneTimeCodes(wall_clock)
    faults = Faults()
    feed = Feed(market, codes, ledger, settings, faults)
    clock = ExchangeClock(wall_clock, start_ms=start_ms, speed=settings.speed)
    driver = Driver(market, clock, feed, ledger, frame_interval_ms=interval_ms)
    driver.step(start_ms)  # the opening trades, so that the first client finds prices

    tokens = Tokens(clock, settings.access_token.get_secret_value())
    app = web.Application(
        middlewares=[
            problems,
            fault_injection(faults),
            refusals,
            gate(settings, tokens, wall_clock),
            scopes(tokens),
        ]
    )
    app.add_routes(login_routes(settings, tokens, clock, wall_clock))
    configured_token = settings.access_token.get_secret_value()
    app.add_routes(FaultCalls(faults, tokens, configured_token).routes())
    app.add_routes(market_routes(instruments, market, tokens))
    trading = Trading(
        market.states,
        market.calendar,
        lambda: market.now_ms,
        tokens,
        OneTimeCodes(wall_clock),
        settings,
    )
    trading.webhook.posts_of_next = faults.webhook_posts
    driver.on_step.append(trading.step)
    app.add_routes(trading.routes())
    app.add_routes(FeedAccess(codes, tokens, feed, settings).routes())
    app.add_routes(feed.routes())
    app.add_routes(Admin(instruments, clock, ledger, settings).routes())
    app.on_shutdown.append(feed.close_all)
    app.on_shutdown.append(trading.stream.close_all)
    async with serve(app, settings.host, settings.port, max_line_bytes=_MAX_LINE_BYTES) as port:
        log.info("simulator open", port=port, start_ms=start_ms, speed=settings.speed)
        yield Simulator(port, driver, trading.webhook)


@asynccontextmanager
async def build(
    settings: SimulatorSettings,
    readiness: Readiness,  # noqa: ARG001  (needs nothing that could be missing)
) -> AsyncIterator[Sequence[Component]]:
    """Open the simulator; yields its components."""
    async with open_simulator(settings) as simulator:
        yield [simulator.driver, simulator.webhook]
