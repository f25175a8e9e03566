"""Ingest from a simulated Upstox to a real bus."""

import asyncio
import json
from contextlib import AsyncExitStack
from itertools import pairwise
from pathlib import Path

import aiohttp

from embedded.ports import free_ports
from services.ingest import metrics
from shared.bus.connection import Bus
from shared.bus.tick_reader import TickReader
from shared.contracts.messages import FeedState, Quote, decode_clock, decode_quote
from shared.contracts.subjects import quote_subject
from shared.market.exchange_time import MINUTE_MS
from shared.runtime.clock import SystemClock
from tests.support.builders import KEY, MONDAY_10_00, OTHER_KEY
from tests.support.buses import bus_of
from tests.support.ingest import Listener, ingest, ingest_settings, simulator
from tests.support.patience import TAKEOVER_TTL_SECS
from tests.support.servers import NatsServer
from tests.support.waiting import eventually


async def test_quotes_on_the_bus_have_the_documented_fields_and_order(
    nats: NatsServer, listener: Listener, watchlist: Path
) -> None:
    async with simulator() as url, ingest(ingest_settings(nats, url, watchlist)) as readiness:
        stock = await listener.wait_for_quotes(5)
        index = await listener.wait_for_quotes(5, OTHER_KEY)
        await eventually(readiness.is_ready, what="ingest is ready")
    message = next(m for m in listener.messages if m.subject == "md.quote.NSE_EQ.INE002A01018")
    first = json.loads(message.data)
    assert first["key"] == KEY
    assert first["snap"] is True
    assert set(first) >= {
        "epoch", "seq", "ts", "rt", "ltt", "ltp", "ltq", "cp", "volume", "atp",
        "open", "high", "low", "bid", "bid_qty", "ask", "ask_qty", "tbq", "tsq",
    }  # fmt: skip
    assert set(first).isdisjoint({"iep", "ieq"}), "no auction: absent, not zero"
    assert "oi" not in first, "a share has no open interest: absent, not zero"
    assert [q.seq for q in stock] == list(range(1, len(stock) + 1))
    assert all(not q.snap for q in stock[1:])
    assert all(a.ts < b.ts and (a.volume or 0) <= (b.volume or 0)
               for a, b in pairwise(stock[1:]))  # fmt: skip
    assert all(q.ltt is not None and q.ltt <= q.ts for q in stock)
    for q in stock + index[1:]:
        assert q.ltp is not None
        assert (q.low or 0) <= min(q.ltp, q.open or 0)
        assert max(q.ltp, q.open or 0) <= (q.high or 0)
    assert all(q.volume is None and q.ltq is None and q.bid is None for q in index)
    subjects = {m.subject for m in listener.messages}
    assert "md.quote.NSE_INDEX.Nifty%2050" in subjects


async def test_an_auction_has_an_indicative_result_until_its_trade(
    nats: NatsServer, listener: Listener, watchlist: Path
) -> None:
    in_order_entry = MONDAY_10_00 - 56 * MINUTE_MS  # 09:04; the match is after 09:10
    market = {"calendar": "exchange", "start_ms": in_order_entry, "speed": 30}
    async with (
        simulator(frame_interval_ms=5_000, **market) as url,
        ingest(ingest_settings(nats, url, watchlist)),
    ):
        await eventually(
            lambda: any(q.volume for q in listener.quotes()), what="the trade of the auction"
        )
    quotes = listener.quotes()
    during = [q for q in quotes if q.iep is not None]
    trade = next(q for q in quotes if q.volume)
    assert during
    assert {(q.ltp, q.ltt, q.volume, q.open) for q in during} == {
        (quotes[0].ltp, quotes[0].ltt, None, None)
    }
    assert (trade.ltp, trade.ltq) == (during[-1].iep, during[-1].ieq)
    assert (trade.iep, trade.ieq) == (None, None)
    assert (trade.open, trade.high, trade.low) == (trade.ltp, trade.ltp, trade.ltp)


