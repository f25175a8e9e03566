"""Decides whether the trading day of an order at Upstox is over."""

from typing import Final

from services.trading.orders.broker_report import BrokerState
from services.trading.orders.order import Order
from shared.market.exchange_calendar import Calendar
from shared.market.exchange_time import DAY_MS, MINUTE_MS, day_start

_AFTER_MIDNIGHT_MS: Final = 6 * 60 * MINUTE_MS
"""Commodities trade until 23:55, and an order may be listed late."""
_MAX_DAYS_WITHOUT_SESSION: Final = 14


class OrderDays:
    """An order ends with a session: the one it was placed in, else the next one."""

    def __init__(self, calendar: Calendar) -> None:
        self._calendar = calendar

    def is_over(self, order: Order, now_ms: int, *, since_ms: int = 0) -> bool:
        """Whether nothing of the order can be filled any more, for at least `since_ms`.

        It is over at 06:00 IST of the day after the session.
        """
        return now_ms >= self._day_ms(order) + DAY_MS + _AFTER_MIDNIGHT_MS + since_ms

    def _day_ms(self, order: Order) -> int:
        """00:00 IST of the day of its session."""
        report = order.report
        if report is not None and report.state is not BrokerState.RECEIVED:
            return day_start(report.at_ms)  # it was at the exchange
        reported_ms = 0 if report is None else report.at_ms
        newest_ms = max(order.created_at_ms, reported_ms)
        return self._session_day_ms(order.terms.key.partition("|")[0], newest_ms)

    def _session_day_ms(self, segment: str, at_ms: int) -> int:
        """00:00 IST of the day of the first session that ends after `at_ms`."""
        for days in range(_MAX_DAYS_WITHOUT_SESSION):
            session = self._calendar.session(segment, at_ms + days * DAY_MS)
            if session is not None and at_ms < session[1]:
                return day_start(at_ms) + days * DAY_MS
        return day_start(at_ms) + _MAX_DAYS_WITHOUT_SESSION * DAY_MS
