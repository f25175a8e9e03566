"""The newest market data of all instruments, as the entries of TICKS report it. Pure."""

from collections import Counter
from decimal import Decimal
from typing import Final

import msgspec

from services.trading.paper.market import Quote, exact_price
from services.trading.paper.order_book import check_book, is_of, levels_of
from services.trading.paper.progress import Progress
from shared.contracts import messages
from shared.contracts.messages import FeedState
from shared.contracts.subjects import (
    CANDLE_1M_PREFIX,
    CLOCK,
    DEPTH_PREFIX,
    QUOTE_PREFIX,
    key_to_tokens,
)
from shared.errors import InvalidField
from shared.market.exchange_time import DAY_MS, MINUTE_MS, day_start, trading_day

MAX_CLOCK_LAG_MS: Final = 60_000
"""A quote that is further ahead of the clock is not matched: the clock does not advance."""
_CONNECTED: Final = frozenset({FeedState.LIVE, FeedState.CLOSED})
"""States in which the feed sends each change of a price."""
_SNAPSHOT_MS: Final = MINUTE_MS
"""Within this time after connecting, the feed has sent the newest price of each instrument."""
_KEPT_DAYS: Final = 7
"""Quotes of instruments without news for longer are forgotten."""

Message = messages.Quote | messages.Depth | messages.Candle | messages.ClockTick


class MarketState(msgspec.Struct):
    """Everything of the view that influences later fills."""

    time_ms: int = 0
    """Exchange time of the clock."""
    epoch: int = 0
    """The highest that was seen; entries of lower ones are dropped."""
    feed: FeedState | None = None
    """Of the last clock tick; None before the first of this epoch."""
    not_live_ms: int = 0
    """Exchange time of the last clock tick with another state than live."""
    connected_since_ms: int = 0
    """Exchange time since which this epoch's feed is connected without a break; 0 if it is not."""
    quotes: dict[str, messages.Quote] = {}
    books: dict[str, messages.Depth] = {}
    """Of this epoch."""


