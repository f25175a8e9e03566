"""More instruments are wanted than Upstox allows: the rest is named, and waits its turn."""

from pathlib import Path

from services.simulator.market.universe import synthetic_stock
from shared.contracts.demand import Coverage
from tests.support.builders import KEY, OTHER_KEY
from tests.support.ingest import Listener, asker, ingest, ingest_settings, simulator
from tests.support.servers import NatsServer
from tests.support.waiting import eventually

LIMIT = 2_000
BEYOND = 50


async def test_what_is_beyond_the_limit_is_refused_by_name_until_there_is_room(
    nats: NatsServer, listener: Listener, watchlist: Path
) -> None:
    stocks = [synthetic_stock(number).key for number in range(LIMIT - 2 + BEYOND)]
    settings = {"linger_secs": 0.1, "unknown_after_secs": 60}
    # One instrument too many, and this Upstox closes the connection.
    async with (
        simulator(
            synthetic=len(stocks), trades_per_sec=0.05, speed=1, limit_reaction="close",
            ledger_max_rows=10,
        ) as url,
        ingest(ingest_settings(nats, url, watchlist, **settings)),
        asker(nats, "gw-1") as first,
        asker(nats, "gw-2") as second,
    ):  # fmt: skip
        rev = await first.want(*stocks)

        async def all_considered() -> Coverage | None:
            told = listener.coverage()
            done = told and told.seen.get("gw-1") == rev and not told.pending
            return told if done else None

        told = await eventually(all_considered, what="a coverage", timeout_secs=40)
        assert told is not None
        assert len(told.no_capacity) == BEYOND
        assert set(told.no_capacity) < set(stocks), "what is pinned keeps its place"
        refused = told.no_capacity
        live = [key for key in stocks if key not in refused]

        # Another gateway wants what has a place: that costs none.
        await second.want(*live[:100])
        await first.want(*live[100:], *refused)

        async def still_refused() -> bool:
            told = listener.coverage()
            return told is not None and told.seen.get("gw-2") == 1 and told.seen["gw-1"] == 2

        await eventually(still_refused, what="a coverage of both", timeout_secs=40)
        told = listener.coverage()
        assert told is not None
        assert told.no_capacity == refused, "who has a place keeps it"

        await second.want()

        async def all_live() -> bool:
            told = listener.coverage()
            return told is not None and told.seen.get("gw-2") == 2 and not (
                told.no_capacity or told.pending
            )  # fmt: skip

        await eventually(all_live, what="room for those that waited", timeout_secs=40)
    first_quotes = {quote.key for quote in listener.all_quotes()}
    assert {KEY, OTHER_KEY, *stocks} == first_quotes
    snapshots = [q.key for q in listener.all_quotes() if q.snap and q.key in live[100:]]
    assert len(snapshots) == len(set(snapshots)), "what was live was never subscribed again"
