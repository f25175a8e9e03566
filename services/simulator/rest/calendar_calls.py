"""The calls for the exchanges' hours: status now, timings of a day, holidays."""

from http import HTTPStatus
from typing import Any, Final

from aiohttp import web

from services.simulator.envelope import INVALID_INPUT, refuse, success
from services.simulator.market.market import Market
from services.simulator.market.simulated_calendar import Holiday, Timing
from services.simulator.rest.candle_query import day_of
from services.simulator.tokens import Tokens
from shared.market.exchange_holidays import EXCHANGES
from shared.market.exchange_time import ist_date

_CASH: Final = frozenset({"NSE", "BSE"})


class CalendarCalls:
    """What the market's calendar says; only the status asks for a token."""

    def __init__(self, market: Market, tokens: Tokens) -> None:
        self._market = market
        self._calendar = market.calendar
        self._tokens = tokens

    def routes(self) -> list[web.RouteDef]:
        """All four."""
        return [
            web.get("/v2/market/status/{exchange}", self.status),
            web.get("/v2/market/timings/{date}", self.timings),
            web.get("/v2/market/holidays", self.holidays),
            web.get("/v2/market/holidays/{date}", self.holiday),
        ]

    async def status(self, request: web.Request) -> web.Response:
        """The phase an exchange is in. Raises Refusal."""
        self._tokens.bearer(request)
        exchange = request.match_info["exchange"]
        if exchange not in EXCHANGES:
            raise refuse(
                HTTPStatus.BAD_REQUEST,
                INVALID_INPUT,
                f"Exchange accepts one of ({','.join(EXCHANGES)})",
                path="exchange",
                value=exchange,
            )
        now_ms = self._market.now_ms
        told: dict[str, Any] = {
            "exchange": exchange,
            "status": self._calendar.phase(exchange, now_ms).value,
            "last_updated": now_ms,
        }
        stage = self._calendar.closing_auction(exchange, now_ms) if exchange in _CASH else None
        if stage is not None:
            told["cas_eligible_status"] = stage[0]
        return success(told)

    async def timings(self, request: web.Request) -> web.Response:
        """Who trades when on a day; empty if nobody does. Raises Refusal."""
        day = day_of(request.match_info["date"], "date")
        return success([_hours(timing) for timing in self._calendar.timings(day)])

    async def holidays(self, _: web.Request) -> web.Response:
        """Those of this year."""
        year = ist_date(self._market.now_ms).year
        return success([_holiday(holiday) for holiday in self._calendar.holidays(year)])

    async def holiday(self, request: web.Request) -> web.Response:
        """What a day is; empty if it is an ordinary one. Raises Refusal."""
        day = day_of(request.match_info["date"], "date")
        found = [holiday for holiday in self._calendar.holidays(day.year) if holiday.day == day]
        return success([_holiday(holiday) for holiday in found])


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
