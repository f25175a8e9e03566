"""NATS is killed for half a minute: what counts comes on its return, and nothing stale."""

import asyncio
from itertools import pairwise
from pathlib import Path

import pytest

from shared.bus.connection import Bus
from shared.bus.stream_reader import TickReader
from shared.contracts.messages import Candle, Quote, decode_candle, decode_quote
from shared.contracts.subjects import candle_subject, quote_subject
from tests.support.builders import KEY
from tests.support.buses import bus_of
from tests.support.ingest import Listener, ingest, ingest_settings, simulator
from tests.support.servers import NatsServer
from tests.support.waiting import eventually


async def kept(bus: Bus, subject: str) -> list[bytes]:
    async with TickReader(bus, start=1, subject=subject) as reader:
        expected = await reader.open()
        found: list[bytes] = []
        while len(found) < expected:
            found += [entry.data for entry in await reader.batch()]
        return found


async def quotes(bus: Bus) -> list[Quote]:
    return [decode_quote(data) for data in await kept(bus, quote_subject(KEY))]


async def candles(bus: Bus) -> list[Candle]:
    return [decode_candle(data) for data in await kept(bus, candle_subject(KEY))]


@pytest.mark.timeout(150)
@pytest.mark.parametrize("lease_ttl_secs", [2, 90], ids=["new leader", "same leader"])
@pytest.mark.parametrize("secs", [8, pytest.param(30, marks=pytest.mark.long)])
async def test_after_a_time_without_nats_the_newest_follows_and_every_candle(
    nats: NatsServer, listener: Listener, watchlist: Path, secs: int, lease_ttl_secs: float
) -> None:
    async with simulator(speed=20) as url:
        settings = ingest_settings(nats, url, watchlist, lease_ttl_secs=lease_ttl_secs)
        async with ingest(settings) as readiness:
            last_before = (await listener.wait_for_quotes(3))[-1]
            nats.kill()

            async def unready() -> bool:
                return "nats" in readiness.missing

            await eventually(unready, what="ingest that knows NATS is away")
            await asyncio.sleep(secs)  # the outage itself
            await asyncio.to_thread(nats.start)
            async with bus_of(nats, "gateway") as bus:

                async def went_on() -> bool:
                    told = await quotes(bus)
                    return len(told) > 3 and told[-1].ts > last_before.ts + 20_000 * (secs + 2)

                await eventually(went_on, what="quotes after the outage", timeout_secs=30)
                told, minutes = await quotes(bus), await candles(bus)
    by_epoch = {quote.epoch: [q.seq for q in told if q.epoch == quote.epoch] for quote in told}
    assert all(seqs == list(range(1, len(seqs) + 1)) for seqs in by_epoch.values())
    assert all(a.epoch <= b.epoch and a.ts <= b.ts for a, b in pairwise(told))
    pauses = [after.ts - before.ts for before, after in pairwise(told)]
    assert max(pauses) > 20_000 * (secs - 5), "what was replaced meanwhile is not sent"
    if lease_ttl_secs > secs:
        starts = sorted({candle.start for candle in minutes})
        assert len(starts) >= secs // 3, "one for every three seconds, at twenty times the pace"
        assert {b - a for a, b in pairwise(starts)} == {60_000}, "no candle was lost"
