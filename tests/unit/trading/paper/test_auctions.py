"""The trades of auctions in the quotes of an instrument."""

from decimal import Decimal
from typing import Any

from services.trading.paper.auctions import AuctionTrade, AuctionWatch
from services.trading.paper.market import Quote
from services.trading.paper.trading_day import TradingDay

DAY = TradingDay(
    start_ms=1_000_000,
    continuous_end_ms=5_000_000,
    end_ms=6_000_000,
    closing_entry_end_ms=5_700_000,
    opening_entry_ms=(100_000, 700_000),
)


def quote(ts_ms: int, ltp: str, volume: int, **more: Any) -> Quote:
    fields = {"ltt_ms": ts_ms, "ltq": 1, "epoch": 1, "seq": ts_ms} | more
    return Quote(ts_ms=ts_ms, ltp=Decimal(ltp), volume=volume, **fields)


def test_the_opening_auction_is_reported_once_with_the_first_quote_of_the_session() -> None:
    watch = AuctionWatch()
    assert watch.on_quote(quote(720_000, "250", 1_000), DAY) is None
    found = watch.on_quote(quote(1_000_001, "252", 1_010), DAY)
    assert found == AuctionTrade(Decimal(250), 1_000, 700_000)
    assert watch.on_quote(quote(1_000_002, "253", 1_020), DAY) is None


def test_a_trade_of_yesterday_is_not_the_opening_auction() -> None:
    watch = AuctionWatch()
    watch.on_quote(quote(720_000, "250", 1_000, ltt_ms=-1), DAY)
    assert watch.on_quote(quote(1_000_001, "250", 1_000, ltt_ms=-1), DAY) is None


def test_a_trade_long_after_the_start_is_not_the_opening_auction() -> None:
    assert AuctionWatch().on_quote(quote(1_060_000, "250", 1_000), DAY) is None


def test_the_closing_auction_is_the_first_trade_after_continuous_trading() -> None:
    watch = AuctionWatch(opened_ms=DAY.start_ms)
    watch.on_quote(quote(4_999_999, "250", 1_000), DAY)
    assert watch.on_quote(quote(5_000_001, "250", 1_010, ltt_ms=4_999_999), DAY) is None
    assert watch.on_quote(quote(5_900_000, "251", 1_500, is_news=False), DAY) is None
    found = watch.on_quote(quote(5_900_001, "251", 1_700), DAY)
    assert found == AuctionTrade(Decimal(251), 200, 5_700_000)
    assert watch.on_quote(quote(5_900_002, "251", 1_800), DAY) is None


def test_a_closing_auction_of_unknown_quantity_is_not_reported() -> None:
    assert AuctionWatch().on_quote(quote(5_900_000, "251", 1_500), DAY) is None
