"""Chains in demand are looked up once, subscribed, and published when they change."""

import asyncio
from typing import Any, Self

import pytest

from services.ingest.leadership.chain_follower import ChainFollower
from shared.contracts.demand import Demand
from shared.contracts.option_chains import (
    Chain,
    ChainKey,
    OptionsReply,
    StrikeContracts,
    decode_chain,
)
from shared.errors import RequestError, TimedOut, Unavailable
from shared.runtime.tasks import stop
from tests.support.builders import MONDAY_10_00, greeks_feed, index_feed
from tests.support.ingest_fakes import EPOCH, IngestTerm
from tests.support.virtual_time import LoopClock, on_virtual_time

NIFTY, DAY = "NSE_INDEX|Nifty 50", "2026-12-01"
CHAIN = ChainKey(NIFTY, DAY, 1)
STRIKES = [
    StrikeContracts(strike=strike, call=f"NSE_FO|C{strike:g}", put=f"NSE_FO|P{strike:g}")
    for strike in (100.0, 150.0, 200.0, 250.0)
]
CONTRACTS = OptionsReply(underlying=NIFTY, expiry=DAY, expiries=[DAY], strikes=STRIKES)


class Master:
    """Answers with CONTRACTS; `is_away`, `is_empty` and `errors` (by expiry) are faults."""

    def __init__(self) -> None:
        self.is_away = self.is_empty = False
        self.errors: dict[str, RequestError] = {}
        self.requests = 0
        self.asked: list[str] = []

    async def read(self, underlying: str, expiry: str) -> OptionsReply | None:
        self.requests += 1
        self.asked.append(expiry)
        if self.is_away:
            raise Unavailable("no")
        if expiry in self.errors:
            raise self.errors[expiry]
        return None if self.is_empty else CONTRACTS


class Following:
    """A running follower; one gateway demands CHAIN."""

    async def __aenter__(self) -> Self:
        self.term = IngestTerm(LoopClock())
        self.master = Master()
        self.changed = asyncio.Event()
        bus: Any = self.term.bus
        follower = ChainFollower(
            bus,
            bus,
            self.term.term,
            self.term.context.normaliser,
            self.term.context.chains,
            self.term.demand,
            self.changed,
            self.master,
        )
        self.demand(CHAIN)
        self._tasks = [
            asyncio.create_task(follower.run()),
            asyncio.create_task(follower.run_lookups()),
        ]
        return self

    async def __aexit__(self, *_: object) -> None:
        await stop(self._tasks)

    def demand(self, *chains: ChainKey, rev: int = 1) -> None:
        demand = Demand(gateway="g", rev=rev, quotes=[], chains=[str(chain) for chain in chains])
        self.term.demand.update(demand, self.term.clock.monotonic())

    def receive(self, at: int, **feeds: Any) -> None:
        """Merge a message of the feed that is received at second `at`."""
        keys = {"nifty": NIFTY, "call": "NSE_FO|C150"}
        self.term.context.normaliser.apply(
            {keys[name]: feed for name, feed in feeds.items()},
            ts=MONDAY_10_00 + at * 1_000, received_us=at * 1_000_000, snapshot=False,
        )  # fmt: skip

    def price(self, at: int, ltp: float) -> None:
        self.receive(at, nifty=index_feed(ltp=ltp, ltt=MONDAY_10_00))

    @property
    def published(self) -> list[Chain]:
        return [decode_chain(data) for data in self.term.bus.of(CHAIN.subject)]


@on_virtual_time
async def test_the_options_around_the_price_are_demanded_and_published() -> None:
    async with Following() as following:
        following.price(1, 160.0)
        await asyncio.sleep(2.1)
        assert following.changed.is_set()
        assert following.term.demand.chain_instruments == (
            "NSE_FO|C100", "NSE_FO|P100", "NSE_FO|C150", "NSE_FO|P150", "NSE_FO|C200",
            "NSE_FO|P200",
        )  # fmt: skip
        (first,) = following.published
        assert (first.epoch, first.ltp, first.atm) == (EPOCH, 160.0, 150.0)
        following.receive(2, call=greeks_feed(ltp=7.5, ltt=MONDAY_10_00))
        await asyncio.sleep(0.6)
        second = following.published[-1]
        assert second.seq > first.seq
        assert second.rows[1].call is not None
        assert second.rows[1].call.ltp == 7.5
        assert following.master.requests == 1


