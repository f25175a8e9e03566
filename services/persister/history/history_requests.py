"""Answers `history.bars` and `history.gaps`, after fetching earlier candles that the bars lack.

Any persister does so; the fetching itself is the leader's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import msgspec
from pymongo.errors import PyMongoError

from services.persister.history.known_instruments import KnownInstruments
from services.persister.history.page_store import FetchedPage, PageStore, Priority
from services.persister.history.pages import (
    Page,
    PageKind,
    horizon,
    kind_of,
    pages_between,
    settled_day,
)
from services.persister.storage.daily_candles import first_day
from services.persister.storage.history_reader import HistoryReader, check_range
from services.persister.storage.page_cursor import page_start
from shared.bus.responder import request_deadline_ms
from shared.contracts.history import BarsReply, BarsRequest, GapsReply, GapsRequest, Unfetched
from shared.errors import NotFound, Overloaded, Unavailable
from shared.market.exchange_time import DAY_MS, ist_date, midnight_ms
from shared.runtime.clock import Clock

_MAX_WANTED: Final = 12
"""Pages that one request may want at a time."""
_MAX_QUEUED: Final = 1_000
"""Pages that all requests may want at a time."""
_MAX_REMEMBERED: Final = 20_000
_MAX_WAIT_MS: Final = 2_000
_REPLY_MS: Final = 500
"""Time before the deadline that is left for the reply."""
_LOOK_EVERY_SECS: Final = 0.1


@dataclass(frozen=True, slots=True)
class _MissingDays:
    """The days `[first, until)` of a page, which are not fetched."""

    page: Page
    first: date
    until: date
    is_refused: bool
    """Whether they were refused a short time ago, and are not asked for."""


class HistoryRequests:
    """Waits for the fetching of pages in at most `max_waiting` requests at a time."""

    def __init__(
        self,
        reader: HistoryReader,
        pages: PageStore,
        instruments: KnownInstruments,
        clock: Clock,
        *,
        is_fetching: bool,
        max_waiting: int,
        retention_days: int,
    ) -> None:
        """Without `is_fetching`, only stored bars are returned."""
        self._reader = reader
        self._pages = pages
        self._instruments = instruments
        self._clock = clock
        self._is_fetching = is_fetching
        self._max_waiting = max_waiting
        self._retention_days = retention_days
        self._waiting = 0
        self._complete: set[Page] = set()

    async def bars(self, request: BarsRequest) -> BarsReply:
        """A page of bars.

        Raises InvalidField, NotFound for a key that no master and no bar has, Unavailable if the
        database does not answer, or Overloaded if too many requests wait for Upstox.
        """
        check_range(request.from_ms, request.to_ms)
        from_ms, _ = page_start(request)
        try:
            return await self._bars(request, from_ms)
        except PyMongoError:
            raise Unavailable("bars cannot be read at the moment") from None

    async def gaps(self, request: GapsRequest) -> GapsReply:
        """A page of gaps.

        Raises InvalidField, NotFound for a key that the stored master lacks and of which nothing
        is stored, or Unavailable if the database does not answer.
        """
        reply = await self._reader.gaps(request)
        if not reply.gaps and request.cursor is None:
            try:
                # Without a master nothing is known of any key.
                if await self._instruments.knows(request.key) is False:
                    await self._check_stored(request.key)
            except PyMongoError:
                raise Unavailable("gaps cannot be read at the moment") from None
        return reply

    async def _bars(self, request: BarsRequest, from_ms: int) -> BarsReply:
        settled = settled_day(self._clock.now_ms())
        # Without a checkpoint, or after a long stop, the stream says nothing of earlier days.
        over_until_ms = midnight_ms(settled) if self._is_fetching else 0
        needed = self._needed(request, from_ms, settled)
        missing = await self._missing(needed, settled) if needed else []
        is_known = await self._instruments.knows(request.key) if missing else True
        is_progressing = bool(_not_refused(missing)) and is_known is not False
        is_patient = self._waiting < self._max_waiting
        if is_progressing:
            missing, is_progressing = await self._fetched(request, from_ms, missing, settled)
        if not missing or is_known is False:
            reply = await self._reader.bars(request, over_until_ms=over_until_ms)
        else:
            start_ms = max(from_ms, midnight_ms(missing[0].first))
            coming = _not_refused(missing) if is_progressing else []
            end_ms = max(from_ms, midnight_ms(coming[0].first)) if coming else None
            reply = await self._reader.bars(request, end_ms, over_until_ms=over_until_ms)
            reply = _with_unfetched(reply, request, start_ms, midnight_ms(missing[-1].until))
            if coming and not is_patient and not reply.bars:
                raise Overloaded("too many requests wait for candles of Upstox; try again")
        if request.cursor is not None and reply.next is None:
            reply = await self._with_refused(reply, request, settled)
        if not reply.bars and reply.next is None and reply.unfetched is None:
            await self._check_known(request)
        return reply

    async def _with_refused(
        self, reply: BarsReply, request: BarsRequest, settled: date
    ) -> BarsReply:
        """The last page, whose `unfetched` includes what was refused on the pages before it.

        A client that reads page by page looks at the last one to know whether it has all bars.
        """
        needed = self._needed(request, request.from_ms, settled)
        spans = [
            (max(midnight_ms(days.first), request.from_ms), midnight_ms(days.until))
            for days in await self._missing(needed, settled)
            if days.is_refused and midnight_ms(days.first) < request.to_ms
        ]
        if not spans:
            return reply
        if reply.unfetched is not None:
            spans.append((reply.unfetched.from_ms, reply.unfetched.to_ms))
        end_ms = min(max(end_ms for _, end_ms in spans), request.to_ms)
        unfetched = Unfetched(from_ms=min(start_ms for start_ms, _ in spans), to_ms=end_ms)
        return msgspec.structs.replace(reply, unfetched=unfetched)

    def _needed(self, request: BarsRequest, from_ms: int, settled: date) -> list[Page]:
        """The pages that the rest of the request's range is made of."""
        if not self._is_fetching:
            return []
        kind = kind_of(request.interval)
        first = ist_date(min(from_ms, self._clock.now_ms()))
        if kind is PageKind.FIVE_MINUTES and self._retention_days:
            first = max(first, ist_date(self._clock.now_ms() - self._retention_days * DAY_MS))
        return list(pages_between(kind, request.key, first, min(settled, first_day(request.to_ms))))

    async def _missing(self, pages: list[Page], settled: date) -> list[_MissingDays]:
        """The days of the pages, up to now, that have not been fetched."""
        pages = [page for page in pages if page not in self._complete]
        if not pages:
            return []
        fetched = await self._pages.fetched(pages)
        missing = []
        for page in pages:
            until = page.until(settled)
            record = fetched.get(page, _NOTHING)
            first = max(record.until, page.start, page.kind.first_day)
            if first < until:
                missing.append(_MissingDays(page, first, until, record.is_refused))
            elif first >= page.end:
                self._remember(page)
        return missing

    def _remember(self, page: Page) -> None:
        """Note that a page is fetched to its end, so that it need not be looked up again."""
        if len(self._complete) >= _MAX_REMEMBERED:
            self._complete.clear()
        self._complete.add(page)

    async def _fetched(
        self,
        request: BarsRequest,
        from_ms: int,
        missing: list[_MissingDays],
        settled: date,
    ) -> tuple[list[_MissingDays], bool]:
        """Want the pages that the reply is made of, and wait for them.

        Returns what is missing afterwards, and whether it is being fetched unless it is refused.
        """
        first = max(ist_date(from_ms), kind_of(request.interval).first_day)
        end = horizon(request.interval, first, request.limit)
        wanted = [days for days in _not_refused(missing) if days.first < end][:_MAX_WANTED]
        if await self._pages.wanted_count(Priority.REQUEST, _MAX_QUEUED) >= _MAX_QUEUED:
            return missing, False
        await self._pages.want([(days.page, days.until) for days in wanted], Priority.REQUEST)
        if await self._pages.is_failing():
            return missing, False
        if self._waiting >= self._max_waiting:
            return missing, True
        self._waiting += 1
        try:
            await self._wait([days.page for days in wanted], settled)
        finally:
            self._waiting -= 1
        needed = [days.page for days in missing]
        return await self._missing(needed, settled), not await self._pages.is_failing()

    async def _wait(self, pages: list[Page], settled: date) -> None:
        """Wait until all `pages` are fetched or refused, Upstox is away, or the reply is due."""
        now_ms = self._clock.now_ms()
        due_ms = now_ms + _MAX_WAIT_MS
        deadline_ms = request_deadline_ms()
        if deadline_ms is not None:
            due_ms = min(due_ms, deadline_ms - _REPLY_MS)
        while pages and self._clock.now_ms() < due_ms:
            await self._clock.sleep(_LOOK_EVERY_SECS)
            pages = [days.page for days in _not_refused(await self._missing(pages, settled))]
            if pages and await self._pages.is_failing():
                return

    async def _check_known(self, request: BarsRequest) -> None:
        """Raises NotFound for a key of which nothing is known."""
        is_known = await self._instruments.knows(request.key)
        if is_known is None:  # no master is stored; Upstox may have told
            kind = kind_of(request.interval)
            day = max(ist_date(min(request.from_ms, self._clock.now_ms())), kind.first_day)
            page = Page.of(kind, request.key, day)
            record = (await self._pages.fetched([page])).get(page, _NOTHING)
            is_known = not record.is_unknown
        if not is_known:
            await self._check_stored(request.key)

    async def _check_stored(self, key: str) -> None:
        """Raises NotFound for a key without bars."""
        if not await self._reader.has_bars(key):
            raise NotFound(f"no instrument {key}", field="key")


_NOTHING: Final = FetchedPage(date.min, is_unknown=False)


def _not_refused(missing: Sequence[_MissingDays]) -> list[_MissingDays]:
    return [days for days in missing if not days.is_refused]


def _with_unfetched(
    reply: BarsReply, request: BarsRequest, start_ms: int, end_ms: int
) -> BarsReply:
    """The reply, with the part of its range that is not fetched, if there is one."""
    page_end_ms = request.to_ms
    if reply.next is not None:
        page_end_ms, _ = page_start(msgspec.structs.replace(request, cursor=reply.next))
    # A page that ends where the missing part begins shows that the next one waits for it.
    if start_ms > page_end_ms or (start_ms == page_end_ms and reply.next is None):
        return reply
    unfetched = Unfetched(from_ms=start_ms, to_ms=min(end_ms, request.to_ms))
    return msgspec.structs.replace(reply, unfetched=unfetched)
