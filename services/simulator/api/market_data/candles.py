"""Calls for candles of past days and of the running day; they require no token."""

import asyncio
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from aiohttp import web

from services.simulator.api.envelope import success
from services.simulator.errors import ApiError, ErrorCode
from services.simulator.market.candles import Candles
from services.simulator.market.market import Market
from services.simulator.market.state import Candle
from services.simulator.market_data.candle_query import (
    CandleInterval,
    CandleUnit,
    interval_of,
    range_of,
    v2_interval,
    v2_range,
)
from services.simulator.market_data.instrument_keys import is_well_formed, unknown_key
from services.simulator.market_data.resample import intraday, monthly, resample, weekly
from shared.market.exchange_time import DAY_MS, IST, day_start, ist_date, midnight_ms


class CandleRoutes:
    """Candles, newest first; a minute without a trade has none. All calls raise ApiError."""

    def __init__(self, market: Market, candles: Candles) -> None:
        self._market = market
        self._candles = candles
        self._calendar = market.calendar

    def routes(self) -> list[web.RouteDef]:
        """All routes; ``intraday`` first, because the other paths would match it as a key."""
        v2, v3 = "/v2/historical-candle", "/v3/historical-candle"
        return [
            web.get(v3 + "/intraday/{key}/{unit}/{interval}", self.today_v3),
            web.get(v3 + "/{key}/{unit}/{interval}/{to}", self.past_v3),
            web.get(v3 + "/{key}/{unit}/{interval}/{to}/{from}", self.past_v3),
            web.get(v2 + "/intraday/{key}/{interval}", self.today_v2),
            web.get(v2 + "/{key}/{interval}/{to}", self.past_v2),
            web.get(v2 + "/{key}/{interval}/{to}/{from}", self.past_v2),
        ]

    async def past_v3(self, request: web.Request) -> web.Response:
        """Candles of past days, without the running day."""
        path = request.match_info
        key = self._listed_key(path["key"])
        interval = interval_of(path["unit"], path["interval"])
        first, last = range_of(interval, path["to"], path.get("from"))
        return _answer(await self._past(key, interval, first, last))

    async def past_v2(self, request: web.Request) -> web.Response:
        """Candles of past days, with the interval names of v2."""
        path = request.match_info
        key = self._listed_key(path["key"])
        interval = v2_interval(path["interval"])
        first, last = v2_range(path["interval"], path["to"], path.get("from"))
        return _answer(await self._past(key, interval, first, last))

    async def today_v3(self, request: web.Request) -> web.Response:
        """Candles of the running day, with the running candle."""
        path = request.match_info
        key = self._listed_key(path["key"])
        interval = interval_of(path["unit"], path["interval"], intraday=True)
        return _answer(self._today(key, interval))

    async def today_v2(self, request: web.Request) -> web.Response:
        """Candles of the running day, with the interval names of v2."""
        path = request.match_info
        key = self._listed_key(path["key"])
        return _answer(self._today(key, v2_interval(path["interval"], intraday=True)))

    def _listed_key(self, key: str) -> str:
        if not is_well_formed(key):
            raise ApiError(
                ErrorCode.MALFORMED_INSTRUMENT_KEY,
                "Instrument key is of invalid format",
                path="instrument_key",
                value=key,
            )
        if key not in self._market.states:
            raise unknown_key(key)
        return key

    async def _past(
        self, key: str, interval: CandleInterval, first: date, last: date
    ) -> list[Candle]:
        if interval.minutes is None:
            return self._resample(key, interval, self._candles.days(key, first, last))
        to_ms = min(midnight_ms(last) + DAY_MS, day_start(self._market.now_ms))
        candles: list[Candle] = []
        for from_ms in range(midnight_ms(first), to_ms, DAY_MS):
            rows = self._candles.minutes(key, from_ms, min(from_ms + DAY_MS, to_ms))
            candles += self._resample(key, interval, rows)
            await asyncio.sleep(0)  # a year of minutes takes half a second
        return candles

    def _today(self, key: str, interval: CandleInterval) -> list[Candle]:
        now_ms = self._market.now_ms
        if interval.minutes is None:
            today = ist_date(now_ms)
            return self._candles.days(key, today, today, running=True)
        rows = self._candles.minutes(key, day_start(now_ms), now_ms + 1, running=True)
        return self._resample(key, interval, rows)

    def _resample(self, key: str, interval: CandleInterval, rows: Sequence[Candle]) -> list[Candle]:
        match interval:
            case CandleInterval(CandleUnit.MINUTES | CandleUnit.DAYS, 1):
                return list(rows)
            case CandleInterval(CandleUnit.WEEKS):
                return resample(rows, weekly)
            case CandleInterval(CandleUnit.MONTHS):
                return resample(rows, monthly)
        segment = self._market.states[key].instrument.segment
        return resample(rows, intraday(self._calendar, segment, interval.minutes or 1))


def _answer(candles: Sequence[Candle]) -> web.Response:
    return success({"candles": [_row(candle) for candle in reversed(candles)]})


def _row(candle: Candle) -> list[Any]:
    return [
        datetime.fromtimestamp(candle.start_ms / 1_000, IST).isoformat(),
        candle.open / 100,
        candle.high / 100,
        candle.low / 100,
        candle.close / 100,
        candle.volume,
        candle.oi,
    ]
