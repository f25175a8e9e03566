"""Ends the trading days of paper accounts: deliveries are settled, and the next day begins."""

from decimal import Decimal
from typing import Final

from services.trading.journal.entry import DayEnded
from services.trading.journal.record import Record
from services.trading.partition.ledger import Ledger
from services.trading.portfolio.account import PaperAccount
from shared.market.exchange_calendar import Calendar
from shared.market.exchange_time import DAY_MS, day_start, ist_date, trading_day

_SETTLING_SEGMENT: Final = "NSE_EQ"
"""Its sessions are the trading days of deliveries."""
_MAX_DAYS_AWAY: Final = 14
"""After a longer outage, the days before are not ended one by one."""


class DayEnds:
    """Looks at all accounts once on each calendar day, before anything else happens on it."""

    def __init__(self, ledger: Ledger, calendar: Calendar) -> None:
        self._ledger = ledger
        self._calendar = calendar
        self._today = -1

    def due(self) -> list[Record]:
        """End the days that are over; returns the records to append."""
        now_ms = self._ledger.broker.time_ms
        today = trading_day(now_ms)
        if not now_ms or today == self._today:
            return []
        self._today = today
        ended = self._ended_days(now_ms)
        records: list[Record] = []
        for account in list(self._ledger.accounts()):
            for day, end_ms in ended:
                records += self._end_day(account, day, end_ms, now_ms)
        return records

    def _ended_days(self, now_ms: int) -> list[tuple[str, int]]:
        """The last trading days before today, the oldest first, with their ends in epoch ms."""
        midnight_ms = day_start(now_ms)
        days_ms = (midnight_ms - days * DAY_MS for days in range(_MAX_DAYS_AWAY, 0, -1))
        return [
            (ist_date(day_ms).isoformat(), day_ms + DAY_MS)
            for day_ms in days_ms
            if self._calendar.session(_SETTLING_SEGMENT, day_ms) is not None
        ]

    def _end_day(self, account: PaperAccount, day: str, end_ms: int, now_ms: int) -> list[Record]:
        """End one trading day, unless it has ended or nothing is of it.

        After an outage of days, each of them ends, so that deliveries arrive when they would have.
        """
        is_later = account.day_began_ms >= end_ms
        if account.ended_day >= day or is_later or account.is_settled:
            return []
        marks: dict[str, Decimal] = {}
        for booked in account.open_positions():
            key = booked.instrument.key
            price = self._ledger.broker.ltp(key)
            price = account.mark(key) if price is None else price
            if price is not None:
                marks[key] = price
        body = DayEnded(day=day, at_ms=now_ms, marks=marks)
        return [self._ledger.record(account.user_id, body)]
