"""A market without closing hours is open at all times, and has no square-off."""

import pytest

from services.trading.paper.always_open import AlwaysOpenCalendar
from services.trading.risk.square_off import square_off_ms
from shared.market.exchange_calendar import Phase
from shared.market.exchange_time import DAY_MS, day_start
from tests.support.builders import MONDAY_10_00

SUNDAY_03_00 = MONDAY_10_00 - DAY_MS - 7 * 3_600_000


@pytest.mark.parametrize("segment", ["NSE_EQ", "BSE_FO", "MCX_FO", "NCD_FO"])
@pytest.mark.parametrize("at_ms", [MONDAY_10_00, SUNDAY_03_00])
def test_every_segment_is_open_at_all_times(segment: str, at_ms: int) -> None:
    calendar = AlwaysOpenCalendar()
    assert calendar.phase(segment, at_ms) is Phase.NORMAL_OPEN


@pytest.mark.parametrize("segment", ["NSE_EQ", "BSE_FO", "MCX_FO", "NCD_FO"])
@pytest.mark.parametrize("has_derivatives", [False, True])
def test_no_square_off_is_due_until_the_day_ends(segment: str, has_derivatives: bool) -> None:
    session = AlwaysOpenCalendar().session(segment, MONDAY_10_00)
    assert session is not None
    midnight_ms = day_start(MONDAY_10_00)
    assert session[0] == midnight_ms
    due_ms = square_off_ms(segment, session[1], has_derivatives=has_derivatives)
    assert due_ms >= midnight_ms + DAY_MS
