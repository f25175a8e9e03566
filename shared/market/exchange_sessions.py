"""The usual trading hours of each exchange, as dated rules with their sources. Pure."""

from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Final
from zoneinfo import ZoneInfo

EXCHANGES: Final = ("NSE", "NFO", "CDS", "NSCOM", "BSE", "BFO", "BCD", "MCX")
"""Upstox's names of exchanges in timings and holidays."""
SHARES: Final = frozenset({"NSE", "BSE"})
EQUITY_DERIVATIVES: Final = frozenset({"NFO", "BFO"})
CURRENCIES: Final = frozenset({"CDS", "BCD"})
COMMODITIES: Final = frozenset({"MCX", "NSCOM"})

Minutes = tuple[int, int]
"""Start and end (exclusive) of a period, in minutes after a time: 00:00 IST if none is named."""

_NEW_YORK: Final = ZoneInfo("America/New_York")
_NOON: Final = time(12)


@dataclass(frozen=True, slots=True)
class SessionRule:
    """The usual hours of some exchanges from a day on, until a later rule."""

    exchanges: frozenset[str]
    since: date
    hours: Minutes
    """Continuous trading."""
    source: str
    pre_open: Minutes | None = None
    """Order entry of the opening auction, in minutes BEFORE the start of `hours`."""
    trades_until: int = 0
    """Minutes after the end of `hours` for which trades can be reported: auction, post-close."""
    post_close: Minutes | None = None
    """The session at the closing price, in minutes after the end of `hours`."""
    closing_auction: Minutes | None = None
    """Shares with derivatives: from the end of their continuous trading until the auction's match
    is reported, in minutes after the end of `hours` (negative: before it)."""


_FIRST_DAY: Final = date(1990, 1, 1)
_CLOSING_AUCTION_DAY: Final = date(2026, 8, 3)
_NEW_PRE_OPEN_DAY: Final = date(2026, 9, 7)
_SHARE_HOURS: Final[Minutes] = (9 * 60 + 15, 15 * 60 + 30)

# For each exchange the oldest rule comes first.
SESSION_RULES: Final = (
    SessionRule(
        SHARES, _FIRST_DAY, _SHARE_HOURS,
        source="NSE, Market Timings & Holidays: order entry 09:00 to 09:08, closing session"
        " 15:40 to 16:00; BSE alike",
        pre_open=(15, 7), post_close=(10, 30), trades_until=30,
    ),
    # Shares with derivatives trade until 15:15, then in the auction, whose match is reported by
    # 15:35. All other shares trade until 15:30.
    SessionRule(
        SHARES, _CLOSING_AUCTION_DAY, _SHARE_HOURS,
        source="SEBI circular of 2026-01-16 on the closing auction; NSE CMTR/73362,"
        " BSE 20260610-41: post-close session 15:50 to 16:00",
        pre_open=(15, 7), post_close=(20, 30), trades_until=30, closing_auction=(-15, 5),
    ),
    SessionRule(
        SHARES, _NEW_PRE_OPEN_DAY, _SHARE_HOURS,
        source="the same circulars: from 2026-09-07 order entry of the pre-open ends at random"
        " between 09:08 and 09:10, matching until 09:12",
        pre_open=(15, 5), post_close=(20, 30), trades_until=30, closing_auction=(-15, 5),
    ),
    SessionRule(
        EQUITY_DERIVATIVES, _FIRST_DAY, _SHARE_HOURS,
        source="NSE, Market Timings & Holidays (derivatives); BSE alike",
        pre_open=(15, 7),
    ),
    SessionRule(
        EQUITY_DERIVATIVES, _CLOSING_AUCTION_DAY, (9 * 60 + 15, 15 * 60 + 40),
        source="NSE circular 74/2026 of 2026-05-30: close at 15:40. For BSE no circular was found;"
        " it is assumed to follow",
        pre_open=(15, 7),
    ),
    SessionRule(
        CURRENCIES, _FIRST_DAY, (9 * 60, 17 * 60),
        source="NSE, Market Timings & Holidays (currency derivatives); BSE alike",
    ),
    # Agricultural contracts close at 17:00 or 21:00. The calendar has no hours per contract.
    SessionRule(
        COMMODITIES, _FIRST_DAY, (9 * 60, 23 * 60 + 30),
        source="MCX, Trade Timings: 09:00 to 23:30, and to 23:55 while New York has winter time"
        " (`commodity_close`); NSE's commodity segment alike",
    ),
)  # fmt: skip

_RULES: Final = {
    exchange: tuple(rule for rule in SESSION_RULES if exchange in rule.exchanges)
    for exchange in EXCHANGES
}


def session_rule(exchange: str, day: date) -> SessionRule:
    """The rule of an exchange on a day. An exchange that is not listed has the rule of shares."""
    rules = _RULES.get(exchange) or _RULES["NSE"]
    return next(rule for rule in reversed(rules) if rule.since <= day or rule is rules[0])


def usual_hours(exchange: str, day: date) -> Minutes:
    """Continuous trading of an exchange on a day that is an ordinary trading day."""
    start, end = session_rule(exchange, day).hours
    return (start, commodity_close(day)) if exchange in COMMODITIES else (start, end)


def commodity_close(day: date) -> int:
    """The end of the commodity session: 23:30, or 23:55 while New York has winter time."""
    is_winter = not datetime.combine(day, _NOON, _NEW_YORK).dst()
    return 23 * 60 + (55 if is_winter else 30)
