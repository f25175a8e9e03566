"""Demanded instruments are subscribed at Upstox, and those that are not live are published."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

from shared.bus.tick_reader import TickReader
from shared.contracts.demand import Coverage
from shared.contracts.messages import Depth, decode_clock, decode_depth, decode_quote
from shared.contracts.subjects import CLOCK, depth_subject, quote_subject
from tests.support.builders import KEY, OTHER_KEY
from tests.support.buses import bus_of
from tests.support.ingest import (
    DemandPublisher,
    Listener,
    demand_publisher,
    ingest,
    ingest_settings,
    simulator,
)
from tests.support.patience import PATIENCE_SECS, TAKEOVER_TTL_SECS
from tests.support.servers import NatsServer
from tests.support.waiting import eventually

TCS = "NSE_EQ|INE467B01029"
INFOSYS = "NSE_EQ|INE009A01021"
UNKNOWN = "NSE_EQ|INE000000000"


async def settled(listener: Listener, gateway: DemandPublisher, *quotes: str) -> Coverage:
    """Demand quotes; the coverage in which none of them is pending any more."""
    rev = await gateway.demand(*quotes)

    def look() -> Coverage | None:
        coverage = listener.coverage()
        if coverage is None or coverage.pending or coverage.seen.get("gw-1") != rev:
            return None
        return coverage

    coverage = await eventually(look, what="a coverage with nothing pending")
    assert coverage is not None
    return coverage


async def test_a_demanded_instrument_becomes_live(
    nats: NatsServer, listener: Listener, watchlist: Path
) -> None:
    async with (
        simulator() as url,
        ingest(ingest_settings(nats, url, watchlist)),
        demand_publisher(nats) as gateway,
    ):
        await listener.wait_for_quotes(1)
        assert listener.quotes(TCS) == []
        coverage = await settled(listener, gateway, TCS)
        assert (coverage.no_capacity, coverage.unknown) == ([], [])
        first = (await listener.wait_for_quotes(3, TCS))[0]
        assert first.snap


async def test_a_live_instrument_is_not_subscribed_again(
    nats: NatsServer, listener: Listener, watchlist: Path
) -> None:
    async with (
        simulator() as url,
        ingest(ingest_settings(nats, url, watchlist)),
        demand_publisher(nats) as gateway,
    ):
        await listener.wait_for_quotes(3)
        await settled(listener, gateway, KEY, TCS)
        await settled(listener, gateway, KEY, OTHER_KEY, TCS, INFOSYS)
        await listener.wait_for_quotes(3, INFOSYS)
    for key in (KEY, OTHER_KEY, TCS, INFOSYS):
        snapshots = [quote for quote in listener.quotes(key) if quote.snap]
        assert len(snapshots) == 1, f"{key}: each subscription has a snapshot"


async def test_an_instrument_without_demand_is_unsubscribed_and_named_by_the_clock(
    nats: NatsServer, listener: Listener, watchlist: Path
) -> None:
    async with (
        simulator() as url,
        ingest(ingest_settings(nats, url, watchlist, linger_secs=0.1)),
        demand_publisher(nats) as gateway,
    ):
        await settled(listener, gateway, TCS)
        await gateway.demand()
        await eventually(
            lambda: listener.quotes(KEY)[-1].ts > listener.quotes(TCS)[-1].ts + 20_000,
            what="quotes of TCS stop while others are published",
        )

        def named() -> list[tuple[str, ...]]:
            ticks = [decode_clock(data) for data in listener.of(CLOCK)]
            return [tick.unsubscribed for tick in ticks if tick.unsubscribed]

        await eventually(lambda: named() == [(TCS,)], what="the clock names TCS")


async def test_an_instrument_that_upstox_does_not_know_and_a_malformed_key_are_unknown(
    nats: NatsServer, listener: Listener, watchlist: Path
) -> None:
    async with (
        simulator() as url,
        ingest(ingest_settings(nats, url, watchlist, unknown_after_secs=10)),
        demand_publisher(nats) as gateway,
    ):
        coverage = await settled(listener, gateway, TCS, UNKNOWN, "RELIANCE")
        assert coverage.unknown == [UNKNOWN, "RELIANCE"]


async def test_order_books_are_published_while_they_are_demanded(
    nats: NatsServer, listener: Listener, watchlist: Path
) -> None:
    async with (
        simulator() as url,
        ingest(ingest_settings(nats, url, watchlist)),
        demand_publisher(nats) as gateway,
    ):
        await listener.wait_for_quotes(3)
        assert listener.books() == []
        await gateway.demand(KEY, depth=(KEY,))
        await eventually(lambda: len(listener.books()) > 3, what="order books")
        book = listener.books()[-1]
        assert (len(book.bids), len(book.asks)) == (5, 5)
        assert book.bids[0][0] < book.asks[0][0]
        assert [price for price, _ in book.bids] == sorted((p for p, _ in book.bids), reverse=True)
        quote = next(q for q in listener.quotes() if (q.epoch, q.seq) == (book.epoch, book.seq))
        assert (quote.bid, quote.bid_qty) == book.bids[0]
        await gateway.demand(KEY)
        await eventually(
            lambda: listener.quotes()[-1].ts > listener.books()[-1].ts + 20_000,
            what="order books stop while quotes are published",
        )


async def test_a_stored_order_book_follows_the_quote_of_the_same_moment(
    nats: NatsServer, listener: Listener, watchlist: Path
) -> None:
    async with (
        simulator() as url,
        ingest(ingest_settings(nats, url, watchlist)),
        demand_publisher(nats) as gateway,
        bus_of(nats, "trading") as trading,
    ):
        await gateway.demand(KEY, depth=(KEY,))
        await eventually(lambda: len(listener.books()) > 3, what="order books")
        quotes: set[tuple[int, int]] = set()
        books: list[Depth] = []
        async with TickReader(trading, start=1) as reader, asyncio.timeout(PATIENCE_SECS):
            while len(books) < 3:
                for entry in await reader.batch():
                    if entry.subject == quote_subject(KEY):
                        quote = decode_quote(entry.data)
                        quotes.add((quote.epoch, quote.seq))
                    elif entry.subject == depth_subject(KEY):
                        books.append(decode_depth(entry.data))
                        assert (books[-1].epoch, books[-1].seq) in quotes


async def test_an_account_with_the_plus_plan_gets_thirty_levels(
    nats: NatsServer, listener: Listener, watchlist: Path
) -> None:
    async with (
        simulator(plan="plus") as url,
        ingest(ingest_settings(nats, url, watchlist, plan="plus")),
        demand_publisher(nats) as gateway,
    ):
        await gateway.demand(depth=(KEY,))
        await eventually(
            lambda: any(len(book.bids) == 30 for book in listener.books()),
            what="an order book of thirty levels",
        )


async def test_each_completed_minute_is_published_once(
    nats: NatsServer, listener: Listener, watchlist: Path
) -> None:
    async with simulator(speed=120) as url, ingest(ingest_settings(nats, url, watchlist)):
        await eventually(
            lambda: len(listener.candles()) >= 4 and len(listener.candles(OTHER_KEY)) >= 4,
            what="four candles of each instrument",
        )
    starts = [candle.start for candle in listener.candles()]
    assert starts == [starts[0] + number * 60_000 for number in range(len(starts))]
    assert all(candle.volume for candle in listener.candles())
    assert all(candle.volume is None for candle in listener.candles(OTHER_KEY))
    assert all(candle.low <= min(candle.open, candle.close) for candle in listener.candles())


async def test_a_standby_knows_the_demand_when_it_takes_over(
    nats: NatsServer, listener: Listener, watchlist: Path
) -> None:
    async with (
        simulator() as url,
        demand_publisher(nats) as gateway,
        AsyncExitStack() as stack,
    ):
        settings = ingest_settings(nats, url, watchlist, lease_ttl_secs=TAKEOVER_TTL_SECS)
        async with ingest(settings):
            await settled(listener, gateway, TCS)
            before = (await listener.wait_for_quotes(2, TCS))[-1]
            await stack.enter_async_context(ingest(settings))
            await gateway.demand(TCS, INFOSYS)
            await listener.wait_for_quotes(1, INFOSYS)
        await eventually(
            lambda: all(listener.quotes(k)[-1].epoch > before.epoch for k in (TCS, INFOSYS)),
            what="quotes of the successor for the demanded instruments",
        )
