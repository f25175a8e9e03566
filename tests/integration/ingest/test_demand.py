"""What gateways ask for is subscribed at Upstox, and what is not live is told by name."""

from collections.abc import Awaitable, Callable
from pathlib import Path

from shared.contracts.demand import Coverage
from tests.support.builders import KEY, OTHER_KEY
from tests.support.ingest import (
    DemandPublisher,
    Listener,
    demand_publisher,
    ingest,
    ingest_settings,
    simulator,
)
from tests.support.servers import NatsServer
from tests.support.waiting import eventually

TCS = "NSE_EQ|INE467B01029"
INFOSYS = "NSE_EQ|INE009A01021"
NOBODY = "NSE_EQ|INE000000000"


def considered(listener: Listener, rev: int) -> Callable[[], Awaitable[Coverage | None]]:
    """For `eventually`: the coverage in which nothing of that demand is pending any more."""

    async def look() -> Coverage | None:
        told = listener.coverage()
        return told if told and told.seen.get("gw-1") == rev and not told.pending else None

    return look


async def settled(listener: Listener, gateway: DemandPublisher, *quotes: str) -> Coverage:
    rev = await gateway.want(*quotes)
    told = await eventually(considered(listener, rev), what="a coverage with nothing pending")
    assert told is not None
    return told


async def test_what_a_gateway_wants_comes_and_is_live(
    nats: NatsServer, listener: Listener, watchlist: Path
) -> None:
    async with (
        simulator() as url,
        ingest(ingest_settings(nats, url, watchlist)),
        demand_publisher(nats) as gateway,
    ):
        await listener.wait_for_quotes(1)
        assert listener.quotes(TCS) == []
        told = await settled(listener, gateway, TCS)
        assert (told.no_capacity, told.unknown) == ([], [])
        first = (await listener.wait_for_quotes(3, TCS))[0]
        assert first.snap


async def test_what_is_live_already_is_not_subscribed_again(
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
        assert len(snapshots) == 1, f"{key}: each subscription is answered by a snapshot"


async def test_what_nobody_wants_any_more_ends_after_a_while(
    nats: NatsServer, listener: Listener, watchlist: Path
) -> None:
    async with (
        simulator() as url,
        ingest(ingest_settings(nats, url, watchlist, linger_secs=0.1)),
        demand_publisher(nats) as gateway,
    ):
        await settled(listener, gateway, TCS)
        await gateway.want()

        async def ended() -> bool:
            quotes, others = listener.quotes(TCS), listener.quotes(KEY)
            return others[-1].ts > quotes[-1].ts + 20_000

        await eventually(ended, what="quotes of TCS that stop while others go on")


async def test_what_upstox_does_not_know_is_unknown_and_what_is_no_key_too(
    nats: NatsServer, listener: Listener, watchlist: Path
) -> None:
    async with (
        simulator() as url,
        ingest(ingest_settings(nats, url, watchlist, unknown_after_secs=0.5)),
        demand_publisher(nats) as gateway,
    ):
        told = await settled(listener, gateway, TCS, NOBODY, "RELIANCE")
        assert told.unknown == [NOBODY, "RELIANCE"]


async def test_an_order_book_comes_while_somebody_wants_it(
    nats: NatsServer, listener: Listener, watchlist: Path
) -> None:
    async with (
        simulator() as url,
        ingest(ingest_settings(nats, url, watchlist)),
        demand_publisher(nats) as gateway,
    ):
        await listener.wait_for_quotes(3)
        assert listener.books() == []
        await gateway.want(KEY, depth=(KEY,))

        async def some() -> bool:
            return len(listener.books()) > 3

        await eventually(some, what="order books")
        book = listener.books()[-1]
        assert (len(book.bids), len(book.asks)) == (5, 5)
        assert book.bids[0][0] < book.asks[0][0]
        assert [price for price, _ in book.bids] == sorted((p for p, _ in book.bids), reverse=True)
        quote = next(q for q in listener.quotes() if (q.epoch, q.seq) == (book.epoch, book.seq))
        assert (quote.bid, quote.bid_qty) == book.bids[0]
        await gateway.want(KEY)

        async def over() -> bool:
            return listener.quotes()[-1].ts > listener.books()[-1].ts + 20_000

        await eventually(over, what="order books that stop")


async def test_an_account_with_plus_gets_thirty_levels(
    nats: NatsServer, listener: Listener, watchlist: Path
) -> None:
    async with (
        simulator(plan="plus") as url,
        ingest(ingest_settings(nats, url, watchlist, plan="plus")),
        demand_publisher(nats) as gateway,
    ):
        await gateway.want(depth=(KEY,))

        async def deep() -> bool:
            return any(len(book.bids) == 30 for book in listener.books())

        await eventually(deep, what="an order book of thirty levels")


async def test_each_minute_that_upstox_has_completed_is_published_once(
    nats: NatsServer, listener: Listener, watchlist: Path
) -> None:
    async with simulator(speed=120) as url, ingest(ingest_settings(nats, url, watchlist)):

        async def four() -> bool:
            return len(listener.candles()) >= 4 and len(listener.candles(OTHER_KEY)) >= 4

        await eventually(four, what="four candles of each")
    starts = [candle.start for candle in listener.candles()]
    assert starts == [starts[0] + number * 60_000 for number in range(len(starts))]
    assert all(candle.volume for candle in listener.candles())
    assert all(candle.volume is None for candle in listener.candles(OTHER_KEY))
    assert all(one.low <= min(one.open, one.close) for one in listener.candles())


async def test_a_standby_knows_what_is_wanted_when_it_takes_over(
    nats: NatsServer, listener: Listener, watchlist: Path
) -> None:
    async with simulator() as url, demand_publisher(nats) as gateway:
        settings = ingest_settings(nats, url, watchlist)
        async with ingest(settings):
            await settled(listener, gateway, TCS)
            before = (await listener.wait_for_quotes(2, TCS))[-1]
            standby = ingest(settings)
            await standby.__aenter__()
            await gateway.want(TCS, INFOSYS)
            await listener.wait_for_quotes(1, INFOSYS)
        try:

            async def followed() -> bool:
                return all(listener.quotes(k)[-1].epoch > before.epoch for k in (TCS, INFOSYS))

            await eventually(followed, what="the successor's quotes of what was demanded")
        finally:
            await standby.__aexit__(None, None, None)
