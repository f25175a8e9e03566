"""The calls for quotes, of both versions; answers are keyed by ``NSE_EQ:SYMBOL``."""

import asyncio
from collections.abc import Callable, Iterable
from datetime import timedelta
from http import HTTPStatus
from typing import Any, Final

from aiohttp import web

from services.simulator.envelope import refuse, success
from services.simulator.market.candles import Candles
from services.simulator.market.market import Market
from services.simulator.market.state import Candle, InstrumentState
from services.simulator.rest import merge, quotes
from services.simulator.rest.keys import MOST_KEYS, answer_name, asked_states
from services.simulator.tokens import Tokens
from shared.market.exchange_time import MINUTE_MS, day_start, ist_date

_V2_PARAMETER: Final = "symbol"
_BAD_INTERVAL: Final = "UDAPI1020"
_MOST_GREEKS: Final = 50
_YEAR: Final = timedelta(days=365)

Pair = tuple[Candle | None, Candle | None]
"""The last candle that is over, and the running one."""


class QuoteCalls:
    """Quotes read off the market's present state."""

    def __init__(self, market: Market, candles: Candles, tokens: Tokens) -> None:
        self._market = market
        self._candles = candles
        self._calendar = market.calendar
        self._tokens = tokens
        self._years: dict[str, tuple[int, tuple[int, int]]] = {}

    def routes(self) -> list[web.RouteDef]:
        """Those of v3, then those of v2."""
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
        """Last prices. Raises Refusal, as all these do."""
        return _answer(self._asked(request), quotes.last_trade)

    async def ltp_v2(self, request: web.Request) -> web.Response:
        """Last prices, and nothing else."""
        return _answer(self._asked(request, _V2_PARAMETER), quotes.last_price)

    async def full(self, request: web.Request) -> web.Response:
        """Everything there is of an instrument."""
        states = self._asked(request)
        for state in states:
            self._year(state)  # kept for the day; the first time it takes a while,
            await asyncio.sleep(0)  # in which frames go out
        now_ms = self._market.now_ms
        return _answer(states, lambda state: quotes.full_v3(state, now_ms, self._year(state)))

    async def full_v2(self, request: web.Request) -> web.Response:
        """The same with fewer fields."""
        now_ms = self._market.now_ms
        return _answer(
            self._asked(request, _V2_PARAMETER), lambda state: quotes.full(state, now_ms)
        )

    async def greeks(self, request: web.Request) -> web.Response:
        """Greeks of options."""
        return _answer(self._asked(request, most=_MOST_GREEKS), quotes.greeks)

    async def ohlc(self, request: web.Request) -> web.Response:
        """The candle that is over, null for a day; beside the one that runs."""
        states = self._asked(request)
        pair_of = self._pair_of(request)

        def tell(state: InstrumentState) -> dict[str, Any]:
            over, running = pair_of(state)
            return quotes.last_price(state) | {
                "prev_ohlc": quotes.bar(over),
                "live_ohlc": quotes.bar(running),
            }

        return _answer(states, tell)

    async def ohlc_v2(self, request: web.Request) -> web.Response:
        """The candle that runs, or, without a trade in it yet, the one before."""
        states = self._asked(request, _V2_PARAMETER)
        pair_of = self._pair_of(request)

        def tell(state: InstrumentState) -> dict[str, Any]:
            over, running = pair_of(state)
            return quotes.last_price(state) | {"ohlc": quotes.prices(running or over)}

        return _answer(states, tell)

    def _asked(
        self,
        request: web.Request,
        parameter: str = "instrument_key",
        *,
        most: int = MOST_KEYS,
    ) -> list[InstrumentState]:
        self._tokens.bearer(request)
        return asked_states(request, self._market.states, parameter=parameter, most=most)

    def _pair_of(self, request: web.Request) -> Callable[[InstrumentState], Pair]:
        now_ms = self._market.now_ms
        match interval := request.query.get("interval"):
            case "1d":
                return lambda state: (None, state.day)
            case "I1":
                return lambda state: (state.last_minute(now_ms), state.running_minute(now_ms))
            case "I30":
                return self._half_hours
        raise refuse(
            HTTPStatus.BAD_REQUEST,
            _BAD_INTERVAL,
            "Interval accepts one of (1d,I1,I30)",
            path="interval",
            value=interval,
        )

    def _half_hours(self, state: InstrumentState) -> Pair:
        now_ms, key = self._market.now_ms, state.instrument.key
        start_of = merge.within_day(self._calendar, state.instrument.segment, 30)
        from_ms = max(day_start(now_ms), now_ms - 2 * 30 * MINUTE_MS)
        rows = self._candles.minutes(key, start_of(from_ms), now_ms + 1, running=True)
        candles = {candle.start_ms: candle for candle in merge.merge(rows, start_of)}
        running = candles.pop(start_of(now_ms), None)
        return (candles[max(candles)] if candles else None), running

    def _year(self, state: InstrumentState) -> tuple[int, int]:
        """Lowest and highest price (paise) of the year before today."""
        today_ms, key = day_start(self._market.now_ms), state.instrument.key
        known = self._years.get(key)
        if known is None or known[0] != today_ms:
            today = ist_date(today_ms)
            days = self._candles.days(key, today - _YEAR, today)
            lowest = min((day.low for day in days), default=state.ltp_paise)
            highest = max((day.high for day in days), default=state.ltp_paise)
            known = self._years[key] = (today_ms, (lowest, highest))
        return known[1]


def _answer(
    states: Iterable[InstrumentState], tell: Callable[[InstrumentState], dict[str, Any]]
) -> web.Response:
    return success({answer_name(state.instrument): tell(state) for state in states})
