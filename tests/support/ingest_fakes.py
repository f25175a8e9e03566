"""Fakes for unit tests of ingest: NATS, a market-data feed, and the objects of a term."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

from nats.errors import OutboundBufferLimitError

from services.ingest.bus.coverage_publisher import CoveragePublisher
from services.ingest.bus.quote_publisher import QuotePublisher
from services.ingest.bus.status_publisher import StatusPublisher
from services.ingest.chains.chain_windows import ChainWindows
from services.ingest.demand.connection_subscriptions import ConnectionSubscriptions
from services.ingest.demand.instrument_demand import InstrumentDemand
from services.ingest.demand.limits import Mode
from services.ingest.demand.subscription_requests import Method, SubscriptionRequest
from services.ingest.feed.source import FeedConnection, Frame
from services.ingest.leadership.subscribed_market import SubscribedMarket
from services.ingest.leadership.term_context import TermContext
from services.ingest.market.exchange_clock import ExchangeClock
from services.ingest.market.feed_flow import FeedFlow
from services.ingest.market.market_hours import MarketHours
from services.ingest.market.watchdog import Watchdog
from services.ingest.normalise.normaliser import Normaliser
from shared.bus.lease import Term
from shared.market.exchange_calendar import Calendar
from shared.runtime.clock import Clock
from shared.runtime.health import Readiness

EPOCH = 9


class FakeBus:
    """A bus and its client that record the published messages; `is_up` and `breaks` are faults."""

    def __init__(self) -> None:
        self.client = self
        self.messages: list[tuple[str, bytes]] = []
        self.is_up = True
        self.breaks = False
        """Publishing fails although the connection seems to be up."""
        self.breaks_for: str | None = None
        """A batch with this subject fails."""

    @property
    def can_publish(self) -> bool:
        return self.is_up

    async def publish(self, subject: str, data: bytes) -> None:
        await self.publish_batch([(subject.encode(), data)])

    async def publish_batch(self, messages: Iterable[tuple[bytes, bytes]]) -> None:
        batch = [(subject.decode(), data) for subject, data in messages]
        if self.breaks or not self.is_up or any(to == self.breaks_for for to, _ in batch):
            raise OutboundBufferLimitError
        self.messages += batch

    def of(self, subject: str) -> list[bytes]:
        return [data for published, data in self.messages if published == subject]

    @property
    def subjects(self) -> list[str]:
        return [subject for subject, _ in self.messages]


class FakeConnection:
    """A connection whose frames a test adds; an exception among them ends it."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[Frame | Exception] = asyncio.Queue()
        self.sent: list[SubscriptionRequest] = []

    async def frames(self) -> AsyncIterator[Frame]:
        while True:
            frame = await self.queue.get()
            if isinstance(frame, Exception):
                raise frame
            yield frame

    async def send(self, request: SubscriptionRequest) -> None:
        self.sent.append(request)


class FakeFeed:
    """A feed that accepts every token except those in `refusals`, for which it raises the error."""

    def __init__(self) -> None:
        self.connection = FakeConnection()
        self.tokens: list[str] = []
        """The tokens of all connections, in order."""
        self.refusals: dict[str, Exception] = {}

    @asynccontextmanager
    async def connect(self, access_token: str) -> AsyncIterator[FeedConnection]:
        self.tokens.append(access_token)
        await self.check_token(access_token)
        yield self.connection

    async def check_token(self, access_token: str) -> None:
        if access_token in self.refusals:
            raise self.refusals[access_token]


class ChangingToken:
    """A token source whose token a test changes."""

    def __init__(self, token: str | None) -> None:
        self.token = token

    async def read(self) -> str | None:
        return self.token


class IngestTerm:
    """A term of leadership with a fake bus; call it within a running loop."""

    def __init__(self, clock: Clock, *watchlist: str) -> None:
        self.clock = clock
        self.bus = FakeBus()
        self.readiness = Readiness("ingest")
        self.term = Term(EPOCH, clock, float("inf"))
        self.demand = InstrumentDemand(watchlist, linger_secs=30.0)
        self.exchange_clock = ExchangeClock()
        bus: Any = self.bus
        self.context = TermContext(
            normaliser=Normaliser(EPOCH),
            exchange_clock=self.exchange_clock,
            publisher=QuotePublisher(
                bus, bus, self.term, self.exchange_clock, clock_every_quotes=200
            ),
            status=StatusPublisher(
                bus, self.term, self.exchange_clock, self.readiness, clock, simulated=True
            ),
            coverage=CoveragePublisher(bus, self.term, self.demand),
            watchdog=Watchdog(15.0),
            flow=FeedFlow(Calendar(), clock.monotonic()),
            chains=ChainWindows(),
        )
        self.hours = MarketHours(Calendar())
        self.subscriptions = ConnectionSubscriptions()
        self.market = SubscribedMarket(self.subscriptions, self.hours, self.exchange_clock, clock)

    def subscribe(self, *keys: str) -> None:
        """Record a subscription of `keys`, as if it had been sent."""
        request = SubscriptionRequest(Method.SUBSCRIBE, keys, Mode.FULL)
        self.subscriptions.sent(request, self.clock.monotonic())

    def set_market(self, status: str) -> None:
        """Set the market status of the cash segment and the indices."""
        self.hours.update({"NSE_EQ": status, "NSE_INDEX": status})
