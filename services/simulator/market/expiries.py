"""Expiry dates of contracts, computed from the exchanges' rules.

NSE's monthly contracts expire on the last Tuesday of the month and NIFTY's weekly contracts on
every Tuesday, both at 15:30 IST. MCX's contracts expire on a fixed day of the month, at 23:30
IST. If the exchange is closed on that day, the expiry is the trading day before.
"""

from calendar import monthrange
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import islice
from typing import Final

from services.simulator.market.simulated_calendar import next_trading_day
from shared.market.exchange_time import MINUTE_MS, midnight_ms

_TUESDAY: Final = 1
_CLOSE_MINUTES: Final = {"NSE": 15 * 60 + 30, "MCX": 23 * 60 + 30}


def last_tuesdays(first: date, count: int) -> list[date]:
    """The next `count` monthly expiries on NSE, from `first` on."""
    return _next_expiries(first, count, (_last_tuesday(month) for month in _months(first)), "NSE")


def tuesdays(first: date, count: int) -> list[date]:
    """The next `count` weekly expiries on NSE, from `first` on."""
    start = first + timedelta(days=(_TUESDAY - first.weekday()) % 7)
    weeks = (start + timedelta(weeks=number) for number in range(count + 1))
    return _next_expiries(first, count, weeks, "NSE")


def days_of_month(first: date, count: int, day: int) -> list[date]:
    """The next `count` expiries on MCX of a commodity that expires on this day of the month."""
    days = (month.replace(day=day) for month in _months(first))
    return _next_expiries(first, count, days, "MCX")


def last_moment_ms(exchange: str, expiry: date) -> int:
    """The end of trading of a contract that expires on this day, epoch ms."""
    return midnight_ms(expiry) + _CLOSE_MINUTES[exchange] * MINUTE_MS


def _next_expiries(first: date, count: int, days: Iterator[date], exchange: str) -> list[date]:
    trading_days = (next_trading_day(exchange, day, step=-1) for day in days)
    return list(islice((day for day in trading_days if day >= first), count))


def _months(first: date) -> Iterator[date]:
    month = first.replace(day=1)
    while True:
        yield month
        month = (month + timedelta(days=31)).replace(day=1)


def _last_tuesday(month: date) -> date:
    last = month.replace(day=monthrange(month.year, month.month)[1])
    return last - timedelta(days=(last.weekday() - _TUESDAY) % 7)
