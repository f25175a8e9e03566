"""The outcome of each key that a client subscribes to, and the demand published to ingest."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from nats.aio.msg import Msg

from services.gateway import metrics
from shared.contracts.demand import Coverage, Demand, decode_demand, encode, split_coverage
from shared.contracts.subjects import ALL_DEMAND, COVERAGE
from tests.support.builders import KEY, OTHER_KEY, fresh_quote
from tests.support.buses import flushed
from tests.support.gateway.in_process import InProcessGateway, running_gateway
from tests.support.gateway.websocket import receive, subscribe
from tests.support.servers import NatsServer
from tests.support.waiting import eventually

GATEWAY_ID = "gw-1"


class IngestSide:
    """Receives the demand of a gateway, and publishes coverages."""

    def __init__(self, gateway: InProcessGateway) -> None:
        self._gateway = gateway
        self.demand = Demand(gateway="", rev=-1, quotes=[], depth=[])
        self.epoch = 5

    async def on_demand(self, message: Msg) -> None:
        self.demand = decode_demand(message.data)

    async def wait_for_demand(
        self, *, quotes: set[str], depth: frozenset[str] = frozenset()
    ) -> None:
        await eventually(
            lambda: set(self.demand.quotes) == quotes and set(self.demand.depth) == depth,
            what=f"a demand of {quotes} and the depth of {depth}",
        )

    async def cover(self, **not_live: list[str]) -> None:
        """Publish a coverage in which all other keys are live."""
        await self.publish(self.coverage(**not_live))

    def coverage(self, **not_live: list[str]) -> Coverage:
        """A coverage of the last demand, in which all other keys are live."""
        empty: dict[str, Any] = {"pending": [], "no_capacity": [], "unknown": []}
        seen = {self.demand.gateway: self.demand.rev}
        return Coverage(epoch=self.epoch, seen=seen, **(empty | not_live))

    async def publish(self, coverage: Coverage) -> None:
        await self._gateway.ingest.publish(COVERAGE, encode(coverage))
        await flushed(self._gateway.ingest)


@pytest.fixture
async def gateway(nats: NatsServer) -> AsyncIterator[InProcessGateway]:
    async with running_gateway(nats, gateway_id=GATEWAY_ID) as running:
        yield running


@asynccontextmanager
async def ingest_side(gateway: InProcessGateway) -> AsyncIterator[IngestSide]:
    ingest = IngestSide(gateway)
    subscription = await gateway.ingest.subscribe(ALL_DEMAND, cb=ingest.on_demand)
    await flushed(gateway.ingest)
    yield ingest
    await subscription.unsubscribe()


async def test_a_key_is_pending_until_it_is_covered(gateway: InProcessGateway) -> None:
    async with ingest_side(gateway) as ingest, gateway.connect() as socket:
        assert await subscribe(socket, KEY) == {KEY: "pending"}
        await ingest.wait_for_demand(quotes={KEY})
        await ingest.cover(pending=[KEY])
        await ingest.cover()
        outcomes = await receive(socket, "outcomes")
        while outcomes["results"] != {KEY: "live"}:
            outcomes = await receive(socket, "outcomes")
        assert outcomes["channel"] == "quotes"
        async with gateway.connect() as late:
            assert await subscribe(late, KEY) == {KEY: "live"}


async def test_a_coverage_from_before_the_demand_is_sent_too(
    gateway: InProcessGateway,
) -> None:
    async with ingest_side(gateway) as ingest, gateway.connect() as socket:
        assert await subscribe(socket, KEY) == {KEY: "pending"}
        await ingest.cover(unknown=[KEY])  # at once: another gateway has demanded it
        assert (await receive(socket, "outcomes"))["results"] == {KEY: "unknown"}


@pytest.mark.parametrize("outcome", ["no_capacity", "unknown"])
async def test_a_key_that_cannot_be_covered_is_named_and_becomes_live_when_it_can(
    gateway: InProcessGateway, outcome: str
) -> None:
    async with ingest_side(gateway) as ingest, gateway.connect() as socket:
        await subscribe(socket, KEY, OTHER_KEY)
        await ingest.wait_for_demand(quotes={KEY, OTHER_KEY})
        await ingest.cover(**{outcome: [KEY]})
        assert (await receive(socket, "outcomes"))["results"] == {KEY: outcome, OTHER_KEY: "live"}
        async with gateway.connect() as late:
            assert await subscribe(late, KEY) == {KEY: outcome}
        await ingest.cover()
        assert (await receive(socket, "outcomes"))["results"] == {KEY: "live"}
        await gateway.publish(fresh_quote())
        assert (await receive(socket, "quotes"))["data"][0]["key"] == KEY


async def test_outcomes_are_sent_for_each_channel_and_only_for_subscribed_keys(
    gateway: InProcessGateway,
) -> None:
    async with (
        ingest_side(gateway) as ingest,
        gateway.connect() as socket,
        gateway.connect() as other,
    ):
        assert await subscribe(socket, KEY, channel="bars") == {KEY: "pending"}
        assert await subscribe(socket, KEY, channel="depth") == {KEY: "pending"}
        await subscribe(other, OTHER_KEY)
        await ingest.wait_for_demand(quotes={KEY, OTHER_KEY}, depth=frozenset({KEY}))
        await ingest.cover(unknown=[KEY])
        messages = [await receive(socket, "outcomes") for _ in range(2)]
        assert {message["channel"] for message in messages} == {"bars", "depth"}
        assert all(message["results"] == {KEY: "unknown"} for message in messages)
        assert (await receive(other, "outcomes"))["results"] == {OTHER_KEY: "live"}


async def test_depth_is_demanded_only_while_a_client_subscribes_to_it(
    gateway: InProcessGateway,
) -> None:
    async with ingest_side(gateway) as ingest, gateway.connect() as staying:
        await subscribe(staying, KEY)
        async with gateway.connect() as leaving:
            await subscribe(leaving, KEY, channel="depth")
            await ingest.wait_for_demand(quotes={KEY}, depth=frozenset({KEY}))
            await subscribe(staying, KEY, channel="depth")
        await staying.send_json(
            {"op": "unsubscribe", "id": 2, "channel": "depth", "keys": [KEY, OTHER_KEY]}
        )
        assert (await receive(staying, "ack"))["results"] == {KEY: "removed", OTHER_KEY: "unknown"}
        await ingest.wait_for_demand(quotes={KEY})


async def test_a_wildcard_demands_nothing_and_a_client_that_leaves_ends_its_demand(
    gateway: InProcessGateway,
) -> None:
    async with ingest_side(gateway) as ingest:
        async with gateway.connect() as socket:
            await subscribe(socket, "*", KEY)
            await ingest.wait_for_demand(quotes={KEY})
        await ingest.wait_for_demand(quotes=set())


async def test_a_malformed_coverage_is_skipped(gateway: InProcessGateway) -> None:
    async with ingest_side(gateway) as ingest, gateway.connect() as socket:
        await subscribe(socket, KEY)
        await ingest.wait_for_demand(quotes={KEY})
        await gateway.ingest.publish(COVERAGE, b'{"epoch":"x"}')
        await ingest.cover()
        assert (await receive(socket, "outcomes"))["results"] == {KEY: "live"}


async def test_a_coverage_of_a_superseded_leader_is_dropped_and_counted(
    gateway: InProcessGateway,
) -> None:
    async with ingest_side(gateway) as ingest, gateway.connect() as socket:
        await subscribe(socket, KEY, OTHER_KEY)
        await ingest.wait_for_demand(quotes={KEY, OTHER_KEY})
        await ingest.cover()
        live = {KEY: "live", OTHER_KEY: "live"}
        assert (await receive(socket, "outcomes"))["results"] == live
        before = metrics.STALE_MESSAGES._value.get()
        ingest.epoch = 4
        await ingest.cover(unknown=[KEY])
        ingest.epoch = 6
        whole = ingest.coverage(pending=[KEY], no_capacity=[OTHER_KEY])
        first, last = split_coverage(whole, max_bytes=1)
        ingest.epoch = 5
        await ingest.publish(first)
        await ingest.cover()  # between the parts: the new leader's are still complete
        await ingest.publish(last)
        expected = {KEY: "pending", OTHER_KEY: "no_capacity"}
        assert (await receive(socket, "outcomes"))["results"] == expected
        assert metrics.STALE_MESSAGES._value.get() == before + 2


async def test_a_user_with_the_longest_keys_stops_no_other_user(
    nats: NatsServer,
) -> None:
    longest = [f"NSE_EQ|{number:07d}".ljust(128, "\x01") for number in range(1_200)]
    async with running_gateway(nats) as gateway:
        ingest = IngestSide(gateway)
        await gateway.ingest.subscribe(ALL_DEMAND, cb=ingest.on_demand)
        async with gateway.connect() as good, gateway.connect() as greedy:
            await subscribe(good, KEY)
            for start in range(0, len(longest), 20):  # a message may have 16 KiB
                await subscribe(greedy, *longest[start : start + 20])
            await eventually(
                lambda: KEY in ingest.demand.quotes and len(ingest.demand.quotes) > 100,
                what="the demand of both users",
            )
            await ingest.cover(pending=ingest.demand.quotes)
            outcomes = await receive(greedy, "outcomes")
            assert set(outcomes["results"].values()) == {"no_capacity"}
            await gateway.publish(fresh_quote(seq=1))
            assert (await receive(good, "quotes"))["data"][0]["seq"] == 1