@on_virtual_time
async def test_a_chain_that_does_not_change_is_repeated_for_gateways_that_come_later() -> None:
    async with Following() as following:
        following.price(1, 160.0)
        await asyncio.sleep(10.1)
        assert 3 <= len(following.published) <= 4
        assert len({chain.seq for chain in following.published}) == len(following.published)


@on_virtual_time
async def test_the_window_moves_with_the_price() -> None:
    async with Following() as following:
        following.price(1, 160.0)
        await asyncio.sleep(2.0)
        following.price(2, 199.0)
        await asyncio.sleep(1.0)
        assert [row.strike for row in following.published[-1].rows] == [150.0, 200.0, 250.0]
        assert "NSE_FO|C250" in following.term.demand.chain_instruments
        following.demand(rev=2)
        await asyncio.sleep(1.0)
        assert following.term.demand.chain_instruments == ()


@on_virtual_time
async def test_contracts_are_requested_until_the_persister_answers() -> None:
    async with Following() as following:
        following.master.is_away = True
        following.price(1, 160.0)
        await asyncio.sleep(5.0)
        assert following.published == []
        following.master.is_away = False
        await asyncio.sleep(4.0)
        assert following.published


@pytest.mark.parametrize("error", [Unavailable("of that expiry"), TimedOut("of that expiry")])
@on_virtual_time
async def test_a_chain_that_cannot_be_looked_up_does_not_block_those_after_it(
    error: RequestError,
) -> None:
    async with Following() as following:
        following.master.errors = {"2026-11-24": error}
        following.price(1, 160.0)
        following.demand(ChainKey(NIFTY, "2026-11-24", 1), CHAIN, rev=2)
        await asyncio.sleep(3.0)
        assert following.published
        following.demand(
            ChainKey(NIFTY, "2026-11-24", 1), CHAIN, ChainKey(NIFTY, "2026-12-08", 1), rev=3
        )
        await asyncio.sleep(1.2)
        assert following.master.asked.count("2026-12-08") == 1, "a later chain"
        following.master.errors.clear()
        await asyncio.sleep(4.0)
        assert (NIFTY, "2026-11-24") in following.term.context.chains.contracts


@on_virtual_time
async def test_chains_after_one_without_an_answer_wait_for_the_next_pass() -> None:
    days = ["2026-11-24", "2026-12-08"]
    async with Following() as following:
        following.master.errors = {day: TimedOut("nobody answers") for day in [DAY, *days]}
        following.demand(*(ChainKey(NIFTY, day, 1) for day in [DAY, *days]), rev=2)
        await asyncio.sleep(0.7)
        assert following.master.requests == 1
        await asyncio.sleep(9.0)
        asked = following.master.asked
        assert sorted(asked[:3]) == sorted([DAY, *days]), "each has its turn"
        assert asked[3:6] == asked[:3]


@on_virtual_time
async def test_a_chain_that_is_no_longer_in_demand_is_forgotten_with_its_error() -> None:
    async with Following() as following:
        following.master.errors = {DAY: Unavailable("no")}
        await asyncio.sleep(0.7)
        following.demand(rev=2)
        await asyncio.sleep(0.6)
        following.master.errors.clear()
        following.demand(CHAIN, rev=3)
        await asyncio.sleep(0.6)
        assert following.master.asked == [DAY, DAY], "it is not asked for later as one that failed"
        following.demand(rev=4)
        await asyncio.sleep(0.6)
        assert following.term.context.chains.contracts == {}


@on_virtual_time
async def test_contracts_are_read_again_after_a_while() -> None:
    async with Following() as following:
        following.master.is_empty = True
        await asyncio.sleep(100.0)
        assert following.master.requests == 1
        following.master.is_empty = False
        following.price(1, 160.0)
        await asyncio.sleep(250.0)
        assert following.published


@on_virtual_time
async def test_nothing_is_published_while_nats_is_away() -> None:
    async with Following() as following:
        following.term.bus.breaks_for = CHAIN.subject
        following.price(1, 160.0)
        await asyncio.sleep(2.0)
        assert following.published == []
        following.term.bus.breaks_for = None
        await asyncio.sleep(1.0)
        assert following.published
