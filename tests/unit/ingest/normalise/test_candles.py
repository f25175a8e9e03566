"""The day's open, high and low come from the candle of the day, and from no earlier day's."""

from typing import Any

import pytest

from services.ingest.normalise.merge_result import MergeResult
from services.ingest.normalise.normaliser import Normaliser
from shared.contracts.messages import QuoteState
from shared.market.exchange_time import DAY_MS, MINUTE_MS, day_start
from tests.support.builders import KEY, MONDAY_10_00, OTHER_KEY, full_feed, index_feed

TODAY_MS = day_start(MONDAY_10_00)
NAN, INFINITY = float("nan"), float("inf")
Prices = tuple[float | None, float | None, float | None]


def merge(normaliser: Normaliser, feed: Any, key: str = KEY) -> MergeResult:
    return normaliser.apply({key: feed}, ts=MONDAY_10_00, received_us=7, snapshot=False)


def day_of(quote: QuoteState) -> Prices:
    return quote.open, quote.high, quote.low


def day_after(normaliser: Normaliser, *days: tuple[float, float, float]) -> Prices:
    """The day's prices after a message with each of the candles."""
    for day in days:
        merged = merge(normaliser, full_feed(ltp=5.0, day=(TODAY_MS, *day)))
    return day_of(merged.updated[0].quote)


def test_the_prices_of_the_day_follow_its_candle() -> None:
    normaliser = Normaliser(epoch=9)
    assert day_after(normaliser, (5.0, 6.0, 4.0)) == (5.0, 6.0, 4.0)
    assert day_after(normaliser, (5.0, 6.5, 4.0), (5.0, 6.5, 3.5)) == (5.0, 6.5, 3.5)
    assert day_after(normaliser, (5.25, 6.5, 3.5)) == (5.25, 6.5, 3.5)


def test_a_message_without_candles_keeps_the_prices_of_the_day() -> None:
    normaliser = Normaliser(epoch=9)
    day_after(normaliser, (5.0, 6.0, 4.0))
    assert day_of(merge(normaliser, full_feed(ltp=5.0)).updated[0].quote) == (5.0, 6.0, 4.0)


def test_an_index_has_prices_of_the_day() -> None:
    feed = index_feed(ltp=24_000.5, ltt=MONDAY_10_00, day=(TODAY_MS, 23_900.0, 24_100.0, 23_850.0))
    (instrument,) = merge(Normaliser(epoch=9), feed, OTHER_KEY).updated
    assert day_of(instrument.quote) == (23_900.0, 24_100.0, 23_850.0)


@pytest.mark.parametrize("start_ms", [0, 1, TODAY_MS - 1, TODAY_MS + DAY_MS, -(2**63), 2**63 - 1])
def test_before_the_first_trade_the_candle_of_another_day_is_not_used(start_ms: int) -> None:
    merged = merge(Normaliser(epoch=9), full_feed(ltp=5.0, day=(start_ms, 5.0, 6.0, 4.0)))
    assert day_of(merged.updated[0].quote) == (None, None, None)
    assert merged.bad_fields == []


def test_the_order_of_the_candles_does_not_matter() -> None:
    feed = full_feed(
        ltp=5.0,
        day=(TODAY_MS, 5.0, 6.0, 4.0),
        minute=(MONDAY_10_00 - MINUTE_MS, 5.5, 5.75, 5.5, 5.5, 9),
    )
    candles = feed.fullFeed.marketFF.marketOHLC.ohlc
    candles.sort(key=lambda candle: candle.interval, reverse=True)
    merged = merge(Normaliser(epoch=9), feed)
    assert day_of(merged.updated[0].quote) == (5.0, 6.0, 4.0)
    assert [candle.high for _, candle in merged.candles] == [5.75]


@pytest.mark.parametrize(
    ("day", "kept", "bad"),
    [
        ((NAN, 6.5, 3.5), (5.0, 6.5, 3.5), "open"),
        ((5.0, INFINITY, 3.5), (5.0, 6.0, 3.5), "high"),
        ((5.0, 1e9, 3.5), (5.0, 6.0, 3.5), "high"),
        ((5.0, 6.5, -1.0), (5.0, 6.5, 4.0), "low"),
        ((7.0, 6.5, 3.5), (5.0, 6.0, 4.0), "day"),
        ((5.0, 3.5, 6.5), (5.0, 6.0, 4.0), "day"),
    ],
)
def test_a_price_out_of_range_costs_itself_and_a_contradiction_all_three(
    day: tuple[float, float, float], kept: Prices, bad: str
) -> None:
    normaliser = Normaliser(epoch=9)
    day_after(normaliser, (5.0, 6.0, 4.0))
    merged = merge(normaliser, full_feed(ltp=5.0, day=(TODAY_MS, *day)))
    assert day_of(merged.updated[0].quote) == kept
    assert [(key, name) for key, name, _ in merged.bad_fields] == [(KEY, bad)]


def test_a_price_that_was_not_sent_keeps_its_last_value() -> None:
    assert day_after(Normaliser(epoch=9), (5.0, 6.0, 4.0), (0.0, 6.5, 0.0)) == (5.0, 6.5, 4.0)
