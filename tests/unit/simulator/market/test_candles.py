"""Candles agree with the trades, and the synthetic history depends on the seed alone."""

from collections import defaultdict
from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.simulator.market.candles import Candles
from services.simulator.market.instruments import INDICES, INSTRUMENTS, STOCKS, ListedInstrument
from services.simulator.market.market import Market
from services.simulator.market.state import RECORDED_DAYS, Candle
from services.simulator.simulation.ledger import Ledger, LedgerTrade
from shared.market.exchange_time import DAY_MS, MINUTE_MS, day_start, ist_date

START = 1_767_607_200_000  # 2026-01-05 15:30 IST
MIDNIGHT = day_start(START) + DAY_MS
KEY = STOCKS[0].key
TODAY = ist_date(START)


def market_of(start_ms: int = START, seed: int = 1) -> Market:
    return Market(STOCKS[:2], seed=seed, start_ms=start_ms, trades_per_sec=0.5)


def candles_of(trades: list[LedgerTrade], span_ms: int) -> list[Candle]:
    """Candles computed from the ledger's trades."""
    by_start: dict[int, list[LedgerTrade]] = defaultdict(list)
    for trade in trades:
        by_start[trade.time_ms // span_ms * span_ms].append(trade)
    candles = []
    for start, span in sorted(by_start.items()):
        prices = [round(trade.price * 100) for trade in span]
        volume = sum(trade.quantity or 0 for trade in span)
        candles.append(Candle(start, prices[0], max(prices), min(prices), prices[-1], volume))
    return candles


@given(st.lists(st.integers(1, 400_000), min_size=1, max_size=8))
@settings(max_examples=30, deadline=None)
def test_minutes_agree_with_the_trades_in_the_ledger(steps: list[int]) -> None:
    market = market_of(MIDNIGHT - 240_000)  # so that some examples pass midnight
    ledger, candles = Ledger(market.states, max_rows=100_000), Candles(market)
    for step in steps:
        ledger.record_trades(market.advance(market.now_ms + step))
    expected = candles_of(ledger.trades(KEY, 0, 1 << 62), MINUTE_MS)
    assert candles.minutes(KEY, market.start_ms, 1 << 62, running=True) == expected
    complete = [c for c in expected if c.start_ms + MINUTE_MS <= market.now_ms]
    assert candles.minutes(KEY, market.start_ms, 1 << 62) == complete


def test_the_range_includes_its_start_and_excludes_its_end() -> None:
    market = market_of()
    market.advance(START + 5 * MINUTE_MS)
    minutes = Candles(market).minutes(KEY, START + MINUTE_MS, START + 3 * MINUTE_MS)
    assert [c.start_ms for c in minutes] == [START + MINUTE_MS, START + 2 * MINUTE_MS]


def test_a_completed_day_keeps_its_minutes_and_a_new_day_begins() -> None:
    market = market_of(MIDNIGHT - 10 * MINUTE_MS)
    market.advance(MIDNIGHT - 1)
    candles = Candles(market)
    before = candles.minutes(KEY, market.start_ms, MIDNIGHT, running=True)
    (day,) = candles.days(KEY, TODAY, TODAY, running=True)
    assert candles.days(KEY, TODAY, TODAY) == []
    market.advance(MIDNIGHT + 5 * MINUTE_MS)
    assert candles.minutes(KEY, market.start_ms, MIDNIGHT) == before
    assert candles.days(KEY, TODAY, TODAY) == [day]
    assert market.states[KEY].close_paise == day.close
    tomorrow = TODAY + timedelta(days=1)
    assert len(candles.days(KEY, TODAY, tomorrow, running=True)) == 2
    assert candles.minutes(KEY, MIDNIGHT, 1 << 62)[0].start_ms == MIDNIGHT


def test_minutes_of_older_days_add_up_to_the_daily_candle() -> None:
    market = Market(STOCKS[:1], seed=1, start_ms=START, trades_per_sec=0.01)
    candles = Candles(market)
    market.advance(MIDNIGHT + (RECORDED_DAYS + 1) * DAY_MS)
    days = candles.days(KEY, TODAY, TODAY + timedelta(days=30))
    assert len(days) == RECORDED_DAYS + 2
    minutes = candles.minutes(KEY, day_start(START), MIDNIGHT)
    assert (minutes[0].open, minutes[-1].close) == (days[0].open, days[0].close)
    assert sum(minute.volume for minute in minutes) == days[0].volume


@pytest.mark.parametrize("instrument", [STOCKS[0], STOCKS[-1], INDICES[0]])
def test_the_last_close_of_the_history_is_the_previous_close_of_the_first_day(
    instrument: ListedInstrument,
) -> None:
    market = Market(INSTRUMENTS, seed=4, start_ms=START, trades_per_sec=1.0)
    days = Candles(market).days(instrument.key, date(2025, 1, 1), TODAY - timedelta(days=1))
    assert ist_date(days[-1].start_ms) == date(2026, 1, 2)  # the Friday before
    assert days[-1].close == market.states[instrument.key].close_paise
    assert (days[-1].volume == 0) is instrument.is_index
    assert len(days) > 245  # a year of trading days
    for before, after in pairwise(days):
        assert 0.9 < after.open / before.close < 1.1
    for day in days:
        assert day.low <= min(day.open, day.close) <= max(day.open, day.close) <= day.high
        assert not any(p % instrument.tick_paise for p in (day.open, day.high, day.low, day.close))


def test_minutes_of_the_history_add_up_to_their_day() -> None:
    market = market_of()
    candles = Candles(market)
    for day in candles.days(KEY, date(2025, 12, 1), date(2025, 12, 31)):
        minutes = candles.minutes(KEY, day.start_ms, day.start_ms + DAY_MS)
        assert len(minutes) == 375
        assert minutes[0].start_ms == day.start_ms + (9 * 60 + 15) * MINUTE_MS
        assert minutes[0].open == day.open
        assert minutes[-1].close == day.close
        assert max(minute.high for minute in minutes) == day.high
        assert min(minute.low for minute in minutes) == day.low
        assert sum(minute.volume for minute in minutes) == day.volume
        assert all(m.low <= min(m.open, m.close) <= m.high for m in minutes)


def test_the_history_does_not_depend_on_earlier_requests() -> None:
    def history(seed: int, *, first_requested: date) -> list[Candle]:
        candles = Candles(market_of(seed=seed))
        candles.days(KEY, first_requested, TODAY)
        return candles.days(KEY, date(2024, 1, 1), date(2024, 3, 1))

    assert history(1, first_requested=TODAY) == history(1, first_requested=date(2010, 1, 1))
    assert history(1, first_requested=TODAY) != history(2, first_requested=TODAY)


def test_the_history_begins_in_the_year_2000() -> None:
    (first, *_) = Candles(market_of()).days(KEY, date(1990, 1, 1), date(2000, 2, 1))
    assert ist_date(first.start_ms).year == 2000


def test_an_unknown_key_raises_key_error() -> None:
    with pytest.raises(KeyError):
        Candles(market_of()).minutes("NSE_EQ|NOBODY", 0, 1)
