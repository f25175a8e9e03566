"""The calls for candles: of days that are over, and of today; they ask for no token."""

import asyncio
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from aiohttp import web

from services.simulator.envelope import success
from services.simulator.market.candles import Candles
from services.simulator.market.history import midnight_ms
from services.simulator.market.market import Market
from services.simulator.market.state import Candle
from services.simulator.rest import merge
from services.simulator.rest.candle_query import (
    Interval,
    Unit,
    interval_of,
    range_of,
    v2_interval,
    v2_range,
)
from services.simulator.rest.keys import unknown_key
from shared.market.exchange_time import DAY_MS, IST, day_start, ist_date


class CandleCalls:
    """Candles of both versions, newest first; a minute without a trade has none."""

    def __init__(self, market: Market, candles: Candles) -> None:
        self._market = market
        self._candles = candles
        self._calendar = market.calendar

    def routes(self) -> list[web.RouteDef]:
        """Intraday first: to the other paths it would be a key."""
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
        """Without today, whose candles are not done. Raises Refusal."""
        asked = request.match_info
        key = self._known(asked["key"])
        interval = interval_of(asked["unit"], asked["interval"])
        first, last = range_of(interval, asked["to"], asked.get("from"))
        return _answer(await self._past(key, interval, first, last))

    async def past_v2(self, request: web.Request) -> web.Response:
        """The same by the older names. Raises Refusal."""
        asked = request.match_info
        key = self._known(asked["key"])
        interval = v2_interval(asked["interval"])
        first, last = v2_range(asked["interval"], asked["to"], asked.get("from"))
        return _answer(await self._past(key, interval, first, last))

    async def today_v3(self, request: web.Request) -> web.Response:
        """Today's, with the one that is running. Raises Refusal."""
        asked = request.match_info
        key = self._known(asked["key"])
        return _answer(
            self._today(key, interval_of(asked["unit"], asked["interval"], intraday=True))
        )

    async def today_v2(self, request: web.Request) -> web.Response:
        """The same by the older names. Raises Refusal."""
        asked = request.match_info
        key = self._known(asked["key"])
        return _answer(self._today(key, v2_interval(asked["interval"], intraday=True)))

    def _known(self, key: str) -> str:
        if key not in self._market.states:
            raise unknown_key(key)
        return key

    async def _past(self, key: str, interval: Interval, first: date, last: date) -> list[Candle]:
        if interval.minutes is not None:
            to_ms = min(midnight_ms(last) + DAY_MS, day_start(self._market.now_ms))
            found: list[Candle] = []
            for from_ms in range(midnight_ms(first), to_ms, DAY_MS):
                rows = self._candles.minutes(key, from_ms, min(from_ms + DAY_MS, to_ms))
                found += self._merged(key, interval, rows)
                await asyncio.sleep(0)  # a year of minutes takes half a second
            return found
        return self._merged(key, interval, self._candles.days(key, first, last))

    def _today(self, key: str, interval: Interval) -> list[Candle]:
        now_ms = self._market.now_ms
        if interval.minutes is None:
            today = ist_date(now_ms)
            return self._candles.days(key, today, today, running=True)
        rows = self._candles.minutes(key, day_start(now_ms), now_ms + 1, running=True)
        return self._merged(key, interval, rows)

    def _merged(self, key: str, interval: Interval, rows: Sequence[Candle]) -> list[Candle]:
        match interval:
            case Interval(Unit.MINUTES | Unit.DAYS, 1):
                return list(rows)
            case Interval(Unit.WEEKS):
                return merge.merge(rows, merge.week)
            case Interval(Unit.MONTHS):
                return merge.merge(rows, merge.month)
        segment = self._market.states[key].instrument.segment
        return merge.merge(rows, merge.within_day(self._calendar, segment, interval.minutes or 1))


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
