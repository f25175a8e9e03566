"""Puts the simulator together."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import web

from services.simulator.admin import Admin
from services.simulator.driver import Driver
from services.simulator.envelope import refusals
from services.simulator.exchange_clock import ExchangeClock
from services.simulator.feed.access import FeedAccess
from services.simulator.feed.codes import OneTimeCodes
from services.simulator.feed.server import Feed
from services.simulator.ledger import Ledger
from services.simulator.market.instruments import INSTRUMENTS
from services.simulator.market.market import Market
from services.simulator.settings import SimulatorSettings
from services.simulator.tokens import Tokens
from shared.clock import SystemClock
from shared.health import Readiness, serve
from shared.logs import get_logger
from shared.problems import problems
from shared.runtime import Part

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Simulator:
    """An open simulator: where it listens, and what has to run for time to pass."""

    port: int
    driver: Driver


@asynccontextmanager
async def open_simulator(settings: SimulatorSettings) -> AsyncIterator[Simulator]:
    """Serve the simulator; `settings.port` may be 0 for any free port.

    Raises ConfigError if the port is taken.
    """
    wall_clock = SystemClock()
    interval_ms = settings.frame_interval_ms
    start_ms = wall_clock.now_ms() if settings.start_ms is None else settings.start_ms
    start_ms -= start_ms % interval_ms
    market = Market(
        INSTRUMENTS,
        seed=settings.seed,
        start_ms=start_ms,
        trades_per_sec=settings.trades_per_sec,
    )
    ledger = Ledger(market.states, max_rows=settings.ledger_max_rows)
    codes = OneTimeCodes(wall_clock)
    feed = Feed(market, codes, ledger, settings)
    clock = ExchangeClock(wall_clock, start_ms=start_ms, speed=settings.speed)
    driver = Driver(market, clock, feed, ledger, frame_interval_ms=interval_ms)
    driver.step(start_ms)  # the opening trades, so that the first client finds prices

    tokens = Tokens(clock, settings.access_token.get_secret_value())
    app = web.Application(middlewares=[problems, refusals])
    app.add_routes(FeedAccess(codes, tokens).routes())
    app.add_routes(feed.routes())
    app.add_routes(Admin(INSTRUMENTS, clock, ledger, settings).routes())
    app.on_shutdown.append(feed.close_all)
    async with serve(app, settings.host, settings.port) as port:
        log.info("simulator open", port=port, start_ms=start_ms, speed=settings.speed)
        yield Simulator(port, driver)


@asynccontextmanager
async def build(
    settings: SimulatorSettings,
    readiness: Readiness,  # noqa: ARG001  (needs nothing that could be missing)
) -> AsyncIterator[Sequence[Part]]:
    """Open the simulator; yields its parts."""
    async with open_simulator(settings) as simulator:
        yield [simulator.driver]
