"""One linked account at Upstox: its books are read again and again, and its updates followed.

The stream may be silent while it is connected, so the books are read on a schedule as well.
"""

import asyncio
from collections.abc import Collection
from typing import Final

from services.trading import metrics
from services.trading.links.link import Link
from services.trading.live.facts import UpstoxFacts
from services.trading.live.lookups import Lookups
from services.trading.partition.upstox_books import UpstoxBooks
from services.trading.upstox.calls import UpstoxConnection
from shared.errors import UpstoxUnauthorised, UpstoxUnavailable
from shared.runtime.backoff import Backoff
from shared.runtime.clock import Clock
from shared.runtime.logs import get_logger
from shared.runtime.tasks import run_together

log = get_logger(__name__)

_WITH_ORDERS_SECS: Final = 15.0
_WITHOUT_ORDERS_SECS: Final = 60.0
_MISSING_TRADES_SECS: Final = 1.0
_MISSING_READINGS: Final = 10
"""More readings without a trade do not lengthen the pause."""
_SPACING_SECS: Final = 0.5
"""Least time between two readings of the books."""
_MAX_BACKOFF_SECS: Final = 30.0


class UpstoxAccount:
    """The account while its access token is valid. `calls` sends commands and reads."""

    def __init__(
        self, link: Link, calls: UpstoxConnection, books: UpstoxBooks, clock: Clock
    ) -> None:
        self.link = link
        self.calls = calls
        self._books = books
        self._clock = clock
        self._is_asked = asyncio.Event()
        self._lookups = Lookups()
        self._facts: UpstoxFacts | None = None
        self._facts_at_secs = 0.0
        self._changes = 0
        """How often positions and funds have changed."""
        self._missing_readings = 0
        """Readings in a row that lacked trades."""
        self.is_streaming = False

    def ask(self) -> None:
        """Read the books soon."""
        self._is_asked.set()

    async def run(self) -> None:
        """Follow the account until cancelled.

        Raises UpstoxUnauthorised if the token is refused, and Unavailable if nothing can be stored.
        """
        await run_together({"books": self._read_books(), "updates": self._follow_updates()})

    async def facts(self, max_age_secs: float) -> UpstoxFacts:
        """Positions, holdings and funds. Raises UpstoxUnavailable."""
        now = self._clock.monotonic()
        if self._facts is not None and now - self._facts_at_secs <= max_age_secs:
            return self._facts
        changes, filled = self._changes, self._books.filled_quantities()
        positions, holdings, funds = await asyncio.gather(
            self.calls.positions(), self.calls.holdings(), self.calls.funds()
        )
        facts = UpstoxFacts(positions.positions, holdings, funds, filled)
        if self._changes == changes:
            self._facts, self._facts_at_secs = facts, now
        return facts

    def forget_facts(self) -> None:
        """Positions and funds have changed."""
        self._facts = None
        self._changes += 1

    async def wait_ended(self, order_ids: Collection[str], secs: float) -> None:
        """Read the books until these orders have ended, at most for `secs`."""
        try:
            async with asyncio.timeout(secs):
                while self._books.has_open(order_ids):
                    book = await self.calls.orders()
                    await self._books.apply(book.rows, await self.calls.trades())
                    if self._books.has_open(order_ids):
                        await self._clock.sleep(_SPACING_SECS)
        except (TimeoutError, UpstoxUnavailable):
            return  # they count as open

    async def _read_books(self) -> None:
        backoff = Backoff(cap_secs=_MAX_BACKOFF_SECS)
        while True:
            self._is_asked.clear()
            try:
                pause_secs = await self._reconcile()
            except UpstoxUnauthorised:
                metrics.RECONCILIATIONS.labels("unauthorised").inc()
                raise
            except UpstoxUnavailable as error:
                metrics.RECONCILIATIONS.labels("failed").inc()
                if not backoff.attempt:
                    log.warning(
                        "books at Upstox cannot be read",
                        user_id=self.link.user_id,
                        cause=str(error),
                    )
                pause_secs = backoff.next_secs()
            else:
                metrics.RECONCILIATIONS.labels("ok").inc()
                backoff.reset()
            await self._clock.sleep(_SPACING_SECS)
            await self._wait(max(0.0, pause_secs - _SPACING_SECS))

    async def _reconcile(self) -> float:
        """Read the books and look up what is not known; returns the seconds until the next time."""
        book, filled = await self.calls.orders(), self._books.filled_quantities()
        trades = await self.calls.trades()
        is_missing = await self._books.apply(book.rows, trades, listed=book.names)
        if self._books.filled_quantities() != filled:
            self.forget_facts()
        now = self._clock.monotonic()
        self._lookups.follow([one.order_id for one in self._books.unsettled()], now)
        for order_id in self._lookups.due(now):
            is_missing = await self._books.apply(await self.calls.orders_of_tag(order_id), ()) or (
                is_missing
            )
        pause_secs = _WITH_ORDERS_SECS if self._books.has_open_orders() else _WITHOUT_ORDERS_SECS
        self._missing_readings = self._missing_readings + 1 if is_missing else 0
        if is_missing:
            # Doubled each time: a trade that is never listed must not use up the limit of calls.
            readings = min(self._missing_readings, _MISSING_READINGS)
            pause_secs = min(_WITH_ORDERS_SECS, _MISSING_TRADES_SECS * 2 ** (readings - 1))
        next_secs = self._lookups.next_secs()
        return pause_secs if next_secs is None else min(pause_secs, max(0.0, next_secs - now))

    async def _wait(self, secs: float) -> None:
        try:
            async with asyncio.timeout(secs):
                await self._is_asked.wait()
        except TimeoutError:
            return

    async def _follow_updates(self) -> None:
        """Apply updates as they come; the books are read at each connection."""
        backoff = Backoff(cap_secs=_MAX_BACKOFF_SECS)
        while True:
            try:
                async with self.calls.updates() as updates:
                    self.is_streaming = True
                    self.ask()
                    async for row in updates:
                        backoff.reset()
                        self.forget_facts()
                        if await self._books.apply([row], ()):
                            self.ask()
            except UpstoxUnauthorised:
                raise
            except UpstoxUnavailable as error:
                if not backoff.attempt:
                    log.warning(
                        "portfolio stream ended", user_id=self.link.user_id, cause=str(error)
                    )
            finally:
                self.is_streaming = False
            await self._clock.sleep(backoff.next_secs())
