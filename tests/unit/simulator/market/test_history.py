"""The synthetic history is deterministic and consistent."""

from datetime import date

import pytest

from services.simulator.market.history import SyntheticHistory, minutes_of_day
from services.simulator.market.instruments import INDICES, STOCKS, ListedInstrument
from services.simulator.market.state import Candle
from shared.market.exchange_time import DAY_MS, MINUTE_MS, midnight_ms

START_MS = 1_767_607_200_000  # 2026-01-05 15:30 IST
FRIDAY_MS = midnight_ms(date(2026, 1, 2))


def history(seed: int = 1) -> SyntheticHistory:
    return SyntheticHistory(seed=seed, first_ms=START_MS)


def test_there_are_candles_on_trading_days_before_the_first_day_only() -> None:
    days = history().days(STOCKS[0], midnight_ms(date(2025, 12, 24)), START_MS + 10 * DAY_MS)
    starts = [midnight_ms(date(2025, 12, day)) for day in (24, 26, 29, 30, 31)]
    assert [day.start_ms for day in days] == [*starts, midnight_ms(date(2026, 1, 1)), FRIDAY_MS]


def test_the_range_includes_its_start_and_excludes_its_end() -> None:
    minutes = history().minutes(STOCKS[0], FRIDAY_MS, FRIDAY_MS + DAY_MS)
    first, second = minutes[10].start_ms, minutes[12].start_ms
    assert history().minutes(STOCKS[0], first, second) == minutes[10:12]


def test_another_seed_gives_another_history() -> None:
    span = (FRIDAY_MS, FRIDAY_MS + DAY_MS)
    assert history(1).days(STOCKS[0], *span) == history(1).days(STOCKS[0], *span)
    assert history(1).days(STOCKS[0], *span) != history(2).days(STOCKS[0], *span)


def test_a_history_that_was_dropped_from_the_cache_is_generated_again() -> None:
    cached = history()
    before = cached.days(STOCKS[0], FRIDAY_MS, START_MS)
    for number in range(130):
        stock = STOCKS[number % len(STOCKS)]
        renamed = ListedInstrument(f"NSE_EQ|{number}", "X", "X", stock.base_paise, stock.tick_paise)
        cached.days(renamed, FRIDAY_MS, START_MS)
    assert cached.days(STOCKS[0], FRIDAY_MS, START_MS) == before


@pytest.mark.parametrize("instrument", [STOCKS[0], INDICES[0]])
def test_minutes_add_up_to_their_day(instrument: ListedInstrument) -> None:
    [day] = history().days(instrument, FRIDAY_MS, START_MS)
    rows = minutes_of_day(day, instrument, 1)
    assert (rows[0].open, rows[-1].close) == (day.open, day.close)
    assert (max(row.high for row in rows), min(row.low for row in rows)) == (day.high, day.low)
    assert sum(row.volume for row in rows) == day.volume
    assert len(rows) == 375


def test_a_day_without_a_session_has_minutes_from_midnight_to_midnight() -> None:
    sunday_ms = midnight_ms(date(2026, 1, 4))
    day = Candle(sunday_ms, 10_000, 10_100, 9_900, 10_050, 5_000, oi=3)
    rows = minutes_of_day(day, STOCKS[0], 1)
    assert len(rows) == 24 * 60
    assert (rows[0].start_ms, rows[-1].start_ms) == (sunday_ms, sunday_ms + DAY_MS - MINUTE_MS)
    assert {row.oi for row in rows} == {3}
