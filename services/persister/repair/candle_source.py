"""Requests one-minute candles from Upstox, within its limits on calls."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any, Final
from urllib.parse import quote as percent

import aiohttp
import msgspec
from yarl import URL

from services.persister import metrics
from services.persister.repair.call_pacer import CallPacer
from services.persister.repair.candle_bars import MinuteCandle
from shared.contracts.strict_json import json_decoder
from shared.errors import NotFound, Unavailable
from shared.market.exchange_time import DAY_MS, IST_OFFSET_MS, ist_date
from shared.runtime.clock import Clock
from shared.runtime.logs import get_logger
from shared.runtime.settings import UpstoxSettings
from shared.runtime.upstox_tokens import TokenPicker

log = get_logger(__name__)

_V3: Final = "/v3/historical-candle"
# Unknown, malformed, and (reported by users) not available key.
_UNKNOWN_KEYS: Final = frozenset(("UDAPI100011", "UDAPI1021", "UDAPI1087"))
_MAX_EXCERPT_CHARS: Final = 200


_MAX_QUANTITY: Final = 2**53
_Price = Annotated[float, msgspec.Meta(gt=0, le=1e12)]
_Quantity = Annotated[float, msgspec.Meta(ge=0, le=_MAX_QUANTITY)]
_Row = tuple[str, _Price, _Price, _Price, _Price, _Quantity, Any]


class _Candles(msgspec.Struct):
    candles: list[Any]


class _Answer(msgspec.Struct):
    data: _Candles | None = None
    errors: list[dict[str, Any]] = []


_decode: Final = json_decoder(_Answer)


class CandleSource:
    """The calls of one account. All of them share `pace`."""

    def __init__(
        self,
        http: aiohttp.ClientSession,
        settings: UpstoxSettings,
        tokens: TokenPicker,
        pace: CallPacer,
        clock: Clock,
    ) -> None:
        self._http = http
        self._url = settings.api_url
        self._timeout = aiohttp.ClientTimeout(total=settings.timeout_secs)
        self._tokens = tokens
        self._pace = pace
        self._clock = clock

    async def day(self, key: str, day: int, *, is_today: bool) -> list[MinuteCandle]:
        """The candles of `key` on `day` (a number of `trading_day`); of today, those until now.

        Waits until the limits allow the call. Raises NotFound if Upstox does not know the key,
        Unavailable if it does not answer or answers without candles.
        """
        name = percent(key, safe="")
        if is_today:
            path = f"{_V3}/intraday/{name}/minutes/1"
        else:
            date = ist_date(day * DAY_MS - IST_OFFSET_MS).isoformat()
            path = f"{_V3}/{name}/minutes/1/{date}/{date}"
        try:
            answer, status = await self._get(path)
        except (aiohttp.ClientError, TimeoutError, msgspec.DecodeError) as error:
            metrics.REPAIR_CALLS.labels("failed").inc()
            raise Unavailable(f"no candles of {key}: {error!r}") from None
        if status == HTTPStatus.OK and answer.data is not None:
            metrics.REPAIR_CALLS.labels("ok").inc()
            return _candles(answer.data.candles)
        metrics.REPAIR_CALLS.labels("refused").inc()
        codes = [error.get("errorCode") or error.get("error_code") for error in answer.errors]
        if not _UNKNOWN_KEYS.isdisjoint(codes):
            raise NotFound(f"Upstox does not know {key}")
        raise Unavailable(f"no candles of {key}: {status} {codes}")

    async def _get(self, path: str) -> tuple[_Answer, int]:
        """Call with the current token, and with the next one if Upstox refuses it (401).

        Without any token the call is made unauthenticated.
        """
        while True:
            await self._clock.sleep(self._pace.reserve(self._clock.monotonic()))
            token = await self._tokens.pick()
            body, status = await self._call(path, token)
            if token is None or status != HTTPStatus.UNAUTHORIZED:
                return _decode(body), status
            metrics.REPAIR_CALLS.labels("refused").inc()
            log.info("access token refused by Upstox", path=path)
            self._tokens.refuse(token)

    async def _call(self, path: str, token: str | None) -> tuple[bytes, int]:
        # The path is percent-encoded already; encoding it again would change the key.
        url = URL(self._url + path, encoded=True)
        headers = {"Accept": "application/json"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        async with self._http.get(url, headers=headers, timeout=self._timeout) as response:
            return await response.read(), response.status


def _candles(rows: list[Any]) -> list[MinuteCandle]:
    """The candles of an answer. A row whose time cannot be read is passed over and counted."""
    candles = []
    for row in rows:
        try:
            candles.append(_candle(row))
        except (msgspec.ValidationError, ValueError, OverflowError) as error:
            _report_invalid(row, error)
    return candles


def _candle(row: object) -> MinuteCandle:
    """The candle of a row; one with a known time and invalid prices or volume is `invalid`.

    An open interest that is not valid counts as unknown (0). Raises ValueError,
    OverflowError or msgspec.ValidationError if the time cannot be read.
    """
    (text, *_) = msgspec.convert(row, list[Any])[:1] or [None]
    at = datetime.fromisoformat(msgspec.convert(text, str))
    if at.utcoffset() is None:
        raise ValueError("time without an offset")
    start_ms = int(at.timestamp() * 1_000)
    try:
        _, open_, high, low, close, volume, oi = msgspec.convert(row, _Row)
    except msgspec.ValidationError as error:
        _report_invalid(row, error)
        return MinuteCandle.invalid(start_ms)
    if not low <= min(open_, close) <= max(open_, close) <= high:
        _report_invalid(row, "open or close is not between low and high")
        return MinuteCandle.invalid(start_ms)
    known_oi = oi if isinstance(oi, int | float) and 0 <= oi <= _MAX_QUANTITY else 0
    return MinuteCandle(start_ms, open_, high, low, close, volume=int(volume), oi=int(known_oi))


def _report_invalid(row: object, error: object) -> None:
    metrics.SKIPPED_CANDLES.inc()
    log.warning("candle is not valid", error=str(error), row=repr(row)[:_MAX_EXCERPT_CHARS])