async def test_every_quote_that_was_sent_arrives_unchanged(
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


async def test_a_clock_tick_has_the_number_of_quotes_before_it(
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


async def test_frames_from_the_future_are_skipped_and_reported(
    nats: NatsServer, listener: Listener, watchlist: Path
) -> None:
    tomorrow_ms = SystemClock().now_ms() + 86_400_000
    async with (
        simulator(start_ms=tomorrow_ms) as url,
        ingest(ingest_settings(nats, url, watchlist, max_ahead_secs=60)) as readiness,
    ):
        await eventually(
            lambda: "local clock" in readiness.missing.get("feed", ""),
            what="readiness has the reason",
        )
        assert listener.quotes() == []


async def test_a_refused_token_is_published_and_ingest_keeps_running(
    nats: NatsServer, listener: Listener, watchlist: Path
) -> None:
    async with (
        simulator(access_token="another") as url,
        ingest(ingest_settings(nats, url, watchlist)) as readiness,
    ):
        assert "feed" in readiness.missing, "not ready before it leads"
        await eventually(
            lambda: FeedState.UNAUTHORISED in listener.states(), what="md.status is unauthorised"
        )
        assert "feed" in readiness.missing


async def test_ingest_reconnects_to_a_feed_that_returns(
    nats: NatsServer, listener: Listener, watchlist: Path
) -> None:
    (port,) = free_ports(1)
    async with AsyncExitStack() as stack:
        async with simulator(port=port) as url:
            settings = ingest_settings(nats, url, watchlist)
            readiness = await stack.enter_async_context(ingest(settings))
            await listener.wait_for_quotes(3)
        await eventually(lambda: "feed" in readiness.missing, what="ingest misses the feed")
        published = len(listener.quotes())
        async with simulator(port=port, start_ms=listener.quotes()[-1].ts + 1_000):
            after = (await listener.wait_for_quotes(published + 3))[published:]
            assert after[0].snap
            assert after[0].seq == published + 1
            assert len({q.epoch for q in after}) == 1
            await eventually(readiness.is_ready, what="ingest is ready")


async def test_a_standby_takes_over_with_a_higher_epoch(
    nats: NatsServer, listener: Listener, watchlist: Path
) -> None:
    async with simulator() as url:
        settings = ingest_settings(nats, url, watchlist, lease_ttl_secs=TAKEOVER_TTL_SECS)
        async with AsyncExitStack() as stack:
            async with ingest(settings):
                await listener.wait_for_quotes(3)
                readiness = await stack.enter_async_context(ingest(settings))
                await eventually(readiness.is_ready, what="the standby is ready")
            published = len(listener.quotes())
            after = (await listener.wait_for_quotes(published + 3))[published:]
    before = listener.quotes()[:published]
    assert {q.epoch for q in before}.isdisjoint({q.epoch for q in after})
    assert after[0].epoch > before[-1].epoch
    assert (after[0].seq, after[0].snap) == (1, True)


async def test_after_an_outage_of_nats_only_the_newest_quotes_follow(
    nats: NatsServer, listener: Listener, watchlist: Path
) -> None:
    # The lease outlasts the outage, so the leader stays the same.
    async with (
        simulator() as url,
        ingest(
            ingest_settings(nats, url, watchlist, has_outages=True, lease_ttl_secs=300)
        ) as readiness,
    ):
        last_before = (await listener.wait_for_quotes(3))[-1]
        nats.kill()
        await eventually(lambda: "nats" in readiness.missing, what="ingest misses NATS")
        replaced_before = replaced()
        await eventually(
            lambda: replaced() > replaced_before + 10, what="quotes are replaced by newer ones"
        )
        await asyncio.to_thread(nats.start)
        async with bus_of(nats, "gateway") as bus:
            stored: list[Quote] = []

            async def continues() -> bool:
                stored[:] = await stored_quotes(bus)
                return stored[-1].ts > last_before.ts + 5_000

            await eventually(continues, what="quotes after the outage")
    assert [q.seq for q in stored] == list(range(1, len(stored) + 1)), "seq has gaps"
    pauses_ms = [after.ts - before.ts for before, after in pairwise(stored)]
    assert max(pauses_ms) > 1_000, "replaced quotes were published"


def replaced() -> float:
    """How many quotes were replaced by newer ones before they could be published."""
    (metric,) = metrics.CONFLATED_QUOTES.collect()
    return metric.samples[0].value


async def stored_quotes(bus: Bus) -> list[Quote]:
    """All quotes of KEY in the stream."""
    subject = quote_subject(KEY)
    async with TickReader(bus, start=1, subject=subject) as reader:
        expected = await reader.open()
        quotes: list[Quote] = []
        while len(quotes) < expected:
            quotes += [decode_quote(entry.data) for entry in await reader.batch()]
        return quotes
