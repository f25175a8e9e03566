"""The square-off of each segment."""

import pytest

from services.trading.risk.square_off import square_off_ms
from shared.market.exchange_calendar import Calendar
from tests.support.proposals import at


@pytest.mark.parametrize(
    ("segment", "has_derivatives", "time"),
    [
        ("NSE_EQ", True, "15:05"),
        ("NSE_EQ", False, "15:12"),
        ("BSE_EQ", False, "15:12"),
        ("NSE_FO", False, "15:20"),
        ("BSE_FO", False, "15:20"),
        ("NCD_FO", False, "16:30"),
        ("MCX_FO", False, "23:15"),  # New York has winter time: the session ends at 23:55
    ],
)
def test_intraday_positions_are_squared_off_before_the_session_ends(
    segment: str, has_derivatives: bool, time: str
) -> None:
    session = Calendar().session(segment, at("11:00"))
    assert session is not None
    assert square_off_ms(segment, session[1], has_derivatives=has_derivatives) == at(time)
