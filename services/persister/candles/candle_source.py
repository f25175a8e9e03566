"""Requests candles from Upstox."""

from datetime import date
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote as percent

import aiohttp
import msgspec

from services.persister import metrics
from services.persister.candles.candle import CandleLength, UpstoxCandle
from services.persister.candles.candle_rows import decode_candles
from services.persister.candles.paced_calls import PacedCalls
from shared.contracts.strict_json import json_decoder
from shared.errors import NotFound, Unavailable
from shared.market.exchange_time import DAY_MS, IST_OFFSET_MS, ist_date

_V3: Final = "/v3/historical-candle"
# Unknown, malformed, and (reported by users) not available key.
_UNKNOWN_KEYS: Final = frozenset(("UDAPI100011", "UDAPI1021", "UDAPI1087"))


# Of the token, of the rate, or of a request that came too slowly: the same call may succeed later.
_PASSING: Final = frozenset(
    {
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.REQUEST_TIMEOUT,
        HTTPStatus.TOO_MANY_REQUESTS,
    }
)


class CandlesRefused(Unavailable):
    """Upstox answers, and refuses this request; others may succeed."""


class _Candles(msgspec.Struct):
    candles: list[Any]


class _Answer(msgspec.Struct):
    data: _Candles | None = None
    errors: list[dict[str, Any]] = []


_decode: Final = json_decoder(_Answer)


class CandleSource:
    """All methods raise NotFound if Upstox does not know the key, Unavailable if it does not answer
    or answers without candles (CandlesRefused if it refuses the request), and Overloaded if a call
    is refused for its pace.
    """

    def __init__(self, calls: PacedCalls) -> None:
        self._calls = calls

    async def day(self, key: str, day: int, *, is_today: bool) -> list[UpstoxCandle]:
        """The one-minute candles of a day (a number of `trading_day`); of today, those until now."""
        if is_today:
            return await self.today(key, CandleLength.MINUTE)
        on = ist_date(day * DAY_MS - IST_OFFSET_MS)
        return await self.past(key, CandleLength.MINUTE, on, on)

    async def today(self, key: str, length: CandleLength) -> list[UpstoxCandle]:
        """The candles of the running day until now, the running candle included."""
        return await self._candles(key, f"intraday/{percent(key, safe='')}/{length}")

    async def past(
        self, key: str, length: CandleLength, first: date, last: date
    ) -> list[UpstoxCandle]:
        """The candles of the days from `first` to `last`, both included, without the running day."""
        return await self._candles(key, f"{percent(key, safe='')}/{length}/{last}/{first}")

    async def _candles(self, key: str, path: str) -> list[UpstoxCandle]:
        try:
            body, status = await self._calls.get(f"{_V3}/{path}")
            answer = _decode(body)
        except (aiohttp.ClientError, TimeoutError, msgspec.DecodeError) as error:
            metrics.REPAIR_CALLS.labels("failed").inc()
            raise Unavailable(f"no candles of {key}: {error!r}") from None
        if status == HTTPStatus.OK and answer.data is not None:
            metrics.REPAIR_CALLS.labels("ok").inc()
            return decode_candles(answer.data.candles)
        metrics.REPAIR_CALLS.labels("refused").inc()
        codes = [error.get("errorCode") or error.get("error_code") for error in answer.errors]
        if not _UNKNOWN_KEYS.isdisjoint(codes):
            raise NotFound(f"Upstox does not know {key}", field="key")
        detail = f"no candles of {key}: {status} {codes}"
        if (
            HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR
            and status not in _PASSING
        ):
            raise CandlesRefused(detail)
        raise Unavailable(detail)
