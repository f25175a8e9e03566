"""Gateways demand more instruments than Upstox allows: those beyond are named, and wait."""

from pathlib import Path
from typing import Any

from services.simulator.market.universe import synthetic_stock
from shared.contracts.demand import Coverage
from tests.support.builders import KEY, OTHER_KEY
from tests.support.ingest import Listener, demand_publisher, ingest, ingest_settings, simulator
from tests.support.servers import NatsServer
from tests.support.waiting import eventually

LIMIT = 2_000
BEYOND = 50


async def wait_for_coverage(listener: Listener, **revs: int) -> Coverage:
    """The first coverage that has considered these demands."""

    def look() -> Coverage | None:
        coverage = listener.coverage()
        if coverage is None or coverage.pending:
            return None
        considered = {name.replace("_", "-"): rev for name, rev in revs.items()}
        return coverage if considered.items() <= coverage.seen.items() else None

    coverage = await eventually(look, what=f"a coverage of {revs} with nothing pending")
    assert coverage is not None
    return coverage


async def test_instruments_beyond_the_limit_have_no_capacity_until_others_are_released(
    nats: NatsServer, listener: Listener, watchlist: Path
) -> None:
    stocks = [synthetic_stock(number).key for number in range(LIMIT - 2 + BEYOND)]
    settings: dict[str, Any] = {"linger_secs": 0.1}
    async with (
        simulator(
            synthetic=len(stocks), trades_per_sec=0.05, speed=1, ledger_max_rows=10,
            limit_reaction="close",  # one instrument too many, and it closes the connection
        ) as url,
        ingest(ingest_settings(nats, url, watchlist, **settings)),
        demand_publisher(nats, "gw-1") as first,
        demand_publisher(nats, "gw-2") as second,
    ):  # fmt: skip
        rev = await first.demand(*stocks)
        coverage = await wait_for_coverage(listener, gw_1=rev)
        refused = coverage.no_capacity
        assert len(refused) == BEYOND
        assert set(refused) < set(stocks), "an instrument of the watchlist lost its place"
        live = [key for key in stocks if key not in refused]

        # The second gateway demands instruments that are live already: they need no place.
        await second.demand(*live[:100])
        await first.demand(*live[100:], *refused)
        coverage = await wait_for_coverage(listener, gw_1=2, gw_2=1)
        assert coverage.no_capacity == refused, "a live instrument lost its place"

        await second.demand()
        await eventually(
            lambda: not (listener.coverage() or coverage).no_capacity,
            what="the refused instruments have places",
        )
        await wait_for_coverage(listener, gw_1=2, gw_2=2)
    assert {KEY, OTHER_KEY, *stocks} == {quote.key for quote in listener.all_quotes()}
    snapshots = [q.key for q in listener.all_quotes() if q.snap and q.key in live[100:]]
    assert len(snapshots) == len(set(snapshots)), "a live instrument was subscribed again"
