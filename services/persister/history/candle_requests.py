"""Answers `history.candles` from Upstox's intraday and historical candles, which are not stored."""

import asyncio
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Final, Protocol

import msgspec
from pymongo.errors import PyMongoError

from services.persister.aggregation.minute import trades_have_volume
from services.persister.candles.candle import CandleLength, UpstoxCandle
from services.persister.history.candle_cache import CandleCache
from services.persister.history.known_instruments import KnownInstruments
from services.persister.history.spans import Span, spans_between
from services.persister.storage.daily_candles import first_day
from services.persister.storage.history_reader import check_range
from services.persister.storage.page_cursor import encode_cursor, page_start
from shared.bus.responder import request_deadline_ms
from shared.contracts.history import (
    BarSource,
    CandleInterval,
    CandlesReply,
    CandlesRequest,
    HistoryBar,
    HistoryBarState,
)
from shared.errors import NotFound, Overloaded, Unavailable
from shared.market.exchange_time import ist_date, midnight_ms
from shared.runtime.clock import Clock

_TODAY_SECS: Final = 3.0
"""Time for which candles of today are cached."""
_PAST_SECS: Final = 3_600.0
_MAX_CALLS: Final = 4
"""Calls to Upstox for one request; the next page goes on."""
_CALL_MS: Final = 1_500
"""Time that is left for a further call."""
_LOCKS: Final = 32

_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(list[HistoryBar]).decode


class CandleReader(Protocol):
    """Upstox's candles. Both methods raise NotFound, Unavailable or Overloaded."""

    async def today(self, key: str, length: CandleLength) -> list[UpstoxCandle]:
        """The candles of the running day until now."""
        ...

    async def past(
        self, key: str, length: CandleLength, first: date, last: date
    ) -> list[UpstoxCandle]:
        """The candles of the past days `[first, last]`."""
        ...


class CandleRequests:
    """Reads each span once for all requests that want it at the same time."""

    def __init__(
        self,
        candles: CandleReader,
        instruments: KnownInstruments,
        cache: CandleCache,
        clock: Clock,
    ) -> None:
        self._candles = candles
        self._instruments = instruments
        self._cache = cache
        self._clock = clock
        # By the hash of a span: so there is a bounded number, and nothing to clean up.
        self._locks = [asyncio.Lock() for _ in range(_LOCKS)]

    async def read(self, request: CandlesRequest) -> CandlesReply:
        """A page of candles.

        Raises InvalidField, NotFound for a key that the master or Upstox does not know, Unavailable
        if Upstox or the database is away, and Overloaded if the limits on calls are reached.
        """
        check_range(request.from_ms, request.to_ms)
        from_ms, _ = page_start(request)
        try:
            is_known = await self._instruments.knows(request.key)
        except PyMongoError:
            raise Unavailable("instruments cannot be read at the moment") from None
        if is_known is False:  # costs no call
            raise NotFound(f"no instrument {request.key}", field="key")
        today = ist_date(self._clock.now_ms())
        first = ist_date(min(from_ms, midnight_ms(today + timedelta(days=1))))
        spans = spans_between(request.key, request.interval, first, first_day(request.to_ms), today)
        bars: list[HistoryBar] = []
        next_ms: int | None = None
        calls = 0
        for span in spans:
            data = self._cache.get(span)
            if data is None and (calls == _MAX_CALLS or (calls and self._is_almost_due())):
                next_ms = max(from_ms, midnight_ms(span.first))
                break
            if data is None:
                calls += 1
                try:
                    data = await self._fetch(span)
                except (Unavailable, Overloaded):
                    if not bars:
                        raise
                    next_ms = midnight_ms(span.first)
                    break
            bars += [bar for bar in _decode(data) if from_ms <= bar.start < request.to_ms]
            if len(bars) > request.limit:
                break
        if len(bars) > request.limit:
            next_ms = bars[request.limit].start
        cursor = None if next_ms is None else encode_cursor(request, next_ms)
        return CandlesReply(
            key=request.key, interval=request.interval, bars=bars[: request.limit], next=cursor
        )

    def _is_almost_due(self) -> bool:
        """Whether another call could miss the deadline of the request."""
        deadline_ms = request_deadline_ms()
        return deadline_ms is not None and self._clock.now_ms() > deadline_ms - _CALL_MS

    async def _fetch(self, span: Span) -> bytes:
        async with self._locks[hash(span) % _LOCKS]:
            data = self._cache.get(span)  # another request may have fetched it meanwhile
            if data is not None:
                return data
            if span.is_today:
                candles = await self._candles.today(span.key, span.length)
            else:
                last = span.end - timedelta(days=1)
                candles = await self._candles.past(span.key, span.length, span.first, last)
            data = _encode(_bars_of(span, candles, self._clock.now_ms()))
            self._cache.put(span, data, for_secs=_TODAY_SECS if span.is_today else _PAST_SECS)
            return data


def _bars_of(span: Span, candles: Iterable[UpstoxCandle], now_ms: int) -> list[HistoryBar]:
    """The bars of a span. Upstox's candles of other days, and of the same minute, are left out:
    a page continues at the start of a bar, so each start must be there once and in order.
    """
    from_ms, end_ms = midnight_ms(span.first), midnight_ms(span.end)
    expected = [candle for candle in candles if from_ms <= candle.start_ms < end_ms]
    bars = candle_bars(span.key, span.interval, expected, now_ms)
    return list({bar.start: bar for bar in bars}.values())


def candle_bars(
    key: str, interval: CandleInterval, candles: Iterable[UpstoxCandle], now_ms: int
) -> Sequence[HistoryBar]:
    """The valid candles as bars, oldest first; the running one is `forming`."""
    has_volume = trades_have_volume(key)
    return [
        HistoryBar(
            start=candle.start_ms,
            end=candle.start_ms + interval.length_ms,
            open=candle.open,
            high=candle.high,
            low=candle.low,
            close=candle.close,
            volume=candle.volume if has_volume else None,
            oi=candle.oi or None,
            ticks=0,
            state=(
                HistoryBarState.FORMING
                if candle.start_ms + interval.length_ms > now_ms
                else HistoryBarState.REPAIRED
            ),
            source=BarSource.UPSTOX,
        )
        for candle in sorted(candles, key=lambda candle: candle.start_ms)
        if candle.is_valid
    ]
