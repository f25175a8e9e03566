"""Requests one-minute candles from Upstox, within its limits on calls."""

from datetime import datetime
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote as percent

import aiohttp
import msgspec
from yarl import URL

from services.persister import metrics
from services.persister.repair.call_pacer import CallPacer
from services.persister.repair.candle_bars import MinuteCandle
from shared.errors import NotFound, Unavailable
from shared.market.exchange_time import DAY_MS, IST_OFFSET_MS, ist_date
from shared.runtime.clock import Clock
from shared.runtime.logs import get_logger
from shared.runtime.settings import UpstoxSettings
from shared.runtime.upstox_tokens import TokenPicker

log = get_logger(__name__)

_V3: Final = "/v3/historical-candle"
_UNKNOWN_KEY: Final = "UDAPI100011"


class _Candles(msgspec.Struct):
    candles: list[tuple[str, float, float, float, float, float, float]]


class _Answer(msgspec.Struct):
    data: _Candles | None = None
    errors: list[dict[str, Any]] = []


_decoder: Final = msgspec.json.Decoder(_Answer)


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
            return [_candle(row) for row in answer.data.candles]
        metrics.REPAIR_CALLS.labels("refused").inc()
        codes = [error.get("errorCode") or error.get("error_code") for error in answer.errors]
        if _UNKNOWN_KEY in codes:
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
                return _decoder.decode(body), status
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


def _candle(row: tuple[str, float, float, float, float, float, float]) -> MinuteCandle:
    start = int(datetime.fromisoformat(row[0]).timestamp() * 1_000)
    return MinuteCandle(start, *row[1:5], volume=int(row[5]), oi=int(row[6]))
