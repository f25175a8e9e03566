"""Ingest, from the simulated Upstox to what arrives on a real bus."""

import json
from itertools import pairwise
from pathlib import Path

import aiohttp

from embedded.ports import free_ports
from services.ingest import metrics
from shared.bus.connection import Bus
from shared.bus.stream_reader import TickReader
from shared.contracts.messages import FeedState, Quote, decode_clock, decode_quote
from shared.contracts.subjects import quote_subject
from shared.runtime.clock import SystemClock
from tests.support.builders import KEY, OTHER_KEY
from tests.support.buses import bus_of
from tests.support.ingest import Listener, ingest, ingest_settings, simulator
from tests.support.servers import NatsServer
from tests.support.waiting import eventually


async def test_quotes_on_the_bus_are_as_the_design_says(
    nats: NatsServer, listener: Listener, watchlist: Path
) -> None:
    async with simulator() as url, ingest(ingest_settings(nats, url, watchlist)) as readiness:
        stock = await listener.wait_for_quotes(5)
        index = await listener.wait_for_quotes(5, OTHER_KEY)
        assert readiness.is_ready()
    message = next(m for m in listener.messages if m.subject == "md.quote.NSE_EQ.INE002A01018")
    first = json.loads(message.data)
    assert first["key"] == KEY
    assert first["snap"] is True
    assert set(first) >= {
        "epoch", "seq", "ts", "rt", "ltt", "ltp", "ltq", "cp", "volume", "atp",
        "bid", "bid_qty", "ask", "ask_qty", "tbq", "tsq",
    }  # fmt: skip
    assert "oi" not in first, "a share has no open interest: absent, not zero"
    assert [q.seq for q in stock] == list(range(1, len(stock) + 1))
    assert all(not q.snap for q in stock[1:])
    assert all(a.ts < b.ts and (a.volume or 0) <= (b.volume or 0)
               for a, b in pairwise(stock[1:]))  # fmt: skip
    assert all(q.ltt is not None and q.ltt <= q.ts for q in stock)
    assert all(q.volume is None and q.ltq is None and q.bid is None for q in index)
    subjects = {m.subject for m in listener.messages}
    assert "md.quote.NSE_INDEX.Nifty%2050" in subjects


async def test_every_quote_that_was_sent_arrives_with_its_values(
    nats: NatsServer, listener: Listener, watchlist: Path
) -> None:
    async with simulator() as url, ingest(ingest_settings(nats, url, watchlist)):
        arrived = (await listener.wait_for_quotes(30))[:30]
        query = {"key": KEY}
        async with (
            aiohttp.ClientSession() as http,
            http.get(f"{url}/simulator/v1/sent", params=query) as response,
        ):
            sent = (await response.json())[:30]
    assert [(q.ts, q.ltp, q.ltt, q.ltq, q.volume, q.atp, q.snap) for q in arrived] == [
        (r["ts"], r["ltp"], r["ltt"], r["ltq"], r["vtt"], r["atp"], r["kind"] == "snapshot")
        for r in sent
    ]


async def test_the_clock_tells_how_many_quotes_there_were(
    nats: NatsServer, listener: Listener, watchlist: Path
) -> None:
    async with simulator() as url, ingest(ingest_settings(nats, url, watchlist)):
        await listener.wait_for_quotes(50)
    quotes = 0
    ticks = 0
    for message in listener.messages:
        if message.subject.startswith("md.quote."):
            quotes += 1
        elif message.subject == "md.clock":
            ticks += 1
            assert decode_clock(message.data).seq == quotes
    assert ticks > 1


async def test_frames_of_the_future_are_not_believed_and_that_is_told(
    nats: NatsServer, listener: Listener, watchlist: Path
) -> None:
    tomorrow_ms = SystemClock().now_ms() + 86_400_000
    async with (
        simulator(start_ms=tomorrow_ms) as url,
        ingest(ingest_settings(nats, url, watchlist, max_ahead_secs=60)) as readiness,
    ):

        async def told() -> bool:
            return "our clock" in readiness.missing.get("feed", "")

        await eventually(told, what="readiness saying why")
        assert listener.quotes() == []


