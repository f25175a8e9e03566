"""A market without closing hours is open at all times, in days from midnight to midnight."""

import pytest

from services.trading.paper.always_open import AlwaysOpenCalendar
from shared.market.exchange_calendar import Phase
from shared.market.exchange_time import DAY_MS, day_start
from tests.support.builders import MONDAY_10_00

SUNDAY_03_00 = MONDAY_10_00 - DAY_MS - 7 * 3_600_000


@pytest.mark.parametrize("segment", ["NSE_EQ", "BSE_FO", "MCX_FO", "NCD_FO"])
@pytest.mark.parametrize("at_ms", [MONDAY_10_00, SUNDAY_03_00])
def test_every_segment_is_open_at_all_times(segment: str, at_ms: int) -> None:
    calendar = AlwaysOpenCalendar()
    assert calendar.phase(segment, at_ms) is Phase.NORMAL_OPEN
    midnight_ms = day_start(at_ms)
    assert calendar.session(segment, at_ms) == (midnight_ms, midnight_ms + DAY_MS)
