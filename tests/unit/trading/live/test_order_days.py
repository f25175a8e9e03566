"""The day of an order is over at six in the morning after the session in which it can be filled."""

import pytest

from services.trading.live.order_days import OrderDays
from services.trading.orders import events
from services.trading.orders.broker_report import BrokerReport, BrokerState
from services.trading.orders.order import Order, fold
from shared.contracts.order_terms import Account, Product, Side, Terms
from shared.market.exchange_calendar import Calendar
from shared.market.exchange_time import DAY_MS
from tests.support.builders import KEY, MONDAY_10_00
from tests.support.upstox_book_rows import LIMIT_99

HOUR_MS = 3_600_000
FRIDAY_10_00 = MONDAY_10_00 + 4 * DAY_MS
"""The Tuesday before is a holiday."""
COMMODITY = "MCX_FO|466583"


def placed(at_ms: int, key: str = KEY) -> Order:
    terms = Terms(Account.UPSTOX, key, Side.BUY, Product.INTRADAY, LIMIT_99)
    return fold([events.Intended(at_ms=at_ms, order_id="o1", user_id="u1", terms=terms)])


def is_over(order: Order, at_ms: int) -> bool:
    return OrderDays(Calendar()).is_over(order, at_ms)


@pytest.mark.parametrize(
    ("placed_at_ms", "key", "over_at_ms"),
    [
        (MONDAY_10_00, KEY, MONDAY_10_00 + 20 * HOUR_MS),
        (MONDAY_10_00 - 2 * HOUR_MS, KEY, MONDAY_10_00 + 20 * HOUR_MS),
        (MONDAY_10_00 + 8 * HOUR_MS, KEY, MONDAY_10_00 + 68 * HOUR_MS),
        (FRIDAY_10_00 + 8 * HOUR_MS, KEY, FRIDAY_10_00 + 3 * DAY_MS + 20 * HOUR_MS),
        (FRIDAY_10_00 + DAY_MS, KEY, FRIDAY_10_00 + 3 * DAY_MS + 20 * HOUR_MS),
        (MONDAY_10_00 + 8 * HOUR_MS, COMMODITY, MONDAY_10_00 + 20 * HOUR_MS),
        (MONDAY_10_00, "12345", MONDAY_10_00 + 20 * HOUR_MS),
    ],
    ids=[
        "in session",
        "before it",
        "before a holiday",
        "friday evening",
        "saturday",
        "evening session",
        "no segment",
    ],
)
def test_an_order_is_of_the_session_that_it_was_placed_in_or_of_the_next(
    placed_at_ms: int, key: str, over_at_ms: int
) -> None:
    order = placed(placed_at_ms, key)
    assert not is_over(order, over_at_ms - 1)
    assert is_over(order, over_at_ms)


def test_a_later_report_makes_an_order_one_of_a_later_day() -> None:
    order = placed(MONDAY_10_00)
    wednesday_ms = MONDAY_10_00 + 2 * DAY_MS
    report = BrokerReport("b1", BrokerState.RECEIVED, wednesday_ms)
    order = order.apply(events.Reported(at_ms=wednesday_ms, report=report))
    assert not is_over(order, MONDAY_10_00 + 20 * HOUR_MS)
    assert is_over(order, wednesday_ms + 20 * HOUR_MS)


def test_an_order_that_was_at_the_exchange_is_of_that_day() -> None:
    """The closing auction reports after the session."""
    order = placed(MONDAY_10_00 + 8 * HOUR_MS)
    report = BrokerReport("b1", BrokerState.WORKING, MONDAY_10_00 + round(5.6 * HOUR_MS))
    order = order.apply(events.Reported(at_ms=MONDAY_10_00 + 8 * HOUR_MS, report=report))
    assert is_over(order, MONDAY_10_00 + 20 * HOUR_MS)


def test_an_order_can_be_asked_to_be_over_for_a_time() -> None:
    order, days = placed(MONDAY_10_00), OrderDays(Calendar())
    over_ms = MONDAY_10_00 + 20 * HOUR_MS
    assert not days.is_over(order, over_ms + DAY_MS - 1, since_ms=DAY_MS)
    assert days.is_over(order, over_ms + DAY_MS, since_ms=DAY_MS)
