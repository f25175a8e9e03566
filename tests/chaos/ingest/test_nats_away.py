"""NATS is away for a while: after it follow the newest quotes and every candle."""

import asyncio
import time
from itertools import pairwise
from pathlib import Path
from typing import Final

import pytest

from shared.bus.connection import Bus
from shared.bus.tick_reader import TickReader
from shared.contracts.messages import Candle, Quote, decode_candle, decode_quote
from shared.contracts.subjects import candle_subject, quote_subject
from tests.support.builders import KEY
from tests.support.buses import bus_of
from tests.support.figures import Figures
from tests.support.ingest import Listener, ingest, ingest_settings, simulator
from tests.support.servers import NatsServer
from tests.support.waiting import eventually

SPEED: Final = 20
OUTLASTING_TTL_SECS: Final = 300
LAPSING_TTL_SECS: Final = 3


async def stored(bus: Bus, subject: str) -> list[bytes]:
    async with TickReader(bus, start=1, subject=subject) as reader:
        count = await reader.open()
        entries: list[bytes] = []
        while len(entries) < count:
            entries += [entry.data for entry in await reader.batch()]
        return entries


async def quotes(bus: Bus) -> list[Quote]:
    return [decode_quote(data) for data in await stored(bus, quote_subject(KEY))]


async def candles(bus: Bus) -> list[Candle]:
    return [decode_candle(data) for data in await stored(bus, candle_subject(KEY))]


@pytest.mark.parametrize(
    "lease_ttl_secs", [LAPSING_TTL_SECS, OUTLASTING_TTL_SECS], ids=["new leader", "same leader"]
)
@pytest.mark.parametrize(
    "secs", [8, *(pytest.param(secs, marks=pytest.mark.long) for secs in (30, 180))]
)
async def test_the_newest_quotes_and_every_candle_are_published_after_an_outage_of_nats(
    nats: NatsServer, listener: Listener, watchlist: Path, figures: Figures,
    secs: int, lease_ttl_secs: float,
) -> None:  # fmt: skip
    async with simulator(speed=SPEED) as url:
        settings = ingest_settings(
            nats, url, watchlist, has_outages=True, lease_ttl_secs=lease_ttl_secs
        )
        async with ingest(settings) as readiness:
            last_before = (await listener.wait_for_quotes(3))[-1]
            nats.kill()
            killed_at = time.monotonic()
            await eventually(lambda: "nats" in readiness.missing, what="ingest misses NATS")
            await asyncio.sleep(secs)  # the outage itself
            await asyncio.to_thread(nats.start)
            outage_ms = 1_000 * SPEED * (time.monotonic() - killed_at)
            async with bus_of(nats, "gateway") as bus:

                async def continues() -> bool:
                    published = await quotes(bus)
                    return len(published) > 3 and published[-1].ts > last_before.ts + outage_ms

                with figures.duration("until_quotes_after_the_return_secs"):
                    await eventually(continues, what="quotes after the outage")
                published, minutes = await quotes(bus), await candles(bus)
    for epoch in {quote.epoch for quote in published}:
        seqs = [quote.seq for quote in published if quote.epoch == epoch]
        missing = sorted(set(range(1, seqs[-1] + 1)) - set(seqs))
        # nats-server may lose what it had not written to the disk when it was killed.
        assert len(seqs) == len(set(seqs))
        assert not missing or epoch == last_before.epoch
        assert missing == list(range(missing[0], missing[-1] + 1)) if missing else True
    assert all(a.epoch <= b.epoch and a.ts <= b.ts for a, b in pairwise(published))
    pauses_ms = [after.ts - before.ts for before, after in pairwise(published)]
    assert max(pauses_ms) > 1_000 * SPEED * (secs - 5), "quotes of the outage were published"
    if lease_ttl_secs == OUTLASTING_TTL_SECS:
        starts = sorted({candle.start for candle in minutes})
        # An exchange minute lasts three seconds here.
        assert len(starts) >= secs // 3
        assert {b - a for a, b in pairwise(starts)} == {60_000}, "a candle was lost"
