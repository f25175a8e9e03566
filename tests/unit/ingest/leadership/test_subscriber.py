"""The subscriptions follow the demand, and the coverage shows what is not live."""

import asyncio
from typing import Self

from prometheus_client import REGISTRY

from services.ingest.demand.connection_subscriptions import ConnectionSubscriptions
from services.ingest.demand.limits import Mode, ModeLimits
from services.ingest.demand.subscription_requests import Method, SubscriptionRequest
from services.ingest.leadership.subscriber import Subscriber
from services.ingest.normalise.instrument_state import InstrumentState
from shared.contracts.demand import Coverage, Demand, ModeUse, decode_coverage
from shared.contracts.messages import decode_clock
from shared.contracts.option_chains import ChainKey, OptionsReply, StrikeContracts
from shared.contracts.subjects import depth_subject
from shared.runtime.tasks import stop
from tests.support.builders import KEY, MONDAY_10_00, OTHER_KEY, full_feed
from tests.support.ingest_fakes import EPOCH, FakeConnection, IngestTerm
from tests.support.virtual_time import LoopClock, on_virtual_time

TCS = "NSE_EQ|INE467B01029"
LIMITS = ModeLimits(full_alone=2, full_mixed=1, full_d30=0)


class Subscribing:
    """A running subscriber; the watchlist is KEY."""

    async def __aenter__(self) -> Self:
        self.term = IngestTerm(LoopClock(), KEY)
        self.changed = asyncio.Event()
        self._publishing = asyncio.create_task(self.term.context.coverage.run())
        self._running: list[asyncio.Task[None]] = []
        await self._connect(self.term.subscriptions)
        return self

    async def __aexit__(self, *_: object) -> None:
        await stop([*self._running, self._publishing])

    async def connect(self) -> None:
        """Replace the connection by a new one."""
        await self._connect(ConnectionSubscriptions())

    async def _connect(self, subscriptions: ConnectionSubscriptions) -> None:
        await stop(self._running)
        self.subscriber = Subscriber(
            self.term.context,
            self.term.demand,
            self.changed,
            subscriptions,
            LIMITS,
            self.term.clock,
            unknown_after_secs=10.0,
        )
        self.connection = FakeConnection()
        self._running = [asyncio.create_task(self.subscriber.run(self.connection))]
        await asyncio.sleep(0.01)

    async def request(
        self,
        *quotes: str,
        rev: int = 1,
        depth: tuple[str, ...] = (),
        chains: tuple[ChainKey, ...] = (),
    ) -> None:
        """Change the demand of one gateway, and let the subscriber follow."""
        demand = Demand(
            gateway="g", rev=rev, quotes=list(quotes), depth=list(depth),
            chains=[str(chain) for chain in chains],
        )  # fmt: skip
        self.term.demand.update(demand, self.term.clock.monotonic())
        self.changed.set()
        await asyncio.sleep(0.1)

    @property
    def coverage(self) -> Coverage:
        return decode_coverage(self.term.bus.of("md.coverage")[-1])


@on_virtual_time
async def test_the_watchlist_is_subscribed_and_pending_until_data_arrives() -> None:
    async with Subscribing() as subscribing:
        assert subscribing.connection.sent == [
            SubscriptionRequest(Method.SUBSCRIBE, (KEY,), Mode.FULL)
        ]
        assert subscribing.coverage.pending == [KEY]
        subscribing.subscriber.received([InstrumentState(KEY, EPOCH)])
        await asyncio.sleep(0.1)
        assert subscribing.coverage.pending == []


@on_virtual_time
async def test_a_change_of_the_demand_is_followed_at_once() -> None:
    async with Subscribing() as subscribing:
        await subscribing.request(TCS)
        assert subscribing.connection.sent[1:] == [
            SubscriptionRequest(Method.SUBSCRIBE, (TCS,), Mode.FULL)
        ]
        assert subscribing.coverage.seen == {"g": 1}


@on_virtual_time
async def test_changes_within_a_moment_become_one_request() -> None:
    async with Subscribing() as subscribing:
        subscribing.changed.set()
        await asyncio.sleep(0.01)
        await subscribing.request(TCS, rev=1)
        assert len(subscribing.connection.sent) == 2


@on_virtual_time
async def test_keys_beyond_the_limit_are_listed_as_no_capacity() -> None:
    async with Subscribing() as subscribing:
        await subscribing.request(TCS, OTHER_KEY)
        covered = {*subscribing.coverage.no_capacity, *subscribing.term.subscriptions.modes}
        assert covered == {KEY, TCS, OTHER_KEY}
        assert len(subscribing.coverage.no_capacity) == 1
        assert subscribing.coverage.modes["full"] == ModeUse(subscribed=2, limit=2)


