"""The times at which instruments may trade, by the exchanges' calendar."""

import pytest

from services.persister.aggregation.trading_times import TradingTimes
from shared.market.exchange_time import DAY_MS, MINUTE_MS, WINDOW_MS, day_start
from tests.support.builders import KEY, MONDAY_10_00

MONDAY = day_start(MONDAY_10_00)
HOUR_MS = 60 * MINUTE_MS
TIMES = TradingTimes()
COMMODITY = "MCX_FO|1"


def at(hours: int, minutes: int = 0, *, day: int = 0) -> int:
    return MONDAY + day * DAY_MS + hours * HOUR_MS + minutes * MINUTE_MS


def test_a_share_may_trade_from_the_pre_open_to_the_post_close_session() -> None:
    ((start_ms, end_ms),) = TIMES.spans(KEY, MONDAY, MONDAY + DAY_MS)
    assert start_ms == at(9)
    assert at(16) <= end_ms <= at(16, 30)


@pytest.mark.parametrize("hours", [0, 7, 17, 23])
def test_no_share_trades_at_night(hours: int) -> None:
    assert TIMES.spans(KEY, at(hours), at(hours, 45)) == []
    assert not TIMES.includes(KEY, at(hours))


def test_commodities_trade_until_late() -> None:
    assert TIMES.spans(COMMODITY, at(17), at(18)) == [(at(17), at(18))]
    assert TIMES.includes(COMMODITY, at(23, 25))
    assert not TIMES.includes(COMMODITY, at(8))


def test_a_span_over_days_has_one_part_for_each_day_with_a_session() -> None:
    # Tuesday, 24 November 2026, is a holiday.
    parts = TIMES.spans(KEY, at(15), at(10, day=2))
    assert [part[0] for part in parts] == [at(15), at(9, day=2)]
    assert parts[1][1] == at(10, day=2)


def test_a_weekend_has_no_part() -> None:
    assert TIMES.spans(KEY, at(0, day=5), at(0, day=7)) == []


def test_every_part_consists_of_whole_windows() -> None:
    for key in (KEY, COMMODITY):
        for start_ms, end_ms in TIMES.spans(key, MONDAY, MONDAY + 7 * DAY_MS):
            assert start_ms % WINDOW_MS == end_ms % WINDOW_MS == 0
