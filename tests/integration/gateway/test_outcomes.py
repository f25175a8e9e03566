"""What becomes of each key that a client asks for, and what the feed is asked for."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from nats.aio.msg import Msg

from shared.contracts.demand import Coverage, Demand, decode_demand, encode
from shared.contracts.subjects import ALL_DEMAND, COVERAGE
from tests.support.builders import KEY, OTHER_KEY
from tests.support.buses import flushed
from tests.support.gateways import Gateway, fresh, receive, running_gateway, subscribe
from tests.support.servers import NatsServer
from tests.support.waiting import eventually

GATEWAY_ID = "gw-1"


class Feed:
    """Ingest's side: hears what is demanded, and says what is covered."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self.demand = Demand(gateway="", rev=-1, quotes=[], depth=[])

    async def hear(self, message: Msg) -> None:
        self.demand = decode_demand(message.data)

    async def is_asked(self, *, quotes: set[str], depth: frozenset[str] = frozenset()) -> None:
        async def asked() -> bool:
            return set(self.demand.quotes) == quotes and set(self.demand.depth) == depth

        await eventually(asked, what=f"a demand of {quotes} and the depth of {depth}")

    async def says(self, **not_live: list[str]) -> None:
        everything: dict[str, list[str]] = {"pending": [], "no_capacity": [], "unknown": []}
        covered = Coverage(
            epoch=1, seen={self.demand.gateway: self.demand.rev}, **(everything | not_live)
        )
        await self._gateway.ingest.publish(COVERAGE, encode(covered))
        await flushed(self._gateway.ingest)


@pytest.fixture
async def gateway(nats: NatsServer) -> AsyncIterator[Gateway]:
    async with running_gateway(nats, gateway_id=GATEWAY_ID) as running:
        yield running


@asynccontextmanager
async def feed_of(gateway: Gateway) -> AsyncIterator[Feed]:
    feed = Feed(gateway)
    subscription = await gateway.ingest.subscribe(ALL_DEMAND, cb=feed.hear)
    await flushed(gateway.ingest)
    yield feed
    await subscription.unsubscribe()


async def test_a_key_is_pending_until_the_feed_has_it(gateway: Gateway) -> None:
    async with feed_of(gateway) as feed, gateway.connect() as socket:
        assert await subscribe(socket, KEY) == {KEY: "pending"}
        await feed.is_asked(quotes={KEY})
        await feed.says(pending=[KEY])
        await feed.says()
        told = await receive(socket, "outcomes")
        while told["results"] != {KEY: "live"}:
            told = await receive(socket, "outcomes")
        assert told["channel"] == "quotes"
        async with gateway.connect() as late:
            assert await subscribe(late, KEY) == {KEY: "live"}


async def test_what_the_feed_says_before_it_has_heard_the_demand_is_told_too(
    gateway: Gateway,
) -> None:
    async with feed_of(gateway) as feed, gateway.connect() as socket:
        assert await subscribe(socket, KEY) == {KEY: "pending"}
        await feed.says(unknown=[KEY])  # at once: another gateway has asked for it
        async with asyncio.timeout(10):
            assert (await receive(socket, "outcomes"))["results"] == {KEY: "unknown"}


@pytest.mark.parametrize("outcome", ["no_capacity", "unknown"])
async def test_what_the_feed_cannot_have_is_named_and_begins_when_it_can(
    gateway: Gateway, outcome: str
) -> None:
    async with feed_of(gateway) as feed, gateway.connect() as socket:
        await subscribe(socket, KEY, OTHER_KEY)
        await feed.is_asked(quotes={KEY, OTHER_KEY})
        await feed.says(**{outcome: [KEY]})
        assert (await receive(socket, "outcomes"))["results"] == {KEY: outcome, OTHER_KEY: "live"}
        async with gateway.connect() as late:
            assert await subscribe(late, KEY) == {KEY: outcome}
        await feed.says()
        assert (await receive(socket, "outcomes"))["results"] == {KEY: "live"}
        await gateway.publish(fresh())
        assert (await receive(socket, "quotes"))["data"][0]["key"] == KEY


async def test_outcomes_come_for_each_channel_and_only_for_ones_own_keys(gateway: Gateway) -> None:
    async with feed_of(gateway) as feed, gateway.connect() as socket, gateway.connect() as other:
        assert await subscribe(socket, KEY, channel="bars") == {KEY: "pending"}
        assert await subscribe(socket, KEY, channel="depth") == {KEY: "pending"}
        await subscribe(other, OTHER_KEY)
        await feed.is_asked(quotes={KEY, OTHER_KEY}, depth=frozenset({KEY}))
        await feed.says(unknown=[KEY])
        told = [await receive(socket, "outcomes") for _ in range(2)]
        assert {one["channel"] for one in told} == {"bars", "depth"}
        assert all(one["results"] == {KEY: "unknown"} for one in told)
        assert (await receive(other, "outcomes"))["results"] == {OTHER_KEY: "live"}


async def test_depth_is_demanded_only_while_somebody_wants_it(gateway: Gateway) -> None:
    async with feed_of(gateway) as feed, gateway.connect() as staying:
        await subscribe(staying, KEY)
        async with gateway.connect() as leaving:
            await subscribe(leaving, KEY, channel="depth")
            await feed.is_asked(quotes={KEY}, depth=frozenset({KEY}))
            await subscribe(staying, KEY, channel="depth")
        await staying.send_json(
            {"op": "unsubscribe", "id": 2, "channel": "depth", "keys": [KEY, OTHER_KEY]}
        )
        assert (await receive(staying, "ack"))["results"] == {KEY: "removed", OTHER_KEY: "unknown"}
        await feed.is_asked(quotes={KEY})


async def test_a_wildcard_demands_nothing_and_who_leaves_demands_nothing(
    gateway: Gateway,
) -> None:
    async with feed_of(gateway) as feed:
        async with gateway.connect() as socket:
            await subscribe(socket, "*", KEY)
            await feed.is_asked(quotes={KEY})
        await feed.is_asked(quotes=set())


async def test_nothing_that_is_no_coverage_does_harm(gateway: Gateway) -> None:
    async with feed_of(gateway) as feed, gateway.connect() as socket:
        await subscribe(socket, KEY)
        await feed.is_asked(quotes={KEY})
        await gateway.ingest.publish(COVERAGE, b'{"epoch":"x"}')
        await feed.says()
        async with asyncio.timeout(10):
            assert (await receive(socket, "outcomes"))["results"] == {KEY: "live"}
