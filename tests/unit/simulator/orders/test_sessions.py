"""The trading sessions of an instrument follow from its segment."""

import pytest

from services.simulator.orders.sessions import Sessions
from shared.market.exchange_calendar import Phase
from tests.support.builders import MONDAY_10_00
from tests.support.order_managers import KEY, OrderManagerHarness

HOUR_MS = 3_600_000


@pytest.fixture
def sessions(harness: OrderManagerHarness) -> Sessions:
    return Sessions(harness.states, harness.calendar)


def test_a_share_is_traded_at_ten(sessions: Sessions) -> None:
    assert sessions.phase(KEY, MONDAY_10_00) is Phase.NORMAL_OPEN
    assert sessions.is_trading(KEY, MONDAY_10_00)
    assert not sessions.is_over(KEY, MONDAY_10_00)
    assert not sessions.in_closing_auction(KEY, MONDAY_10_00)


def test_a_share_is_not_traded_at_six_in_the_evening(sessions: Sessions) -> None:
    evening = MONDAY_10_00 + 8 * HOUR_MS
    assert not sessions.is_trading(KEY, evening)
    assert sessions.is_over(KEY, evening)


def test_the_order_service_is_closed_at_night(sessions: Sessions) -> None:
    assert sessions.service_hours_open(MONDAY_10_00)
    assert not sessions.service_hours_open(MONDAY_10_00 - 6 * HOUR_MS)
