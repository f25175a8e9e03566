"""A persister that fetches earlier candles from a simulated Upstox, and the SDK's own answers."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import aiohttp
import upstox_client
from prometheus_client import REGISTRY

from shared.bus.connection import Bus
from shared.bus.requests import send_request
from shared.contracts.history import (
    HISTORY_BARS,
    HISTORY_CANDLES,
    BarsReply,
    BarsRequest,
    CandleInterval,
    CandlesReply,
    CandlesRequest,
    HistoryBar,
    Interval,
)
from shared.errors import InvalidField, Unavailable
from shared.market.exchange_time import IST
from shared.runtime.settings import MongoSettings, UpstoxSettings
from tests.support.patience import PATIENCE_SECS
from tests.support.persisters import CLOCK, answering_persister
from tests.support.sdk import SDK_SECS, sdk_call
from tests.support.servers import NatsServer
from tests.support.simulated import running as running_simulator
from tests.support.waiting import eventually

_TOKEN: Final = "t"
_CALLS: Final = "tradedad_persister_repair_calls_total"
FULL_BUDGET: Final = {
    "repair_calls_per_sec": 25,
    "repair_calls_per_minute": 500,
    "repair_calls_per_half_hour": 2_000,
}
"""As many calls of a minute as Upstox allows."""

Row = tuple[int, float, float, float, float, int]
"""Start (epoch ms), open, high, low, close, volume (0 if there is none)."""


def moment(text: str) -> int:
    """A time of India, such as ``2024-03-04`` or ``2024-03-04T09:15``, as epoch ms."""
    return int(datetime.fromisoformat(text).replace(tzinfo=IST).timestamp() * 1_000)


@dataclass(frozen=True, slots=True)
class SimulatedHistory:
    """A simulated Upstox that has candles of years."""

    http: aiohttp.ClientSession

    @property
    def url(self) -> str:
        return str(self.http._base_url).rstrip("/")

    async def sdk_past(self, key: str, unit: str, count: int, first: str, last: str) -> list[Row]:
        """What the SDK reads of the days `[first, last]`, oldest first."""
        return await self._sdk(
            lambda api: api.get_historical_candle_data1(
                key, unit, count, last, first, _request_timeout=SDK_SECS
            )
        )

    async def sdk_today(self, key: str, unit: str, count: int) -> list[Row]:
        """What the SDK reads of today, oldest first."""
        return await self._sdk(
            lambda api: api.get_intra_day_candle_data(key, unit, count, _request_timeout=SDK_SECS)
        )

    async def sdk_quote(self, key: str) -> Any:
        """The full quote that the SDK reads."""
        answer = await sdk_call(
            self.url,
            _TOKEN,
            lambda client: upstox_client.MarketQuoteV3Api(client).get_full_market_quote_v3(
                instrument_key=key, _request_timeout=SDK_SECS
            ),
        )
        (quote,) = answer.data.values()
        return quote

    async def _sdk(self, call: Any) -> list[Row]:
        answer = await sdk_call(
            self.url, _TOKEN, lambda client: call(upstox_client.HistoryV3Api(client))
        )
        return [
            (int(datetime.fromisoformat(at).timestamp() * 1_000), *values)
            for at, *values, _oi in reversed(answer.data.candles)
        ]

    async def break_candles(self, status: int = 503, key: str = "") -> None:
        """Answer all calls for candles, or those of `key`, with an error."""
        path = f"/v3/historical-candle/{key}"
        fault = {"kind": "error", "status": status, "times": None, "path": path}
        async with self.http.post("/simulator/v1/faults", json=fault) as response:
            assert response.status == 201, await response.text()

    async def repair_candles(self) -> None:
        async with self.http.delete("/simulator/v1/faults") as response:
            assert response.ok


@asynccontextmanager
async def simulated_history(**options: Any) -> AsyncIterator[SimulatedHistory]:
    async with running_simulator(**options) as http:
        yield SimulatedHistory(http)


@asynccontextmanager
async def fetching_persister(
    nats: NatsServer, mongo: MongoSettings, upstox: SimulatedHistory, **options: Any
) -> AsyncIterator[Bus]:
    """A persister that fetches from `upstox`; yields the connection of a gateway."""
    settings = UpstoxSettings.model_validate({"api_url": upstox.url, "access_token": _TOKEN})
    more = {"history": True, "upstox": settings} | FULL_BUDGET | options
    async with answering_persister(nats, mongo, **more) as bus:

        async def has_leader() -> bool:
            try:
                await candles(bus, key="none", from_ms=1, to_ms=1, timeout_secs=1)
            except InvalidField:
                return True
            except Unavailable:
                return False
            return True

        await eventually(has_leader, what="the leader answers")
        yield bus


def calls(outcome: str = "ok") -> float:
    """How many calls for candles Upstox has answered so far."""
    return REGISTRY.get_sample_value(_CALLS, {"outcome": outcome}) or 0.0


async def page(bus: Bus, **fields: Any) -> BarsReply:
    """One page of bars."""
    request = BarsRequest(**({"limit": 2_000} | fields))
    return await send_request(
        bus, CLOCK, HISTORY_BARS, request, BarsReply, timeout_secs=PATIENCE_SECS
    )


async def all_bars(
    bus: Bus,
    key: str,
    first: str,
    end: str,
    interval: Interval = Interval.FIVE_MINUTES,
    **more: Any,
) -> list[HistoryBar]:
    """The bars of all pages, as a client reads them that knows nothing of fetching."""
    fields = {"key": key, "from_ms": moment(first), "to_ms": moment(end), "interval": interval}
    bars: list[HistoryBar] = []
    cursor = None
    while True:
        reply = await page(bus, cursor=cursor, **fields, **more)
        bars += reply.bars
        cursor = reply.next
        if cursor is None:
            assert reply.unfetched is None
            return bars


async def candles(bus: Bus, *, timeout_secs: float = PATIENCE_SECS, **fields: Any) -> CandlesReply:
    """One page of candles that are not stored."""
    defaults: dict[str, Any] = {"limit": 2_000, "interval": CandleInterval.MINUTE}
    request = CandlesRequest(**(defaults | fields))
    return await send_request(
        bus, CLOCK, HISTORY_CANDLES, request, CandlesReply, timeout_secs=timeout_secs
    )


def rows(bars: list[HistoryBar]) -> list[Row]:
    """The values of bars that a candle has as well."""
    return [(bar.start, bar.open, bar.high, bar.low, bar.close, bar.volume or 0) for bar in bars]