@on_virtual_time
async def test_a_key_without_data_becomes_unknown() -> None:
    async with Subscribing() as subscribing:
        await asyncio.sleep(11.5)
        assert (subscribing.coverage.pending, subscribing.coverage.unknown) == ([], [KEY])


@on_virtual_time
async def test_keys_of_the_watchlist_without_data_are_counted_until_the_connection_ends() -> None:
    name = "tradedad_ingest_unknown_watchlist_instruments"
    async with Subscribing() as subscribing:
        await subscribing.request(TCS)
        await asyncio.sleep(11.0)
        assert {*subscribing.coverage.unknown} == {TCS, KEY}
        assert REGISTRY.get_sample_value(name) == 1
    assert REGISTRY.get_sample_value(name) == 0


@on_virtual_time
async def test_a_key_without_data_is_subscribed_once_more() -> None:
    async with Subscribing() as subscribing:
        await asyncio.sleep(11.5)
        first, again = subscribing.connection.sent
        assert again == first


@on_virtual_time
async def test_a_newly_requested_order_book_is_published_without_a_tick() -> None:
    async with Subscribing() as subscribing:
        feed = full_feed(ltp=1.0, book=[(1.0, 10, 2.0, 20)])
        subscribing.term.context.normaliser.apply(
            {KEY: feed}, ts=MONDAY_10_00, received_us=7, snapshot=True
        )
        await subscribing.request(depth=(KEY,))
        assert len(subscribing.term.bus.of(depth_subject(KEY))) == 1
        await subscribing.request(TCS, depth=(KEY,), rev=2)
        assert len(subscribing.term.bus.of(depth_subject(KEY))) == 1, "once for each request"


@on_virtual_time
async def test_the_clock_names_a_key_whose_subscription_has_ended() -> None:
    async with Subscribing() as subscribing:
        context = subscribing.term.context
        context.exchange_clock.receive(MONDAY_10_00, subscribing.term.clock.monotonic())
        await subscribing.request(TCS)
        await subscribing.request(rev=2)
        assert subscribing.term.bus.of("md.clock") == []
        await asyncio.sleep(31.0)  # a key that is not requested any more stays for 30 s
        subscribing.term.demand.expire(subscribing.term.clock.monotonic())
        subscribing.changed.set()
        await asyncio.sleep(0.1)
        await context.publisher.publish_clock()
        ticks = [decode_clock(data) for data in subscribing.term.bus.of("md.clock")]
        assert [tick.unsubscribed for tick in ticks] == [(TCS,), ()]


@on_virtual_time
async def test_the_clock_names_a_key_that_a_new_connection_does_not_subscribe_again() -> None:
    async with Subscribing() as subscribing:
        context = subscribing.term.context
        context.exchange_clock.receive(MONDAY_10_00, subscribing.term.clock.monotonic())
        await subscribing.request(TCS)
        await subscribing.request(rev=2)
        await subscribing.connect()
        assert subscribing.connection.sent == [
            SubscriptionRequest(Method.SUBSCRIBE, (KEY,), Mode.FULL)
        ]
        (tick,) = [decode_clock(data) for data in subscribing.term.bus.of("md.clock")]
        assert tick.unsubscribed == (TCS,)


@on_virtual_time
async def test_options_of_a_chain_have_greeks_only_and_the_chain_an_outcome() -> None:
    call = "NSE_FO|1"
    chain, other = ChainKey(KEY, "2026-12-01", 1), ChainKey(KEY, "2026-12-08", 1)
    async with Subscribing() as subscribing:
        chains = subscribing.term.context.chains
        await subscribing.request(chains=(chain, other))
        assert subscribing.coverage.pending == [KEY, str(chain), str(other)]
        chains.contracts[KEY, chain.expiry] = OptionsReply(
            underlying=KEY, expiry=chain.expiry, expiries=[chain.expiry],
            strikes=[StrikeContracts(strike=100.0, call=call)],
        )  # fmt: skip
        chains.contracts[KEY, other.expiry] = None
        chains.update(subscribing.term.demand.chains, lambda _: 100.0)
        subscribing.term.demand.set_chain_instruments(chains.all_keys())
        await subscribing.request(chains=(chain, other), rev=2)
        assert subscribing.connection.sent[1:] == [
            SubscriptionRequest(Method.SUBSCRIBE, (call,), Mode.OPTION_GREEKS)
        ]
        assert subscribing.subscriber.quoted_keys == {KEY}
        assert str(other) in subscribing.coverage.unknown
        subscribing.subscriber.received([InstrumentState(call, EPOCH)])
        await asyncio.sleep(0.1)
        assert subscribing.coverage.pending == [KEY]


@on_virtual_time
async def test_a_book_of_30_levels_is_refused_without_plus() -> None:
    async with Subscribing() as subscribing:
        await subscribing.request(depth=(f"{KEY}|30",))
        assert subscribing.coverage.needs_plus == [f"{KEY}|30"]
