"""Keeps one connection subscribed to what is wanted, and tells what is not live."""

import asyncio
from collections.abc import Iterable
from typing import Final

from services.ingest import metrics
from services.ingest.demand.interest import Interest
from services.ingest.demand.limits import Mode, ModeLimits
from services.ingest.demand.planning import Plan, plan, requests
from services.ingest.demand.subscriptions import ConnectionSubscriptions
from services.ingest.feed.source import FeedConnection
from services.ingest.leadership.term_context import TermContext
from services.ingest.normalise.instrument_state import InstrumentState
from shared.runtime.clock import Clock

# Gateways tell of a change at once; many changes in a moment become one request.
_SETTLE_SECS: Final = 0.05
_LOOK_SECS: Final = 1.0


class Subscriber:
    """Lives as long as its connection; `news` is set when what is wanted has changed."""

    def __init__(
        self,
        context: TermContext,
        interest: Interest,
        news: asyncio.Event,
        limits: ModeLimits,
        clock: Clock,
        *,
        unknown_after_secs: float,
    ) -> None:
        self._context = context
        self._interest = interest
        self._news = news
        self._limits = limits
        self._clock = clock
        self._unknown_after_secs = unknown_after_secs
        self._subscriptions = ConnectionSubscriptions()
        self._depth: frozenset[str] = frozenset()

    @property
    def keys(self) -> list[str]:
        """What is subscribed, be it heard of or not."""
        return list(self._subscriptions.modes)

    def heard(self, instruments: Iterable[InstrumentState]) -> None:
        """The feed has told of these."""
        if self._subscriptions.heard(instrument.key for instrument in instruments):
            self._news.set()

    async def run(self, connection: FeedConnection) -> None:
        """Follow what is wanted. Raises FeedError, LeaseLost."""
        while True:
            self._news.clear()
            now = self._clock.monotonic()
            unheard = self._subscriptions.unheard(now, for_secs=self._unknown_after_secs)
            target = plan(
                self._interest,
                self._limits,
                current=self._subscriptions.modes,
                silent=frozenset(unheard[1]),
            )
            for request in requests(self._subscriptions.modes, target.modes):
                await connection.send(request)
                self._subscriptions.note(request, self._clock.monotonic())
            self._tell(target)
            await self._show_new_books()
            try:
                async with asyncio.timeout(_LOOK_SECS):
                    await self._news.wait()
            except TimeoutError:
                continue
            await asyncio.sleep(_SETTLE_SECS)

    def _tell(self, target: Plan) -> None:
        now = self._clock.monotonic()
        pending, unknown = self._subscriptions.unheard(now, for_secs=self._unknown_after_secs)
        self._context.coverage.set(pending=pending, no_capacity=target.refused, unknown=unknown)
        modes = list(self._subscriptions.modes.values())
        for mode in (Mode.FULL, Mode.FULL_D30):
            metrics.SUBSCRIPTIONS.labels(mode.value).set(modes.count(mode))

    async def _show_new_books(self) -> None:
        """Who asks for an order book gets the last one at once, be the market ever so quiet."""
        fresh = self._interest.depth - self._depth
        self._depth = self._interest.depth
        known = self._context.normaliser.instruments
        await self._context.publisher.publish_depth(known[key] for key in fresh if key in known)
