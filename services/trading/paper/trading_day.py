"""The times of one instrument's trading day: auctions, continuous trading, end of DAY orders."""

from dataclasses import dataclass
from typing import Final

from shared.market.exchange_calendar import Calendar, exchange_of
from shared.market.exchange_sessions import session_rule
from shared.market.exchange_time import DAY_MS, MINUTE_MS, ist_date

_MAX_DAYS_WITHOUT_SESSION: Final = 14
_CLOSING_RANDOM_END_MS: Final = 2 * MINUTE_MS
"""The order entry of the closing auction ends at random in the last two minutes of the session."""


@dataclass(frozen=True, slots=True)
class TradingDay:
    """Epoch ms; the ends are exclusive."""

    start_ms: int
    """Start of continuous trading."""
    continuous_end_ms: int
    """End of continuous trading. Stops that were not triggered end here."""
    end_ms: int
    """When DAY orders end: after the closing auction, if the instrument has one."""
    closing_entry_end_ms: int
    opening_entry_ms: tuple[int, int] | None
    """Order entry of the opening auction; None without one."""

    def is_continuous(self, at_ms: int) -> bool:
        """Whether it is continuous trading."""
        return self.start_ms <= at_ms < self.continuous_end_ms


def trading_day(
    calendar: Calendar, segment: str, at_ms: int, *, has_derivatives: bool
) -> TradingDay | None:
    """The trading day of `at_ms`; None on a day without a session.

    `has_derivatives`: of a share. It decides whether there is a closing auction.
    """
    session = calendar.session(segment, at_ms)
    if session is None:
        return None
    start_ms, end_ms = session
    rule = session_rule(exchange_of(segment), ist_date(at_ms))
    opening = None
    if rule.pre_open is not None:
        before, until = rule.pre_open
        opening = start_ms - before * MINUTE_MS, start_ms - until * MINUTE_MS
    usual = rule.hours[1] - rule.hours[0]
    if (
        not has_derivatives
        or rule.closing_auction is None
        or end_ms - start_ms != usual * MINUTE_MS
    ):
        return TradingDay(start_ms, end_ms, end_ms, end_ms, opening)
    begins, reported = rule.closing_auction
    return TradingDay(
        start_ms=start_ms,
        continuous_end_ms=end_ms + begins * MINUTE_MS,
        end_ms=end_ms + reported * MINUTE_MS,
        closing_entry_end_ms=end_ms - _CLOSING_RANDOM_END_MS,
        opening_entry_ms=opening,
    )


def order_end_ms(
    calendar: Calendar, segment: str, arrival_ms: int, *, has_derivatives: bool, is_waiting: bool
) -> int:
    """When a DAY order ends: with the first session that has not ended at its arrival.

    An order that was accepted before the end and arrives just after it belongs to the same session.
    `is_waiting`: the order is a stop that was not triggered.
    """
    for days in range(_MAX_DAYS_WITHOUT_SESSION):
        at_ms = arrival_ms + days * DAY_MS
        day = trading_day(calendar, segment, at_ms, has_derivatives=has_derivatives)
        if day is None:
            continue
        end_ms = day.continuous_end_ms if is_waiting else day.end_ms
        if arrival_ms < end_ms + MINUTE_MS:
            return end_ms
    return arrival_ms + _MAX_DAYS_WITHOUT_SESSION * DAY_MS
