"""Calls about the exchanges' hours: status, timings, holidays."""

from typing import Any, Final

from aiohttp import web

from services.simulator.access.tokens import TokenStore
from services.simulator.api.authentication import authenticate
from services.simulator.api.envelope import success
from services.simulator.errors import ApiError, ErrorCode
from services.simulator.market.market import Market
from services.simulator.market.simulated_calendar import Holiday, Timing
from services.simulator.market_data.candle_query import parse_day
from shared.market.exchange_sessions import EXCHANGES
from shared.market.exchange_time import ist_date

_CASH_EXCHANGES: Final = frozenset({"NSE", "BSE"})
_SEGMENTS: Final = {
    "NSE": "NSE_EQ",
    "NFO": "NSE_FO",
    "CDS": "NCD_FO",
    "NSCOM": "NSE_COM",
    "BSE": "BSE_EQ",
    "BFO": "BSE_FO",
    "BCD": "BCD_FO",
    "MCX": "MCX_FO",
}
"""The segment whose halts an exchange's status shows."""


class CalendarRoutes:
    """Calls about the market's calendar; only the status requires a token."""

    def __init__(self, market: Market, tokens: TokenStore) -> None:
        self._market = market
        self._calendar = market.calendar
        self._tokens = tokens

    def routes(self) -> list[web.RouteDef]:
        """All routes."""
        return [
            web.get("/v2/market/status/{exchange}", self.status),
            web.get("/v2/market/timings/{date}", self.timings),
            web.get("/v2/market/holidays", self.holidays),
            web.get("/v2/market/holidays/{date}", self.holiday),
        ]

    async def status(self, request: web.Request) -> web.Response:
        """The trading phase of an exchange. Raises ApiError."""
        authenticate(request, self._tokens)
        exchange = request.match_info["exchange"]
        if exchange not in EXCHANGES:
            raise ApiError(
                ErrorCode.INVALID_INPUT,
                f"Exchange accepts one of ({','.join(EXCHANGES)})",
                path="exchange",
                value=exchange,
            )
        now_ms = self._market.now_ms
        data: dict[str, Any] = {
            "exchange": exchange,
            "status": self._calendar.phase(_SEGMENTS[exchange], now_ms).value,
            "last_updated": now_ms,
        }
        if exchange in _CASH_EXCHANGES:
            stage = self._calendar.closing_auction(exchange, now_ms)
            if stage is not None:
                data["cas_eligible_status"] = stage[0]
        return success(data)

    async def timings(self, request: web.Request) -> web.Response:
        """The trading hours of each exchange on a day, empty on a holiday. Raises ApiError."""
        day = parse_day(request.match_info["date"], "date")
        return success([_hours(timing) for timing in self._calendar.timings(day)])

    async def holidays(self, _: web.Request) -> web.Response:
        """The holidays of the current year."""
        year = ist_date(self._market.now_ms).year
        return success([_holiday(holiday) for holiday in self._calendar.holidays(year)])

    async def holiday(self, request: web.Request) -> web.Response:
        """The holiday on a day, empty on an ordinary day. Raises ApiError."""
        day = parse_day(request.match_info["date"], "date")
        holidays = [holiday for holiday in self._calendar.holidays(day.year) if holiday.day == day]
        return success([_holiday(holiday) for holiday in holidays])


def _hours(timing: Timing) -> dict[str, Any]:
    return {
        "exchange": timing.exchange,
        "start_time": timing.start_ms,
        "end_time": timing.end_ms,
    }


def _holiday(holiday: Holiday) -> dict[str, Any]:
    return {
        "date": holiday.day.isoformat(),
        "description": holiday.description,
        "holiday_type": holiday.kind.value,
        "closed_exchanges": list(holiday.closed),
        "open_exchanges": [_hours(timing) for timing in holiday.open],
    }
