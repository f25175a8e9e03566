"""Bars of each interval are aligned to the session of their exchange."""

import pytest

from services.persister.storage.history_reader import interval_offset_ms
from shared.contracts.history import Interval
from shared.market.exchange_time import DAY_MS, MINUTE_MS, day_start
from tests.support.builders import MONDAY_10_00

MIDNIGHT = day_start(MONDAY_10_00)


@pytest.mark.parametrize(
    ("key", "interval", "opens"),
    [
        ("NSE_EQ|INE002A01018", Interval.FIFTEEN_MINUTES, 9 * 60 + 15),
        ("NSE_FO|1", Interval.HOUR, 9 * 60 + 15),
        ("BSE_INDEX|SENSEX", Interval.HOUR, 9 * 60 + 15),
        ("MCX_FO|1", Interval.HOUR, 9 * 60),
        ("NCD_FO|1", Interval.HOUR, 9 * 60),
        ("NSE_EQ|INE002A01018", Interval.DAY, 0),
        ("MCX_FO|1", Interval.DAY, 0),
    ],
)
def test_a_bar_starts_with_the_session_and_a_day_at_midnight(
    key: str, interval: Interval, opens: int
) -> None:
    length_ms = {"15m": 15 * MINUTE_MS, "1h": 60 * MINUTE_MS, "1d": DAY_MS}[interval]
    offset_ms = interval_offset_ms(key, interval)
    assert 0 <= offset_ms < length_ms
    assert (MIDNIGHT + opens * MINUTE_MS - offset_ms) % length_ms == 0