class MarketView:
    """Applies entries in their order."""

    def __init__(self, state: MarketState | None = None) -> None:
        self.state = MarketState() if state is None else state
        self.undecodable: Counter[str] = Counter()
        """Entries that were skipped because they are not what their subject says, by kind."""
        self.outdated: Counter[str] = Counter()
        """Entries that were skipped because newer ones were seen before, by kind; with the clock
        ticks of an earlier time, of which only the feed's state is used."""
        self.progress = Progress()

    @property
    def is_live(self) -> bool:
        """Whether the feed is live."""
        return self.state.feed is FeedState.LIVE

    @property
    def connected_ms(self) -> int:
        """How long the feed has been connected without a break, in exchange time."""
        since_ms = self.state.connected_since_ms
        return max(0, self.state.time_ms - since_ms) if since_ms else 0

    def apply(self, subject: str, data: bytes) -> Message | None:
        """Take over an entry; None if it is skipped."""
        kind = ""
        try:
            if subject.startswith(QUOTE_PREFIX):
                kind = "quote"
                quote = messages.decode_quote(data)
                _check_subject(subject, QUOTE_PREFIX, quote.key)
                return self._apply_quote(quote)
            if subject == CLOCK:
                kind = "clock"
                return self._apply_clock(messages.decode_clock(data))
            if subject.startswith(DEPTH_PREFIX):
                kind = "depth"
                book = messages.decode_depth(data)
                _check_subject(subject, DEPTH_PREFIX, book.key)
                check_book(book)
                return self._apply_book(book)
            if subject.startswith(CANDLE_1M_PREFIX):
                kind = "candle"
                candle = messages.decode_candle(data)
                _check_subject(subject, CANDLE_1M_PREFIX, candle.key)
                return candle if self._is_current(candle.epoch, kind) else None
        except (msgspec.DecodeError, InvalidField):
            self.undecodable[kind] += 1
            self.progress.refuse_undecodable(kind)
        return None

    def ltp(self, key: str) -> Decimal | None:
        """The last traded price; None if it is not known."""
        quote = self.state.quotes.get(key)
        return None if quote is None or quote.ltp is None else exact_price(quote.ltp)

    def quote(
        self,
        key: str,
        *,
        ts_ms: int | None = None,
        is_tradable: bool = False,
        is_news: bool = False,
    ) -> Quote | None:
        """The newest quote with its levels; None if the last price is not known.

        `ts_ms`: the time of the entry, if it is not the quote itself.
        """
        quote = self.state.quotes.get(key)
        if quote is None or quote.ltp is None:
            return None
        bids, asks, has_book = levels_of(quote, self.state.books.get(key))
        return Quote(
            ts_ms=quote.ts if ts_ms is None else ts_ms,
            epoch=quote.epoch,
            seq=quote.seq,
            ltp=exact_price(quote.ltp),
            ltt_ms=quote.ltt or 0,
            ltq=quote.ltq or 0,
            volume=quote.volume or 0,
            bids=bids,
            asks=asks,
            is_tradable=is_tradable and self._is_fresh(quote.ts if ts_ms is None else ts_ms),
            is_news=is_news and not quote.snap,
            has_book=has_book,
        )

    def is_standing(self, key: str, since_ms: int) -> bool:
        """Whether the newest quote is not older than `since_ms`, and of the time since which the feed
        is live without a break."""
        quote = self.state.quotes.get(key)
        state = self.state
        return (
            quote is not None
            and quote.epoch == state.epoch
            and quote.ts > state.not_live_ms
            and quote.ts >= since_ms
        )

    def closing_price(self, key: str, end_ms: int, next_day_ms: int) -> Decimal | None:
        """The last price of the session that ended at `end_ms`; None if it is not known.

        It is the LTP of a quote of after that end, or the previous close in a quote of the next
        trading day, which begins at `next_day_ms`. A feed that was connected a moment ago may not
        have sent the newest quote yet.
        """
        quote = self.state.quotes.get(key)
        if quote is None or quote.epoch != self.state.epoch or self.connected_ms < _SNAPSHOT_MS:
            return None
        traded_ms = quote.ltt or quote.ts
        price = None
        if day_start(traded_ms) == day_start(end_ms - 1) and quote.ts >= end_ms:
            price = quote.ltp
        elif day_start(traded_ms) == next_day_ms:
            price = quote.cp
        return None if price is None else exact_price(price)

    def start_day(self) -> None:
        """Forget order books, and the quotes of instruments without news for days."""
        state = self.state
        state.books.clear()
        oldest_ms = state.time_ms - _KEPT_DAYS * DAY_MS
        state.quotes = {key: quote for key, quote in state.quotes.items() if quote.ts >= oldest_ms}

    def _is_fresh(self, ts_ms: int) -> bool:
        return self.is_live and ts_ms <= self.state.time_ms + MAX_CLOCK_LAG_MS

    def _is_current(self, epoch: int, kind: str) -> bool:
        state = self.state
        if epoch == state.epoch:
            return True
        if epoch < state.epoch:
            self.outdated[kind] += 1
            self.progress.refuse_epoch(epoch, state.epoch)
            return False
        state.epoch = epoch
        state.feed = None
        state.connected_since_ms = 0
        state.books.clear()
        return True

    def _apply_quote(self, quote: messages.Quote) -> messages.Quote | None:
        if not self._is_current(quote.epoch, "quote"):
            return None
        last = self.state.quotes.get(quote.key)
        if last is not None and last.epoch == quote.epoch and quote.seq < last.seq:
            self.outdated["quote"] += 1
            return None
        self.state.quotes[quote.key] = quote
        return quote

    def _apply_book(self, book: messages.Depth) -> messages.Depth | None:
        if not self._is_current(book.epoch, "depth"):
            return None
        last = self.state.books.get(book.key)
        if last is not None and book.seq < last.seq:
            self.outdated["depth"] += 1
            return None
        self.state.books[book.key] = book
        quote = self.state.quotes.get(book.key)
        return book if quote is not None and is_of(book, quote) else None

    def _apply_clock(self, tick: messages.ClockTick) -> messages.ClockTick | None:
        if not self._is_current(tick.epoch, "clock"):
            return None
        state = self.state
        if tick.ts < state.time_ms:
            self.outdated["clock"] += 1
            self.progress.refuse_time(tick.ts, state.time_ms)
        else:
            self.progress.used_ticks += 1
        before_ms, state.time_ms = state.time_ms, max(state.time_ms, tick.ts)
        state.feed = tick.state
        if tick.state not in _CONNECTED:
            state.connected_since_ms = 0
        elif not state.connected_since_ms:
            state.connected_since_ms = state.time_ms
        if tick.state is not FeedState.LIVE:
            state.not_live_ms = max(state.not_live_ms, tick.ts)
        if trading_day(before_ms) != trading_day(state.time_ms):
            self.start_day()
        return tick


def _check_subject(subject: str, prefix: str, key: str) -> None:
    """Raises InvalidField unless the message's key is that of its subject."""
    if subject[len(prefix) :] != key_to_tokens(key):
        raise InvalidField("not the key of the subject", field="key")
