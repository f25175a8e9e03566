"""The feed status: the last valid one of the current leader, with its age."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import cast

import msgspec
import pytest
from nats.aio.msg import Msg
from prometheus_client import REGISTRY

from services.gateway.bus.feed_status import FeedStatusListener
from services.gateway.fanout.channels import Channel
from services.gateway.fanout.flush import Flusher
from services.gateway.fanout.hub import Hub
from services.gateway.fanout.ingest_clock import IngestClock
from services.gateway.fanout.outbox import Outbox
from services.gateway.stream.json_framing import JsonFraming
from shared.bus.connection import Bus
from shared.contracts.messages import FeedState, FeedStatus, encode
from shared.contracts.subjects import STATUS
from shared.runtime.clock_skew import ClockSkew
from shared.runtime.tasks import stop
from tests.support.virtual_time import LoopClock, on_virtual_time
from tests.support.websocket_frames import messages

Callback = Callable[[Msg], Awaitable[None]]


class FakeClient:
    """A NATS client that delivers the messages that a test publishes."""

    def __init__(self) -> None:
        self.is_closed = False
        self.callbacks: dict[str, Callback] = {}

    async def subscribe(self, subject: str, *, cb: Callback) -> SimpleNamespace:
        self.callbacks[subject] = cb

        async def unsubscribe() -> None:
            del self.callbacks[subject]

        return SimpleNamespace(unsubscribe=unsubscribe)

    async def publish(self, data: bytes) -> None:
        message = SimpleNamespace(subject=STATUS, data=data)
        await self.callbacks[STATUS](cast("Msg", message))


class Scenario:
    """A listener that runs on a fake client, and a client that subscribes to the status."""

    def __init__(self) -> None:
        self.client = FakeClient()
        hub = Hub(max_age_secs=2.0)
        flusher = Flusher(
            hub,
            longest_ms=18,
            buffer_bytes=65_536,
            blocked_secs=15,
            max_age_secs=2,
            now_us=lambda: 0,
        )
        bus = cast("Bus", SimpleNamespace(client=self.client))
        self.listener = FeedStatusListener(
            bus, hub, flusher, LoopClock(), IngestClock(LoopClock()), ClockSkew("ingest", 5.0)
        )
        self._written: list[bytes] = []
        outbox = Outbox(write=self._written.append, unsent=lambda: 0, framing=JsonFraming())
        queue = outbox.queue(Channel.STATUS)
        flusher.add(queue, outbox)
        hub.subscribe_whole(queue, "user-1")
        flusher.flush(outbox)

    async def relayed(self) -> list[FeedStatus]:
        """The live messages that a subscribed client has received since the last call."""
        await asyncio.sleep(0.1)
        batches = [batch for frames in self._written for batch in messages(frames)]
        self._written.clear()
        assert not any(batch.get("snapshot") for batch in batches)
        return [
            msgspec.convert(message, FeedStatus) for batch in batches for message in batch["data"]
        ]


@asynccontextmanager
async def running() -> AsyncIterator[Scenario]:
    scenario = Scenario()
    task = asyncio.create_task(scenario.listener.run())
    await asyncio.sleep(0)
    yield scenario
    await stop([task])


def status(epoch: int, state: FeedState = FeedState.LIVE) -> FeedStatus:
    return FeedStatus(state=state, since=1_795_408_200_000, epoch=epoch)


def malformed_count() -> float:
    name = "tradedad_gateway_malformed_messages_total"
    return REGISTRY.get_sample_value(name, {"kind": "status"}) or 0.0


@on_virtual_time
async def test_there_is_no_status_before_the_first_message() -> None:
    async with running() as scenario:
        assert scenario.listener.status is None
        assert scenario.listener.age_secs is None


@on_virtual_time
async def test_a_status_is_stored_with_its_age_and_relayed() -> None:
    async with running() as scenario:
        await scenario.client.publish(encode(status(3)))
        assert scenario.listener.status == status(3)
        await asyncio.sleep(4.0)
        assert scenario.listener.age_secs == pytest.approx(4.0)
        assert await scenario.relayed() == [status(3)]
        await scenario.client.publish(encode(status(3)))
        assert scenario.listener.age_secs == 0.0


@on_virtual_time
async def test_a_status_of_a_superseded_leader_is_ignored() -> None:
    async with running() as scenario:
        await scenario.client.publish(encode(status(4)))
        assert await scenario.relayed() == [status(4)]
        await asyncio.sleep(0.9)
        await scenario.client.publish(encode(status(3, FeedState.CONNECTING)))
        assert scenario.listener.status == status(4)
        assert scenario.listener.age_secs == pytest.approx(1.0)
        assert await scenario.relayed() == []


@on_virtual_time
async def test_a_new_leader_replaces_the_status() -> None:
    async with running() as scenario:
        await scenario.client.publish(encode(status(4)))
        newer = status(5, FeedState.CONNECTING)
        await scenario.client.publish(encode(newer))
        assert scenario.listener.status == newer
        assert await scenario.relayed() == [status(4), newer]


@on_virtual_time
async def test_a_malformed_status_is_counted_and_skipped() -> None:
    async with running() as scenario:
        await scenario.client.publish(encode(status(4)))
        assert await scenario.relayed() == [status(4)]
        count = malformed_count()
        for data in (b"", b"{", b'{"state":"nonsense","since":1,"epoch":9}'):
            await scenario.client.publish(data)
        assert malformed_count() == count + 3
        assert scenario.listener.status == status(4)
        assert await scenario.relayed() == []


@on_virtual_time
async def test_the_subscription_ends_with_the_component() -> None:
    async with running() as scenario:
        assert set(scenario.client.callbacks) == {STATUS}
    assert scenario.client.callbacks == {}


@on_virtual_time
async def test_a_closed_connection_is_not_used_at_the_end() -> None:
    async with running() as scenario:
        scenario.client.is_closed = True
    assert set(scenario.client.callbacks) == {STATUS}
