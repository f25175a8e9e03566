"""Calls for quotes, in versions 2 and 3; the answers are keyed by ``NSE_EQ:SYMBOL``."""

import asyncio
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any, Final

from aiohttp import web

from services.simulator.access.tokens import TokenStore
from services.simulator.api.authentication import authenticate
from services.simulator.api.envelope import success
from services.simulator.errors import ApiError, ErrorCode
from services.simulator.market.candles import Candles
from services.simulator.market.market import Market
from services.simulator.market.state import Candle, SimulatedState
from services.simulator.market_data import quotes
from services.simulator.market_data.instrument_keys import (
    V2_LTP_KEYS,
    V2_QUOTE_KEYS,
    V3_GREEKS_KEYS,
    V3_LTP_KEYS,
    V3_QUOTE_KEYS,
    KeyParameter,
    answer_name,
    requested_states,
)
from services.simulator.market_data.resample import intraday, resample
from shared.market.exchange_time import MINUTE_MS, day_start, ist_date

_YEAR: Final = timedelta(days=365)

CandlePair = tuple[Candle | None, Candle | None]
"""The last completed candle and the running candle; None if there is none."""


class QuoteRoutes:
    """Quotes from the market's present state; all calls raise ApiError."""

    def __init__(self, market: Market, candles: Candles, tokens: TokenStore) -> None:
        self._market = market
        self._candles = candles
        self._calendar = market.calendar
        self._tokens = tokens
        self._year_ranges: dict[str, tuple[int, tuple[int, int]]] = {}

    def routes(self) -> list[web.RouteDef]:
        """All routes."""
        return [
            web.get("/v3/market-quote/ltp", self.ltp),
            web.get("/v3/market-quote/ohlc", self.ohlc),
            web.get("/v3/market-quote/quotes", self.full),
            web.get("/v3/market-quote/option-greek", self.greeks),
            web.get("/v2/market-quote/ltp", self.ltp_v2),
            web.get("/v2/market-quote/ohlc", self.ohlc_v2),
            web.get("/v2/market-quote/quotes", self.full_v2),
        ]

    async def ltp(self, request: web.Request) -> web.Response:
        """Last price, last quantity, volume and previous close."""
        return _answer(self._requested(request, V3_LTP_KEYS), quotes.last_trade)

    async def ltp_v2(self, request: web.Request) -> web.Response:
        """The last price."""
        return _answer(self._requested(request, V2_LTP_KEYS), quotes.last_price)

    async def full(self, request: web.Request) -> web.Response:
        """Full quotes."""
        states = self._requested(request, V3_QUOTE_KEYS)
        for state in states:
            # Slow on the first request of the day: yield to the event loop after each.
            self._year_range(state)
            await asyncio.sleep(0)
        now_ms = self._market.now_ms
        return _answer(states, lambda state: quotes.full_v3(state, now_ms, self._year_range(state)))

    async def full_v2(self, request: web.Request) -> web.Response:
        """Full quotes with fewer fields."""
        now_ms = self._market.now_ms
        return _answer(
            self._requested(request, V2_QUOTE_KEYS), lambda state: quotes.full(state, now_ms)
        )

    async def greeks(self, request: web.Request) -> web.Response:
        """Greeks of options."""
        return _answer(self._requested(request, V3_GREEKS_KEYS), quotes.greeks)

    async def ohlc(self, request: web.Request) -> web.Response:
        """The last completed candle, null for interval `1d`, and the running candle."""
        states = self._requested(request, V3_LTP_KEYS)
        pair_of = self._pair_of(request)

        def row(state: SimulatedState) -> dict[str, Any]:
            completed, running = pair_of(state)
            return quotes.last_price(state) | {
                "prev_ohlc": quotes.ohlcv(completed),
                "live_ohlc": quotes.ohlcv(running),
            }

        return _answer(states, row)

    async def ohlc_v2(self, request: web.Request) -> web.Response:
        """The running candle, or before its first trade the last completed one."""
        states = self._requested(request, V2_LTP_KEYS)
        pair_of = self._pair_of(request)

        def row(state: SimulatedState) -> dict[str, Any]:
            completed, running = pair_of(state)
            return quotes.last_price(state) | {"ohlc": quotes.ohlc(running or completed)}

        return _answer(states, row)

    def _requested(self, request: web.Request, parameter: KeyParameter) -> list[SimulatedState]:
        authenticate(request, self._tokens)
        return requested_states(request.query, self._market.states, parameter)

    def _pair_of(self, request: web.Request) -> Callable[[SimulatedState], CandlePair]:
        """A function that returns the candles of the requested interval."""
        now_ms = self._market.now_ms
        match interval := request.query.get("interval"):
            case "1d":
                return lambda state: (None, state.day)
            case "I1":
                return lambda state: (state.last_minute(now_ms), state.running_minute(now_ms))
            case "I30":
                return self._half_hours
        raise ApiError(
            ErrorCode.INVALID_QUOTE_INTERVAL if interval else ErrorCode.MISSING_QUOTE_INTERVAL,
            "Interval accepts one of (1d,I1,I30)",
            path="interval",
            value=interval,
        )

    def _half_hours(self, state: SimulatedState) -> CandlePair:
        now_ms, key = self._market.now_ms, state.instrument.key
        start_of = intraday(self._calendar, state.instrument.segment, 30)
        from_ms = max(day_start(now_ms), now_ms - 2 * 30 * MINUTE_MS)
        rows = self._candles.minutes(key, start_of(from_ms), now_ms + 1, running=True)
        candles = {candle.start_ms: candle for candle in resample(rows, start_of)}
        running = candles.pop(start_of(now_ms), None)
        return (candles[max(candles)] if candles else None), running

    def _year_range(self, state: SimulatedState) -> tuple[int, int]:
        """Lowest and highest price (paise) of the year before today; cached for the day."""
        today_ms, key = day_start(self._market.now_ms), state.instrument.key
        cached = self._year_ranges.get(key)
        if cached is None or cached[0] != today_ms:
            today = ist_date(today_ms)
            days = self._candles.days(key, today - _YEAR, today)
            lowest = min((day.low for day in days), default=state.ltp_paise)
            highest = max((day.high for day in days), default=state.ltp_paise)
            cached = self._year_ranges[key] = (today_ms, (lowest, highest))
        return cached[1]


def _answer(
    states: Iterable[SimulatedState], row: Callable[[SimulatedState], dict[str, Any]]
) -> web.Response:
    return success({answer_name(state.instrument): row(state) for state in states})
