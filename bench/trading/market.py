"""The market of the benchmark: quotes in TICKS, and a persister's answers about instruments."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

from shared.bus.connection import Bus
from shared.bus.responder import Handler, Responder
from shared.contracts.instruments import INSTRUMENTS_GET, GetReply, GetRequest, Instrument
from shared.contracts.messages import ClockTick, FeedState, Quote, encode
from shared.contracts.subjects import CLOCK, quote_subject
from shared.runtime.clock import SystemClock
from shared.runtime.tasks import stop
from tests.support.builders import MONDAY_10_00
from tests.support.buses import bus_of, ingest_bus
from tests.support.servers import NatsServer

INSTRUMENTS: Final = 50
LTP: Final = 1_400.0
QUOTES_PER_SEC: Final = 500
_STEP_SECS: Final = 0.1
_SHOWN: Final = 1_000_000


def key_of(number: int) -> str:
    """The key of an instrument of the benchmark."""
    return f"NSE_EQ|INE{number:06d}010"


def _instrument(key: str) -> Instrument:
    return Instrument(
        key=key, symbol=key[7:], name=key, segment="NSE_EQ", exchange="NSE", type="EQ",
        isin=key[7:], lot_size=1, tick_size=0.05, freeze_quantity=100_000.0,
    )  # fmt: skip


class BenchMarket:
    """Quotes of all instruments in turn, at a steady rate, and clock ticks in between."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._seq = 0
        self._next = 0
        self._started = time.monotonic()

    async def run(self) -> None:
        """Publish until cancelled."""
        while True:
            for _ in range(round(QUOTES_PER_SEC * _STEP_SECS)):
                await self.quote(key_of(self._next % INSTRUMENTS), LTP)
                self._next += 1
            clock = ClockTick(
                ts=self._now_ms(), feed_ts=self._now_ms(), epoch=1, seq=self._seq,
                state=FeedState.LIVE,
            )  # fmt: skip
            await self._bus.client.publish(CLOCK, encode(clock))
            await asyncio.sleep(_STEP_SECS)

    async def quote(self, key: str, ltp: float) -> None:
        """Publish one quote with the best prices."""
        self._seq += 1
        now_ms = self._now_ms()
        message = Quote(
            key=key, epoch=1, seq=self._seq, ts=now_ms, rt=time.time_ns() // 1_000, ltp=ltp,
            ltt=now_ms, ltq=10, volume=1_000 + self._seq, bid=round(ltp - 0.05, 2),
            bid_qty=_SHOWN, ask=round(ltp + 0.05, 2), ask_qty=_SHOWN,
        )  # fmt: skip
        await self._bus.client.publish(quote_subject(key), encode(message))

    def _now_ms(self) -> int:
        """Exchange time: a Monday from 10:00 on."""
        return MONDAY_10_00 + int((time.monotonic() - self._started) * 1_000)


@asynccontextmanager
async def moving_market(nats: NatsServer) -> AsyncIterator[BenchMarket]:
    """A market that moves during the block."""
    async with AsyncExitStack() as stack:
        ingest = await stack.enter_async_context(ingest_bus(nats))
        persister = await stack.enter_async_context(bus_of(nats, "persister"))

        async def get(request: GetRequest) -> GetReply:
            return GetReply(instruments=[_instrument(key) for key in request.keys], unknown=[])

        responder = Responder(
            persister, SystemClock(), {INSTRUMENTS_GET: Handler(GetRequest, get)},
            queue_group="persister", max_concurrent=16, max_queued=256,
        )  # fmt: skip
        market = BenchMarket(ingest)
        tasks = [asyncio.create_task(responder.run()), asyncio.create_task(market.run())]
        try:
            yield market
        finally:
            await stop(tasks)
