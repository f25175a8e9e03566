"""Recognises the trades of an instrument's opening and closing auctions in its quotes."""

from dataclasses import dataclass
from decimal import Decimal

import msgspec

from services.trading.paper.market import Quote
from services.trading.paper.trading_day import TradingDay
from shared.market.exchange_time import MINUTE_MS


@dataclass(frozen=True, slots=True)
class AuctionTrade:
    """The result of an auction."""

    price: Decimal
    quantity: int
    entry_end_ms: int
    """Orders that arrived at or after this time did not take part."""


class AuctionWatch(msgspec.Struct):
    """State of the auctions of one instrument."""

    opened_ms: int = 0
    """Start of the last session whose opening auction was reported."""
    closed_ms: int = 0
    """Start of the last session whose closing auction was reported."""
    volume: int | None = None
    """Cumulative volume of the day at the last quote."""
    opening_day_ms: int = 0
    """Start of the session to which `opening` belongs."""
    opening: tuple[Decimal, int] | None = None
    """Price and quantity of the opening auction, before the session has started."""

    def on_quote(self, quote: Quote, day: TradingDay) -> AuctionTrade | None:
        """The auction that has ended with this quote; the feed must be live."""
        volume, self.volume = self.volume, quote.volume
        if quote.ts_ms < day.start_ms:
            self._note_opening(quote, day)
            return None
        if quote.ts_ms < day.continuous_end_ms:
            return self._opening_trade(quote, day) if quote.is_tradable else None
        if (
            day.continuous_end_ms < day.end_ms
            and self.closed_ms != day.start_ms
            and quote.is_news
            and quote.ltt_ms >= day.continuous_end_ms
            and volume is not None
            and quote.volume > volume
        ):
            self.closed_ms = day.start_ms
            return AuctionTrade(quote.ltp, quote.volume - volume, day.closing_entry_end_ms)
        return None

    def _note_opening(self, quote: Quote, day: TradingDay) -> None:
        """A trade before the session is the auction's; the day's volume is its quantity."""
        entry = day.opening_entry_ms
        if entry is not None and quote.ltt_ms >= entry[0] and quote.volume:
            self.opening = quote.ltp, quote.volume
            self.opening_day_ms = day.start_ms

    def _opening_trade(self, quote: Quote, day: TradingDay) -> AuctionTrade | None:
        """With the first quote of the session.

        If the auction's own trade was not reported, the price of the first trade of the session
        counts, and the day's volume until then.
        """
        if self.opened_ms == day.start_ms or day.opening_entry_ms is None:
            return None
        self.opened_ms = day.start_ms
        first_ms, end_ms = day.opening_entry_ms
        found = self.opening if self.opening_day_ms == day.start_ms else None
        if found is None and first_ms <= quote.ltt_ms < day.start_ms + MINUTE_MS:
            found = quote.ltp, quote.volume
        self.opening = None
        return None if found is None or not found[1] else AuctionTrade(*found, end_ms)