async def test_a_refused_token_is_told_and_nothing_dies(
    nats: NatsServer, listener: Listener, watchlist: Path
) -> None:
    async with (
        simulator(access_token="another") as url,
        ingest(ingest_settings(nats, url, watchlist)) as readiness,
    ):
        assert "feed" in readiness.missing, "from the start, before it leads"

        async def told() -> bool:
            return FeedState.UNAUTHORISED in listener.states()

        await eventually(told, what="md.status saying unauthorised")
        assert "feed" in readiness.missing


async def test_a_feed_that_comes_back_is_taken_up_again(
    nats: NatsServer, listener: Listener, watchlist: Path
) -> None:
    (port,) = free_ports(1)
    async with simulator(port=port) as url:
        settings = ingest_settings(nats, url, watchlist)
        starting = ingest(settings)
        readiness = await starting.__aenter__()
        await listener.wait_for_quotes(3)
    try:

        async def unready() -> bool:
            return "feed" in readiness.missing

        await eventually(unready, what="ingest that knows the feed is away")
        seen = len(listener.quotes())
        async with simulator(port=port, start_ms=listener.quotes()[-1].ts + 1_000):
            after = (await listener.wait_for_quotes(seen + 3))[seen:]
            assert after[0].snap
            assert after[0].seq == seen + 1
            assert len({q.epoch for q in after}) == 1
            assert readiness.is_ready()
    finally:
        await starting.__aexit__(None, None, None)


async def test_a_standby_takes_over_with_a_higher_epoch(
    nats: NatsServer, listener: Listener, watchlist: Path
) -> None:
    async with simulator() as url:
        settings = ingest_settings(nats, url, watchlist)
        async with ingest(settings):
            await listener.wait_for_quotes(3)
            standby = ingest(settings)
            readiness = await standby.__aenter__()
            await eventually(lambda: is_ready(readiness), what="a standby that is ready")
        seen = len(listener.quotes())
        after = (await listener.wait_for_quotes(seen + 3))[seen:]
        await standby.__aexit__(None, None, None)
    before = listener.quotes()[:seen]
    assert {q.epoch for q in before}.isdisjoint({q.epoch for q in after})
    assert after[0].epoch > before[-1].epoch
    assert (after[0].seq, after[0].snap) == (1, True)


async def test_after_an_outage_of_nats_only_the_newest_quotes_follow(
    nats: NatsServer, listener: Listener, watchlist: Path
) -> None:
    # A lease that outlasts the outage: the same leader goes on.
    async with (
        simulator() as url,
        ingest(ingest_settings(nats, url, watchlist, lease_ttl_secs=60)) as readiness,
    ):
        last_before = (await listener.wait_for_quotes(3))[-1]
        nats.kill()

        async def unready() -> bool:
            return "nats" in readiness.missing

        await eventually(unready, what="ingest that knows NATS is away")
        replaced_before = replaced()

        async def much_was_replaced() -> bool:
            return replaced() > replaced_before + 10

        await eventually(much_was_replaced, what="quotes that were replaced by newer ones")
        nats.start()
        async with bus_of(nats, "gateway") as bus:
            kept: list[Quote] = []

            async def went_on() -> bool:
                kept[:] = await kept_quotes(bus)
                return kept[-1].ts > last_before.ts + 5_000

            await eventually(went_on, what="quotes after the outage", timeout_secs=20)
    assert [q.seq for q in kept] == list(range(1, len(kept) + 1)), "seq has no holes"
    pauses = [after.ts - before.ts for before, after in pairwise(kept)]
    assert max(pauses) > 1_000, "what was replaced meanwhile is not sent"


def replaced() -> float:
    (metric,) = metrics.HELD_QUOTES.collect()
    return metric.samples[0].value


async def kept_quotes(bus: Bus) -> list[Quote]:
    """All quotes of KEY that are in the stream."""
    subject = quote_subject(KEY)
    async with TickReader(bus, start=1, subject=subject) as reader:
        expected = await reader.open()
        quotes: list[Quote] = []
        while len(quotes) < expected:
            quotes += [decode_quote(entry.data) for entry in await reader.batch()]
        return quotes
