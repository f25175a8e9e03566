"""Fetches the wanted pages of candles from Upstox, one after the other, while this process leads."""

import asyncio
from collections import Counter
from datetime import date, timedelta
from typing import Final, Protocol

from pymongo.errors import PyMongoError

from services.persister import metrics
from services.persister.candles.candle import CandleLength, UpstoxCandle
from services.persister.candles.candle_source import CandlesRefused
from services.persister.history.page_store import PageStore, Priority, WantedPage
from services.persister.history.page_writer import PageWriter, is_passing
from services.persister.history.pages import PageKind
from shared.bus.lease import Term
from shared.errors import NotFound, Unavailable
from shared.market.exchange_time import DAY_MS, ist_date
from shared.runtime.backoff import Backoff
from shared.runtime.clock import Clock
from shared.runtime.logs import get_logger

log = get_logger(__name__)

_LOOK_EVERY_SECS: Final = 0.2
_MAX_PAUSE_SECS: Final = 30.0
_MAX_ATTEMPTS: Final = 5
"""Calls for a page, after which only another request or command fetches it."""
_MAX_ERROR_CHARS: Final = 500
"""The text of an error of the database may include the documents."""
_LOG_EVERY_PAGES: Final = 100


class PastCandles(Protocol):
    """Upstox's candles of past days."""

    async def past(
        self, key: str, length: CandleLength, first: date, last: date
    ) -> list[UpstoxCandle]:
        """Candles of the days `[first, last]`. Raises NotFound for an unknown key, or Unavailable."""
        ...


class PageFetcher:
    """Fetches the pages of one priority, for one term of leadership at a time."""

    def __init__(
        self,
        priority: Priority,
        pages: PageStore,
        candles: PastCandles,
        writer: PageWriter,
        clock: Clock,
        *,
        retention_days: int,
    ) -> None:
        """Five-minute bars that would be older than `retention_days` are not fetched; 0: all are."""
        self._priority = priority
        self._pages = pages
        self._candles = candles
        self._writer = writer
        self._clock = clock
        self._retention_days = retention_days
        self._attempts: Counter[str] = Counter()

    async def run(self, term: Term, epoch: int) -> None:
        """Fetch until cancelled. Raises StaleEpoch or LeaseLost if another persister leads."""
        await self._writer.prepare()
        backoff = Backoff(cap_secs=_MAX_PAUSE_SECS)
        fetched = bars = 0
        while True:
            term.check()
            try:
                wanted = await self._pages.next_wanted(self._priority)
                if wanted is None:
                    await asyncio.sleep(_LOOK_EVERY_SECS)
                    continue
                new_bars = await self._fetch(wanted, term, epoch)
            except PyMongoError as error:
                log.warning("fetching of history interrupted", error=repr(error))
                new_bars = None
            if new_bars is None:
                await asyncio.sleep(backoff.next_secs())
                continue
            backoff.reset()
            fetched, bars = fetched + 1, bars + new_bars
            if fetched % _LOG_EVERY_PAGES == 0:
                log.info("history fetched", pages=fetched, bars=bars, by=self._priority.name)

    async def _fetch(self, wanted: WantedPage, term: Term, epoch: int) -> int | None:
        """Fetch and store a page. Returns the number of new bars; None if Upstox is away."""
        page = wanted.page
        # A request that read the record before the refusal may have wanted the page after it.
        is_refused = wanted.is_refused and self._priority is Priority.REQUEST
        if wanted.first >= wanted.until or is_refused or self._is_expired(wanted):
            await self._pages.dismiss(page)
            return 0
        candles: list[UpstoxCandle] | None = None
        try:
            candles = await self._candles.past(
                page.key, page.kind.candle_length, wanted.first, wanted.until - timedelta(days=1)
            )
        except NotFound:
            log.info("Upstox has no history of the instrument", key=page.key)
        except CandlesRefused as error:
            await self._pages.clear_failure()
            await self._try_later(wanted, error.detail, is_refusal=True)
            return 0
        except Unavailable as error:
            await self._pages.note_failure(error.detail)
            await self._try_later(wanted, error.detail, is_refusal=False)
            return None
        await self._pages.clear_failure()
        term.check()
        try:
            new_bars = await self._writer.store(wanted, candles, epoch)
        except PyMongoError as error:
            if is_passing(error):
                raise
            await self._try_later(wanted, repr(error)[:_MAX_ERROR_CHARS], is_refusal=True)
            return 0
        self._attempts.pop(page.page_id, None)
        metrics.HISTORY_PAGES.labels(page.kind.value).inc()
        metrics.HISTORY_BARS.labels(page.kind.value).inc(new_bars)
        return new_bars

    async def _try_later(self, wanted: WantedPage, error: str, *, is_refusal: bool) -> None:
        """Move the page behind all others; give it up after `_MAX_ATTEMPTS` calls.

        `is_refusal` says that Upstox or the database refuses this page, while others may succeed.
        """
        page, page_id = wanted.page, wanted.page.page_id
        if not self._attempts:
            log.warning("a page of history failed, trying again", page=page_id, error=error)
        self._attempts[page_id] += 1
        # A command waits for Upstox as long as it takes, but not for what is refused.
        may_end = self._priority is Priority.REQUEST or is_refusal
        if not may_end or self._attempts[page_id] < _MAX_ATTEMPTS:
            await self._pages.postpone(page)
            return
        if is_refusal:
            await self._pages.refuse(page)
        else:
            await self._pages.dismiss(page)
        del self._attempts[page_id]
        log.warning("a page of history is given up", page=page_id, error=error)

    def _is_expired(self, wanted: WantedPage) -> bool:
        """Whether the database would delete all bars of the page at once."""
        if not self._retention_days or wanted.page.kind is PageKind.DAY:
            return False
        return wanted.until <= ist_date(self._clock.now_ms() - self._retention_days * DAY_MS)
