"""Keeps the subscriptions of one connection in line with the demand."""

import asyncio
from collections.abc import Collection, Iterable
from typing import Final

from services.ingest import metrics
from services.ingest.chains.chain_windows import ChainState
from services.ingest.demand.allocation import Allocation, allocate
from services.ingest.demand.connection_subscriptions import ConnectionSubscriptions
from services.ingest.demand.derived_coverage import NotLive
from services.ingest.demand.instrument_demand import InstrumentDemand
from services.ingest.demand.limits import Mode, ModeLimits, use_of
from services.ingest.demand.subscription_requests import requests_between
from services.ingest.feed.source import FeedConnection
from services.ingest.leadership.term_context import TermContext
from services.ingest.normalise.instrument_state import InstrumentState
from shared.runtime.clock import Clock
from shared.runtime.logs import get_logger

log = get_logger(__name__)

# Gateways publish each change at once. Changes within this time become one request.
_DEBOUNCE_SECS: Final = 0.05
_REVIEW_SECS: Final = 1.0
_KEYS_IN_LOG: Final = 20


class Subscriber:
    """Sends subscription requests and publishes the coverage, while its connection lasts."""

    def __init__(
        self,
        context: TermContext,
        demand: InstrumentDemand,
        changed: asyncio.Event,
        subscriptions: ConnectionSubscriptions,
        limits: ModeLimits,
        clock: Clock,
        *,
        unknown_after_secs: float,
    ) -> None:
        """`changed` is set when `demand` has changed."""
        self._context = context
        self._demand = demand
        self._changed = changed
        self._subscriptions = subscriptions
        self._limits = limits
        self._clock = clock
        self._unknown_after_secs = unknown_after_secs
        self._unknown_watchlist: list[str] = []
        self._depth_keys: frozenset[str] = frozenset()
        self.deep_keys: frozenset[str] = frozenset()
        """Keys that are subscribed with 30 levels of the order book."""
        self.quoted_keys: frozenset[str] = frozenset()
        """Keys that have quotes: those of option chains come without candles, so they have none."""

    def received(self, instruments: Iterable[InstrumentState]) -> None:
        """Record that the feed has sent data of `instruments`."""
        if self._subscriptions.received(instrument.key for instrument in instruments):
            self._changed.set()

    async def run(self, connection: FeedConnection) -> None:
        """Follow the demand until cancelled. Raises FeedError, LeaseLost."""
        try:
            await self._follow(connection)
        finally:
            metrics.UNKNOWN_WATCHLIST.set(0)

    async def _follow(self, connection: FeedConnection) -> None:
        while True:
            self._changed.clear()
            _, unknown = self._without_data()
            target = allocate(
                self._demand,
                self._limits,
                current=self._subscriptions.modes,
                unknown=frozenset(unknown),
            )
            # Before any request: data of new keys may come at once, those of others may still come.
            self.quoted_keys = frozenset(
                key for key, mode in target.modes.items() if mode is not Mode.OPTION_GREEKS
            )
            await self._context.publisher.set_subscribed(self.quoted_keys)
            for request in requests_between(self._subscriptions.modes, target.modes):
                await connection.send(request)
                self._subscriptions.sent(request, self._clock.monotonic())
            for request in self._subscriptions.due_again(
                self._clock.monotonic(), unknown_after_secs=self._unknown_after_secs
            ):
                await connection.send(request)
            self.deep_keys = self._keys_in(Mode.FULL_D30)
            self._set_coverage(target)
            await self._publish_new_books()
            try:
                async with asyncio.timeout(_REVIEW_SECS):
                    await self._changed.wait()
            except TimeoutError:
                continue
            await asyncio.sleep(_DEBOUNCE_SECS)

    def _without_data(self) -> tuple[list[str], list[str]]:
        return self._subscriptions.without_data(
            self._clock.monotonic(), unknown_after_secs=self._unknown_after_secs
        )

    def _set_coverage(self, target: Allocation) -> None:
        pending, unknown = self._without_data()
        not_live = NotLive(set(pending), set(target.no_capacity), set(unknown))
        self._report_watchlist(not_live.unknown)
        not_live.add_deep_books(self._demand, self._limits, self._subscriptions.modes)
        self._add_chains(not_live)
        modes = list(self._subscriptions.modes.values())
        self._context.coverage.set(
            pending=not_live.pending,
            no_capacity=not_live.no_capacity,
            unknown=not_live.unknown,
            needs_plus=not_live.needs_plus,
            modes=use_of(modes, self._limits),
        )
        for mode in (Mode.FULL, Mode.FULL_D30, Mode.OPTION_GREEKS):
            metrics.SUBSCRIBED_INSTRUMENTS.labels(mode.value).set(modes.count(mode))

    def _report_watchlist(self, unknown: Collection[str]) -> None:
        """Tell operators of keys of the watchlist without data, which are perhaps misspelt."""
        keys = [key for key in self._demand.watchlist if key in unknown]
        metrics.UNKNOWN_WATCHLIST.set(len(keys))
        if keys and keys != self._unknown_watchlist:
            log.warning(
                "Upstox sends no data for instruments of the watchlist",
                instruments=len(keys),
                first=keys[:_KEYS_IN_LOG],
            )
        self._unknown_watchlist = keys

    def _add_chains(self, not_live: NotLive) -> None:
        chains = self._context.chains
        for chain in self._demand.chains:
            match chains.state(chain):
                case ChainState.KNOWN:
                    not_live.add_chain(str(chain), chains.keys(chain))
                case ChainState.NO_CAPACITY:
                    not_live.no_capacity.add(str(chain))
                case ChainState.UNKNOWN:
                    not_live.unknown.add(str(chain))
                case ChainState.PENDING:
                    not_live.pending.add(str(chain))

    def _keys_in(self, mode: Mode) -> frozenset[str]:
        return frozenset(key for key, own in self._subscriptions.modes.items() if own is mode)

    async def _publish_new_books(self) -> None:
        """Publish the last order book of newly requested keys, without waiting for a tick."""
        added = self._demand.depth_keys - self._depth_keys
        self._depth_keys = self._demand.depth_keys
        instruments = self._context.normaliser.instruments
        await self._context.publisher.publish_depth(
            (instruments[key] for key in added if key in instruments), self.deep_keys
        )
